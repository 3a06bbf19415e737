#include "engine/weights.h"

#include <algorithm>
#include <functional>

#include "model/bert_names.h"

namespace slipway::engine {

int64_t Linear::bytes() const {
  return (quantized ? int8.bytes() : out > 0 ? f32.bytes() : 0) + static_cast<int64_t>(bias.size() * sizeof(float));
}

// Reads tensors by canonical name and collects the packing, which the pool does at the end.
struct Weights::Loader {
  const model::SafetensorsFile& file;
  const model::BertNaming& naming;
  base::Isa isa;
  bool int8;
  std::shared_ptr<kernels::Arena> arena;
  std::vector<std::function<void()>> jobs;
  std::vector<std::vector<float>> converted;  // tensors that could not be read from the map as they are
  std::vector<std::vector<int8_t>> joined;    // int8 matrices side by side that do not meet at panels
  std::vector<std::vector<float>> joined_scales;

  std::vector<float> vector(const std::string& name, int64_t count) const {
    return file.read_f32(naming.in_file(name), count);
  }

  Norm norm(const std::string& weight, const std::string& bias, int n) const {
    return {vector(weight, n), vector(bias, n)};
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

  void encoder_layer(Layer& layer, const model::BertLayerNames& names, int hidden, int intermediate) {
    linear(layer.qkv, {names.query_weight, names.key_weight, names.value_weight},
           {names.query_bias, names.key_bias, names.value_bias}, hidden, hidden, int8);
    linear(layer.attention_output, {names.attention_output_weight}, {names.attention_output_bias}, hidden, hidden,
           int8);
    layer.attention_norm = norm(names.attention_norm_weight, names.attention_norm_bias, hidden);
    linear(layer.intermediate, {names.intermediate_weight}, {names.intermediate_bias}, intermediate, hidden, int8);
    linear(layer.output, {names.output_weight}, {names.output_bias}, hidden, intermediate, int8);
    layer.output_norm = norm(names.output_norm_weight, names.output_norm_bias, hidden);
  }
};

Weights::Weights(const model::ModelFolder& folder, bool int8, base::Isa isa, base::Pool& pool)
    : spec_(folder.spec),
      isa_(isa),
      int8_(int8),
      opened_(int8 ? model::open_int8_weights(folder) : model::open_float_weights(folder)) {
  const int hidden = spec_.hidden_size;
  const model::SafetensorsFile& file = opened_.file;
  Loader loader{file, opened_.naming, isa, int8, std::make_shared<kernels::Arena>(), {}, {}, {}, {}};
  const std::string words = opened_.naming.in_file(model::kWordEmbeddings);
  const int64_t word_count = static_cast<int64_t>(spec_.vocab_size) * hidden;
  if (const model::TensorView* view = file.find(words); view != nullptr && view->dtype == model::DType::kI8) {
    words_int8_ = model::read_int8(file, words, spec_.vocab_size, hidden);
  } else {
    words_ = file.map_f32(words);
    if (static_cast<int64_t>(words_.size()) != word_count) {
      words_copy_ = file.read_f32(words, word_count);
      words_ = words_copy_;
    }
  }
  positions_ = loader.vector(model::kPositionEmbeddings, static_cast<int64_t>(spec_.max_positions) * hidden);
  types_ = loader.vector(model::kTypeEmbeddings, static_cast<int64_t>(spec_.type_vocab_size) * hidden);
  embeddings_norm_ = loader.norm(model::kEmbeddingsNormWeight, model::kEmbeddingsNormBias, hidden);
  layers_.resize(static_cast<size_t>(spec_.num_layers));
  for (int i = 0; i < spec_.num_layers; ++i) {
    loader.encoder_layer(layers_[static_cast<size_t>(i)], model::bert_layer_names(i), hidden, spec_.intermediate_size);
  }
  if (spec_.has_classifier) {
    loader.linear(pooler_, {model::kPoolerWeight}, {model::kPoolerBias}, hidden, hidden, false);
    loader.linear(classifier_, {model::kClassifierWeight}, {model::kClassifierBias},
                  static_cast<int>(spec_.labels.size()), hidden, false);
  }
  pool.parallel_for(static_cast<int64_t>(loader.jobs.size()),
                    [&](int64_t i) { loader.jobs[static_cast<size_t>(i)](); });
}

int64_t Weights::bytes() const {
  int64_t bytes = static_cast<int64_t>(words_.size() * sizeof(float) + words_int8_.values.size() +
                                       words_int8_.scales.size() * sizeof(float) +
                                       (positions_.size() + types_.size()) * sizeof(float));
  for (const Layer& layer : layers_) {
    bytes += layer.qkv.bytes() + layer.attention_output.bytes() + layer.intermediate.bytes() + layer.output.bytes();
  }
  return bytes + pooler_.bytes() + classifier_.bytes();
}

void Weights::embed(int id, int position, float* out) const {
  const size_t hidden = static_cast<size_t>(spec_.hidden_size);
  const float* at = positions_.data() + static_cast<size_t>(position) * hidden;
  const size_t row = static_cast<size_t>(id);
  if (words_.empty()) {
    kernels::add_rows_int8(isa_, spec_.hidden_size, words_int8_.values.data() + row * hidden, words_int8_.scales[row],
                           at, types_.data(), out);
  } else {
    kernels::add_rows(isa_, spec_.hidden_size, words_.data() + row * hidden, at, types_.data(), out);
  }
}

}  // namespace slipway::engine
