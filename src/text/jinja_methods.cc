// Methods of strings, dicts and lists: Python's, as far as they only read. Those that change a value are known, so that
// the message says why they fail: values are constant in a chat template (Jinja's immutable sandbox).
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>

#include "text/jinja_eval.h"
#include "text/python_text.h"
#include "text/unicode.h"

namespace slipway::text::jinja {
namespace {

using Method = Value (*)(Interpreter&, const Value& self, Arguments&);
struct NamedMethod {
  std::string_view name;
  Method call;
};

std::string string_of(Interpreter& in, const Value& value, std::string_view what) {
  if (!value.is(Kind::kString)) {
    in.fail(fmt::format("{} must be a string, not '{}'", what, type_name(value)));
  }
  return value.string();
}

std::optional<std::string> optional_string(Interpreter& in, Arguments& arguments, std::string_view name) {
  const Value value = arguments.take(name, Value::none());
  return value.is(Kind::kNone) ? std::nullopt : std::optional(string_of(in, value, name));
}

template <python::Side side>
Value strip(Interpreter& in, const Value& self, Arguments& arguments) {
  const auto chars = optional_string(in, arguments, "chars");
  return in.heap().string(std::string(python::strip(self.string(), side, chars)));
}

List strings(Interpreter& in, const std::vector<std::string_view>& parts) {
  List out;
  for (const std::string_view part : parts) {
    out.push_back(in.heap().string(std::string(part)));
  }
  return out;
}

template <bool from_right>
Value split(Interpreter& in, const Value& self, Arguments& arguments) {
  const auto separator = optional_string(in, arguments, "sep");
  const int64_t max = integer_of(arguments.take("maxsplit", Value(int64_t{-1})), "maxsplit");
  if (separator && separator->empty()) {
    in.fail("an empty separator");
  }
  in.heap().charge(self.string().size() * sizeof(std::string_view));
  return in.heap().list(strings(in, python::split(self.string(), separator, max, from_right)));
}

Value split_lines(Interpreter& in, const Value& self, Arguments& arguments) {
  const bool keep_ends = arguments.take("keepends", Value(false)).truth();
  in.heap().charge(self.string().size() * sizeof(std::string_view));
  std::vector<std::string_view> lines = python::split_lines(self.string());
  if (keep_ends) {  // each line reaches to where the next begins
    for (size_t i = 0; i < lines.size(); ++i) {
      const char* const end = i + 1 < lines.size() ? lines[i + 1].data() : self.string().data() + self.string().size();
      lines[i] = {lines[i].data(), static_cast<size_t>(end - lines[i].data())};
    }
  }
  return in.heap().list(strings(in, lines));
}

template <bool at_start>
Value has_affix(Interpreter& in, const Value& self, Arguments& arguments) {
  const Value affix = arguments.required("prefix");
  const auto matches = [&](const Value& one) {
    const std::string text = string_of(in, one, "a prefix or suffix");
    return at_start ? self.string().starts_with(text) : self.string().ends_with(text);
  };
  if (affix.is(Kind::kTuple)) {
    return Value(std::any_of(affix.list().begin(), affix.list().end(), matches));
  }
  return Value(matches(affix));
}

template <bool at_start>
Value remove_affix(Interpreter& in, const Value& self, Arguments& arguments) {
  const std::string affix = string_of(in, arguments.required("prefix"), "a prefix or suffix");
  const std::string& text = self.string();
  if (affix.empty() || !(at_start ? text.starts_with(affix) : text.ends_with(affix))) {
    return self;
  }
  return in.heap().string(at_start ? text.substr(affix.size()) : text.substr(0, text.size() - affix.size()));
}

Value replace(Interpreter& in, const Value& self, Arguments& arguments) {
  const std::string from = string_of(in, arguments.required("old"), "replace");
  const std::string to = string_of(in, arguments.required("new"), "replace");
  const int64_t count = integer_of(arguments.take("count", Value(int64_t{-1})), "count");
  in.heap().charge((self.string().size() / std::max<size_t>(1, from.size()) + 1) * to.size());
  return in.heap().string(python::replace(self.string(), from, to, count));
}

template <std::string (*change)(std::string_view)>
Value changed(Interpreter& in, const Value& self, Arguments& /*arguments*/) {
  return in.heap().string(change(self.string()));
}

// Where a text is, in code points, or -1.
template <bool from_right, bool must>
Value find_text(Interpreter& in, const Value& self, Arguments& arguments) {
  const std::string what = string_of(in, arguments.required("sub"), "find");
  const size_t at = from_right ? self.string().rfind(what) : self.string().find(what);
  if (at == std::string::npos) {
    if (must) {
      in.fail("substring not found");
    }
    return Value(int64_t{-1});
  }
  return Value(static_cast<int64_t>(count_code_points(std::string_view(self.string()).substr(0, at))));
}

Value count_text(Interpreter& in, const Value& self, Arguments& arguments) {
  const std::string what = string_of(in, arguments.required("sub"), "count");
  if (what.empty()) {
    return Value(static_cast<int64_t>(count_code_points(self.string())) + 1);
  }
  int64_t count = 0;
  for (size_t at = 0; (at = self.string().find(what, at)) != std::string::npos; at += what.size()) {
    ++count;
  }
  return Value(count);
}

Value join(Interpreter& in, const Value& self, Arguments& arguments) {
  std::string out;
  bool first = true;
  for (const Value& item : in.items_of(arguments.required("iterable"))) {
    in.heap().charge(self.string().size());
    out += first ? "" : self.string();
    out += string_of(in, item, "an item of join");
    in.heap().text(item.string());
    first = false;
  }
  return in.heap().string(std::move(out));
}

template <bool from_right>
Value partition(Interpreter& in, const Value& self, Arguments& arguments) {
  const std::string separator = string_of(in, arguments.required("sep"), "partition");
  const std::string& text = self.string();
  const size_t at = from_right ? text.rfind(separator) : text.find(separator);
  if (at == std::string::npos) {
    const Value nothing{""};
    return in.heap().list(from_right ? List{nothing, nothing, self} : List{self, nothing, nothing}, Kind::kTuple);
  }
  return in.heap().list(
      {in.heap().string(text.substr(0, at)), Value(separator), in.heap().string(text.substr(at + separator.size()))},
      Kind::kTuple);
}

template <bool (*is)(char32_t)>
Value all_characters(Interpreter& /*in*/, const Value& self, Arguments& /*arguments*/) {
  const std::string& text = self.string();
  for (size_t at = 0; at < text.size();) {
    const Decoded d = decode_at(text, at);
    if (!is(d.code)) {
      return Value(false);
    }
    at += d.size;
  }
  return Value(!text.empty());
}

bool is_letter_or_number(char32_t c) { return is_letter(c) || is_number(c); }
bool is_alpha(char32_t c) { return is_letter(c); }
bool is_decimal(char32_t c) { return is_digit(c); }
bool is_numeric(char32_t c) { return is_number(c); }
bool is_blank(char32_t c) { return python::is_space(c); }

template <bool (*is)(std::string_view)>
Value text_is(Interpreter& /*in*/, const Value& self, Arguments& /*arguments*/) {
  return Value(is(self.string()));
}

// Padded to a width: where the text stands in it.
enum class Place { kLeft, kRight, kCentre };
template <Place place>
Value pad(Interpreter& in, const Value& self, Arguments& arguments) {
  const int64_t width = std::min<int64_t>(integer_of(arguments.required("width"), "width"), 1 << 20);
  const std::string fill = string_of(in, arguments.take("fillchar", Value(" ")), "fillchar");
  const auto size = static_cast<int64_t>(count_code_points(self.string()));
  const int64_t missing = std::max<int64_t>(0, width - size);
  const int64_t before = place == Place::kLeft    ? 0
                         : place == Place::kRight ? missing
                                                  : missing / 2 + (missing & width & 1);
  std::string out;
  for (int64_t i = 0; i < missing; ++i) {
    if (i == before) {
      out += self.string();
    }
    out += fill;
  }
  return in.heap().string(before < missing ? out : out + self.string());
}

Value zero_fill(Interpreter& in, const Value& self, Arguments& arguments) {
  const int64_t width = std::min<int64_t>(integer_of(arguments.required("width"), "width"), 1 << 20);
  const std::string& text = self.string();
  const auto missing = static_cast<size_t>(std::max<int64_t>(0, width - static_cast<int64_t>(count_code_points(text))));
  const size_t sign = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  return in.heap().string(text.substr(0, sign) + std::string(missing, '0') + text.substr(sign));
}

// str.format with {}, {0} and {name}, without format specifications.
Value format(Interpreter& in, const Value& self, Arguments& arguments) {
  const std::string& text = self.string();
  std::string out;
  size_t next = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool doubled = at + 1 < text.size() && text[at + 1] == text[at];
    if (text[at] != '{' && text[at] != '}') {
      out += text[at];
      continue;
    }
    if (doubled) {
      out += text[at++];
      continue;
    }
    const size_t end = text.find('}', at);
    if (text[at] == '}' || end == std::string::npos) {
      in.fail("format: a single brace");
    }
    const std::string field = text.substr(at + 1, end - at - 1);
    at = end;
    const bool is_index = !field.empty() && field.size() < 4 &&
                          std::all_of(field.begin(), field.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (field.empty() || is_index) {
      const size_t index = is_index ? static_cast<size_t>(std::stoi(field)) : next++;
      if (index >= arguments.positional.size()) {
        in.fail("format: an argument is missing");
      }
      out += in.text_of(arguments.positional[index]);
    } else {
      const auto it = std::find_if(arguments.named.begin(), arguments.named.end(),
                                   [&](const auto& named) { return *named.first == field; });
      if (it == arguments.named.end()) {
        in.fail(fmt::format("format: '{{{}}}' is not supported or not given", field));
      }
      out += in.text_of(it->second);
    }
    in.heap().charge(out.size() / 8);
  }
  arguments = {};
  return in.heap().string(std::move(out));
}

Value dict_get(Interpreter& in, const Value& self, Arguments& arguments) {
  const Value key = arguments.required("key");
  const Value fallback = arguments.take("default", Value::none());
  const Value* found = find(self.dict(), key, in.heap());
  return found != nullptr ? *found : fallback;
}

Value dict_items(Interpreter& in, const Value& self, Arguments& /*arguments*/) {
  List out;
  for (const auto& [key, value] : self.dict().items) {
    out.push_back(in.heap().list({key, value}, Kind::kTuple));
  }
  return in.heap().list(std::move(out));
}

Value dict_keys(Interpreter& in, const Value& self, Arguments& /*arguments*/) {
  return in.heap().list(in.items_of(self));
}

Value dict_values(Interpreter& in, const Value& self, Arguments& /*arguments*/) {
  List out;
  for (const auto& [key, value] : self.dict().items) {
    out.push_back(value);
  }
  return in.heap().list(std::move(out));
}

Value copy(Interpreter& /*in*/, const Value& self, Arguments& /*arguments*/) { return self; }  // values are constant

Value list_index(Interpreter& in, const Value& self, Arguments& arguments) {
  const Value what = arguments.required("value");
  for (size_t i = 0; i < self.list().size(); ++i) {
    if (equal(self.list()[i], what, in.heap())) {
      return Value(static_cast<int64_t>(i));
    }
  }
  in.fail("the value is not in the list");
}

Value list_count(Interpreter& in, const Value& self, Arguments& arguments) {
  const Value what = arguments.required("value");
  return Value(static_cast<int64_t>(std::count_if(self.list().begin(), self.list().end(),
                                                  [&](const Value& item) { return equal(item, what, in.heap()); })));
}

Value forbidden(Interpreter& in, const Value& self, Arguments& /*arguments*/) {
  in.fail(fmt::format("a '{}' cannot be changed in a chat template; make a new one (list + [x], dict(d, k=v))",
                      type_name(self)));
}

using python::Side;
constexpr std::array<NamedMethod, 37> kStringMethods = {{{"strip", strip<Side::kBoth>},
                                                         {"lstrip", strip<Side::kLeft>},
                                                         {"rstrip", strip<Side::kRight>},
                                                         {"split", split<false>},
                                                         {"rsplit", split<true>},
                                                         {"splitlines", split_lines},
                                                         {"startswith", has_affix<true>},
                                                         {"endswith", has_affix<false>},
                                                         {"removeprefix", remove_affix<true>},
                                                         {"removesuffix", remove_affix<false>},
                                                         {"replace", replace},
                                                         {"upper", changed<python::upper>},
                                                         {"lower", changed<python::lower>},
                                                         {"title", changed<python::title>},
                                                         {"capitalize", changed<python::capitalize>},
                                                         {"casefold", changed<text::casefold>},
                                                         {"find", find_text<false, false>},
                                                         {"rfind", find_text<true, false>},
                                                         {"index", find_text<false, true>},
                                                         {"rindex", find_text<true, true>},
                                                         {"count", count_text},
                                                         {"join", join},
                                                         {"partition", partition<false>},
                                                         {"rpartition", partition<true>},
                                                         {"isdigit", all_characters<is_decimal>},
                                                         {"isdecimal", all_characters<is_decimal>},
                                                         {"isnumeric", all_characters<is_numeric>},
                                                         {"isalpha", all_characters<is_alpha>},
                                                         {"isalnum", all_characters<is_letter_or_number>},
                                                         {"isspace", all_characters<is_blank>},
                                                         {"isupper", text_is<python::is_upper>},
                                                         {"islower", text_is<python::is_lower>},
                                                         {"ljust", pad<Place::kLeft>},
                                                         {"rjust", pad<Place::kRight>},
                                                         {"center", pad<Place::kCentre>},
                                                         {"zfill", zero_fill},
                                                         {"format", format}}};
constexpr std::array<NamedMethod, 10> kDictMethods = {{{"get", dict_get},
                                                       {"items", dict_items},
                                                       {"keys", dict_keys},
                                                       {"values", dict_values},
                                                       {"copy", copy},
                                                       {"update", forbidden},
                                                       {"pop", forbidden},
                                                       {"popitem", forbidden},
                                                       {"setdefault", forbidden},
                                                       {"clear", forbidden}}};
constexpr std::array<NamedMethod, 11> kListMethods = {{{"index", list_index},
                                                       {"count", list_count},
                                                       {"copy", copy},
                                                       {"append", forbidden},
                                                       {"extend", forbidden},
                                                       {"insert", forbidden},
                                                       {"pop", forbidden},
                                                       {"remove", forbidden},
                                                       {"clear", forbidden},
                                                       {"sort", forbidden},
                                                       {"reverse", forbidden}}};

template <class Table>
Method find_in(const Table& table, std::string_view name) noexcept {
  const auto it = std::find_if(table.begin(), table.end(), [&](const NamedMethod& m) { return m.name == name; });
  return it == table.end() ? nullptr : it->call;
}

Method find_method(const Value& value, std::string_view name) noexcept {
  switch (value.kind()) {
    case Kind::kString: return find_in(kStringMethods, name);
    case Kind::kDict: return find_in(kDictMethods, name);
    case Kind::kList:
    case Kind::kTuple: return find_in(kListMethods, name);
    default: return nullptr;
  }
}

}  // namespace

bool has_method(const Value& value, std::string_view name) noexcept { return find_method(value, name) != nullptr; }

Value call_method(Interpreter& interpreter, const Value& self, std::string_view name, Arguments& arguments) {
  if (self.is(Kind::kString)) {
    interpreter.heap().text(self.string());
  }
  Value out = find_method(self, name)(interpreter, self, arguments);
  arguments.done();
  return out;
}

}  // namespace slipway::text::jinja
