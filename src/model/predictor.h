// What every room that asks a model something works on: the engine, libtorch and a remote server are alike.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace slipway::model {

// A batch of rows, row-major.
struct Matrix {
  int rows = 0;
  int cols = 0;
  std::vector<float> values;  // [rows, cols]
  std::span<const float> row(int i) const {
    return {values.data() + static_cast<size_t>(i) * static_cast<size_t>(cols), static_cast<size_t>(cols)};
  }
  std::span<float> row(int i) {
    return {values.data() + static_cast<size_t>(i) * static_cast<size_t>(cols), static_cast<size_t>(cols)};
  }
};

class Predictor {
 public:
  virtual ~Predictor() = default;
  // Class names in the order of columns; empty for an encoder without a head.
  virtual const std::vector<std::string>& labels() const = 0;
  // Raw scores before softmax [texts, labels]. Batching is the implementation's business: pass as many as there are.
  virtual Matrix logits(std::span<const std::string> texts) = 0;
  // Mean of the last hidden states over tokens, scaled to length 1 [texts, hidden].
  virtual Matrix embed(std::span<const std::string> texts) = 0;
};

// Softmax of each row in place, in a stable way.
void softmax_rows(Matrix& logits) noexcept;

// Logits of classes to probabilities in place: softmax of several labels, the logistic function of a single one, which
// says yes or no by itself (as transformers' pipelines do).
void class_probabilities(Matrix& logits) noexcept;

// logits() then class_probabilities().
Matrix probabilities(Predictor& predictor, std::span<const std::string> texts);

// Index of the largest value of the row; the first when equal; -1 for an empty row.
int argmax(std::span<const float> row) noexcept;

}  // namespace slipway::model
