#include "model/config_parts.h"

#include <fmt/format.h>

namespace slipway::model {

DecoderActivation activation_of(const std::string& name, const ConfigReader& config) {
  if (name == "silu" || name == "swish") {
    return DecoderActivation::kSilu;
  }
  if (name == "gelu") {
    return DecoderActivation::kGelu;
  }
  if (name == "gelu_new" || name == "gelu_pytorch_tanh" || name == "gelu_fast") {
    return DecoderActivation::kGeluTanh;
  }
  if (name == "relu") {
    return DecoderActivation::kRelu;
  }
  config.fail(fmt::format(
      "the activation '{}' is not supported; supported: silu, gelu, gelu_new, gelu_pytorch_tanh, relu", name));
}

std::vector<int> read_eos_ids(const ConfigReader& config, int vocab_size) {
  const base::Json* eos = config.find("eos_token_id");
  if (eos == nullptr) {
    return {};
  }
  if (!eos->is_array()) {
    return {config.size_or("eos_token_id", 0, 0, vocab_size - 1)};
  }
  if (eos->size() > 1'000) {
    config.fail("'eos_token_id' has more than 1000 ids");
  }
  std::vector<int> ids;
  for (const base::Json& id : *eos) {
    const base::Json one = {{"eos_token_id", id}};
    ids.push_back(ConfigReader(one, config.source()).size("eos_token_id", 0, vocab_size - 1));
  }
  return ids;
}

}  // namespace slipway::model
