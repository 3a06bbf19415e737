#include "engine/packer.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::engine {
namespace {

using kernels::BlockType;
using model::DType;

struct TypeName {
  const char* word;  // of the option
  BlockType block;
  DType dtype;
};
constexpr TypeName kTypes[] = {
    {"f32", BlockType::kF32, DType::kF32},    {"f16", BlockType::kF16, DType::kF16},
    {"bf16", BlockType::kBf16, DType::kBF16}, {"q8_0", BlockType::kQ8_0, DType::kQ8_0},
    {"q4_0", BlockType::kQ4_0, DType::kQ4_0}, {"q4_1", BlockType::kQ4_1, DType::kQ4_1},
};

const TypeName& entry_of(BlockType type) {
  return *std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeName& t) { return t.block == type; });
}

// The type with a kernel that holds the file's values exactly.
std::optional<BlockType> same_type(DType dtype) {
  for (const TypeName& type : kTypes) {
    if (type.dtype == dtype) {
      return type.block;
    }
  }
  return std::nullopt;
}

std::optional<BlockType> wanted_type(const std::string& word) {
  if (word == "auto") {
    return std::nullopt;
  }
  for (const TypeName& type : kTypes) {
    if (word == type.word) {
      return type.block;
    }
  }
  throw base::Error(
      base::Code::kInvalid,
      fmt::format("weight type '{}' is unknown; there are auto, f32, f16, bf16, q8_0, q4_0 and q4_1", word));
}

BlockType packed_type(DType dtype, int64_t k, std::optional<BlockType> wanted) {
  BlockType type =
      wanted.value_or(same_type(dtype).value_or(model::dtype_block(dtype) > 1 ? BlockType::kQ8_0 : BlockType::kF32));
  if (kernels::is_quantized(type) && k % kernels::kBlockValues != 0) {
    type = BlockType::kF32;
  }
  return type;
}

// Rows [first, first + rows) of a matrix.
model::TensorView rows_of(const model::TensorView& tensor, int64_t first, int64_t rows) {
  const size_t row_bytes = tensor.bytes.size() / static_cast<size_t>(tensor.shape[0]);
  return {tensor.name,
          tensor.dtype,
          {rows, tensor.shape[1]},
          tensor.bytes.substr(static_cast<size_t>(first) * row_bytes, static_cast<size_t>(rows) * row_bytes)};
}

}  // namespace

Packer::Packer(const model::NamedTensors& weights, base::Isa isa, const std::string& weight_type, base::Pool& pool,
               const PackedCache* cache)
    : weights_(weights), isa_(isa), wanted_(wanted_type(weight_type)), pool_(pool), cache_(cache) {}

PackedLinear Packer::linear(const std::string& name) {
  PackedLinear out;
  out.w = cached(weights_.describe(name + ".weight"));
  if (out.w.empty()) {
    all_cached_ = false;
    out.w = matrix(weights_.load(name + ".weight").view);
    weights_.source().drop_pages();  // else the model would be in memory twice
  }
  bytes_ += out.w.bytes();
  by_type_[out.w.type()] += out.w.bytes();
  matrices_.push_back({name + ".weight", out.w});
  if (weights_.has(name + ".bias")) {
    out.bias = weights_.read_f32(name + ".bias");
  }
  return out;
}

PackedNorm Packer::norm(const std::string& name, model::NormKind kind) const {
  PackedNorm out;
  if (!weights_.has(name + ".weight")) {
    return out;
  }
  out.weight = weights_.read_f32(name + ".weight");
  if (kind == model::NormKind::kLayer) {
    out.bias =
        weights_.has(name + ".bias") ? weights_.read_f32(name + ".bias") : std::vector<float>(out.weight.size(), 0.0F);
  }
  return out;
}

std::string Packer::main_type() const {
  const auto most = std::max_element(by_type_.begin(), by_type_.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return model::dtype_name(entry_of(most->first).dtype);
}

kernels::PackedBlocks Packer::cached(const model::TensorView& tensor) const {
  if (cache_ == nullptr) {
    return {};
  }
  const auto n = static_cast<int>(tensor.shape[0]);
  const auto k = static_cast<int>(tensor.shape[1]);
  return cache_->find(tensor.name, packed_type(tensor.dtype, k, wanted_), n, k).value_or(kernels::PackedBlocks());
}

kernels::PackedBlocks Packer::matrix(const model::TensorView& tensor) {
  const auto n = static_cast<int>(tensor.shape[0]);
  const auto k = static_cast<int>(tensor.shape[1]);
  const BlockType type = packed_type(tensor.dtype, k, wanted_);
  kernels::PackedBlocks packed(isa_, type, n, k, arena_);
  const bool same = same_type(tensor.dtype) == type;
  costly_bytes_ += same && kernels::is_quantized(type) ? 0 : packed.bytes();
  if (same) {
    packed.pack_all(tensor.bytes.data(), 0, &pool_);
  } else {
    convert(tensor, type, packed);
  }
  return packed;
}

void Packer::convert(const model::TensorView& tensor, BlockType type, kernels::PackedBlocks& packed) {
  const int64_t n = packed.n();
  const int64_t k = packed.k();
  const int64_t grain = int64_t{packed.panel_columns()} * 4;
  const int64_t row_bytes = kernels::block_row_bytes(type, k);
  pool_.parallel_for((n + grain - 1) / grain, [&](int64_t i) {
    const int64_t first = i * grain;
    const int64_t rows = std::min(grain, n - first);
    const std::vector<float> values = model::tensor_to_f32(rows_of(tensor, first, rows), weights_.source().source());
    std::vector<char> bytes(static_cast<size_t>(rows * row_bytes));
    for (int64_t r = 0; r < rows; ++r) {
      kernels::quantize_row(type, k, values.data() + r * k, bytes.data() + r * row_bytes);
    }
    packed.pack(static_cast<int>(first), static_cast<int>(rows), bytes.data(), row_bytes);
  });
}

void read_row(const model::TensorView& matrix, const std::string& source, int32_t id, std::span<float> out) {
  const model::TensorView row = rows_of(matrix, id, 1);
  if (const auto type = same_type(row.dtype)) {
    kernels::dequantize_row(*type, static_cast<int64_t>(out.size()), row.bytes.data(), out.data());
    return;
  }
  const std::vector<float> values = model::tensor_to_f32(row, source);
  std::copy(values.begin(), values.end(), out.begin());
}

}  // namespace slipway::engine
