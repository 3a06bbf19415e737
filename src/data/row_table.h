// All files with rows of a version as one table: one row behind the other, its values by column. One row in memory. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/context.h"
#include "data/cell.h"
#include "data/row_diff.h"

namespace slipway::data {

class RowTable {
 public:
  // Borrows both. `doing` is said when it is interrupted: "profiling". Throws Error(kInvalid) when no file has rows.
  RowTable(const VersionFiles& files, base::Context& context, std::string doing);
  RowTable(const RowTable&) = delete;
  RowTable& operator=(const RowTable&) = delete;

  // The next row; lines that are no JSON objects are counted and passed over. Throws Error: kInvalid (a row above the limits, more than
  // 10,000 columns), kIntegrity, kInterrupted.
  bool next();
  // Values with the index of their column, each column at most once; missing ones may be left out. Valid until next().
  const std::vector<std::pair<size_t, Cell>>& cells() const noexcept { return cells_; }
  uint64_t number() const noexcept { return rows_ - 1; }  // of the row, from 0
  std::string at() const;                                 // "FILE:LINE"
  std::string_view text() { return reader_->text(); }     // as it stands in the file
  uint64_t rows() const noexcept { return rows_; }        // so far
  uint64_t broken() const noexcept { return broken_; }
  // Names in order of appearance; grows.
  const std::vector<std::string>& columns() const noexcept { return columns_; }

 private:
  size_t column(const std::string& name);
  bool open_next();

  const VersionFiles& files_;
  base::Context& context_;
  std::string doing_;
  size_t file_ = 0;  // the next to be opened
  std::unique_ptr<RowFileReader> reader_;
  std::vector<size_t> header_;  // columns of a delimited file
  Json row_;
  std::vector<std::pair<size_t, Cell>> cells_;
  std::vector<std::string> columns_;
  std::unordered_map<std::string, size_t> index_;
  uint64_t rows_ = 0;
  uint64_t broken_ = 0;
  uint64_t looked_ = 0;
};

}  // namespace slipway::data
