// OpenAI's API for text: /v1/chat/completions, /v1/completions. Unknown fields are ignored, known ones that
// change the answer and are not supported are refused with 400.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "record/record.h"
#include "serve/constraints.h"
#include "serve/generator_core.h"
#include "serve/openai_answer.h"

namespace slipway::serve {

namespace {

constexpr int kMaxChoices = 128;
constexpr int kMaxTopLogprobs = 20;
constexpr int64_t kMaxBestOf = 20;  // the specification's

const char* error_type(int status) {
  switch (status) {
    case 401: return "authentication_error";
    case 403: return "permission_error";
    case 429: return "rate_limit_error";
    default: return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

// Fields that would change the answer and that we do not have.
void refuse_unsupported(const Body& body, bool chat) {
  const char* const other = chat ? "functions" : "tools";
  if (const Json* value = body.find(other); value != nullptr && !value->empty()) {
    reject(other, chat ? "'functions' is not supported; use 'tools'" : "'tools' belongs to /v1/chat/completions");
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

OpenAiPlan read_plan(const net::Request& request, const Body& body, const GeneratorCore& core, bool chat) {
  OpenAiPlan plan;
  plan.adapter = core.adapter_of(request, body);
  refuse_unsupported(body, chat);
  plan.chat = chat;
  plan.stream = body.flag("stream", false);
  plan.id = (chat ? "chatcmpl-" : "cmpl-") + record::new_id();
  plan.created = core.now_s();
  plan.model = core.name_of(plan.adapter);
  plan.per_prompt = static_cast<size_t>(body.whole("n", 1, kMaxChoices).value_or(1));
  const auto least = static_cast<int64_t>(plan.per_prompt);
  plan.best_of = static_cast<size_t>(body.whole("best_of", least, std::max<int64_t>(least, kMaxBestOf)).value_or(least));
  if (plan.best_of > plan.per_prompt && plan.stream) {
    reject("best_of", "'best_of' above n cannot be streamed: the best is known at the end");
  }
  if (const Json* options = body.find("stream_options")) {
    if (!options->is_object() || !plan.stream) {
      reject("stream_options", "'stream_options' is an object, for 'stream': true only");
    }
    plan.include_usage = Body(*options).flag("include_usage", false);
  }
  return plan;
}

// vLLM's way to ask for beam search: use_beam_search, of `n` or best_of hypotheses, of which `n` are told.
engine::BeamParams read_beam_search(const Body& body, OpenAiPlan& plan) {
  engine::BeamParams beams;
  if (!body.flag("use_beam_search", false)) {
    return beams;
  }
  if (plan.best_of == 1) {
    reject("use_beam_search", "'use_beam_search' needs 'n' (or 'best_of') above 1: as many hypotheses are kept");
  }
  read_beams(body, beams);
  beams.num_beams = static_cast<int>(plan.best_of);
  beams.num_return_sequences = static_cast<int>(plan.per_prompt);
  plan.best_of = plan.per_prompt;
  return beams;
}

// One request for each choice of each prompt.
void generate(GeneratorCore& core, const Body& body, OpenAiPlan plan, const std::vector<std::vector<int32_t>>& prompts,
              std::optional<int64_t> max_tokens, const engine::SamplingParams& sampling,
              const net::Responder& responder) {
  ConstraintPtr constraint = openai_constraint(core.constraints, body);
  if (ConstraintPtr call = plan.tools ? plan.tools->constraint(core.constraints) : nullptr) {
    if (constraint) {
      reject("tool_choice", "'tool_choice' asks for a call, and another field says what the answer is");
    }
    constraint = std::move(call);
  }
  const engine::BeamParams beams = read_beam_search(body, plan);
  const size_t requests = beams.num_beams > 1 ? 1 : std::max(plan.per_prompt, plan.best_of);
  std::vector<engine::GenerateRequest> choices;
  for (const std::vector<int32_t>& ids : prompts) {
    if (ids.size() >= static_cast<size_t>(core.generator->info().context_length)) {
      throw StatusError(400,
                        fmt::format("the prompt has {} tokens; this model's context takes {}, the answer included",
                                    ids.size(), core.generator->info().context_length),
                        plan.chat ? "messages" : "prompt", "context_length_exceeded");
    }
    for (size_t i = 0; i < requests; ++i) {
      engine::GenerateRequest request;
      request.ids = ids;
      request.beams = beams;
      request.adapter = plan.adapter;
      request.max_tokens = core.max_tokens(ids.size(), max_tokens);
      request.sampling = sampling;
      request.constraint = constraint;
      request.client = responder.client();
      if (request.client.empty()) {  // no API keys: the client says who it is
        request.client = body.text("user").value_or("");
      }
      if (plan.best_of > plan.per_prompt && beams.num_beams == 1 && sampling.top_logprobs < 0) {
        request.sampling.top_logprobs = 0;  // they are compared by these
      }
      if (sampling.seed) {
        request.sampling.seed = *sampling.seed + i;  // choices differ, and are the same again for the same seed
      }
      choices.push_back(std::move(request));
    }
  }
  if (!plan.chat && plan.echo.empty()) {
    plan.echo.resize(prompts.size() * plan.per_prompt);
  }
  plan.logprobs = sampling.top_logprobs >= 0;
  answer_openai(core, plan, std::move(choices), responder);
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

// The arguments of earlier calls are texts in the protocol and objects to templates.
void read_calls(Json& message) {
  const auto calls = message.find("tool_calls");
  if (calls == message.end() || !calls->is_array()) {
    return;
  }
  for (Json& call : *calls) {
    if (!call.is_object() || !call.contains("function") || !call["function"].is_object()) {
      reject("messages", "each of a message's tool_calls must have a function");
    }
    Json& function = call["function"];
    if (function.contains("arguments") && function["arguments"].is_string()) {
      Json parsed = Json::parse(function["arguments"].get_ref<const std::string&>(), nullptr, false);
      if (parsed.is_object()) {
        function["arguments"] = std::move(parsed);
      }
    }
  }
}

void chat(GeneratorCore& core, const net::Request& request, const net::Responder& responder) {
  const Json json = parse_body(request);
  const Body body(json);
  OpenAiPlan plan = read_plan(request, body, core, true);
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
    read_calls(copy);
    chat_request.messages.push_back(std::move(copy));
  }
  auto tools = std::make_shared<const ToolSet>(body, core.generator->info().chat_template);
  tools->describe_to(chat_request, core.chat_template ? &*core.chat_template : nullptr);
  plan.tools = tools->looked_for() ? std::move(tools) : nullptr;
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
  OpenAiPlan plan = read_plan(request, body, core, false);
  const Json* prompt = body.find("prompt");
  if (prompt == nullptr || (!prompt->is_string() && !prompt->is_array()) || prompt->empty()) {
    reject("prompt", "'prompt' must be a text, token ids, or a list of either");
  }
  const bool many = prompt->is_array() && ((*prompt)[0].is_string() || (*prompt)[0].is_array());
  const Json all = many ? *prompt : Json::array({*prompt});
  if (all.size() * std::max(plan.per_prompt, plan.best_of) > kMaxPrompts) {
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
}

}  // namespace slipway::serve
