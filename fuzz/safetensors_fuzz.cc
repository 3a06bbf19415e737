// Any bytes are a safetensors file or an Error; what is accepted must be readable to its last byte.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "model/int8_layout.h"
#include "model/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway;
  try {
    const model::SafetensorsFile file({reinterpret_cast<const char*>(data), size}, "fuzz");
    unsigned sum = 0;
    for (const auto& [name, tensor] : file.tensors()) {
      for (const char byte : tensor.bytes) {
        sum += static_cast<unsigned char>(byte);
      }
      try {
        sum += static_cast<unsigned>(file.read_f32(name, tensor.count()).size());
        model::read_int8(file, name, 2, 2);
      } catch (const base::Error&) {
        continue;
      }
    }
    model::is_int8_file(file);
    static_cast<void>(sum);
    return 0;
  } catch (const base::Error&) {
    return 0;
  }
}
