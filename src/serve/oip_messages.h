// The names in a ModelInferRequest without parsing all of it. Any thread.
#pragma once

#include <string_view>

namespace slipway::serve::oip {

struct ModelAddress {
  std::string_view model;  // into the body
  std::string_view version;
};

// Throws Error(kInvalid) when the bytes are no ModelInferRequest, or have more tensors or parameters than are taken:
// what parses them may then spend memory on them. Any thread.
ModelAddress address_of(std::string_view body);

// The library writes to standard error of every message that is not UTF-8, and so at a client's will; from the first call
// on it does not. What is wrong comes back as an Error all the same.
void quiet_protobuf();

}  // namespace slipway::serve::oip
