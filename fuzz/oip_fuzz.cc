// Bodies of the Open Inference Protocol: the first byte says where the JSON ends, the rest is the body.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "serve/oip_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  const size_t tail = data[0];
  const std::string length = data[0] == 255 ? "" : std::to_string(body.size() > tail ? body.size() - tail : 0);
  try {
    slipway::serve::oip::decode_request(body, length);
  } catch (const slipway::base::Error&) {
    return 0;  // refused in words
  }
  return 0;
}
