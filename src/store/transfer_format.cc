#include "store/transfer_format.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "store/schema.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::Json;

constexpr const char* kFormat = "slipway.export/1";
constexpr size_t kMaxManifest = size_t{4} << 20;
constexpr size_t kMaxName = 100;
constexpr std::string_view kLocal[] = {"migrations", "file_stamps", "chunks", "chunk_sources"};

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = base::utf8_length(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

bool is_table_name(std::string_view name) noexcept {
  return !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

}  // namespace

std::vector<Table> exported_tables(int version) {
  // Asked of a database of that version, whatever keeps the rows.
  const base::TempDir dir;
  Database database(dir.path() / "schema.db", true, 1000);
  for (int i = 0; i < version; ++i) {
    database.exec(migrations()[static_cast<size_t>(i)]);
  }
  std::vector<Table> tables;
  Statement names = database.prepare_once("SELECT name, sql LIKE '%AUTOINCREMENT%' FROM sqlite_master WHERE type = 'table' ORDER BY name");
  while (names.step()) {
    Table table;
    table.name = names.text(0);
    table.once = names.integer(1) != 0;
    if (table.name.starts_with("sqlite_") || std::find(std::begin(kLocal), std::end(kLocal), table.name) != std::end(kLocal)) {
      continue;
    }
    std::map<int64_t, std::string> key;
    Statement columns = database.prepare_once("SELECT name, upper(type), pk FROM pragma_table_info(?) ORDER BY cid");
    columns.bind(table.name);
    while (columns.step()) {
      table.columns.push_back({columns.text(0), columns.text(1)});
      if (columns.integer(2) > 0) {
        key[columns.integer(2)] = columns.text(0);
      }
    }
    for (const auto& [place, name] : key) {
      table.key.push_back(name);
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

std::string manifest_text(const Manifest& manifest) {
  Json tables = Json::object();
  for (const auto& [name, entry] : manifest.tables) {
    tables[name] = {{"rows", entry.rows}, {"digest", entry.digest}};
  }
  return base::dump_json_pretty({{"format", kFormat},
                                 {"schema", manifest.schema},
                                 {"created_ms", manifest.created_ms},
                                 {"tables", tables},
                                 {"sequences", manifest.sequences},
                                 {"blobs", {{"count", manifest.blobs}, {"bytes", manifest.bytes}}}});
}

Manifest parse_manifest(std::string_view text, const std::string& source) {
  const Json json = base::parse_json(text, source, {kMaxManifest, 8});
  if (base::get<std::string>(json, "format", source) != kFormat) {
    throw Error(Code::kInvalid, fmt::format("'{}' is not an export of the form {}: a newer Slipway may have written it",
                                            source, kFormat));
  }
  Manifest manifest;
  manifest.schema = base::get<int>(json, "schema", source);
  manifest.created_ms = base::get<int64_t>(json, "created_ms", source);
  const int newest = static_cast<int>(migrations().size());
  if (manifest.schema < 2 || manifest.schema > newest) {
    throw Error(Code::kInvalid, fmt::format("'{}' has the tables of format version {}; this Slipway reads 2 to {}: upgrade it",
                                            source, manifest.schema, newest));
  }
  const Json tables = base::get<Json>(json, "tables", source);
  for (auto it = tables.begin(); it != tables.end(); ++it) {
    TableEntry entry{base::get<int64_t>(it.value(), "rows", source), base::get<std::string>(it.value(), "digest", source)};
    if (!is_table_name(it.key()) || !base::is_digest(entry.digest) || entry.rows < 0) {
      throw Error(Code::kInvalid, fmt::format("'{}': the table '{}' is told wrongly", source, it.key()));
    }
    manifest.tables.emplace(it.key(), std::move(entry));
  }
  manifest.sequences = base::get<std::map<std::string, int64_t>>(json, "sequences", source);
  const Json blobs = base::get<Json>(json, "blobs", source);
  manifest.blobs = base::get<int64_t>(blobs, "count", source);
  manifest.bytes = base::get<uint64_t>(blobs, "bytes", source);
  return manifest;
}

std::string row_text(const Statement& row, const Table& table) {
  Json cells = Json::array();
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const int column = static_cast<int>(i);
    const std::string& type = table.columns[i].type;
    if (row.is_null(column)) {
      cells.push_back(nullptr);
    } else if (type == "INTEGER") {
      cells.push_back(row.integer(column));
    } else if (type == "REAL") {
      const double value = row.real(column);
      cells.push_back(std::isfinite(value) ? Json(value) : Json(value > 0 ? "Infinity" : "-Infinity"));
    } else {
      std::string text = row.text(column);
      if (type == "BLOB" || !is_utf8(text)) {
        cells.push_back({{"base64", base::base64_encode(text)}});
      } else {
        cells.push_back(std::move(text));
      }
    }
  }
  return cells.dump();
}

std::vector<Value> parse_row(std::string_view line, const Table& table, const std::string& source) {
  const Json json = base::parse_json(line, source, {size_t{64} << 20, 4});
  if (!json.is_array() || json.size() != table.columns.size()) {
    throw Error(Code::kInvalid, fmt::format("{}: a row of '{}' is a list of {} values", source, table.name, table.columns.size()));
  }
  std::vector<Value> cells;
  cells.reserve(json.size());
  for (size_t i = 0; i < json.size(); ++i) {
    const Json& value = json[i];
    const std::string& type = table.columns[i].type;
    const bool text_like = type != "INTEGER" && type != "REAL";
    if (value.is_null()) {
      cells.emplace_back(std::monostate());
    } else if (type == "INTEGER" && value.is_number_integer()) {
      cells.emplace_back(value.get<int64_t>());
    } else if (type == "REAL" && value.is_number()) {
      cells.emplace_back(value.get<double>());
    } else if (type == "REAL" && (value == "Infinity" || value == "-Infinity")) {
      cells.emplace_back(value == "Infinity" ? HUGE_VAL : -HUGE_VAL);
    } else if (text_like && value.is_string()) {
      cells.emplace_back(value.get<std::string>());
    } else if (const auto bytes = text_like && value.is_object() && value.contains("base64") && value["base64"].is_string()
                                      ? base::base64_decode(value["base64"].get<std::string>())
                                      : std::nullopt) {
      cells.emplace_back(*bytes);
    } else {
      throw Error(Code::kInvalid, fmt::format("{}: '{}' of '{}' is not a value of type {}", source, table.columns[i].name,
                                              table.name, type));
    }
  }
  return cells;
}

std::string table_file(const std::string& table) { return fmt::format("tables/{}.jsonl", table); }
std::string blob_file(const std::string& digest) { return fmt::format("blobs/{}/{}", digest.substr(7, 2), digest.substr(7)); }

bool is_export_name(std::string_view name) noexcept {
  if (name == kManifestName) {
    return true;
  }
  constexpr std::string_view kTables = "tables/";
  constexpr std::string_view kEnd = ".jsonl";
  constexpr std::string_view kBlobs = "blobs/";
  if (name.size() > kMaxName) {
    return false;
  }
  if (name.starts_with(kTables) && name.ends_with(kEnd)) {
    return is_table_name(name.substr(kTables.size(), name.size() - kTables.size() - kEnd.size()));
  }
  return name.starts_with(kBlobs) && name.size() == 73 && name[8] == '/' && name.substr(6, 2) == name.substr(9, 2) &&
         name.substr(9).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace slipway::store
