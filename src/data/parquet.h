// Parquet files as rows of JSON, one line each: what pyarrow's to_pylist has, lists as arrays, structs and maps as objects and arrays of
// {"key", "value"}; dates and times as ISO 8601 text, decimals as text, bytes that are no UTF-8 as base64, NaN as null. Reads all
// encodings of Parquet 2, pages of both versions, codecs none, snappy, gzip, brotli, lz4, zstd. Not encrypted files, not levels of before
// Parquet 1.0. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/parquet_meta.h"
#include "data/parquet_page.h"
#include "data/table_rows.h"

namespace slipway::data {

class ParquetRows final : public TableRows {
 public:
  // `file` is the whole file, borrowed. Throws BrokenFile when its footer cannot be read.
  explicit ParquetRows(std::string_view file);
  ~ParquetRows() override;
  Step next(std::string& line) override;
  uint64_t consumed() const noexcept override { return consumed_; }
  std::vector<std::string> columns() const override;

 private:
  void write_value(const ParquetNode& node, std::string& out);
  void write_present(const ParquetNode& node, std::string& out);
  void write_array(const ParquetNode& repeated, bool unwrap, std::string& out);
  void write_leaf(const ParquetColumn& column, std::string& out) const;
  void pass(const ParquetNode& node);
  bool open_group();

  const std::string_view file_;
  ParquetMeta meta_;
  std::vector<std::unique_ptr<ParquetColumn>> columns_;
  size_t group_ = 0;    // the next to be opened
  uint64_t rows_ = 0;   // left in the open one
  uint64_t consumed_ = 0;
};

}  // namespace slipway::data
