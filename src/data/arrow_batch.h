// A record batch of an Arrow file: its buffers, unpacked where they are packed, as arrays a column. Everything is checked here but what the
// offsets point at. Internal. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "data/arrow_field.h"

namespace slipway::data {

struct ArrowArray {
  uint64_t length = 0;
  std::string_view validity;  // a bit a value; empty: all are there
  std::string_view offsets;   // length + 1, of 4 or 8 bytes
  std::string_view values;
  std::vector<std::string_view> others;  // of views: what is too long for the view itself
  std::vector<ArrowArray> children;
  bool has(uint64_t i) const noexcept { return validity.empty() || (static_cast<unsigned char>(validity[i / 8]) >> (i % 8) & 1) != 0; }
};

class ArrowBatch {
 public:
  // `record` is a RecordBatch, `body` its bytes; both borrowed. Throws BrokenFile. Limits: 2^28 rows; 1 GiB a buffer and 2 GiB a batch when
  // unpacked, and no more than the codecs can make of the bytes there are.
  ArrowBatch(const FlatTable& record, std::string_view body, const std::vector<ArrowField>& fields);
  ArrowBatch(const ArrowBatch&) = delete;
  ArrowBatch& operator=(const ArrowBatch&) = delete;

  uint64_t length() const noexcept { return length_; }
  const ArrowArray& column(size_t i) const noexcept { return columns_[i]; }

 private:
  void fill(const ArrowField& field, ArrowArray& array);
  void fill_values(const ArrowField& field, ArrowArray& array);
  void fill_views(const ArrowField& field, ArrowArray& array);
  std::string_view next_buffer();
  std::string unpack(std::string_view packed, int64_t size);

  const FlatTable& record_;
  const std::string_view body_;
  uint64_t length_ = 0;
  int codec_ = -1;  // 0 LZ4 frame, 1 Zstandard
  uint64_t node_ = 0;
  uint64_t buffer_ = 0;
  uint64_t view_ = 0;
  uint64_t unpacked_bytes_ = 0;
  std::deque<std::string> unpacked_;
  std::vector<ArrowArray> columns_;
};

}  // namespace slipway::data
