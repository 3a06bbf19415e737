#include "serve/oip_codec.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <limits>

#include "base/error.h"

namespace slipway::serve::oip {

namespace {

constexpr size_t kMaxInputs = 16;
constexpr size_t kMaxOutputs = 32;
constexpr size_t kMaxRank = 8;
constexpr int64_t kMaxElements = int64_t{1} << 24;  // of a tensor; a 32 MiB body cannot hold more texts than that

[[noreturn]] void refuse(const std::string& message) { throw base::Error(base::Code::kInvalid, message); }

struct IntType {
  std::string_view name;
  size_t size;
  bool is_signed;
};
constexpr IntType kIntTypes[] = {{"INT64", 8, true},   {"INT32", 4, true},   {"INT16", 2, true},   {"INT8", 1, true},
                                 {"UINT64", 8, false}, {"UINT32", 4, false}, {"UINT16", 2, false}, {"UINT8", 1, false}};

const IntType* int_type(std::string_view name) {
  for (const IntType& type : kIntTypes) {
    if (type.name == name) {
      return &type;
    }
  }
  return nullptr;
}

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
  int64_t elements = 1;
  for (const Json& size : *shape) {
    if (!size.is_number_integer() || size.get<double>() < 0 || size.get<double>() > static_cast<double>(kMaxElements)) {
      refuse(fmt::format("{}: a size of its shape is not a whole number from 0 to {}", where, kMaxElements));
    }
    tensor.shape.push_back(size.get<int64_t>());
    elements *= tensor.shape.back();  // both factors are at most 2^24
    if (elements > kMaxElements) {
      refuse(fmt::format("{} has more than {} elements", where, kMaxElements));
    }
  }
}

void check_length(const Tensor& tensor, size_t length, const std::string& where) {
  if (static_cast<int64_t>(length) != tensor.count()) {
    refuse(fmt::format("{} has {} elements, its shape says {}", where, length, tensor.count()));
  }
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
    } else if (int_type(tensor.datatype) != nullptr && element.is_number_integer()) {
      tensor.ints.push_back(element.get<int64_t>());
    } else {
      refuse(fmt::format("{}: an element is not of datatype {}", where, tensor.datatype));
    }
    if (static_cast<int64_t>(tensor.texts.size() + tensor.ints.size()) > tensor.count()) {
      refuse(fmt::format("{} has more elements than its shape says", where));
    }
  }
}

void read_binary_texts(std::string_view bytes, Tensor& tensor, const std::string& where) {
  while (!bytes.empty()) {
    uint32_t length = 0;
    if (bytes.size() < sizeof length) {
      refuse(fmt::format("{}: the length of an element is cut off", where));
    }
    std::memcpy(&length, bytes.data(), sizeof length);  // little-endian, as all machines we build for
    bytes.remove_prefix(sizeof length);
    if (length > bytes.size()) {
      refuse(fmt::format("{}: an element says {} bytes where {} are left", where, length, bytes.size()));
    }
    tensor.texts.emplace_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
}

void read_binary_ints(std::string_view bytes, const IntType& type, Tensor& tensor, const std::string& where) {
  if (bytes.size() % type.size != 0) {
    refuse(fmt::format("{}: {} bytes are not a multiple of {}", where, bytes.size(), type.size));
  }
  for (size_t at = 0; at < bytes.size(); at += type.size) {
    uint64_t value = 0;
    std::memcpy(&value, bytes.data() + at, type.size);
    if (type.is_signed && type.size < 8 && (value >> (8 * type.size - 1)) != 0) {
      value |= ~uint64_t{0} << (8 * type.size);  // sign extension
    }
    tensor.ints.push_back(static_cast<int64_t>(value));
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
  const IntType* integers = int_type(tensor.datatype);
  if (tensor.datatype != "BYTES" && integers == nullptr) {
    refuse(fmt::format("{}: datatype {} is not taken; BYTES (texts) and integers (token ids) are", where,
                       tensor.datatype.substr(0, 20)));
  }
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
    integers == nullptr ? read_binary_texts(bytes, tensor, where) : read_binary_ints(bytes, *integers, tensor, where);
  }
  check_length(tensor, tensor.texts.size() + tensor.ints.size(), where);
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

int64_t Tensor::count() const noexcept {
  int64_t product = 1;
  for (const int64_t size : shape) {
    product *= size;
  }
  return product;
}

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
      for (const std::string& text : tensor.texts) {
        const auto length = static_cast<uint32_t>(text.size());
        binary.append(reinterpret_cast<const char*>(&length), sizeof length);
        binary += text;
      }
      binary.append(reinterpret_cast<const char*>(tensor.floats.data()), tensor.floats.size() * sizeof(float));
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
