// Any bytes are an archive of numpy's arrays or an Error; so are any bytes as one array, which a zip around it would
// hide from the fuzzer.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "model/npz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    for (const auto& [name, tensor] : model::read_npz(bytes, "fuzz")) {
      if (model::dtype_size(tensor.dtype) * static_cast<size_t>(tensor.count()) != tensor.bytes.size()) {
        __builtin_trap();
      }
    }
  } catch (const base::Error&) {
    // Read below as an array.
  }
  try {
    model::read_npy(bytes, "fuzz", "fuzz");
  } catch (const base::Error&) {
    return 0;
  }
  return 0;
}
