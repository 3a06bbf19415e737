// Calls: arguments, macros, recursive loops, and the functions of the environment.
#include <algorithm>
#include <array>
#include <ctime>
#include <fmt/format.h>

#include "base/error.h"
#include "text/jinja_eval.h"
#include "text/unicode.h"

namespace slipway::text::jinja {

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
  if (const Name known = program_.find("caller")) {
    const auto it = std::find_if(arguments.named.begin(), arguments.named.end(),
                                 [&](const auto& named) { return named.first == known; });
    if (it != arguments.named.end()) {
      set(scope, known, std::move(it->second));
      arguments.named.erase(it);
    }
  }
  for (const Parameter& parameter : function.macro->parameters) {
    Value given = arguments.take(*parameter.name);
    if (given.is(Kind::kUndefined)) {
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
