// The hand-derived backward pass against finite differences in double precision of the loss, and single pieces against
// their formulas.
#include <cmath>

#include "base/cpu.h"
#include "base/random.h"
#include "support/support.h"
#include "support/tiny_bert.h"
#include "train/bert_encoder.h"

namespace slipway::train {
namespace {

PackedBatch random_batch(base::Rng& rng, int texts, int vocab, int longest) {
  PackedBatch batch;
  batch.begins.push_back(0);
  for (int i = 0; i < texts; ++i) {
    const auto length = 1 + rng.below(static_cast<uint64_t>(longest));
    for (uint64_t j = 0; j < length; ++j) {
      batch.ids.push_back(static_cast<int32_t>(rng.below(static_cast<uint64_t>(vocab))));
    }
    batch.begins.push_back(static_cast<int32_t>(batch.ids.size()));
    batch.labels.push_back(static_cast<int32_t>(i % 2));
  }
  return batch;
}

struct Case {
  const char* activation;
  float dropout;
  int frozen;
  int heads;
};

class EncoderGradient : public ::testing::TestWithParam<Case> {};

// loss = sum(c * hidden) with random c, so that d_hidden = c.
TEST_P(EncoderGradient, EqualsFiniteDifferences) {
  tests::TinyBert tiny;
  tiny.hidden = 24;  // a head dimension that does not fill vectors
  tiny.heads = GetParam().heads;
  tiny.intermediate = 40;
  tiny.activation = GetParam().activation;
  BertParameters parameters = make_bert_parameters(tests::tiny_spec(tiny), GetParam().frozen);
  base::Rng rng(9);
  for (int i = 0; i < parameters.set.size(); ++i) {
    const bool gain = parameters.set[i].name.ends_with("LayerNorm.weight");
    for (float& value : parameters.set[i].value) {
      value = static_cast<float>((gain ? 1.0 : 0.0) + 0.25 * rng.normal());
    }
  }
  base::Pool pool(2);
  const PackedBatch batch = random_batch(rng, 5, parameters.spec.vocab_size, 9);
  BertEncoder encoder(parameters, {GetParam().dropout, GetParam().dropout}, pool);
  const size_t count = static_cast<size_t>(batch.tokens()) * 24;
  std::vector<float> c(count);
  for (float& value : c) {
    value = static_cast<float>(rng.normal());
  }
  const auto loss = [&] {
    const float* hidden = encoder.forward(batch, true, 77);
    double sum = 0;
    for (size_t i = 0; i < count; ++i) {
      sum += static_cast<double>(c[i]) * static_cast<double>(hidden[i]);
    }
    return sum;
  };
  loss();
  std::vector<float> d = c;
  RowGradient words;
  encoder.backward(batch, d.data(), words);
  std::vector<std::vector<float>> grads;
  for (int i = 0; i < parameters.index.pooler_weight; ++i) {
    const Parameter& p = parameters.set[i];
    grads.emplace_back(p.trainable && !p.by_row ? std::vector<float>(p.grad, p.grad + p.count) : std::vector<float>());
  }
  const auto check = [&](float& value, double expected, const std::string& what) {
    const float before = value;
    const float step = 4e-3F;
    value = before + step;
    const double up = loss();
    value = before - step;
    const double down = loss();
    value = before;
    // Error of the difference: step^2 f''' / 6 and rounding of the loss, 1e-5 / step.
    EXPECT_NEAR((up - down) / (2.0 * static_cast<double>(step)), expected, 2e-2 * (1 + std::abs(expected))) << what;
  };
  for (int i = 0; i < parameters.index.pooler_weight; ++i) {
    Parameter& p = parameters.set[i];
    for (int probe = 0; probe < 4 && !grads[static_cast<size_t>(i)].empty(); ++probe) {
      const auto at = static_cast<size_t>(rng.below(static_cast<uint64_t>(p.count)));
      check(p.value[at], static_cast<double>(grads[static_cast<size_t>(i)][at]),
            p.name + "[" + std::to_string(at) + "]");
    }
  }
  EXPECT_EQ(words.rows.empty(), GetParam().frozen > 0);
  for (size_t i = 0; i < words.rows.size(); i += 7) {
    Parameter& table = parameters.set[parameters.index.word];
    check(table.value[static_cast<size_t>(words.rows[i]) * 24 + i % 24],
          static_cast<double>(words.values[i * 24 + i % 24]), "word " + std::to_string(words.rows[i]));
  }
}

INSTANTIATE_TEST_SUITE_P(All, EncoderGradient,
                         ::testing::Values(Case{"gelu", 0, 0, 4}, Case{"gelu", 0.3F, 0, 2}, Case{"gelu_new", 0, 0, 3},
                                           Case{"gelu", 0.1F, 1, 4}));

class EncoderTest : public ::testing::Test {
 protected:
  EncoderTest() : parameters_(make_bert_parameters(tests::tiny_spec({}), 0)) {
    draw_weights(parameters_, 3);
    batch_ = random_batch(rng_, 6, parameters_.spec.vocab_size, 20);
  }
  std::vector<float> hidden(BertEncoder& encoder, bool train, uint64_t seed, const PackedBatch& batch) {
    const float* states = encoder.forward(batch, train, seed);
    return {states, states + static_cast<size_t>(batch.tokens()) * 32};
  }
  base::Rng rng_{4};
  BertParameters parameters_;
  PackedBatch batch_;
};

TEST_F(EncoderTest, GivesTheSameBitsForAnyNumberOfThreads) {
  std::vector<float> grads[2];
  std::vector<float> states[2];
  for (int run = 0; run < 2; ++run) {
    base::Pool pool(run == 0 ? 1 : 4);
    BertEncoder encoder(parameters_, {}, pool);
    states[run] = hidden(encoder, true, 5, batch_);
    std::vector<float> d(states[run].size(), 0.1F);
    d[7] = 1;
    RowGradient words;
    encoder.backward(batch_, d.data(), words);
    const Parameter& p = parameters_.set[parameters_.index.layers[0].intermediate_weight];
    grads[run].assign(p.grad, p.grad + p.count);
    grads[run].insert(grads[run].end(), words.values.begin(), words.values.end());
  }
  EXPECT_EQ(states[0], states[1]);
  EXPECT_EQ(grads[0], grads[1]);
}

TEST_F(EncoderTest, ComputesATextAloneAsInABatch) {
  base::Pool pool(2);
  BertEncoder encoder(parameters_, {}, pool);
  const std::vector<float> all = hidden(encoder, false, 0, batch_);
  PackedBatch one;
  one.ids.assign(batch_.ids.begin() + batch_.begins[2], batch_.ids.begin() + batch_.begins[3]);
  one.begins = {0, batch_.begins[3] - batch_.begins[2]};
  const std::vector<float> alone = hidden(encoder, false, 0, one);
  EXPECT_TRUE(std::equal(alone.begin(), alone.end(), all.begin() + batch_.begins[2] * 32));
}

TEST_F(EncoderTest, DropsOutBySeedOnly) {
  base::Pool pool(2);
  BertEncoder encoder(parameters_, {}, pool);
  EXPECT_EQ(hidden(encoder, true, 1, batch_), hidden(encoder, true, 1, batch_));
  EXPECT_NE(hidden(encoder, true, 1, batch_), hidden(encoder, true, 2, batch_));
  EXPECT_NE(hidden(encoder, true, 1, batch_), hidden(encoder, false, 1, batch_));
}

class EveryVectorOps : public ::testing::Test {
 protected:
  EveryVectorOps() {
    if (base::cpu_features().avx2) {
      all_.push_back(&kVectorOpsAvx2);
    }
    if (base::cpu_features().avx512) {
      all_.push_back(&kVectorOpsAvx512);
    }
  }
  std::vector<const VectorOps*> all_ = {&kVectorOpsBaseline};
};

TEST_F(EveryVectorOps, ActivationsAndTheirSlopesAreThoseOfTheFormulas) {
  std::vector<float> u;
  for (float x = -12; x <= 12; x += 0.037F) {
    u.push_back(x);
  }
  const std::vector<float> bias(u.size(), 0.25F);
  for (const VectorOps* ops : all_) {
    for (const GeluKind kind : {GeluKind::kErf, GeluKind::kTanh, GeluKind::kRelu}) {
      std::vector<float> x = u;
      std::vector<float> y(u.size());
      ops->bias_activation(kind, x.data(), bias.data(), y.data(), static_cast<int>(x.size()));
      for (size_t i = 0; i < u.size(); ++i) {
        const double v = static_cast<double>(u[i] + 0.25F);
        double f = std::max(0.0, v);
        double slope = v > 0 ? 1 : 0;
        if (kind == GeluKind::kErf) {
          const double phi = 0.5 * (1 + std::erf(v / std::sqrt(2.0)));
          f = v * phi;
          slope = phi + v * std::exp(-v * v / 2) / std::sqrt(2 * M_PI);
        } else if (kind == GeluKind::kTanh) {
          const double a = std::sqrt(2 / M_PI);
          const double t = std::tanh(a * (v + 0.044715 * v * v * v));
          f = 0.5 * v * (1 + t);
          slope = 0.5 * (1 + t) + 0.5 * v * (1 - t * t) * a * (1 + 3 * 0.044715 * v * v);
        }
        ASSERT_NEAR(y[i], f, 1e-6 * std::max(1.0, std::abs(v))) << ops->name << " " << v;
        ASSERT_NEAR(x[i], slope, 2e-6) << ops->name << " " << v;
      }
    }
  }
}

TEST_F(EveryVectorOps, DropoutKeepsTheMeanAndTheChoice) {
  const DropoutKey key = dropout_key(0.2F, 3, 4);
  const std::vector<float> ones(100000, 1.0F);
  std::vector<float> expected;
  for (const VectorOps* ops : all_) {
    std::vector<float> y(ones.size());
    ops->dropout(y.data(), ones.data(), static_cast<int64_t>(y.size()), 1000, key);
    double sum = 0;
    for (const float value : y) {
      ASSERT_TRUE(value == 0.0F || value == 1.25F);
      sum += static_cast<double>(value);
    }
    // 100,000 draws: standard deviation of the mean 0.5 / 316 = 0.0016.
    EXPECT_NEAR(sum / 1e5, 1.0, 0.008) << ops->name;
    expected = expected.empty() ? y : expected;
    EXPECT_EQ(y, expected) << ops->name;
    std::vector<float> part(50);
    ops->dropout(part.data(), ones.data(), 50, 1100, key);
    EXPECT_TRUE(std::equal(part.begin(), part.end(), y.begin() + 100)) << ops->name;
  }
}

TEST_F(EveryVectorOps, SmallProductsSoftmaxAndColumnSums) {
  base::Rng rng(8);
  std::vector<float> a(7 * 9);
  std::vector<float> b(9 * 32);
  for (float& value : a) {
    value = static_cast<float>(rng.normal());
  }
  for (float& value : b) {
    value = static_cast<float>(rng.normal());
  }
  for (const VectorOps* ops : all_) {
    std::vector<float> c(7 * 32);
    ops->small_product(7, 32, 9, a.data(), 9, 1, b.data(), 32, c.data(), 32);
    std::vector<float> ct(9 * 32);
    ops->small_product(9, 32, 7, a.data(), 1, 9, c.data(), 32, ct.data(), 32);  // a^T c
    double sum = 0;
    for (size_t l = 0; l < 9; ++l) {
      sum += static_cast<double>(a[3 * 9 + l]) * static_cast<double>(b[l * 32 + 17]);
    }
    EXPECT_NEAR(c[3 * 32 + 17], sum, 1e-5) << ops->name;
    sum = 0;
    for (size_t l = 0; l < 7; ++l) {
      sum += static_cast<double>(a[l * 9 + 5]) * static_cast<double>(c[l * 32 + 30]);
    }
    EXPECT_NEAR(ct[5 * 32 + 30], sum, 1e-4) << ops->name;
    std::vector<float> p = {1, 2, 3, -50, 2};
    ops->softmax(p.data(), 5, 2);
    EXPECT_NEAR(p[2] / p[1], std::exp(2.0), 1e-5) << ops->name;
    EXPECT_NEAR(p[0] + p[1] + p[2] + p[3] + p[4], 1, 1e-6);
    std::vector<float> s(30);
    std::vector<float> q(30);
    ops->column_sums(c.data(), c.data(), 7, 32, 30, s.data(), q.data());
    double squares = 0;
    for (size_t r = 0; r < 7; ++r) {
      squares += static_cast<double>(c[r * 32 + 29]) * static_cast<double>(c[r * 32 + 29]);
    }
    EXPECT_NEAR(q[29], squares, 1e-4) << ops->name;
  }
}

}  // namespace
}  // namespace slipway::train
