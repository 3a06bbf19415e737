// JSON lines, text files and web pages.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/input.h"
#include "data/rows.h"
#include "text/html.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

// "a.b": the key itself, else the member b of the object a. Null counts as absent.
const Json* find_key(const Json& row, std::string_view key) {
  if (!row.is_object()) {
    return nullptr;
  }
  if (const auto found = row.find(key); found != row.end()) {
    return found->is_null() ? nullptr : &*found;
  }
  const size_t dot = key.find('.');
  if (dot == std::string_view::npos) {
    return nullptr;
  }
  const auto outer = row.find(key.substr(0, dot));
  return outer == row.end() ? nullptr : find_key(*outer, key.substr(dot + 1));
}

// The text of a scalar; nothing for objects and arrays.
std::optional<std::string> text_of(const Json& value) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (value.is_number() || value.is_boolean()) {
    return value.dump();
  }
  return std::nullopt;
}

// Notices keys that no row has: a configuration error, not bad rows.
struct SeenKeys {
  const SourceOptions& options;
  std::string text_key;
  std::string label_key;
  bool text = false;
  bool label = false;
  std::vector<std::string> first_keys;
  uint64_t rows = 0;

  void check(const std::string& file) const {
    const bool missing_label = !label_key.empty() && !label;
    if (rows == 0 || (text && !missing_label)) {
      return;
    }
    throw Error(Code::kNotFound,
                fmt::format("'{}': none of the first {} rows has the key '{}' for the {}; the first has: {}", file,
                            rows, text ? label_key : text_key, text ? "label" : "text", fmt::join(first_keys, ", ")));
  }
};

}  // namespace

void read_jsonl(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink) {
  base::LineReader reader(file, kMaxRowBytes);
  SeenKeys seen{options,
                options.text.empty() ? "text" : options.text,
                options.label_column.empty() ? options.label : options.label_column,
                false,
                false,
                {},
                0};
  base::JsonLimits limits;
  limits.max_depth = 64;
  std::string_view line;
  std::string label;
  for (uint64_t n = 1; !sink.full() && reader.next(line); ++n) {
    if (n == 1 && line.starts_with("\xEF\xBB\xBF")) {
      line.remove_prefix(3);
    }
    if (n % 1024 == 0) {
      sink.progress(reader.consumed());
    }
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
      continue;
    }
    Json json;
    try {
      json = base::parse_json(line, sink.file(), limits);
    } catch (const Error&) {
      if (n == 1 && line.starts_with('[')) {
        throw Error(Code::kInvalid, fmt::format("'{}' line 1: a JSON array; one object a line is wanted", sink.file()));
      }
      sink.bad("bad_json", reader.line_number());
      continue;
    }
    if (!json.is_object()) {
      sink.bad("not_an_object", reader.line_number());
      continue;
    }
    if (seen.rows++ == 0) {
      for (const auto& [key, value] : json.items()) {
        seen.first_keys.push_back(key.substr(0, 64));
      }
    }
    const Json* text_value = find_key(json, seen.text_key);
    const Json* label_value = seen.label_key.empty() ? nullptr : find_key(json, seen.label_key);
    seen.text = seen.text || text_value != nullptr;
    seen.label = seen.label || label_value != nullptr;
    if (seen.rows == 1000) {
      seen.check(sink.file());
    }
    const std::optional<std::string> text = text_value != nullptr ? text_of(*text_value) : std::nullopt;
    if (!text) {
      sink.bad(text_value == nullptr ? "missing_text" : "text_is_not_a_scalar", reader.line_number());
      continue;
    }
    label = label_value != nullptr ? text_of(*label_value).value_or("") : "";
    RawRow row{*text, label, Json::object(), reader.line_number()};
    for (const std::string& key : options.keep) {
      if (const Json* value = find_key(json, key)) {
        row.kept[key] = *value;
      }
    }
    sink.add(std::move(row));
  }
  seen.check(sink.file());
}

void read_text(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink) {
  const std::string label = label_from_path(options, file);
  if (options.unit == "file") {
    const std::string bytes = base::read_decompressed(file, kMaxRowBytes);
    std::string_view text = bytes;
    if (text.starts_with("\xEF\xBB\xBF")) {
      text.remove_prefix(3);
    }
    sink.add({text, label, Json::object(), 1});
    return;
  }
  base::LineReader reader(file, kMaxRowBytes);
  std::string_view line;
  for (uint64_t n = 1; !sink.full() && reader.next(line); ++n) {
    if (n == 1 && line.starts_with("\xEF\xBB\xBF")) {
      line.remove_prefix(3);
    }
    if (n % 1024 == 0) {
      sink.progress(reader.consumed());
    }
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
      sink.add({line, label, Json::object(), reader.line_number()});
    }
  }
}

void read_html(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink) {
  const std::string bytes = base::read_decompressed(file, kMaxRowBytes);
  text::HtmlText page;
  try {
    page = text::html_to_text(bytes);
  } catch (const Error&) {
    sink.bad("bad_html", 1);
    return;
  }
  RawRow row{page.text, {}, Json::object(), 1};
  const std::string label = label_from_path(options, file);
  row.label = label;
  if (!page.title.empty()) {
    row.kept["title"] = page.title;
  }
  sink.add(std::move(row));
}

}  // namespace slipway::data
