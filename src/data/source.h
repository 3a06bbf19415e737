// Raw text in: CSV, TSV, JSON lines, Parquet, Arrow, text, Markdown, CoNLL, SQLite, PostgreSQL, web pages and archives of them become documents, by
// configuration alone.
// Files may be zstd or gzip compressed (told by their bytes). Everything streams: memory is one row and one buffer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/fields.h"
#include "data/document.h"

namespace slipway::data {

// A label from a number: the first bin with min <= value <= max wins; a value in no bin is dropped and counted.
struct LabelBin {
  double min = -1e300;
  double max = 1e300;
  std::string label;
};

// One entry of `data: sources:`. Columns are names from the header (or from `columns`), or 1-based numbers; in JSON
// lines they are keys, "a.b" reaching into objects.
struct SourceOptions {
  std::string id;           // letters, digits, . _ -
  std::string type;         // csv, tsv, jsonl, text, markdown, sqlite, postgres, html, parquet, arrow, archive, conll; empty: told by the extension
  std::filesystem::path local;  // where `path` lies, when it was brought here from elsewhere; no part of the configuration
  std::string path;         // postgres://…, sqlite://…, a file, a folder (searched deeply) or a glob (*, ?), relative to the project
  std::string text;         // column of the text; default: the column called "text"
  std::string label;        // column of the label; for text, markdown, html and conll: "folder" or "file" (its name); empty: none
  std::string label_value;  // one label for every row
  std::map<std::string, std::string> label_map;  // raw value -> label; other values are dropped and counted; "" drops
  std::string label_column;                      // label_from.column: a number, turned into a label by the bins
  std::vector<LabelBin> label_bins;              // label_from.bins
  std::vector<std::string> keep;                 // further columns kept in `meta`
  std::vector<std::string> columns;              // names for a file without a header
  std::optional<bool> has_header;    // unset: false when `columns` is given or `text` is a number, else true (CSV, TSV)
  std::string delimiter;             // one byte; default: "," (csv), tab (tsv)
  std::optional<std::string> quote;  // one byte or "" for none; default: '"' (csv), none (tsv)
  std::string table;                 // databases: a table, or
  std::string query;                 // one SELECT
  std::string key;                   // a column whose values are unique: rows come in its order, page by page (PostgreSQL: needed)
  std::string cursor;                // a column that only grows: orders before the key; where it is a date, it is the rows' time
  std::string unit = "file";         // text: one document a "file" or a "line"
  std::string invalid_utf8 = "replace";  // "replace" (U+FFFD, counted), "drop" (the row, counted) or "error"
  std::string split;                     // pins every row: "train", "validation" or "test"; empty: decided by the split
  double max_bad = 0.1;                  // a larger share of unreadable rows is an error: the file is not what we think
  int64_t max_row_bytes = int64_t{16} << 20;  // a longer line of JSON or text is bad ("line_too_long"); the rest is read
  int64_t limit = 0;                     // at most this many documents; 0 = all
  std::string licence;                   // SPDX expression or free text, carried into the dataset's manifest

  void describe(base::FieldTable& fields);  // the simple fields
};

// Throws Error(kInvalid) naming `where` for an unknown key (with the nearest known one), a wrong type, or fields that
// do not go together.
SourceOptions parse_source_options(const Json& object, const std::string& where);
// Every field that differs from its default; parse_source_options reads it back.
Json to_json(const SourceOptions& options);

struct BadRow {
  std::string at;  // "FILE:LINE", as meta["at"]
  std::string reason;
};

// What became of the rows of one source. dropped + bad: reason -> rows.
struct SourceCounts {
  int64_t rows = 0;                        // seen
  int64_t documents = 0;                   // handed on
  int64_t repaired = 0;                    // documents with invalid UTF-8 replaced
  int64_t bytes = 0;                       // of text handed on
  std::map<std::string, int64_t> dropped;  // by intent: "neutral_label", "unmapped_label", "invalid_utf8"
  std::map<std::string, int64_t> bad;      // unreadable: "bad_json", "field_count", "missing_key", "not_a_number", …
  std::vector<BadRow> bad_rows;  // the first 10,000 of them
  std::map<std::string, int64_t> labels;
  std::map<std::string, int64_t> files;  // rows of each file, by the name that meta["at"] uses
};
Json to_json(const SourceCounts& counts);

// Is the file one that a source may hold, by its name?
bool is_source_file(const std::filesystem::path& file);

// The raw files of a source in the order they are read (sorted by path). Throws Error(kNotFound) when there are none,
// saying what was looked for. A database that is a server has none.
std::vector<std::filesystem::path> source_files(const SourceOptions& options, const std::filesystem::path& root);

// What messages, documents and manifests call a file of a source: its path relative to the project when it lies inside, else its name; of
// what was brought from elsewhere its address there.
std::string shown_name(const SourceOptions& options, const std::filesystem::path& file, const std::filesystem::path& root);

// Calls `take` for each document in file and row order, from the calling thread. meta["at"] is "FILE:LINE" (row number
// for SQLite). Throws Error: kNotFound (file, column: naming those there are), kInvalid (unclosed quote, a row of CSV above
// 16 MiB, not a database, too many bad rows: with file and line), kIntegrity (damaged compression), kInterrupted. Calls
// context.progress.update with compressed bytes read in this source plus `progress_base`.
void read_source(const SourceOptions& options, const std::filesystem::path& root, base::Context& context,
                 const std::function<void(Document&&)>& take, SourceCounts& counts, int64_t progress_base = 0);

}  // namespace slipway::data
