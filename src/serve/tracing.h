// What a trace tells of a request to a model: OpenTelemetry's names for generative models (gen_ai.*, semantic
// conventions 1.37), the counts and parameters, never a prompt or an answer. Every function takes a null trace: then it
// does nothing. Any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/generator.h"
#include "net/responder.h"
#include "net/trace.h"

namespace slipway::serve {

using Trace = std::shared_ptr<net::RequestTrace>;

// A model was chosen for a request that came by `route`: operation and model.
void trace_model(const Trace& trace, std::string_view route, const std::string& model);
void trace_tokens(const Trace& trace, int64_t input, int64_t output);
// A request for so many answers with the same parameters.
void trace_generation(const Trace& trace, const engine::GenerateRequest& request, size_t choices);
void trace_finish(const Trace& trace, const std::vector<engine::GenerateResult>& results);

// Hands on the spans of requests; looking whether the server lives, and at its metrics, is none.
net::SpanSink request_spans(net::SpanSink sink);

}  // namespace slipway::serve
