// One column of one row group of a Parquet file, read page by page: levels and values. Views of texts live until the next page is
// read. Throws BrokenFile. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/parquet_meta.h"

namespace slipway::data {

inline constexpr size_t kMaxParquetPage = size_t{256} << 20;  // unpacked

// Values of a page or a dictionary; which of the three is used is the type's.
struct ParquetValues {
  std::vector<int64_t> integers;       // booleans, INT32, INT64
  std::vector<double> reals;
  std::vector<std::string_view> bytes;  // BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY, INT96
  void clear();
};

class ParquetColumn {
 public:
  // `node` is a leaf; both are borrowed, and the file.
  ParquetColumn(std::string_view file, const ParquetNode& node, const ParquetChunk& chunk);

  // The current entry; there is none (done()) behind the last.
  bool done() const noexcept { return done_; }
  int definition() const noexcept { return levels_definition_.empty() ? node_.definition : levels_definition_[at_]; }
  int repeat() const noexcept { return levels_repeat_.empty() ? 0 : levels_repeat_[at_]; }
  bool has_value() const noexcept { return definition() == node_.definition; }
  int64_t integer() const { return values_.integers[value_]; }
  double real() const { return values_.reals[value_]; }
  std::string_view bytes() const { return values_.bytes[value_]; }
  const ParquetNode& node() const noexcept { return node_; }
  void next();

 private:
  struct Header;
  Header read_header(size_t& size) const;
  void read_page();
  void read_dictionary(const Header& header, std::string_view packed);
  void read_values(int encoding, std::string_view data, size_t count);
  size_t read_levels(std::string_view data, int max, size_t entries, std::vector<uint8_t>& levels) const;
  void unpack(std::string_view packed, size_t size, std::string& out) const;

  const std::string_view file_;
  const ParquetNode& node_;
  const ParquetChunk& chunk_;
  uint64_t byte_ = 0;      // of the chunk
  uint64_t left_ = 0;      // entries on pages that were not read
  size_t entries_ = 0;     // on the page
  size_t at_ = 0;
  size_t value_ = 0;
  bool done_ = false;
  bool has_dictionary_ = false;
  std::string page_;
  std::string dictionary_page_;
  std::string joined_;     // texts that share beginnings
  ParquetValues values_, dictionary_;
  std::vector<uint8_t> levels_definition_, levels_repeat_;
};

}  // namespace slipway::data
