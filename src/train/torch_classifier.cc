#include "train/torch_classifier.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>
#include <algorithm>
#include <c10/core/GradMode.h>
#include <cstring>
#include <torch/version.h>

#include "base/clock.h"
#include "base/error.h"

namespace slipway::train {
namespace {

using at::Tensor;

Tensor int_tensor(std::span<const int32_t> values) {
  Tensor out = at::zeros({static_cast<int64_t>(values.size())}, at::kLong);
  std::copy(values.begin(), values.end(), out.data_ptr<int64_t>());
  return out;
}

// The encoder is ours (BertEncoder); what stands on top of it, here the pooler and the classifier, is on autograd's
// tape, which begins at the last hidden states as a leaf.
class TorchClassifier final : public Learner {
 public:
  TorchClassifier(BertParameters& parameters, const Dropout& dropout, base::Pool& pool)
      : parameters_(parameters), dropout_(dropout), encoder_(parameters, dropout, pool) {
    const BertIndex& index = parameters.index;
    for (const int i : {index.pooler_weight, index.pooler_bias, index.classifier_weight, index.classifier_bias}) {
      Tensor tensor = at::from_blob(parameters.set[i].value.data(), parameters.set[i].shape, at::kFloat);
      tensor.set_requires_grad(true);
      head_.push_back({i, tensor, Tensor()});
    }
  }

  ParameterSet& parameters() override { return parameters_.set; }
  std::vector<int> tables() const override {
    return parameters_.frozen_layers == 0 ? std::vector<int>{parameters_.index.word} : std::vector<int>{};
  }
  int label_count() const override { return static_cast<int>(parameters_.spec.labels.size()); }

  double step(const PackedBatch& batch, uint64_t dropout_seed, std::vector<RowGradient>& table_grads) override {
    at::manual_seed(dropout_seed);
    for (HeadTensor& part : head_) {
      part.tensor.mutable_grad() = Tensor();
    }
    Tensor hidden = hidden_states(batch, true, dropout_seed);
    hidden.set_requires_grad(true);
    const Tensor loss = at::cross_entropy_loss(scores(hidden, batch, true), int_tensor(batch.labels));
    loss.backward();
    for (HeadTensor& part : head_) {
      part.grad = part.tensor.grad().contiguous();
      parameters_.set[part.parameter].grad = part.grad.data_ptr<float>();
    }
    Tensor d_hidden = hidden.grad().contiguous();
    table_grads.resize(tables().size());
    RowGradient none;
    encoder_.backward(batch, d_hidden.data_ptr<float>(), table_grads.empty() ? none : table_grads[0]);
    return loss.item<double>();
  }

  void logits(const PackedBatch& batch, std::span<float> out) override {
    const c10::AutoGradMode off(false);
    const Tensor result = scores(hidden_states(batch, false, 0), batch, false).contiguous();
    SLIPWAY_CHECK(static_cast<size_t>(result.numel()) == out.size());
    std::memcpy(out.data(), result.data_ptr<float>(), out.size_bytes());
  }

 private:
  struct HeadTensor {
    int parameter;
    Tensor tensor;  // over the parameter's memory
    Tensor grad;    // of the last step
  };

  Tensor hidden_states(const PackedBatch& batch, bool train, uint64_t seed) {
    // from_blob wants a mutable pointer; nothing on the tape writes to a leaf.
    auto* states = const_cast<float*>(encoder_.forward(batch, train, seed));
    return at::from_blob(states, {batch.tokens(), parameters_.spec.hidden_size}, at::kFloat);
  }

  Tensor scores(const Tensor& hidden, const PackedBatch& batch, bool train) const {
    const std::span<const int32_t> begins(batch.begins.data(), batch.begins.size() - 1);
    const Tensor first = at::index_select(hidden, 0, int_tensor(begins));
    const Tensor pooled = at::tanh(at::linear(first, head_[0].tensor, head_[1].tensor));
    return at::linear(at::dropout(pooled, dropout_.hidden, train), head_[2].tensor, head_[3].tensor);
  }

  BertParameters& parameters_;
  Dropout dropout_;
  BertEncoder encoder_;
  std::vector<HeadTensor> head_;  // pooler weight, bias, classifier weight, bias
};

}  // namespace

std::unique_ptr<Learner> make_torch_classifier(BertParameters& parameters, const Dropout& dropout, base::Pool& pool) {
  return std::make_unique<TorchClassifier>(parameters, dropout, pool);
}

TorchCheck check_torch() {
  const c10::AutoGradMode off(false);
  constexpr int64_t kSize = 256;
  const Tensor a = at::zeros({kSize, kSize}, at::kFloat).fill_(0.5);
  const Tensor b = at::zeros({kSize, kSize}, at::kFloat).fill_(0.25);
  // One thread: on a busy machine two would wait for each other and look like a bad library.
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  double best = 1e9;
  for (int i = 0; i < 16; ++i) {
    const double begin = base::monotonic_seconds();
    const Tensor c = at::mm(a, b);
    best = std::min(best, base::monotonic_seconds() - begin);
  }
  TorchCheck check;
  check.version = torch_version();
  at::set_num_threads(threads);
  check.gflops = 2e-9 * kSize * kSize * kSize / best;
  return check;
}

const char* torch_version() noexcept { return TORCH_VERSION; }
void set_torch_threads(int threads) { at::set_num_threads(threads); }

}  // namespace slipway::train
