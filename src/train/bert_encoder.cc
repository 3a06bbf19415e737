#include "train/bert_encoder.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "kernels/gemm.h"

namespace slipway::train {
namespace {

constexpr int64_t kRowsAtOnce = 16;      // rows of one task of an element-wise pass
constexpr int64_t kColumnsAtOnce = 128;  // columns of one task of a column sum: eight cache lines of every row

// Places where dropout happens, for dropout_key: the embeddings', then three a layer.
enum Site { kEmbeddings = 0, kAttentionWeights = 1, kAttentionOutput = 2, kLayerOutput = 3, kSitesPerLayer = 3 };
int site_of(Site site, int layer) { return site + layer * kSitesPerLayer; }

// Memory that grows and is used again from step to step.
class Buffer {
 public:
  float* get(int64_t count) {
    if (count > block_.size()) {
      block_ = FloatBlock();  // first give back, then ask
      block_ = FloatBlock(count + count / 8);
    }
    return block_.data();
  }
  float* data() { return block_.data(); }
  const float* data() const { return block_.data(); }

 private:
  FloatBlock block_;
};

// What one layer's backward pass needs of its forward pass.
struct LayerState {
  Buffer qkv;                                      // [tokens, 3 hidden]
  Buffer context;                                  // [tokens, hidden]
  Buffer middle_hat;                               // [tokens, hidden] normalised, before gain and shift
  Buffer middle;                                   // [tokens, hidden]
  Buffer slope;                                    // [tokens, intermediate] derivative of the activation
  Buffer inner;                                    // [tokens, intermediate] activation
  Buffer out_hat;                                  // [tokens, hidden]
  Buffer out;                                      // [tokens, hidden]
  std::vector<float> middle_inverse, out_inverse;  // [tokens] 1 / deviation
};

GeluKind kind_of(const std::string& activation) {
  return activation == "relu" ? GeluKind::kRelu : activation == "gelu_new" ? GeluKind::kTanh : GeluKind::kErf;
}

}  // namespace

struct BertEncoder::Impl {
  Impl(BertParameters& parameters_in, const Dropout& dropout_in, base::Pool& pool_in)
      : parameters(parameters_in),
        dropout(dropout_in),
        pool(pool_in),
        ops(vector_ops()),
        isa(base::select_isa()),
        hidden(parameters.spec.hidden_size),
        intermediate(parameters.spec.intermediate_size),
        frozen(parameters.frozen_layers),
        activation(kind_of(parameters.spec.activation)),
        layers(parameters.index.layers.size()) {
    place_gradients();
  }

  // The gradients lie as the values do, from the first dense trainable one on.
  void place_gradients() {
    ParameterSet& set = parameters.set;
    const float* first = nullptr;
    const float* end = nullptr;
    for (int i = 0; i < parameters.index.pooler_weight; ++i) {
      if (set[i].trainable && !set[i].by_row) {
        first = first == nullptr ? set[i].value.data() : first;
        end = set[i].value.data() + set[i].count;
      }
    }
    gradients = FloatBlock(first == nullptr ? 0 : end - first);
    for (int i = 0; i < parameters.index.pooler_weight; ++i) {
      if (set[i].trainable && !set[i].by_row) {
        set[i].grad = gradients.data() + (set[i].value.data() - first);
      }
    }
  }

  const float* value(int i) const { return parameters.set[i].value.data(); }
  float* grad(int i) { return const_cast<float*>(parameters.set[i].grad); }  // into `gradients`, which is ours

  // A factor of a product: rows of `stride` floats, read by columns when `transposed`.
  struct Factor {
    const float* data;
    int stride;
    bool transposed = false;
  };
  struct Shape {
    int m, n, k;
  };
  // c [m, n] = a [m, k] b [k, n], or c + a b when `add`.
  void multiply(const Factor& a, const Factor& b, float* c, const Shape& shape, bool add = false) {
    kernels::Sgemm g;
    g.trans_a = a.transposed;
    g.trans_b = b.transposed;
    g.m = shape.m;
    g.n = shape.n;
    g.k = shape.k;
    g.a = a.data;
    g.lda = a.stride;
    g.b = b.data;
    g.ldb = b.stride;
    g.beta = add ? 1.0F : 0.0F;
    g.c = c;
    g.ldc = shape.n;
    kernels::sgemm(g, pool, isa);
  }

  // y [tokens, out] = x W^T
  void product(const float* x, int weight, float* y, int out, int in) {
    multiply({x, in}, {value(weight), in, true}, y, {tokens, out, in});
  }

  // The gradients of a product: W's and the bias's, and d_x = d_y W (added to when `add`).
  void product_backward(const float* x, const float* d_y, int weight, int bias, int out, int in, float* d_x, bool add) {
    multiply({d_y, out, true}, {x, in}, grad(weight), {out, in, tokens});
    sum_columns(d_y, nullptr, out, grad(bias), nullptr);
    if (d_x != nullptr) {
      multiply({d_y, out}, {value(weight), in}, d_x, {tokens, in, out}, add);
    }
  }

  template <class Body>
  void for_rows(const Body& body) {
    pool.parallel_chunks(tokens, kRowsAtOnce, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        body(row);
      }
    });
  }

  void sum_columns(const float* x, const float* y, int n, float* sum, float* product_sum) {
    pool.parallel_chunks(n, kColumnsAtOnce, [&](int64_t begin, int64_t end) {
      ops.column_sums(x + begin, y == nullptr ? nullptr : y + begin, tokens, n, static_cast<int>(end - begin),
                      sum + begin, product_sum == nullptr ? nullptr : product_sum + begin);
    });
  }

  NormRow norm_row(int gain, int shift, const DropoutKey& key) const {
    NormRow row{};
    row.n = hidden;
    row.gain = value(gain);
    row.shift = value(shift);
    row.epsilon = parameters.spec.layer_norm_eps;
    row.dropout = key;
    return row;
  }

  // out = norm(residual + dropout(y + bias)); y becomes the normalised rows.
  void close_block(float* y, int bias, const float* residual, int gain, int shift, const DropoutKey& key, float* out,
                   std::vector<float>& inverse) {
    inverse.resize(static_cast<size_t>(tokens));
    const NormRow common = norm_row(gain, shift, key);
    for_rows([&](int64_t t) {
      NormRow row = common;
      row.y = y + t * hidden;
      row.bias = value(bias);
      row.residual = residual + t * hidden;
      row.out = out + t * hidden;
      row.first = static_cast<uint32_t>(t * hidden);
      inverse[static_cast<size_t>(t)] = ops.norm_forward(row);
    });
  }

  // d_z [tokens, hidden] at residual and sum, d_y at the product before its bias; may d_z be d_out.
  void close_block_backward(const float* d_out, const float* x_hat, int gain, int shift, const DropoutKey& key,
                            const std::vector<float>& inverse, float* d_z, float* d_y) {
    sum_columns(d_out, x_hat, hidden, grad(shift), grad(gain));
    for_rows([&](int64_t t) {
      NormBackwardRow row{};
      row.n = hidden;
      row.d_out = d_out + t * hidden;
      row.x_hat = x_hat + t * hidden;
      row.gain = value(gain);
      row.inverse_deviation = inverse[static_cast<size_t>(t)];
      row.d_z = d_z + t * hidden;
      row.d_y = d_y == nullptr ? nullptr : d_y + t * hidden;
      row.first = static_cast<uint32_t>(t * hidden);
      row.dropout = key;
      ops.norm_backward(row);
    });
  }

  void embed(const PackedBatch& batch) {
    const BertIndex& index = parameters.index;
    positions.resize(static_cast<size_t>(tokens));
    for (int i = 0; i < batch.texts(); ++i) {
      for (int32_t t = batch.begins[static_cast<size_t>(i)]; t < batch.begins[static_cast<size_t>(i) + 1]; ++t) {
        positions[static_cast<size_t>(t)] = t - batch.begins[static_cast<size_t>(i)];
      }
    }
    float* hat = embedding_hat.get(int64_t{tokens} * hidden);
    float* out = embedding_out.get(int64_t{tokens} * hidden);
    embedding_inverse.resize(static_cast<size_t>(tokens));
    const NormRow common = norm_row(index.norm_weight, index.norm_bias, {});
    const DropoutKey key = hidden_key(kEmbeddings, 0);
    for_rows([&](int64_t t) {
      NormRow row = common;
      row.y = hat + t * hidden;
      row.out = out + t * hidden;
      std::memcpy(row.y, value(index.word) + int64_t{batch.ids[static_cast<size_t>(t)]} * hidden,
                  static_cast<size_t>(hidden) * sizeof(float));
      ops.add(row.y, value(index.position) + int64_t{positions[static_cast<size_t>(t)]} * hidden, hidden);
      ops.add(row.y, value(index.type), hidden);
      embedding_inverse[static_cast<size_t>(t)] = ops.norm_forward(row);
      if (key.threshold != 0) {
        ops.dropout(row.out, row.out, hidden, static_cast<uint32_t>(t * hidden), key);
      }
    });
  }

  DropoutKey hidden_key(Site site, int layer) const {
    return training ? dropout_key(dropout.hidden, seed, site_of(site, layer)) : DropoutKey{};
  }
  AttentionShape attention_shape(int layer) const {
    const DropoutKey key =
        training ? dropout_key(dropout.attention, seed, site_of(kAttentionWeights, layer)) : DropoutKey{};
    return {parameters.spec.num_heads, parameters.spec.head_dim(), key};
  }

  const float* layer_forward(const PackedBatch& batch, const float* x, int layer) {
    // Without a backward pass, two sets of buffers take turns (each reads the other's output).
    LayerState& s = layers[training ? static_cast<size_t>(layer) : static_cast<size_t>(layer) % 2];
    const BertLayerIndex& index = parameters.index.layers[static_cast<size_t>(layer)];
    const int64_t n = int64_t{tokens} * hidden;
    float* qkv = s.qkv.get(3 * n);
    product(x, index.qkv_weight, qkv, 3 * hidden, hidden);
    for_rows([&](int64_t t) { ops.add(qkv + t * 3 * hidden, value(index.qkv_bias), 3 * hidden); });
    float* context = s.context.get(n);
    attention_forward(attention_shape(layer), batch, qkv, context, pool);
    float* middle_hat = s.middle_hat.get(n);
    float* middle = s.middle.get(n);
    product(context, index.attention_output_weight, middle_hat, hidden, hidden);
    close_block(middle_hat, index.attention_output_bias, x, index.attention_norm_weight, index.attention_norm_bias,
                hidden_key(kAttentionOutput, layer), middle, s.middle_inverse);
    float* slope = s.slope.get(int64_t{tokens} * intermediate);
    float* inner = s.inner.get(int64_t{tokens} * intermediate);
    product(middle, index.intermediate_weight, slope, intermediate, hidden);
    for_rows([&](int64_t t) {
      ops.bias_activation(activation, slope + t * intermediate, value(index.intermediate_bias),
                          inner + t * intermediate, intermediate);
    });
    float* out_hat = s.out_hat.get(n);
    float* out = s.out.get(n);
    product(inner, index.output_weight, out_hat, hidden, intermediate);
    close_block(out_hat, index.output_bias, middle, index.output_norm_weight, index.output_norm_bias,
                hidden_key(kLayerOutput, layer), out, s.out_inverse);
    return out;
  }

  // d [tokens, hidden]: in, the gradient of the layer's output; out, of its input (when `want_input`).
  void layer_backward(const PackedBatch& batch, const float* x, int layer, float* d, bool want_input) {
    LayerState& s = layers[static_cast<size_t>(layer)];
    const BertLayerIndex& index = parameters.index.layers[static_cast<size_t>(layer)];
    const int64_t n = int64_t{tokens} * hidden;
    float* d_y = d_product.get(n);
    float* d_inner = d_wide.get(std::max(int64_t{tokens} * intermediate, 3 * n));
    close_block_backward(d, s.out_hat.data(), index.output_norm_weight, index.output_norm_bias,
                         hidden_key(kLayerOutput, layer), s.out_inverse, d, d_y);
    product_backward(s.inner.data(), d_y, index.output_weight, index.output_bias, hidden, intermediate, d_inner, false);
    for_rows(
        [&](int64_t t) { ops.multiply(d_inner + t * intermediate, s.slope.data() + t * intermediate, intermediate); });
    product_backward(s.middle.data(), d_inner, index.intermediate_weight, index.intermediate_bias, intermediate, hidden,
                     d, true);
    close_block_backward(d, s.middle_hat.data(), index.attention_norm_weight, index.attention_norm_bias,
                         hidden_key(kAttentionOutput, layer), s.middle_inverse, d, d_y);
    float* d_mixed = d_context.get(n);
    product_backward(s.context.data(), d_y, index.attention_output_weight, index.attention_output_bias, hidden, hidden,
                     d_mixed, false);
    attention_backward(attention_shape(layer), batch, s.qkv.data(), d_mixed, d_inner, pool);
    product_backward(x, d_inner, index.qkv_weight, index.qkv_bias, 3 * hidden, hidden, want_input ? d : nullptr, true);
  }

  void embed_backward(const PackedBatch& batch, float* d, RowGradient& words) {
    const BertIndex& index = parameters.index;
    const DropoutKey key = hidden_key(kEmbeddings, 0);
    if (key.threshold != 0) {
      for_rows([&](int64_t t) {
        ops.dropout(d + t * hidden, d + t * hidden, hidden, static_cast<uint32_t>(t * hidden), key);
      });
    }
    close_block_backward(d, embedding_hat.data(), index.norm_weight, index.norm_bias, {}, embedding_inverse, d,
                         nullptr);
    const Parameter& types = parameters.set[index.type];
    std::memset(grad(index.type), 0, static_cast<size_t>(types.count) * sizeof(float));
    sum_columns(d, nullptr, hidden, grad(index.type), nullptr);
    float* by_position = grad(index.position);
    std::memset(by_position, 0, static_cast<size_t>(parameters.set[index.position].count) * sizeof(float));
    for (int64_t t = 0; t < tokens; ++t) {
      ops.add(by_position + int64_t{positions[static_cast<size_t>(t)]} * hidden, d + t * hidden, hidden);
    }
    sum_words(batch, d, words);
  }

  // The rows of one word, wherever it stands in the batch, are added in the order of the batch.
  void sum_words(const PackedBatch& batch, const float* d, RowGradient& words) {
    words.rows.assign(batch.ids.begin(), batch.ids.end());
    std::sort(words.rows.begin(), words.rows.end());
    words.rows.erase(std::unique(words.rows.begin(), words.rows.end()), words.rows.end());
    words.values.assign(words.rows.size() * static_cast<size_t>(hidden), 0.0F);
    for (int64_t t = 0; t < tokens; ++t) {
      const auto place = std::lower_bound(words.rows.begin(), words.rows.end(), batch.ids[static_cast<size_t>(t)]);
      ops.add(words.values.data() + (place - words.rows.begin()) * hidden, d + t * hidden, hidden);
    }
  }

  BertParameters& parameters;
  Dropout dropout;
  base::Pool& pool;
  const VectorOps& ops;
  base::Isa isa;
  int hidden;
  int intermediate;
  int frozen;
  GeluKind activation;
  FloatBlock gradients;
  // Of the last forward pass.
  int tokens = 0;
  bool training = false;
  uint64_t seed = 0;
  std::vector<int32_t> positions;
  Buffer embedding_hat, embedding_out;
  std::vector<float> embedding_inverse;
  std::vector<LayerState> layers;
  // Of the backward pass.
  Buffer d_product, d_wide, d_context;
};

BertEncoder::BertEncoder(BertParameters& parameters, const Dropout& dropout, base::Pool& pool)
    : impl_(std::make_unique<Impl>(parameters, dropout, pool)) {}

BertEncoder::~BertEncoder() = default;

const float* BertEncoder::forward(const PackedBatch& batch, bool train, uint64_t seed) {
  Impl& e = *impl_;
  e.tokens = batch.tokens();
  e.training = train;
  e.seed = seed;
  e.embed(batch);
  const float* x = e.embedding_out.data();
  for (int layer = 0; layer < static_cast<int>(e.parameters.index.layers.size()); ++layer) {
    x = e.layer_forward(batch, x, layer);
  }
  return x;
}

void BertEncoder::backward(const PackedBatch& batch, float* d_hidden, RowGradient& words) {
  Impl& e = *impl_;
  SLIPWAY_CHECK(e.training && e.tokens == batch.tokens());
  for (int layer = static_cast<int>(e.layers.size()) - 1; layer >= e.frozen; --layer) {
    const float* x = layer == 0 ? e.embedding_out.data() : e.layers[static_cast<size_t>(layer) - 1].out.data();
    e.layer_backward(batch, x, layer, d_hidden, layer > e.frozen || e.frozen == 0);
  }
  words.rows.clear();
  words.values.clear();
  if (e.frozen == 0) {
    e.embed_backward(batch, d_hidden, words);
  }
}

}  // namespace slipway::train
