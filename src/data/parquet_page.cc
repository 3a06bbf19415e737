#include "data/parquet_page.h"

#include <algorithm>
#include <fmt/format.h>
#include <lz4.h>
#include <zlib.h>
#include <zstd.h>

#include "base/shared_library.h"
#include "data/http_message.h"
#include "data/parquet_decode.h"

namespace slipway::data {
namespace {

enum PageType { kData = 0, kIndex = 1, kDictionaryPage = 2, kDataV2 = 3 };
enum Codec { kPlainBytes = 0, kSnappy = 1, kGzip = 2, kBrotli = 4, kLz4Hadoop = 5, kZstd = 6, kLz4 = 7 };

size_t unsnappy(std::string_view packed, std::string& out) {
  using Uncompress = int (*)(const char*, size_t, char*, size_t*);  // of snappy-c.h
  static const Uncompress kUncompress = [] {
    const base::SharedLibrary library({"libsnappy.so.1", "a Parquet file with Snappy pages", "libsnappy1v5", "1.1"});
    Uncompress function = nullptr;
    library.find("snappy_uncompress", function);
    return function;
  }();
  size_t size = out.size();
  return kUncompress(packed.data(), packed.size(), out.data(), &size) == 0 ? size : SIZE_MAX;
}

size_t unlz4(std::string_view packed, char* out, size_t size) {
  const int got = LZ4_decompress_safe(packed.data(), out, static_cast<int>(packed.size()), static_cast<int>(size));
  return got < 0 ? SIZE_MAX : static_cast<size_t>(got);
}

// Hadoop's frames: big-endian sizes of what follows, unpacked and packed.
size_t unlz4_hadoop(std::string_view packed, std::string& out) {
  const auto size_at = [&](size_t at) {
    size_t size = 0;
    for (size_t i = 0; i < 4; ++i) {
      size = size << 8U | static_cast<unsigned char>(packed[at + i]);
    }
    return size;
  };
  size_t done = 0;
  while (packed.size() >= 8) {
    const size_t plain = size_at(0);
    const size_t bytes = size_at(4);
    if (bytes > packed.size() - 8 || plain > out.size() - done || unlz4(packed.substr(8, bytes), out.data() + done, plain) != plain) {
      return SIZE_MAX;
    }
    done += plain;
    packed.remove_prefix(8 + bytes);
  }
  return packed.empty() ? done : SIZE_MAX;
}

int bits_for(int max) noexcept {
  int bits = 0;
  while (max >> bits != 0) {
    ++bits;
  }
  return bits;
}

}  // namespace

void ParquetValues::clear() {
  integers.clear();
  reals.clear();
  bytes.clear();
}

struct ParquetColumn::Header {
  int64_t type = -1;
  int64_t unpacked = 0, packed = 0;
  int64_t values = 0, encoding = 0;
  int64_t definition_encoding = 3, repeat_encoding = 3;
  int64_t definition_bytes = 0, repeat_bytes = 0;  // of version 2
  bool is_packed = true;
};

ParquetColumn::ParquetColumn(std::string_view file, const ParquetNode& node, const ParquetChunk& chunk)
    : file_(file.substr(chunk.begin, chunk.size)), node_(node), chunk_(chunk), left_(chunk.values) {
  if (chunk.type != node.type) {
    throw BrokenFile(fmt::format("the column '{}' has another type than the schema says", node.name));
  }
  read_page();
}

ParquetColumn::Header ParquetColumn::read_header(size_t& size) const {
  Header header;
  ThriftReader in(file_.substr(byte_));
  using Type = ThriftReader::Type;
  const auto numbers = [&](auto&& take) {
    in.read_struct([&](int id, Type type) {
      if (type == ThriftReader::kFalse && id == 7) {
        header.is_packed = false;
      }
      if (type != ThriftReader::kI32) {
        return false;
      }
      take(id, in.integer());
      return true;
    });
  };
  in.read_struct([&](int id, Type type) {
    if (type == ThriftReader::kStruct && (id == 5 || id == 7)) {
      numbers([&](int field, int64_t value) {
        int64_t* const fields[] = {&header.values, &header.encoding, &header.definition_encoding, &header.repeat_encoding};
        if (field >= 1 && field <= 4) {
          *fields[field - 1] = value;
        }
      });
      header.is_packed = true;
      return true;
    }
    if (type == ThriftReader::kStruct && id == 8) {
      numbers([&](int field, int64_t value) {
        header.values = field == 1 ? value : header.values;
        header.encoding = field == 4 ? value : header.encoding;
        header.definition_bytes = field == 5 ? value : header.definition_bytes;
        header.repeat_bytes = field == 6 ? value : header.repeat_bytes;
      });
      return true;
    }
    if (type != ThriftReader::kI32) {
      return false;
    }
    const int64_t value = in.integer();
    header.type = id == 1 ? value : header.type;
    header.unpacked = id == 2 ? value : header.unpacked;
    header.packed = id == 3 ? value : header.packed;
    return true;
  });
  size = in.at();
  constexpr int64_t kMaxValues = int64_t{1} << 24;
  const auto limit = static_cast<int64_t>(kMaxParquetPage);
  if (header.unpacked < 0 || header.packed < 0 || header.values < 0 || header.unpacked > limit || header.values > kMaxValues ||
      static_cast<uint64_t>(header.packed) > file_.size() - byte_ - size) {
    throw BrokenFile(fmt::format("a page of '{}' with {} values in {} bytes, {} unpacked; the limits are {} and {}", node_.name,
                                 header.values, header.packed, header.unpacked, kMaxValues, limit));
  }
  return header;
}

void ParquetColumn::unpack(std::string_view packed, size_t size, std::string& out) const {
  size_t got = SIZE_MAX;
  out.resize(size);
  switch (chunk_.codec) {
    case kPlainBytes: out.assign(packed); got = packed.size(); break;
    case kSnappy: got = unsnappy(packed, out); break;
    case kZstd: {
      got = ZSTD_decompress(out.data(), size, packed.data(), packed.size());
      got = ZSTD_isError(got) != 0U ? SIZE_MAX : got;
      break;
    }
    case kLz4: got = unlz4(packed, out.data(), size); break;
    case kLz4Hadoop:
      got = unlz4_hadoop(packed, out);
      got = got == SIZE_MAX ? unlz4(packed, out.data(), size) : got;  // some writers leave the frames out
      break;
    case kGzip:
    case kBrotli:
      out.clear();
      got = undo_coding(chunk_.codec == kGzip ? "gzip" : "br", packed, size, out).empty() ? out.size() : SIZE_MAX;
      break;
    default:
      throw BrokenFile(fmt::format("the column '{}' is compressed with codec {}; none, snappy, gzip, brotli, lz4, zstd are read",
                                   node_.name, chunk_.codec));
  }
  if (got != size) {
    throw BrokenFile(fmt::format("a page of '{}' does not unpack to the {} bytes that are told", node_.name, size));
  }
}

size_t ParquetColumn::read_levels(std::string_view data, int max, size_t entries, std::vector<uint8_t>& levels) const {
  levels.clear();
  if (max == 0) {
    return 0;
  }
  std::vector<uint32_t> read;
  const size_t taken = decode_runs(data, bits_for(max), entries, read);
  levels.reserve(entries);
  for (const uint32_t level : read) {
    if (level > static_cast<uint32_t>(max)) {
      throw BrokenFile(fmt::format("a level of {} in '{}'; {} is the most", level, node_.name, max));
    }
    levels.push_back(static_cast<uint8_t>(level));
  }
  return taken;
}

void ParquetColumn::read_dictionary(const Header& header, std::string_view packed) {
  if (header.encoding != 0 && header.encoding != 2) {
    throw BrokenFile(fmt::format("a dictionary of '{}' in encoding {}", node_.name, header.encoding));
  }
  unpack(packed, static_cast<size_t>(header.unpacked), dictionary_page_);
  dictionary_.clear();
  decode_plain(dictionary_page_, node_, static_cast<size_t>(header.values), dictionary_);
  has_dictionary_ = true;
}

void ParquetColumn::read_page() {
  at_ = entries_ = value_ = 0;
  while (left_ > 0) {
    size_t head = 0;
    const Header header = read_header(head);
    std::string_view body = file_.substr(byte_ + head, static_cast<size_t>(header.packed));
    byte_ += head + body.size();
    if (header.type == kDictionaryPage) {
      read_dictionary(header, body);
      continue;
    }
    if (header.type != kData && header.type != kDataV2) {
      continue;
    }
    entries_ = static_cast<size_t>(header.values);
    if (entries_ == 0) {
      continue;
    }
    if (entries_ > left_) {
      throw BrokenFile(fmt::format("the pages of '{}' have more values than are told", node_.name));
    }
    left_ -= entries_;
    const auto unpacked = static_cast<size_t>(header.unpacked);
    std::string_view data;
    if (header.type == kData) {
      unpack(body, unpacked, page_);
      data = page_;
      for (const bool repeat : {true, false}) {
        const int max = repeat ? node_.repeat : node_.definition;
        std::vector<uint8_t>& levels = repeat ? levels_repeat_ : levels_definition_;
        if (max > 0 && (repeat ? header.repeat_encoding : header.definition_encoding) != 3) {
          throw BrokenFile(fmt::format("levels of '{}' are packed as before Parquet 1.0; that is not read", node_.name));
        }
        uint32_t size = 0;
        if (max > 0) {
          if (data.size() < 4) {
            throw BrokenFile("a page without levels");
          }
          std::copy_n(data.data(), 4, reinterpret_cast<char*>(&size));  // NOLINT: little-endian bytes of a number
          data.remove_prefix(4);
        }
        if (size > data.size()) {
          throw BrokenFile("levels that are longer than their page");
        }
        read_levels(data.substr(0, size), max, entries_, levels);
        data.remove_prefix(size);
      }
    } else {
      const auto repeat = static_cast<size_t>(std::max<int64_t>(header.repeat_bytes, 0));
      const auto definition = static_cast<size_t>(std::max<int64_t>(header.definition_bytes, 0));
      if (repeat > body.size() || definition > body.size() - repeat || repeat + definition > unpacked) {
        throw BrokenFile("levels that are longer than their page");
      }
      read_levels(body.substr(0, repeat), node_.repeat, entries_, levels_repeat_);
      read_levels(body.substr(repeat, definition), node_.definition, entries_, levels_definition_);
      body.remove_prefix(repeat + definition);
      if (header.is_packed && !body.empty()) {
        unpack(body, unpacked - repeat - definition, page_);
      } else {
        page_.assign(body);
      }
      data = page_;
    }
    const size_t count = levels_definition_.empty()
                             ? entries_
                             : static_cast<size_t>(std::count(levels_definition_.begin(), levels_definition_.end(), node_.definition));
    read_values(static_cast<int>(header.encoding), data, count);
    return;
  }
  done_ = true;
}

void ParquetColumn::read_values(int encoding, std::string_view data, size_t count) {
  values_.clear();
  if (count == 0) {
    return;
  }
  const bool number = node_.type == ParquetType::kInt32 || node_.type == ParquetType::kInt64;
  const bool text = node_.type == ParquetType::kBytes || node_.type == ParquetType::kFixedBytes;
  std::vector<uint32_t> indices;
  if (encoding == 0) {
    decode_plain(data, node_, count, values_);
  } else if (encoding == 2 || encoding == 8) {
    if (!has_dictionary_ || data.empty()) {
      throw BrokenFile(fmt::format("a page of '{}' refers to a dictionary that is not there", node_.name));
    }
    decode_runs(data.substr(1), static_cast<unsigned char>(data[0]), count, indices);
    const size_t size = std::max({dictionary_.integers.size(), dictionary_.reals.size(), dictionary_.bytes.size()});
    const auto pick = [&](const auto& from, auto& to) {
      if (from.empty()) {
        return;
      }
      to.reserve(count);
      for (const uint32_t index : indices) {
        to.push_back(from[index]);
      }
    };
    if (size == 0 || *std::max_element(indices.begin(), indices.end()) >= size) {
      throw BrokenFile(fmt::format("a page of '{}' refers beyond its dictionary", node_.name));
    }
    pick(dictionary_.integers, values_.integers);
    pick(dictionary_.reals, values_.reals);
    pick(dictionary_.bytes, values_.bytes);
  } else if (encoding == 3 && node_.type == ParquetType::kBoolean && data.size() >= 4) {
    decode_runs(data.substr(4), 1, count, indices);
    values_.integers.assign(indices.begin(), indices.end());
  } else if (encoding == 5 && number) {
    decode_deltas(data, count, values_.integers);
    if (node_.type == ParquetType::kInt32) {
      std::transform(values_.integers.begin(), values_.integers.end(), values_.integers.begin(),
                     [](int64_t value) { return static_cast<int64_t>(static_cast<int32_t>(value)); });
    }
  } else if (encoding == 6 && text) {
    decode_delta_lengths(data, count, values_.bytes);
  } else if (encoding == 7 && text) {
    decode_delta_bytes(data, count, joined_, values_.bytes);
  } else if (encoding == 9 && plain_width(node_) > 0) {
    joined_ = join_streams(data, plain_width(node_), count);
    decode_plain(joined_, node_, count, values_);
  } else {
    throw BrokenFile(fmt::format("a page of '{}' in encoding {}, which is not read for its type", node_.name, encoding));
  }
  if (std::max({values_.integers.size(), values_.reals.size(), values_.bytes.size()}) != count) {
    throw BrokenFile(fmt::format("a page of '{}' has fewer values than are told", node_.name));
  }
}

void ParquetColumn::next() {
  value_ += has_value() ? 1 : 0;
  if (++at_ == entries_) {
    read_page();
  }
}

}  // namespace slipway::data
