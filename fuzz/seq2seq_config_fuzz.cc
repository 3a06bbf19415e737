// config.json and generation_config.json of encoder-decoders: any JSON is a description within bounds or an Error.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "engine/seq2seq.h"
#include "model/seq2seq_spec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  slipway::base::Json json;
  try {
    json = slipway::base::parse_json({reinterpret_cast<const char*>(data), size}, "fuzz");
  } catch (const slipway::base::Error&) {
    return 0;
  }
  try {
    slipway::model::is_seq2seq_config(json);
    const auto spec = slipway::model::seq2seq_spec_from_config(json, "fuzz");
    slipway::model::check_seq2seq_spec(spec, "fuzz");
    if (spec.positions == slipway::model::Seq2SeqPositions::kRelativeBias) {
      for (const int distance : {-1'000'000, -1, 0, 7, 1'000'000}) {
        const int bucket =
            slipway::model::relative_bucket(distance, true, spec.relative_buckets, spec.relative_max_distance);
        if (bucket < 0 || bucket >= spec.relative_buckets) {
          __builtin_trap();
        }
      }
    }
  } catch (const slipway::base::Error&) {
  }
  try {
    slipway::engine::Seq2SeqParams params;
    params.apply(json, "fuzz", true);
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
