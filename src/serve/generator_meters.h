// What is measured of a generator: under our names, and under those of vLLM, with its labels and buckets, so that
// dashboards and autoscalers made for it work unchanged. Any thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/generator.h"
#include "net/metrics.h"

namespace slipway::serve {

class GeneratorMeters {
 public:
  // The registry is borrowed; `stats` is asked at each scrape and outlives the registry's use. `model` is what clients
  // call it.
  GeneratorMeters(net::MetricRegistry& metrics, const std::string& model,
                  const std::function<engine::GeneratorStats()>& stats);

  // All of a request is answered: as many answers as it wanted, each of at most `max_tokens`.
  void ended(size_t choices, int max_tokens);
  // Between two tokens of an answer.
  void token_after(double seconds);
  // An answer has ended.
  void done(const engine::GenerateResult& result);

 private:
  net::Histogram& vllm_histogram(const char* name, const char* help, const std::vector<double>& bounds);
  net::Counter& vllm_counter(const char* name, const char* help);

  net::MetricRegistry& metrics_;
  const std::string model_;
  net::Counter& prompt_tokens_;
  net::Counter& output_tokens_;
  net::Counter& cached_tokens_;
  net::Histogram& first_token_;
  net::Histogram& inter_token_;
  net::Histogram& queue_;
  net::Histogram& whole_;
  net::Counter& vllm_prompt_tokens_;
  net::Counter& vllm_output_tokens_;
  net::Counter& vllm_cache_queries_;
  net::Counter& vllm_cache_hits_;
  net::Histogram& vllm_first_token_;
  net::Histogram& vllm_inter_token_;
  net::Histogram& vllm_queue_;
  net::Histogram& vllm_prefill_;
  net::Histogram& vllm_decode_;
  net::Histogram& vllm_inference_;
  net::Histogram& vllm_whole_;
  net::Histogram& vllm_request_prompt_;
  net::Histogram& vllm_request_output_;
  net::Histogram& vllm_choices_;
  net::Histogram& vllm_max_tokens_;
};

}  // namespace slipway::serve
