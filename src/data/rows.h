// What all readers share: a raw row in, a document out, with labels mapped, bad rows counted and progress told.
// Internal.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data/source.h"

namespace slipway::data {

// One raw row as a reader sees it; views live until the call returns.
struct RawRow {
  std::string_view text;
  std::string_view label;  // raw: mapped or binned by the sink
  Json kept = Json::object();
  uint64_t line = 0;
};

// Turns raw rows of one source into documents. One thread.
class RowSink {
 public:
  RowSink(const SourceOptions& options, base::Context& context, const std::function<void(Document&&)>& take,
          SourceCounts& counts, int64_t progress_base);

  // A new file begins; `name` is what messages and meta["at"] call it.
  void begin_file(std::string name);
  // Compressed bytes of the current file read so far.
  void progress(uint64_t consumed);
  // The current file is done, `size` bytes.
  void end_file(uint64_t size);

  void add(RawRow&& row);
  // An unreadable row: counted under `reason`; the first of each is remembered for the message.
  void bad(const char* reason, uint64_t line);
  // True when `limit` documents have been handed on.
  bool full() const noexcept { return options_.limit > 0 && counts_.documents >= options_.limit; }
  // Throws Error(kInvalid) when too large a share of the rows was bad.
  void finish();

  const std::string& file() const noexcept { return file_; }

 private:
  bool label_of(const RawRow& row, std::string& label);

  const SourceOptions& options_;
  base::Context& context_;
  const std::function<void(Document&&)>& take_;
  SourceCounts& counts_;
  int64_t progress_;
  int64_t rows_before_file_ = 0;
  std::string file_;
  std::map<std::string, std::string> first_bad_;  // reason -> "FILE line N"
};

// Readers, one a format: every row of `file` into `sink`, until it is full.
void read_delimited(const SourceOptions& options, bool tsv, const std::filesystem::path& file, RowSink& sink);
void read_jsonl(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink);
void read_text(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink);
void read_html(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink);
void read_table(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink);
void read_archive(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink);
void read_markdown(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink);
void read_conll(const SourceOptions& options, const std::filesystem::path& file, RowSink& sink);
// `address` of a PostgreSQL, or a file; `now` is the time of rows that tell none.
void read_sql(const SourceOptions& options, const std::string& address, const std::string& now, RowSink& sink);

// Where a column is among `names`: by name, else (all digits) by number from 1. Throws Error(kNotFound) naming `what`,
// the file and the columns there are.
size_t find_column(const std::string& column, const std::vector<std::string>& names, const std::string& file,
                   const char* what);

// What a document keeps of where it is from: the digest of its raw bytes (of rows of tables: of their JSON), its time, its licence.
Json provenance(const SourceOptions& options, std::string_view bytes, const std::string& time);
// When a file was last written, as RFC 3339.
std::string time_of_file(const std::filesystem::path& file);

// For text and html: "folder" or "file" of the path, as the label option says.
std::string label_from_path(const SourceOptions& options, const std::filesystem::path& file);

// A row, or a whole file where a file is a row, is at most this long.
inline constexpr size_t kMaxRowBytes = size_t{16} << 20;

}  // namespace slipway::data
