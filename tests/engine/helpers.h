// What the engine's tests share: random texts as ids, an int8 file beside a tiny model.
#pragma once

#include <cmath>
#include <vector>

#include "base/random.h"
#include "model/int8_layout.h"
#include "support/tiny_bert.h"

namespace slipway::tests {

inline std::vector<int32_t> random_ids(base::Rng& rng, int length, int vocabulary) {
  std::vector<int32_t> ids(static_cast<size_t>(length));
  for (int32_t& id : ids) {
    id = static_cast<int32_t>(rng.below(static_cast<uint64_t>(vocabulary)));
  }
  return ids;
}

inline std::vector<std::vector<int32_t>> random_texts(uint64_t seed, int count, int longest, int vocabulary) {
  base::Rng rng(seed);
  std::vector<std::vector<int32_t>> texts;
  for (int i = 0; i < count; ++i) {
    texts.push_back(random_ids(rng, 1 + static_cast<int>(rng.below(static_cast<uint64_t>(longest))), vocabulary));
  }
  return texts;
}

// model.int8.safetensors from the folder's model.safetensors: linear layers and, when asked, word embeddings.
inline void write_int8(const std::filesystem::path& path, bool embeddings) {
  const model::ModelFolder folder = model::open_model_folder(path);
  const model::OpenedWeights opened = model::open_float_weights(folder);
  std::vector<std::vector<float>> floats;
  std::vector<model::Int8Rows> quantized;
  std::vector<model::TensorData> tensors;
  const auto bytes_of = [](const auto& values) {
    return std::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0]));
  };
  const auto infos = model::encoder_tensors(opened.spec, opened.naming.has_pooler);
  floats.reserve(infos.size());
  quantized.reserve(infos.size());
  for (const model::TensorInfo& info : infos) {
    const std::string name = opened.naming.in_file(info.name);
    const auto values = floats.emplace_back(opened.file->read_f32(name, info.count()));
    if (info.role == model::TensorRole::kLinear || (embeddings && info.name == model::kWordEmbeddings)) {
      const auto& rows = quantized.emplace_back(model::quantize_rows(values, info.shape[0], info.shape[1]));
      tensors.push_back({name, model::DType::kI8, info.shape, bytes_of(rows.values)});
      tensors.push_back({model::scale_name(name), model::DType::kF32, {info.shape[0]}, bytes_of(rows.scales)});
    } else {
      tensors.push_back({name, model::DType::kF32, info.shape, bytes_of(floats.back())});
    }
  }
  model::write_safetensors(path / model::kInt8WeightsFile, tensors,
                           {{"format", model::kInt8Format}, {"version", model::kInt8Version}});
}

inline double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0;
  double aa = 0;
  double bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    dot += double{a[i]} * b[i];
    aa += double{a[i]} * a[i];
    bb += double{b[i]} * b[i];
  }
  return dot / std::sqrt(aa * bb);
}

}  // namespace slipway::tests
