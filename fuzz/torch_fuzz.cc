// Any bytes are a PyTorch file or an Error; so is any pickle by itself, which a zip around it would hide from the
// fuzzer.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "model/pickle.h"
#include "model/torch_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    unsigned sum = 0;
    for (const auto& [name, tensor] : model::read_torch_file(bytes, "fuzz")) {
      for (const char byte : tensor.bytes) {
        sum += static_cast<unsigned char>(byte);
      }
    }
    static_cast<void>(sum);
  } catch (const base::Error&) {
    // Read below as a pickle.
  }
  try {
    model::read_torch_pickle(bytes, "fuzz");
    return 0;
  } catch (const base::Error&) {
    return 0;
  }
}
