// Indexes of bundles: what is accepted writes back to the same bytes, and finds each of its contents.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "store/bundles.h"
#include "store/digest_bytes.h"

namespace {

void check(std::string_view bytes) {
  try {
    const slipway::store::BundleIndex index(bytes, "fuzz");
    std::vector<slipway::store::BundledContent> contents;
    for (size_t i = 0; i < index.size(); ++i) {
      contents.push_back(index.at(i));
      const auto found = index.find(slipway::store::digest_bytes(contents.back().digest));
      if (!found || found->offset != contents.back().offset || found->size != contents.back().size) {
        std::abort();
      }
    }
    if (slipway::store::bundle_index_bytes(index.bundle(), contents) != bytes) {
      std::abort();
    }
  } catch (const slipway::base::Error&) {
    // refused, as it should be
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  check(bytes);
  slipway::store::append(bytes, slipway::base::xxh64(bytes));  // with the checksum that no mutation finds
  check(bytes);
  return 0;
}
