#include "engine/encoder.h"

#include <algorithm>
#include <cstring>

#include "kernels/attention.h"
#include "kernels/elementwise.h"

namespace slipway::engine {
namespace {

// Rows that go through a layer's row-wise half together. Fewer rows read the weights more often, more rows push the
// intermediate activations (128 x 1536 x 4 bytes) out of a 1 MiB second cache; 56, 128 and 256 measured within 4 %.
constexpr int kBlockRows = 128;
// Fewer rows a thread than this are better shared by columns of the products than by rows: each thread reads fewer
// weights.
constexpr int kRowsToSplit = 32;

// A row stride for n floats that is an odd number of cache lines, so that the rows of a tile fall into different sets.
int64_t padded(int n) {
  const int64_t lines = (n + 15) / 16;
  return (lines | 1) * 16;
}

class Pass {
 public:
  Pass(const Weights& weights, std::span<const EncoderText> texts, const Wanted& wanted, Scratch& scratch,
       base::Pool* pool)
      : w_(weights), spec_(weights.spec()), isa_(weights.isa()), texts_(texts), wanted_(wanted), pool_(pool) {
    for (const EncoderText& text : texts) {
      begins_.push_back(rows_);
      rows_ += static_cast<int>(text.ids.size());
      longest_ = std::max(longest_, static_cast<int>(text.ids.size()));
    }
    const int threads = pool != nullptr ? pool->size() : 1;
    share_rows_ = threads > 1 && rows_ >= kRowsToSplit * threads;
    const int wanted_blocks = (rows_ + kBlockRows - 1) / kBlockRows;
    blocks_ = share_rows_ ? (wanted_blocks + threads - 1) / threads * threads : wanted_blocks;
    lay_out(scratch);
  }

  void run() {
    for_blocks(rows_, blocks_, [this](int first, int rows) {
      embed_rows(first, rows);
      project(0, first, rows);
    });
    if (convolves()) {
      for_blocks(rows_, blocks_, [this](int first, int rows) { convolve(first, rows); });
    }
    const int last = spec_.num_layers - 1;
    for (int layer = 0; layer <= last; ++layer) {
      const bool first_tokens_only = layer == last && !wanted_.embeddings && !wanted_.tokens && !spec_.mean_classifier;
      attend(layer, first_tokens_only);
      int rows = rows_;
      if (first_tokens_only) {
        keep_first_tokens();
        rows = static_cast<int>(texts_.size());
      }
      const int blocks = first_tokens_only ? (rows + kBlockRows - 1) / kBlockRows : blocks_;
      for_blocks(rows, blocks, [this, layer, last](int first, int some) {
        finish_layer(layer, first, some);
        if (layer == 0 && convolves()) {
          add_convolution(first, some);
        }
        if (layer < last) {
          project(layer + 1, first, some);
        } else if (spec_.pre_norm) {
          norm(w_.final_norm(), some, x_ + first * ld_x_, x_ + first * ld_x_);
        }
      });
    }
    embeddings();
    classify();
    tokens();
  }

 private:
  // The parts of the one float buffer and the one byte buffer.
  void lay_out(Scratch& scratch) {
    const int hidden = spec_.hidden_size;
    const int inner = spec_.gated ? 2 * spec_.intermediate_size : spec_.intermediate_size;
    ld_x_ = padded(std::max(hidden, spec_.word_size()));
    ld_qkv_ = padded(3 * hidden);
    ld_h_ = padded(std::max({inner, spec_.word_size(), spec_.conv_kernel * hidden}));
    const int64_t slots = share_rows_ ? rows_ : std::min(rows_, kBlockRows);
    const int64_t head_rows = std::max<int64_t>(slots, static_cast<int64_t>(texts_.size()));
    const int64_t counts[] = {rows_ * ld_x_,
                              rows_ * ld_qkv_,
                              rows_ * ld_x_,
                              head_rows * ld_x_,
                              slots * ld_h_,
                              head_rows * ld_x_,
                              convolves() ? rows_ * ld_x_ : 0};
    int64_t total = 0;
    for (const int64_t count : counts) {
      total += count;
    }
    const int64_t scales = (2 * slots + 31) / 16 * 16;
    float* next = scratch.floats.reserve(static_cast<size_t>(total + 2 * scales));
    float** const parts[] = {&x_, &qkv_, &context_, &y_, &h_, &first_tokens_, &convolved_};
    for (size_t i = 0; i < std::size(parts); ++i) {
      *parts[i] = next;
      next += counts[i];
    }
    if (w_.int8()) {
      stride_ = kernels::int8_stride(std::max(static_cast<int>(ld_x_), spec_.intermediate_size));
      q_ = scratch.bytes.reserve(static_cast<size_t>(slots * stride_));
      scale_ = next;
      zero_ = reinterpret_cast<int32_t*>(next + scales);
    }
    const int64_t floats = disentangled()
                               ? disentangled_scratch(isa_, longest_, spec_.head_dim(), 2 * spec_.relative_span)
                               : kernels::attention_scratch(isa_, longest_, spec_.head_dim());
    attention_floats_ = (floats + 15) / 16 * 16;
    const int64_t attentions = pool_ != nullptr ? attention_tasks() : 1;
    attention_ = scratch.attention.reserve(static_cast<size_t>(attention_floats_ * attentions));
  }

  // When threads share attention a task is a few heads of a text: about two tasks a thread and text.
  int head_groups() const { return std::min(spec_.num_heads, 2 * pool_->size()); }
  int64_t attention_tasks() const { return static_cast<int64_t>(texts_.size()) * head_groups(); }

  template <class Body>
  void for_blocks(int rows, int blocks, const Body& body) {
    const auto block = [&](int64_t i) {
      const int first = static_cast<int>(rows * i / blocks);
      body(first, static_cast<int>(rows * (i + 1) / blocks) - first);
    };
    if (share_rows_) {
      pool_->parallel_for(blocks, block);
      return;
    }
    for (int i = 0; i < blocks; ++i) {
      block(i);
    }
  }

  // Buffers of a block: its own rows when blocks run side by side, the same ones again when not.
  int64_t slot(int first) const { return share_rows_ ? first : 0; }

  // c = epilogue(a W^T) for the rows of the block at `first`. Threads share the columns when they do not share the
  // rows.
  void multiply(const Linear& linear, int first, int rows, const float* a, int64_t lda,
                const kernels::Epilogue& epilogue, float* c, int64_t ldc) {
    multiply_on(share_rows_ ? nullptr : pool_, linear, first, rows, a, lda, epilogue, c, ldc);
  }

  void multiply_on(base::Pool* pool, const Linear& linear, int first, int rows, const float* a, int64_t lda,
                   kernels::Epilogue epilogue, float* c, int64_t ldc) {
    epilogue.bias = linear.bias.empty() ? nullptr : linear.bias.data();
    if (!linear.quantized) {
      kernels::gemm_f32(rows, a, lda, linear.f32, epilogue, c, ldc, pool);
      return;
    }
    const int64_t at = slot(first);
    const kernels::QuantizedRows q{q_ + at * stride_, kernels::int8_stride(linear.in), scale_ + at, zero_ + at};
    kernels::quantize_rows(isa_, rows, linear.in, a, lda, q);
    kernels::gemm_int8(rows, q, linear.int8, epilogue, c, ldc, pool);
  }

  void norm(const Norm& norm, int rows, const float* from, float* to) { norm_at(norm, rows, from, ld_x_, to); }

  void norm_at(const Norm& norm, int rows, const float* from, int64_t ld, float* to) {
    kernels::layer_norm(isa_, rows, static_cast<int>(norm.gain.size()), from, ld,
                        {norm.gain.data(), norm.bias.data(), spec_.layer_norm_eps}, to, ld);
  }

  // body(text, position in it, row) for each row of a block.
  template <class Body>
  void for_rows(int first, int rows, const Body& body) {
    size_t text = static_cast<size_t>(std::upper_bound(begins_.begin(), begins_.end(), first) - begins_.begin()) - 1;
    for (int row = first; row < first + rows; ++row) {
      while (text + 1 < begins_.size() && row >= begins_[text + 1]) {
        ++text;
      }
      body(texts_[text], row - begins_[text], row);
    }
  }

  void embed_rows(int first, int rows) {
    const Linear& widen = w_.embeddings_project();
    float* const at = widen.out > 0 ? h_ + slot(first) * ld_h_ : x_ + first * ld_x_;
    const int64_t ld = widen.out > 0 ? ld_h_ : ld_x_;
    for_rows(first, rows, [&](const EncoderText& text, int position, int row) {
      const auto i = static_cast<size_t>(position);
      w_.embed(text.ids[i], position, text.types.empty() ? 0 : text.types[i], at + (row - first) * ld);
    });
    norm_at(w_.embeddings_norm(), rows, at, ld, at);
    if (widen.out > 0) {
      multiply(widen, first, rows, at, ld, {}, x_ + first * ld_x_, ld_x_);
    }
  }

  bool convolves() const { return spec_.conv_kernel > 0; }

  // Of the embeddings' output; beyond the ends of a text are zeros.
  void convolve(int first, int rows) {
    const int hidden = spec_.hidden_size;
    const int kernel = spec_.conv_kernel;
    float* const neighbours = h_ + slot(first) * ld_h_;  // [rows, kernel, hidden]
    for_rows(first, rows, [&](const EncoderText& text, int position, int row) {
      const auto length = static_cast<int>(text.ids.size());
      for (int t = 0; t < kernel; ++t) {
        const int offset = t - kernel / 2;
        float* const to = neighbours + (row - first) * ld_h_ + int64_t{t} * hidden;
        if (position + offset < 0 || position + offset >= length) {
          std::fill_n(to, hidden, 0.0F);
        } else {
          std::copy_n(x_ + int64_t{row + offset} * ld_x_, hidden, to);
        }
      }
    });
    multiply(w_.convolution().linear, first, rows, neighbours, ld_h_,
             {.activation = activation_of(spec_.conv_activation)}, convolved_ + first * ld_x_, ld_x_);
  }

  void add_convolution(int first, int rows) {
    for (int row = first; row < first + rows; ++row) {
      kernels::add(isa_, spec_.hidden_size, convolved_ + row * ld_x_, x_ + row * ld_x_);
    }
    norm(w_.convolution().norm, rows, x_ + first * ld_x_, x_ + first * ld_x_);
  }

  // Queries, keys and values of a layer.
  void project(int layer, int first, int rows) {
    const Layer& l = w_.layers()[static_cast<size_t>(layer)];
    const float* from = x_ + first * ld_x_;
    if (spec_.pre_norm && !l.attention_norm.gain.empty()) {
      float* const y = y_ + slot(first) * ld_x_;
      norm(l.attention_norm, rows, from, y);
      from = y;
    }
    multiply(l.qkv, first, rows, from, ld_x_, {}, qkv_ + first * ld_qkv_, ld_qkv_);
    if (const kernels::RopeTable* table = w_.rope(layer)) {
      for_rows(first, rows, [&](const EncoderText&, int position, int row) {  // queries and keys lie side by side
        kernels::rope(isa_, *table, position, 2 * spec_.num_heads, spec_.head_dim(), false, qkv_ + row * ld_qkv_);
      });
    }
  }

  kernels::AttentionArgs attention_of(size_t text, bool first_token_only) const {
    const int begin = begins_[text];
    const float* q = qkv_ + begin * ld_qkv_;
    kernels::AttentionArgs args;
    args.length = static_cast<int>(texts_[text].ids.size());
    args.head_dim = spec_.head_dim();
    args.heads = spec_.num_heads;
    args.rows = first_token_only ? 1 : args.length;
    args.q = q;
    args.k = q + spec_.hidden_size;
    args.v = q + 2 * spec_.hidden_size;
    args.ld = ld_qkv_;
    args.out = context_ + begin * ld_x_;
    args.ld_out = ld_x_;
    return args;
  }

  bool disentangled() const { return spec_.content_to_position || spec_.position_to_content; }

  void attend_with(int layer, kernels::AttentionArgs args, float* scratch) {
    const int window = spec_.layer_window.empty() ? 0 : spec_.layer_window[static_cast<size_t>(layer)];
    if (disentangled()) {
      disentangled_attention(isa_, args, w_.layers()[static_cast<size_t>(layer)].positions, w_.distance_buckets(),
                             scratch);
    } else if (window > 0) {
      window_attention(isa_, args, window, w_.distance_bias(), scratch);
    } else {
      if (spec_.relative_buckets > 0) {
        w_.distance_bias().apply(args);
      }
      kernels::attention(isa_, args, scratch);
    }
  }

  void attend(int layer, bool first_token_only) {
    if (pool_ == nullptr) {
      for (size_t text = 0; text < texts_.size(); ++text) {
        attend_with(layer, attention_of(text, first_token_only), attention_);
      }
      return;
    }
    pool_->parallel_for(attention_tasks(), [&](int64_t task) {
      const int groups = head_groups();
      const int group = static_cast<int>(task % groups);
      kernels::AttentionArgs args = attention_of(static_cast<size_t>(task / groups), first_token_only);
      args.first_head = spec_.num_heads * group / groups;
      args.heads = spec_.num_heads * (group + 1) / groups - args.first_head;
      attend_with(layer, args, attention_ + task * attention_floats_);
    });
  }

  // Moves the rows of first tokens to the front: all that is left to compute is theirs.
  void keep_first_tokens() {
    const size_t bytes = static_cast<size_t>(spec_.hidden_size) * sizeof(float);
    for (size_t text = 0; text < texts_.size(); ++text) {
      const int64_t to = static_cast<int64_t>(text) * ld_x_;
      const int64_t from = begins_[text] * ld_x_;
      std::memmove(x_ + to, x_ + from, bytes);
      std::memmove(context_ + to, context_ + from, bytes);
      if (convolves()) {  // of use when the first layer is the last
        std::memmove(convolved_ + to, convolved_ + from, bytes);
      }
      begins_[text] = static_cast<int>(text);
    }
  }

  // From the attention's output to the layer's.
  void finish_layer(int layer, int first, int rows) {
    const Layer& l = w_.layers()[static_cast<size_t>(layer)];
    float* x = x_ + first * ld_x_;
    float* y = y_ + slot(first) * ld_x_;
    float* h = h_ + slot(first) * ld_h_;
    multiply(l.attention_output, first, rows, context_ + first * ld_x_, ld_x_, {.residual = x, .ld_residual = ld_x_}, y,
             ld_x_);
    const kernels::Activation activation = activation_of(spec_.activation);
    if (!spec_.pre_norm) {
      norm(l.attention_norm, rows, y, x);
      multiply(l.intermediate, first, rows, x, ld_x_, {.activation = activation}, h, ld_h_);
      multiply(l.output, first, rows, h, ld_h_, {.residual = x, .ld_residual = ld_x_}, y, ld_x_);
      norm(l.output_norm, rows, y, x);
      return;
    }
    norm(l.output_norm, rows, y, x);  // y is the stream now, x what the intermediate layer reads
    multiply(l.intermediate, first, rows, x, ld_x_, {}, h, ld_h_);
    for (int row = 0; row < rows; ++row) {
      float* const both = h + row * ld_h_;
      kernels::gated(isa_, activation, spec_.intermediate_size, both, both + spec_.intermediate_size, both);
    }
    multiply(l.output, first, rows, h, ld_h_, {.residual = y, .ld_residual = ld_x_}, x, ld_x_);
  }

  const float* row_of(size_t text, int position) const { return x_ + (begins_[text] + position) * ld_x_; }

  void embeddings() {
    for (size_t text = 0; wanted_.embeddings && text < texts_.size(); ++text) {
      const int length = static_cast<int>(texts_[text].ids.size());
      const bool mean = wanted_.pooling == model::Pooling::kMean;
      const int first = wanted_.pooling == model::Pooling::kLast ? length - 1 : 0;
      kernels::mean_pool_normalized(isa_, mean ? length : 1, spec_.hidden_size, row_of(text, first), ld_x_,
                                    texts_[text].embedding);
    }
  }

  // The head's layers before the last, for the rows gathered in first_tokens_; returns where their results are.
  const float* transform(int rows) {
    const HeadWeights& head = w_.head();
    if (head.dense.out == 0) {
      return first_tokens_;
    }
    multiply_on(nullptr, head.dense, 0, rows, first_tokens_, ld_x_, {.activation = head.activation}, y_, ld_x_);
    if (!head.norm.gain.empty()) {
      norm(head.norm, rows, y_, y_);
    }
    return y_;
  }

  void classify() {
    if (!wanted_.logits || !spec_.has_classifier()) {
      return;
    }
    for (size_t text = 0; text < texts_.size(); ++text) {
      float* const to = first_tokens_ + static_cast<int64_t>(text) * ld_x_;
      if (!spec_.mean_classifier) {
        std::copy_n(row_of(text, 0), spec_.hidden_size, to);
        continue;
      }
      std::fill_n(to, spec_.hidden_size, 0.0F);
      const int length = static_cast<int>(texts_[text].ids.size());
      for (int i = 0; i < length; ++i) {
        kernels::add(isa_, spec_.hidden_size, row_of(text, i), to);
      }
      kernels::scale(isa_, spec_.hidden_size, 1.0F / static_cast<float>(length), to);
    }
    const int count = static_cast<int>(texts_.size());
    const float* const from = transform(count);
    const Linear& classifier = w_.head().out;
    for (int text = 0; text < count; ++text) {
      multiply_on(nullptr, classifier, 0, 1, from + text * ld_x_, ld_x_, {}, texts_[static_cast<size_t>(text)].logits,
                  classifier.out);
    }
  }

  void tokens() {
    for (size_t text = 0; wanted_.tokens && text < texts_.size(); ++text) {
      const EncoderText& t = texts_[text];
      for (size_t i = 0; t.hidden != nullptr && i < t.ids.size(); ++i) {
        std::copy_n(row_of(text, static_cast<int>(i)), spec_.hidden_size,
                    t.hidden + i * static_cast<size_t>(spec_.hidden_size));
      }
      const Linear& out = w_.head().out;
      for (size_t begin = 0; t.token_logits != nullptr && begin < t.rows.size(); begin += kBlockRows) {
        const size_t count = std::min(t.rows.size() - begin, static_cast<size_t>(kBlockRows));
        for (size_t i = 0; i < count; ++i) {
          std::copy_n(row_of(text, t.rows[begin + i]), spec_.hidden_size,
                      first_tokens_ + static_cast<int64_t>(i) * ld_x_);
        }
        const float* const from = transform(static_cast<int>(count));
        multiply_on(pool_, out, 0, static_cast<int>(count), from, ld_x_, {},
                    t.token_logits + begin * static_cast<size_t>(out.out), out.out);
      }
    }
  }

  const Weights& w_;
  const model::ModelSpec& spec_;
  base::Isa isa_;
  std::span<const EncoderText> texts_;
  Wanted wanted_;
  base::Pool* pool_;
  std::vector<int> begins_;  // first row of each text
  int rows_ = 0;
  int longest_ = 0;
  int blocks_ = 1;
  bool share_rows_ = false;
  int64_t ld_x_ = 0;
  int64_t ld_qkv_ = 0;
  int64_t ld_h_ = 0;
  float* x_ = nullptr;        // [rows, hidden], the stream of activations
  float* qkv_ = nullptr;      // [rows, 3 hidden]
  float* context_ = nullptr;  // [rows, hidden], attention's output
  float* y_ = nullptr;        // [slots, hidden], before a norm
  float* h_ = nullptr;        // [slots, intermediate]
  float* first_tokens_ = nullptr;
  float* convolved_ = nullptr;  // [rows, hidden], DeBERTa-v2-xlarge's
  uint8_t* q_ = nullptr;        // [slots, stride], activations quantised for the product at hand
  int64_t stride_ = 0;
  float* scale_ = nullptr;
  int32_t* zero_ = nullptr;
  float* attention_ = nullptr;
  int64_t attention_floats_ = 0;
};

}  // namespace

void Encoder::run(std::span<const EncoderText> texts, const Wanted& wanted, base::Pool* pool) const {
  if (!texts.empty()) {
    auto scratch = scratch_.take();
    Pass(weights_, texts, wanted, *scratch, pool).run();
    scratch_.give(std::move(scratch));
  }
}

}  // namespace slipway::engine
