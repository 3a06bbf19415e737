#include "serve/backend.h"

#include <condition_variable>
#include <mutex>

namespace slipway::serve {

namespace {

class EngineBackend final : public Backend {
 public:
  EngineBackend(std::shared_ptr<engine::Engine> engine, const BackendOptions& options)
      : engine_(std::move(engine)),
        batcher_(engine_, {.max_batch_tokens = options.max_batch_tokens, .max_queue = options.max_queue}) {
    const model::ModelSpec& spec = engine_->spec();
    info_.precision = engine_->precision();
    info_.max_length = spec.max_tokens();
    info_.vocab_size = spec.vocab_size;
    info_.hidden_size = spec.hidden_size;
    info_.max_batch_tokens = options.max_batch_tokens;
    info_.max_queue = options.max_queue;
    info_.weight_bytes = engine_->weight_bytes();
    info_.spec = spec;
    info_.pooling = engine_->pooling();
  }
  const BackendInfo& info() const override { return info_; }
  const std::vector<std::string>& labels() const override { return engine_->labels(); }
  const text::Tokenizer& tokenizer() const override { return engine_->tokenizer(); }
  std::vector<int32_t> encode(const std::string& text) const override { return engine_->encode(text); }
  void submit(engine::Input input, engine::Batcher::Done done) override {
    batcher_.submit(std::move(input), std::move(done));
  }
  int queued() const override { return batcher_.queued(); }

 private:
  std::shared_ptr<engine::Engine> engine_;
  engine::Batcher batcher_;
  BackendInfo info_;
};

// Texts of one wave of run_on(): enough to fill a batch, few enough that live requests get in between.
constexpr size_t kWave = 32;

}  // namespace

std::unique_ptr<Backend> load_backend(const std::filesystem::path& folder, const BackendOptions& options,
                                      base::Pool& pool) {
  engine::EngineOptions engine_options;
  engine_options.precision = options.precision;
  engine_options.max_tokens = options.max_batch_tokens;
  std::shared_ptr<engine::Engine> engine = engine::Engine::load(folder, engine_options, pool);
  return std::make_unique<EngineBackend>(std::move(engine), options);
}

std::vector<engine::BatchResult> run_on(Backend& backend, std::vector<engine::Input> inputs) {
  std::vector<engine::BatchResult> results(inputs.size());
  std::mutex mutex;
  std::condition_variable changed;
  size_t waiting = 0;
  const auto wait_below = [&](size_t most) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return waiting <= most; });
  };
  for (size_t i = 0; i < inputs.size(); ++i) {
    wait_below(kWave - 1);
    {
      const std::lock_guard lock(mutex);
      ++waiting;
    }
    try {
      backend.submit(std::move(inputs[i]), [&, i](engine::BatchResult result) {
        const std::lock_guard lock(mutex);
        results[i] = std::move(result);
        --waiting;
        changed.notify_one();  // under the lock: the waiter owns these variables
      });
    } catch (...) {
      {
        const std::lock_guard lock(mutex);
        --waiting;
      }
      wait_below(0);
      throw;
    }
  }
  wait_below(0);
  for (const engine::BatchResult& result : results) {
    if (result.error) {
      std::rethrow_exception(result.error);
    }
  }
  return results;
}

std::vector<engine::BatchResult> BackendPredictor::run(std::span<const std::string> texts) {
  std::vector<engine::Input> inputs;
  inputs.reserve(texts.size());
  for (const std::string& text : texts) {
    inputs.push_back({.ids = backend_->encode(text)});
  }
  return run_on(*backend_, std::move(inputs));
}

namespace {

model::Matrix gather(std::span<const engine::BatchResult> results, std::vector<float> engine::BatchResult::*member) {
  model::Matrix matrix;
  matrix.rows = static_cast<int>(results.size());
  for (const engine::BatchResult& result : results) {
    const std::vector<float>& row = result.*member;
    matrix.cols = static_cast<int>(row.size());
    matrix.values.insert(matrix.values.end(), row.begin(), row.end());
  }
  return matrix;
}

}  // namespace

model::Matrix BackendPredictor::logits(std::span<const std::string> texts) {
  return gather(run(texts), &engine::BatchResult::logits);
}

model::Matrix BackendPredictor::embed(std::span<const std::string> texts) {
  return gather(run(texts), &engine::BatchResult::embedding);
}

}  // namespace slipway::serve
