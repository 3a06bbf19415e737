// The JSON of Hugging Face's pipelines and inference API: POST / or /models/{name} with {"inputs", "parameters"}, the
// task by the model's head and the shape of the request, or named: /pipeline/{task}, /models/{name}/pipeline/{task}.
#include <algorithm>
#include <fmt/format.h>
#include <numeric>

#include "engine/task_json.h"
#include "serve/body.h"
#include "serve/core.h"

namespace slipway::serve {

namespace {

using engine::Task;

bool has(const Json& inputs, const char* key) { return inputs.is_object() && inputs.contains(key); }

Task task_of(const net::Request& request, const Json& inputs, const Body& parameters, const model::ModelSpec& spec) {
  if (const std::string_view name = request.param("task"); !name.empty()) {
    return engine::task_from_name(std::string(name.substr(0, 100)));
  }
  if (has(inputs, "source_sentence")) {
    return Task::kSentenceSimilarity;
  }
  if (has(inputs, "query")) {
    return Task::kTextRanking;
  }
  if (parameters.has("candidate_labels")) {
    return Task::kZeroShotClassification;
  }
  // A cross-encoder's pairs are classified one by one.
  const Task by_head = engine::default_task(spec);
  return by_head == Task::kTextRanking ? Task::kTextClassification : by_head;
}

// Every text of the inputs, as deep as they go, within the limits of size; their number.
size_t check_texts(const Core& core, const Json& inputs) {
  if (inputs.is_string()) {
    core.check_text(inputs.get<std::string>());
    return 1;
  }
  size_t count = 0;
  for (const Json& input : inputs) {
    count += input.is_string() || input.is_structured() ? check_texts(core, input) : 0;
  }
  return count;
}

Item item_of(const Core& core, const Served& served, const Json& input) {
  if (input.is_string()) {
    return core.tokenize(served, input.get<std::string>());
  }
  if (!has(input, "text")) {
    reject("inputs", "an input must be a text, or an object with 'text' and perhaps 'text_pair'");
  }
  const Body body(input);
  const auto text = body.text("text");
  const auto pair = body.text("text_pair");
  if (!text) {
    reject("inputs", "'text' must be a text");
  }
  return pair ? core.tokenize_pair(served, *text, *pair) : core.tokenize(served, *text);
}

// Predictions: logged and monitored as those of every other route. [[{label, score}, ...], ...], for one text too.
void classify(Core& core, const std::shared_ptr<Served>& served, const Json& inputs, const Body& parameters,
              const net::Responder& responder) {
  if (served->labels.empty()) {
    engine::require_head(served->info.spec, model::Head::kSequenceClassification, "text classification");
  }
  Core::Inference inference;
  inference.served = served;
  const Json list = inputs.is_array() ? inputs : Json::array({inputs});
  for (const Json& input : list) {
    inference.items.push_back(item_of(core, *served, input));
  }
  const auto top_k = static_cast<size_t>(parameters.whole("top_k", 1, 1 << 20).value_or(1 << 20));
  inference.responder = responder;
  inference.render_error = plain_error;
  inference.render = [top_k](const Batch& batch) {
    Json all = Json::array();
    for (const Answer& answer : batch.answers) {
      const std::vector<float> scores = engine::scores_of(answer.logits, engine::ScoreFunction::kAuto);
      std::vector<size_t> order(scores.size());
      std::iota(order.begin(), order.end(), size_t{0});
      std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
      Json ranks = Json::array();
      for (size_t i = 0; i < std::min(top_k, order.size()); ++i) {
        ranks.push_back({{"label", batch.served->labels[order[i]]}, {"score", scores[order[i]]}});
      }
      all.push_back(std::move(ranks));
    }
    return net::json_response(all);
  };
  core.infer(std::move(inference));
}

// Clients of the inference API read zero-shot results as a list of labels with scores.
Json labelled_scores(const Json& result) {
  Json list = Json::array();
  for (size_t i = 0; i < result.at("labels").size(); ++i) {
    list.push_back({{"label", result.at("labels")[i]}, {"score", result.at("scores")[i]}});
  }
  return list;
}

void pipeline(Core& core, const net::Request& request, const net::Responder& responder) {
  const Json body = parse_body(request);
  const Body fields(body);
  const Json* const inputs = fields.find("inputs");
  if (inputs == nullptr) {
    reject("inputs", "the body must have 'inputs'");
  }
  const Json* const given = fields.find("parameters");
  const Json parameters = given != nullptr ? *given : Json::object();
  if (!parameters.is_object()) {
    reject("parameters", "'parameters' must be an object");
  }
  if (const std::string_view name = request.param("name"); !name.empty()) {
    core.check_model_name(name);
  }
  const std::shared_ptr<Served> served = core.version_for(request);
  const Task task = task_of(request, *inputs, Body(parameters), served->info.spec);
  size_t texts = check_texts(core, *inputs);
  if (const auto labels = parameters.find("candidate_labels"); labels != parameters.end() && labels->is_array()) {
    texts *= std::max<size_t>(labels->size(), 1);  // one pass for each
  }
  core.check_count(texts);
  if (task == Task::kTextClassification) {
    classify(core, served, *inputs, Body(parameters), responder);
    return;
  }
  BackendTaskModel model(served->backend);
  Json result = engine::run_task(model, task, *inputs, parameters);
  if (task == Task::kZeroShotClassification && result.is_object()) {
    result = labelled_scores(result);
  } else if (task == Task::kFeatureExtraction && inputs->is_string()) {
    result = Json::array({std::move(result)});  // rows, as text-embeddings-inference gives them
  }
  responder.send(net::json_response(result));
}

}  // namespace

void add_pipeline_routes(net::Router& router, Core& core) {
  for (const char* path : {"/", "/models/{name}", "/pipeline/{task}", "/models/{name}/pipeline/{task}"}) {
    router.add("POST", path,
               core.worker_handler([&core](const net::Request& request,
                                           const net::Responder& responder) { pipeline(core, request, responder); },
                                   plain_error));
  }
}

}  // namespace slipway::serve
