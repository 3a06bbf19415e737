#include "convert/onnx.h"

#include <cmath>
#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "convert/onnx_graph.h"
#include "model/folder.h"

namespace slipway::convert {
namespace {

using model::EncoderLayerNames;
using model::ModelSpec;

constexpr float kMasked = -1e9F;  // added to the score of a padded position: its softmax is exactly 0
constexpr float kSqrtTwo = 1.41421356237309515F;
constexpr float kSqrtTwoOverPi = 0.797884560802865406F;

// Builds BERT's graph from the outside in; names of values are texts.
class BertExporter {
 public:
  BertExporter(const ModelSpec& spec, const model::OpenedWeights& weights) : spec_(spec), weights_(weights) {}

  OnnxGraph build() {
    const std::vector<OnnxAxis> ids = {{0, "batch"}, {0, "sequence"}};
    for (const char* name : {"input_ids", "attention_mask", "token_type_ids"}) {
      graph_.input(name, OnnxType::kInt64, ids);
    }
    mask_ =
        graph_.node("Cast", {"attention_mask"}, {OnnxGraph::attribute("to", static_cast<int64_t>(OnnxType::kFloat))});
    const std::string outside = graph_.node("Sub", {graph_.scalar(1), mask_});
    const std::string penalty = graph_.node("Mul", {outside, graph_.scalar(kMasked)});
    penalty_ = graph_.node("Unsqueeze", {penalty, graph_.integers({1, 2})});
    std::string x = embeddings();
    const bool ends_here = !spec_.has_classifier();
    for (int layer = 0; layer < spec_.num_layers; ++layer) {
      const bool last = layer + 1 == spec_.num_layers;
      x = encoder_layer(x, model::encoder_layer_names(layer), last && ends_here ? "last_hidden_state" : "");
    }
    if (spec_.has_classifier()) {
      classifier(x);
    } else {
      sentence_embedding(x);
    }
    graph_.metadata("task", spec_.has_classifier() ? "text-classification" : "feature-extraction");
    if (spec_.has_classifier()) {
      graph_.metadata("labels", base::dump_json(base::Json(spec_.labels)));
    }
    return std::move(graph_);
  }

 private:
  // A tensor of the file as it is; its bytes are taken from the map, or converted when they are not aligned f32.
  std::string weight(const std::string& canonical) {
    const std::string name = weights_.naming.in_file(canonical);
    const model::TensorView& view = *weights_.file->find(name);
    return graph_.weight(name, view.shape,
                         [file = weights_.file.get(), name, &view](std::vector<float>& scratch) -> std::string_view {
                           if (view.dtype == model::DType::kF32) {
                             return view.bytes;
                           }
                           scratch = file->read_f32(name, view.count());
                           return {reinterpret_cast<const char*>(scratch.data()), scratch.size() * sizeof(float)};
                         });
  }

  // A linear weight [out, in] as [in, out], which MatMul wants.
  std::string transposed(const std::string& canonical) {
    const std::string name = weights_.naming.in_file(canonical);
    const model::TensorView& view = *weights_.file->find(name);
    const auto out = static_cast<size_t>(view.shape[0]);
    const auto in = static_cast<size_t>(view.shape[1]);
    return graph_.weight(name, {view.shape[1], view.shape[0]},
                         [file = weights_.file.get(), name, out, in](std::vector<float>& scratch) -> std::string_view {
                           const std::vector<float> values = file->read_f32(name, static_cast<int64_t>(out * in));
                           scratch.resize(values.size());
                           for (size_t o = 0; o < out; ++o) {
                             for (size_t i = 0; i < in; ++i) {
                               scratch[(i * out) + o] = values[(o * in) + i];
                             }
                           }
                           return {reinterpret_cast<const char*>(scratch.data()), scratch.size() * sizeof(float)};
                         });
  }

  std::string linear(const std::string& x, const std::string& weight_name, const std::string& bias_name) {
    return graph_.node("Add", {graph_.node("MatMul", {x, transposed(weight_name)}), weight(bias_name)});
  }

  std::string norm(const std::string& x, const std::string& weight_name, const std::string& bias_name,
                   const std::string& output = {}) {
    return graph_.node(
        "LayerNormalization", {x, weight(weight_name), weight(bias_name)},
        {OnnxGraph::attribute("axis", int64_t{-1}), OnnxGraph::attribute("epsilon", spec_.layer_norm_eps)}, output);
  }

  std::string embeddings() {
    const std::string words = graph_.node("Gather", {weight(model::kWordEmbeddings), "input_ids"});
    const std::string types = graph_.node("Gather", {weight(model::kTypeEmbeddings), "token_type_ids"});
    const std::string shape = graph_.node("Shape", {"input_ids"});
    const std::string length = graph_.node("Gather", {shape, graph_.integers({1}, true)});
    const std::string range = graph_.node("Range", {graph_.integers({0}, true), length, graph_.integers({1}, true)});
    const std::string positions = graph_.node("Gather", {weight(model::kPositionEmbeddings), range});
    const std::string sum = graph_.node("Add", {graph_.node("Add", {words, types}), positions});
    return norm(sum, model::kEmbeddingsNormWeight, model::kEmbeddingsNormBias);
  }

  // [batch, sequence, hidden] -> [batch, heads, ...] in the order of `axes`.
  std::string heads(const std::string& x, const std::vector<int64_t>& axes) {
    const std::string split = graph_.node("Reshape", {x, graph_.integers({0, 0, spec_.num_heads, spec_.head_dim()})});
    return graph_.node("Transpose", {split}, {OnnxGraph::attribute("perm", axes)});
  }

  std::string attention(const std::string& x, const EncoderLayerNames& names) {
    const std::string q = heads(linear(x, names.query_weight, names.query_bias), {0, 2, 1, 3});
    const std::string k = heads(linear(x, names.key_weight, names.key_bias), {0, 2, 3, 1});
    const std::string v = heads(linear(x, names.value_weight, names.value_bias), {0, 2, 1, 3});
    const float scale = std::sqrt(static_cast<float>(spec_.head_dim()));
    const std::string scores = graph_.node("Div", {graph_.node("MatMul", {q, k}), graph_.scalar(scale)});
    const std::string masked = graph_.node("Add", {scores, penalty_});
    const std::string shares = graph_.node("Softmax", {masked}, {OnnxGraph::attribute("axis", int64_t{-1})});
    const std::string mixed = graph_.node("Transpose", {graph_.node("MatMul", {shares, v})},
                                          {OnnxGraph::attribute("perm", std::vector<int64_t>{0, 2, 1, 3})});
    return graph_.node("Reshape", {mixed, graph_.integers({0, 0, spec_.hidden_size})});
  }

  std::string encoder_layer(const std::string& x, const EncoderLayerNames& names, const std::string& output) {
    const std::string attended =
        linear(attention(x, names), names.attention_output_weight, names.attention_output_bias);
    const std::string middle =
        norm(graph_.node("Add", {attended, x}), names.attention_norm_weight, names.attention_norm_bias);
    const std::string inner = activation(linear(middle, names.intermediate_weight, names.intermediate_bias));
    const std::string result = linear(inner, names.output_weight, names.output_bias);
    return norm(graph_.node("Add", {result, middle}), names.output_norm_weight, names.output_norm_bias, output);
  }

  std::string activation(const std::string& x) {
    if (spec_.activation == "relu") {
      return graph_.node("Relu", {x});
    }
    std::string curve;
    if (spec_.activation == "gelu_new") {
      const std::string cube = graph_.node("Mul", {graph_.node("Mul", {x, x}), x});
      const std::string inside = graph_.node("Add", {x, graph_.node("Mul", {cube, graph_.scalar(0.044715F)})});
      curve = graph_.node("Tanh", {graph_.node("Mul", {inside, graph_.scalar(kSqrtTwoOverPi)})});
    } else {
      curve = graph_.node("Erf", {graph_.node("Div", {x, graph_.scalar(kSqrtTwo)})});
    }
    const std::string gated = graph_.node("Mul", {x, graph_.node("Add", {curve, graph_.scalar(1)})});
    return graph_.node("Mul", {gated, graph_.scalar(0.5F)});
  }

  void classifier(const std::string& x) {
    const OnnxGraph::Attributes rows_are_outputs = {OnnxGraph::attribute("transB", int64_t{1})};
    const std::string first =
        graph_.node("Gather", {x, graph_.integers({0}, true)}, {OnnxGraph::attribute("axis", int64_t{1})});
    const std::string pooled =
        graph_.node("Gemm", {first, weight(model::kPoolerWeight), weight(model::kPoolerBias)}, rows_are_outputs);
    graph_.node("Gemm",
                {graph_.node("Tanh", {pooled}), weight(model::kClassifierWeight), weight(model::kClassifierBias)},
                rows_are_outputs, "logits");
    graph_.output("logits", OnnxType::kFloat, {{0, "batch"}, {static_cast<int64_t>(spec_.labels.size()), ""}});
  }

  void sentence_embedding(const std::string& x) {
    const std::string weights = graph_.node("Unsqueeze", {mask_, graph_.integers({-1})});
    const OnnxGraph::Attributes dropped = {OnnxGraph::attribute("keepdims", int64_t{0})};
    const std::string sum = graph_.node("ReduceSum", {graph_.node("Mul", {x, weights}), graph_.integers({1})}, dropped);
    const std::string count = graph_.node("ReduceSum", {weights, graph_.integers({1})}, dropped);
    const std::string mean = graph_.node("Div", {sum, graph_.node("Max", {count, graph_.scalar(1e-9F)})});
    const std::string length = graph_.node(
        "ReduceL2", {mean},
        {OnnxGraph::attribute("axes", std::vector<int64_t>{-1}), OnnxGraph::attribute("keepdims", int64_t{1})});
    graph_.node("Div", {mean, graph_.node("Max", {length, graph_.scalar(1e-12F)})}, {}, "sentence_embedding");
    const OnnxAxis hidden{spec_.hidden_size, ""};
    graph_.output("last_hidden_state", OnnxType::kFloat, {{0, "batch"}, {0, "sequence"}, hidden});
    graph_.output("sentence_embedding", OnnxType::kFloat, {{0, "batch"}, hidden});
  }

  const ModelSpec& spec_;
  const model::OpenedWeights& weights_;
  OnnxGraph graph_;
  std::string mask_;     // [batch, sequence] 1 or 0
  std::string penalty_;  // [batch, 1, 1, sequence] 0 or kMasked
};

}  // namespace

base::Json export_onnx(const std::filesystem::path& folder_path, const std::filesystem::path& path) {
  const double started = base::monotonic_seconds();
  const model::ModelFolder folder = model::open_model_folder(folder_path, {.weights = true, .tokenizer = false});
  if (folder.spec.architecture != model::Architecture::kBert ||
      (folder.spec.head != model::Head::kNone && !folder.spec.has_classifier())) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("'{}' is not BERT, alone or with a classifier, which is what is exported to ONNX",
                                  folder_path.string()));
  }
  const model::OpenedWeights weights = model::open_float_weights(folder);
  const OnnxGraph graph = BertExporter(folder.spec, weights).build();
  const uint64_t bytes = graph.write(path, folder.spec.has_classifier() ? "bert-classifier" : "bert-encoder");
  return {{"bytes", bytes},
          {"nodes", graph.node_count()},
          {"parameters", folder.spec.parameter_count()},
          {"opset", OnnxGraph::kOpset},
          {"seconds", base::monotonic_seconds() - started}};
}

}  // namespace slipway::convert
