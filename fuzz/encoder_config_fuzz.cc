// config.json of encoders: any JSON is a description within bounds, whose tensors can be listed, or an Error.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "engine/relative_positions.h"
#include "model/encoder_names.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const slipway::base::Json json = slipway::base::parse_json({reinterpret_cast<const char*>(data), size}, "fuzz");
    const slipway::model::ModelSpec spec = slipway::model::spec_from_config(json, "fuzz");
    if (spec.max_tokens() < 1 || spec.parameter_count() < 1) {
      __builtin_trap();
    }
    if (spec.log_buckets) {
      const int bucket = slipway::engine::deberta_bucket(spec.max_tokens() - 1, spec.relative_span, spec.max_relative);
      if (bucket < 0) {
        __builtin_trap();
      }
    }
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
