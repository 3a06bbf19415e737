// Explanations as the server and the command line ask for them.
#pragma once

#include "base/json.h"
#include "model/predictor.h"
#include "serve/options.h"

namespace slipway::cli {

// serve::ExplainFn: what POST /v1/explain answers.
base::Json explain_for_server(model::Predictor& predictor, const serve::ExplainRequest& request);

}  // namespace slipway::cli
