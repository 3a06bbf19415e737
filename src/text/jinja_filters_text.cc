// Filters of texts. `safe` leaves a text as it is: transformers renders without autoescape.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>

#include "text/jinja_filters.h"
#include "text/python_text.h"
#include "text/unicode.h"

namespace slipway::text::jinja {
namespace {

std::optional<std::string> optional_text(Interpreter& in, Arguments& arguments, std::string_view name) {
  const Value value = arguments.take(name, Value::none());
  return value.is(Kind::kNone) ? std::nullopt : std::optional(in.text_of(value));
}

template <std::string (*change)(std::string_view)>
Value changed(Interpreter& in, const Value& input, Arguments& /*arguments*/) {
  return text(in, change(in.text_of(input)));
}

Value trim(Interpreter& in, const Value& input, Arguments& arguments) {
  const auto chars = optional_text(in, arguments, "chars");
  return text(in, std::string(python::strip(in.text_of(input), python::Side::kBoth, chars)));
}

// Jinja's own rule: words begin behind white space and opening brackets and hyphens.
Value title(Interpreter& in, const Value& input, Arguments& /*arguments*/) {
  const std::string source = in.text_of(input);
  std::string out;
  bool begins = true;
  for (size_t at = 0; at < source.size();) {
    const Decoded d = decode_at(source, at);
    const std::string_view one = std::string_view(source).substr(at, d.size);
    const bool separator =
        python::is_space(d.code) || std::u32string_view(U"-({[<").find(d.code) != std::u32string_view::npos;
    out += separator ? std::string(one) : begins ? python::upper(one) : python::lower(one);
    begins = separator;
    at += d.size;
  }
  return text(in, std::move(out));
}

Value string(Interpreter& in, const Value& input, Arguments& /*arguments*/) {
  return input.is(Kind::kString) ? input : text(in, in.text_of(input));
}

Value replace(Interpreter& in, const Value& input, Arguments& arguments) {
  const std::string source = in.text_of(input);
  const std::string from = in.text_of(arguments.required("old"));
  const std::string to = in.text_of(arguments.required("new"));
  const Value count = arguments.take("count", Value::none());
  in.heap().charge((source.size() / std::max<size_t>(1, from.size()) + 1) * to.size());
  return text(in, python::replace(source, from, to, count.is(Kind::kNone) ? -1 : integer_of(count, "count")));
}

Value escape(Interpreter& in, const Value& input, Arguments& /*arguments*/) {
  std::string out;
  for (const char c : in.text_of(input)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '\'': out += "&#39;"; break;
      case '"': out += "&#34;"; break;
      default: out += c;
    }
  }
  return text(in, std::move(out));
}

Value indent(Interpreter& in, const Value& input, Arguments& arguments) {
  const Value width = arguments.take("width", Value(int64_t{4}));
  const bool first = arguments.take("first", Value(false)).truth();
  const bool blank = arguments.take("blank", Value(false)).truth();
  constexpr int64_t kMaxWidth = 1000;
  const std::string by =
      width.is(Kind::kString)
          ? width.string()
          : std::string(static_cast<size_t>(std::clamp<int64_t>(integer_of(width, "width"), 0, kMaxWidth)), ' ');
  if (!input.is(Kind::kString)) {
    in.fail("indent wants a text");
  }
  const std::string source = input.string() + "\n";
  std::string out = first ? by : "";
  bool begun = false;
  for (const std::string_view line : python::split_lines(source)) {
    in.heap().charge(by.size());
    out += begun ? "\n" : "";
    out += begun && (blank || !line.empty()) ? by : "";
    out += line;
    begun = true;
  }
  return text(in, std::move(out));
}

Value truncate(Interpreter& in, const Value& input, Arguments& arguments) {
  const std::string source = in.text_of(input);
  const int64_t length = integer_of(arguments.take("length", Value(int64_t{255})), "length");
  const bool kill_words = arguments.take("killwords", Value(false)).truth();
  const std::string end = in.text_of(arguments.take("end", Value("...")));
  const Value leeway_value = arguments.take("leeway", Value::none());
  const int64_t leeway = leeway_value.is(Kind::kNone) ? 5 : integer_of(leeway_value, "leeway");
  const auto end_size = static_cast<int64_t>(count_code_points(end));
  if (length < end_size || leeway < 0) {
    in.fail("truncate: length or leeway is too small");
  }
  const auto size = static_cast<int64_t>(count_code_points(source));
  if (size <= length || size - length <= leeway) {
    return text(in, source);
  }
  std::string kept = python::slice(source, 0, length - end_size, 1);
  if (!kill_words) {
    kept = kept.substr(0, kept.rfind(' '));
  }
  return text(in, kept + end);
}

Value center(Interpreter& in, const Value& input, Arguments& arguments) {
  const Value width = arguments.take("width", Value(int64_t{80}));
  Arguments inner;
  inner.positional.push_back(width);
  return call_method(in, Value(in.text_of(input)), "center", inner);
}

Value word_count(Interpreter& in, const Value& input, Arguments& /*arguments*/) {
  const std::string source = in.text_of(input);
  int64_t count = 0;
  bool inside = false;
  for (size_t at = 0; at < source.size();) {
    const Decoded d = decode_at(source, at);
    const bool word = is_letter(d.code) || is_number(d.code) || d.code == U'_';
    count += word && !inside ? 1 : 0;
    inside = word;
    at += d.size;
  }
  return Value(count);
}

Value format(Interpreter& in, const Value& input, Arguments& arguments) {
  List positional;
  while (arguments.has_more()) {
    positional.push_back(arguments.take(""));
  }
  if (arguments.named.empty()) {
    return text(in, in.format_percent(in.text_of(input), in.heap().list(std::move(positional), Kind::kTuple)));
  }
  const Value named = in.heap().dict({});
  for (auto& [name, value] : arguments.named) {
    assign(named.dict(), Value(*name), value, in.heap());
  }
  arguments.named.clear();
  return text(in, in.format_percent(in.text_of(input), named));
}

Value to_json(Interpreter& in, const Value& input, Arguments& arguments) {
  JsonStyle style;
  style.ensure_ascii = arguments.take("ensure_ascii", Value(false)).truth();
  const Value indent_value = arguments.take("indent", Value::none());
  const Value separators = arguments.take("separators", Value::none());
  style.sort_keys = arguments.take("sort_keys", Value(false)).truth();
  if (!indent_value.is(Kind::kNone)) {
    constexpr int64_t kMaxIndent = 100;
    style.has_indent = true;
    style.item_separator = ",";
    style.indent =
        indent_value.is(Kind::kString)
            ? indent_value.string()
            : std::string(static_cast<size_t>(std::clamp<int64_t>(integer_of(indent_value, "indent"), 0, kMaxIndent)),
                          ' ');
  }
  if (!separators.is(Kind::kNone)) {
    const List both = in.items_of(separators);
    if (both.size() != 2) {
      in.fail("tojson: separators are two texts");
    }
    style.item_separator = in.text_of(both[0]);
    style.key_separator = in.text_of(both[1]);
  }
  std::string out;
  append_json(input, style, in.heap(), out);
  return text(in, std::move(out));
}

constexpr auto kTextFilters = std::to_array<NamedFilter>({
    {"capitalize", changed<python::capitalize>},
    {"center", center},
    {"e", escape},
    {"escape", escape},
    {"forceescape", escape},
    {"format", format},
    {"indent", indent},
    {"lower", changed<python::lower>},
    {"replace", replace},
    {"safe", string},
    {"string", string},
    {"title", title},
    {"tojson", to_json},
    {"trim", trim},
    {"truncate", truncate},
    {"upper", changed<python::upper>},
    {"wordcount", word_count},
});

}  // namespace

std::span<const NamedFilter> text_filters() noexcept { return kTextFilters; }

}  // namespace slipway::text::jinja
