// TensorFlow checkpoints and .npy files for tests: written here byte by byte after docs/formats/tensorflow.md, without
// the code that reads them, and as small blocks as a test wants.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "base/crc32c.h"

namespace slipway::tests {

struct TensorflowVariable {
  int dtype = 1;  // DT_FLOAT
  std::vector<int64_t> shape;
  std::string bytes;
};

struct TensorflowFiles {
  std::string index;
  std::vector<std::string> data;  // one a shard
};

inline std::string tf_varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7U) {
    out += static_cast<char>(value | 0x80U);
  }
  return out + static_cast<char>(value);
}

inline std::string tf_fixed(uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) {
    out += static_cast<char>(value >> (8 * i));
  }
  return out;
}

inline uint32_t tf_masked(const std::string& bytes) {
  const uint32_t crc = base::crc32c(bytes);
  return ((crc >> 15U) | (crc << 17U)) + 0xa282ead8U;
}

inline std::string tf_field(int field, const std::string& bytes) {
  return tf_varint(static_cast<uint64_t>(field) << 3U | 2U) + tf_varint(bytes.size()) + bytes;
}
inline std::string tf_field(int field, uint64_t value) {
  return tf_varint(static_cast<uint64_t>(field) << 3U) + tf_varint(value);
}

inline std::string tf_entry(const TensorflowVariable& variable, uint64_t shard, uint64_t offset) {
  std::string shape;
  for (const int64_t size : variable.shape) {
    shape += tf_field(2, tf_field(1, static_cast<uint64_t>(size)));
  }
  std::string out = tf_field(1, static_cast<uint64_t>(variable.dtype)) + tf_field(2, shape);
  out += shard > 0 ? tf_field(3, shard) : "";
  out += offset > 0 ? tf_field(4, offset) : "";
  return out + tf_field(5, variable.bytes.size()) + tf_varint(6U << 3U | 5U) + tf_fixed(tf_masked(variable.bytes), 4);
}

inline std::string tf_header(uint64_t shards) { return tf_field(1, shards) + tf_field(3, tf_field(1, 1)); }

// A block of sorted entries; every `interval` of them the name is written whole.
inline std::string tf_block(const std::vector<std::pair<std::string, std::string>>& entries, size_t interval = 16) {
  std::string out;
  std::string restarts;
  std::string last;
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto& [key, value] = entries[i];
    size_t shared = 0;
    if (i % interval == 0) {
      restarts += tf_fixed(out.size(), 4);
    } else {
      while (shared < last.size() && shared < key.size() && last[shared] == key[shared]) {
        ++shared;
      }
    }
    out += tf_varint(shared) + tf_varint(key.size() - shared) + tf_varint(value.size()) + key.substr(shared) + value;
    last = key;
  }
  if (restarts.empty()) {
    restarts = tf_fixed(0, 4);
  }
  return out + restarts + tf_fixed(restarts.size() / 4, 4);
}

// A table of blocks of at most `per_block` entries.
inline std::string tf_table(const std::vector<std::pair<std::string, std::string>>& entries, size_t per_block) {
  std::string out;
  const auto add = [&](const std::string& block) {
    const std::string handle = tf_varint(out.size()) + tf_varint(block.size());
    out += block + std::string(1, '\0') + tf_fixed(tf_masked(block + std::string(1, '\0')), 4);
    return handle;
  };
  std::vector<std::pair<std::string, std::string>> index;
  for (size_t first = 0; first < entries.size(); first += per_block) {
    const size_t last = std::min(entries.size(), first + per_block);
    const std::vector<std::pair<std::string, std::string>> some(entries.begin() + static_cast<std::ptrdiff_t>(first),
                                                                entries.begin() + static_cast<std::ptrdiff_t>(last));
    index.emplace_back(some.back().first, add(tf_block(some)));
  }
  std::string footer = add(tf_block({}));
  footer += add(tf_block(index, 1));
  footer.resize(40);
  return out + footer + tf_fixed(0xdb4775248b80fb57ULL, 8);
}

inline TensorflowFiles tf_checkpoint(const std::map<std::string, TensorflowVariable>& variables, size_t shards = 1,
                                     size_t per_block = 5) {
  TensorflowFiles files;
  files.data.resize(shards);
  std::vector<std::pair<std::string, std::string>> entries = {{"", tf_header(shards)}};
  size_t next = 0;
  for (const auto& [name, variable] : variables) {
    std::string& data = files.data[next % shards];
    entries.emplace_back(name, tf_entry(variable, next % shards, data.size()));
    data += variable.bytes;
    ++next;
  }
  files.index = tf_table(entries, per_block);
  return files;
}

// What numpy.save writes of an array.
inline std::string npy(const std::string& descr, const std::vector<int64_t>& shape, const std::string& bytes,
                       bool fortran = false) {
  std::string sizes;
  for (const int64_t size : shape) {
    sizes += std::to_string(size) + ", ";
  }
  if (shape.size() > 1) {
    sizes.resize(sizes.size() - 2);
  } else if (shape.size() == 1) {
    sizes.resize(sizes.size() - 1);
  }
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': (" + sizes + "), }";
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
  header += '\n';
  return std::string("\x93NUMPY\1\0", 8) + tf_fixed(header.size(), 2) + header + bytes;
}

}  // namespace slipway::tests
