// Any bytes are a GGUF file or an Error; what is accepted must be readable to its last byte, metadata and tokenizer
// too.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "model/decoder_spec.h"
#include "model/gguf.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway;
  try {
    const model::GgufFile file({reinterpret_cast<const char*>(data), size}, "fuzz");
    size_t sum = 0;
    for (const auto& [key, value] : file.metadata().values()) {
      sum += base::dump_json(file.metadata().json(value, 1000)).size();
    }
    for (const auto& [name, tensor] : file.tensors()) {
      if (model::dtype_is_float(tensor.dtype)) {
        sum += file.read_f32(name).size();
      }
    }
    try {
      sum += file.vocabulary().has_value() ? 1 : 0;
    } catch (const base::Error&) {
      sum += 1;
    }
    model::decoder_spec_from_gguf(file.metadata(), "fuzz");
    static_cast<void>(sum);
    return 0;
  } catch (const base::Error&) {
    return 0;
  }
}
