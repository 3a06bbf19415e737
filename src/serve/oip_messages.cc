// The Open Inference Protocol's protobuf messages to and from our values.
#include "serve/oip_messages.h"

#include <algorithm>
#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/wire_format_lite.h>
#include <limits>

#include "base/error.h"
#include "open_inference.pb.h"
#include "serve/oip_codec.h"

namespace slipway::serve::oip {

namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// Of a message: all tensors, their raw contents, and parameters. The parsed form of an empty field takes fifty times its
// bytes, so they are counted before.
constexpr int kMaxFields = 256;

[[noreturn]] void refuse(const std::string& message) { throw base::Error(base::Code::kInvalid, message); }
[[noreturn]] void refuse_bytes() { refuse("the message is not a ModelInferRequest"); }

CodedInputStream stream_of(std::string_view body) {
  if (body.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    refuse_bytes();
  }
  return CodedInputStream(reinterpret_cast<const uint8_t*>(body.data()), static_cast<int>(body.size()));
}

// Calls `take(number, bytes)` for each field that has a length; others are skipped. `left` fields are allowed.
template <class Take>
void each_field(std::string_view body, int& left, const Take& take) {
  CodedInputStream stream = stream_of(body);
  while (const uint32_t tag = stream.ReadTag()) {
    if (--left < 0) {
      refuse("the message has more tensors or parameters than are taken");
    }
    if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      if (!WireFormatLite::SkipField(&stream, tag)) {
        refuse_bytes();
      }
      continue;
    }
    uint32_t length = 0;
    if (!stream.ReadVarint32(&length) || length > body.size() - static_cast<size_t>(stream.CurrentPosition())) {
      refuse_bytes();
    }
    take(WireFormatLite::GetTagFieldNumber(tag), body.substr(static_cast<size_t>(stream.CurrentPosition()), length));
    stream.Skip(static_cast<int>(length));
  }
  if (!stream.ConsumedEntireMessage()) {
    refuse_bytes();
  }
}

using Parameters = google::protobuf::Map<std::string, inference::InferParameter>;

int classification_of(const Parameters& parameters, const std::string& output) {
  constexpr int64_t kMaxClasses = 1'000'000;
  const auto found = parameters.find("classification");
  if (found == parameters.end()) {
    return 0;
  }
  const int64_t classes = found->second.has_uint64_param()
                              ? static_cast<int64_t>(std::min<uint64_t>(found->second.uint64_param(), kMaxClasses + 1))
                              : found->second.int64_param();
  if (classes < 0 || classes > kMaxClasses) {
    refuse(fmt::format("output '{}': parameter \"classification\" must be a whole number from 0 to {}",
                       output.substr(0, 100), kMaxClasses));
  }
  return static_cast<int>(classes);
}

void refuse_shared_memory(const Parameters& parameters, const std::string& where) {
  if (parameters.contains("shared_memory_region")) {
    refuse(where + ": shared memory is not taken; send the contents");
  }
}

void read_contents(const inference::InferTensorContents& contents, Tensor& tensor, const std::string& where) {
  const auto ints = [&](const auto& values) { tensor.ints.assign(values.begin(), values.end()); };
  const int others = contents.bool_contents_size() + contents.fp32_contents_size() + contents.fp64_contents_size();
  const int given = contents.bytes_contents_size() + contents.int_contents_size() + contents.int64_contents_size() +
                    contents.uint_contents_size() + contents.uint64_contents_size();
  int taken = 0;
  if (tensor.datatype == "BYTES") {
    taken = contents.bytes_contents_size();
    tensor.texts.assign(contents.bytes_contents().begin(), contents.bytes_contents().end());
  } else if (tensor.datatype == "INT64") {
    taken = contents.int64_contents_size();
    ints(contents.int64_contents());
  } else if (tensor.datatype == "UINT64") {
    taken = contents.uint64_contents_size();
    ints(contents.uint64_contents());
  } else if (tensor.datatype.starts_with("UINT")) {
    taken = contents.uint_contents_size();
    ints(contents.uint_contents());
  } else {
    taken = contents.int_contents_size();
    ints(contents.int_contents());
  }
  if (others > 0 || taken != given) {
    refuse(fmt::format("{}: its contents are not those of datatype {}", where, tensor.datatype));
  }
}

Tensor tensor_of(const inference::ModelInferRequest::InferInputTensor& input, const std::string* raw) {
  Tensor tensor;
  tensor.name = input.name();
  const std::string where = fmt::format("input '{}'", tensor.name.substr(0, 100));
  tensor.datatype = input.datatype();
  check_datatype(tensor, where);
  tensor.shape.assign(input.shape().begin(), input.shape().end());
  check_shape(tensor, where);
  refuse_shared_memory(input.parameters(), where);
  if (raw == nullptr) {
    read_contents(input.contents(), tensor, where);
  } else if (input.has_contents()) {
    refuse(where + ": \"contents\" and \"raw_input_contents\" exclude each other");
  } else {
    read_raw(*raw, tensor, where);
  }
  check_length(tensor, where);
  return tensor;
}

}  // namespace

ModelAddress address_of(std::string_view body) {
  using Message = inference::ModelInferRequest;
  ModelAddress address;
  int left = kMaxFields;
  each_field(body, left, [&](int number, std::string_view bytes) {
    if (number == Message::kModelNameFieldNumber) {
      address.model = bytes;
    } else if (number == Message::kModelVersionFieldNumber) {
      address.version = bytes;
    } else if (number == Message::kInputsFieldNumber || number == Message::kOutputsFieldNumber) {
      each_field(bytes, left, [](int, std::string_view) {});
    }
  });
  return address;
}

void quiet_protobuf() {
  static auto* const before = google::protobuf::SetLogHandler(nullptr);
  static_cast<void>(before);
}

InferRequest decode_message(std::string_view body) {
  quiet_protobuf();
  address_of(body);  // counts
  inference::ModelInferRequest message;
  if (!message.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    refuse_bytes();
  }
  if (message.inputs().empty()) {
    refuse("the message has no inputs");
  }
  if (static_cast<size_t>(message.inputs_size()) > kMaxInputs ||
      static_cast<size_t>(message.outputs_size()) > kMaxOutputs) {
    refuse(fmt::format("at most {} inputs and {} outputs are taken", kMaxInputs, kMaxOutputs));
  }
  const bool raw = !message.raw_input_contents().empty();
  if (raw && message.raw_input_contents_size() != message.inputs_size()) {
    refuse(fmt::format("raw_input_contents has {} entries for {} inputs; it needs one an input, or none",
                       message.raw_input_contents_size(), message.inputs_size()));
  }
  InferRequest request;
  request.id = message.id();
  request.binary_outputs = true;
  for (int i = 0; i < message.inputs_size(); ++i) {
    request.inputs.push_back(tensor_of(message.inputs(i), raw ? &message.raw_input_contents(i) : nullptr));
  }
  for (const auto& output : message.outputs()) {
    refuse_shared_memory(output.parameters(), "output '" + output.name().substr(0, 100) + "'");
    request.outputs.push_back({output.name(), true, classification_of(output.parameters(), output.name())});
  }
  return request;
}

net::Response encode_message(const InferResponse& response) {
  inference::ModelInferResponse message;
  message.set_model_name(response.model);
  message.set_model_version(response.version);
  message.set_id(response.id);
  for (const Tensor& tensor : response.outputs) {
    auto& output = *message.add_outputs();
    output.set_name(tensor.name);
    output.set_datatype(tensor.datatype);
    output.mutable_shape()->Assign(tensor.shape.begin(), tensor.shape.end());
    append_raw(tensor, *message.add_raw_output_contents());
  }
  return {200, {{"Content-Type", kMessageType}}, message.SerializeAsString()};
}

}  // namespace slipway::serve::oip
