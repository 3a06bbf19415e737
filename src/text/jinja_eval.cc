#include "text/jinja_eval.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <fmt/format.h>
#include <optional>

#include "base/error.h"
#include "text/jinja_lexer.h"
#include "text/python_text.h"
#include "text/unicode.h"

namespace slipway::text::jinja {

// Counts how deep the walk is; throws when it is too deep.
class Interpreter::Depth {
 public:
  explicit Depth(Interpreter& interpreter) : interpreter_(interpreter) {
    if (++interpreter_.depth_ > interpreter_.limits_.max_depth) {
      --interpreter_.depth_;
      interpreter_.fail("the template calls itself too deeply");
    }
  }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;
  ~Depth() { --interpreter_.depth_; }

 private:
  Interpreter& interpreter_;
};

namespace {

constexpr std::array<std::string_view, 5> kEnvironment = {"namespace", "dict", "range", "raise_exception",
                                                          "strftime_now"};

Value* find_here(Scope& scope, Name name) noexcept {
  const auto it = std::find_if(scope.names.begin(), scope.names.end(), [&](const auto& n) { return n.first == name; });
  return it == scope.names.end() ? nullptr : &it->second;
}

}  // namespace

void set(Scope& scope, Name name, Value value) {
  if (Value* old = find_here(scope, name)) {
    *old = std::move(value);
  } else {
    scope.names.emplace_back(name, std::move(value));
  }
}

Value Arguments::take(std::string_view name, Value fallback) {
  if (next_ < positional.size()) {
    return positional[next_++];
  }
  const auto it = std::find_if(named.begin(), named.end(), [&](const auto& n) { return *n.first == name; });
  if (it == named.end()) {
    return fallback;
  }
  Value out = std::move(it->second);
  named.erase(it);
  return out;
}

Value Arguments::required(std::string_view name) {
  const bool there =
      has_more() || std::any_of(named.begin(), named.end(), [&](const auto& n) { return *n.first == name; });
  if (!there) {
    throw base::Error(base::Code::kInvalid, fmt::format("the argument '{}' is missing", name));
  }
  return take(name);
}

void Arguments::done() const {
  if (has_more() || !named.empty()) {
    throw base::Error(base::Code::kInvalid, named.empty() ? std::string("too many arguments")
                                                          : fmt::format("unknown argument '{}'", *named[0].first));
  }
}

int64_t integer_of(const Value& value, std::string_view what) {
  if (!value.is_integer()) {
    throw base::Error(base::Code::kInvalid, fmt::format("{} must be a whole number, not '{}'", what, type_name(value)));
  }
  return value.integer();
}

void Interpreter::fail(const std::string& what) const { throw_at(line_, what); }

std::string Interpreter::run(const std::vector<std::pair<Name, Value>>& variables) {
  Scope& top = new_scope(nullptr);
  top.names = variables;
  std::string out;
  out_ = &out;
  exec(program_.body, top);
  return out;
}

// ---- statements ----

void Interpreter::print(std::string_view text) {
  if (out_->size() + text.size() > limits_.max_output) {
    fail(fmt::format("the output is larger than {} bytes", limits_.max_output));
  }
  heap_.text(text);
  *out_ += text;
}

void Interpreter::print(const Value& value) {
  if (value.is(Kind::kString)) {
    print(std::string_view(value.string()));
  } else {
    print(std::string_view(text_of(value)));
  }
}

std::string Interpreter::captured(const Body& body, Scope& scope) {
  std::string text;
  std::string* const outer = std::exchange(out_, &text);
  exec(body, scope);  // after a throw nothing renders on
  out_ = outer;
  return text;
}

Interpreter::Flow Interpreter::exec(const Body& body, Scope& scope) {
  const Depth depth(*this);
  for (const Statement& statement : body) {
    heap_.step();
    line_ = statement.line;
    if (const Flow flow = exec_statement(statement, scope); flow != Flow::kNext) {
      return flow;
    }
  }
  return Flow::kNext;
}

Interpreter::Flow Interpreter::exec_statement(const Statement& statement, Scope& scope) {
  switch (statement.kind) {
    case StatementKind::kText: print(std::string_view(statement.text)); break;
    case StatementKind::kPrint: print(eval(*statement.value, scope)); break;
    case StatementKind::kFor: exec_for(statement, scope, eval(*statement.value, scope), 0); break;
    case StatementKind::kIf:
      for (const Branch& branch : statement.branches) {
        if (eval(*branch.condition, scope).truth()) {
          return exec(branch.body, scope);
        }
      }
      return exec(statement.otherwise, scope);
    case StatementKind::kSet: assign_target(*statement.target, eval(*statement.value, scope), scope); break;
    case StatementKind::kSetBlock: {
      Value text = heap_.string(captured(statement.body, new_scope(&scope)));
      if (statement.value != nullptr) {
        text = eval_filter(*statement.value, &text, scope);
      }
      assign_target(*statement.target, std::move(text), scope);
      break;
    }
    case StatementKind::kMacro:
      set(scope, statement.name, function({&statement, &scope, *statement.name, Value()}));
      break;
    case StatementKind::kCallBlock: exec_call_block(statement, scope); break;
    case StatementKind::kFilterBlock: {
      const Value text = heap_.string(captured(statement.body, new_scope(&scope)));
      print(eval_filter(*statement.value, &text, scope));
      break;
    }
    case StatementKind::kWith: exec_with(statement, scope); break;
    case StatementKind::kBreak: return Flow::kBreak;
    case StatementKind::kContinue: return Flow::kContinue;
  }
  return Flow::kNext;
}

void Interpreter::exec_for(const Statement& statement, Scope& scope, const Value& over, int64_t depth) {
  List items = items_of(over);
  if (statement.condition != nullptr) {
    List kept;
    for (Value& item : items) {
      Scope& inner = new_scope(&scope);
      assign_target(*statement.target, item, inner);
      if (eval(*statement.condition, inner).truth()) {
        kept.push_back(std::move(item));
      }
    }
    items = std::move(kept);
  }
  if (items.empty()) {
    exec(statement.otherwise, scope);
    return;
  }
  const Value list = heap_.list(std::move(items));
  heap_.charge(sizeof(Loop));
  Loop& loop = loops_.emplace_back();
  loop.statement = statement.recursive ? &statement : nullptr;
  loop.scope = &scope;
  loop.items = &list.list();
  loop.depth = depth;
  const Name loop_name = program_.find("loop");
  for (; loop.index < static_cast<int64_t>(loop.items->size()); ++loop.index) {
    heap_.step();
    Scope& inner = new_scope(&scope);
    if (loop_name != nullptr) {
      set(inner, loop_name, Value(&loop));
    }
    assign_target(*statement.target, (*loop.items)[static_cast<size_t>(loop.index)], inner);
    if (exec(statement.body, inner) == Flow::kBreak) {
      break;
    }
  }
}

void Interpreter::exec_with(const Statement& statement, Scope& scope) {
  Scope& inner = new_scope(&scope);
  for (const Parameter& parameter : statement.parameters) {
    set(inner, parameter.name, eval(*parameter.value, scope));
  }
  exec(statement.body, inner);
}

void Interpreter::exec_call_block(const Statement& statement, Scope& scope) {
  const Expr& call_expr = *statement.value;
  const Value callee = eval(*call_expr.parts[0], scope);
  Arguments arguments = eval_arguments(call_expr.call, scope);
  if (const Name name = program_.find("caller")) {
    arguments.named.emplace_back(name, function({&statement, &scope, "caller", Value()}));
  }
  print(call(callee, std::move(arguments)));
}

void Interpreter::assign_target(const Expr& target, Value value, Scope& scope) {
  if (target.kind == ExprKind::kName) {
    set(scope, target.name, std::move(value));
    return;
  }
  if (target.kind == ExprKind::kAttribute) {
    const Value owner = lookup(target.parts[0]->name, scope);
    if (!owner.is(Kind::kNamespace)) {
      fail(fmt::format("'{}.{}' can be set only in a namespace", *target.parts[0]->name, *target.name));
    }
    if (target.name->starts_with('_')) {
      fail("a namespace keeps no names that begin with _");
    }
    assign(owner.dict(), Value(*target.name), std::move(value), heap_);
    return;
  }
  if (target.kind != ExprKind::kTuple) {
    fail("this cannot be assigned to");
  }
  const List items = items_of(value);
  if (items.size() != target.parts.size()) {
    fail(fmt::format("{} values for {} names", items.size(), target.parts.size()));
  }
  for (size_t i = 0; i < items.size(); ++i) {
    assign_target(*target.parts[i], items[i], scope);
  }
}

// ---- expressions ----

Value Interpreter::name_of_environment(Name name) {
  if (std::find(kEnvironment.begin(), kEnvironment.end(), *name) != kEnvironment.end()) {
    return function({nullptr, nullptr, *name, Value()});
  }
  return Value::undefined(fmt::format("'{}' is undefined", *name));
}

Value Interpreter::lookup(Name name, Scope& scope) {
  for (Scope* at = &scope; at != nullptr; at = at->parent) {
    if (const Value* found = find_here(*at, name)) {
      return *found;
    }
  }
  return name_of_environment(name);
}

Value Interpreter::eval(const Expr& expr, Scope& scope) {
  const Depth depth(*this);
  heap_.step();
  switch (expr.kind) {
    case ExprKind::kConstant: return expr.value;
    case ExprKind::kName: return lookup(expr.name, scope);
    case ExprKind::kAttribute: return attribute(eval(*expr.parts[0], scope), *expr.name);
    case ExprKind::kItem: {
      const Value object = eval(*expr.parts[0], scope);
      return item(object, eval(*expr.parts[1], scope));
    }
    case ExprKind::kSlice: return eval_slice(expr, scope);
    case ExprKind::kCall: return eval_call(expr, scope);
    case ExprKind::kFilter: return eval_filter(expr, nullptr, scope);
    case ExprKind::kTest: {
      const Value input = eval(*expr.parts[0], scope);
      return Value(apply_test(*expr.name, input, eval_arguments(expr.call, scope)));
    }
    case ExprKind::kNegative:
    case ExprKind::kPositive: {
      const Value operand = eval(*expr.parts[0], scope);
      return binary(expr.kind == ExprKind::kNegative ? Op::kSubtract : Op::kAdd, Value(int64_t{0}), operand);
    }
    case ExprKind::kNot: return Value(!eval(*expr.parts[0], scope).truth());
    case ExprKind::kBinary: {
      const Value left = eval(*expr.parts[0], scope);
      return binary(expr.op, left, eval(*expr.parts[1], scope));
    }
    case ExprKind::kAnd:
    case ExprKind::kOr: {
      Value left = eval(*expr.parts[0], scope);
      return left.truth() == (expr.kind == ExprKind::kOr) ? left : eval(*expr.parts[1], scope);
    }
    case ExprKind::kCompare: return eval_compare(expr, scope);
    case ExprKind::kConcat: {
      std::string out;
      for (const ExprPtr& part : expr.parts) {
        append_text(eval(*part, scope), heap_, out);
      }
      return heap_.string(std::move(out));
    }
    case ExprKind::kConditional:
      if (eval(*expr.parts[1], scope).truth()) {
        return eval(*expr.parts[0], scope);
      }
      return expr.parts[2] != nullptr ? eval(*expr.parts[2], scope)
                                      : Value::undefined("an inline if without else was false, and has no value");
    case ExprKind::kList:
    case ExprKind::kTuple: {
      List items;
      for (const ExprPtr& part : expr.parts) {
        items.push_back(eval(*part, scope));
      }
      return heap_.list(std::move(items), expr.kind == ExprKind::kList ? Kind::kList : Kind::kTuple);
    }
    case ExprKind::kDict: return eval_dict(expr, scope);
  }
  return Value();
}

Value Interpreter::eval_dict(const Expr& expr, Scope& scope) {
  const Value out = heap_.dict({});
  for (size_t i = 0; i + 1 < expr.parts.size(); i += 2) {
    Value key = eval(*expr.parts[i], scope);
    assign(out.dict(), std::move(key), eval(*expr.parts[i + 1], scope), heap_);
  }
  return out;
}

Value Interpreter::eval_compare(const Expr& expr, Scope& scope) {
  Value left = eval(*expr.parts[0], scope);
  for (size_t i = 0; i < expr.ops.size(); ++i) {
    Value right = eval(*expr.parts[i + 1], scope);
    if (!compared(expr.ops[i], left, right)) {
      return Value(false);
    }
    left = std::move(right);
  }
  return Value(true);
}

Value Interpreter::eval_slice(const Expr& expr, Scope& scope) {
  const Value object = eval(*expr.parts[0], scope);
  std::array<std::optional<int64_t>, 3> bounds;
  for (size_t i = 0; i < bounds.size(); ++i) {
    const ExprPtr& part = expr.parts[i + 1];
    const Value value = part != nullptr ? eval(*part, scope) : Value::none();
    if (!value.is(Kind::kNone)) {
      bounds[i] = integer_of(value, "a slice's bound");
    }
  }
  const int64_t step = bounds[2].value_or(1);
  if (step == 0 || step == INT64_MIN) {
    fail("a slice's step cannot be 0");
  }
  if (object.is(Kind::kString)) {
    heap_.text(object.string());
    return heap_.string(python::slice(object.string(), bounds[0], bounds[1], step));
  }
  if (object.is(Kind::kUndefined)) {
    fail(object.undefined_message());
  }
  if (!object.is(Kind::kList) && !object.is(Kind::kTuple)) {
    return Value::undefined(fmt::format("a '{}' cannot be cut into slices", type_name(object)));
  }
  const List& items = object.list();
  const python::Slice s = python::slice_indices(bounds[0], bounds[1], step, static_cast<int64_t>(items.size()));
  List out;
  if (step > 0) {
    for (int64_t i = s.start; i<s.stop; i = s.stop - i> step ? i + step : s.stop) {
      out.push_back(items[static_cast<size_t>(i)]);
    }
  } else {
    for (int64_t i = s.start; i > s.stop; i = s.stop - i < step ? i + step : s.stop) {
      out.push_back(items[static_cast<size_t>(i)]);
    }
  }
  return heap_.list(std::move(out), object.kind());
}

Arguments Interpreter::eval_arguments(const CallArguments& call, Scope& scope) {
  Arguments out;
  for (const ExprPtr& argument : call.positional) {
    out.positional.push_back(eval(*argument, scope));
  }
  for (const auto& [name, argument] : call.named) {
    out.named.emplace_back(name, eval(*argument, scope));
  }
  if (call.star != nullptr) {
    for (Value& value : items_of(eval(*call.star, scope))) {
      out.positional.push_back(std::move(value));
    }
  }
  if (call.star_star != nullptr) {
    const Value more = eval(*call.star_star, scope);
    if (!more.is(Kind::kDict)) {
      fail("** wants a dict");
    }
    for (const auto& [key, value] : more.dict().items) {
      if (const Name name = key.is(Kind::kString) ? program_.find(key.string()) : nullptr) {
        out.named.emplace_back(name, value);  // a name that the template never says cannot be asked for
      }
    }
  }
  return out;
}

Value Interpreter::eval_call(const Expr& expr, Scope& scope) {
  const Expr& callee = *expr.parts[0];
  if (callee.kind == ExprKind::kAttribute) {  // a method, without making an object of it
    const Value self = eval(*callee.parts[0], scope);
    if (has_method(self, *callee.name)) {
      Arguments arguments = eval_arguments(expr.call, scope);
      line_ = expr.line;
      return call_method(*this, self, *callee.name, arguments);
    }
    return call(attribute(self, *callee.name), eval_arguments(expr.call, scope));
  }
  const Value function = eval(callee, scope);
  return call(function, eval_arguments(expr.call, scope));
}

Value Interpreter::eval_filter(const Expr& expr, const Value* input, Scope& scope) {
  const ExprPtr& inner = expr.parts[0];
  const Value value = inner == nullptr   ? *input
                      : input != nullptr ? eval_filter(*inner, input, scope)
                                         : eval(*inner, scope);
  return apply_filter(*expr.name, value, eval_arguments(expr.call, scope));
}

List Interpreter::items_of(const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined: return {};
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kGenerator:
      heap_.step(static_cast<int64_t>(value.list().size() / 8));
      heap_.charge(value.list().size() * sizeof(Value));
      return value.list();
    case Kind::kDict: {
      List keys;
      for (const auto& [key, item] : value.dict().items) {
        keys.push_back(key);
      }
      heap_.charge(keys.size() * sizeof(Value));
      return keys;
    }
    case Kind::kString: {
      List characters;
      const std::string& text = value.string();
      for (size_t at = 0; at < text.size();) {
        const size_t size = decode_at(text, at).size;
        heap_.charge(sizeof(Value));
        characters.push_back(heap_.string(text.substr(at, size)));
        at += size;
      }
      return characters;
    }
    default: fail(fmt::format("'{}' object is not iterable", type_name(value)));
  }
}

Value Interpreter::attribute(const Value& value, std::string_view name) {
  switch (value.kind()) {
    case Kind::kUndefined: fail(value.undefined_message());
    case Kind::kLoop: return loop_attribute(value.loop(), name);
    case Kind::kNamespace:
      if (const Value* found = find(value.dict(), name)) {
        return *found;
      }
      break;
    default:
      if (has_method(value, name)) {
        return function({nullptr, nullptr, std::string(name), value});
      }
      if (value.is(Kind::kDict)) {
        if (const Value* found = find(value.dict(), Value(name), heap_)) {
          return *found;
        }
      }
      if (value.is(Kind::kFunction) && name == "name") {
        return Value(value.function().name);
      }
  }
  return Value::undefined(fmt::format("'{} object' has no attribute '{}'", type_name(value), name));
}

Value Interpreter::item(const Value& value, const Value& key) {
  if (value.is(Kind::kUndefined)) {
    fail(value.undefined_message());
  }
  if (value.is(Kind::kDict)) {
    if (const Value* found = find(value.dict(), key, heap_)) {
      return *found;
    }
  } else if (key.is_integer()) {
    if (value.is(Kind::kString)) {
      heap_.text(value.string());
      const auto size = static_cast<int64_t>(count_code_points(value.string()));
      const int64_t at = key.integer() < 0 ? key.integer() + size : key.integer();
      if (at >= 0 && at < size) {
        return heap_.string(python::slice(value.string(), at, at + 1, 1));
      }
    } else if (value.is(Kind::kList) || value.is(Kind::kTuple)) {
      const auto size = static_cast<int64_t>(value.list().size());
      const int64_t at = key.integer() < 0 ? key.integer() + size : key.integer();
      if (at >= 0 && at < size) {
        return value.list()[static_cast<size_t>(at)];
      }
    }
    return Value::undefined(fmt::format("'{} object' has no element {}", type_name(value), key.integer()));
  }
  if (key.is(Kind::kString)) {
    return attribute(value, key.string());
  }
  return Value::undefined(fmt::format("'{} object' has no such element", type_name(value)));
}

Value Interpreter::loop_attribute(Loop& loop, std::string_view name) {
  const auto size = static_cast<int64_t>(loop.items->size());
  const auto neighbour = [&](int64_t at, const char* what) {
    return at >= 0 && at < size ? (*loop.items)[static_cast<size_t>(at)] : Value::undefined(what);
  };
  const std::array<std::pair<std::string_view, int64_t>, 7> numbers = {{{"index", loop.index + 1},
                                                                        {"index0", loop.index},
                                                                        {"length", size},
                                                                        {"revindex", size - loop.index},
                                                                        {"revindex0", size - loop.index - 1},
                                                                        {"depth", loop.depth + 1},
                                                                        {"depth0", loop.depth}}};
  for (const auto& [key, value] : numbers) {
    if (key == name) {
      return Value(value);
    }
  }
  if (name == "first" || name == "last") {
    return Value(loop.index == (name == "first" ? 0 : size - 1));
  }
  if (name == "previtem") {
    return neighbour(loop.index - 1, "there is no previous item");
  }
  if (name == "nextitem") {
    return neighbour(loop.index + 1, "there is no next item");
  }
  if (name == "cycle" || name == "changed") {
    return function({nullptr, nullptr, std::string(name), Value(&loop)});
  }
  return Value::undefined(fmt::format("'loop' has no attribute '{}'", name));
}

// ---- calls ----

Value Interpreter::call(const Value& callee, Arguments arguments) {
  const Depth depth(*this);
  if (callee.is(Kind::kUndefined)) {
    fail(callee.undefined_message());
  }
  if (callee.is(Kind::kLoop)) {
    Loop& loop = callee.loop();
    if (loop.statement == nullptr) {
      fail("only the loop of a recursive for can be called");
    }
    const Value over = arguments.required("iterable");
    std::string text;
    std::string* const outer = std::exchange(out_, &text);
    exec_for(*loop.statement, *loop.scope, over, loop.depth + 1);
    out_ = outer;
    return heap_.string(std::move(text));
  }
  if (!callee.is(Kind::kFunction)) {
    fail(fmt::format("'{}' object is not callable", type_name(callee)));
  }
  const Function& function = callee.function();
  if (function.macro != nullptr) {
    return call_macro(function, std::move(arguments));
  }
  if (function.self.is(Kind::kUndefined) || function.self.is(Kind::kLoop)) {
    return call_environment(function, arguments);
  }
  return call_method(*this, function.self, function.name, arguments);
}

Value Interpreter::call_macro(const Function& function, Arguments arguments) {
  Scope& scope = new_scope(function.scope);
  for (const Parameter& parameter : function.macro->parameters) {
    Value given = arguments.take(*parameter.name);
    const bool absent = given.is(Kind::kUndefined);
    if (absent) {
      given = parameter.value != nullptr
                  ? eval(*parameter.value, scope)
                  : Value::undefined(fmt::format("parameter '{}' was not provided", *parameter.name));
    }
    set(scope, parameter.name, std::move(given));
  }
  const auto rest = [&](const char* name, auto make) {
    if (const Name known = program_.find(name)) {
      set(scope, known, make());
    }
  };
  if (const Name known = program_.find("caller")) {
    Value given = arguments.take("caller");
    if (!given.is(Kind::kUndefined)) {
      set(scope, known, std::move(given));
    }
  }
  const bool takes_rest = program_.find("varargs") != nullptr;
  const bool takes_named = program_.find("kwargs") != nullptr;
  rest("varargs", [&] {
    List more;
    while (arguments.has_more()) {
      more.push_back(arguments.take(""));
    }
    return heap_.list(std::move(more), Kind::kTuple);
  });
  rest("kwargs", [&] {
    const Value more = heap_.dict({});
    for (auto& [name, value] : arguments.named) {
      assign(more.dict(), Value(*name), value, heap_);
    }
    return more;
  });
  if ((!takes_rest && arguments.has_more()) || (!takes_named && !arguments.named.empty())) {
    fail(fmt::format("macro '{}' takes no more than {} arguments", function.name, function.macro->parameters.size()));
  }
  return heap_.string(captured(function.macro->body, scope));
}

Value Interpreter::call_environment(const Function& function, Arguments& arguments) {
  if (function.name == "namespace" || function.name == "dict") {
    return make_dict(arguments, function.name == "dict" ? Kind::kDict : Kind::kNamespace);
  }
  if (function.name == "range") {
    return range(arguments);
  }
  if (function.name == "strftime_now") {
    return strftime_now(text_of(arguments.required("format")));
  }
  if (function.name == "raise_exception") {
    throw base::Error(base::Code::kInvalid, text_of(arguments.required("message")));
  }
  Loop& loop = function.self.loop();
  if (function.name == "cycle") {
    if (arguments.positional.empty()) {
      fail("loop.cycle wants items");
    }
    return arguments.positional[static_cast<size_t>(loop.index) % arguments.positional.size()];
  }
  const Value now = heap_.list(std::move(arguments.positional), Kind::kTuple);  // loop.changed
  const bool changed = loop.changed.is(Kind::kUndefined) || !equal(loop.changed, now, heap_);
  loop.changed = now;
  return Value(changed);
}

Value Interpreter::make_dict(Arguments& arguments, Kind kind) {
  const Value out = heap_.dict({}, kind);
  if (arguments.has_more()) {
    const Value from = arguments.take("");
    if (from.is(Kind::kDict)) {
      for (const auto& [key, value] : from.dict().items) {
        assign(out.dict(), key, value, heap_);
      }
    } else {
      for (const Value& pair : items_of(from)) {
        const List both = items_of(pair);
        if (both.size() != 2) {
          fail("dict wants pairs");
        }
        assign(out.dict(), both[0], both[1], heap_);
      }
    }
  }
  for (auto& [name, value] : arguments.named) {
    assign(out.dict(), Value(*name), value, heap_);
  }
  return out;
}

Value Interpreter::range(Arguments& arguments) {
  constexpr int64_t kMaxRange = 100'000;  // as Jinja's sandbox
  int64_t start = 0;
  int64_t stop = integer_of(arguments.required("stop"), "range");
  if (arguments.has_more()) {
    start = stop;
    stop = integer_of(arguments.take("stop"), "range");
  }
  const int64_t step = integer_of(arguments.take("step", Value(int64_t{1})), "range");
  arguments.done();
  if (step == 0) {
    fail("range: the step cannot be 0");
  }
  List items;
  for (int64_t at = start; step > 0 ? at < stop : at > stop;) {
    if (static_cast<int64_t>(items.size()) >= kMaxRange) {
      fail(fmt::format("range: more than {} items", kMaxRange));
    }
    items.emplace_back(at);
    if (__builtin_add_overflow(at, step, &at)) {
      break;
    }
  }
  return heap_.list(std::move(items));
}

Value Interpreter::strftime_now(const std::string& format) const {
  constexpr size_t kMaxFormat = 256;
  if (format.size() > kMaxFormat) {
    fail("strftime_now: the format is too long");
  }
  const std::time_t seconds = unix_ms_ / 1000;
  std::tm local{};
  localtime_r(&seconds, &local);
  std::array<char, 4096> buffer{};
  const size_t size = std::strftime(buffer.data(), buffer.size(), format.c_str(), &local);
  return Value(sanitize_utf8({buffer.data(), size}));
}

}  // namespace slipway::text::jinja
