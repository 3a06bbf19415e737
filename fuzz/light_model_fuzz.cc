// Light classifiers: read whole or refused; what was read gives probabilities and is written as it was.
#include <cstdlib>

#include "base/error.h"
#include "data/light_classifier.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);  // NOLINT: bytes
  try {
    const auto model = slipway::data::LightModel::from_bytes(bytes, "fuzz");
    const auto p = model.classifier.probabilities(slipway::data::text_features("a b c", model.classifier.bits()));
    if (p.size() != model.labels.size()) {
      std::abort();
    }
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
