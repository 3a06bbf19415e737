// Rows of a file as versions of datasets know them: lines of JSON Lines and of texts, records of CSV and TSV, plain or compressed
// (told by the bytes), rows of Parquet. One row in memory. One thread.
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

enum class RowFormat { kNone, kJsonl, kCsv, kTsv, kText, kParquet };

// By the name's extension, one of .gz and .zst taken off: jsonl, ndjson; csv; tsv; txt, text; parquet. kNone: its rows are not known.
RowFormat row_format(std::string_view name);
// What messages say they are.
inline constexpr const char* kRowFormats = ".jsonl, .csv, .tsv, .txt, also .gz and .zst; .parquet";

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
  // that never closes, kIntegrity for damaged compression and broken Parquet.
  bool next();
  uint64_t line() const noexcept;      // 1-based, on which the row begins; of Parquet the row's number
  uint64_t consumed() const noexcept;  // bytes of the file
  // As it stands in the file, without its end; CSV is quoted anew, where that is needed; of Parquet its line of JSON. Valid until next().
  std::string_view text();
  // What RowFileWriter takes for a file of the same format (and of Parquet, schema): text(), of Parquet the values as they are. Valid
  // until the next call of this or next().
  std::string_view record();
  // Of Parquet, what tells apart files whose records cannot be each other's; else empty.
  const std::string& schema() const;
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
  // `like`: of Parquet, a file whose schema it has (else not looked at).
  RowFileWriter(const std::filesystem::path& place, const std::string& name, const std::filesystem::path& like = {});
  ~RowFileWriter();
  RowFileWriter(const RowFileWriter&) = delete;
  RowFileWriter& operator=(const RowFileWriter&) = delete;
  void write(std::string_view line);  // without its end; of Parquet a record
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A record of CSV (or TSV: tabs and line ends become spaces) without its end.
std::string delimited_line(const std::vector<std::string>& fields, RowFormat format);

}  // namespace slipway::data
