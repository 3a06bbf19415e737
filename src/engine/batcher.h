// Requests batched as they come: one scheduler thread owns the queue; while one batch computes, the next collects.
// There is no waiting timer: an idle engine starts at once, so a lone request pays nothing. Any thread may submit.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace slipway::engine {

struct BatcherOptions {
  int max_batch_tokens = 2048;
  int max_queue = 1024;  // texts waiting; more are refused with Error(kUnavailable)
  void describe(base::FieldTable& table);
};

struct BatchResult {
  std::vector<float> logits;
  std::vector<float> embedding;
  model::Matrix token_logits;  // of Input::rows
  model::Matrix hidden;        // where Input::hidden
  int tokens = 0;
  std::chrono::microseconds queued{};    // until its batch began
  std::chrono::microseconds computed{};  // the batch's time
  std::exception_ptr error;              // set instead of the rest when the batch failed
};

class Batcher {
 public:
  // `done` is called once per submitted text, on the scheduler's thread: it must be short (post elsewhere) and not
  // throw.
  using Done = std::function<void(BatchResult)>;

  Batcher(std::shared_ptr<Engine> engine, const BatcherOptions& options);
  // Finishes what is queued, then stops.
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // Throws Error(kUnavailable) when the queue is full or the batcher is stopping, Error(kInvalid) as Engine::check
  // does.
  void submit(Input input, Done done);
  void submit(std::vector<int32_t> token_ids, Done done) {
    submit(Input{.ids = std::move(token_ids)}, std::move(done));
  }
  // Blocks until all are done (for callers outside the event loop); waits while the queue is full.
  std::vector<BatchResult> run(std::vector<std::vector<int32_t>> token_ids);
  int queued() const;
  Engine& engine();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::engine
