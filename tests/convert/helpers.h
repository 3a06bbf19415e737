// A context for tests, and a predictor that answers from a table.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/context.h"
#include "model/predictor.h"

namespace slipway::tests {

struct TestContext {
  explicit TestContext(int threads = 1) : pool(threads) {}
  base::Pool pool;
  base::Log log;
  base::SystemClock clock;
  base::SilentProgress progress;
  std::stop_source stop;
  base::Context context{pool, log, clock, progress, stop.get_token()};
};

class TablePredictor final : public model::Predictor {
 public:
  TablePredictor(std::vector<std::string> labels, std::map<std::string, std::vector<float>> answers)
      : labels_(std::move(labels)), answers_(std::move(answers)) {}
  const std::vector<std::string>& labels() const override { return labels_; }
  model::Matrix logits(std::span<const std::string> texts) override {
    model::Matrix matrix{static_cast<int>(texts.size()), static_cast<int>(labels_.size()), {}};
    for (const std::string& text : texts) {
      const std::vector<float>& row = answers_.at(text);
      matrix.values.insert(matrix.values.end(), row.begin(), row.end());
    }
    return matrix;
  }
  model::Matrix embed(std::span<const std::string> texts) override { return logits(texts); }

 private:
  std::vector<std::string> labels_;
  std::map<std::string, std::vector<float>> answers_;
};

}  // namespace slipway::tests
