// The files that deduplication reads back: runs of records and Bloom filters. Whatever the bytes, records or an Error.
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "data/bloom.h"
#include "data/spill.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const slipway::base::TempDir folder;
  const auto path = folder.path() / "file";
  slipway::base::write_file_atomic(path, {reinterpret_cast<const char*>(data), size});  // NOLINT: bytes
  try {
    uint64_t seen = 0;
    for (slipway::data::RecordCursor<uint64_t> cursor(path); cursor.peek() != nullptr; cursor.advance()) {
      ++seen;
    }
    if (seen * sizeof(uint64_t) > size) {
      __builtin_trap();  // more records than bytes
    }
  } catch (const slipway::base::Error&) {
  }
  try {
    const auto filter = slipway::data::BloomFilter::load(path, size_t{1} << 20U);
    (void)filter.has(size);
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
