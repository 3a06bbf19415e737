// A predictor whose answer is a function of the text, and a context that says nothing.
#pragma once

#include <functional>

#include "base/context.h"
#include "model/predictor.h"

namespace slipway::tests {

class FakePredictor final : public model::Predictor {
 public:
  FakePredictor(std::vector<std::string> labels, std::function<std::vector<float>(const std::string&)> logits)
      : labels_(std::move(labels)), logits_(std::move(logits)) {}
  const std::vector<std::string>& labels() const override { return labels_; }
  model::Matrix logits(std::span<const std::string> texts) override {
    model::Matrix matrix{static_cast<int>(texts.size()), static_cast<int>(labels_.size()), {}};
    for (const std::string& text : texts) {
      for (const float value : logits_(text)) {
        matrix.values.push_back(value);
      }
    }
    return matrix;
  }
  model::Matrix embed(std::span<const std::string>) override { return {}; }

 private:
  std::vector<std::string> labels_;
  std::function<std::vector<float>(const std::string&)> logits_;
};

struct QuietContext {
  base::Pool pool{1};
  base::Log log;
  base::SystemClock clock;
  base::SilentProgress progress;
  std::stop_source stop;
  base::Context context{pool, log, clock, progress, stop.get_token()};
};

}  // namespace slipway::tests
