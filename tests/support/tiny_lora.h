// LoRA adapters of the tiny decoders, their weights a formula too: what tests/gold/decoder_lora.py gave to peft.
#pragma once

#include "support/tiny_decoder.h"

namespace slipway::tests {

// tests/gold/decoder_lora.json, "adapters" at FAMILY: config, tensors {name: shape}, logits, greedy.
inline base::Json tiny_lora_gold(const std::string& family) {
  const auto path = source_dir() / "tests" / "gold" / "decoder_lora.json";
  return base::parse_json(base::read_file(path), path.string()).at("adapters").at(family);
}

// Values of an adapter's tensor, times `scale` (1 is the gold's).
inline std::vector<float> tiny_lora_weights(const std::string& name, const std::vector<int64_t>& shape,
                                            float scale = 1) {
  std::vector<float> values = tiny_weights(name, shape);
  for (float& value : values) {
    value *= name.find("lora_B") != std::string::npos ? 0.25F * scale : 1.0F;
  }
  return values;
}

// Writes the adapter as peft does; `scale` of its lora_B makes another one of the same shapes.
inline void write_tiny_lora(const std::filesystem::path& folder, const base::Json& config, const base::Json& shapes,
                            float scale = 1) {
  base::make_dirs(folder);
  base::write_file_atomic(folder / "adapter_config.json", base::dump_json_pretty(config));
  std::vector<std::vector<float>> values;
  std::vector<model::TensorData> tensors;
  values.reserve(shapes.size());
  for (const auto& [name, shape] : shapes.items()) {
    const auto sizes = shape.get<std::vector<int64_t>>();
    const std::vector<float>& data = values.emplace_back(tiny_lora_weights(name, sizes, scale));
    tensors.push_back(
        {name, model::DType::kF32, sizes, {reinterpret_cast<const char*>(data.data()), data.size() * sizeof(float)}});
  }
  model::write_safetensors(folder / "adapter_model.safetensors", tensors, {{"format", "pt"}});
}

}  // namespace slipway::tests
