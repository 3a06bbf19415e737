// Spans from exporters: any bytes are read or refused, and what was read can be kept and answered.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/otlp_reader.h"
#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const auto read : {api::read_otlp_protobuf, api::read_otlp_json}) {
    try {
      for (const record::SpanBatch& batch : api::batches_of(read(bytes, {}))) {
        for (const record::TraceSpan& span : batch.spans) {
          api::span_answer(span);
        }
      }
    } catch (const base::Error&) {
      // refused
    }
  }
  return 0;
}
