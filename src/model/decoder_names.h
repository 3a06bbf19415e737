// How files call the tensors of a decoder: one table of Hugging Face's names for each layout and GGUF's, and where a
// tensor that a file fuses with others lies in it. Internal to the room; decoder_weights.h is what others use.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/decoder_spec.h"

namespace slipway::model {

enum class FileNaming { kHuggingFace, kGguf };

// What a tensor is, as far as layouts differ by it.
enum class DecoderRole { kEmbedding, kPositions, kNorm, kHeadNorm, kQuery, kKey, kValue, kLinear, kGate, kUp, kLmHead };

struct DecoderTensor {
  std::string name;  // canonical
  std::vector<int64_t> shape;
  DecoderRole role = DecoderRole::kLinear;
  int layer = -1;
  bool is_bias = false;
};
// Every tensor of a model of this spec, in the order of computing; lm_head.weight only when it is not tied.
std::vector<DecoderTensor> decoder_tensors(const DecoderSpec& spec);

// One spelling of a tensor in a file, and whether the file has others in the same tensor.
enum class Fusion { kNone, kQkv, kGateUp };
struct FileSpelling {
  std::string name;
  Fusion fusion = Fusion::kNone;
};
// The spellings to try, in order.
std::vector<FileSpelling> file_spellings(const DecoderSpec& spec, FileNaming naming, const DecoderTensor& tensor);

}  // namespace slipway::model
