// Xorbs and shards: refused, or every chunk unpacks to the size that it says, and every name is one.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/xet_format.h"
#include "base/error.h"

namespace {

void unpack(std::string_view bytes) {
  for (const auto& chunk : slipway::api::read_xorb(bytes)) {
    std::string out;
    slipway::api::unpack_chunk(chunk, out);
    if (out.size() != chunk.size) {
      std::abort();
    }
  }
}

void read_shard(std::string_view bytes) {
  for (const auto& file : slipway::api::read_shard(bytes)) {
    for (const auto& term : file.terms) {
      if (!slipway::api::is_xet_hash(term.xorb)) {
        std::abort();
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const auto& read : {unpack, read_shard}) {
    try {
      read(bytes);
    } catch (const slipway::base::Error&) {
      // refused, as it should be
    }
  }
  return 0;
}
