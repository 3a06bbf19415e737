// Rows of a file as versions of datasets know them: lines of JSON Lines and of texts, records of CSV and TSV, plain or compressed
// (told by the bytes). One row in memory. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace slipway::data {

using base::Json;

enum class RowFormat { kNone, kJsonl, kCsv, kTsv, kText };

// By the name's extension, one of .gz and .zst taken off: jsonl, ndjson; csv; tsv; txt, text. kNone: its rows are not known.
RowFormat row_format(std::string_view name);

// The longest row, and a row's deepest nesting.
inline constexpr size_t kMaxRowFileRow = size_t{64} << 20;
inline constexpr int kMaxRowDepth = 128;

class RowFileReader {
 public:
  // `place`: where the bytes are; `name` tells the format and is used in messages.
  RowFileReader(const std::filesystem::path& place, const std::string& name);
  ~RowFileReader();
  RowFileReader(const RowFileReader&) = delete;
  RowFileReader& operator=(const RowFileReader&) = delete;

  RowFormat format() const noexcept;
  // Of CSV and TSV, the names of the first record; else empty. Two of one name: the later is "name_2".
  const std::vector<std::string>& columns() const noexcept;
  // The next row, empty lines skipped; false at the end. Throws Error(kInvalid) naming file and line for a row above the limit or a quote
  // that never closes, kIntegrity for damaged compression.
  bool next();
  uint64_t line() const noexcept;      // 1-based, on which the row begins
  uint64_t consumed() const noexcept;  // bytes of the file
  // As it stands in the file, without its end; CSV is quoted anew, where that is needed. Valid until next().
  std::string_view text();
  // CSV, TSV: the values; else the line alone.
  const std::vector<std::string_view>& fields() const noexcept;
  // An object: of CSV, column to text, by place ("column_3") past the names; of a text, {"text": line}. Null: the line is no JSON object.
  Json json() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Writes rows to a file, compressed as its name says (.zst, .gz); the same rows give the same bytes. Nothing is visible before finish().
class RowFileWriter {
 public:
  RowFileWriter(const std::filesystem::path& place, const std::string& name);
  ~RowFileWriter();
  RowFileWriter(const RowFileWriter&) = delete;
  RowFileWriter& operator=(const RowFileWriter&) = delete;
  void write(std::string_view line);  // without its end
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A record of CSV (or TSV: tabs and line ends become spaces) without its end.
std::string delimited_line(const std::vector<std::string>& fields, RowFormat format);

}  // namespace slipway::data
