// Bodies of the Open Inference Protocol: JSON tensors and the binary tensor extension, or protobuf messages as gRPC
// carries them, both ways. Untrusted bytes: every size is checked before it is used. docs/formats/open-inference.md
// says which tensors the server has. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"
#include "serve/oip_tensor.h"

namespace slipway::serve::oip {

using base::Json;

struct WantedOutput {
  std::string name;
  bool binary = false;
  int classification = 0;  // k > 0: "score:index:label" of the k largest, as Triton writes them
};

struct InferRequest {
  std::string id;
  std::vector<Tensor> inputs;
  std::vector<WantedOutput> outputs;  // empty: all
  bool binary_outputs = false;        // for outputs that are not listed
};

// `header_length` is that of the Inference-Header-Content-Length header, or "". Throws Error(kInvalid) naming the
// tensor and what is wrong with it.
InferRequest decode_request(std::string_view body, std::string_view header_length);

struct InferResponse {
  std::string model;
  std::string version;
  std::string id;
  std::vector<Tensor> outputs;  // BYTES or FP32
  std::vector<bool> binary;     // an entry an output
};
net::Response encode_response(const InferResponse& response);

// The same as protobuf: bytes of a ModelInferRequest, of a ModelInferResponse with raw contents (oip_messages.cc).
inline constexpr const char* kMessageType = "application/x-protobuf";
InferRequest decode_message(std::string_view body);
net::Response encode_message(const InferResponse& response);

}  // namespace slipway::serve::oip
