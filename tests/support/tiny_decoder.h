// Tiny decoders whose every weight is a formula of the tensor's name, so that a test has the same model as transformers
// without torch: tests/gold/decoder_models.py computed logits and greedy texts with the weights below.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "model/safetensors.h"
#include "support/support.h"

namespace slipway::tests {

// The families that have a gold file.
inline const std::vector<std::string>& tiny_decoder_names() {
  static const std::vector<std::string> names = {"llama", "llama3",   "mistral", "qwen2",  "qwen3",
                                                 "gpt2",  "gpt_neox", "phi3",    "gemma2", "gemma3"};
  return names;
}

// tests/gold/decoder_NAME.json: config, tensors {name: shape}, ids, positions, logits [position][vocab], greedy.
inline base::Json tiny_decoder_gold(const std::string& name) {
  const auto path = source_dir() / "tests" / "gold" / ("decoder_" + name + ".json");
  return base::parse_json(base::read_file(path), path.string());
}

// weights() of decoder_models.py: value i is u = splitmix64(fnv1a64(name) + i * golden) as a number in [-1, 1) of 24
// bits; a vector is 0.1 u, around 1 when it is called weight; a matrix is 3 u / sqrt(columns), embeddings a third of
// that.
inline std::vector<float> tiny_weights(const std::string& name, const std::vector<int64_t>& shape) {
  uint64_t seed = 0xcbf29ce484222325ULL;
  for (const char c : name) {
    seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  bool embedding = false;
  for (const std::string_view part : {"embed_tokens", "embed_in", "wte", "wpe", "shared", "embed_pos"}) {
    embedding = embedding || name.find(part) != std::string::npos;
  }
  int64_t count = 1;
  for (const int64_t size : shape) {
    count *= size;
  }
  std::vector<float> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) {
    uint64_t z = seed + (static_cast<uint64_t>(i) + 1) * 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    z ^= z >> 31;
    const double u = (static_cast<double>(z >> 40) - 8388608.0) / 8388608.0;
    const double value = shape.size() == 1 ? 0.1 * u + (name.ends_with("weight") ? 1.0 : 0.0)
                                           : u * ((embedding ? 1.0 : 3.0) / std::sqrt(static_cast<double>(shape[1])));
    values[i] = static_cast<float>(value);
  }
  return values;
}

// Writes config.json and model.safetensors of the gold model into `folder` (made when absent), as transformers would.
inline void write_tiny_decoder(const std::filesystem::path& folder, const base::Json& gold) {
  base::make_dirs(folder);
  base::write_file_atomic(folder / "config.json", base::dump_json_pretty(gold.at("config")));
  const base::Json& shapes = gold.at("tensors");
  std::vector<std::vector<float>> values;
  std::vector<model::TensorData> tensors;
  values.reserve(shapes.size());
  for (const auto& [name, shape] : shapes.items()) {
    const auto sizes = shape.get<std::vector<int64_t>>();
    const std::vector<float>& data = values.emplace_back(tiny_weights(name, sizes));
    tensors.push_back(
        {name, model::DType::kF32, sizes, {reinterpret_cast<const char*>(data.data()), data.size() * sizeof(float)}});
  }
  model::write_safetensors(folder / "model.safetensors", tensors, {{"format", "pt"}});
}

}  // namespace slipway::tests
