#include "model/lora.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <set>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "model/decoder_layout.h"
#include "model/folder_parts.h"
#include "model/lora_config.h"
#include "model/safetensors.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;
namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "base_model.model.";  // peft's own wrapping of the base
constexpr std::string_view kWeight = ".weight";

bool is_linear(const DecoderTensor& tensor) noexcept {
  switch (tensor.role) {
    case DecoderRole::kQuery:
    case DecoderRole::kKey:
    case DecoderRole::kValue:
    case DecoderRole::kLinear:
    case DecoderRole::kGate:
    case DecoderRole::kUp:
    case DecoderRole::kLmHead: return !tensor.is_bias;
    default: return false;
  }
}

// A linear layer as the base model's file calls it, without ".weight".
struct Layer {
  std::string name;
  Fusion fusion = Fusion::kNone;
  bool own = true;  // whether models of this family have it so
};

std::vector<Layer> layers_of(const DecoderSpec& spec, const DecoderTensor& tensor) {
  const bool fused = spec.family == DecoderFamily::kGpt2 || spec.family == DecoderFamily::kGptNeoX ||
                     spec.family == DecoderFamily::kPhi3;
  std::vector<Layer> out;
  for (const FileSpelling& spelling : file_spellings(spec, FileNaming::kHuggingFace, tensor)) {
    const std::string name = spelling.name.substr(0, spelling.name.size() - kWeight.size());
    out.push_back({name, spelling.fusion, !is_qkv(tensor.role) || (spelling.fusion == Fusion::kQkv) == fused});
  }
  if (tensor.role == DecoderRole::kLmHead && spec.family == DecoderFamily::kGptNeoX) {
    out.push_back({"lm_head", Fusion::kNone, true});  // what transformers calls it in memory, and so does peft
  }
  return out;
}

class Reader {
 public:
  Reader(const LoraConfig& config, const TensorSource& tensors, const DecoderSpec& spec)
      : config_(config), tensors_(tensors), spec_(spec) {}

  void read(const DecoderTensor& tensor, std::vector<LoraPair>& pairs) {
    const std::vector<Layer> layers = layers_of(spec_, tensor);
    for (const Layer& layer : layers) {
      const TensorView* a = find(layer.name, "A");
      const TensorView* b = find(layer.name, "B");
      if (a == nullptr && b == nullptr) {
        continue;
      }
      if (a == nullptr || b == nullptr) {
        throw Error(Code::kIntegrity,
                    fmt::format("{}: '{}' has no lora_{}", tensors_.source(), layer.name, a == nullptr ? "A" : "B"));
      }
      pairs.push_back(pair_of(tensor, layer, *a, *b));
      return;
    }
    for (const Layer& layer : layers) {
      if (layer.own && config_.requires_layer(layer.name, tensor.role == DecoderRole::kLmHead)) {
        throw Error(Code::kIntegrity, fmt::format("{}: there is no tensor '{}{}.lora_A.weight', a layer that "
                                                  "target_modules names",
                                                  tensors_.source(), kPrefix, layer.name));
      }
    }
  }

  // Every tensor must have found its layer: what is left would be left out of the answer in silence.
  void check_all_used() const {
    for (const auto& [name, view] : tensors_.tensors()) {
      if (!used_.contains(name)) {
        throw Error(
            Code::kInvalid,
            fmt::format("{}: tensor '{}' is no low-rank pair of a linear layer of this model ({}); embeddings and "
                        "whole modules are not supported",
                        tensors_.source(), name.substr(0, 200), family_name(spec_.family)));
      }
    }
  }

 private:
  const TensorView* find(const std::string& layer, const char* which) {
    const TensorView* view = tensors_.find(fmt::format("{}{}.lora_{}.weight", kPrefix, layer, which));
    if (view != nullptr) {
      used_.insert(view->name);
    }
    return view;
  }

  void check_shape(const TensorView& view, std::vector<int64_t> wanted) const {
    if (view.shape != wanted) {
      throw Error(Code::kIntegrity,
                  fmt::format("{}: tensor '{}' has the shape [{}], the configuration and the model need [{}]",
                              tensors_.source(), view.name, fmt::join(view.shape, ", "), fmt::join(wanted, ", ")));
    }
    if (!dtype_is_float(view.dtype) || dtype_block(view.dtype) != 1) {
      throw Error(Code::kIntegrity, fmt::format("{}: tensor '{}' is {}, which an adapter's weights cannot be",
                                                tensors_.source(), view.name, dtype_name(view.dtype)));
    }
  }

  LoraPair pair_of(const DecoderTensor& tensor, const Layer& layer, const TensorView& a, const TensorView& b) {
    const Extent extent = extent_of(spec_, tensor, layer.fusion);
    const int64_t rank = config_.rank_of(layer.name);
    check_shape(a, {rank, tensor.shape[1]});
    check_shape(b, {extent.total, rank});
    LoraPair pair;
    pair.target = tensor.name.substr(0, tensor.name.size() - kWeight.size());
    pair.rank = static_cast<int>(rank);
    pair.n = static_cast<int>(tensor.shape[0]);
    pair.k = static_cast<int>(tensor.shape[1]);
    std::shared_ptr<const std::vector<float>>& shared = a_[layer.name];
    if (shared == nullptr) {
      shared = std::make_shared<const std::vector<float>>(tensor_to_f32(a, tensors_.source()));
    }
    pair.a = shared;
    const std::vector<float> all = tensor_to_f32(b, tensors_.source());
    const Layout layout = layout_of(spec_, FileNaming::kHuggingFace, tensor);
    const auto scale = static_cast<float>(config_.scale_of(layer.name));
    pair.b.reserve(static_cast<size_t>(pair.n) * static_cast<size_t>(rank));
    for (int64_t row = 0; row < pair.n; ++row) {
      const int64_t from = file_row(spec_, layout, tensor.role, extent.first, row) * rank;
      for (int64_t i = 0; i < rank; ++i) {
        pair.b.push_back(scale * all[static_cast<size_t>(from + i)]);
      }
    }
    return pair;
  }

  const LoraConfig& config_;
  const TensorSource& tensors_;
  const DecoderSpec& spec_;
  std::set<std::string> used_;
  std::map<std::string, std::shared_ptr<const std::vector<float>>> a_;  // by layer
};

}  // namespace

int64_t LoraAdapter::parameters() const {
  int64_t count = 0;
  std::set<const void*> seen;
  for (const LoraPair& pair : pairs) {
    count += static_cast<int64_t>(pair.b.size());
    if (seen.insert(pair.a.get()).second) {
      count += static_cast<int64_t>(pair.a->size());
    }
  }
  return count;
}

int LoraAdapter::max_rank() const {
  int rank = 0;
  for (const LoraPair& pair : pairs) {
    rank = std::max(rank, pair.rank);
  }
  return rank;
}

LoraAdapter read_lora(const base::Json& config, const TensorSource& tensors, const DecoderSpec& spec,
                      const std::string& source) {
  const LoraConfig read(config, source);
  Reader reader(read, tensors, spec);
  LoraAdapter adapter;
  adapter.source = source;
  std::vector<DecoderTensor> all = decoder_tensors(spec);
  if (spec.tied_embeddings) {
    all.push_back({"lm_head.weight", {spec.vocab_size, spec.hidden_size}, DecoderRole::kLmHead, -1, false});
  }
  for (const DecoderTensor& tensor : all) {
    if (is_linear(tensor)) {
      reader.read(tensor, adapter.pairs);
    }
  }
  reader.check_all_used();
  if (adapter.pairs.empty()) {
    throw Error(Code::kIntegrity, fmt::format("{}: there is no low-rank pair", tensors.source()));
  }
  return adapter;
}

LoraAdapter read_lora(const fs::path& folder, const DecoderSpec& spec) {
  for (const char* name : {kLoraConfigFile, kLoraWeightsFile}) {
    if (!base::is_file(folder / name)) {
      throw Error(Code::kNotFound, fmt::format("'{}' has no {}: it is not a folder of a LoRA adapter as peft saves it",
                                               folder.string(), name));
    }
  }
  const fs::path config = folder / kLoraConfigFile;
  return read_lora(read_config_object(config), SafetensorsFile(folder / kLoraWeightsFile), spec, config.string());
}

}  // namespace slipway::model
