// Folder listings of artifacts: what is accepted names only paths inside its folder, and reads back to the same bytes.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.h"
#include "store/blobs.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const auto entries = slipway::store::parse_listing(bytes, "fuzz");
    for (const auto& entry : entries) {
      const std::string path = "/" + entry.path + "/";
      if (path.find("/../") != std::string::npos || path.find("//") != std::string::npos) {
        std::abort();
      }
    }
    const std::string written = slipway::store::listing_bytes(entries);
    if (slipway::store::listing_bytes(slipway::store::parse_listing(written, "fuzz")) != written) {
      std::abort();
    }
  } catch (const slipway::base::Error&) {
    // refused, as it should be
  }
  return 0;
}
