// What stands behind `is`: the tests of Jinja 3.1 that chat templates use.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <fmt/format.h>

#include "text/jinja_eval.h"
#include "text/python_text.h"

namespace slipway::text::jinja {
namespace {

using Test = bool (*)(Interpreter&, const Value& input, Arguments&);
struct NamedTest {
  std::string_view name;
  Test apply;
};

template <Kind... kinds>
bool is_kind(Interpreter& /*in*/, const Value& input, Arguments& /*arguments*/) {
  return ((input.kind() == kinds) || ...);
}

bool defined(Interpreter& /*in*/, const Value& input, Arguments& /*arguments*/) { return !input.is(Kind::kUndefined); }

template <bool wanted>
bool is_bool(Interpreter& /*in*/, const Value& input, Arguments& /*arguments*/) {
  return input.is(Kind::kBool) && input.truth() == wanted;
}

template <int64_t remainder>
bool parity(Interpreter& /*in*/, const Value& input, Arguments& /*arguments*/) {
  return std::abs(integer_of(input, "odd or even") % 2) == remainder;
}

bool divisible(Interpreter& in, const Value& input, Arguments& arguments) {
  const Value by = arguments.required("num");
  return in.binary(Op::kModulo, input, by).number() == 0;
}

template <Op op>
bool compares(Interpreter& in, const Value& input, Arguments& arguments) {
  return in.compared(op, input, arguments.required("other"));
}

template <bool (*is)(std::string_view)>
bool text_is(Interpreter& in, const Value& input, Arguments& /*arguments*/) {
  return is(in.text_of(input));
}

bool same_as(Interpreter& in, const Value& input, Arguments& arguments) {
  const Value other = arguments.required("other");
  if (input.kind() != other.kind()) {
    return false;
  }
  return input.identity() != nullptr ? input.identity() == other.identity() : equal(input, other, in.heap());
}

bool is_filter(Interpreter& in, const Value& input, Arguments& /*arguments*/) { return has_filter(in.text_of(input)); }
bool is_test(Interpreter& in, const Value& input, Arguments& arguments);
bool never(Interpreter& /*in*/, const Value& /*input*/, Arguments& /*arguments*/) { return false; }

constexpr auto kTests = std::to_array<NamedTest>({
    {"!=", compares<Op::kNe>},
    {"<", compares<Op::kLt>},
    {"<=", compares<Op::kLe>},
    {"==", compares<Op::kEq>},
    {">", compares<Op::kGt>},
    {">=", compares<Op::kGe>},
    {"boolean", is_kind<Kind::kBool>},
    {"callable", is_kind<Kind::kFunction>},
    {"defined", defined},
    {"divisibleby", divisible},
    {"eq", compares<Op::kEq>},
    {"equalto", compares<Op::kEq>},
    {"escaped", never},
    {"even", parity<0>},
    {"false", is_bool<false>},
    {"filter", is_filter},
    {"float", is_kind<Kind::kFloat>},
    {"ge", compares<Op::kGe>},
    {"greaterthan", compares<Op::kGt>},
    {"gt", compares<Op::kGt>},
    {"in", compares<Op::kIn>},
    {"integer", is_kind<Kind::kInt>},
    {"iterable", is_kind<Kind::kString, Kind::kList, Kind::kTuple, Kind::kGenerator, Kind::kDict, Kind::kUndefined>},
    {"le", compares<Op::kLe>},
    {"lessthan", compares<Op::kLt>},
    {"lower", text_is<python::is_lower>},
    {"lt", compares<Op::kLt>},
    {"mapping", is_kind<Kind::kDict>},
    {"ne", compares<Op::kNe>},
    {"none", is_kind<Kind::kNone>},
    {"number", is_kind<Kind::kBool, Kind::kInt, Kind::kFloat>},
    {"odd", parity<1>},
    {"sameas", same_as},
    {"sequence", is_kind<Kind::kString, Kind::kList, Kind::kTuple, Kind::kDict, Kind::kUndefined>},
    {"string", is_kind<Kind::kString>},
    {"test", is_test},
    {"true", is_bool<true>},
    {"undefined", is_kind<Kind::kUndefined>},
    {"upper", text_is<python::is_upper>},
});

// Null when there is none of this name.
Test find_test(std::string_view name) noexcept {
  const auto it = std::find_if(kTests.begin(), kTests.end(), [&](const NamedTest& row) { return row.name == name; });
  return it == kTests.end() ? nullptr : it->apply;
}

bool is_test(Interpreter& in, const Value& input, Arguments& /*arguments*/) {
  return find_test(in.text_of(input)) != nullptr;
}

}  // namespace

bool Interpreter::apply_test(std::string_view name, const Value& input, Arguments arguments) {
  const Test test = find_test(name);
  if (test == nullptr) {
    fail(fmt::format("no test named '{}'", name));
  }
  charge_input(heap_, input);
  const bool out = test(*this, input, arguments);
  arguments.done();
  return out;
}

}  // namespace slipway::text::jinja
