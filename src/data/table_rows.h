// Files of columns (Parquet, Arrow) and of web pages as lines of JSON, a row each, so that whatever reads JSON Lines reads them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/pool.h"
#include "data/source_names.h"

namespace slipway::data {

class TableRows {
 public:
  enum class Step : uint8_t { kRow, kBroken, kEnd };

  TableRows() = default;
  virtual ~TableRows() = default;
  TableRows(const TableRows&) = delete;
  TableRows& operator=(const TableRows&) = delete;
  // The next row into `line` (what was there is replaced), without a line feed. kBroken: `line` says what is wrong and how many rows
  // it costs; the next call goes on behind them. Throws nothing but std::bad_alloc and Error(kFailure) for a library that is missing.
  virtual Step next(std::string& line) = 0;
  virtual uint64_t consumed() const noexcept = 0;  // bytes of the file, about
  virtual std::vector<std::string> columns() const = 0;
};

// Rows of `file` when its first bytes say that it is a table, else null. Throws Error(kNotFound | kFailure) when it cannot be opened. A
// table whose footer is broken has one row: that. The rows own the file.
std::unique_ptr<TableRows> open_table(const std::filesystem::path& file);

// The same of web pages and their archives, told by name or first bytes: a page's line is that of extract_page, what cannot be read is
// kBroken. `pool` (may be null) is borrowed and reads the pages of a batch; `names`: what files are called.
std::unique_ptr<TableRows> open_page_rows(const std::filesystem::path& file, base::Pool* pool, const SourceNames& names);

}  // namespace slipway::data
