// What the server needs of a loaded model: tokens in, logits and embedding out, batched as they come. The engine is the
// one implementation in the product (load_backend); tests put in slow or failing ones. Any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/pool.h"
#include "engine/batcher.h"
#include "engine/tasks.h"
#include "text/tokenizer.h"

namespace slipway::serve {

struct BackendInfo {
  std::string precision;  // "float32", "int8"
  int max_length = 0;     // tokens of one text, special ones included
  int vocab_size = 0;
  int hidden_size = 0;
  int max_batch_tokens = 0;
  int max_queue = 0;  // texts that may wait
  int64_t weight_bytes = 0;
  model::ModelSpec spec = {};  // the architecture and the head
  model::Pooling pooling = model::Pooling::kMean;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const BackendInfo& info() const = 0;
  // In the order of the logits; empty for an encoder without a head.
  virtual const std::vector<std::string>& labels() const = 0;
  virtual const text::Tokenizer& tokenizer() const = 0;
  // Ids with special tokens, truncated to info().max_length.
  virtual std::vector<int32_t> encode(const std::string& text) const = 0;
  // As engine::Batcher::submit: throws Error(kUnavailable) when the queue is full.
  virtual void submit(engine::Input input, engine::Batcher::Done done) = 0;
  virtual int queued() const = 0;
};

struct BackendOptions {
  std::string precision = "auto";
  int max_batch_tokens = 2048;
  int max_queue = 1024;
};

// Loads a model folder into the engine with a batcher in front. Throws as engine::Engine::load.
std::unique_ptr<Backend> load_backend(const std::filesystem::path& folder, const BackendOptions& options,
                                      base::Pool& pool);

using BackendLoader =
    std::function<std::unique_ptr<Backend>(const std::filesystem::path&, const BackendOptions&, base::Pool&)>;

// One result an input, in their order, through the backend's queue a few at a time, so that one request of many texts
// does not stop the others. Blocks; not for network threads. Throws what computing throws, Error(kUnavailable) when the
// queue is full.
std::vector<engine::BatchResult> run_on(Backend& backend, std::vector<engine::Input> inputs);

// The tasks of engine/tasks.h over a backend. Blocks; not for network threads.
class BackendTaskModel final : public engine::TaskModel {
 public:
  explicit BackendTaskModel(std::shared_ptr<Backend> backend) : backend_(std::move(backend)) {}
  const model::ModelSpec& spec() const override { return backend_->info().spec; }
  const text::Tokenizer& tokenizer() const override { return backend_->tokenizer(); }
  std::vector<engine::BatchResult> run(std::vector<engine::Input> inputs) override {
    return run_on(*backend_, std::move(inputs));
  }

 private:
  std::shared_ptr<Backend> backend_;
};

// A Predictor over a backend: it goes through the same queue as the traffic, a few texts at a time, so that explaining
// one answer does not stop the others. Blocks; not for network threads.
class BackendPredictor final : public model::Predictor {
 public:
  explicit BackendPredictor(std::shared_ptr<Backend> backend) : backend_(std::move(backend)) {}
  const std::vector<std::string>& labels() const override { return backend_->labels(); }
  model::Matrix logits(std::span<const std::string> texts) override;
  model::Matrix embed(std::span<const std::string> texts) override;

 private:
  std::vector<engine::BatchResult> run(std::span<const std::string> texts);
  std::shared_ptr<Backend> backend_;
};

}  // namespace slipway::serve
