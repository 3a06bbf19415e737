#include "engine/task_json.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <functional>
#include <numeric>

#include "base/error.h"
#include "model/config_reader.h"

namespace slipway::engine {
namespace {

using base::Code;
using base::Error;
using base::Json;
using Parameters = model::ConfigReader;

constexpr int kMost = 1 << 20;  // of any count asked for
constexpr std::array<TaskName, 11> kNames = {{{"text-classification", Task::kTextClassification},
                                              {"sentiment-analysis", Task::kTextClassification},
                                              {"token-classification", Task::kTokenClassification},
                                              {"ner", Task::kTokenClassification},
                                              {"question-answering", Task::kQuestionAnswering},
                                              {"fill-mask", Task::kFillMask},
                                              {"zero-shot-classification", Task::kZeroShotClassification},
                                              {"feature-extraction", Task::kFeatureExtraction},
                                              {"sentence-similarity", Task::kSentenceSimilarity},
                                              {"text-ranking", Task::kTextRanking},
                                              {"rerank", Task::kTextRanking}}};

[[noreturn]] void invalid(const std::string& what) { throw Error(Code::kInvalid, what); }

std::string text_of(const Json& input) {
  if (!input.is_string()) {
    invalid("an input must be a text");
  }
  return input.get<std::string>();
}

// A member of an object that must be a text, or (texts_of) a list of them.
std::string member(const Json& object, const char* key) {
  const auto it = object.is_object() ? object.find(key) : object.end();
  if (it == object.end() || !it->is_string()) {
    invalid(fmt::format("an input must be an object with a text '{}'", key));
  }
  return it->get<std::string>();
}

std::vector<std::string> texts_of(const Json& list, const char* name) {
  std::vector<std::string> texts;
  for (const Json& text : list) {
    if (!text.is_string()) {
      invalid(fmt::format("'{}' must be a list of texts", name));
    }
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

// A parameter that is a text or a list of texts.
std::vector<std::string> texts_parameter(const Parameters& parameters, const char* key) {
  const Json* value = parameters.find(key);
  if (value == nullptr) {
    return {};
  }
  if (value->is_string()) {
    return {value->get<std::string>()};
  }
  if (!value->is_array()) {
    parameters.fail(fmt::format("'{}' must be a text or a list of texts", key));
  }
  return texts_of(*value, key);
}

// One result for one input, a list of them for a list; the results of all inputs are computed together.
Json each(const Json& inputs, const std::function<std::vector<Json>(const std::vector<Json>&)>& run) {
  const bool many = inputs.is_array();
  std::vector<Json> all;
  if (many) {
    all.assign(inputs.begin(), inputs.end());
  } else {
    all.push_back(inputs);
  }
  std::vector<Json> results = run(all);
  return many ? Json(std::move(results)) : std::move(results.at(0));
}

std::vector<size_t> best_first(const std::vector<float>& scores) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  return order;
}

ScoreFunction function_of(const Parameters& parameters) {
  const std::string name = parameters.text_or("function_to_apply", "");
  if (name.empty() || name == "softmax" || name == "sigmoid" || name == "none") {
    return name.empty()        ? ScoreFunction::kAuto
           : name == "softmax" ? ScoreFunction::kSoftmax
           : name == "sigmoid" ? ScoreFunction::kSigmoid
                               : ScoreFunction::kNone;
  }
  parameters.fail(fmt::format("'function_to_apply' is '{}'; it must be softmax, sigmoid or none", name));
}

std::vector<Json> classify_json(TaskModel& model, const std::vector<Json>& inputs, const Parameters& parameters) {
  std::vector<TaskText> texts;
  for (const Json& input : inputs) {
    if (input.is_string()) {
      texts.push_back({input.get<std::string>()});
    } else {
      TaskText text{member(input, "text")};
      if (input.contains("text_pair")) {
        text.pair = member(input, "text_pair");
      }
      texts.push_back(std::move(text));
    }
  }
  const int top_k = parameters.size_or("top_k", kMost, 1, kMost);
  std::vector<Json> results;
  for (const auto& scores : classify(model, texts, function_of(parameters))) {
    Json list = Json::array();
    for (const size_t i : best_first(scores)) {
      if (list.size() < static_cast<size_t>(top_k)) {
        list.push_back({{"label", model.spec().labels[i]}, {"score", scores[i]}});
      }
    }
    results.push_back(std::move(list));
  }
  return results;
}

Aggregation aggregation_of(const Parameters& parameters) {
  const std::string name = parameters.text_or("aggregation_strategy", "simple");
  constexpr std::pair<std::string_view, Aggregation> kAll[] = {{"none", Aggregation::kNone},
                                                               {"simple", Aggregation::kSimple},
                                                               {"first", Aggregation::kFirst},
                                                               {"average", Aggregation::kAverage},
                                                               {"max", Aggregation::kMax}};
  for (const auto& [known, aggregation] : kAll) {
    if (name == known) {
      return aggregation;
    }
  }
  parameters.fail(fmt::format("'aggregation_strategy' is '{}'; it must be none, simple, first, average or max", name));
}

std::vector<Json> entities_json(TaskModel& model, const std::vector<Json>& inputs, const Parameters& parameters) {
  std::vector<std::string> texts;
  std::transform(inputs.begin(), inputs.end(), std::back_inserter(texts), text_of);
  const Aggregation aggregation = aggregation_of(parameters);
  const std::vector<std::string> ignore =
      parameters.has("ignore_labels") ? texts_parameter(parameters, "ignore_labels") : std::vector<std::string>{"O"};
  std::vector<Json> results;
  for (const auto& entities : find_entities(model, texts, aggregation, ignore)) {
    Json list = Json::array();
    for (const Entity& entity : entities) {
      const bool token = aggregation == Aggregation::kNone;
      Json one = {{token ? "entity" : "entity_group", entity.label},
                  {"score", entity.score},
                  {"word", entity.word},
                  {"start", entity.start},
                  {"end", entity.end}};
      if (token) {
        one["index"] = entity.index;
      }
      list.push_back(std::move(one));
    }
    results.push_back(std::move(list));
  }
  return results;
}

std::vector<Json> answers_json(TaskModel& model, const std::vector<Json>& inputs, const Parameters& parameters) {
  AnswerOptions options;
  options.top_k = parameters.size_or("top_k", parameters.size_or("topk", 1, 1, 1000), 1, 1000);
  options.max_answer_tokens = parameters.size_or("max_answer_len", options.max_answer_tokens, 1, kMost);
  options.max_tokens = parameters.size_or("max_seq_len", options.max_tokens, 1, kMost);
  options.doc_stride = parameters.size_or("doc_stride", options.doc_stride, 0, kMost);
  options.impossible = parameters.flag_or("handle_impossible_answer", false);
  std::vector<Json> results;
  for (const Json& input : inputs) {
    Json list = Json::array();
    for (const FoundAnswer& one : answer(model, member(input, "question"), member(input, "context"), options)) {
      list.push_back({{"score", one.score}, {"start", one.start}, {"end", one.end}, {"answer", one.answer}});
    }
    if (list.empty()) {
      invalid("the context is empty");
    }
    results.push_back(options.top_k > 1 ? std::move(list) : std::move(list[0]));
  }
  return results;
}

std::vector<Json> fills_json(TaskModel& model, const std::vector<Json>& inputs, const Parameters& parameters) {
  const int top_k = parameters.size_or("top_k", 5, 1, kMost);
  const std::vector<std::string> targets = texts_parameter(parameters, "targets");
  std::vector<Json> results;
  for (const Json& input : inputs) {
    Json masks = Json::array();
    for (const auto& fills : fill_masks(model, text_of(input), top_k, targets)) {
      Json list = Json::array();
      for (const Fill& fill : fills) {
        list.push_back({{"score", fill.score},
                        {"token", fill.token},
                        {"token_str", fill.token_text},
                        {"sequence", fill.sequence}});
      }
      masks.push_back(std::move(list));
    }
    results.push_back(masks.size() == 1 ? std::move(masks[0]) : std::move(masks));
  }
  return results;
}

std::vector<std::string> candidate_labels(const Parameters& parameters) {
  std::vector<std::string> labels = texts_parameter(parameters, "candidate_labels");
  if (labels.size() == 1) {
    std::string all = std::move(labels[0]);
    labels.clear();
    while (!all.empty()) {
      const size_t comma = std::min(all.find(','), all.size());
      std::string label = all.substr(0, comma);
      all.erase(0, comma + 1);
      const size_t first = label.find_first_not_of(' ');
      if (first != std::string::npos) {
        labels.push_back(label.substr(first, label.find_last_not_of(' ') - first + 1));
      }
    }
  }
  if (labels.empty()) {
    parameters.fail("'candidate_labels' must name at least one label");
  }
  return labels;
}

std::vector<Json> zero_shot_json(TaskModel& model, const std::vector<Json>& inputs, const Parameters& parameters) {
  const std::vector<std::string> labels = candidate_labels(parameters);
  ZeroShotOptions options;
  options.hypothesis_template = parameters.text_or("hypothesis_template", options.hypothesis_template);
  options.multi_label = parameters.flag_or("multi_label", false);
  std::vector<Json> results;
  for (const Json& input : inputs) {
    const std::string text = text_of(input);
    const std::vector<float> scores = zero_shot(model, text, labels, options);
    Json result = {{"sequence", text}, {"labels", Json::array()}, {"scores", Json::array()}};
    for (const size_t i : best_first(scores)) {
      result["labels"].push_back(labels[i]);
      result["scores"].push_back(scores[i]);
    }
    results.push_back(std::move(result));
  }
  return results;
}

std::vector<Json> embeddings_json(TaskModel& model, const std::vector<Json>& inputs) {
  std::vector<Input> encoded;
  for (const Json& input : inputs) {
    encoded.push_back(encode_task_text(model, {text_of(input)}));
  }
  std::vector<Json> results;
  for (BatchResult& result : model.run(std::move(encoded))) {
    results.emplace_back(std::move(result.embedding));
  }
  return results;
}

Json similarity_json(TaskModel& model, const Json& input) {
  const auto sentences = input.is_object() ? input.find("sentences") : input.end();
  if (sentences == input.end() || !sentences->is_array()) {
    invalid("the input must be an object with 'source_sentence' and a list 'sentences'");
  }
  return similarity(model, member(input, "source_sentence"), texts_of(*sentences, "sentences"));
}

Json ranking_json(TaskModel& model, const Json& input, const Parameters& parameters) {
  const std::string query = member(input, "query");
  const char* const key = input.contains("documents") ? "documents" : "texts";
  if (!input.contains(key) || !input[key].is_array()) {
    invalid("an input must be an object with 'query' and a list 'texts'");
  }
  const std::vector<std::string> texts = texts_of(input[key], key);
  const std::vector<float> scores = rank(model, query, texts, parameters.flag_or("raw_scores", false));
  const bool with_text = parameters.flag_or("return_text", false);
  const auto top_k = static_cast<size_t>(parameters.size_or("top_k", kMost, 1, kMost));
  Json ranks = Json::array();
  for (const size_t i : best_first(scores)) {
    if (ranks.size() == top_k) {
      break;
    }
    ranks.push_back({{"index", i}, {"score", scores[i]}});
    if (with_text) {
      ranks.back()["text"] = texts[i];
    }
  }
  return ranks;
}

}  // namespace

std::span<const TaskName> task_names() noexcept { return kNames; }

Task task_from_name(const std::string& name) {
  std::string known;
  for (const TaskName& one : kNames) {
    if (name == one.name) {
      return one.task;
    }
    known += (known.empty() ? "" : ", ") + std::string(one.name);
  }
  invalid(fmt::format("the task '{}' is not known; known: {}", name, known));
}

Task default_task(const model::ModelSpec& spec) noexcept {
  switch (spec.head) {
    case model::Head::kNone: return Task::kFeatureExtraction;
    case model::Head::kSequenceClassification:
      return is_cross_encoder(spec) ? Task::kTextRanking : Task::kTextClassification;
    case model::Head::kTokenClassification: return Task::kTokenClassification;
    case model::Head::kQuestionAnswering: return Task::kQuestionAnswering;
    case model::Head::kMaskedLm: return Task::kFillMask;
  }
  return Task::kFeatureExtraction;
}

Json run_task(TaskModel& model, Task task, const Json& inputs, const Json& all) {
  const Json none = Json::object();
  if (!all.is_object() && !all.is_null()) {
    invalid("'parameters' must be an object");
  }
  const Parameters parameters(all.is_null() ? none : all, "parameters");
  using Run = std::vector<Json> (*)(TaskModel&, const std::vector<Json>&, const Parameters&);
  Run run = nullptr;
  switch (task) {
    case Task::kTextClassification: run = classify_json; break;
    case Task::kTokenClassification: run = entities_json; break;
    case Task::kQuestionAnswering: run = answers_json; break;
    case Task::kFillMask: run = fills_json; break;
    case Task::kZeroShotClassification: run = zero_shot_json; break;
    case Task::kFeatureExtraction:
      run = [](TaskModel& m, const std::vector<Json>& list, const Parameters&) { return embeddings_json(m, list); };
      break;
    case Task::kSentenceSimilarity: return similarity_json(model, inputs);
    case Task::kTextRanking:
      run = [](TaskModel& m, const std::vector<Json>& list, const Parameters& p) {
        std::vector<Json> results;
        for (const Json& one : list) {
          results.push_back(ranking_json(m, one, p));
        }
        return results;
      };
      break;
  }
  return each(inputs, [&](const std::vector<Json>& list) { return run(model, list, parameters); });
}

}  // namespace slipway::engine
