// Batches of metrics: what the reader of plain ones takes, the tree of JSON takes too, and as the same message.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/batch_reader.h"
#include "base/error.h"
#include "base/json.h"

namespace {

bool same(const slipway::api::LogBatch& a, const slipway::api::LogBatch& b) {
  return a.run_id == b.run_id && a.params == b.params && a.tags == b.tags && a.metrics.size() == b.metrics.size() &&
         std::equal(a.metrics.begin(), a.metrics.end(), b.metrics.begin(), [](const auto& one, const auto& other) {
           return one.key == other.key && one.value == other.value && one.step == other.step && one.time_ms == other.time_ms &&
                  other.model_id.empty() && other.dataset_name.empty() && other.dataset_digest.empty();
         });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto plain = api::read_plain_batch(bytes);
  if (!plain) {
    return 0;
  }
  api::LogBatch batch;
  try {
    api::read_message(base::parse_json(bytes, "the input"), batch, nullptr);
  } catch (const base::Error&) {
    std::abort();  // taken, and refused by the other
  }
  if (!same(*plain, batch)) {
    std::abort();
  }
  return 0;
}
