// Bytes as the .wandb file of an offline run, and as the content of one good fragment in it: the checksum hides the parser otherwise.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <zlib.h>

#include "base/error.h"
#include "track/wandb_file.h"

namespace {

void read_all(std::string_view bytes) {
  try {
    slipway::track::WandbFile file(bytes, "fuzz");
    slipway::track::WandbRecord record;
    while (file.next(record)) {
    }
  } catch (const slipway::base::Error&) {  // no head
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_all(bytes);
  const std::string content = "\x01" + std::string(bytes.substr(0, 32'000));  // a whole record
  const auto check = static_cast<uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())));
  const auto length = static_cast<uint16_t>(content.size() - 1);
  std::string file("\x3AW&B\xE1\xBE\0", 7);
  file.append(reinterpret_cast<const char*>(&check), 4);
  file.append(reinterpret_cast<const char*>(&length), 2);
  read_all(file + content);
  return 0;
}
