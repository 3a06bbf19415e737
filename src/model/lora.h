// LoRA adapters of decoders (Hu et al. 2021) as peft saves them: a folder with adapter_config.json and
// adapter_model.safetensors. A linear layer y = x W^T becomes y = x W^T + (x A^T) B^T. Read: rank, alpha, rsLoRA, ranks
// and alphas by pattern, layers fused in the file (GPT-2, GPT-NeoX, Phi-3) and Conv1D's. Everything else that would
// change the answer (DoRA, biases, modules saved whole, bases changed by the initialisation, ...) is refused. Values.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/decoder_spec.h"
#include "model/tensor_source.h"

namespace slipway::model {

inline constexpr const char* kLoraConfigFile = "adapter_config.json";
inline constexpr const char* kLoraWeightsFile = "adapter_model.safetensors";
inline constexpr int kMaxLoraRank = 1024;

// What an adapter adds to one linear layer, in the names and the layout of decoder_weights.h.
struct LoraPair {
  std::string target;  // "model.layers.3.self_attn.q_proj", "lm_head"
  int rank = 0;
  int n = 0;                                    // outputs
  int k = 0;                                    // inputs
  std::shared_ptr<const std::vector<float>> a;  // [rank, k]; one for all parts of a layer that the file fuses
  std::vector<float> b;                         // [n, rank], times alpha / rank (rsLoRA: alpha / sqrt(rank))
};

struct LoraAdapter {
  std::string source;           // for messages: the folder
  std::vector<LoraPair> pairs;  // at least one; in the order of decoder_tensors
  int64_t parameters() const;   // of the file: a shared `a` once
  int max_rank() const;
};

// Throws Error(kNotFound) naming the file that is missing; kInvalid for what is not supported and for targets that the
// model does not have; kIntegrity for tensors that are missing, of the wrong shape or type, or not used by any target.
LoraAdapter read_lora(const std::filesystem::path& folder, const DecoderSpec& spec);
// The same from parts already read (tests, fuzzers). `source` is for messages.
LoraAdapter read_lora(const base::Json& config, const TensorSource& tensors, const DecoderSpec& spec,
                      const std::string& source);

}  // namespace slipway::model
