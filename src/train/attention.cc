#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/hash.h"
#include "train/bert_encoder.h"

namespace slipway::train {
namespace {

int padded(int n) { return (n + 15) / 16 * 16; }

// One text's head as matrices that lie together, padded to whole vectors with zeros.
class Head {
 public:
  Head(const AttentionShape& shape, int longest)
      : dim_(shape.head_dim), wide_(padded(shape.head_dim)), row_(3 * shape.heads * shape.head_dim) {
    const auto tokens = static_cast<size_t>(longest);
    const auto columns = static_cast<size_t>(padded(longest));
    q_.resize(tokens * static_cast<size_t>(wide_));
    k_.resize(q_.size());
    v_.resize(q_.size());
    k_transposed_.resize(static_cast<size_t>(dim_) * columns);
    v_transposed_.resize(k_transposed_.size());
    weights_.resize(tokens * columns);
    dropped_.resize(weights_.size());
    d_weights_.resize(weights_.size());
    d_out_.resize(q_.size());
    out_.resize(q_.size());
  }

  // Copies the head's queries, keys and values of a text whose rows begin at `qkv`.
  void load(const AttentionShape& shape, const float* qkv, int length, int head) {
    length_ = length;
    columns_ = padded(length);
    const int hidden = shape.heads * shape.head_dim;
    std::fill_n(k_transposed_.begin(), static_cast<int64_t>(dim_) * columns_, 0.0F);
    for (int t = 0; t < length; ++t) {
      const float* from = qkv + static_cast<int64_t>(t) * row_ + head * dim_;
      copy_row(q_.data() + t * wide_, from);
      copy_row(k_.data() + t * wide_, from + hidden);
      copy_row(v_.data() + t * wide_, from + 2 * hidden);
      for (int d = 0; d < dim_; ++d) {
        k_transposed_[static_cast<size_t>(d * columns_ + t)] = from[hidden + d];
      }
    }
  }

  // weights = softmax(q k^T / sqrt(dim)); dropped = dropout(weights).
  void attend(const VectorOps& ops, const DropoutKey& key) {
    const float factor = 1.0F / std::sqrt(static_cast<float>(dim_));
    ops.small_product(length_, columns_, dim_, q_.data(), wide_, 1, k_transposed_.data(), columns_, weights_.data(),
                      columns_);
    for (int t = 0; t < length_; ++t) {
      float* row = weights_.data() + static_cast<int64_t>(t) * columns_;
      ops.softmax(row, length_, factor);
      std::fill(row + length_, row + columns_, 0.0F);
    }
    if (key.threshold != 0) {
      ops.dropout(dropped_.data(), weights_.data(), static_cast<int64_t>(length_) * columns_, 0, key);
    }
  }

  void context(const VectorOps& ops, const DropoutKey& key, float* out, int64_t ld) {
    const float* weights = key.threshold != 0 ? dropped_.data() : weights_.data();
    ops.small_product(length_, wide_, length_, weights, columns_, 1, v_.data(), wide_, out_.data(), wide_);
    for (int t = 0; t < length_; ++t) {
      std::memcpy(out + t * ld, out_.data() + t * wide_, static_cast<size_t>(dim_) * sizeof(float));
    }
  }

  // After attend(): d_qkv rows of this head from d_out rows.
  void backward(const VectorOps& ops, const DropoutKey& key, const float* d_out, int64_t ld, float* d_qkv, int hidden) {
    std::fill_n(v_transposed_.begin(), static_cast<int64_t>(dim_) * columns_, 0.0F);
    for (int t = 0; t < length_; ++t) {
      copy_row(d_out_.data() + t * wide_, d_out + t * ld);
      for (int d = 0; d < dim_; ++d) {
        v_transposed_[static_cast<size_t>(d * columns_ + t)] = v_[static_cast<size_t>(t * wide_ + d)];
      }
    }
    const bool drop = key.threshold != 0;
    const float* weights = drop ? dropped_.data() : weights_.data();
    ops.small_product(length_, wide_, length_, weights, 1, columns_, d_out_.data(), wide_, out_.data(), wide_);
    store(d_qkv + 2 * hidden);
    ops.small_product(length_, columns_, dim_, d_out_.data(), wide_, 1, v_transposed_.data(), columns_,
                      d_weights_.data(), columns_);
    if (drop) {
      ops.dropout(d_weights_.data(), d_weights_.data(), static_cast<int64_t>(length_) * columns_, 0, key);
    }
    const float factor = 1.0F / std::sqrt(static_cast<float>(dim_));
    for (int t = 0; t < length_; ++t) {
      const int64_t at = static_cast<int64_t>(t) * columns_;
      ops.softmax_backward(weights_.data() + at, d_weights_.data() + at, length_, factor);
    }
    ops.small_product(length_, wide_, length_, d_weights_.data(), columns_, 1, k_.data(), wide_, out_.data(), wide_);
    store(d_qkv);
    ops.small_product(length_, wide_, length_, d_weights_.data(), 1, columns_, q_.data(), wide_, out_.data(), wide_);
    store(d_qkv + hidden);
  }

 private:
  void copy_row(float* to, const float* from) const {
    std::memcpy(to, from, static_cast<size_t>(dim_) * sizeof(float));
    std::fill(to + dim_, to + wide_, 0.0F);
  }
  void store(float* to) const {
    for (int t = 0; t < length_; ++t) {
      std::memcpy(to + static_cast<int64_t>(t) * row_, out_.data() + t * wide_,
                  static_cast<size_t>(dim_) * sizeof(float));
    }
  }

  int dim_;
  int wide_;  // dim_ padded
  int row_;   // of qkv
  int length_ = 0;
  int columns_ = 0;  // length_ padded
  std::vector<float> q_, k_, v_, k_transposed_, v_transposed_, weights_, dropped_, d_weights_, d_out_, out_;
};

int longest_text(const PackedBatch& batch) {
  int longest = 0;
  for (int i = 0; i < batch.texts(); ++i) {
    longest = std::max(longest, batch.begins[static_cast<size_t>(i) + 1] - batch.begins[static_cast<size_t>(i)]);
  }
  return longest;
}

// A head of a text has a key of its own: its elements are numbered from 0.
DropoutKey head_key(const DropoutKey& key, int text, int head) {
  DropoutKey own = key;
  own.key1 += static_cast<uint32_t>(text) * 0x85EBCA77U + static_cast<uint32_t>(head) * 0xC2B2AE3DU;
  own.key2 ^= own.key1 * 0x27D4EB2FU;
  return own;
}

// Calls body(head buffers, text, head) for every head of every text, a few at a time on each thread.
template <class Body>
void for_each_head(const AttentionShape& shape, const PackedBatch& batch, base::Pool& pool, const Body& body) {
  const int longest = longest_text(batch);
  const int64_t grain = std::max(1, shape.heads / 2);
  pool.parallel_chunks(static_cast<int64_t>(batch.texts()) * shape.heads, grain, [&](int64_t begin, int64_t end) {
    Head buffers(shape, longest);
    for (int64_t i = begin; i < end; ++i) {
      body(buffers, static_cast<int>(i / shape.heads), static_cast<int>(i % shape.heads));
    }
  });
}

}  // namespace

void attention_forward(const AttentionShape& shape, const PackedBatch& batch, const float* qkv, float* context,
                       base::Pool& pool) {
  const VectorOps& ops = vector_ops();
  const int hidden = shape.heads * shape.head_dim;
  for_each_head(shape, batch, pool, [&](Head& buffers, int text, int head) {
    const int64_t begin = batch.begins[static_cast<size_t>(text)];
    const int length = batch.begins[static_cast<size_t>(text) + 1] - static_cast<int>(begin);
    const DropoutKey key = head_key(shape.dropout, text, head);
    buffers.load(shape, qkv + begin * 3 * hidden, length, head);
    buffers.attend(ops, key);
    buffers.context(ops, key, context + begin * hidden + head * shape.head_dim, hidden);
  });
}

void attention_backward(const AttentionShape& shape, const PackedBatch& batch, const float* qkv, const float* d_context,
                        float* d_qkv, base::Pool& pool) {
  const VectorOps& ops = vector_ops();
  const int hidden = shape.heads * shape.head_dim;
  for_each_head(shape, batch, pool, [&](Head& buffers, int text, int head) {
    const int64_t begin = batch.begins[static_cast<size_t>(text)];
    const int length = batch.begins[static_cast<size_t>(text) + 1] - static_cast<int>(begin);
    const DropoutKey key = head_key(shape.dropout, text, head);
    buffers.load(shape, qkv + begin * 3 * hidden, length, head);
    buffers.attend(ops, key);
    const int64_t column = head * shape.head_dim;
    buffers.backward(ops, key, d_context + begin * hidden + column, hidden, d_qkv + begin * 3 * hidden + column,
                     hidden);
  });
}

DropoutKey dropout_key(float probability, uint64_t seed, int site) {
  DropoutKey key;
  if (probability <= 0) {
    return key;
  }
  const uint64_t bits = base::xxh64({reinterpret_cast<const char*>(&seed), sizeof seed}, static_cast<uint64_t>(site));
  key.key1 = static_cast<uint32_t>(bits);
  key.key2 = static_cast<uint32_t>(bits >> 32);
  key.threshold = std::max(1U, static_cast<uint32_t>(static_cast<double>(probability) * 4294967296.0));
  key.scale = 1.0F / (1.0F - probability);
  return key;
}

}  // namespace slipway::train
