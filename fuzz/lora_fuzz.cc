// adapter_config.json and the names and shapes of an adapter's tensors: {"config": ..., "tensors": {name: shape}}, read
// for a tiny Llama with values of zero. Any JSON is an adapter within the model's shapes or an Error.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "model/lora.h"

namespace {

using slipway::base::Json;
namespace model = slipway::model;

class Shapes final : public model::TensorSource {
 public:
  explicit Shapes(const Json& shapes) : zeros_(size_t{1} << 20, '\0') {
    for (const auto& [name, shape] : shapes.items()) {
      model::TensorView view{name, model::DType::kF32, {}, {}};
      uint64_t count = 1;
      for (const Json& size : shape) {
        const int64_t n = size.is_number_unsigned() && size.get<uint64_t>() < 4096 ? size.get<int64_t>() : 0;
        view.shape.push_back(n);
        count = std::min<uint64_t>(count * static_cast<uint64_t>(n), zeros_.size());
      }
      if (count * sizeof(float) <= zeros_.size()) {
        view.bytes = std::string_view(zeros_).substr(0, count * sizeof(float));
        tensors_.emplace(name, std::move(view));
      }
    }
  }
  const std::map<std::string, model::TensorView>& tensors() const override { return tensors_; }
  const std::string& source() const override { return source_; }
  const char* format() const noexcept override { return "safetensors"; }

 private:
  std::string zeros_;
  std::string source_ = "fuzz";
  std::map<std::string, model::TensorView> tensors_;
};

model::DecoderSpec tiny_llama() {
  return model::decoder_spec_from_config(Json{{"model_type", "llama"},
                                              {"vocab_size", 16},
                                              {"hidden_size", 16},
                                              {"num_hidden_layers", 2},
                                              {"num_attention_heads", 2},
                                              {"num_key_value_heads", 1},
                                              {"intermediate_size", 24},
                                              {"max_position_embeddings", 32},
                                              {"rms_norm_eps", 1e-5}},
                                         "fuzz");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const model::DecoderSpec spec = tiny_llama();
  try {
    const Json json = slipway::base::parse_json({reinterpret_cast<const char*>(data), size}, "fuzz");
    const auto config = json.find("config");
    const auto tensors = json.find("tensors");
    if (config == json.end() || tensors == json.end() || !tensors->is_object()) {
      return 0;
    }
    const model::LoraAdapter adapter = model::read_lora(*config, Shapes(*tensors), spec, "fuzz");
    for (const model::LoraPair& pair : adapter.pairs) {
      if (pair.rank < 1 || pair.a->size() != static_cast<size_t>(pair.rank) * static_cast<size_t>(pair.k) ||
          pair.b.size() != static_cast<size_t>(pair.rank) * static_cast<size_t>(pair.n)) {
        __builtin_trap();
      }
    }
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
