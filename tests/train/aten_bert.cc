#include "train/aten_bert.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>
#include <algorithm>
#include <c10/core/GradMode.h>
#include <cmath>
#include <cstring>

#include "base/error.h"

namespace slipway::tests {
namespace {

using at::Tensor;
using train::BertIndex;
using train::BertLayerIndex;
using train::BertParameters;
using train::Dropout;
using train::Learner;
using train::PackedBatch;
using train::ParameterSet;
using train::RowGradient;

Tensor int_tensor(std::span<const int32_t> values) {
  Tensor out = at::zeros({static_cast<int64_t>(values.size())}, at::kLong);
  std::copy(values.begin(), values.end(), out.data_ptr<int64_t>());
  return out;
}

// The distinct ids of a batch in rising order, and where each token finds its own among them.
void distinct_ids(std::span<const int32_t> ids, std::vector<int32_t>& distinct, std::vector<int32_t>& place) {
  distinct.assign(ids.begin(), ids.end());
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  place.resize(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    place[i] = static_cast<int32_t>(std::lower_bound(distinct.begin(), distinct.end(), ids[i]) - distinct.begin());
  }
}

// How packed tokens and padded [texts, longest] places correspond, for attention.
struct Padding {
  int64_t texts = 0;
  int64_t longest = 0;
  Tensor token_of_place;  // [texts * longest], 0 where there is none
  Tensor place_of_token;  // [tokens]
  Tensor mask;            // [texts, 1, longest], 0 or -inf
};

Padding make_padding(const PackedBatch& batch) {
  Padding padding;
  padding.texts = batch.texts();
  for (int i = 0; i < batch.texts(); ++i) {
    padding.longest = std::max<int64_t>(
        padding.longest, batch.begins[static_cast<size_t>(i) + 1] - batch.begins[static_cast<size_t>(i)]);
  }
  padding.token_of_place = at::zeros({padding.texts * padding.longest}, at::kLong);
  padding.place_of_token = at::zeros({batch.tokens()}, at::kLong);
  padding.mask = at::zeros({padding.texts, 1, padding.longest}, at::kFloat);
  auto* token_of_place = padding.token_of_place.data_ptr<int64_t>();
  auto* place_of_token = padding.place_of_token.data_ptr<int64_t>();
  auto* mask = padding.mask.data_ptr<float>();
  for (int64_t text = 0; text < padding.texts; ++text) {
    const int64_t begin = batch.begins[static_cast<size_t>(text)];
    const int64_t length = batch.begins[static_cast<size_t>(text) + 1] - begin;
    for (int64_t i = 0; i < padding.longest; ++i) {
      const int64_t place = text * padding.longest + i;
      if (i < length) {
        token_of_place[place] = begin + i;
        place_of_token[begin + i] = place;
      } else {
        mask[place] = -INFINITY;
      }
    }
  }
  return padding;
}

class AtenBert final : public Learner {
 public:
  AtenBert(BertParameters& parameters, const Dropout& dropout) : parameters_(parameters), dropout_(dropout) {
    ParameterSet& set = parameters_.set;
    for (int i = 0; i < set.size(); ++i) {
      Tensor tensor = at::from_blob(set[i].value.data(), set[i].shape, at::kFloat);
      tensor.set_requires_grad(set[i].trainable && !set[i].by_row);
      tensors_.push_back(tensor);
    }
  }

  ParameterSet& parameters() override { return parameters_.set; }
  std::vector<int> tables() const override {
    return parameters_.frozen_layers == 0 ? std::vector<int>{parameters_.index.word} : std::vector<int>{};
  }
  int label_count() const override { return static_cast<int>(parameters_.spec.labels.size()); }

  double step(const PackedBatch& batch, uint64_t dropout_seed, std::vector<RowGradient>& table_grads) override {
    at::manual_seed(dropout_seed);
    for (Tensor& tensor : tensors_) {
      tensor.mutable_grad() = Tensor();
    }
    const Tensor scores = forward(batch, true);
    const Tensor loss = at::cross_entropy_loss(scores, int_tensor(batch.labels));
    loss.backward();
    ParameterSet& set = parameters_.set;
    for (int i = 0; i < set.size(); ++i) {
      if (set[i].trainable && !set[i].by_row) {
        Tensor& grad = tensors_[static_cast<size_t>(i)].mutable_grad();
        grad = grad.defined() ? grad.contiguous() : at::zeros(set[i].shape, at::kFloat);
        set[i].grad = grad.data_ptr<float>();
      }
    }
    table_grads.resize(tables().size());
    if (!table_grads.empty()) {
      const Tensor grad = word_rows_.grad().contiguous();
      table_grads[0].rows = distinct_;
      table_grads[0].values.assign(grad.data_ptr<float>(), grad.data_ptr<float>() + grad.numel());
    }
    return loss.item<double>();
  }

  void logits(const PackedBatch& batch, std::span<float> out) override {
    const c10::AutoGradMode off(false);
    const Tensor scores = forward(batch, false).contiguous();
    SLIPWAY_CHECK(static_cast<size_t>(scores.numel()) == out.size());
    std::memcpy(out.data(), scores.data_ptr<float>(), out.size_bytes());
  }

 private:
  const Tensor& t(int index) const { return tensors_[static_cast<size_t>(index)]; }

  Tensor embed(const PackedBatch& batch, bool train) {
    std::vector<int32_t> place;
    distinct_ids(batch.ids, distinct_, place);
    std::vector<int32_t> positions;
    for (int i = 0; i < batch.texts(); ++i) {
      const int length = batch.begins[static_cast<size_t>(i) + 1] - batch.begins[static_cast<size_t>(i)];
      for (int position = 0; position < length; ++position) {
        positions.push_back(position);
      }
    }
    const BertIndex& index = parameters_.index;
    word_rows_ = at::index_select(t(index.word), 0, int_tensor(distinct_)).detach();
    word_rows_.set_requires_grad(train && parameters_.frozen_layers == 0);
    const Tensor sum = at::index_select(word_rows_, 0, int_tensor(place)) +
                       at::index_select(t(index.position), 0, int_tensor(positions)) + t(index.type)[0];
    return at::dropout(norm(sum, index.norm_weight, index.norm_bias), dropout_.hidden, train);
  }

  Tensor norm(const Tensor& x, int weight, int bias) const {
    return at::layer_norm(x, {parameters_.spec.hidden_size}, t(weight), t(bias), parameters_.spec.layer_norm_eps);
  }

  Tensor attention(const Tensor& qkv, const Padding& padding, bool train) const {
    const int64_t heads = parameters_.spec.num_heads;
    const int64_t dim = parameters_.spec.head_dim();
    const Tensor padded = at::index_select(qkv, 0, padding.token_of_place)
                              .view({padding.texts, padding.longest, 3, heads, dim})
                              .permute({2, 0, 3, 1, 4})
                              .contiguous()
                              .view({3, padding.texts * heads, padding.longest, dim});
    const Tensor scores = at::bmm(padded[0] / std::sqrt(static_cast<double>(dim)), padded[1].transpose(1, 2));
    const Tensor masked =
        scores.view({padding.texts, heads, padding.longest, padding.longest}) + padding.mask.unsqueeze(1);
    const Tensor weights = at::dropout(at::softmax(masked, -1), dropout_.attention, train);
    const Tensor mixed = at::bmm(weights.view_as(scores), padded[2]);
    return at::index_select(mixed.view({padding.texts, heads, padding.longest, dim})
                                .transpose(1, 2)
                                .reshape({padding.texts * padding.longest, heads * dim}),
                            0, padding.place_of_token);
  }

  Tensor activate(const Tensor& x) const {
    const std::string& name = parameters_.spec.activation;
    return name == "relu" ? at::relu(x) : at::gelu(x, name == "gelu_new" ? "tanh" : "none");
  }

  Tensor joined(int first, int count) const {
    // Query, key and value are three leaves whose memory is one: autograd wants to see the three.
    std::vector<Tensor> parts;
    for (int i = 0; i < count; ++i) {
      parts.push_back(t(first + i));
    }
    return at::cat(parts, 0);
  }

  Tensor layer(const Tensor& x, const BertLayerIndex& index, const Padding& padding, bool train) const {
    const Tensor qkv = at::linear(x, joined(index.qkv_weight, 3), joined(index.qkv_bias, 3));
    const Tensor mixed =
        at::linear(attention(qkv, padding, train), t(index.attention_output_weight), t(index.attention_output_bias));
    const Tensor middle =
        norm(x + at::dropout(mixed, dropout_.hidden, train), index.attention_norm_weight, index.attention_norm_bias);
    const Tensor inner = activate(at::linear(middle, t(index.intermediate_weight), t(index.intermediate_bias)));
    const Tensor outer = at::linear(inner, t(index.output_weight), t(index.output_bias));
    return norm(middle + at::dropout(outer, dropout_.hidden, train), index.output_norm_weight, index.output_norm_bias);
  }

  Tensor forward(const PackedBatch& batch, bool train) {
    const Padding padding = make_padding(batch);
    Tensor x = embed(batch, train);
    for (const BertLayerIndex& index : parameters_.index.layers) {
      x = layer(x, index, padding, train);
    }
    const std::span<const int32_t> begins(batch.begins.data(), batch.begins.size() - 1);
    const BertIndex& index = parameters_.index;
    const Tensor first = at::index_select(x, 0, int_tensor(begins));
    const Tensor pooled = at::tanh(at::linear(first, t(index.pooler_weight), t(index.pooler_bias)));
    return at::linear(at::dropout(pooled, dropout_.hidden, train), t(index.classifier_weight),
                      t(index.classifier_bias));
  }

  BertParameters& parameters_;
  Dropout dropout_;
  std::vector<Tensor> tensors_;  // over the parameters' memory
  std::vector<int32_t> distinct_;
  Tensor word_rows_;
};

}  // namespace

std::unique_ptr<train::Learner> make_aten_bert(train::BertParameters& parameters, const train::Dropout& dropout) {
  return std::make_unique<AtenBert>(parameters, dropout);
}

}  // namespace slipway::tests
