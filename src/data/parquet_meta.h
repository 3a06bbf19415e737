// The footer of a Parquet file: its schema as a tree, and where the pages of each column are. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/thrift.h"

namespace slipway::data {

enum class ParquetType : uint8_t { kBoolean, kInt32, kInt64, kInt96, kFloat, kDouble, kBytes, kFixedBytes, kGroup };  // numbers of the format
enum class ParquetMeaning : uint8_t { kNone, kText, kList, kMap, kDecimal, kDate, kTime, kTimestamp, kUnsigned, kUuid, kHalf };

struct ParquetNode {
  std::string name;
  ParquetType type = ParquetType::kGroup;
  ParquetMeaning meaning = ParquetMeaning::kNone;
  int repetition = 0;     // 0 required, 1 optional, 2 repeated
  int length = 0;         // bytes of kFixedBytes
  int scale = 0;          // of decimals
  int per_second = 1000;  // of times: 1e3, 1e6 or 1e9
  int definition = 0;     // levels at which it is there
  int repeat = 0;
  size_t leaf = 0;        // number of its (first) column
  size_t leaves = 1;
  std::vector<ParquetNode> children;
};

struct ParquetChunk {
  ParquetType type = ParquetType::kBytes;
  int codec = 0;
  uint64_t values = 0;
  uint64_t begin = 0;  // of its first page, the dictionary's where it has one
  uint64_t size = 0;
};

struct ParquetRowGroup {
  uint64_t rows = 0;
  std::vector<ParquetChunk> chunks;  // a column each
};

struct ParquetMeta {
  ParquetNode root;
  std::vector<const ParquetNode*> columns;  // the leaves of root
  std::vector<ParquetRowGroup> groups;
  uint64_t rows = 0;
};

// Of a whole file. Throws BrokenFile for what is broken or not supported (encrypted footers, columns in other files), saying what.
// Limits: 64 MiB of footer, 10,000 columns, 16 levels.
void read_parquet_meta(std::string_view file, ParquetMeta& meta);

}  // namespace slipway::data
