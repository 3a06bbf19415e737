// The JSON header of a safetensors file, read event by event: nothing but what the format allows is kept, so a hostile
// header can cost no more memory than the limits below. Internal to the room.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::model {

inline constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the limit of the reference implementation
inline constexpr size_t kMaxTensors = 262'144;            // twice what the largest published model has
inline constexpr size_t kMaxTensorNameBytes = 4'096;
inline constexpr size_t kMaxRank = 16;

struct HeaderTensor {
  std::string name;
  std::string dtype;
  std::vector<uint64_t> shape;
  uint64_t begin = 0;  // from the first byte after the header
  uint64_t end = 0;
};

struct Header {
  std::vector<HeaderTensor> tensors;  // in the order of the header
  std::map<std::string, std::string> metadata;
};

// Parses the header's text. Throws Error(kIntegrity) for anything but an object of name -> {dtype, shape, data_offsets}
// and "__metadata__" -> {text: text}: a repeated key, an unknown key, a wrong type, a limit passed.
Header parse_safetensors_header(std::string_view json, const std::string& source);

}  // namespace slipway::model
