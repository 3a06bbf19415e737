#include "model/tensorflow.h"

#include <fmt/format.h>
#include <functional>
#include <optional>

#include "base/crc32c.h"
#include "base/error.h"
#include "model/load.h"
#include "text/proto_reader.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;
using text::ProtoReader;

// LevelDB's doc/table_format.md.
constexpr size_t kFooterBytes = 48;
constexpr size_t kTrailerBytes = 5;  // type, checksum
constexpr uint64_t kTableMagic = 0xdb4775248b80fb57ULL;
constexpr size_t kMaxKeyBytes = 4'096;
constexpr int kMaxDimensions = 16;

[[noreturn]] void broken(const std::string& source, const std::string& what) {
  throw Error(Code::kIntegrity, fmt::format("{}: not a TensorFlow checkpoint's index: {}", source, what));
}

// A checksum is stored turned and moved, so that one over bytes with checksums in them stays good
// (leveldb/util/crc32c.h).
uint32_t masked(uint32_t crc) noexcept { return ((crc >> 15U) | (crc << 17U)) + 0xa282ead8U; }

// Varints and pieces of a part of the table, one after the other.
class Bytes {
 public:
  Bytes(std::string_view bytes, const std::string& source) : bytes_(bytes), source_(source) {}
  bool empty() const noexcept { return bytes_.empty(); }
  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= static_cast<uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) {
        return value;
      }
    }
    broken(source_, "a number of more than 64 bits");
  }
  std::string_view take(uint64_t size) {
    if (size > bytes_.size()) {
      broken(source_, "it is cut short");
    }
    const std::string_view out = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return out;
  }

 private:
  std::string_view bytes_;
  const std::string& source_;
};

struct Handle {
  uint64_t offset = 0;
  uint64_t size = 0;
};

Handle read_handle(Bytes& bytes) {
  Handle handle;
  handle.offset = bytes.varint();
  handle.size = bytes.varint();
  return handle;
}

// A block's content: its bytes without trailer, checked.
std::string_view read_block(std::string_view file, const Handle& handle, const std::string& source, bool checksums) {
  const size_t room = file.size() - kFooterBytes;
  if (handle.size > room || handle.offset > room - handle.size || room - handle.size - handle.offset < kTrailerBytes) {
    broken(source, "a block lies outside the file");
  }
  const std::string_view content = file.substr(handle.offset, handle.size);
  const char type = file[handle.offset + handle.size];
  if (type != 0) {
    throw Error(Code::kInvalid, fmt::format("{}: its blocks are compressed (type {}), which TensorFlow's own are not",
                                            source, static_cast<int>(type)));
  }
  const auto stored = load<uint32_t>(file.data() + handle.offset + handle.size + 1);
  if (checksums && stored != masked(base::crc32c(file.substr(handle.offset, handle.size + 1)))) {
    broken(source, "a block's checksum does not hold");
  }
  return content;
}

// Calls take(key, value) for each entry, in order. Keys share their beginning with the one before.
void for_entries(std::string_view block, const std::string& source,
                 const std::function<void(const std::string& key, std::string_view value)>& take) {
  if (block.size() < 4) {
    broken(source, "a block is too short");
  }
  const uint64_t restarts = load<uint32_t>(block.data() + block.size() - 4);
  if (restarts > (block.size() - 4) / 4) {
    broken(source, "a block's restarts do not fit");
  }
  Bytes bytes(block.substr(0, block.size() - 4 - 4 * restarts), source);
  std::string key;
  while (!bytes.empty()) {
    const uint64_t shared = bytes.varint();
    const uint64_t rest = bytes.varint();
    const uint64_t size = bytes.varint();
    if (shared > key.size() || rest > kMaxKeyBytes || shared + rest > kMaxKeyBytes) {
      broken(source, "a name does not fit the one before, or is too long");
    }
    key.resize(shared);
    key += bytes.take(rest);
    take(key, bytes.take(size));
  }
}

std::optional<DType> dtype_of(int64_t number) {  // tensorflow/core/framework/types.proto
  switch (number) {
    case 1: return DType::kF32;
    case 2: return DType::kF64;
    case 3: return DType::kI32;
    case 4: return DType::kU8;
    case 5: return DType::kI16;
    case 6: return DType::kI8;
    case 9: return DType::kI64;
    case 10: return DType::kBool;
    case 14: return DType::kBF16;
    case 17: return DType::kU16;
    case 19: return DType::kF16;
    case 22: return DType::kU32;
    case 23: return DType::kU64;
    default: return std::nullopt;
  }
}

// BundleHeaderProto: num_shards 1, endianness 2 (0 little), version 3 {producer 1, min_consumer 2}.
int read_header(std::string_view value, const std::string& source) {
  ProtoReader header(value, source);
  int64_t shards = 0;
  while (header.next()) {
    if (header.field() == 1) {
      shards = header.integer();
    } else if (header.field() == 2 && header.integer() != 0) {
      throw Error(Code::kInvalid, fmt::format("{}: its numbers are big-endian", source));
    }
  }
  if (shards < 1 || shards > kMaxTensorflowShards) {
    broken(source, fmt::format("{} data files", shards));
  }
  return static_cast<int>(shards);
}

// TensorShapeProto: dim 2 {size 1}, unknown_rank 3.
std::vector<int64_t> read_shape(std::string_view value, const std::string& name, const std::string& source) {
  std::vector<int64_t> shape;
  ProtoReader reader(value, source);
  while (reader.next()) {
    if (reader.field() == 3 && reader.boolean()) {
      broken(source, fmt::format("'{}' has no shape", name));
    }
    if (reader.field() != 2) {
      continue;
    }
    int64_t size = 0;
    ProtoReader dimension(reader.bytes(), source);
    while (dimension.next()) {
      size = dimension.field() == 1 ? dimension.integer() : size;
    }
    if (size < 0 || shape.size() == kMaxDimensions) {
      broken(source, fmt::format("'{}' has a shape that cannot be", name));
    }
    shape.push_back(size);
  }
  return shape;
}

uint64_t bytes_needed(const TensorflowEntry& entry, const std::string& name, const std::string& source) {
  uint64_t count = 1;
  for (const int64_t size : entry.shape) {
    if (size != 0 && count > (uint64_t{1} << 48U) / static_cast<uint64_t>(size)) {
      broken(source, fmt::format("'{}' is larger than any file", name));
    }
    count *= static_cast<uint64_t>(size);
  }
  return *dtype_bytes(entry.dtype, count);
}

// BundleEntryProto: dtype 1, shape 2, shard_id 3, offset 4, size 5, crc32c 6 (fixed32), slices 7. Nullopt for a
// variable that is no tensor of numbers.
std::optional<TensorflowEntry> read_entry(std::string_view value, const std::string& name, int shards,
                                          const std::string& source) {
  TensorflowEntry entry;
  int64_t type = 0;
  int64_t shard = 0;
  int64_t offset = 0;
  int64_t size = 0;
  ProtoReader reader(value, source);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: type = reader.integer(); break;
      case 2: entry.shape = read_shape(reader.bytes(), name, source); break;
      case 3: shard = reader.integer(); break;
      case 4: offset = reader.integer(); break;
      case 5: size = reader.integer(); break;
      case 6: entry.checksum = reader.fixed32(); break;
      case 7:
        throw Error(Code::kInvalid, fmt::format("{}: '{}' was saved in slices (a partitioned variable)", source, name));
      default: break;
    }
  }
  const auto dtype = dtype_of(type);
  if (!dtype) {
    return std::nullopt;
  }
  entry.dtype = *dtype;
  if (shard < 0 || shard >= shards || offset < 0 || size < 0) {
    broken(source, fmt::format("'{}' is in data file {} of {}, or at a place that cannot be", name, shard, shards));
  }
  entry.shard = static_cast<int>(shard);
  entry.offset = static_cast<uint64_t>(offset);
  entry.size = static_cast<uint64_t>(size);
  if (entry.size != bytes_needed(entry, name, source)) {
    broken(source, fmt::format("'{}' has {} bytes, which do not fit its shape", name, size));
  }
  return entry;
}

}  // namespace

TensorflowIndex read_tensorflow_index(std::string_view bytes, const std::string& source, bool checksums) {
  if (bytes.size() < kFooterBytes || bytes.size() > kMaxTensorflowIndexBytes ||
      load<uint64_t>(bytes.data() + bytes.size() - 8) != kTableMagic) {
    broken(source, "it does not end as a table does");
  }
  Bytes footer(bytes.substr(bytes.size() - kFooterBytes, kFooterBytes - 8), source);
  read_handle(footer);  // of the table of filters, which there are none of
  const std::string_view index = read_block(bytes, read_handle(footer), source, checksums);
  TensorflowIndex out;
  bool header = false;
  std::string last;
  const auto take = [&](const std::string& key, std::string_view value) {
    if (header && key <= last) {
      broken(source, fmt::format("'{}' is there twice or out of order", key));
    }
    if (!header) {  // the empty name, which is before all others
      if (!key.empty()) {
        broken(source, "it has no header");
      }
      out.shards = read_header(value, source);
      header = true;
      return;
    }
    last = key;
    if (out.entries.size() + out.skipped.size() == kMaxTensorflowTensors) {
      broken(source, fmt::format("more than {} variables", kMaxTensorflowTensors));
    }
    if (auto entry = read_entry(value, key, out.shards, source)) {
      out.entries.emplace(key, std::move(*entry));
    } else {
      out.skipped.push_back(key);
    }
  };
  for_entries(index, source, [&](const std::string&, std::string_view value) {
    Bytes handle(value, source);
    for_entries(read_block(bytes, read_handle(handle), source, checksums), source, take);
  });
  if (!header) {
    broken(source, "it is empty");
  }
  return out;
}

std::string_view tensorflow_bytes(const TensorflowEntry& entry, const std::string& name, std::string_view data,
                                  const std::string& source) {
  if (entry.size > data.size() || entry.offset > data.size() - entry.size) {
    throw Error(Code::kIntegrity, fmt::format("{}: '{}' ends after the file: it is cut short", source, name));
  }
  const std::string_view bytes = data.substr(entry.offset, entry.size);
  if (masked(base::crc32c(bytes)) != entry.checksum) {
    throw Error(Code::kIntegrity,
                fmt::format("{}: the checksum of '{}' does not hold: the file is damaged", source, name));
  }
  return bytes;
}

TensorflowSource::TensorflowSource(const std::filesystem::path& index) : source_(index.string()) {
  const base::MappedFile file(index);
  TensorflowIndex read = read_tensorflow_index(file.bytes(), source_);
  std::vector<std::string> names;
  for (int shard = 0; shard < read.shards; ++shard) {
    std::filesystem::path data = index;
    data.replace_extension(fmt::format(".data-{:05}-of-{:05}", shard, read.shards));
    names.push_back(data.string());
    files_.emplace_back(data);
  }
  for (auto& [name, entry] : read.entries) {
    const auto shard = static_cast<size_t>(entry.shard);
    const std::string_view bytes = tensorflow_bytes(entry, name, files_[shard].bytes(), names[shard]);
    tensors_.emplace(name, TensorView{name, entry.dtype, std::move(entry.shape), bytes});
  }
}

}  // namespace slipway::model
