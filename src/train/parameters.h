// The weights of a model in training, in one block of memory, and where their gradients are. Torch-free: the learner
// puts tensors over this memory, the optimiser and the checkpoint work on it directly. Not synchronised: one thread
// changes it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace slipway::train {

// A block of floats aligned to 64 bytes, zero at first.
class FloatBlock {
 public:
  FloatBlock() = default;
  explicit FloatBlock(int64_t count);
  float* data() noexcept { return data_.get(); }
  const float* data() const noexcept { return data_.get(); }
  int64_t size() const noexcept { return count_; }

 private:
  struct Free {
    void operator()(float* p) const noexcept;
  };
  std::unique_ptr<float, Free> data_;
  int64_t count_ = 0;
};

struct Parameter {
  std::string name;            // as in a Hugging Face file, with "bert."
  std::vector<int64_t> shape;  // row-major
  int64_t count = 0;
  bool decay = true;      // weight decay applies: not for biases and layer norms
  bool trainable = true;  // false: frozen, no gradient, no moments
  bool by_row = false;    // a table of embeddings [rows, dim]: its gradient comes as a RowGradient
  std::span<float> value;
  // Filled by the learner after each step, valid until its next one; [count], row-major. Unused when by_row or frozen.
  const float* grad = nullptr;
  int64_t rows() const { return shape[0]; }
  int64_t row_size() const { return count / shape[0]; }
};

// The rows of a table that a batch used and their gradients.
struct RowGradient {
  std::vector<int32_t> rows;  // distinct
  std::vector<float> values;  // [rows, dim]
};

class ParameterSet {
 public:
  // Declares a parameter; the values lie behind each other in the order of the calls, each aligned to 64 bytes unless
  // `joined`, which puts it right behind the one before (query, key and value as one matrix). Returns its index.
  int add(Parameter parameter, bool joined = false);
  // After the last add(): gives every parameter its memory (zeros). Called once.
  void allocate();

  int size() const { return static_cast<int>(parameters_.size()); }
  Parameter& operator[](int i) { return parameters_[static_cast<size_t>(i)]; }
  const Parameter& operator[](int i) const { return parameters_[static_cast<size_t>(i)]; }
  // -1 when there is none.
  int find(const std::string& name) const;
  int64_t total_count() const;
  int64_t trainable_count() const;

 private:
  std::vector<Parameter> parameters_;
  std::vector<int64_t> offsets_;
  int64_t end_ = 0;
  FloatBlock block_;
};

}  // namespace slipway::train
