// adapter_config.json of a LoRA adapter: what it says of ranks and scales, and what of it is refused. Internal to the
// room; lora.h is what others use. Immutable; any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "text/regex.h"

namespace slipway::model {

class LoraConfig {
 public:
  // Throws Error(kInvalid) naming `source` and the key.
  LoraConfig(const base::Json& config, const std::string& source);

  // Of a layer by its name in the base model ("model.layers.0.self_attn.q_proj"): the first pattern of rank_pattern
  // (alpha_pattern) that matches the end of the name, else r (lora_alpha), as peft's get_pattern_key.
  int rank_of(std::string_view layer) const;
  // alpha / rank, rsLoRA: alpha / sqrt(rank).
  double scale_of(std::string_view layer) const;
  // Whether the configuration names this layer, so that it must be in the file. False where only some of the layers
  // that target_modules names are meant, or it is a regular expression.
  bool requires_layer(std::string_view layer, bool output_layer) const;

 private:
  struct Pattern {
    text::Regex regex;
    double value;
  };
  static std::vector<Pattern> read_patterns(const base::Json& config, const char* key, double low, double high,
                                            const std::string& source);
  static double value_of(const std::vector<Pattern>& patterns, std::string_view layer, double fallback);

  int rank_ = 8;
  double alpha_ = 8;
  bool rank_stabilized_ = false;
  std::vector<Pattern> ranks_;
  std::vector<Pattern> alphas_;
  bool all_linear_ = false;
  std::vector<std::string> targets_;
};

}  // namespace slipway::model
