#include "train/parameters.h"

#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>
#include <numeric>

#include "base/error.h"

namespace slipway::train {
namespace {

constexpr int64_t kAlignFloats = 16;  // 64 bytes: a cache line and an AVX-512 register

int64_t aligned(int64_t count) { return (count + kAlignFloats - 1) / kAlignFloats * kAlignFloats; }

}  // namespace

FloatBlock::FloatBlock(int64_t count) : count_(count) {
  const auto bytes = static_cast<size_t>(aligned(std::max<int64_t>(count, 1))) * sizeof(float);
  auto* memory = static_cast<float*>(std::aligned_alloc(64, bytes));
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  std::memset(memory, 0, bytes);
  data_.reset(memory);
}

void FloatBlock::Free::operator()(float* p) const noexcept { std::free(p); }

int ParameterSet::add(Parameter parameter, bool joined) {
  SLIPWAY_CHECK(block_.size() == 0);
  parameter.count = std::accumulate(parameter.shape.begin(), parameter.shape.end(), int64_t{1}, std::multiplies<>());
  const int64_t begin = joined ? end_ : aligned(end_);
  offsets_.push_back(begin);
  end_ = begin + parameter.count;
  parameters_.push_back(std::move(parameter));
  return size() - 1;
}

void ParameterSet::allocate() {
  SLIPWAY_CHECK(block_.size() == 0);
  block_ = FloatBlock(end_);
  for (size_t i = 0; i < parameters_.size(); ++i) {
    parameters_[i].value = {block_.data() + offsets_[i], static_cast<size_t>(parameters_[i].count)};
  }
}

int ParameterSet::find(const std::string& name) const {
  for (int i = 0; i < size(); ++i) {
    if ((*this)[i].name == name) {
      return i;
    }
  }
  return -1;
}

int64_t ParameterSet::total_count() const {
  int64_t sum = 0;
  for (const Parameter& p : parameters_) {
    sum += p.count;
  }
  return sum;
}

int64_t ParameterSet::trainable_count() const {
  int64_t sum = 0;
  for (const Parameter& p : parameters_) {
    sum += p.trainable ? p.count : 0;
  }
  return sum;
}

}  // namespace slipway::train
