// Filters: those of Jinja 3.1 that chat templates use, with transformers' tojson. Here those of numbers and sequences;
// jinja_filters_text.cc has those of texts.
#include "text/jinja_filters.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <optional>

#include "text/python_text.h"
#include "text/unicode.h"

namespace slipway::text::jinja {
namespace {

// What `attribute=` names: "a.b.0" takes a, then b, then item 0; null gives the value itself.
Value at_path(Interpreter& in, Value value, const Value& path) {
  if (path.is(Kind::kNone)) {
    return value;
  }
  if (path.is_integer()) {
    return in.item(value, path);
  }
  const std::string names = in.text_of(path);
  for (const std::string_view part : python::split(names, ".", -1, false)) {
    int64_t index = 0;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool is_index = read.ec == std::errc() && read.ptr == part.data() + part.size() && part[0] != '-';
    value = in.item(value, is_index ? Value(index) : Value(part));
  }
  return value;
}

// Without case for comparing, as Jinja's sorting does unless told.
Value fold(Interpreter& in, const Value& value, bool case_sensitive) {
  return case_sensitive || !value.is(Kind::kString) ? value : text(in, python::lower(value.string()));
}

// ---- numbers ----

std::optional<double> parse_real(std::string_view source) {
  source = python::strip(source);
  source.remove_prefix(source.starts_with('+') ? 1 : 0);
  double value = 0;
  const auto read = std::from_chars(source.data(), source.data() + source.size(), value);
  return read.ec == std::errc() && read.ptr == source.data() + source.size() && !source.empty() ? std::optional(value)
                                                                                                : std::nullopt;
}

Value to_int(Interpreter& /*in*/, const Value& input, Arguments& arguments) {
  const Value fallback = arguments.take("default", Value(int64_t{0}));
  const int64_t number_base = integer_of(arguments.take("base", Value(int64_t{10})), "base");
  if (input.is_integer()) {
    return Value(input.integer());
  }
  std::optional<double> real;
  if (input.is(Kind::kFloat)) {
    real = input.number();
  } else if (input.is(Kind::kString)) {
    std::string_view source = python::strip(input.string());
    source.remove_prefix(source.starts_with('+') ? 1 : 0);
    int64_t value = 0;
    const bool valid = number_base >= 2 && number_base <= 36;
    const auto read = std::from_chars(source.data(), source.data() + source.size(), value,
                                      valid ? static_cast<int>(number_base) : 10);
    if (valid && !source.empty() && read.ec == std::errc() && read.ptr == source.data() + source.size()) {
      return Value(value);
    }
    real = parse_real(input.string());
  }
  return real && std::fabs(*real) < 9.2e18 ? Value(static_cast<int64_t>(*real)) : fallback;
}

Value to_float(Interpreter& /*in*/, const Value& input, Arguments& arguments) {
  const Value fallback = arguments.take("default", Value(0.0));
  if (input.is_number()) {
    return Value(input.number());
  }
  const auto real = input.is(Kind::kString) ? parse_real(input.string()) : std::nullopt;
  return real ? Value(*real) : fallback;
}

Value absolute(Interpreter& in, const Value& input, Arguments& /*arguments*/) {
  if (input.is(Kind::kFloat)) {
    return Value(std::fabs(input.number()));
  }
  return integer_of(input, "abs") < 0 ? in.binary(Op::kSubtract, Value(int64_t{0}), input) : Value(input.integer());
}

Value round(Interpreter& in, const Value& input, Arguments& arguments) {
  const int64_t precision =
      std::clamp<int64_t>(integer_of(arguments.take("precision", Value(int64_t{0})), "precision"), -300, 300);
  const std::string method = in.text_of(arguments.take("method", Value("common")));
  if (!input.is_number()) {
    in.fail("round wants a number");
  }
  if (method == "ceil" || method == "floor") {
    const double scale = std::pow(10.0, static_cast<double>(precision));
    return Value((method == "ceil" ? std::ceil(input.number() * scale) : std::floor(input.number() * scale)) / scale);
  }
  if (method != "common") {
    in.fail("round: method must be common, ceil or floor");
  }
  if (input.is_integer() && precision >= 0) {
    return input;
  }
  if (precision < 0) {
    const double scale = std::pow(10.0, static_cast<double>(-precision));
    const double rounded = std::nearbyint(input.number() / scale) * scale;
    return input.is_integer() ? Value(static_cast<int64_t>(rounded)) : Value(rounded);
  }
  return Value(*parse_real(fmt::format("{:.{}f}", input.number(), precision)));
}

Value sum(Interpreter& in, const Value& input, Arguments& arguments) {
  const Value path = arguments.take("attribute", Value::none());
  Value total = arguments.take("start", Value(int64_t{0}));
  for (const Value& item : in.items_of(input)) {
    total = in.binary(Op::kAdd, total, at_path(in, item, path));
  }
  return total;
}

// ---- sequences ----

Value length(Interpreter& in, const Value& input, Arguments& /*arguments*/) {
  switch (input.kind()) {
    case Kind::kUndefined: return Value(int64_t{0});
    case Kind::kString: return Value(static_cast<int64_t>(count_code_points(input.string())));
    case Kind::kList:
    case Kind::kTuple: return Value(static_cast<int64_t>(input.list().size()));
    case Kind::kDict: return Value(static_cast<int64_t>(input.dict().items.size()));
    default: in.fail(fmt::format("object of type '{}' has no length", type_name(input)));
  }
}

Value list(Interpreter& in, const Value& input, Arguments& /*arguments*/) { return in.heap().list(in.items_of(input)); }

Value first(Interpreter& in, const Value& input, Arguments& /*arguments*/) {
  const List items = in.items_of(input);
  return items.empty() ? Value::undefined("there is no first item, the sequence is empty") : items.front();
}

Value last(Interpreter& in, const Value& input, Arguments& /*arguments*/) {
  const List items = in.items_of(input);
  return items.empty() ? Value::undefined("there is no last item, the sequence is empty") : items.back();
}

Value reverse(Interpreter& in, const Value& input, Arguments& /*arguments*/) {
  List items = in.items_of(input);
  std::reverse(items.begin(), items.end());
  if (!input.is(Kind::kString)) {
    return in.heap().list(std::move(items), Kind::kGenerator);
  }
  std::string out;
  for (const Value& item : items) {
    out += item.string();
  }
  return text(in, std::move(out));
}

Value join(Interpreter& in, const Value& input, Arguments& arguments) {
  const std::string by = in.text_of(arguments.take("d", Value("")));
  const Value path = arguments.take("attribute", Value::none());
  std::string out;
  bool begun = false;
  for (const Value& item : in.items_of(input)) {
    in.heap().charge(by.size());
    out += begun ? by : "";
    const size_t before = out.size();
    append_text(at_path(in, item, path), in.heap(), out);
    in.heap().charge(out.size() - before);
    begun = true;
  }
  return text(in, std::move(out));
}

Value dict_items(Interpreter& in, const Value& input, Arguments& arguments) {
  if (input.is(Kind::kUndefined)) {
    return in.heap().list({}, Kind::kGenerator);
  }
  if (!input.is(Kind::kDict)) {
    in.fail("items: can only get item pairs from a mapping");
  }
  return call_method(in, input, "items", arguments);
}

Value fallback(Interpreter& /*in*/, const Value& input, Arguments& arguments) {
  const Value other = arguments.take("default_value", Value(""));
  const bool when_false = arguments.take("boolean", Value(false)).truth();
  return input.is(Kind::kUndefined) || (when_false && !input.truth()) ? other : input;
}

Value attr(Interpreter& in, const Value& input, Arguments& arguments) {
  return in.attribute(input, in.text_of(arguments.required("name")));
}

Arguments rest_of(Arguments& arguments) {
  Arguments out;
  while (arguments.has_more()) {
    out.positional.push_back(arguments.take(""));
  }
  out.named = std::move(arguments.named);
  arguments.named.clear();
  return out;
}

Value map(Interpreter& in, const Value& input, Arguments& arguments) {
  List out;
  if (!arguments.has_more()) {
    const Value path = arguments.required("attribute");
    const Value other = arguments.take("default");
    for (const Value& item : in.items_of(input)) {
      const Value found = at_path(in, item, path);
      out.push_back(found.is(Kind::kUndefined) ? other : found);
    }
    return in.heap().list(std::move(out), Kind::kGenerator);
  }
  const std::string name = in.text_of(arguments.take("filter"));
  const Arguments inner = rest_of(arguments);
  for (const Value& item : in.items_of(input)) {
    out.push_back(in.apply_filter(name, item, inner));
  }
  return in.heap().list(std::move(out), Kind::kGenerator);
}

// select, reject, selectattr, rejectattr: items for which a test holds (or does not), of themselves or of an attribute.
template <bool keep, bool by_attribute>
Value select(Interpreter& in, const Value& input, Arguments& arguments) {
  const Value path = by_attribute ? arguments.required("attribute") : Value::none();
  std::optional<std::string> test;
  if (arguments.has_more()) {
    test = in.text_of(arguments.take("test"));
  }
  const Arguments inner = rest_of(arguments);
  List out;
  for (Value& item : in.items_of(input)) {
    const Value value = at_path(in, item, path);
    if ((test ? in.apply_test(*test, value, inner) : value.truth()) == keep) {
      out.push_back(std::move(item));
    }
  }
  return in.heap().list(std::move(out), Kind::kGenerator);
}

struct Keyed {
  Value key;
  Value item;
};

void sort_keyed(Interpreter& in, std::vector<Keyed>& items, bool reversed) {
  in.heap().step(static_cast<int64_t>(items.size()));
  std::stable_sort(items.begin(), items.end(), [&](const Keyed& a, const Keyed& b) {
    const int order = compare(a.key, b.key, in.heap());
    return reversed ? order > 0 : order < 0;
  });
}

Value sort(Interpreter& in, const Value& input, Arguments& arguments) {
  const bool reversed = arguments.take("reverse", Value(false)).truth();
  const bool case_sensitive = arguments.take("case_sensitive", Value(false)).truth();
  const Value path = arguments.take("attribute", Value::none());
  std::vector<Keyed> items;
  for (const Value& item : in.items_of(input)) {
    items.push_back({fold(in, at_path(in, item, path), case_sensitive), item});
  }
  sort_keyed(in, items, reversed);
  List out;
  for (Keyed& one : items) {
    out.push_back(std::move(one.item));
  }
  return in.heap().list(std::move(out));
}

Value dict_sort(Interpreter& in, const Value& input, Arguments& arguments) {
  const bool case_sensitive = arguments.take("case_sensitive", Value(false)).truth();
  const std::string by = in.text_of(arguments.take("by", Value("key")));
  const bool reversed = arguments.take("reverse", Value(false)).truth();
  if (!input.is(Kind::kDict) || (by != "key" && by != "value")) {
    in.fail("dictsort wants a dict, and by 'key' or 'value'");
  }
  std::vector<Keyed> items;
  for (const auto& [key, value] : input.dict().items) {
    items.push_back({fold(in, by == "key" ? key : value, case_sensitive), in.heap().list({key, value}, Kind::kTuple)});
  }
  sort_keyed(in, items, reversed);
  List out;
  for (Keyed& one : items) {
    out.push_back(std::move(one.item));
  }
  return in.heap().list(std::move(out));
}

template <bool largest>
Value extreme(Interpreter& in, const Value& input, Arguments& arguments) {
  const bool case_sensitive = arguments.take("case_sensitive", Value(false)).truth();
  const Value path = arguments.take("attribute", Value::none());
  std::optional<Keyed> best;
  for (const Value& item : in.items_of(input)) {
    Value key = fold(in, at_path(in, item, path), case_sensitive);
    if (!best || (largest ? compare(key, best->key, in.heap()) > 0 : compare(key, best->key, in.heap()) < 0)) {
      best = {std::move(key), item};
    }
  }
  return best ? best->item : Value::undefined("there is no item, the sequence is empty");
}

Value unique(Interpreter& in, const Value& input, Arguments& arguments) {
  const bool case_sensitive = arguments.take("case_sensitive", Value(false)).truth();
  const Value path = arguments.take("attribute", Value::none());
  List seen;
  List out;
  for (const Value& item : in.items_of(input)) {
    Value key = fold(in, at_path(in, item, path), case_sensitive);
    if (std::none_of(seen.begin(), seen.end(), [&](const Value& old) { return equal(old, key, in.heap()); })) {
      seen.push_back(std::move(key));
      out.push_back(item);
    }
  }
  return in.heap().list(std::move(out), Kind::kGenerator);
}

Value batch(Interpreter& in, const Value& input, Arguments& arguments) {
  const int64_t size = integer_of(arguments.required("linecount"), "linecount");
  const Value fill = arguments.take("fill_with", Value::none());
  constexpr int64_t kMaxBatch = 100'000;
  if (size < 1 || size > kMaxBatch) {
    in.fail("batch: linecount is out of range");
  }
  List out;
  List row;
  for (Value& item : in.items_of(input)) {
    if (static_cast<int64_t>(row.size()) == size) {
      out.push_back(in.heap().list(std::exchange(row, {})));
    }
    row.push_back(std::move(item));
  }
  if (!row.empty()) {
    if (!fill.is(Kind::kNone)) {
      row.resize(static_cast<size_t>(size), fill);
    }
    out.push_back(in.heap().list(std::move(row)));
  }
  return in.heap().list(std::move(out), Kind::kGenerator);
}

constexpr auto kFilters = std::to_array<NamedFilter>({
    {"abs", absolute},
    {"attr", attr},
    {"batch", batch},
    {"count", length},
    {"d", fallback},
    {"default", fallback},
    {"dictsort", dict_sort},
    {"first", first},
    {"float", to_float},
    {"int", to_int},
    {"items", dict_items},
    {"join", join},
    {"last", last},
    {"length", length},
    {"list", list},
    {"map", map},
    {"max", extreme<true>},
    {"min", extreme<false>},
    {"reject", select<false, false>},
    {"rejectattr", select<false, true>},
    {"reverse", reverse},
    {"round", round},
    {"select", select<true, false>},
    {"selectattr", select<true, true>},
    {"sort", sort},
    {"sum", sum},
    {"unique", unique},
});

// Null when there is none of this name.
Filter find_filter(std::string_view name) noexcept {
  for (const std::span<const NamedFilter> table : {std::span<const NamedFilter>(kFilters), text_filters()}) {
    const auto it = std::find_if(table.begin(), table.end(), [&](const NamedFilter& row) { return row.name == name; });
    if (it != table.end()) {
      return it->apply;
    }
  }
  return nullptr;
}

}  // namespace

bool has_filter(std::string_view name) noexcept { return find_filter(name) != nullptr; }

void charge_input(Heap& heap, const Value& input) {
  heap.step();
  if (input.is(Kind::kString)) {
    heap.text(input.string());
  }
}

Value Interpreter::apply_filter(std::string_view name, const Value& input, Arguments arguments) {
  const Filter filter = find_filter(name);
  if (filter == nullptr) {
    fail(fmt::format("no filter named '{}'", name));
  }
  charge_input(heap_, input);
  Value out = filter(*this, input, arguments);
  arguments.done();
  return out;
}

}  // namespace slipway::text::jinja
