// The routes of Text Embeddings Inference: /predict, /rerank, /similarity, /embed, /embed_all,
// /tokenize, /decode, /info.
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

#include "serve/core.h"
#include "text/code_points.h"

namespace slipway::serve {

namespace {

constexpr size_t kMaxDecoded = 100'000;  // ids of one /decode request

const char* error_type(int status) {
  switch (status) {
    case 400: return "Empty";
    case 422: return "Validation";
    case 413: return "Validation";
    case 429: return "Overloaded";
    case 503: return "Unhealthy";
    default: return "Backend";
  }
}

// Their codes: 422 for what is wrong in a request, 413 for a batch too large, 400 for nothing at all, 424 for the
// model.
net::Response tei_error(int status, const std::string& message) {
  const int theirs = status >= 500 && status != 503 ? 424 : status;
  net::Response response = plain_error(theirs, message);
  response.body = base::dump_json(Json{{"error", message}, {"error_type", error_type(theirs)}});
  return response;
}

// What is malformed is 422 here; 400 is kept for empty requests.
[[noreturn]] void invalid(const std::string& message) { throw StatusError(422, message); }

Json body_of(const net::Request& request, const char* needed = "inputs") {
  try {
    Json body = base::parse_json(request.body, "the body");
    if (!body.is_object() || !body.contains(needed)) {
      invalid(fmt::format("the body must be an object with \"{}\"", needed));
    }
    return body;
  } catch (const StatusError&) {
    throw;
  } catch (const base::Error& error) {
    invalid(error.what());
  }
}

bool bool_of(const Json& body, const char* key, bool fallback) {
  const auto found = body.find(key);
  if (found == body.end() || found->is_null()) {
    return fallback;
  }
  if (!found->is_boolean()) {
    invalid(fmt::format("\"{}\" must be true or false", key));
  }
  return found->get<bool>();
}

std::string text_of(const Json& input) {
  if (!input.is_string()) {
    invalid("an input is not a text");
  }
  std::string text = input.get<std::string>();
  if (text.empty()) {
    throw StatusError(400, "an input is empty");
  }
  return text;
}

Item tokenized(const Core& core, const Served& served, std::string text, bool truncate) {
  Item item = core.tokenize(served, std::move(text));
  if (item.truncated && !truncate) {
    invalid(fmt::format("an input has more than {} tokens; set \"truncate\" to cut it", served.info.max_length));
  }
  return item;
}

// [text] or [text, text].
Item item_of(const Core& core, const Served& served, const Json& input, bool truncate) {
  if (!input.is_array() || input.empty() || input.size() > 2) {
    invalid("a batch is a list of lists of one text or two");
  }
  if (input.size() == 1) {
    return tokenized(core, served, text_of(input[0]), truncate);
  }
  Item item;
  try {
    item = core.tokenize_pair(served, text_of(input[0]), text_of(input[1]));
  } catch (const StatusError&) {
    throw;
  } catch (const base::Error& error) {
    invalid(error.what());
  }
  if (item.truncated && !truncate) {
    invalid(fmt::format("a pair has more than {} tokens; set \"truncate\" to cut it", served.info.max_length));
  }
  return item;
}

// [{label, score}], best first.
Json ranked(const Served& served, const Answer& answer, bool raw_scores) {
  const std::vector<float> scores =
      engine::scores_of(answer.logits, raw_scores ? engine::ScoreFunction::kNone : engine::ScoreFunction::kAuto);
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  Json list = Json::array();
  for (const size_t i : order) {
    list.push_back({{"label", served.labels[i]}, {"score", scores[i]}});
  }
  return list;
}

void predict(Core& core, const net::Request& request, const net::Responder& responder) {
  const Json body = body_of(request);
  const Json& inputs = body["inputs"];
  const bool truncate = bool_of(body, "truncate", false);
  const bool raw_scores = bool_of(body, "raw_scores", false);
  Core::Inference inference;
  inference.served = core.version_for(request);
  if (inference.served->labels.empty()) {
    throw StatusError(424, "the model is not a classifier");
  }
  // A list of lists is a batch; a flat list is one text, or a pair.
  const bool batched = inputs.is_array() && !inputs.empty() && inputs[0].is_array();
  if (inputs.is_string()) {
    inference.items.push_back(tokenized(core, *inference.served, text_of(inputs), truncate));
  } else if (batched) {
    core.check_count(inputs.size());
    for (const Json& input : inputs) {
      inference.items.push_back(item_of(core, *inference.served, input, truncate));
    }
  } else if (inputs.is_array() && !inputs.empty()) {
    inference.items.push_back(item_of(core, *inference.served, inputs, truncate));
  } else if (inputs.is_array() && inputs.empty()) {
    throw StatusError(400, "\"inputs\" is empty");
  } else {
    invalid("\"inputs\" must be a text, a pair of texts or a list of lists of these");
  }
  inference.responder = responder;
  inference.render_error = tei_error;
  inference.render = [batched, raw_scores](const Batch& batch) {
    Json lists = Json::array();
    for (const Answer& answer : batch.answers) {
      lists.push_back(ranked(*batch.served, answer, raw_scores));
    }
    return net::json_response(batched ? lists : lists[0]);
  };
  core.infer(std::move(inference));
}

std::vector<int32_t> ids_of(const Json& list, const Served& served) {
  std::vector<int32_t> ids;
  for (const Json& id : list) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= static_cast<uint64_t>(served.info.vocab_size)) {
      invalid(fmt::format("a token id is not a whole number below {}", served.info.vocab_size));
    }
    ids.push_back(id.get<int32_t>());
  }
  if (ids.empty()) {
    throw StatusError(400, "an input is empty");
  }
  if (ids.size() > static_cast<size_t>(served.info.max_length)) {
    invalid(fmt::format("an input has {} tokens; the model takes {}", ids.size(), served.info.max_length));
  }
  return ids;
}

// The first `dimensions` of a normalised vector, scaled to length 1 again (Matryoshka embeddings are used so).
Json shortened(const std::vector<float>& vector, size_t dimensions) {
  if (dimensions == 0 || dimensions >= vector.size()) {
    return vector;
  }
  double squares = 0;
  for (size_t i = 0; i < dimensions; ++i) {
    squares += static_cast<double>(vector[i]) * static_cast<double>(vector[i]);
  }
  const double scale = squares > 0 ? 1 / std::sqrt(squares) : 0;
  Json cut = Json::array();
  for (size_t i = 0; i < dimensions; ++i) {
    cut.push_back(static_cast<float>(static_cast<double>(vector[i]) * scale));
  }
  return cut;
}

void embed(Core& core, const net::Request& request, const net::Responder& responder) {
  const Json body = body_of(request);
  const Json& inputs = body["inputs"];
  const bool truncate = bool_of(body, "truncate", false);
  if (!bool_of(body, "normalize", true)) {
    invalid("the model's embeddings are normalised; \"normalize\": false is not supported");
  }
  size_t dimensions = 0;
  if (const auto found = body.find("dimensions"); found != body.end() && !found->is_null()) {
    if (!found->is_number_unsigned() || found->get<uint64_t>() == 0) {
      invalid("\"dimensions\" must be a whole number above 0");
    }
    dimensions = found->get<size_t>();
  }
  Core::Inference inference;
  inference.served = core.version_for(request);
  const auto add = [&](const Json& input) {
    if (input.is_array()) {
      Item item;
      item.ids = ids_of(input, *inference.served);
      inference.items.push_back(std::move(item));
    } else {
      inference.items.push_back(tokenized(core, *inference.served, text_of(input), truncate));
    }
  };
  if (!inputs.is_array() || (!inputs.empty() && inputs[0].is_number())) {
    add(inputs);  // one text, or the ids of one text
  } else {
    core.check_count(inputs.size());
    for (const Json& input : inputs) {
      add(input);
    }
  }
  inference.is_prediction = false;
  inference.responder = responder;
  inference.render_error = tei_error;
  inference.render = [dimensions](const Batch& batch) {
    Json rows = Json::array();
    for (const Answer& answer : batch.answers) {
      rows.push_back(shortened(answer.embedding, dimensions));
    }
    return net::json_response(rows);
  };
  core.infer(std::move(inference));
}

Json tokens_of(const Served& served, const std::string& text, bool add_special_tokens) {
  text::Encoding encoding;
  text::EncodeOptions options;
  options.add_special_tokens = add_special_tokens;
  options.with_offsets = true;
  const text::Tokenizer& tokenizer = served.backend->tokenizer();
  tokenizer.encode(text, options, encoding);
  const text::CodePoints chars(text);
  Json tokens = Json::array();
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    const int id = encoding.ids[i];
    const auto [begin, end] = encoding.offsets[i];
    // An unknown word is a special token with a place in the text.
    const bool special = tokenizer.is_special(id) && begin == end;
    Json token = {{"id", id},
                  {"text", std::string(tokenizer.id_to_token(id))},
                  {"special", special},
                  {"start", nullptr},
                  {"stop", nullptr}};
    if (!special && end <= chars.size() && begin <= end) {
      token["text"] = chars.slice(begin, end);
      token["start"] = begin;
      token["stop"] = end;
    }
    tokens.push_back(std::move(token));
  }
  return tokens;
}

void tokenize(Core& core, const net::Request& request, const net::Responder& responder) {
  const Json body = body_of(request);
  const Json& inputs = body["inputs"];
  const bool special = bool_of(body, "add_special_tokens", true);
  const std::shared_ptr<Served> served = core.version_for(request);
  Json all = Json::array();
  core.check_count(inputs.is_array() ? inputs.size() : 1);
  for (const Json& input : inputs.is_array() ? inputs : Json::array({inputs})) {
    all.push_back(tokens_of(*served, text_of(input), special));
  }
  responder.send(net::json_response(all));
}

void decode(Core& core, const net::Request& request, const net::Responder& responder) {
  const Json body = base::parse_json(request.body, "the body");
  if (!body.is_object() || !body.contains("ids") || !body["ids"].is_array()) {
    invalid("the body must be an object with \"ids\"");
  }
  const bool skip = bool_of(body, "skip_special_tokens", true);
  const std::shared_ptr<Served> served = core.version_for(request);
  const Json& ids = body["ids"];
  const bool batched = !ids.empty() && ids[0].is_array();
  Json texts = Json::array();
  size_t total = 0;
  for (const Json& list : batched ? ids : Json::array({ids})) {
    total += list.size();
    if (total > kMaxDecoded) {
      throw StatusError(413, fmt::format("more than {} token ids", kMaxDecoded));
    }
    std::vector<int32_t> row;
    for (const Json& id : list) {
      if (!id.is_number_unsigned() || id.get<uint64_t>() >= static_cast<uint64_t>(served->info.vocab_size)) {
        invalid(fmt::format("a token id is not a whole number below {}", served->info.vocab_size));
      }
      row.push_back(id.get<int32_t>());
    }
    texts.push_back(served->backend->tokenizer().decode(row, skip));
  }
  responder.send(net::json_response(texts));
}

// A task over the backend, on a worker: what is wrong in the inputs is 422, a model that cannot do it 424.
template <class Run>
auto run_task(const Served& served, const Run& run) {
  BackendTaskModel model(served.backend);
  try {
    return run(model);
  } catch (const StatusError&) {
    throw;
  } catch (const base::Error& error) {
    if (error.code() == base::Code::kInvalid) {
      invalid(error.what());
    }
    throw;
  }
}

std::vector<std::string> texts_of(const Core& core, const Json& body, const char* key) {
  const auto list = body.find(key);
  if (list == body.end() || !list->is_array()) {
    invalid(fmt::format("\"{}\" must be a list of texts", key));
  }
  core.check_count(list->size());
  std::vector<std::string> texts;
  for (const Json& text : *list) {
    texts.push_back(text_of(text));
    core.check_text(texts.back());
  }
  return texts;
}

void rerank(Core& core, const net::Request& request, const net::Responder& responder) {
  const Json body = body_of(request, "query");
  const std::string query = text_of(body["query"]);
  core.check_text(query);
  const std::vector<std::string> texts = texts_of(core, body, "texts");
  const bool raw_scores = bool_of(body, "raw_scores", false);
  const bool return_text = bool_of(body, "return_text", false);
  const std::shared_ptr<Served> served = core.version_for(request);
  if (served->info.spec.has_classifier() && !engine::is_cross_encoder(served->info.spec)) {
    throw StatusError(424, "the model is a classifier of several labels, not a ranker");
  }
  const std::vector<float> scores =
      run_task(*served, [&](engine::TaskModel& model) { return engine::rank(model, query, texts, raw_scores); });
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  Json ranks = Json::array();
  for (const size_t i : order) {
    ranks.push_back({{"index", i}, {"score", scores[i]}});
    if (return_text) {
      ranks.back()["text"] = texts[i];
    }
  }
  responder.send(net::json_response(ranks));
}

void similarity(Core& core, const net::Request& request, const net::Responder& responder) {
  const Json body = body_of(request);
  const Json& inputs = body["inputs"];
  if (!inputs.is_object() || !inputs.contains("source_sentence")) {
    invalid("\"inputs\" must be an object with \"source_sentence\" and \"sentences\"");
  }
  const std::string source = text_of(inputs["source_sentence"]);
  core.check_text(source);
  const std::vector<std::string> sentences = texts_of(core, inputs, "sentences");
  const std::shared_ptr<Served> served = core.version_for(request);
  responder.send(net::json_response(
      run_task(*served, [&](engine::TaskModel& model) { return engine::similarity(model, source, sentences); })));
}

// Of each text the last hidden states of its tokens, special ones too.
void embed_all(Core& core, const net::Request& request, const net::Responder& responder) {
  const Json body = body_of(request);
  const Json& inputs = body["inputs"];
  const bool truncate = bool_of(body, "truncate", false);
  const std::shared_ptr<Served> served = core.version_for(request);
  core.check_count(inputs.is_array() ? inputs.size() : 1);
  std::vector<engine::Input> texts;
  const Json list = inputs.is_array() ? inputs : Json::array({inputs});
  for (const Json& input : list) {
    Item item = tokenized(core, *served, text_of(input), truncate);
    texts.push_back({.ids = std::move(item.ids), .hidden = true});
  }
  Json all = Json::array();
  for (const engine::BatchResult& result : run_on(*served->backend, std::move(texts))) {
    Json rows = Json::array();
    for (int i = 0; i < result.hidden.rows; ++i) {
      const auto row = result.hidden.row(i);
      rows.push_back(std::vector<float>(row.begin(), row.end()));
    }
    all.push_back(std::move(rows));
  }
  responder.send(net::json_response(all));
}

Json info(const Core& core) {
  const std::shared_ptr<Served> served = core.fleet.snapshot().primary;
  Json id2label = Json::object();
  Json label2id = Json::object();
  for (size_t i = 0; i < served->labels.size(); ++i) {
    id2label[std::to_string(i)] = served->labels[i];
    label2id[served->labels[i]] = i;
  }
  const Json labels = {{"id2label", id2label}, {"label2id", label2id}};
  const char* const pooling = served->info.pooling == model::Pooling::kMean    ? "mean"
                              : served->info.pooling == model::Pooling::kFirst ? "cls"
                              : served->info.pooling == model::Pooling::kMax   ? "max"
                                                                               : "last_token";
  const Json type = served->labels.empty()                        ? Json{{"embedding", {{"pooling", pooling}}}}
                    : engine::is_cross_encoder(served->info.spec) ? Json{{"reranker", labels}}
                                                                  : Json{{"classifier", labels}};
  return {{"model_id", served->display()},
          {"model_sha", served->digest.empty() ? Json(nullptr) : Json(served->digest)},
          {"model_dtype", served->info.precision},
          {"model_type", type},
          {"max_concurrent_requests", core.options.http.max_connections},
          {"max_input_length", served->info.max_length},
          {"max_batch_tokens", served->info.max_batch_tokens},
          {"max_batch_requests", nullptr},
          {"max_client_batch_size", core.options.max_inputs},
          {"auto_truncate", false},
          {"tokenization_workers", 1},
          {"version", SLIPWAY_VERSION},
          {"sha", nullptr},
          {"docker_label", nullptr}};
}

}  // namespace

void add_tei_routes(net::Router& router, Core& core) {
  using Route = void (*)(Core&, const net::Request&, const net::Responder&);
  const std::pair<const char*, Route> routes[] = {
      {"/predict", predict}, {"/embed", embed}, {"/tokenize", tokenize}, {"/decode", decode}};
  for (const auto& [path, route] : routes) {
    router.add(
        "POST", path,
        core.handler([&core, route = route](const net::Request& request,
                                            const net::Responder& responder) { route(core, request, responder); },
                     tei_error));
  }
  const std::pair<const char*, Route> tasks[] = {
      {"/rerank", rerank}, {"/similarity", similarity}, {"/embed_all", embed_all}};
  for (const auto& [path, route] : tasks) {
    router.add("POST", path,
               core.worker_handler(
                   [&core, route = route](const net::Request& request, const net::Responder& responder) {
                     route(core, request, responder);
                   },
                   tei_error));
  }
  router.add("GET", "/info", [&core](const net::Request&, const net::Responder& responder) {
    responder.send(net::json_response(info(core)));
  });
}

}  // namespace slipway::serve
