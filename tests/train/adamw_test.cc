#include "train/adamw.h"

#include <cmath>

#include "base/cpu.h"
#include "base/random.h"
#include "support/support.h"
#include "train/vector_ops.h"

namespace slipway::train {
namespace {

// The definition, in double, dense.
struct DenseAdamW {
  std::vector<double> w, m, v;
  int64_t t = 0;

  void step(const std::vector<double>& g, const AdamWOptions& o, double lr, double clip, bool decay) {
    ++t;
    for (size_t i = 0; i < w.size(); ++i) {
      const double gi = g[i] * clip;
      w[i] *= decay ? 1 - lr * o.weight_decay : 1;
      m[i] = o.beta1 * m[i] + (1 - o.beta1) * gi;
      v[i] = o.beta2 * v[i] + (1 - o.beta2) * gi * gi;
      const double m_hat = m[i] / (1 - std::pow(o.beta1, static_cast<double>(t)));
      const double v_hat = v[i] / (1 - std::pow(o.beta2, static_cast<double>(t)));
      w[i] -= lr * m_hat / (std::sqrt(v_hat) + o.epsilon);
    }
  }
};

Parameter make(const char* name, std::vector<int64_t> shape, bool decay, bool by_row = false) {
  Parameter p;
  p.name = name;
  p.shape = std::move(shape);
  p.decay = decay;
  p.by_row = by_row;
  return p;
}

// A dense matrix, a bias and a table of 50 rows, with random gradients that use few rows, against the definition.
class AdamWTest : public ::testing::Test {
 protected:
  void SetUp() override { fill(); }

  void fill() {
    set_.add(make("weight", {37, 1003}, true));
    set_.add(make("bias", {37}, false));
    set_.add(make("table", {50, 24}, true, true));
    set_.allocate();
    for (int i = 0; i < set_.size(); ++i) {
      DenseAdamW& dense = dense_[static_cast<size_t>(i)];
      for (float& value : set_[i].value) {
        value = static_cast<float>(rng_.normal());
        dense.w.push_back(value);
      }
      dense.m.assign(dense.w.size(), 0);
      dense.v.assign(dense.w.size(), 0);
    }
  }

  // One step of both; returns the norms.
  std::pair<double, double> step(AdamW& optimizer, const AdamWOptions& options, double lr) {
    std::vector<std::vector<double>> dense_grads;
    std::vector<std::vector<float>> grads(2);
    double squares = 0;
    for (int i = 0; i < 2; ++i) {
      auto& d = dense_grads.emplace_back();
      for (int64_t j = 0; j < set_[i].count; ++j) {
        const auto g = static_cast<float>(0.01 * rng_.normal());
        grads[static_cast<size_t>(i)].push_back(g);
        d.push_back(g);
        squares += static_cast<double>(g) * static_cast<double>(g);
      }
      set_[i].grad = grads[static_cast<size_t>(i)].data();
    }
    RowGradient rows;
    auto& table = dense_grads.emplace_back(static_cast<size_t>(set_[2].count), 0.0);
    for (int32_t row = static_cast<int32_t>(rng_.below(6)); row < 40; row += 1 + static_cast<int32_t>(rng_.below(12))) {
      rows.rows.push_back(row);
      for (size_t j = 0; j < 24; ++j) {
        const auto g = static_cast<float>(rng_.normal());
        rows.values.push_back(g);
        table[static_cast<size_t>(row) * 24 + j] = g;
        squares += static_cast<double>(g) * static_cast<double>(g);
      }
    }
    optimizer.touch_rows(2, rows.rows);
    const double norm = optimizer.step(lr, std::span(&rows, 1));
    const double expected = std::sqrt(squares);
    const double clip = options.max_grad_norm > 0 ? std::min(1.0, options.max_grad_norm / (expected + 1e-6)) : 1;
    for (int i = 0; i < 3; ++i) {
      dense_[static_cast<size_t>(i)].step(dense_grads[static_cast<size_t>(i)], options, lr, clip, set_[i].decay);
    }
    return {norm, expected};
  }

  void expect_equal(double tolerance) {
    for (int i = 0; i < 3; ++i) {
      for (size_t j = 0; j < set_[i].value.size(); ++j) {
        ASSERT_NEAR(set_[i].value[j], dense_[static_cast<size_t>(i)].w[j], tolerance) << set_[i].name << " " << j;
      }
    }
  }

  base::Rng rng_{11};
  base::Pool pool_{3};
  ParameterSet set_;
  std::array<DenseAdamW, 3> dense_;
};

TEST_F(AdamWTest, IsDenseAdamWThoughTheTableIsHandledByRow) {
  const AdamWOptions options = {0.9, 0.999, 1e-8, 0.1, 1.0};
  AdamW optimizer(set_, options, pool_);
  for (int i = 0; i < 20; ++i) {
    const auto [norm, expected] = step(optimizer, options, 1e-2);
    ASSERT_NEAR(norm, expected, 1e-5 * expected);
  }
  optimizer.settle();
  // 20 steps of relative error 2^-23 each on values of a few units.
  expect_equal(2e-5);
  EXPECT_LT(optimizer.row_moments(2).rows.size(), 41U);  // rows 40 to 49 never had a gradient
  EXPECT_EQ(optimizer.row_moments(2).slot_of_row[45], -1);
}

TEST_F(AdamWTest, DoesNotClipWhenTold) {
  const AdamWOptions options = {0.9, 0.99, 1e-6, 0.0, 0.0};
  AdamW optimizer(set_, options, pool_);
  for (int i = 0; i < 5; ++i) {
    step(optimizer, options, 1e-3);
  }
  optimizer.settle();
  expect_equal(1e-5);
}

TEST_F(AdamWTest, ChangesNothingForAGradientThatIsNotFinite) {
  AdamW optimizer(set_, {}, pool_);
  std::vector<float> weight(static_cast<size_t>(set_[0].count), 0.0F);
  std::vector<float> bias(37, 0.0F);
  weight[20000] = INFINITY;
  set_[0].grad = weight.data();
  set_[1].grad = bias.data();
  const RowGradient none;
  const std::vector<float> before(set_[0].value.begin(), set_[0].value.end());
  EXPECT_FALSE(std::isfinite(optimizer.step(1e-3, std::span(&none, 1))));
  EXPECT_TRUE(std::equal(before.begin(), before.end(), set_[0].value.begin()));
  EXPECT_EQ(optimizer.steps_done(), 0);
}

TEST_F(AdamWTest, GivesTheSameBitsForAnyNumberOfThreads) {
  const AdamWOptions options;
  base::Pool one(1);
  std::vector<float> results[2];
  for (int run = 0; run < 2; ++run) {
    set_ = ParameterSet();
    dense_ = {};
    rng_ = base::Rng(5);
    fill();
    AdamW optimizer(set_, options, run == 0 ? pool_ : one);
    for (int i = 0; i < 3; ++i) {
      step(optimizer, options, 1e-2);
    }
    for (int i = 0; i < 3; ++i) {
      results[run].insert(results[run].end(), set_[i].value.begin(), set_[i].value.end());
    }
  }
  EXPECT_EQ(results[0], results[1]);
}

TEST_F(AdamWTest, LeavesFrozenParametersAlone) {
  ParameterSet set;
  Parameter frozen = make("frozen", {8}, true);
  frozen.trainable = false;
  set.add(frozen);
  set.add(make("free", {8}, true));
  set.allocate();
  set[0].value[0] = 1;
  AdamW optimizer(set, {}, pool_);
  const std::vector<float> grad(8, 1.0F);
  set[1].grad = grad.data();
  optimizer.step(0.1, {});
  EXPECT_EQ(set[0].value[0], 1.0F);
  EXPECT_LT(set[1].value[0], 0.0F);
  EXPECT_TRUE(optimizer.first_moment(0).empty());
}

TEST(VectorOps, EveryInstructionSetComputesTheSame) {
  std::vector<const VectorOps*> all = {&kVectorOpsBaseline};
  if (base::cpu_features().avx2) {
    all.push_back(&kVectorOpsAvx2);
  }
  if (base::cpu_features().avx512) {
    all.push_back(&kVectorOpsAvx512);
  }
  base::Rng rng(2);
  for (const int64_t n : {1, 7, 16, 33, 1000}) {
    std::vector<float> x(static_cast<size_t>(n));
    double squares = 0;
    for (float& value : x) {
      value = static_cast<float>(rng.normal());
      squares += static_cast<double>(value) * static_cast<double>(value);
    }
    for (const VectorOps* ops : all) {
      EXPECT_NEAR(ops->sum_squares(x.data(), n), squares, 1e-12 * squares) << ops->name;
      std::vector<float> y = x;
      ops->add(y.data(), x.data(), n);
      ops->scale(y.data(), 0.5F, n);
      EXPECT_EQ(y, x) << ops->name;
    }
  }
}

}  // namespace
}  // namespace slipway::train
