// A model small enough to derive by hand, for tests of the loop: the mean of a text's embeddings, then a linear layer.
#pragma once

#include <cmath>
#include <limits>

#include "base/random.h"
#include "train/learner.h"

namespace slipway::tests {

class ToyLearner final : public train::Learner {
 public:
  ToyLearner(int vocab, int dim, int labels, uint64_t seed) : dim_(dim), labels_(labels) {
    table_ = set_.add(parameter("table", {vocab, dim}, true, true));
    weight_ = set_.add(parameter("weight", {labels, dim}, true, false));
    bias_ = set_.add(parameter("bias", {labels}, false, false));
    set_.allocate();
    base::Rng rng(seed);
    for (int i = 0; i < set_.size(); ++i) {
      for (float& value : set_[i].value) {
        value = static_cast<float>(0.3 * rng.normal());
      }
    }
  }

  train::ParameterSet& parameters() override { return set_; }
  std::vector<int> tables() const override { return {table_}; }
  int label_count() const override { return labels_; }

  double step(const train::PackedBatch& batch, uint64_t dropout_seed, std::vector<train::RowGradient>& grads) override {
    seeds.push_back(dropout_seed);
    if (fail_at_step > 0 && static_cast<int>(seeds.size()) == fail_at_step) {
      return std::numeric_limits<double>::quiet_NaN();
    }
    const auto labels = static_cast<size_t>(labels_);
    const auto dim = static_cast<size_t>(dim_);
    weight_grad_.assign(labels * dim, 0);
    bias_grad_.assign(labels, 0);
    grads.assign(1, {});
    double loss = 0;
    std::vector<float> mean(dim);
    std::vector<double> p(labels);
    for (int t = 0; t < batch.texts(); ++t) {
      pool(batch, t, mean);
      loss += probabilities(mean, batch.labels[static_cast<size_t>(t)], p);
      backward(batch, t, mean, p, grads[0]);
    }
    set_[weight_].grad = weight_grad_.data();
    set_[bias_].grad = bias_grad_.data();
    return loss / batch.texts();
  }

  void logits(const train::PackedBatch& batch, std::span<float> out) override {
    std::vector<float> mean(static_cast<size_t>(dim_));
    for (int t = 0; t < batch.texts(); ++t) {
      pool(batch, t, mean);
      for (int l = 0; l < labels_; ++l) {
        out[static_cast<size_t>(t * labels_ + l)] = score(mean, l);
      }
    }
  }

  std::vector<uint64_t> seeds;  // of every step so far
  int fail_at_step = 0;         // > 0: this call of step() gives NaN

 private:
  static train::Parameter parameter(const char* name, std::vector<int64_t> shape, bool decay, bool by_row) {
    train::Parameter p;
    p.name = name;
    p.shape = std::move(shape);
    p.decay = decay;
    p.by_row = by_row;
    return p;
  }

  void pool(const train::PackedBatch& batch, int text, std::vector<float>& mean) {
    std::fill(mean.begin(), mean.end(), 0.0F);
    const int begin = batch.begins[static_cast<size_t>(text)];
    const int end = batch.begins[static_cast<size_t>(text) + 1];
    for (int i = begin; i < end; ++i) {
      for (int d = 0; d < dim_; ++d) {
        mean[static_cast<size_t>(d)] +=
            set_[table_].value[static_cast<size_t>(batch.ids[static_cast<size_t>(i)] * dim_ + d)] /
            static_cast<float>(end - begin);
      }
    }
  }

  float score(const std::vector<float>& mean, int label) {
    float sum = set_[bias_].value[static_cast<size_t>(label)];
    for (int d = 0; d < dim_; ++d) {
      sum += set_[weight_].value[static_cast<size_t>(label * dim_ + d)] * mean[static_cast<size_t>(d)];
    }
    return sum;
  }

  double probabilities(const std::vector<float>& mean, int label, std::vector<double>& p) {
    double sum = 0;
    for (int l = 0; l < labels_; ++l) {
      p[static_cast<size_t>(l)] = std::exp(static_cast<double>(score(mean, l)));
      sum += p[static_cast<size_t>(l)];
    }
    for (double& value : p) {
      value /= sum;
    }
    return -std::log(p[static_cast<size_t>(label)]);
  }

  void backward(const train::PackedBatch& batch, int text, const std::vector<float>& mean, const std::vector<double>& p,
                train::RowGradient& table) {
    const int begin = batch.begins[static_cast<size_t>(text)];
    const int end = batch.begins[static_cast<size_t>(text) + 1];
    std::vector<float> back(static_cast<size_t>(dim_), 0.0F);
    for (int l = 0; l < labels_; ++l) {
      const double error =
          (p[static_cast<size_t>(l)] - (l == batch.labels[static_cast<size_t>(text)] ? 1 : 0)) / batch.texts();
      bias_grad_[static_cast<size_t>(l)] += static_cast<float>(error);
      for (int d = 0; d < dim_; ++d) {
        const auto at = static_cast<size_t>(l * dim_ + d);
        weight_grad_[at] += static_cast<float>(error) * mean[static_cast<size_t>(d)];
        back[static_cast<size_t>(d)] +=
            static_cast<float>(error) * set_[weight_].value[at] / static_cast<float>(end - begin);
      }
    }
    for (int i = begin; i < end; ++i) {
      const int32_t id = batch.ids[static_cast<size_t>(i)];
      size_t place = static_cast<size_t>(std::find(table.rows.begin(), table.rows.end(), id) - table.rows.begin());
      if (place == table.rows.size()) {
        table.rows.push_back(id);
        table.values.resize(table.rows.size() * static_cast<size_t>(dim_), 0.0F);
      }
      for (int d = 0; d < dim_; ++d) {
        table.values[place * static_cast<size_t>(dim_) + static_cast<size_t>(d)] += back[static_cast<size_t>(d)];
      }
    }
  }

  int dim_;
  int labels_;
  int table_, weight_, bias_;
  train::ParameterSet set_;
  std::vector<float> weight_grad_, bias_grad_;
};

// Random texts whose label follows from their first token's parity.
inline train::EncodedSplit toy_split(int rows, int vocab, uint64_t seed) {
  train::EncodedSplit split;
  base::Rng rng(seed);
  for (int i = 0; i < rows; ++i) {
    const auto length = 1 + rng.below(9);
    const auto label = static_cast<int32_t>(rng.below(2));
    for (uint64_t j = 0; j < length; ++j) {
      split.ids.push_back(static_cast<int32_t>(2 * rng.below(static_cast<uint64_t>(vocab) / 2)) + label);
    }
    split.begins.push_back(static_cast<int64_t>(split.ids.size()));
    split.labels.push_back(label);
  }
  return split;
}

}  // namespace slipway::tests
