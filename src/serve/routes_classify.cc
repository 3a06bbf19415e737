// POST /v1/classify and /v1/explain: Slipway's own protocol.
#include <algorithm>
#include <fmt/format.h>
#include <numeric>

#include "serve/core.h"

namespace slipway::serve {

namespace {

constexpr size_t kMaxExplained = 8;  // inputs of one classify request with "explain"
constexpr int kMaxSamples = 20'000;

std::vector<std::string> texts_of(const Json& body) {
  const auto inputs = body.is_object() ? body.find("inputs") : body.end();
  if (!body.is_object() || inputs == body.end()) {
    throw StatusError(400, R"(the body must be an object with "inputs": a text or a list of texts)");
  }
  if (inputs->is_string()) {
    return {inputs->get<std::string>()};
  }
  std::vector<std::string> texts;
  for (const Json& input : inputs->is_array() ? *inputs : Json::array({nullptr})) {
    if (!input.is_string()) {
      throw StatusError(400, R"("inputs" must be a text or a list of texts)");
    }
    texts.push_back(input.get<std::string>());
  }
  return texts;
}

int int_of(const Json& body, const char* key, int fallback, int low, int high) {
  const auto found = body.find(key);
  if (found == body.end() || found->is_null()) {
    return fallback;
  }
  if (!found->is_number_integer() || found->get<double>() < low || found->get<double>() > high) {
    throw StatusError(400, fmt::format("\"{}\" must be a whole number from {} to {}", key, low, high));
  }
  return found->get<int>();
}

ExplainRequest explain_request(const Json& options) {
  ExplainRequest request;
  const auto text_option = [&](const char* key, std::string& value) {
    const auto found = options.find(key);
    if (found != options.end() && !found->is_null()) {
      if (!found->is_string()) {
        throw StatusError(400, fmt::format("\"{}\" must be a text", key));
      }
      value = found->get<std::string>();
    }
  };
  text_option("method", request.method);
  text_option("label", request.label);
  if (request.method != "lime" && request.method != "shap") {
    throw StatusError(400,
                      fmt::format("method '{}' is not known; it must be lime or shap", request.method.substr(0, 40)));
  }
  const auto seed = options.find("seed");
  if (seed != options.end() && !seed->is_null()) {
    if (!seed->is_number_unsigned()) {
      throw StatusError(400, "\"seed\" must be a whole number of at least 0");
    }
    request.seed = seed->get<uint64_t>();
  }
  request.num_samples = int_of(options, "num_samples", 0, 1, kMaxSamples);
  return request;
}

Json scores_of(const Served& served, const record::Prediction& prediction, int top_k) {
  std::vector<size_t> order(prediction.scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (top_k > 0) {
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return prediction.scores[a] > prediction.scores[b]; });
    order.resize(std::min(order.size(), static_cast<size_t>(top_k)));
  }
  Json scores = Json::object();
  for (const size_t i : order) {
    scores[i < served.labels.size() ? served.labels[i] : std::to_string(i)] = prediction.scores[i];
  }
  return scores;
}

net::Response render_classify(const Batch& batch, int top_k, const std::vector<Json>& explanations) {
  Json predictions = Json::array();
  for (size_t i = 0; i < batch.answers.size(); ++i) {
    const Answer& answer = batch.answers[i];
    Json one = {{"id", answer.prediction.id},
                {"label", answer.prediction.label},
                {"score", answer.prediction.score},
                {"scores", scores_of(*batch.served, answer.prediction, top_k)}};
    if (answer.truncated) {
      one["truncated"] = true;
    }
    if (i < explanations.size()) {
      one["explanation"] = explanations[i];
    }
    predictions.push_back(std::move(one));
  }
  return net::json_response({{"model", batch.served->model},
                             {"version", std::max(1, batch.served->version)},
                             {"predictions", std::move(predictions)}});
}

void require_classifier(const Served& served) {
  if (served.labels.empty()) {
    throw StatusError(400, fmt::format("{} is an encoder without a classification head", served.display()));
  }
}

Json explain_text(const Core& core, const Served& served, ExplainRequest request) {
  require_classifier(served);
  if (request.text.size() > static_cast<size_t>(core.options.max_text_bytes)) {
    throw StatusError(413, fmt::format("the text is larger than {} bytes", core.options.max_text_bytes));
  }
  if (!request.label.empty() &&
      std::find(served.labels.begin(), served.labels.end(), request.label) == served.labels.end()) {
    throw StatusError(400, fmt::format("label '{}' is not one of the model's", request.label.substr(0, 40)));
  }
  BackendPredictor predictor(served.backend);
  return core.hooks.explain(predictor, request);
}

// Runs `work` on the explainers' thread and answers what it throws.
void post_explanation(Core& core, const net::Responder& responder, std::function<void()> work) {
  if (!core.hooks.explain) {
    throw StatusError(501, "this server was started without explanations");
  }
  const bool taken = core.explainers.post([&core, responder, work = std::move(work)] {
    try {
      work();
    } catch (const std::exception& error) {
      if (status_of(error) >= 500) {
        core.context.log.error("an explanation failed", {{"error", std::string(error.what())}});
      }
      responder.send(plain_error(status_of(error), message_of(error)));
    }
  });
  if (!taken) {
    throw StatusError(429, "too many explanations are waiting; try again in a second");
  }
}

void classify(Core& core, const net::Request& request, const net::Responder& responder) {
  const Json body = base::parse_json(request.body, "the body");
  std::vector<std::string> texts = texts_of(body);
  core.check_count(texts.size());
  const int top_k = int_of(body, "top_k", 0, 1, 1'000'000);
  Core::Inference inference;
  inference.served = core.version_for(request);
  require_classifier(*inference.served);
  for (const std::string& text : texts) {
    inference.items.push_back(core.tokenize(*inference.served, text));
  }
  inference.responder = responder;
  inference.render_error = plain_error;
  const auto explain = body.find("explain");
  const bool wanted =
      explain != body.end() && (explain->is_object() || (explain->is_boolean() && explain->get<bool>()));
  if (explain != body.end() && !explain->is_null() && !explain->is_boolean() && !explain->is_object()) {
    throw StatusError(400, R"("explain" must be true or an object with "method", "seed", "num_samples")");
  }
  if (!wanted) {
    inference.render = [top_k](const Batch& batch) { return render_classify(batch, top_k, {}); };
    core.infer(std::move(inference));
    return;
  }
  if (texts.size() > kMaxExplained) {
    throw StatusError(413, fmt::format("at most {} inputs are explained at a time", kMaxExplained));
  }
  const ExplainRequest how = explain_request(explain->is_object() ? *explain : Json::object());
  auto shared = std::make_shared<Core::Inference>(std::move(inference));
  post_explanation(core, responder, [&core, shared, how, top_k, texts = std::move(texts)] {
    std::vector<Json> explanations;
    for (const std::string& text : texts) {
      ExplainRequest one = how;
      one.text = text;
      explanations.push_back(explain_text(core, *shared->served, one));
    }
    shared->render = [top_k, explanations = std::move(explanations)](const Batch& batch) {
      return render_classify(batch, top_k, explanations);
    };
    core.infer(std::move(*shared));
  });
}

void explain(Core& core, const net::Request& request, const net::Responder& responder) {
  const Json body = base::parse_json(request.body, "the body");
  if (!body.is_object() || !body.contains("text") || !body["text"].is_string()) {
    throw StatusError(400, R"(the body must be an object with "text")");
  }
  ExplainRequest how = explain_request(body);
  how.text = body["text"].get<std::string>();
  const std::shared_ptr<Served> served = core.version_for(request);
  post_explanation(core, responder, [&core, served, how, responder] {
    responder.send(net::json_response(explain_text(core, *served, how)));
  });
}

}  // namespace

void add_classify_routes(net::Router& router, Core& core) {
  router.add("POST", "/v1/classify",
             core.handler([&core](const net::Request& request,
                                  const net::Responder& responder) { classify(core, request, responder); },
                          plain_error));
  router.add("POST", "/v1/explain",
             core.handler([&core](const net::Request& request,
                                  const net::Responder& responder) { explain(core, request, responder); },
                          plain_error));
}

}  // namespace slipway::serve
