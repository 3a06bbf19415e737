#include "serve/oip_codec.h"

#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>

#include "base/error.h"

namespace slipway::serve::oip {

namespace {

[[noreturn]] void refuse(const std::string& message) { throw base::Error(base::Code::kInvalid, message); }

std::string string_member(const Json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) {
    refuse(fmt::format("{} needs \"{}\": a text", where, key));
  }
  return found->get<std::string>();
}

// A boolean among the parameters of `object`; `fallback` when absent.
bool bool_parameter(const Json& object, const char* key, bool fallback) {
  const auto parameters = object.find("parameters");
  if (parameters == object.end() || !parameters->is_object()) {
    return fallback;
  }
  const auto found = parameters->find(key);
  return found != parameters->end() && found->is_boolean() ? found->get<bool>() : fallback;
}

// A size or count among the parameters; -1 when absent.
int64_t int_parameter(const Json& object, const char* key, int64_t max, const std::string& where) {
  const auto parameters = object.find("parameters");
  if (parameters == object.end() || !parameters->is_object() || !parameters->contains(key)) {
    return -1;
  }
  const Json& value = (*parameters)[key];
  if (!value.is_number_integer() || value.get<double>() < 0 || value.get<double>() > static_cast<double>(max)) {
    refuse(fmt::format("{}: parameter \"{}\" must be a whole number from 0 to {}", where, key, max));
  }
  return value.get<int64_t>();
}

void read_shape(const Json& object, Tensor& tensor, const std::string& where) {
  const auto shape = object.find("shape");
  if (shape == object.end() || !shape->is_array() || shape->size() > kMaxRank) {
    refuse(fmt::format("{} needs \"shape\": a list of at most {} sizes", where, kMaxRank));
  }
  for (const Json& size : *shape) {
    // A double's value first: what is beyond 64 bits has no integer.
    const bool whole = size.is_number_integer() && std::abs(size.get<double>()) <= static_cast<double>(kMaxElements);
    tensor.shape.push_back(whole ? size.get<int64_t>() : -1);
  }
  check_shape(tensor, where);
}

// Nested or flat, as both are sent.
void read_json_data(const Json& data, Tensor& tensor, const std::string& where, size_t depth) {
  if (depth > kMaxRank) {
    refuse(fmt::format("{}: its data is nested too deeply", where));
  }
  for (const Json& element : data) {
    if (element.is_array()) {
      read_json_data(element, tensor, where, depth + 1);
    } else if (tensor.datatype == "BYTES" && element.is_string()) {
      tensor.texts.push_back(element.get<std::string>());
    } else if (tensor.datatype != "BYTES" && element.is_number_integer()) {
      tensor.ints.push_back(element.get<int64_t>());
    } else {
      refuse(fmt::format("{}: an element is not of datatype {}", where, tensor.datatype));
    }
    if (static_cast<int64_t>(tensor.texts.size() + tensor.ints.size()) > tensor.count()) {
      refuse(fmt::format("{} has more elements than its shape says", where));
    }
  }
}

// Takes its bytes off the front of `binary` when it is a binary tensor.
Tensor read_tensor(const Json& object, std::string_view& binary) {
  if (!object.is_object()) {
    refuse("an input is not an object");
  }
  Tensor tensor;
  tensor.name = string_member(object, "name", "an input");
  const std::string where = fmt::format("input '{}'", tensor.name.substr(0, 100));
  tensor.datatype = string_member(object, "datatype", where);
  check_datatype(tensor, where);
  read_shape(object, tensor, where);
  const int64_t size = int_parameter(object, "binary_data_size", std::numeric_limits<int32_t>::max(), where);
  const auto data = object.find("data");
  if ((size >= 0) == (data != object.end())) {
    refuse(fmt::format("{} needs either \"data\" or the parameter \"binary_data_size\"", where));
  }
  if (size < 0) {
    if (!data->is_array()) {
      refuse(fmt::format("{}: \"data\" must be a list", where));
    }
    read_json_data(*data, tensor, where, 0);
  } else {
    if (static_cast<size_t>(size) > binary.size()) {
      refuse(fmt::format("{} says {} binary bytes where {} are left", where, size, binary.size()));
    }
    const std::string_view bytes = binary.substr(0, static_cast<size_t>(size));
    binary.remove_prefix(static_cast<size_t>(size));
    read_raw(bytes, tensor, where);
  }
  check_length(tensor, where);
  return tensor;
}

WantedOutput read_output(const Json& object, bool binary_outputs) {
  if (!object.is_object()) {
    refuse("an output is not an object");
  }
  WantedOutput output;
  output.name = string_member(object, "name", "an output");
  output.binary = bool_parameter(object, "binary_data", binary_outputs);
  output.classification = static_cast<int>(
      std::max<int64_t>(0, int_parameter(object, "classification", 1'000'000, "output '" + output.name + "'")));
  return output;
}

const Json* list_member(const Json& object, const char* key, size_t max) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) {
    return nullptr;
  }
  if (!found->is_array() || found->size() > max) {
    refuse(fmt::format("\"{}\" must be a list of at most {}", key, max));
  }
  return &*found;
}

}  // namespace

InferRequest decode_request(std::string_view body, std::string_view header_length) {
  size_t length = body.size();
  if (!header_length.empty()) {
    const auto [end, error] =
        std::from_chars(header_length.data(), header_length.data() + header_length.size(), length);
    if (error != std::errc() || end != header_length.data() + header_length.size() || length > body.size()) {
      refuse("Inference-Header-Content-Length does not fit the body");
    }
  }
  const Json json = base::parse_json(body.substr(0, length), "the body");
  std::string_view binary = body.substr(length);
  if (!json.is_object()) {
    refuse("the body must be an object with \"inputs\"");
  }
  InferRequest request;
  if (const auto id = json.find("id"); id != json.end() && id->is_string()) {
    request.id = id->get<std::string>();
  }
  request.binary_outputs = bool_parameter(json, "binary_data_output", false);
  const Json* inputs = list_member(json, "inputs", kMaxInputs);
  if (inputs == nullptr || inputs->empty()) {
    refuse("the body must be an object with \"inputs\": a list of tensors");
  }
  for (const Json& input : *inputs) {
    request.inputs.push_back(read_tensor(input, binary));
  }
  if (!binary.empty()) {
    refuse(fmt::format("{} bytes follow the last tensor", binary.size()));
  }
  if (const Json* outputs = list_member(json, "outputs", kMaxOutputs)) {
    for (const Json& output : *outputs) {
      request.outputs.push_back(read_output(output, request.binary_outputs));
    }
  }
  return request;
}

net::Response encode_response(const InferResponse& response) {
  Json outputs = Json::array();
  std::string binary;
  for (size_t i = 0; i < response.outputs.size(); ++i) {
    const Tensor& tensor = response.outputs[i];
    Json output = {{"name", tensor.name}, {"datatype", tensor.datatype}, {"shape", tensor.shape}};
    if (!response.binary[i]) {
      output["data"] = tensor.datatype == "BYTES" ? Json(tensor.texts) : Json(tensor.floats);
    } else {
      const size_t before = binary.size();
      append_raw(tensor, binary);
      output["parameters"] = {{"binary_data_size", binary.size() - before}};
    }
    outputs.push_back(std::move(output));
  }
  Json json = {{"model_name", response.model}, {"model_version", response.version}};
  if (!response.id.empty()) {
    json["id"] = response.id;
  }
  json["outputs"] = std::move(outputs);
  if (binary.empty()) {
    return net::json_response(json);
  }
  std::string head = base::dump_json(json);
  net::Response result{
      200,
      {{"Content-Type", "application/octet-stream"}, {"Inference-Header-Content-Length", std::to_string(head.size())}},
      std::move(head)};
  result.body += binary;
  return result;
}

}  // namespace slipway::serve::oip
