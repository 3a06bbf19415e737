// The encodings of Parquet's pages. Pure; throws BrokenFile; nothing is read beyond `data`, nothing made beyond `count`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/parquet_page.h"

namespace slipway::data {

// The hybrid of runs and bit packing: `count` numbers of `width` bits (0..32). Returns the bytes it took.
size_t decode_runs(std::string_view data, int width, size_t count, std::vector<uint32_t>& out);
// DELTA_BINARY_PACKED: at most `max_count` numbers. Returns the bytes it took.
size_t decode_deltas(std::string_view data, size_t max_count, std::vector<int64_t>& out);
// DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY, whose texts are put together in `joined`.
void decode_delta_lengths(std::string_view data, size_t count, std::vector<std::string_view>& out);
void decode_delta_bytes(std::string_view data, size_t count, std::string& joined, std::vector<std::string_view>& out);
void decode_plain(std::string_view data, const ParquetNode& node, size_t count, ParquetValues& out);
// BYTE_STREAM_SPLIT: the bytes as PLAIN has them.
std::string join_streams(std::string_view data, size_t width, size_t count);
// Bytes of a value of fixed size, 0 for texts and booleans.
size_t plain_width(const ParquetNode& node) noexcept;

}  // namespace slipway::data
