#include "engine/weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <functional>

#include "model/encoder_names.h"

namespace slipway::engine {

int64_t Linear::bytes() const {
  return (quantized ? int8.bytes() : out > 0 ? f32.bytes() : 0) + static_cast<int64_t>(bias.size() * sizeof(float));
}

// Reads tensors by canonical name and collects the packing, which the pool does at the end.
struct Weights::Loader {
  const model::TensorSource& file;
  const model::EncoderNaming& naming;
  const model::ModelSpec& spec;
  base::Isa isa;
  bool int8;
  std::shared_ptr<kernels::Arena> arena;
  std::vector<std::function<void()>> jobs;
  std::deque<std::vector<float>> converted;  // tensors that could not be read from the map as they are
  std::deque<std::vector<int8_t>> joined;    // int8 matrices side by side that do not meet at panels
  std::deque<std::vector<float>> joined_scales;

  std::vector<float> vector(const std::string& name, int64_t count) const {
    return file.read_f32(naming.in_file(name), count);
  }

  Norm norm(const std::string& weight, const std::string& bias, int n) const {
    return {vector(weight, n), spec.norm_bias ? vector(bias, n) : std::vector<float>(static_cast<size_t>(n), 0.0F)};
  }

  // The matrix as f32, from the map when it can be.
  std::span<const float> matrix(const std::string& name, int64_t count) {
    const std::span<const float> mapped = file.map_f32(naming.in_file(name));
    if (static_cast<int64_t>(mapped.size()) == count) {
      return mapped;
    }
    return converted.emplace_back(vector(name, count));
  }

  // Matrices [rows, in] below one another as one layer: the first output rows are those of the first name.
  void linear(Linear& layer, const std::vector<std::string>& weights, const std::vector<std::string>& biases, int rows,
              int in, bool quantized) {
    layer.in = in;
    layer.out = rows * static_cast<int>(weights.size());
    layer.quantized = quantized;
    for (const std::string& bias : biases) {
      const std::vector<float> part = vector(bias, rows);
      layer.bias.insert(layer.bias.end(), part.begin(), part.end());
    }
    if (quantized) {
      pack_int8(layer, weights, rows);
    } else {
      pack_f32(layer, weights, rows);
    }
  }

  void pack_f32(Linear& layer, const std::vector<std::string>& weights, int rows) {
    layer.f32 = kernels::PackedF32(isa, layer.out, layer.in, arena);
    std::vector<std::span<const float>> parts;
    const int64_t count = static_cast<int64_t>(rows) * layer.in;
    for (const std::string& name : weights) {
      parts.push_back(matrix(name, count));
    }
    if (parts.size() > 1 && rows % layer.f32.panel_columns() != 0) {
      std::vector<float>& all = converted.emplace_back();
      for (const std::span<const float> part : parts) {
        all.insert(all.end(), part.begin(), part.end());
      }
      parts = {all};
      rows = layer.out;
    }
    for (size_t i = 0; i < parts.size(); ++i) {
      add_jobs(rows, layer.f32.panel_columns(), [&layer, part = parts[i].data(), rows, i](int first, int some) {
        layer.f32.pack(static_cast<int>(i) * rows + first, some, part + static_cast<int64_t>(first) * layer.in,
                       layer.in);
      });
    }
  }

  void pack_int8(Linear& layer, const std::vector<std::string>& weights, int rows) {
    layer.int8 = kernels::PackedInt8(isa, layer.out, layer.in, arena);
    std::vector<model::Int8Matrix> parts;
    for (const std::string& name : weights) {
      parts.push_back(model::read_int8(file, naming.in_file(name), rows, layer.in));
    }
    if (parts.size() > 1 && rows % layer.int8.panel_columns() != 0) {
      std::vector<int8_t>& all = joined.emplace_back();
      std::vector<float>& scales = joined_scales.emplace_back();
      for (const model::Int8Matrix& part : parts) {
        all.insert(all.end(), part.values.begin(), part.values.end());
        scales.insert(scales.end(), part.scales.begin(), part.scales.end());
      }
      parts = {{all, scales, layer.out, layer.in}};
      rows = layer.out;
    }
    for (size_t i = 0; i < parts.size(); ++i) {
      add_jobs(rows, layer.int8.panel_columns(), [&layer, part = parts[i], rows, i](int first, int some) {
        layer.int8.pack(static_cast<int>(i) * rows + first, some,
                        part.values.data() + static_cast<int64_t>(first) * layer.in, layer.in,
                        part.scales.data() + first);
      });
    }
  }

  // Jobs of a few panels each: about 200 KiB of f32 at a depth of 384.
  template <class Pack>
  void add_jobs(int rows, int panel, Pack pack) {
    const int step = 4 * panel;
    for (int first = 0; first < rows; first += step) {
      jobs.emplace_back([pack, first, some = std::min(step, rows - first)] { pack(first, some); });
    }
  }

  // A matrix as f32 whatever the file has it as.
  std::vector<float> decoded(const std::string& name, int rows, int cols) const {
    const model::TensorView* view = file.find(naming.in_file(name));
    if (view == nullptr || view->dtype != model::DType::kI8) {
      return vector(name, static_cast<int64_t>(rows) * cols);
    }
    const model::Int8Matrix matrix = model::read_int8(file, naming.in_file(name), rows, cols);
    std::vector<float> values(matrix.values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = matrix.scales[i / static_cast<size_t>(cols)] * static_cast<float>(matrix.values[i]);
    }
    return values;
  }

  void encoder_layer(Layer& layer, int index) {
    const model::EncoderLayerNames names = model::encoder_layer_names(index);
    const int hidden = spec.hidden_size;
    const int inner = spec.intermediate_size;
    using Names = std::vector<std::string>;
    const auto bias = [](bool there, const std::string& name) { return there ? Names{name} : Names{}; };
    if (file.find(naming.in_file(names.qkv_weight)) != nullptr) {
      linear(layer.qkv, {names.qkv_weight}, bias(spec.attention_bias, names.qkv_bias), 3 * hidden, hidden, int8);
    } else {
      linear(layer.qkv, {names.query_weight, names.key_weight, names.value_weight},
             {names.query_bias, names.key_bias, names.value_bias}, hidden, hidden, int8);
    }
    linear(layer.attention_output, {names.attention_output_weight},
           bias(spec.attention_bias, names.attention_output_bias), hidden, hidden, int8);
    if (!spec.pre_norm || index > 0) {
      layer.attention_norm = norm(names.attention_norm_weight, names.attention_norm_bias, hidden);
    }
    linear(layer.intermediate, {names.intermediate_weight}, bias(spec.mlp_bias, names.intermediate_bias),
           spec.gated ? 2 * inner : inner, hidden, int8);
    linear(layer.output, {names.output_weight}, bias(spec.mlp_bias, names.output_bias), hidden, inner, int8);
    layer.output_norm = norm(names.output_norm_weight, names.output_norm_bias, hidden);
  }

  void convolution(Convolution& out) {
    const int hidden = spec.hidden_size;
    const int kernel = spec.conv_kernel;
    const std::vector<float> file_order = vector(model::kConvWeight, int64_t{hidden} * hidden * kernel);
    std::vector<float>& weight = converted.emplace_back(file_order.size());  // [out, in, kernel] to [out, kernel, in]
    for (int o = 0; o < hidden; ++o) {
      const int64_t row = int64_t{o} * hidden * kernel;
      for (int i = 0; i < hidden; ++i) {
        for (int t = 0; t < kernel; ++t) {
          weight[static_cast<size_t>(row + int64_t{t} * hidden + i)] =
              file_order[static_cast<size_t>(row + int64_t{i} * kernel + t)];
        }
      }
    }
    out.linear.in = kernel * hidden;
    out.linear.out = hidden;
    out.linear.bias = vector(model::kConvBias, hidden);
    out.linear.f32 = kernels::PackedF32(isa, hidden, out.linear.in, arena);
    add_jobs(hidden, out.linear.f32.panel_columns(), [&out, from = weight.data()](int first, int some) {
      out.linear.f32.pack(first, some, from + int64_t{first} * out.linear.in, out.linear.in);
    });
    out.norm = norm(model::kConvNormWeight, model::kConvNormBias, hidden);
  }

  // The table of relative positions, normed.
  std::shared_ptr<const std::vector<float>> relative_table() const {
    const int rows = 2 * spec.relative_span;
    const int hidden = spec.hidden_size;
    auto table =
        std::make_shared<std::vector<float>>(vector(model::kRelativeEmbeddings, static_cast<int64_t>(rows) * hidden));
    if (spec.norm_relative) {
      const Norm by = norm(model::kRelativeNormWeight, model::kRelativeNormBias, hidden);
      kernels::layer_norm(isa, rows, hidden, table->data(), hidden,
                          {by.gain.data(), by.bias.data(), spec.layer_norm_eps}, table->data(), hidden);
    }
    return table;
  }

  // `table` through a projection of the layer, packed a head at a time.
  void project_positions(std::vector<kernels::PackedF32>& heads, const std::string& weight, const std::string& bias,
                         const std::shared_ptr<const std::vector<float>>& table) {
    heads.resize(static_cast<size_t>(spec.num_heads));
    jobs.emplace_back([this, &heads, weight, bias, table] {
      const int rows = 2 * spec.relative_span;
      const int hidden = spec.hidden_size;
      const int dim = spec.head_dim();
      const std::vector<float> w = decoded(weight, hidden, hidden);
      const std::vector<float> b = vector(bias, hidden);
      kernels::PackedF32 packed(isa, hidden, hidden);
      packed.pack(0, hidden, w.data(), hidden);
      std::vector<float> projected(static_cast<size_t>(rows) * static_cast<size_t>(hidden));
      kernels::gemm_f32(rows, table->data(), hidden, packed, {.bias = b.data()}, projected.data(), hidden, nullptr);
      for (int h = 0; h < spec.num_heads; ++h) {
        kernels::PackedF32& head = heads[static_cast<size_t>(h)];
        head = kernels::PackedF32(isa, rows, dim);
        head.pack(0, rows, projected.data() + static_cast<size_t>(h) * static_cast<size_t>(dim), hidden);
      }
    });
  }

  void head(HeadWeights& head, const std::vector<std::string>& words_as_decoder) {
    using model::Head;
    const int hidden = spec.hidden_size;
    const int outputs = spec.outputs();
    head.activation = activation_of(spec.pooler_activation);
    if (spec.head == Head::kSequenceClassification) {
      dense(head, {model::kPoolerWeight, model::kPoolerBias, model::kPoolerNormWeight, model::kPoolerNormBias}, hidden);
      linear(head.out, {model::kClassifierWeight}, {model::kClassifierBias}, outputs, hidden, false);
      return;
    }
    const int size = spec.head == Head::kMaskedLm ? spec.word_size() : hidden;
    if (spec.head == Head::kMaskedLm) {
      // BERT, DistilBERT and DeBERTa take the layers' activation here, the others have gelu in their code.
      using model::Architecture;
      const bool as_layers = spec.architecture == Architecture::kBert ||
                             spec.architecture == Architecture::kDistilBert ||
                             spec.architecture == Architecture::kDebertaV2;
      head.activation = activation_of(as_layers ? spec.activation : "gelu");
    }
    dense(head,
          {model::kTransformWeight, model::kTransformBias, model::kTransformNormWeight, model::kTransformNormBias},
          size);
    if (spec.head == Head::kTokenClassification) {
      linear(head.out, {model::kTokenClassifierWeight}, {model::kTokenClassifierBias}, outputs, hidden, false);
    } else if (spec.head == Head::kQuestionAnswering) {
      linear(head.out, {model::kSpanWeight}, {model::kSpanBias}, outputs, hidden, false);
    } else {
      const std::vector<std::string> bias =
          spec.decoder_bias ? std::vector<std::string>{model::kDecoderBias} : std::vector<std::string>{};
      const model::TensorView* words = file.find(naming.in_file(model::kWordEmbeddings));
      const bool quantized = spec.tied_decoder && words != nullptr && words->dtype == model::DType::kI8;
      linear(head.out, words_as_decoder, bias, outputs, size, quantized);
    }
  }

  // The head's first layer and norm, each when the file's model has it.
  void dense(HeadWeights& head, const std::array<const char*, 4>& names, int size) {
    const auto& [weight, bias, norm_weight, norm_bias] = names;
    if (file.find(naming.in_file(weight)) == nullptr) {
      return;
    }
    linear(head.dense, {weight}, spec.head_bias ? std::vector<std::string>{bias} : std::vector<std::string>{}, size,
           spec.hidden_size, false);
    if (file.find(naming.in_file(norm_weight)) != nullptr) {
      head.norm = norm(norm_weight, norm_bias, size);
    }
  }
};

kernels::Activation activation_of(const std::string& name) {
  return name == "relu"   ? kernels::Activation::kRelu
         : name == "gelu" ? kernels::Activation::kGelu
         : name == "tanh" ? kernels::Activation::kTanh
                          : kernels::Activation::kGeluTanh;
}

Weights::Weights(const model::ModelFolder& folder, bool int8, base::Isa isa, base::Pool& pool)
    : isa_(isa), int8_(int8), opened_(int8 ? model::open_int8_weights(folder) : model::open_float_weights(folder)) {
  const model::ModelSpec& spec = opened_.spec;
  const int hidden = spec.hidden_size;
  Loader loader{*opened_.file, opened_.naming, spec, isa, int8, std::make_shared<kernels::Arena>(), {}, {}, {}, {}};
  load_words();
  const int64_t size = spec.word_size();
  if (spec.position_table) {
    positions_ = loader.vector(model::kPositionEmbeddings, spec.max_positions * size);
  }
  types_ = spec.type_vocab_size > 0 ? loader.vector(model::kTypeEmbeddings, spec.type_vocab_size * size)
                                    : std::vector<float>();
  embeddings_norm_ = loader.norm(model::kEmbeddingsNormWeight, model::kEmbeddingsNormBias, static_cast<int>(size));
  if (size != hidden) {
    loader.linear(embeddings_project_, {model::kEmbeddingsProjectWeight}, {model::kEmbeddingsProjectBias}, hidden,
                  static_cast<int>(size), false);
  }
  if (spec.conv_kernel > 0) {
    loader.convolution(convolution_);
  }
  layers_.resize(static_cast<size_t>(spec.num_layers));
  const auto table = spec.content_to_position || spec.position_to_content ? loader.relative_table() : nullptr;
  for (int i = 0; i < spec.num_layers; ++i) {
    Layer& layer = layers_[static_cast<size_t>(i)];
    loader.encoder_layer(layer, i);
    const model::EncoderLayerNames names = model::encoder_layer_names(i);
    if (spec.content_to_position) {
      loader.project_positions(layer.positions.keys, names.key_weight, names.key_bias, table);
    }
    if (spec.position_to_content) {
      loader.project_positions(layer.positions.queries, names.query_weight, names.query_bias, table);
    }
  }
  if (spec.pre_norm) {
    final_norm_ = loader.norm(model::kFinalNormWeight, model::kFinalNormBias, hidden);
  }
  if (spec.head != model::Head::kNone) {
    loader.head(head_, {spec.tied_decoder ? model::kWordEmbeddings : model::kDecoderWeight});
  }
  make_positions();
  pool.parallel_for(static_cast<int64_t>(loader.jobs.size()),
                    [&](int64_t i) { loader.jobs[static_cast<size_t>(i)](); });
}

void Weights::load_words() {
  const model::ModelSpec& spec = opened_.spec;
  const model::TensorSource& file = *opened_.file;
  const std::string words = opened_.naming.in_file(model::kWordEmbeddings);
  const int64_t count = static_cast<int64_t>(spec.vocab_size) * spec.word_size();
  if (const model::TensorView* view = file.find(words); view != nullptr && view->dtype == model::DType::kI8) {
    words_int8_ = model::read_int8(file, words, spec.vocab_size, spec.word_size());
    return;
  }
  words_ = file.map_f32(words);
  if (static_cast<int64_t>(words_.size()) != count) {
    words_copy_ = file.read_f32(words, count);
    words_ = words_copy_;
  }
}

void Weights::make_positions() {
  const model::ModelSpec& spec = opened_.spec;
  if (spec.relative_buckets > 0) {
    const int64_t count = static_cast<int64_t>(spec.relative_buckets) * spec.num_heads;
    distance_bias_ = DistanceBias(opened_.file->read_f32(opened_.naming.in_file(model::kRelativeBiasTable), count),
                                  spec.relative_buckets, spec.num_heads, spec.max_tokens(),
                                  1 / std::sqrt(static_cast<float>(spec.head_dim())));
  }
  if (spec.relative_span > 0) {
    distance_buckets_ = DistanceBuckets(spec.relative_span, spec.log_buckets ? spec.relative_span : 0,
                                        spec.max_relative, spec.max_tokens());
  }
  const int widest =
      spec.layer_window.empty() ? 0 : *std::max_element(spec.layer_window.begin(), spec.layer_window.end());
  if (widest > 0) {
    distance_bias_ = DistanceBias::window(widest, widest + kWindowRows);
  }
  if (spec.rope_theta_global > 0) {
    const auto table = [&](float theta) {
      return kernels::RopeTable(kernels::rope_inverse_frequencies(theta, spec.head_dim()), spec.max_positions);
    };
    rope_global_ = table(spec.rope_theta_global);
    rope_local_ = table(spec.rope_theta_local);
  }
}

const kernels::RopeTable* Weights::rope(int layer) const {
  const model::ModelSpec& spec = opened_.spec;
  if (spec.rope_theta_global <= 0) {
    return nullptr;
  }
  return spec.layer_window[static_cast<size_t>(layer)] > 0 ? &rope_local_ : &rope_global_;
}

int64_t Weights::bytes() const {
  const size_t floats = words_.size() + words_int8_.scales.size() + positions_.size() + types_.size();
  int64_t bytes = static_cast<int64_t>(floats * sizeof(float) + words_int8_.values.size());
  for (const Layer& layer : layers_) {
    bytes += layer.qkv.bytes() + layer.attention_output.bytes() + layer.intermediate.bytes() + layer.output.bytes();
    for (const auto* heads : {&layer.positions.keys, &layer.positions.queries}) {
      for (const kernels::PackedF32& head : *heads) {
        bytes += head.bytes();
      }
    }
  }
  return bytes + embeddings_project_.bytes() + convolution_.linear.bytes() + head_.dense.bytes() + head_.out.bytes();
}

void Weights::embed(int id, int position, int type, float* out) const {
  const model::ModelSpec& spec = opened_.spec;
  const int width = spec.word_size();
  const auto size = static_cast<size_t>(width);
  const auto row = static_cast<size_t>(id);
  const float* at =
      positions_.empty() ? nullptr : positions_.data() + static_cast<size_t>(position + spec.position_offset) * size;
  const float* of_type = types_.empty() ? nullptr : types_.data() + static_cast<size_t>(type) * size;
  if (words_.empty()) {
    kernels::add_rows_int8(isa_, width, words_int8_.values.data() + row * size, words_int8_.scales[row], at, of_type,
                           out);
  } else {
    kernels::add_rows(isa_, width, words_.data() + row * size, at, of_type, out);
  }
}

}  // namespace slipway::engine
