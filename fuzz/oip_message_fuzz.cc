// Protobuf messages of the Open Inference Protocol, as gRPC carries them.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "serve/oip_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    slipway::serve::oip::decode_message({reinterpret_cast<const char*>(data), size});
  } catch (const slipway::base::Error&) {
    return 0;  // refused in words
  }
  return 0;
}
