// Packed token shards and their index: whatever the bytes, rows that can be read, or an Error.
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/token_shards.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint64_t> aligned(size / 8 + 1);
  std::memcpy(aligned.data(), data, size);
  const std::string_view bytes(reinterpret_cast<const char*>(aligned.data()), size);  // NOLINT: bytes
  try {
    const slipway::data::TokenShard shard(bytes, "fuzz");
    (void)shard.whole();
    slipway::data::TokenSequence row;
    for (uint64_t i = 0; i < shard.sequences(); i += 1 + shard.sequences() / 16) {
      shard.read(i, row);
      for (const uint32_t begin : row.begins) {
        if (begin >= row.used || row.used > row.ids.size()) {
          __builtin_trap();
        }
      }
    }
  } catch (const slipway::base::Error&) {
  }
  try {
    const slipway::data::TokenIndex index = slipway::data::read_token_index(bytes, "fuzz");
    (void)slipway::data::read_token_index(slipway::base::dump_json(index.to_json()), "again");
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
