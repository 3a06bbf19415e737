// Scopes and expressions.
#include "text/jinja_eval.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>

#include "base/error.h"
#include "text/jinja_lexer.h"
#include "text/python_text.h"
#include "text/unicode.h"

namespace slipway::text::jinja {

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

int64_t integer_of(const Value& value, std::string_view what) {
  if (!value.is_integer()) {
    throw base::Error(base::Code::kInvalid, fmt::format("{} must be a whole number, not '{}'", what, type_name(value)));
  }
  return value.integer();
}

void Interpreter::fail(const std::string& what) const { throw_at(line_, what); }

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
      if (operand.is(Kind::kFloat)) {
        return Value(expr.kind == ExprKind::kNegative ? -operand.number() : operand.number());
      }
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
    const bool hashable = !key.is(Kind::kList) && !key.is(Kind::kDict);
    if (const Value* found = hashable ? find(value.dict(), key, heap_) : nullptr) {
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

}  // namespace slipway::text::jinja
