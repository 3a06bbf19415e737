#include "serve/generator_meters.h"

#include <algorithm>
#include <chrono>

namespace slipway::serve {

namespace {

using engine::GeneratorStats;

// vLLM's buckets (vllm/v1/metrics/loggers.py), so that its quantiles and ours can be told beside each other.
const std::vector<double> kFirstToken = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5,  0.75,
                                         1,     2.5,   5,    7.5,  10,   20,   40,   80,  160,  640, 2560};
const std::vector<double> kInterToken = {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5,
                                         0.75, 1,     2.5,  5,     7.5, 10,   20,  40,  80};
const std::vector<double> kRequest = {0.3, 0.5, 0.8, 1,  1.5, 2,   2.5, 5,   10,  15,  20,
                                      30,  40,  50,  60, 120, 240, 480, 960, 1920, 7680};
const std::vector<double> kTokens = {1,   2,    5,    10,   20,    50,    100,   200,    500,
                                     1000, 2000, 5000, 10'000, 20'000, 50'000, 100'000, 200'000, 500'000, 1'000'000};
const std::vector<double> kChoices = {1, 2, 5, 10, 20};

const std::vector<std::string> kLabels = {"model_name", "engine"};
constexpr const char* kEngine = "0";  // vLLM numbers its processes; we have one

double seconds(std::chrono::microseconds time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

net::Histogram& GeneratorMeters::vllm_histogram(const char* name, const char* help, const std::vector<double>& bounds) {
  return metrics_.histogram(name, help, bounds, kLabels, {model_, kEngine});
}

net::Counter& GeneratorMeters::vllm_counter(const char* name, const char* help) {
  return metrics_.counter(name, help, kLabels, {model_, kEngine});
}

GeneratorMeters::GeneratorMeters(net::MetricRegistry& metrics, const std::string& model,
                                 const std::function<GeneratorStats()>& stats)
    : metrics_(metrics),
      model_(model),
      prompt_tokens_(metrics.counter("slipway_tokens_total", "Tokens computed.", {"kind"}, {"input"})),
      output_tokens_(metrics.counter("slipway_tokens_total", "Tokens computed.", {"kind"}, {"output"})),
      cached_tokens_(metrics.counter("slipway_cached_tokens_total", "Prompt tokens taken from the prefix cache.")),
      first_token_(metrics.histogram("slipway_time_to_first_token_seconds", "From the request to its first token.",
                                     net::latency_bounds())),
      inter_token_(metrics.histogram("slipway_inter_token_seconds", "Between two tokens of an answer.",
                                     net::latency_bounds())),
      queue_(metrics.histogram("slipway_queue_seconds", "Time a request waits until it is computed.",
                               net::latency_bounds())),
      whole_(metrics.histogram("slipway_generation_seconds", "From the request to its last token.",
                               net::latency_bounds())),
      vllm_prompt_tokens_(vllm_counter("vllm:prompt_tokens_total", "As slipway_tokens_total, kind input.")),
      vllm_output_tokens_(vllm_counter("vllm:generation_tokens_total", "As slipway_tokens_total, kind output.")),
      vllm_cache_queries_(vllm_counter("vllm:prefix_cache_queries_total", "Prompt tokens looked up in the prefix cache.")),
      vllm_cache_hits_(vllm_counter("vllm:prefix_cache_hits_total", "As slipway_cached_tokens_total.")),
      vllm_first_token_(vllm_histogram("vllm:time_to_first_token_seconds", "As slipway_time_to_first_token_seconds.",
                                       kFirstToken)),
      vllm_inter_token_(
          vllm_histogram("vllm:inter_token_latency_seconds", "As slipway_inter_token_seconds.", kInterToken)),
      vllm_queue_(vllm_histogram("vllm:request_queue_time_seconds", "As slipway_queue_seconds.", kRequest)),
      vllm_prefill_(vllm_histogram("vllm:request_prefill_time_seconds",
                                   "From the first row computed of a request to its first token.", kRequest)),
      vllm_decode_(vllm_histogram("vllm:request_decode_time_seconds", "From the first token of an answer to its last.",
                                  kRequest)),
      vllm_inference_(vllm_histogram("vllm:request_inference_time_seconds",
                                     "From the first row computed of a request to its last token.", kRequest)),
      vllm_whole_(vllm_histogram("vllm:e2e_request_latency_seconds", "As slipway_generation_seconds.", kRequest)),
      vllm_request_prompt_(vllm_histogram("vllm:request_prompt_tokens", "Tokens of a prompt.", kTokens)),
      vllm_request_output_(vllm_histogram("vllm:request_generation_tokens", "Tokens of an answer.", kTokens)),
      vllm_choices_(vllm_histogram("vllm:request_params_n", "Answers that a request wants.", kChoices)),
      vllm_max_tokens_(
          vllm_histogram("vllm:request_params_max_tokens", "Most tokens that an answer may have.", kTokens)) {
  const auto gauge = [&](const char* ours, const char* theirs, const char* help, double (*read)(const GeneratorStats&)) {
    metrics.callback(ours, help, [stats, read] { return read(stats()); });
    metrics.callback(theirs, help, [stats, read] { return read(stats()); }, kLabels, {model_, kEngine});
  };
  gauge("slipway_running_requests", "vllm:num_requests_running", "Answers being generated.",
        [](const GeneratorStats& s) { return static_cast<double>(s.running); });
  gauge("slipway_waiting_requests", "vllm:num_requests_waiting", "Requests that wait for the engine.",
        [](const GeneratorStats& s) { return static_cast<double>(s.waiting); });
  gauge("slipway_kv_cache_used_ratio", "vllm:kv_cache_usage_perc", "Share of the KV cache that running answers use.",
        [](const GeneratorStats& s) {
          const auto pages = static_cast<double>(std::max<int64_t>(1, s.kv_pages));
          return static_cast<double>(s.kv_pages - s.kv_pages_free - s.kv_pages_cached) / pages;
        });
  gauge("slipway_preemptions_total", "vllm:num_preemptions_total",
        "Answers that gave up their place in the KV cache and are computed again.",
        [](const GeneratorStats& s) { return static_cast<double>(s.preemptions); });
}

void GeneratorMeters::ended(size_t choices, int max_tokens) {
  vllm_choices_.observe(static_cast<double>(choices));
  vllm_max_tokens_.observe(max_tokens);
}

void GeneratorMeters::token_after(double seconds) {
  inter_token_.observe(seconds);
  vllm_inter_token_.observe(seconds);
}

void GeneratorMeters::done(const engine::GenerateResult& result) {
  const engine::Usage& usage = result.usage;
  prompt_tokens_.add(usage.prompt_tokens);
  vllm_prompt_tokens_.add(usage.prompt_tokens);
  vllm_cache_queries_.add(usage.prompt_tokens);
  int output = usage.completion_tokens;
  for (const engine::GenerateResult& other : result.others) {
    output += other.usage.completion_tokens;
  }
  output_tokens_.add(output);
  vllm_output_tokens_.add(output);
  cached_tokens_.add(usage.cached_tokens);
  vllm_cache_hits_.add(usage.cached_tokens);
  vllm_request_prompt_.observe(usage.prompt_tokens);
  vllm_request_output_.observe(output);
  const double queued = seconds(result.queued);
  const double total = seconds(result.total);
  queue_.observe(queued);
  vllm_queue_.observe(queued);
  whole_.observe(total);
  vllm_whole_.observe(total);
  vllm_inference_.observe(std::max(0.0, total - queued));
  if (usage.completion_tokens > 0) {
    const double first = seconds(result.first_token);
    first_token_.observe(first);
    vllm_first_token_.observe(first);
    vllm_prefill_.observe(std::max(0.0, first - queued));
    vllm_decode_.observe(std::max(0.0, total - first));
  }
  const std::string reason = engine::finish_reason_name(result.finish_reason);
  metrics_.counter("slipway_generations_total", "Answers by how they ended.", {"finished_reason"}, {reason}).add();
  metrics_
      .counter("vllm:request_success_total", "As slipway_generations_total.", {"model_name", "engine", "finished_reason"},
               {model_, kEngine, reason})
      .add();
}

}  // namespace slipway::serve
