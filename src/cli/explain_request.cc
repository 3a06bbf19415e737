#include "cli/explain_request.h"

#include "base/context.h"
#include "explain/explain.h"

namespace slipway::cli {

base::Json explain_for_server(model::Predictor& predictor, const serve::ExplainRequest& request) {
  // The predictor queues its texts behind the server's own pool; this thread only waits.
  base::Pool pool(1);
  base::Log log;
  const base::SystemClock clock;
  base::SilentProgress progress;
  base::Context context{pool, log, clock, progress, {}};
  explain::ExplainOptions options;
  options.method = request.method;
  options.label = request.label;
  options.seed = request.seed;
  options.num_samples = request.num_samples;
  return explain::to_json(explain::explain(predictor, request.text, options, context));
}

}  // namespace slipway::cli
