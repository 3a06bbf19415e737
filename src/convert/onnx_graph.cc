#include "convert/onnx_graph.h"

#include <cstring>
#include <fmt/format.h>
#include <utility>

#include "base/error.h"
#include "base/file.h"

namespace slipway::convert {
namespace {

using base::Code;
using base::Error;

// Field numbers of onnx.proto (ONNX 1.12).
namespace model_field {
constexpr int kIrVersion = 1;
constexpr int kProducer = 2;
constexpr int kGraph = 7;
constexpr int kOpsetImport = 8;
constexpr int kMetadata = 14;
}  // namespace model_field
namespace graph_field {
constexpr int kNode = 1;
constexpr int kName = 2;
constexpr int kInitializer = 5;
constexpr int kInput = 11;
constexpr int kOutput = 12;
}  // namespace graph_field
namespace node_field {
constexpr int kInput = 1;
constexpr int kOutput = 2;
constexpr int kName = 3;
constexpr int kOpType = 4;
constexpr int kAttribute = 5;
}  // namespace node_field
namespace attribute_field {
constexpr int kName = 1;
constexpr int kFloat = 2;
constexpr int kInt = 3;
constexpr int kInts = 8;
constexpr int kType = 20;
constexpr int kTypeFloat = 1;
constexpr int kTypeInt = 2;
constexpr int kTypeInts = 7;
}  // namespace attribute_field
namespace tensor_field {
constexpr int kDims = 1;
constexpr int kDataType = 2;
constexpr int kName = 8;
constexpr int kRawData = 9;
}  // namespace tensor_field

constexpr uint64_t kMaxBytes = uint64_t{1} << 31;  // protobuf's limit for one message

template <class T>
std::string raw(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

Message tensor_head(const std::string& name, OnnxType type, const std::vector<int64_t>& shape, uint64_t size) {
  Message head;
  for (const int64_t axis : shape) {
    head.integer(tensor_field::kDims, axis);
  }
  head.integer(tensor_field::kDataType, static_cast<int64_t>(type));
  head.text(tensor_field::kName, name);
  head.begin(tensor_field::kRawData, size);
  return head;
}

}  // namespace

Message OnnxGraph::attribute(std::string_view name, int64_t value) {
  return Message()
      .text(attribute_field::kName, name)
      .integer(attribute_field::kInt, value)
      .integer(attribute_field::kType, attribute_field::kTypeInt);
}

Message OnnxGraph::attribute(std::string_view name, float value) {
  return Message()
      .text(attribute_field::kName, name)
      .real(attribute_field::kFloat, value)
      .integer(attribute_field::kType, attribute_field::kTypeFloat);
}

Message OnnxGraph::attribute(std::string_view name, const std::vector<int64_t>& values) {
  Message message;
  message.text(attribute_field::kName, name);
  for (const int64_t value : values) {
    message.integer(attribute_field::kInts, value);
  }
  message.integer(attribute_field::kType, attribute_field::kTypeInts);
  return message;
}

std::string OnnxGraph::node(const std::string& op, const std::vector<std::string>& inputs, const Attributes& attributes,
                            std::string output) {
  if (output.empty()) {
    output = fmt::format("{}_{}", op, used_[op]++);
  }
  Message node;
  for (const std::string& input : inputs) {
    node.text(node_field::kInput, input);
  }
  node.text(node_field::kOutput, output).text(node_field::kName, "node_" + output).text(node_field::kOpType, op);
  for (const Message& value : attributes) {
    node.message(node_field::kAttribute, value);
  }
  nodes_.message(graph_field::kNode, node);
  ++node_count_;
  return output;
}

Message OnnxGraph::value_info(const std::string& name, OnnxType type, const std::vector<OnnxAxis>& axes) {
  Message shape;
  for (const OnnxAxis& axis : axes) {
    Message dimension;
    if (axis.name.empty()) {
      dimension.integer(1, axis.size);  // dim_value
    } else {
      dimension.text(2, axis.name);  // dim_param
    }
    shape.message(1, dimension);
  }
  const Message tensor = Message().integer(1, static_cast<int64_t>(type)).message(2, shape);  // elem_type, shape
  return Message().text(1, name).message(2, Message().message(1, tensor));                    // name, type.tensor_type
}

void OnnxGraph::input(const std::string& name, OnnxType type, const std::vector<OnnxAxis>& axes) {
  ends_.message(graph_field::kInput, value_info(name, type, axes));
}

void OnnxGraph::output(const std::string& name, OnnxType type, const std::vector<OnnxAxis>& axes) {
  ends_.message(graph_field::kOutput, value_info(name, type, axes));
}

std::string OnnxGraph::constant(OnnxType type, const std::vector<int64_t>& shape, std::string bytes) {
  const std::string key = fmt::format("{}:{}:", static_cast<int>(type), shape.size()) + bytes;
  const auto [it, added] = constant_names_.try_emplace(key, fmt::format("constant_{}", constant_names_.size()));
  if (added) {
    const Message head = tensor_head(it->second, type, shape, bytes.size());
    constants_.begin(graph_field::kInitializer, head.bytes().size() + bytes.size());
    constants_.append(head.bytes());
    constants_.append(bytes);
  }
  return it->second;
}

std::string OnnxGraph::scalar(float value) { return constant(OnnxType::kFloat, {}, raw(std::vector<float>{value})); }

std::string OnnxGraph::integers(const std::vector<int64_t>& values, bool as_scalar) {
  const std::vector<int64_t> shape =
      as_scalar ? std::vector<int64_t>{} : std::vector{static_cast<int64_t>(values.size())};
  return constant(OnnxType::kInt64, shape, raw(values));
}

std::string OnnxGraph::weight(const std::string& name, const std::vector<int64_t>& shape, Data data) {
  uint64_t size = sizeof(float);
  for (const int64_t axis : shape) {
    size *= static_cast<uint64_t>(axis);
  }
  weights_.push_back({tensor_head(name, OnnxType::kFloat, shape, size), size, std::move(data)});
  return name;
}

uint64_t OnnxGraph::write(const std::filesystem::path& path, const std::string& graph_name) const {
  const Message name = Message().text(graph_field::kName, graph_name);
  uint64_t graph_size = name.bytes().size() + nodes_.bytes().size() + ends_.bytes().size() + constants_.bytes().size();
  std::vector<Message> heads;  // of the initializer fields
  for (const Weight& weight : weights_) {
    Message& head = heads.emplace_back();
    head.begin(graph_field::kInitializer, weight.head.bytes().size() + weight.size);
    head.append(weight.head.bytes());
    graph_size += head.bytes().size() + weight.size;
  }
  if (graph_size >= kMaxBytes) {
    throw Error(Code::kInvalid, fmt::format("'{}' would have {:.2f} GiB; one ONNX file holds less than 2 GiB",
                                            path.string(), static_cast<double>(graph_size) / (uint64_t{1} << 30)));
  }
  Message front;
  front.integer(model_field::kIrVersion, kIrVersion).text(model_field::kProducer, "slipway");
  front.message(model_field::kOpsetImport, Message().text(1, "").integer(2, kOpset));
  for (const auto& [key, value] : metadata_) {
    front.message(model_field::kMetadata, Message().text(1, key).text(2, value));
  }
  front.begin(model_field::kGraph, graph_size);

  base::AtomicFile file(path);
  file.write(front.bytes());
  file.write(name.bytes());
  file.write(nodes_.bytes());
  file.write(ends_.bytes());
  file.write(constants_.bytes());
  std::vector<float> scratch;
  for (size_t i = 0; i < weights_.size(); ++i) {
    file.write(heads[i].bytes());
    const std::string_view bytes = weights_[i].data(scratch);
    SLIPWAY_CHECK(bytes.size() == weights_[i].size);
    file.write(bytes);
  }
  const uint64_t total = file.size();
  file.commit();
  return total;
}

}  // namespace slipway::convert
