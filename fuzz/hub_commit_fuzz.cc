// The body of a commit: it is refused, or every digest in it is one.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/hub_commit_reader.h"
#include "base/error.h"
#include "base/hash.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    slipway::api::read_hub_commit({reinterpret_cast<const char*>(data), size}, [](const slipway::api::HubOperation& operation) {
      if (operation.kind == slipway::api::HubOperation::Kind::kLfsFile && !slipway::base::is_digest(operation.digest)) {
        std::abort();
      }
    });
  } catch (const slipway::base::Error&) {
    // refused, as it should be
  }
  return 0;
}
