// Python's binary operators over a template's values.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <optional>

#include "text/jinja_eval.h"
#include "text/python_text.h"

namespace slipway::text::jinja {
namespace {

std::string_view symbol_of(Op op) noexcept {
  switch (op) {
    case Op::kAdd: return "+";
    case Op::kSubtract: return "-";
    case Op::kMultiply: return "*";
    case Op::kDivide: return "/";
    case Op::kFloorDivide: return "//";
    case Op::kModulo: return "%";
    case Op::kPower: return "**";
    default: return "?";
  }
}

// nullopt: out of the range of 64 bits, or not whole.
std::optional<int64_t> whole(Op op, int64_t a, int64_t b) {
  int64_t out = 0;
  switch (op) {
    case Op::kAdd: return __builtin_add_overflow(a, b, &out) ? std::nullopt : std::optional(out);
    case Op::kSubtract: return __builtin_sub_overflow(a, b, &out) ? std::nullopt : std::optional(out);
    case Op::kMultiply: return __builtin_mul_overflow(a, b, &out) ? std::nullopt : std::optional(out);
    case Op::kFloorDivide:
      if (a == INT64_MIN && b == -1) {
        return std::nullopt;
      }
      return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
    case Op::kModulo: return b == -1 ? 0 : ((a % b) + b) % b;
    case Op::kPower:
      out = 1;
      for (int64_t i = 0; i < b && out != 0; ++i) {
        if (__builtin_mul_overflow(out, a, &out) || i > 64) {
          return a == 1    ? std::optional<int64_t>(1)
                 : a == -1 ? std::optional<int64_t>(b % 2 == 0 ? 1 : -1)
                           : std::nullopt;
        }
      }
      return out;
    default: return std::nullopt;
  }
}

double real(Op op, double a, double b) {
  switch (op) {
    case Op::kAdd: return a + b;
    case Op::kSubtract: return a - b;
    case Op::kMultiply: return a * b;
    case Op::kDivide: return a / b;
    case Op::kFloorDivide: return std::floor(a / b);
    case Op::kModulo: return a - b * std::floor(a / b);
    default: return std::pow(a, b);
  }
}

}  // namespace

Value Interpreter::binary(Op op, const Value& a, const Value& b) {
  for (const Value* value : {&a, &b}) {
    if (value->is(Kind::kUndefined)) {
      fail(value->undefined_message());
    }
  }
  if (a.is_number() && b.is_number()) {
    if ((op == Op::kDivide || op == Op::kFloorDivide || op == Op::kModulo) && b.number() == 0) {
      fail("division by zero");
    }
    if (a.is_integer() && b.is_integer() && op != Op::kDivide && !(op == Op::kPower && b.integer() < 0)) {
      const auto out = whole(op, a.integer(), b.integer());
      if (!out) {
        fail("a whole number beyond 64 bits");
      }
      return Value(*out);
    }
    return Value(real(op, a.number(), b.number()));
  }
  if (op == Op::kAdd && a.is(Kind::kString) && b.is(Kind::kString)) {
    heap_.charge(a.string().size() + b.string().size());
    return heap_.string(a.string() + b.string());
  }
  if (op == Op::kAdd && a.kind() == b.kind() && (a.is(Kind::kList) || a.is(Kind::kTuple))) {
    List out = items_of(a);
    for (Value& value : items_of(b)) {
      out.push_back(std::move(value));
    }
    return heap_.list(std::move(out), a.kind());
  }
  if (op == Op::kModulo && a.is(Kind::kString)) {
    return heap_.string(format_percent(a.string(), b));
  }
  const Value& repeated = a.is_integer() ? b : a;
  const Value& times = a.is_integer() ? a : b;
  if (op == Op::kMultiply && times.is_integer()) {
    const auto count = static_cast<size_t>(std::max<int64_t>(0, times.integer()));
    const size_t size = repeated.is(Kind::kString)                              ? repeated.string().size()
                        : repeated.is(Kind::kList) || repeated.is(Kind::kTuple) ? repeated.list().size() * sizeof(Value)
                                                                                : 0;
    if (size > 0 && count > limits_.max_output * 4 / size) {
      fail("a repetition that is too long");
    }
    if (repeated.is(Kind::kString)) {
      std::string out;
      for (size_t i = 0; i < count && size > 0; ++i) {
        out += repeated.string();
      }
      return heap_.string(std::move(out));
    }
    if (repeated.is(Kind::kList) || repeated.is(Kind::kTuple)) {
      List out;
      for (size_t i = 0; i < count && size > 0; ++i) {
        out.insert(out.end(), repeated.list().begin(), repeated.list().end());
      }
      return heap_.list(std::move(out), repeated.kind());
    }
  }
  fail(fmt::format("'{}' cannot be used between '{}' and '{}'", symbol_of(op), type_name(a), type_name(b)));
}

bool Interpreter::contains(const Value& container, const Value& needle) {
  switch (container.kind()) {
    case Kind::kString:
      if (!needle.is(Kind::kString)) {
        fail(fmt::format("'in <string>' wants a string on its left, not '{}'", type_name(needle)));
      }
      heap_.text(container.string());
      return container.string().find(needle.string()) != std::string::npos;
    case Kind::kDict: return find(container.dict(), needle, heap_) != nullptr;
    default: {
      const List items = items_of(container);
      return std::any_of(items.begin(), items.end(), [&](const Value& item) { return equal(item, needle, heap_); });
    }
  }
}

bool Interpreter::compared(Op op, const Value& a, const Value& b) {
  switch (op) {
    case Op::kEq: return equal(a, b, heap_);
    case Op::kNe: return !equal(a, b, heap_);
    case Op::kIn: return contains(b, a);
    case Op::kNotIn: return !contains(b, a);
    case Op::kLt: return compare(a, b, heap_) < 0;
    case Op::kLe: return compare(a, b, heap_) <= 0;
    case Op::kGt: return compare(a, b, heap_) > 0;
    default: return compare(a, b, heap_) >= 0;
  }
}

// printf-style formatting with %s, %r, %d, %i, %f, %x and %%, a width, a precision, and %(name)s.
std::string Interpreter::format_percent(const std::string& format, const Value& arguments) {
  constexpr int kMaxWidth = 1000;
  std::string out;
  size_t next = 0;
  const auto argument = [&]() -> Value {
    if (arguments.is(Kind::kTuple)) {
      if (next >= arguments.list().size()) {
        fail("not enough arguments for the format");
      }
      return arguments.list()[next++];
    }
    if (next++ > 0) {
      fail("not enough arguments for the format");
    }
    return arguments;
  };
  for (size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%') {
      out += format[at];
      continue;
    }
    ++at;
    std::optional<Value> named;
    if (at < format.size() && format[at] == '(') {
      const size_t end = format.find(')', at);
      if (end == std::string::npos || !arguments.is(Kind::kDict)) {
        fail("%(name) wants a dict");
      }
      named = item(arguments, Value(format.substr(at + 1, end - at - 1)));
      at = end + 1;
    }
    bool zero = false;
    bool left = false;
    for (; at < format.size() && std::string_view("-0+ #").find(format[at]) != std::string_view::npos; ++at) {
      zero |= format[at] == '0';
      left |= format[at] == '-';
    }
    const auto number = [&] {
      int value = 0;
      for (; at < format.size() && format[at] >= '0' && format[at] <= '9'; ++at) {
        value = std::min(value * 10 + (format[at] - '0'), kMaxWidth);
      }
      return value;
    };
    const int width = number();
    int precision = -1;
    if (at < format.size() && format[at] == '.') {
      ++at;
      precision = number();
    }
    const char type = at < format.size() ? format[at] : '\0';
    if (type == '%') {
      out += '%';
      continue;
    }
    const Value value = named ? *named : argument();
    std::string text;
    if (type == 's' || type == 'r') {
      text = type == 's' || !value.is(Kind::kString) ? text_of(value) : std::string();
      if (type == 'r' && value.is(Kind::kString)) {
        python::append_repr(value.string(), text);
      }
      if (precision >= 0) {
        text = python::slice(text, 0, precision, 1);
      }
    } else if ((type == 'd' || type == 'i' || type == 'x') && value.is_number()) {
      if (!(std::fabs(value.number()) < 9e18)) {
        fail("a number beyond 64 bits");
      }
      const int64_t whole_number = value.is_integer() ? value.integer() : static_cast<int64_t>(value.number());
      text = type == 'x' ? fmt::format("{:x}", whole_number) : std::to_string(whole_number);
    } else if (type == 'f' && value.is_number()) {
      text = fmt::format("{:.{}f}", value.number(), precision < 0 ? 6 : precision);
    } else {
      fail(fmt::format("the format '%{}' cannot show '{}'", type, type_name(value)));
    }
    const size_t shown = static_cast<size_t>(width);
    const size_t pad = text.size() < shown ? shown - text.size() : 0;
    out += left ? text + std::string(pad, ' ') : std::string(pad, zero && type != 's' ? '0' : ' ') + text;
    heap_.text(text);
  }
  return out;
}

}  // namespace slipway::text::jinja
