// An ONNX graph under construction: nodes, inputs and outputs as encoded messages, weights as names of tensors to be
// streamed when the file is written. Internal to the room.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "convert/protobuf_wire.h"

namespace slipway::convert {

enum class OnnxType { kFloat = 1, kInt64 = 7 };  // TensorProto.DataType

// One axis: a size, or a free one by name.
struct OnnxAxis {
  int64_t size = 0;
  std::string name;
};

class OnnxGraph {
 public:
  using Attributes = std::vector<Message>;
  static Message attribute(std::string_view name, int64_t value);
  static Message attribute(std::string_view name, float value);
  static Message attribute(std::string_view name, const std::vector<int64_t>& values);

  // Adds a node and returns the name of its one output, which is `output` or made from the operator's name.
  std::string node(const std::string& op, const std::vector<std::string>& inputs, const Attributes& attributes = {},
                   std::string output = {});
  void input(const std::string& name, OnnxType type, const std::vector<OnnxAxis>& axes);
  void output(const std::string& name, OnnxType type, const std::vector<OnnxAxis>& axes);
  // Small constants; equal ones are kept once.
  std::string scalar(float value);
  std::string integers(const std::vector<int64_t>& values, bool as_scalar = false);
  // A float weight of `shape`: `data` gives its bytes when the file is written, and may reuse `scratch` for them.
  using Data = std::function<std::string_view(std::vector<float>& scratch)>;
  std::string weight(const std::string& name, const std::vector<int64_t>& shape, Data data);

  void metadata(const std::string& key, const std::string& value) { metadata_.emplace_back(key, value); }
  int64_t node_count() const { return node_count_; }

  // Writes the model atomically; returns its bytes. Throws Error(kInvalid) from 2 GiB.
  uint64_t write(const std::filesystem::path& path, const std::string& graph_name) const;

  static constexpr int64_t kOpset = 17;
  static constexpr int64_t kIrVersion = 8;

 private:
  struct Weight {
    Message head;  // of the TensorProto: all but the bytes
    uint64_t size = 0;
    Data data;
  };
  static Message value_info(const std::string& name, OnnxType type, const std::vector<OnnxAxis>& axes);
  std::string constant(OnnxType type, const std::vector<int64_t>& shape, std::string bytes);

  Message nodes_;  // GraphProto fields, as they will be written
  Message ends_;   // inputs and outputs
  Message constants_;
  std::map<std::string, std::string> constant_names_;
  std::vector<Weight> weights_;
  std::vector<std::pair<std::string, std::string>> metadata_;
  std::map<std::string, int> used_;
  int64_t node_count_ = 0;
};

}  // namespace slipway::convert
