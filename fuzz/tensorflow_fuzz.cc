// Any bytes are the index of a TensorFlow checkpoint or an Error, with checksums and, since a fuzzer does not guess
// those, without; so are any bytes as its data.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "model/tensorflow.h"
#include "model/tensorflow_names.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const bool checksums : {true, false}) {
    try {
      for (const auto& [name, entry] : model::read_tensorflow_index(bytes, "fuzz", checksums).entries) {
        model::hugging_face_name(name);
        try {
          model::tensorflow_bytes(entry, name, bytes, "fuzz");
        } catch (const base::Error&) {
          continue;
        }
      }
    } catch (const base::Error&) {
      continue;
    }
  }
  return 0;
}
