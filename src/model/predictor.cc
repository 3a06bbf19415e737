#include "model/predictor.h"

#include <algorithm>
#include <cmath>

namespace slipway::model {

void softmax_rows(Matrix& logits) noexcept {
  for (int r = 0; r < logits.rows; ++r) {
    const std::span<float> row = logits.row(r);
    if (row.empty()) {
      return;
    }
    const float top = *std::max_element(row.begin(), row.end());
    double sum = 0;
    for (float& value : row) {
      value = std::exp(value - top);
      sum += value;
    }
    const auto scale = static_cast<float>(1.0 / sum);
    for (float& value : row) {
      value *= scale;
    }
  }
}

void class_probabilities(Matrix& logits) noexcept {
  if (logits.cols != 1) {
    softmax_rows(logits);
    return;
  }
  for (float& value : logits.values) {
    value = 1.0F / (1.0F + std::exp(-value));
  }
}

Matrix probabilities(Predictor& predictor, std::span<const std::string> texts) {
  Matrix result = predictor.logits(texts);
  class_probabilities(result);
  return result;
}

int argmax(std::span<const float> row) noexcept {
  return row.empty() ? -1 : static_cast<int>(std::max_element(row.begin(), row.end()) - row.begin());
}

}  // namespace slipway::model
