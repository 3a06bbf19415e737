#include "data/json_rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"

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

}  // namespace

JsonRows::JsonRows(const SourceOptions& options, RowSink& sink)
    : options_(options), sink_(sink), text_key_(options.text.empty() ? "text" : options.text),
      label_key_(options.label_column.empty() ? options.label : options.label_column) {}

// Keys that no row has are a configuration error, not bad rows.
void JsonRows::finish() const {
  const bool missing_label = !label_key_.empty() && !saw_label_;
  if (rows_ == 0 || (saw_text_ && !missing_label)) {
    return;
  }
  throw Error(Code::kNotFound,
              fmt::format("'{}': none of the first {} rows has the key '{}' for the {}; the first has: {}", sink_.file(), rows_,
                          saw_text_ ? label_key_ : text_key_, saw_text_ ? "label" : "text", fmt::join(first_keys_, ", ")));
}

void JsonRows::add(std::string_view line, uint64_t number, Json kept) {
  if (line.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return;
  }
  base::JsonLimits limits;
  limits.max_depth = 64;
  Json json;
  try {
    json = base::parse_json(line, sink_.file(), limits);
  } catch (const Error&) {
    if (number == 1 && line.starts_with('[')) {
      throw Error(Code::kInvalid, fmt::format("'{}' line 1: a JSON array; one object a line is wanted", sink_.file()));
    }
    sink_.bad("bad_json", number);
    return;
  }
  if (!json.is_object()) {
    sink_.bad("not_an_object", number);
    return;
  }
  if (rows_++ == 0) {
    for (const auto& [key, value] : json.items()) {
      first_keys_.push_back(key.substr(0, 64));
    }
  }
  const Json* text_value = find_key(json, text_key_);
  const Json* label_value = label_key_.empty() ? nullptr : find_key(json, label_key_);
  saw_text_ = saw_text_ || text_value != nullptr;
  saw_label_ = saw_label_ || label_value != nullptr;
  if (rows_ == 1000) {
    finish();
  }
  const std::optional<std::string> text = text_value != nullptr ? text_of(*text_value) : std::nullopt;
  if (!text) {
    sink_.bad(text_value == nullptr ? "missing_text" : "text_is_not_a_scalar", number);
    return;
  }
  const std::string label = label_value != nullptr ? text_of(*label_value).value_or("") : "";
  RawRow row{*text, label, std::move(kept), number};
  for (const std::string& key : options_.keep) {
    if (const Json* value = find_key(json, key)) {
      row.kept[key] = *value;
    }
  }
  sink_.add(std::move(row));
}

}  // namespace slipway::data
