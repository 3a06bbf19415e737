#include "data/parquet_decode.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>

namespace slipway::data {
namespace {

[[noreturn]] void too_short() { throw BrokenFile("a page that is shorter than its values"); }

template <class T>
T little_endian(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));  // the machines that this runs on are little-endian, as the format is
  return value;
}

uint64_t varint(std::string_view data, size_t& at) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (at == data.size()) {
      too_short();
    }
    const auto b = static_cast<uint8_t>(data[at++]);
    value |= static_cast<uint64_t>(b & 127U) << shift;
    if (b < 128) {
      return value;
    }
  }
  throw BrokenFile("a number of more than 64 bits on a page");
}

int64_t zigzag(uint64_t value) { return static_cast<int64_t>((value >> 1U) ^ (~(value & 1U) + 1)); }

// Number `index` of those packed with `width` bits each; its bytes are there.
uint64_t packed(std::string_view data, size_t index, unsigned width) {
  const size_t bit = index * width;
  uint64_t value = 0;
  const size_t first = bit / 8;
  const unsigned shift = bit % 8;
  std::array<unsigned char, 16> bytes{};
  std::memcpy(bytes.data(), data.data() + first, std::min<size_t>(9, data.size() - first));
  value = little_endian<uint64_t>(reinterpret_cast<const char*>(bytes.data())) >> shift;  // NOLINT: bytes as bytes
  if (shift > 0 && shift + width > 64) {
    value |= static_cast<uint64_t>(bytes[8]) << (64 - shift);
  }
  return width == 64 ? value : value & ((uint64_t{1} << width) - 1);
}

// Views of texts of these lengths, one behind the other.
void cut(std::string_view data, const std::vector<int64_t>& lengths, std::vector<std::string_view>& out) {
  for (const int64_t length : lengths) {
    if (length < 0 || static_cast<uint64_t>(length) > data.size()) {
      too_short();
    }
    out.push_back(data.substr(0, static_cast<size_t>(length)));
    data.remove_prefix(static_cast<size_t>(length));
  }
}

template <class From, class To>
void plain_numbers(std::string_view data, size_t count, std::vector<To>& out) {
  if (data.size() / sizeof(From) < count) {
    too_short();
  }
  out.resize(count);
  for (size_t i = 0; i < count; ++i) {
    out[i] = static_cast<To>(little_endian<From>(data.data() + i * sizeof(From)));
  }
}

}  // namespace

size_t decode_runs(std::string_view data, int width, size_t count, std::vector<uint32_t>& out) {
  out.clear();
  if (width < 0 || width > 32) {
    throw BrokenFile(fmt::format("numbers of {} bits", width));
  }
  out.reserve(count);
  size_t at = 0;
  const auto bits = static_cast<unsigned>(width);
  const size_t bytes = (bits + 7) / 8;
  while (out.size() < count) {
    const uint64_t head = varint(data, at);
    if ((head & 1U) == 0) {
      const uint64_t n = std::min<uint64_t>(head >> 1U, count - out.size());
      if (n == 0 || data.size() - at < bytes) {
        too_short();
      }
      uint32_t value = 0;
      std::memcpy(&value, data.data() + at, bytes);
      at += bytes;
      out.resize(out.size() + n, value);
    } else {
      const uint64_t groups = head >> 1U;
      if (groups == 0 || groups > (uint64_t{1} << 32U)) {
        too_short();
      }
      // The last group may be cut where its numbers end.
      const size_t wanted = std::min<uint64_t>(groups * 8, count - out.size());
      const size_t there = std::min<uint64_t>(groups * bits, data.size() - at);
      if (there * 8 < wanted * bits) {
        too_short();
      }
      const std::string_view run = data.substr(at, there);
      for (size_t i = 0; i < wanted; ++i) {
        out.push_back(bits == 0 ? 0 : static_cast<uint32_t>(packed(run, i, bits)));
      }
      at += there;
    }
  }
  return at;
}

size_t decode_deltas(std::string_view data, size_t max_count, std::vector<int64_t>& out) {
  out.clear();
  size_t at = 0;
  const uint64_t block = varint(data, at);
  const uint64_t miniblocks = varint(data, at);
  const uint64_t count = varint(data, at);
  auto value = static_cast<uint64_t>(zigzag(varint(data, at)));
  if (block == 0 || block > (1U << 20U) || miniblocks == 0 || miniblocks > block || block % miniblocks != 0) {
    throw BrokenFile("a block of differences that cannot be");
  }
  if (count > max_count) {
    throw BrokenFile(fmt::format("{} differences on a page of {} values", count, max_count));
  }
  const uint64_t in_miniblock = block / miniblocks;
  out.reserve(count);
  if (count > 0) {
    out.push_back(static_cast<int64_t>(value));
  }
  while (out.size() < count) {
    const auto least = static_cast<uint64_t>(zigzag(varint(data, at)));
    if (data.size() - at < miniblocks) {
      too_short();
    }
    const std::string_view widths = data.substr(at, miniblocks);
    at += miniblocks;
    for (size_t m = 0; m < miniblocks && out.size() < count; ++m) {
      const auto width = static_cast<uint8_t>(widths[m]);
      const size_t wanted = std::min<uint64_t>(in_miniblock, count - out.size());
      const size_t there = std::min<uint64_t>((in_miniblock * width + 7) / 8, data.size() - at);
      if (width > 64 || there * 8 < wanted * width) {
        too_short();
      }
      const std::string_view run = data.substr(at, there);
      for (size_t i = 0; i < wanted; ++i) {
        value += least + (width == 0 ? 0 : packed(run, i, width));
        out.push_back(static_cast<int64_t>(value));
      }
      at += there;
    }
  }
  return at;
}

void decode_delta_lengths(std::string_view data, size_t count, std::vector<std::string_view>& out) {
  std::vector<int64_t> lengths;
  const size_t at = decode_deltas(data, count, lengths);
  cut(data.substr(at), lengths, out);
}

void decode_delta_bytes(std::string_view data, size_t count, std::string& joined, std::vector<std::string_view>& out) {
  std::vector<int64_t> shared;
  const size_t at = decode_deltas(data, count, shared);
  std::vector<std::string_view> rest;
  decode_delta_lengths(data.substr(at), count, rest);
  if (rest.size() != shared.size()) {
    throw BrokenFile("texts and what they share are not as many");
  }
  joined.clear();
  std::vector<std::pair<size_t, size_t>> places;
  size_t last = 0;
  size_t last_size = 0;
  for (size_t i = 0; i < rest.size(); ++i) {
    if (shared[i] < 0 || static_cast<uint64_t>(shared[i]) > last_size) {
      throw BrokenFile("a text shares more than the one before has");
    }
    const size_t begin = joined.size();
    if (begin + static_cast<size_t>(shared[i]) + rest[i].size() > kMaxParquetPage) {
      throw BrokenFile(fmt::format("texts of more than {} bytes on a page", kMaxParquetPage));
    }
    joined.append(joined, last, static_cast<size_t>(shared[i]));
    joined.append(rest[i]);
    last = begin;
    last_size = joined.size() - begin;
    places.emplace_back(begin, last_size);
  }
  for (const auto& [begin, size] : places) {
    out.push_back(std::string_view(joined).substr(begin, size));
  }
}

size_t plain_width(const ParquetNode& node) noexcept {
  switch (node.type) {
    case ParquetType::kInt32:
    case ParquetType::kFloat: return 4;
    case ParquetType::kInt64:
    case ParquetType::kDouble: return 8;
    case ParquetType::kInt96: return 12;
    case ParquetType::kFixedBytes: return static_cast<size_t>(node.length);
    default: return 0;
  }
}

std::string join_streams(std::string_view data, size_t width, size_t count) {
  if (width == 0 || data.size() / width < count) {
    too_short();
  }
  std::string out(width * count, '\0');
  for (size_t i = 0; i < count; ++i) {
    for (size_t b = 0; b < width; ++b) {
      out[i * width + b] = data[b * count + i];
    }
  }
  return out;
}

void decode_plain(std::string_view data, const ParquetNode& node, size_t count, ParquetValues& out) {
  switch (node.type) {
    case ParquetType::kBoolean:
      if (data.size() < (count + 7) / 8) {
        too_short();
      }
      for (size_t i = 0; i < count; ++i) {
        out.integers.push_back(static_cast<unsigned char>(data[i / 8]) >> (i % 8) & 1);
      }
      return;
    case ParquetType::kInt32: plain_numbers<int32_t>(data, count, out.integers); return;
    case ParquetType::kInt64: plain_numbers<int64_t>(data, count, out.integers); return;
    case ParquetType::kFloat: plain_numbers<float>(data, count, out.reals); return;
    case ParquetType::kDouble: plain_numbers<double>(data, count, out.reals); return;
    case ParquetType::kInt96:
    case ParquetType::kFixedBytes: cut(data, std::vector<int64_t>(count, static_cast<int64_t>(plain_width(node))), out.bytes); return;
    default: break;
  }
  for (size_t i = 0; i < count; ++i) {
    if (data.size() < 4) {
      too_short();
    }
    const auto length = little_endian<uint32_t>(data.data());
    data.remove_prefix(4);
    cut(data, {static_cast<int64_t>(length)}, out.bytes);
    data.remove_prefix(length);
  }
}

}  // namespace slipway::data
