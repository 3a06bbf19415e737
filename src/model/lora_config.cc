#include "model/lora_config.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "base/error.h"
#include "model/config_reader.h"
#include "model/lora.h"

namespace slipway::model {
namespace {

using base::Json;

constexpr size_t kMaxPatterns = 1024;  // each is tried on each layer
constexpr double kMaxAlpha = 1e6;

// Keys that change what an adapter computes, and that must be absent, null, false or empty.
constexpr const char* kRefused[] = {
    "use_dora",          "modules_to_save",   "lora_bias",      "use_qalora",   "layer_replication",
    "target_parameters", "arrow_config",      "use_bdlora",     "kasa_config",  "trainable_token_indices",
    "velora_config",     "monteclora_config", "lora_ga_config", "corda_config", "alora_invocation_tokens"};

// Initialisations that change the weights of the base, too: the adapter alone is not the difference then.
bool changes_base(const std::string& initialisation) {
  return initialisation.starts_with("pissa") || initialisation == "olora" || initialisation == "corda" ||
         initialisation == "loftq" || initialisation == "lora_ga";
}

bool is_empty(const Json& value) {
  return value.is_null() || (value.is_boolean() && !value.get<bool>()) ||
         ((value.is_array() || value.is_object()) && value.empty());
}

void refuse_unsupported(const Json& config, const ConfigReader& reader) {
  for (const char* key : kRefused) {
    const auto it = config.find(key);
    if (it != config.end() && !is_empty(*it)) {
      reader.fail(fmt::format("'{}' is set, which is not supported: only plain low-rank pairs are", key));
    }
  }
  if (const std::string type = reader.text_or("peft_type", "LORA"); type != "LORA") {
    reader.fail(fmt::format("peft_type is '{}'; only LORA is supported", type));
  }
  if (const std::string bias = reader.text_or("bias", "none"); bias != "none") {
    reader.fail(fmt::format("bias is '{}'; only adapters with bias 'none' are supported", bias));
  }
  const Json* start = reader.find("init_lora_weights");
  if (start != nullptr && start->is_string() && changes_base(start->get<std::string>())) {
    reader.fail(
        fmt::format("init_lora_weights is '{}', which changes the base model's weights, too: save the adapter with "
                    "peft's path_initial_model_for_weight_conversion",
                    start->get<std::string>()));
  }
}

std::u32string widen(std::string_view ascii) { return {ascii.begin(), ascii.end()}; }

}  // namespace

LoraConfig::LoraConfig(const Json& config, const std::string& source) {
  const ConfigReader reader(config, source);
  if (!config.is_object()) {
    reader.fail("must be a JSON object");
  }
  refuse_unsupported(config, reader);
  rank_ = reader.size_or("r", 8, 1, kMaxLoraRank);
  alpha_ = reader.number_or("lora_alpha", 8, -kMaxAlpha, kMaxAlpha);
  rank_stabilized_ = reader.flag_or("use_rslora", false);
  ranks_ = read_patterns(config, "rank_pattern", 1, kMaxLoraRank, source);
  alphas_ = read_patterns(config, "alpha_pattern", -kMaxAlpha, kMaxAlpha, source);
  const Json* targets = reader.find("target_modules");
  const bool some = reader.has("layers_to_transform") || reader.has("exclude_modules");
  if (targets != nullptr && targets->is_array()) {
    for (const Json& target : *targets) {
      if (!target.is_string()) {
        reader.fail("'target_modules' must be a text or a list of texts");
      }
      if (!some) {
        targets_.push_back(target.get<std::string>());
      }
    }
  } else if (targets != nullptr && targets->is_string()) {
    all_linear_ = !some && targets->get<std::string>() == "all-linear";
  } else if (targets != nullptr) {
    reader.fail("'target_modules' must be a text or a list of texts");
  }
}

std::vector<LoraConfig::Pattern> LoraConfig::read_patterns(const Json& config, const char* key, double low, double high,
                                                           const std::string& source) {
  std::vector<Pattern> patterns;
  const ConfigReader reader(config, source);
  const Json* entries = reader.find(key);
  if (entries == nullptr) {
    return patterns;
  }
  if (!entries->is_object() || entries->size() > kMaxPatterns) {
    reader.fail(fmt::format("'{}' must be an object of at most {} patterns", key, kMaxPatterns));
  }
  for (const auto& [pattern, value] : entries->items()) {
    if (!value.is_number() || !(value.get<double>() >= low && value.get<double>() <= high)) {
      reader.fail(fmt::format("'{}' of '{}' must be a number between {} and {}", key, pattern, low, high));
    }
    patterns.push_back({text::Regex(fmt::format("^(?:.*\\.)?(?:{})$", pattern), fmt::format("{}, '{}'", source, key),
                                    text::Regex::Flavor::kRust),
                        value.get<double>()});
  }
  return patterns;
}

double LoraConfig::value_of(const std::vector<Pattern>& patterns, std::string_view layer, double fallback) {
  const std::u32string name = widen(layer);
  const auto size = static_cast<uint32_t>(name.size());
  for (const Pattern& pattern : patterns) {
    text::Regex::Match match{};
    if (pattern.regex.find(name, 0, size, 0, match)) {
      return pattern.value;
    }
  }
  return fallback;
}

int LoraConfig::rank_of(std::string_view layer) const { return static_cast<int>(value_of(ranks_, layer, rank_)); }

double LoraConfig::scale_of(std::string_view layer) const {
  const auto rank = static_cast<double>(rank_of(layer));
  return value_of(alphas_, layer, alpha_) / (rank_stabilized_ ? std::sqrt(rank) : rank);
}

bool LoraConfig::requires_layer(std::string_view layer, bool output_layer) const {
  if (all_linear_) {
    return !output_layer;
  }
  return std::any_of(targets_.begin(), targets_.end(), [&](const std::string& target) {
    return layer == target ||
           (layer.size() > target.size() && layer.ends_with(target) && layer[layer.size() - target.size() - 1] == '.');
  });
}

}  // namespace slipway::model
