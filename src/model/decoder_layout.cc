#include "model/decoder_layout.h"

namespace slipway::model {

bool is_qkv(DecoderRole role) noexcept {
  return role == DecoderRole::kQuery || role == DecoderRole::kKey || role == DecoderRole::kValue;
}

Layout layout_of(const DecoderSpec& spec, FileNaming naming, const DecoderTensor& tensor) noexcept {
  if (naming == FileNaming::kGguf) {
    const bool rotated = tensor.role == DecoderRole::kQuery || tensor.role == DecoderRole::kKey;
    return spec.family == DecoderFamily::kLlama && rotated ? Layout::kPairInterleaved : Layout::kRows;
  }
  const bool norm = tensor.role == DecoderRole::kNorm || tensor.role == DecoderRole::kHeadNorm;
  if ((spec.family == DecoderFamily::kGemma2 || spec.family == DecoderFamily::kGemma3) && norm) {
    return Layout::kMinusOne;
  }
  if (spec.family == DecoderFamily::kGptNeoX && is_qkv(tensor.role)) {
    return Layout::kHeadInterleaved;
  }
  const bool embedding = tensor.role == DecoderRole::kEmbedding || tensor.role == DecoderRole::kPositions ||
                         tensor.role == DecoderRole::kLmHead;
  const bool conv1d = spec.family == DecoderFamily::kGpt2 && !norm && !embedding && !tensor.is_bias;
  return conv1d ? Layout::kTransposed : Layout::kRows;
}

Extent extent_of(const DecoderSpec& spec, const DecoderTensor& tensor, Fusion fusion) noexcept {
  const int64_t rows = tensor.shape.front();
  if (fusion == Fusion::kGateUp) {
    return {2 * rows, tensor.role == DecoderRole::kUp ? rows : 0};
  }
  if (fusion == Fusion::kQkv) {
    const int64_t queries = int64_t{spec.num_heads} * spec.head_dim;
    const int64_t keys = int64_t{spec.num_kv_heads} * spec.head_dim;
    const int64_t first = tensor.role == DecoderRole::kQuery ? 0
                          : tensor.role == DecoderRole::kKey ? queries
                                                             : queries + keys;
    return {queries + 2 * keys, first};
  }
  return {rows, 0};
}

int64_t file_row(const DecoderSpec& spec, Layout layout, DecoderRole role, int64_t first, int64_t row) noexcept {
  const int64_t head = spec.head_dim;
  if (layout == Layout::kHeadInterleaved) {
    const int part = role == DecoderRole::kQuery ? 0 : role == DecoderRole::kKey ? 1 : 2;
    return (row / head) * 3 * head + part * head + row % head;
  }
  if (layout == Layout::kPairInterleaved) {
    // The converter wrote row (half, i) of a head at 2 i + half.
    const int64_t in_head = row % head;
    return first + row - in_head + 2 * (in_head % (head / 2)) + in_head / (head / 2);
  }
  return first + row;
}

}  // namespace slipway::model
