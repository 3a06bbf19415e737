#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/libpq.h"
#include "base/suggest.h"
#include "data/keys.h"
#include "data/source.h"
#include "data/sql_database.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

const std::vector<std::string> kTypes = {"csv", "tsv", "jsonl", "text", "markdown", "sqlite", "postgres", "html", "parquet", "arrow", "archive", "conll"};

[[noreturn]] void invalid(const std::string& where, const std::string& what) {
  throw Error(Code::kInvalid, fmt::format("{}: {}", where, what));
}

void check_choice(const std::string& value, const char* key, const std::vector<std::string>& choices,
                  const std::string& where) {
  if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
    invalid(where, fmt::format("'{}' is '{}'{}", key, value, base::suggestion(value, choices)));
  }
}

bool is_name(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-' || c >= 0x80;
  });
}

void parse_bins(const Json& value, const std::string& where, SourceOptions& options) {
  check_keys(value, {"column", "bins"}, where);
  if (!value.is_object() || !value.contains("column") || !value.contains("bins") || !value["bins"].is_array() ||
      value["bins"].empty()) {
    invalid(where, "needs 'column' (a number's column) and 'bins' (a list of {min, max, label})");
  }
  options.label_column = scalar_text(value["column"], where, "column");
  for (const Json& item : value["bins"]) {
    const std::string place = fmt::format("{}.bins[{}]", where, options.label_bins.size());
    check_keys(item, {"min", "max", "label"}, place);
    LabelBin bin;
    bin.min = base::get_or<double>(item, "min", bin.min, place);
    bin.max = base::get_or<double>(item, "max", bin.max, place);
    if (!item.is_object() || !item.contains("label")) {
      invalid(place, "needs 'label'");
    }
    bin.label = scalar_text(item["label"], place, "label");
    if (!(bin.min <= bin.max)) {
      invalid(place, fmt::format("'min' {} is above 'max' {}", bin.min, bin.max));
    }
    options.label_bins.push_back(std::move(bin));
  }
}

void parse_map(const Json& value, const std::string& where, SourceOptions& options) {
  if (!value.is_object() || value.empty()) {
    invalid(where, "must map raw values to labels, e.g. {\"0\": negative, \"1\": positive}");
  }
  for (const auto& [key, label] : value.items()) {
    options.label_map[key] = label.is_null() ? "" : scalar_text(label, where, key);
  }
}

// One byte, or a name for one that is awkward to write.
void check_byte(const std::string& value, const char* key, const std::string& where) {
  if (value.size() != 1 || value == "\n" || value == "\r") {
    invalid(where, fmt::format("'{}' must be one byte, not '{}'", key, value));
  }
}

void check_database(const SourceOptions& o, const std::string& where) {
  if (o.key.empty() && !o.cursor.empty()) {
    invalid(where, "'cursor' needs 'key': a column whose values are unique");
  }
  if (o.type != "postgres") {
    return;
  }
  if (!base::is_postgres_url(o.path)) {
    invalid(where, "'path' of a PostgreSQL is its address: postgres://USER@HOST:PORT/DATABASE");
  }
  if (!base::postgres_part(o.path, "password").empty()) {  // it would be kept with every run
    invalid(where, "a password does not belong here: give it in PGPASSWORD or a password file (~/.pgpass)");
  }
  if (o.key.empty()) {
    invalid(where, "a PostgreSQL needs 'key': a column whose values are unique, for its rows have no order of their own");
  }
}

void check_together(const SourceOptions& o, const std::string& where) {
  if (!is_name(o.id)) {
    invalid(where, "'id' is needed: letters, digits, '.', '_' or '-'");
  }
  if (o.path.empty()) {
    invalid(where, "'path' is needed: a file, a folder or a pattern");
  }
  if (!o.type.empty()) {
    check_choice(o.type, "type", kTypes, where);
  }
  if (!o.split.empty()) {
    check_choice(o.split, "split", {"train", "validation", "test"}, where);
  }
  const int labels = static_cast<int>(!o.label.empty()) + static_cast<int>(!o.label_value.empty()) +
                     static_cast<int>(!o.label_column.empty());
  if (labels > 1) {
    invalid(where, "only one of 'label', 'label_value' and 'label_from' can say the label");
  }
  if (!o.label_map.empty() && o.label.empty()) {
    invalid(where, "'label_map' needs 'label': the column whose values it maps");
  }
  if (!o.table.empty() && !o.query.empty()) {
    invalid(where, "'table' and 'query' exclude each other");
  }
  check_database(o, where);
  if (!o.delimiter.empty()) {
    check_byte(o.delimiter, "delimiter", where);
  }
  if (o.quote && !o.quote->empty()) {
    check_byte(*o.quote, "quote", where);
    if (*o.quote == o.delimiter) {
      invalid(where, "'quote' and 'delimiter' are the same");
    }
  }
  if ((o.type == "text" || o.type == "markdown" || o.type == "html" || o.type == "conll") && !o.label.empty()) {
    check_choice(o.label, "label", {"folder", "file"}, where);
  }
}

}  // namespace

void SourceOptions::describe(base::FieldTable& fields) {
  fields.add("id", id, "name of the source; every document remembers it");
  fields.add("type", type, "csv, tsv, jsonl, text, markdown, sqlite, postgres, html, parquet, arrow, archive or conll; told by the file's extension when absent");
  fields.add("path", path, "file, folder or pattern (*, ?, **), relative to the project; or postgres://USER@HOST/DATABASE");
  fields.add("text", text, "column of the text: a name, or a number from 1");
  fields.add("label", label, "column of the label; for text and html: folder or file");
  fields.add("label_value", label_value, "one label for every row");
  fields.add("keep", keep, "further columns to keep with each document");
  fields.add("columns", columns, "column names of a file without a header");
  fields.add("delimiter", delimiter, "one byte between fields");
  fields.add("table", table, "a table of the database");
  fields.add("query", query, "of the database: one SELECT");
  fields.add("key", key, "a column whose values are unique, by which a database is read page by page");
  fields.add("cursor", cursor, "a column that only grows; orders before the key, and is the rows' time");
  fields.add("unit", unit, "text files: one document a file or a line", {"file", "line"});
  fields.add("invalid_utf8", invalid_utf8, "what to do with invalid UTF-8", {"replace", "drop", "error"});
  fields.add("split", split, "pins every row to train, validation or test");
  fields.add("max_bad", max_bad, "largest share of unreadable rows", {0, 1});
  fields.add("max_row_bytes", max_row_bytes, "longer lines of JSON or text are bad rows; the rest is read", {1, 1 << 30});
  fields.add("limit", limit, "at most this many documents; 0 = all", {0, 1e15});
  fields.add("licence", licence, "licence of the text, carried into the dataset");
}

SourceOptions parse_source_options(const Json& object, const std::string& where) {
  if (!object.is_object()) {
    invalid(where, "must be a mapping of names to values");
  }
  check_keys(object, {"id",         "type", "path",         "text",       "label",     "label_value", "label_map",
                      "label_from", "keep", "columns",      "has_header", "delimiter", "quote",       "table",
                      "query",      "key",  "cursor",       "unit", "invalid_utf8", "split",      "max_bad",   "limit", "max_row_bytes",       "licence"},
             where);
  SourceOptions options;
  Json simple = Json::object();
  for (const auto& [key, value] : object.items()) {
    if (key == "label_from") {
      parse_bins(value, where + ".label_from", options);
    } else if (key == "label_map") {
      parse_map(value, where + ".label_map", options);
    } else if (key == "has_header") {
      options.has_header = base::get<bool>(object, key, where);
    } else if (key == "quote") {
      options.quote = value.is_null() ? "" : scalar_text(value, where, key);
    } else if (key == "text" || key == "label" || key == "label_value") {
      simple[key] = scalar_text(value, where, key);
    } else if (key == "keep" && value.is_array()) {
      for (const Json& column : value) {
        simple[key].push_back(scalar_text(column, where, key));
      }
    } else {
      simple[key] = value;
    }
  }
  base::FieldTable table;
  options.describe(table);
  table.apply(simple, where);
  if (options.type.empty() && is_sql_address(options.path)) {
    options.type = base::is_postgres_url(options.path) ? "postgres" : "sqlite";
  }
  options.path = sqlite_path(options.path);
  check_together(options, where);
  return options;
}

Json to_json(const SourceOptions& options) {
  SourceOptions copy = options;
  SourceOptions standard;
  base::FieldTable table;
  base::FieldTable defaults;
  copy.describe(table);
  standard.describe(defaults);
  if (copy.type == "postgres") {
    copy.path = base::postgres_name(copy.path);  // a variable may have brought a password
  }
  Json json = without_defaults(table.to_json(), defaults.to_json());
  if (!options.label_map.empty()) {
    json["label_map"] = options.label_map;
  }
  if (!options.label_column.empty()) {
    Json bins = Json::array();
    for (const LabelBin& bin : options.label_bins) {
      Json item = Json::object();
      if (bin.min > -1e300) {
        item["min"] = bin.min;
      }
      if (bin.max < 1e300) {
        item["max"] = bin.max;
      }
      item["label"] = bin.label;
      bins.push_back(std::move(item));
    }
    json["label_from"] = {{"column", options.label_column}, {"bins", std::move(bins)}};
  }
  if (options.has_header) {
    json["has_header"] = *options.has_header;
  }
  if (options.quote) {
    json["quote"] = *options.quote;
  }
  return json;
}

Json to_json(const SourceCounts& counts) {
  return {{"rows", counts.rows},    {"documents", counts.documents}, {"repaired", counts.repaired},
          {"bytes", counts.bytes},  {"dropped", counts.dropped},     {"bad", counts.bad},
          {"labels", counts.labels}};
}

}  // namespace slipway::data
