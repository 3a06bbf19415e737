// Bytes as one of TensorBoard's event files, and each event's bytes past its checksums: the framing hides the parser otherwise.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/error.h"
#include "track/event_file.h"

namespace {

void read_all(std::string_view bytes) {
  slipway::track::EventFile file(bytes, "fuzz");
  slipway::track::Event event;
  while (file.next(event)) {
    for (const auto& value : event.values) {
      try {
        slipway::track::parse_hparams(value.plugin_content, "fuzz");
      } catch (const slipway::base::Error&) {  // what it is for
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_all(bytes);
  // The same bytes as the content of one good frame.
  std::string framed(12, '\0');
  const uint64_t length = size;
  std::memcpy(framed.data(), &length, 8);
  uint32_t check = slipway::track::masked_crc32c(std::string_view(framed).substr(0, 8));
  std::memcpy(framed.data() + 8, &check, 4);
  framed += bytes;
  check = slipway::track::masked_crc32c(bytes);
  framed.append(reinterpret_cast<const char*>(&check), 4);
  read_all(framed);
  return 0;
}
