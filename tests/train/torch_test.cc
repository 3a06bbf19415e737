// The classifier as the worker trains it against the same model in ATen's own operations with autograd, and our AdamW
// against torch's.
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <cmath>
#include <torch/optim/adamw.h>

#include "base/random.h"
#include "support/support.h"
#include "support/tiny_bert.h"
#include "train/adamw.h"
#include "train/aten_bert.h"
#include "train/torch_classifier.h"

namespace slipway::train {
namespace {

PackedBatch random_batch(uint64_t seed, int vocab) {
  base::Rng rng(seed);
  PackedBatch batch;
  batch.begins.push_back(0);
  for (int i = 0; i < 9; ++i) {
    const auto length = 2 + rng.below(30);
    for (uint64_t j = 0; j < length; ++j) {
      batch.ids.push_back(static_cast<int32_t>(rng.below(static_cast<uint64_t>(vocab))));
    }
    batch.begins.push_back(static_cast<int32_t>(batch.ids.size()));
    batch.labels.push_back(static_cast<int32_t>(rng.below(2)));
  }
  return batch;
}

BertParameters parameters_of(const tests::TinyBert& tiny, int frozen) {
  BertParameters parameters = make_bert_parameters(tests::tiny_spec(tiny), frozen);
  base::Rng rng(3);
  for (int i = 0; i < parameters.set.size(); ++i) {
    const bool gain = parameters.set[i].name.ends_with("LayerNorm.weight");
    for (float& value : parameters.set[i].value) {
      value = static_cast<float>((gain ? 1.0 : 0.0) + 0.2 * rng.normal());
    }
  }
  return parameters;
}

class AgainstAten : public ::testing::TestWithParam<std::pair<const char*, int>> {};

TEST_P(AgainstAten, LossLogitsAndEveryGradientAgree) {
  tests::TinyBert tiny;
  tiny.activation = GetParam().first;
  base::Pool pool(2);
  BertParameters ours = parameters_of(tiny, GetParam().second);
  BertParameters theirs = parameters_of(tiny, GetParam().second);
  const auto learner = make_torch_classifier(ours, {0, 0}, pool);
  const auto reference = tests::make_aten_bert(theirs, {0, 0});
  const PackedBatch batch = random_batch(1, ours.spec.vocab_size);
  std::vector<float> logits(18);
  std::vector<float> expected(18);
  learner->logits(batch, logits);
  reference->logits(batch, expected);
  for (size_t i = 0; i < logits.size(); ++i) {
    EXPECT_NEAR(logits[i], expected[i], 2e-5);
  }
  std::vector<RowGradient> rows;
  std::vector<RowGradient> expected_rows;
  EXPECT_NEAR(learner->step(batch, 1, rows), reference->step(batch, 1, expected_rows), 1e-5);
  for (int i = 0; i < ours.set.size(); ++i) {
    if (!ours.set[i].trainable || ours.set[i].by_row) {
      continue;
    }
    for (int64_t j = 0; j < ours.set[i].count; ++j) {
      const float want = theirs.set[i].grad[j];
      ASSERT_NEAR(ours.set[i].grad[j], want, 2e-5F * (1 + std::abs(want))) << ours.set[i].name << " " << j;
    }
  }
  ASSERT_EQ(rows.size(), expected_rows.size());
  if (!rows.empty()) {
    EXPECT_EQ(rows[0].rows, expected_rows[0].rows);
    for (size_t j = 0; j < rows[0].values.size(); ++j) {
      ASSERT_NEAR(rows[0].values[j], expected_rows[0].values[j], 2e-5) << j;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, AgainstAten,
                         ::testing::Values(std::pair{"gelu", 0}, std::pair{"gelu_new", 0}, std::pair{"relu", 0},
                                           std::pair{"gelu", 1}, std::pair{"gelu", 2}));

TEST(AdamW, GivesTheValuesOfTorchs) {
  ParameterSet set;
  Parameter p;
  p.name = "w";
  p.shape = {300, 70};
  set.add(p);
  set.allocate();
  base::Rng rng(2);
  for (float& value : set[0].value) {
    value = static_cast<float>(rng.normal());
  }
  at::Tensor theirs = at::from_blob(set[0].value.data(), {300, 70}, at::kFloat).clone();
  theirs.set_requires_grad(true);
  torch::optim::AdamW torchs({theirs}, torch::optim::AdamWOptions(2e-3).weight_decay(0.05).eps(1e-8));
  base::Pool pool(2);
  AdamW ours(set, {0.9, 0.999, 1e-8, 0.05, 0.0}, pool);
  std::vector<float> grad(300 * 70);
  for (int step = 0; step < 12; ++step) {
    for (float& value : grad) {
      value = static_cast<float>(0.1 * rng.normal());
    }
    set[0].grad = grad.data();
    theirs.mutable_grad() = at::from_blob(grad.data(), {300, 70}, at::kFloat);
    ours.step(2e-3, {});
    torchs.step();
  }
  const float* expected = theirs.data_ptr<float>();
  for (size_t i = 0; i < grad.size(); ++i) {
    ASSERT_NEAR(set[0].value[i], expected[i], 3e-6) << i;
  }
}

TEST(TorchCheck, TellsVersionAndSpeed) {
  const TorchCheck check = check_torch();
  EXPECT_FALSE(check.version.empty());
  EXPECT_GT(check.gflops, 0.1);
}

}  // namespace
}  // namespace slipway::train
