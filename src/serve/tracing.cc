#include "serve/tracing.h"

#include <algorithm>
#include <array>

namespace slipway::serve {

namespace {

struct Operation {
  std::string_view route;
  const char* name;
};
// The conventions' own names where they have one.
constexpr std::array<Operation, 22> kOperations = {{
    {"/v1/chat/completions", "chat"},
    {"/api/chat", "chat"},
    {"/v1/completions", "text_completion"},
    {"/api/generate", "text_completion"},
    {"/generate", "text_completion"},
    {"/generate_stream", "text_completion"},
    {"/v1/embeddings", "embeddings"},
    {"/api/embed", "embeddings"},
    {"/api/embeddings", "embeddings"},
    {"/embed", "embeddings"},
    {"/embed_all", "embeddings"},
    {"/similarity", "embeddings"},
    {"/v1/classify", "classify"},
    {"/predict", "classify"},
    {"/rerank", "rerank"},
    {"/v1/explain", "explain"},
    {"/v2/models/{model}/infer", "infer"},
    {"/v2/models/{model}/versions/{version}/infer", "infer"},
    {"/", "pipeline"},
    {"/models/{name}", "pipeline"},
    {"/pipeline/{task}", "pipeline"},
    {"/models/{name}/pipeline/{task}", "pipeline"},
}};

constexpr std::array<std::string_view, 4> kProbes = {"/", "/health", "/metrics", "/v2/health/"};
constexpr std::array<std::string_view, 4> kRpcProbes = {"ServerLive", "ServerReady", "ModelReady", "Check"};

std::string text_of(const net::Span& span, std::string_view name) {
  for (const auto& [known, value] : span.attributes) {
    if (const auto* text = known == name ? std::get_if<std::string>(&value) : nullptr) {
      return *text;
    }
  }
  return {};
}

bool is_probe(const net::Span& span) {
  const std::string method = text_of(span, "http.request.method");
  const std::string route = text_of(span, "http.route");
  if (method == "GET" || method == "HEAD") {
    return std::any_of(kProbes.begin(), kProbes.end(), [&](std::string_view probe) {
      return route == probe || (probe.size() > 1 && probe.ends_with('/') && route.starts_with(probe));
    });
  }
  return std::find(kRpcProbes.begin(), kRpcProbes.end(), text_of(span, "rpc.method")) != kRpcProbes.end();
}

}  // namespace

void trace_model(const Trace& trace, std::string_view route, const std::string& model) {
  if (!trace) {
    return;
  }
  const auto* const found = std::find_if(kOperations.begin(), kOperations.end(),
                                         [&](const Operation& operation) { return operation.route == route; });
  if (found == kOperations.end()) {
    return;  // a list of models, say
  }
  trace->note("gen_ai.operation.name", std::string(found->name));
  trace->note("gen_ai.provider.name", std::string("slipway"));
  trace->note("gen_ai.request.model", model);
  trace->note("gen_ai.response.model", model);
}

void trace_tokens(const Trace& trace, int64_t input, int64_t output) {
  if (trace && input > 0) {
    trace->count("gen_ai.usage.input_tokens", input);
  }
  if (trace && output > 0) {
    trace->count("gen_ai.usage.output_tokens", output);
  }
}

void trace_generation(const Trace& trace, const engine::GenerateRequest& request, size_t choices) {
  if (!trace) {
    return;
  }
  const engine::SamplingParams& sampling = request.sampling;
  trace->note("gen_ai.request.max_tokens", int64_t{request.max_tokens});
  trace->note("gen_ai.request.temperature", sampling.temperature);
  trace->note("gen_ai.request.top_p", sampling.top_p);
  if (sampling.top_k > 0) {
    trace->note("gen_ai.request.top_k", static_cast<double>(sampling.top_k));
  }
  if (sampling.frequency_penalty != 0) {
    trace->note("gen_ai.request.frequency_penalty", sampling.frequency_penalty);
  }
  if (sampling.presence_penalty != 0) {
    trace->note("gen_ai.request.presence_penalty", sampling.presence_penalty);
  }
  if (sampling.seed) {
    trace->note("gen_ai.request.seed", static_cast<int64_t>(*sampling.seed));
  }
  if (choices > 1) {
    trace->note("gen_ai.request.choice.count", static_cast<int64_t>(choices));
  }
}

void trace_finish(const Trace& trace, const std::vector<engine::GenerateResult>& results) {
  if (!trace) {
    return;
  }
  std::vector<std::string> reasons;
  for (const engine::GenerateResult& result : results) {
    reasons.emplace_back(engine::finish_reason_name(result.finish_reason));
  }
  trace->note("gen_ai.response.finish_reasons", std::move(reasons));
}

net::SpanSink request_spans(net::SpanSink sink) {
  return [sink = std::move(sink)](net::Span span) {
    if (!is_probe(span)) {
      sink(std::move(span));
    }
  };
}

}  // namespace slipway::serve
