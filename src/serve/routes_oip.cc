// The Open Inference Protocol (KServe V2) over REST and, through oip_grpc.h, gRPC, with Triton's binary tensors and classification, of
// one encoder; what is said of the server and its models is in routes_models.cc.
#include <algorithm>
#include <fmt/format.h>
#include <numeric>

#include "serve/core.h"
#include "serve/oip_codec.h"

namespace slipway::serve {

namespace {

using oip::Tensor;
using oip::WantedOutput;

constexpr const char* kPlatform = "slipway";

Json tensor_metadata(const char* name, const char* datatype, std::vector<int> shape) {
  return {{"name", name}, {"datatype", datatype}, {"shape", std::move(shape)}};
}

Json outputs_metadata(const Served& served) {
  const int labels = static_cast<int>(served.labels.size());
  Json outputs = Json::array();
  if (labels > 0) {
    outputs =
        Json::array({tensor_metadata("label", "BYTES", {-1}), tensor_metadata("score", "FP32", {-1}),
                     tensor_metadata("logits", "FP32", {-1, labels}), tensor_metadata("scores", "FP32", {-1, labels}),
                     tensor_metadata("prediction_id", "BYTES", {-1})});
  }
  outputs.push_back(tensor_metadata("embedding", "FP32", {-1, served.info.hidden_size}));
  return outputs;
}

Json model_metadata(const Core& core, const net::Request& request) {
  const Routing now = core.fleet.snapshot();
  Json versions = Json::array({now.primary->version_text()});
  if (now.canary) {
    versions.push_back(now.canary->version_text());
  }
  return {{"name", std::string(request.param("model"))},
          {"versions", versions},
          {"platform", kPlatform},
          {"inputs", Json::array({tensor_metadata("text", "BYTES", {-1})})},
          {"outputs", outputs_metadata(*now.primary)}};
}

// Row-wise ids of an integer tensor [n, length], cut where the attention mask ends.
std::vector<Item> items_of_ids(const Core& core, const Served& served, const Tensor& ids, const Tensor* mask) {
  if (ids.shape.size() != 2 || ids.shape[1] < 1) {
    throw StatusError(400, "input 'input_ids' must have the shape [texts, tokens]");
  }
  if (mask != nullptr && mask->shape != ids.shape) {
    throw StatusError(400, "input 'attention_mask' must have the shape of 'input_ids'");
  }
  const auto length = static_cast<size_t>(ids.shape[1]);
  core.check_count(static_cast<size_t>(ids.shape[0]));
  std::vector<Item> items(static_cast<size_t>(ids.shape[0]));
  for (size_t row = 0; row < items.size(); ++row) {
    size_t used = length;
    if (mask != nullptr) {
      const auto begin = mask->ints.begin() + static_cast<ptrdiff_t>(row * length);
      const auto end = begin + static_cast<ptrdiff_t>(length);
      const auto zero = std::find(begin, end, 0);
      if (std::any_of(zero, end, [](int64_t value) { return value != 0; })) {
        throw StatusError(400, "input 'attention_mask' must be ones followed by zeros (padding on the right)");
      }
      used = static_cast<size_t>(zero - begin);
    }
    if (used == 0 || used > static_cast<size_t>(served.info.max_length)) {
      throw StatusError(400, fmt::format("row {} of 'input_ids' has {} tokens; the model takes 1 to {}", row, used,
                                         served.info.max_length));
    }
    for (size_t i = 0; i < used; ++i) {
      const int64_t id = ids.ints[row * length + i];
      if (id < 0 || id >= served.info.vocab_size) {
        throw StatusError(
            400, fmt::format("token id {} in row {} is outside the vocabulary of {}", id, row, served.info.vocab_size));
      }
      items[row].ids.push_back(static_cast<int32_t>(id));
    }
    // The log keeps readable text for what came as ids.
    items[row].text = served.backend->tokenizer().decode(items[row].ids, true);
  }
  return items;
}

std::vector<Item> items_of(const Core& core, const Served& served, oip::InferRequest& infer) {
  const Tensor* ids = nullptr;
  const Tensor* mask = nullptr;
  Tensor* texts = nullptr;
  for (Tensor& tensor : infer.inputs) {
    if (tensor.datatype == "BYTES") {
      if (texts != nullptr) {
        throw StatusError(400, "the model takes one input of texts");
      }
      texts = &tensor;
    } else if (tensor.name == "input_ids") {
      ids = &tensor;
    } else if (tensor.name == "attention_mask") {
      mask = &tensor;
    } else if (tensor.name != "token_type_ids" ||
               std::any_of(tensor.ints.begin(), tensor.ints.end(), [](int64_t type) { return type != 0; })) {
      throw StatusError(400, fmt::format("input '{}' is not known; the model takes 'text' (BYTES), or 'input_ids' and "
                                         "'attention_mask' (integers)",
                                         tensor.name.substr(0, 100)));
    }
  }
  if ((texts != nullptr) == (ids != nullptr)) {
    throw StatusError(400, "the model takes either 'text' (BYTES) or 'input_ids' (integers)");
  }
  if (ids != nullptr) {
    return items_of_ids(core, served, *ids, mask);
  }
  core.check_count(texts->texts.size());
  std::vector<Item> items;
  for (std::string& text : texts->texts) {
    items.push_back(core.tokenize(served, std::move(text)));
  }
  return items;
}

Tensor row_tensor(const std::string& name, const Batch& batch, const std::vector<float>& (*row)(const Answer&)) {
  Tensor tensor{name, "FP32", {static_cast<int64_t>(batch.answers.size()), 0}, {}, {}, {}};
  for (const Answer& answer : batch.answers) {
    const std::vector<float>& values = row(answer);
    tensor.shape[1] = static_cast<int64_t>(values.size());
    tensor.floats.insert(tensor.floats.end(), values.begin(), values.end());
  }
  return tensor;
}

// The k largest of each row as "value:index:label", as Triton's classification extension writes them.
Tensor classification_of(const Tensor& rows, int k, const std::vector<std::string>& labels) {
  const auto columns = static_cast<size_t>(rows.shape[1]);
  const size_t kept = std::min(static_cast<size_t>(k), columns);
  Tensor tensor{rows.name, "BYTES", {rows.shape[0], static_cast<int64_t>(kept)}, {}, {}, {}};
  for (size_t row = 0; row < static_cast<size_t>(rows.shape[0]); ++row) {
    const float* values = rows.floats.data() + row * columns;
    std::vector<size_t> order(columns);
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] > values[b]; });
    for (size_t i = 0; i < kept; ++i) {
      const std::string label = order[i] < labels.size() ? ":" + labels[order[i]] : "";
      tensor.texts.push_back(fmt::format("{:f}:{}{}", values[order[i]], order[i], label));
    }
  }
  return tensor;
}

Tensor output_of(const Batch& batch, const WantedOutput& wanted) {
  const auto texts = static_cast<int64_t>(batch.answers.size());
  Tensor tensor{wanted.name, "BYTES", {texts}, {}, {}, {}};
  if (wanted.name == "label" || wanted.name == "prediction_id") {
    for (const Answer& answer : batch.answers) {
      tensor.texts.push_back(wanted.name == "label" ? answer.prediction.label : answer.prediction.id);
    }
    return tensor;
  }
  if (wanted.name == "score") {
    tensor.datatype = "FP32";
    for (const Answer& answer : batch.answers) {
      tensor.floats.push_back(static_cast<float>(answer.prediction.score));
    }
    return tensor;
  }
  tensor =
      wanted.name == "logits"
          ? row_tensor(wanted.name, batch, [](const Answer& a) -> const std::vector<float>& { return a.logits; })
      : wanted.name == "scores"
          ? row_tensor(wanted.name, batch,
                       [](const Answer& a) -> const std::vector<float>& { return a.prediction.scores; })
          : row_tensor(wanted.name, batch, [](const Answer& a) -> const std::vector<float>& { return a.embedding; });
  if (wanted.classification > 0 && wanted.name != "embedding") {
    return classification_of(tensor, wanted.classification, batch.served->labels);
  }
  return tensor;
}

// What was asked for, checked; or everything but the embedding.
std::vector<WantedOutput> outputs_of(const Served& served, const oip::InferRequest& infer) {
  std::vector<std::string> known;
  for (const Json& output : outputs_metadata(served)) {
    known.push_back(output["name"].get<std::string>());
  }
  if (infer.outputs.empty()) {
    std::vector<WantedOutput> all;
    for (const std::string& name : known) {
      if (name != "embedding" || served.labels.empty()) {
        all.push_back({name, infer.binary_outputs, 0});
      }
    }
    return all;
  }
  for (const WantedOutput& output : infer.outputs) {
    if (std::find(known.begin(), known.end(), output.name) == known.end()) {
      throw StatusError(400, fmt::format("output '{}' is not known; the model has {}", output.name.substr(0, 100),
                                         fmt::join(known, ", ")));
    }
  }
  return infer.outputs;
}

void infer(Core& core, const net::Request& request, const net::Responder& responder) {
  core.check_model_name(request.param("model"));
  Core::Inference inference;
  inference.served = core.version_for(request);
  const bool message = request.headers.get("Content-Type") == oip::kMessageType;  // as gRPC carries it
  oip::InferRequest decoded =
      message ? oip::decode_message(request.body)
              : oip::decode_request(request.body, request.headers.get("Inference-Header-Content-Length"));
  const std::vector<WantedOutput> outputs = outputs_of(*inference.served, decoded);
  inference.items = items_of(core, *inference.served, decoded);
  inference.is_prediction = !inference.served->labels.empty();
  inference.responder = responder;
  inference.render_error = plain_error;
  inference.render = [outputs, message, id = decoded.id, name = std::string(request.param("model"))](const Batch& batch) {
    oip::InferResponse response{name, batch.served->version_text(), id, {}, {}};
    for (const WantedOutput& output : outputs) {
      response.outputs.push_back(output_of(batch, output));
      response.binary.push_back(output.binary);
    }
    return message ? oip::encode_message(response) : oip::encode_response(response);
  };
  core.infer(std::move(inference));
}

Json model_config(const Core& core, const net::Request& request) {
  const std::shared_ptr<Served> served = core.version_for(request);
  Json outputs = Json::array();
  for (const Json& output : outputs_metadata(*served)) {
    const std::string datatype = output["datatype"].get<std::string>();
    outputs.push_back({{"name", output["name"]},
                       {"data_type", datatype == "BYTES" ? "TYPE_STRING" : "TYPE_FP32"},
                       {"dims", output["shape"]}});
  }
  return {{"name", std::string(request.param("model"))},
          {"platform", kPlatform},
          {"backend", kPlatform},
          {"max_batch_size", 0},
          {"input", Json::array({{{"name", "text"}, {"data_type", "TYPE_STRING"}, {"dims", {-1}}}})},
          {"output", std::move(outputs)}};
}

using Describe = Json (*)(const Core&, const net::Request&);

void add_model_route(net::Router& router, Core& core, const std::string& suffix, Describe describe) {
  for (const char* prefix : {"/v2/models/{model}", "/v2/models/{model}/versions/{version}"}) {
    router.add("GET", prefix + suffix,
               core.handler(
                   [&core, describe](const net::Request& request, const net::Responder& responder) {
                     core.check_model_name(request.param("model"));
                     core.version_for(request);
                     responder.send(net::json_response(describe(core, request)));
                   },
                   plain_error));
  }
}

}  // namespace

void add_oip_routes(net::Router& router, Core& core) {
  add_model_route(router, core, "", model_metadata);
  add_model_route(router, core, "/config", model_config);
  add_model_route(router, core, "/ready", [](const Core&, const net::Request& request) {
    return Json{{"name", std::string(request.param("model"))}, {"ready", true}};
  });
  for (const char* path : {"/v2/models/{model}/infer", "/v2/models/{model}/versions/{version}/infer"}) {
    router.add("POST", path,
               core.handler([&core](const net::Request& request,
                                    const net::Responder& responder) { infer(core, request, responder); },
                            plain_error));
  }
}

}  // namespace slipway::serve
