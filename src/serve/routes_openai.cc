// OpenAI's API for text: /v1/models, /v1/chat/completions, /v1/completions. Unknown fields are ignored, known ones that
// change the answer and are not supported are refused with 400.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "record/record.h"
#include "serve/generator_core.h"

namespace slipway::serve {

namespace {

constexpr int kMaxChoices = 128;
constexpr int kMaxTopLogprobs = 20;

// What a request asks for beside its prompt.
struct Plan {
  bool chat = false;
  bool stream = false;
  bool include_usage = false;
  bool logprobs = false;
  std::string id;
  int64_t created = 0;
  std::string model;
  size_t per_prompt = 1;          // choices of each prompt
  std::vector<std::string> echo;  // of each choice: text before the answer
};

const char* error_type(int status) {
  switch (status) {
    case 401: return "authentication_error";
    case 403: return "permission_error";
    case 429: return "rate_limit_error";
    default: return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

Json valid(const std::string& bytes) { return base::parse_json(base::dump_json(Json(bytes)), "a token"); }

Json bytes_of(const std::string& token) {
  Json bytes = Json::array();
  for (const char byte : token) {
    bytes.push_back(static_cast<unsigned char>(byte));
  }
  return bytes;
}

Json chat_logprob(const std::string& token, float logprob) {
  return {{"token", valid(token)}, {"logprob", logprob}, {"bytes", bytes_of(token)}};
}

Json chat_logprobs(const std::vector<engine::TokenEvent>& events) {
  Json content = Json::array();
  for (const engine::TokenEvent& event : events) {
    Json entry = chat_logprob(event.token, event.logprob);
    Json top = Json::array();
    for (const engine::TokenLogprob& other : event.top_logprobs) {
      top.push_back(chat_logprob(other.token, other.logprob));
    }
    entry["top_logprobs"] = std::move(top);
    content.push_back(std::move(entry));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

// Completions' own form: parallel lists.
Json text_logprobs(const std::vector<engine::TokenEvent>& events, size_t offset) {
  Json tokens = Json::array();
  Json logprobs = Json::array();
  Json top = Json::array();
  Json offsets = Json::array();
  for (const engine::TokenEvent& event : events) {
    tokens.push_back(valid(event.token));
    logprobs.push_back(event.logprob);
    Json others = Json::object();
    for (const engine::TokenLogprob& other : event.top_logprobs) {
      others[valid(other.token).get<std::string>()] = other.logprob;
    }
    top.push_back(std::move(others));
    offsets.push_back(offset);
    offset += event.text.size();
  }
  return {{"tokens", tokens}, {"token_logprobs", logprobs}, {"top_logprobs", top}, {"text_offset", offsets}};
}

Json logprobs_of(const Plan& plan, const std::vector<engine::TokenEvent>& events, size_t offset = 0) {
  if (!plan.logprobs) {
    return nullptr;
  }
  return plan.chat ? chat_logprobs(events) : text_logprobs(events, offset);
}

const char* reason_of(const engine::GenerateResult& result) {
  return result.finish_reason == engine::FinishReason::kLength ? "length" : "stop";
}

Json usage_of(const Plan& plan, const std::vector<engine::GenerateResult>& results) {
  int64_t prompt = 0;
  int64_t completion = 0;
  int64_t cached = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    const engine::Usage& usage = results[i].usage;
    completion += usage.completion_tokens;
    if (i % plan.per_prompt == 0) {  // the choices of a prompt share it
      prompt += usage.prompt_tokens;
      cached += usage.cached_tokens;
    }
  }
  return {{"prompt_tokens", prompt},
          {"completion_tokens", completion},
          {"total_tokens", prompt + completion},
          {"prompt_tokens_details", {{"cached_tokens", cached}}},
          {"completion_tokens_details", {{"reasoning_tokens", 0}}}};
}

Json envelope(const Plan& plan, bool chunk) {
  const char* object = !plan.chat ? "text_completion" : chunk ? "chat.completion.chunk" : "chat.completion";
  return {{"id", plan.id},
          {"object", object},
          {"created", plan.created},
          {"model", plan.model},
          {"system_fingerprint", "slipway-" SLIPWAY_VERSION}};
}

Json whole_answer(const Plan& plan, const std::vector<engine::GenerateResult>& results,
                  const std::vector<std::vector<engine::TokenEvent>>& events) {
  Json answer = envelope(plan, false);
  Json choices = Json::array();
  for (size_t i = 0; i < results.size(); ++i) {
    Json choice = {{"index", i}};
    if (plan.chat) {
      choice["message"] = {{"role", "assistant"}, {"content", results[i].text}, {"refusal", nullptr}};
    } else {
      choice["text"] = plan.echo[i] + results[i].text;
    }
    choice["logprobs"] = logprobs_of(plan, events[i], plan.echo.empty() ? 0 : plan.echo[i].size());
    choice["finish_reason"] = reason_of(results[i]);
    choices.push_back(std::move(choice));
  }
  answer["choices"] = std::move(choices);
  answer["usage"] = usage_of(plan, results);
  return answer;
}

// Server-sent events of one answer, and what each of its choices has written.
class Chunks {
 public:
  Chunks(Plan plan, std::shared_ptr<LateStream> stream, size_t choices)
      : plan_(std::move(plan)), stream_(std::move(stream)), held_(choices), written_(choices, 0) {}

  void begin() {
    for (size_t i = 0; i < held_.size(); ++i) {
      if (plan_.chat) {
        send(i, {{"role", "assistant"}, {"content", ""}, {"refusal", nullptr}}, nullptr, nullptr);
      } else if (!plan_.echo[i].empty()) {
        send(i, plan_.echo[i], nullptr, nullptr);
      }
    }
  }
  bool token(size_t choice, const engine::TokenEvent& event) {
    if (event.end) {
      return true;  // it has no text, and no place among the logprobs
    }
    if (plan_.logprobs) {
      held_[choice].push_back(event);
    } else if (event.text.empty()) {
      return true;  // part of a character
    }
    return text(choice, event.text, nullptr);
  }
  void done(size_t choice, const engine::GenerateResult& result) {
    if (const auto failure = GeneratorCore::failure_of(result)) {
      stream_->event(openai_error_body(failure->first, failure->second));
      return;
    }
    if (!result.text_tail.empty()) {
      text(choice, result.text_tail, nullptr);
    }
    send(choice, plan_.chat ? Json::object() : Json(""), nullptr, reason_of(result));
  }
  void end(const std::vector<engine::GenerateResult>& results) {
    if (plan_.include_usage) {
      Json chunk = envelope(plan_, true);
      chunk["choices"] = Json::array();
      chunk["usage"] = usage_of(plan_, results);
      stream_->event(chunk);
    }
    stream_->write("data: [DONE]\n\n");
    stream_->finish();
  }

 private:
  bool text(size_t choice, const std::string& piece, const Json& reason) {
    Json logprobs = logprobs_of(plan_, held_[choice], written_[choice]);
    held_[choice].clear();
    written_[choice] += piece.size();
    return send(choice, plan_.chat ? Json{{"content", piece}} : Json(piece), logprobs, reason);
  }
  bool send(size_t choice, const Json& content, const Json& logprobs, const Json& reason) {
    Json chunk = envelope(plan_, true);
    chunk["choices"] = Json::array({{{"index", choice},
                                     {plan_.chat ? "delta" : "text", content},
                                     {"logprobs", logprobs},
                                     {"finish_reason", reason}}});
    if (plan_.include_usage) {
      chunk["usage"] = nullptr;
    }
    return stream_->event(chunk);
  }

  Plan plan_;
  std::shared_ptr<LateStream> stream_;
  std::vector<std::vector<engine::TokenEvent>> held_;  // tokens whose logprobs are not out
  std::vector<size_t> written_;
};

void answer_whole(GeneratorCore& core, const Plan& plan, std::vector<engine::GenerateRequest> choices,
                  const net::Responder& responder) {
  auto events = std::make_shared<std::vector<std::vector<engine::TokenEvent>>>(choices.size());
  GeneratorCore::Job job;
  job.choices = std::move(choices);
  if (plan.logprobs) {
    job.on_token = [events](size_t choice, const engine::TokenEvent& event) {
      if (!event.end) {
        (*events)[choice].push_back(event);
      }
      return true;
    };
  }
  job.on_end = [plan, events, responder](const std::vector<engine::GenerateResult>& results) {
    responder.send([plan, events, results] {
      for (const engine::GenerateResult& result : results) {
        if (const auto failure = GeneratorCore::failure_of(result)) {
          return openai_error(failure->first, failure->second);
        }
      }
      return net::json_response(whole_answer(plan, results, *events));
    });
  };
  core.run(std::move(job));
}

void answer_stream(GeneratorCore& core, const Plan& plan, std::vector<engine::GenerateRequest> choices,
                   const net::Responder& responder) {
  auto stream = std::make_shared<LateStream>();
  auto chunks = std::make_shared<Chunks>(plan, stream, choices.size());
  chunks->begin();
  GeneratorCore::Job job;
  job.choices = std::move(choices);
  job.on_token = [chunks](size_t choice, const engine::TokenEvent& event) { return chunks->token(choice, event); };
  job.on_done = [chunks](size_t choice, const engine::GenerateResult& result) { chunks->done(choice, result); };
  job.on_end = [chunks](const std::vector<engine::GenerateResult>& results) { chunks->end(results); };
  core.run_stream(std::move(job), stream, responder, event_stream_head());
}

// Fields that would change the answer and that we do not have.
void refuse_unsupported(const Body& body) {
  for (const char* key : {"tools", "functions"}) {
    const Json* value = body.find(key);
    const Json* choice = body.find("tool_choice");
    if (value != nullptr && !value->empty() && !(choice != nullptr && *choice == "none")) {
      reject(key, fmt::format("'{}' is not supported by this server yet", key));
    }
  }
  if (const Json* format = body.find("response_format")) {
    const auto type = format->is_object() ? format->find("type") : format->end();
    if (!format->is_object() || type == format->end() || *type != "text") {
      reject("response_format", "only response_format {\"type\": \"text\"} is supported by this server yet");
    }
  }
  for (const char* key : {"audio", "prediction", "suffix"}) {
    if (body.has(key)) {
      reject(key, fmt::format("'{}' is not supported", key));
    }
  }
}

void read_logit_bias(const Body& body, const GeneratorCore& core, engine::SamplingParams& sampling) {
  const Json* bias = body.find("logit_bias");
  if (bias == nullptr) {
    return;
  }
  const std::string wrong = "'logit_bias' maps token ids to numbers from -100 to 100";
  if (!bias->is_object()) {
    reject("logit_bias", wrong);
  }
  for (const auto& [key, value] : bias->items()) {
    const bool digits = !key.empty() && key.size() < 10 && key.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || std::stoi(key) >= core.generator->info().vocab_size || !value.is_number() ||
        !(value.get<double>() >= -100 && value.get<double>() <= 100)) {
      reject("logit_bias", wrong);
    }
    sampling.logit_bias.emplace_back(std::stoi(key), value.get<double>());
  }
}

Plan read_plan(const Body& body, const GeneratorCore& core, bool chat) {
  core.check_model(body);
  refuse_unsupported(body);
  Plan plan;
  plan.chat = chat;
  plan.stream = body.flag("stream", false);
  plan.id = (chat ? "chatcmpl-" : "cmpl-") + record::new_id();
  plan.created = core.now_s();
  plan.model = core.name;
  plan.per_prompt = static_cast<size_t>(body.whole("n", 1, kMaxChoices).value_or(1));
  if (const Json* options = body.find("stream_options")) {
    if (!options->is_object() || !plan.stream) {
      reject("stream_options", "'stream_options' is an object, for 'stream': true only");
    }
    plan.include_usage = Body(*options).flag("include_usage", false);
  }
  return plan;
}

// One request for each choice of each prompt.
void generate(GeneratorCore& core, const Body& body, Plan plan, const std::vector<std::vector<int32_t>>& prompts,
              std::optional<int64_t> max_tokens, const engine::SamplingParams& sampling,
              const net::Responder& responder) {
  std::vector<engine::GenerateRequest> choices;
  for (const std::vector<int32_t>& ids : prompts) {
    if (ids.size() >= static_cast<size_t>(core.generator->info().context_length)) {
      throw StatusError(400,
                        fmt::format("the prompt has {} tokens; this model's context takes {}, the answer included",
                                    ids.size(), core.generator->info().context_length),
                        plan.chat ? "messages" : "prompt", "context_length_exceeded");
    }
    for (size_t i = 0; i < plan.per_prompt; ++i) {
      engine::GenerateRequest request;
      request.ids = ids;
      request.max_tokens = core.max_tokens(ids.size(), max_tokens);
      request.sampling = sampling;
      request.client = body.text("user").value_or("");
      if (sampling.seed) {
        request.sampling.seed = *sampling.seed + i;  // choices differ, and are the same again for the same seed
      }
      choices.push_back(std::move(request));
    }
  }
  if (!plan.chat && plan.echo.empty()) {
    plan.echo.resize(choices.size());
  }
  plan.logprobs = sampling.top_logprobs >= 0;
  (plan.stream ? answer_stream : answer_whole)(core, plan, std::move(choices), responder);
}

// Content as templates take it: one text. Parts that are texts are joined by a newline.
Json content_of(const Json& content) {
  if (!content.is_array()) {
    if (!content.is_string() && !content.is_null()) {
      reject("messages", "a message's content must be a text, a list of parts, or null");
    }
    return content;
  }
  std::string text;
  for (const Json& part : content) {
    const bool is_text =
        part.is_object() && part.value("type", "") == "text" && part.contains("text") && part["text"].is_string();
    if (!is_text) {
      reject("messages",
             "this model takes text only: each part of a content must be {\"type\": \"text\", \"text\": …}");
    }
    text += (text.empty() ? "" : "\n") + part["text"].get<std::string>();
  }
  return text;
}

void chat(GeneratorCore& core, const net::Request& request, const net::Responder& responder) {
  const Json json = parse_body(request);
  const Body body(json);
  Plan plan = read_plan(body, core, true);
  const Json* messages = body.find("messages");
  if (messages == nullptr || !messages->is_array() || messages->empty()) {
    reject("messages", "'messages' must be a list of at least one message");
  }
  text::ChatRequest chat_request;
  for (const Json& message : *messages) {
    if (!message.is_object() || !message.contains("role") || !message["role"].is_string()) {
      reject("messages", "each message must be an object with a role");
    }
    Json copy = message;
    if (copy["role"] == "developer") {
      copy["role"] = "system";
    }
    copy["content"] = content_of(message.value("content", Json()));
    chat_request.messages.push_back(std::move(copy));
  }
  chat_request.add_generation_prompt = body.flag("add_generation_prompt", true);
  if (const Json* extra = body.find("chat_template_kwargs"); extra != nullptr && extra->is_object()) {
    chat_request.extra = *extra;
  }
  engine::SamplingParams sampling;
  read_sampling(body, sampling);
  read_logit_bias(body, core, sampling);
  const auto top = body.whole("top_logprobs", 0, kMaxTopLogprobs);
  if (body.flag("logprobs", false)) {
    sampling.top_logprobs = static_cast<int>(top.value_or(0));
  } else if (top.value_or(0) > 0) {
    reject("top_logprobs", "'top_logprobs' needs 'logprobs': true");
  }
  const auto max_tokens = body.whole("max_completion_tokens", 1, 1 << 30);
  generate(core, body, std::move(plan), {core.encode_chat(chat_request)},
           max_tokens ? max_tokens : body.whole("max_tokens", 1, 1 << 30), sampling, responder);
}

std::vector<int32_t> prompt_ids(const Json& list, const GeneratorCore& core) {
  std::vector<int32_t> ids;
  for (const Json& id : list) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= static_cast<uint64_t>(core.generator->info().vocab_size)) {
      reject("prompt", fmt::format("a token id is a whole number below {}", core.generator->info().vocab_size));
    }
    ids.push_back(id.get<int32_t>());
  }
  return ids;
}

void completions(GeneratorCore& core, const net::Request& request, const net::Responder& responder) {
  constexpr size_t kMaxPrompts = 128;
  const Json json = parse_body(request);
  const Body body(json);
  Plan plan = read_plan(body, core, false);
  const Json* prompt = body.find("prompt");
  if (prompt == nullptr || (!prompt->is_string() && !prompt->is_array()) || prompt->empty()) {
    reject("prompt", "'prompt' must be a text, token ids, or a list of either");
  }
  const bool many = prompt->is_array() && ((*prompt)[0].is_string() || (*prompt)[0].is_array());
  const Json all = many ? *prompt : Json::array({*prompt});
  if (all.size() * plan.per_prompt > kMaxPrompts) {
    reject("prompt", fmt::format("at most {} answers are given at a time", kMaxPrompts));
  }
  const bool echo = body.flag("echo", false);
  std::vector<std::vector<int32_t>> prompts;
  for (const Json& one : all) {
    if (!one.is_string() && !one.is_array()) {
      reject("prompt", "a prompt is a text or a list of token ids");
    }
    prompts.push_back(one.is_string() ? core.encode(one.get_ref<const std::string&>()) : prompt_ids(one, core));
    if (prompts.back().empty()) {
      reject("prompt", "a prompt is empty");
    }
    for (size_t i = 0; i < plan.per_prompt; ++i) {
      plan.echo.push_back(!echo             ? ""
                          : one.is_string() ? one.get<std::string>()
                                            : core.generator->tokenizer().decode(prompts.back(), true));
    }
  }
  const auto best_of = body.whole("best_of", 1, 20);
  if (best_of && *best_of != static_cast<int64_t>(plan.per_prompt)) {
    reject("best_of", "'best_of' other than n is not supported");
  }
  engine::SamplingParams sampling;
  read_sampling(body, sampling);
  read_logit_bias(body, core, sampling);
  sampling.top_logprobs = static_cast<int>(body.whole("logprobs", 0, kMaxTopLogprobs).value_or(-1));
  if (echo && sampling.top_logprobs >= 0) {
    reject("echo", "'echo' together with 'logprobs' is not supported");
  }
  constexpr int64_t kDefault = 16;  // the specification's
  generate(core, body, std::move(plan), prompts, body.whole("max_tokens", 1, 1 << 30).value_or(kDefault), sampling,
           responder);
}

Json model_object(const GeneratorCore& core) {
  return {{"id", core.name},
          {"object", "model"},
          {"created", core.created_s},
          {"owned_by", "slipway"},
          {"max_model_len", core.generator->info().context_length}};
}

}  // namespace

Json openai_error_body(int status, const std::string& message, const std::string& param, const std::string& code) {
  return {{"error",
           {{"message", message},
            {"type", error_type(status)},
            {"param", param.empty() ? Json(nullptr) : Json(param)},
            {"code", code.empty() ? Json(nullptr) : Json(code)}}}};
}

net::Response openai_error(int status, const std::string& message, const std::string& param, const std::string& code) {
  net::Response response = plain_error(status, message);
  response.body = base::dump_json(openai_error_body(status, message, param, code));
  return response;
}

Handle with_openai_errors(Handle handle) {
  return [handle = std::move(handle)](const net::Request& request, const net::Responder& responder) {
    try {
      handle(request, responder);
    } catch (const StatusError& error) {
      responder.send(openai_error(error.status(), error.what(), error.param(), error.word()));
    }
  };
}

void add_openai_routes(net::Router& router, GeneratorCore& core) {
  const RenderError render = [](int status, const std::string& message) { return openai_error(status, message); };
  const auto post = [&](const char* path, void (*route)(GeneratorCore&, const net::Request&, const net::Responder&)) {
    router.add(
        "POST", path,
        on_worker(core.workers, core.context.log,
                  with_openai_errors([&core, route](const net::Request& request, const net::Responder& responder) {
                    route(core, request, responder);
                  }),
                  render));
  };
  post("/v1/chat/completions", chat);
  post("/v1/completions", completions);
  for (const char* path : {"/v1/embeddings", "/v1/responses"}) {
    router.add("POST", path, [](const net::Request& request, const net::Responder& responder) {
      responder.send(openai_error(404, fmt::format("this server has no {}: it serves a generator", request.path)));
    });
  }
  router.add("GET", "/v1/models", [&core](const net::Request&, const net::Responder& responder) {
    responder.send(net::json_response({{"object", "list"}, {"data", Json::array({model_object(core)})}}));
  });
  router.add("GET", "/v1/models/{id}", [&core](const net::Request& request, const net::Responder& responder) {
    if (request.param("id") != core.name) {
      responder.send(openai_error(404,
                                  fmt::format("the model '{}' does not exist; this server has '{}'",
                                              request.param("id").substr(0, 100), core.name),
                                  "model", "model_not_found"));
      return;
    }
    responder.send(net::json_response(model_object(core)));
  });
}

}  // namespace slipway::serve
