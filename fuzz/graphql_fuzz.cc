// GraphQL requests: any text is answered or refused, within its limits.
#include <cstddef>
#include <cstdint>
#include <string>

#include "api/errors.h"
#include "api/graphql.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway;
  const base::Json request = {{"query", std::string(reinterpret_cast<const char*>(data), size)},
                              {"variables", {{"data", {{"runId", "1"}}}}}};
  const auto ask = [](const api::graphql::Call&, const base::Json&) -> base::Json {
    return {{"run", {{"info", {{"run_id", "1"}, {"experiment_id", "0"}, {"start_time", 5}}}}}, {"model_versions", {{{"name", "m"}}}}};
  };
  try {
    base::dump_json(api::graphql::answer(request, ask));
  } catch (const base::Error&) {
    // refused
  }
  return 0;
}
