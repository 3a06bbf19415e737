// Ollama's API: /api/show, /api/generate, /api/chat; its lists are in routes_models.cc. Streams are one JSON object a
// line, and the default.
#include <fmt/format.h>

#include "base/clock.h"
#include "serve/constraints.h"
#include "serve/generator_core.h"
#include "serve/tools.h"

namespace slipway::serve {

namespace {

constexpr int64_t kNanoseconds = 1000;  // in a microsecond

// Their defaults where the request says nothing.
engine::GenerateRequest read_options(GeneratorCore& core, const Body& body, std::vector<int32_t> ids) {
  engine::GenerateRequest request;
  request.sampling.temperature = 0.8;
  request.sampling.top_k = 40;
  request.sampling.top_p = 0.9;
  std::optional<int64_t> asked;
  if (const Json* options = body.find("options")) {
    if (!options->is_object()) {
      reject("options", "'options' must be an object");
    }
    const Body inner(*options);
    read_sampling(inner, request.sampling);
    asked = inner.whole("num_predict", -2, 1 << 30);
    if (asked && *asked < 0) {
      asked = core.generator->info().context_length;  // until it ends by itself
    }
  }
  request.constraint = ollama_constraint(core.constraints, body);
  if (ids.empty()) {
    reject("prompt", "the prompt is empty");
  }
  request.max_tokens = core.max_tokens(ids.size(), asked);
  request.ids = std::move(ids);
  return request;
}

// How a piece of the answer is written: generate's "response" or chat's "message".
using Piece = Json (*)(const std::string& text);
Json generate_piece(const std::string& text) { return {{"response", text}}; }
Json chat_piece(const std::string& text) { return {{"message", {{"role", "assistant"}, {"content", text}}}}; }

// Who answers, and how.
struct Voice {
  const GeneratorCore& core;
  std::string model;
  Piece piece;
};

Json line_of(const Voice& voice, const std::string& text, bool done) {
  Json line = {{"model", voice.model}, {"created_at", base::iso8601(voice.core.context.clock.unix_ms())}};
  line.update(voice.piece(text));
  line["done"] = done;
  return line;
}

void finish_line(Json& line, const engine::GenerateResult& result) {
  const auto prompt = result.first_token - result.queued;
  line["done_reason"] = result.finish_reason == engine::FinishReason::kLength ? "length" : "stop";
  line["total_duration"] = result.total.count() * kNanoseconds;
  line["load_duration"] = 0;
  line["prompt_eval_count"] = result.usage.prompt_tokens;
  line["prompt_eval_duration"] = prompt.count() * kNanoseconds;
  line["eval_count"] = result.usage.completion_tokens;
  line["eval_duration"] = (result.total - result.first_token).count() * kNanoseconds;
}

// The tools of a chat, and the calls found in its answer so far.
struct Calls {
  explicit Calls(ToolSet set) : tools(std::move(set)), reader(tools) {}
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  // Adds those that are not told yet to a line; false when there are none. Their arguments are objects here.
  bool add_to(Json& line) {
    Json list = Json::array();
    for (; told < reader.calls().size(); ++told) {
      const ToolCall& call = reader.calls()[told];
      const Json arguments = Json::parse(call.arguments, nullptr, false);
      list.push_back(
          {{"function", {{"name", call.name}, {"arguments", arguments.is_discarded() ? Json::object() : arguments}}}});
    }
    if (list.empty()) {
      return false;
    }
    line["message"]["tool_calls"] = std::move(list);
    return true;
  }

  const ToolSet tools;
  ToolCallReader reader;
  size_t told = 0;
};

// The line of a text that came, with `last` the end of the answer: what is a call of a tool is told apart.
Json line_with_calls(const Voice& voice, const std::string& text, bool last, Calls* calls, bool& empty) {
  std::string shown = calls != nullptr ? calls->reader.push(text) : text;
  if (calls != nullptr && last) {
    shown += calls->reader.finish();
  }
  Json line = line_of(voice, shown, last);
  const bool called = calls != nullptr && calls->add_to(line);
  empty = shown.empty() && !called;
  return line;
}

void answer(GeneratorCore& core, const Body& body, engine::GenerateRequest request, Piece piece,
            const net::Responder& responder, const std::shared_ptr<Calls>& calls = nullptr) {
  request.client = responder.client();
  const Voice voice{core, core.name_of(request.adapter), piece};
  GeneratorCore::Job job;
  job.choices.push_back(std::move(request));
  if (!body.flag("stream", true)) {
    job.on_end = [voice, responder, calls](const std::vector<engine::GenerateResult>& results) {
      if (const auto failure = GeneratorCore::failure_of(results[0])) {
        responder.send(plain_error(failure->first, failure->second));
        return;
      }
      bool nothing = false;
      Json line = line_with_calls(voice, results[0].text, true, calls.get(), nothing);
      finish_line(line, results[0]);
      responder.send(net::json_response(line));
    };
    core.run(std::move(job), responder.trace());
    return;
  }
  auto stream = std::make_shared<LateStream>();
  job.on_token = [voice, stream, calls](size_t, const engine::TokenEvent& event) {
    bool nothing = false;
    const Json line = line_with_calls(voice, event.text, false, calls.get(), nothing);
    return nothing || stream->line(line);
  };
  job.on_end = [voice, stream, calls](const std::vector<engine::GenerateResult>& results) {
    if (const auto failure = GeneratorCore::failure_of(results[0])) {
      stream->line(Json{{"error", failure->second}});
    } else {
      bool nothing = false;
      Json line = line_with_calls(voice, results[0].text_tail, true, calls.get(), nothing);
      finish_line(line, results[0]);
      stream->line(line);
    }
    stream->finish();
  };
  core.run_stream(std::move(job), stream, responder, ndjson_head());
}

void generate(GeneratorCore& core, const net::Request& request, const net::Responder& responder) {
  const Json json = parse_body(request);
  const Body body(json);
  std::string adapter = core.adapter_of(request, body);
  const std::string prompt = body.text("prompt").value_or("");
  if (prompt.empty()) {  // only asks that the model be loaded
    Json line = line_of({core, core.name_of(adapter), generate_piece}, "", true);
    line["done_reason"] = "load";
    responder.send(net::json_response(line));
    return;
  }
  std::vector<int32_t> ids;
  if (core.chat_template && !body.flag("raw", false)) {
    text::ChatRequest chat;
    if (const auto system = body.text("system")) {
      chat.messages.push_back({{"role", "system"}, {"content", *system}});
    }
    chat.messages.push_back({{"role", "user"}, {"content", prompt}});
    ids = core.encode_chat(chat);
  } else {
    ids = core.encode(prompt);
  }
  engine::GenerateRequest wanted = read_options(core, body, std::move(ids));
  wanted.adapter = std::move(adapter);
  answer(core, body, std::move(wanted), generate_piece, responder);
}

void chat(GeneratorCore& core, const net::Request& request, const net::Responder& responder) {
  const Json json = parse_body(request);
  const Body body(json);
  std::string adapter = core.adapter_of(request, body);
  const Json* messages = body.find("messages");
  if (messages == nullptr || !messages->is_array() || messages->empty()) {
    reject("messages", "'messages' must be a list of at least one message");
  }
  text::ChatRequest chat_request;
  for (const Json& message : *messages) {
    if (!message.is_object() || !message.contains("role") || !message["role"].is_string() ||
        !message.contains("content") || !message["content"].is_string()) {
      reject("messages", "each message must have a role and a content");
    }
    if (const auto images = message.find("images"); images != message.end() && !images->empty()) {
      reject("messages", "this model takes text only");
    }
    Json copy = {{"role", message["role"]}, {"content", message["content"]}};
    for (const char* key : {"tool_calls", "tool_name"}) {
      if (message.contains(key)) {
        copy[key] = message[key];
      }
    }
    chat_request.messages.push_back(std::move(copy));
  }
  ToolSet tools(body, core.generator->info().chat_template);
  tools.describe_to(chat_request, core.chat_template ? &*core.chat_template : nullptr);
  const auto calls = tools.looked_for() ? std::make_shared<Calls>(std::move(tools)) : nullptr;
  engine::GenerateRequest wanted = read_options(core, body, core.encode_chat(chat_request));
  wanted.adapter = std::move(adapter);
  answer(core, body, std::move(wanted), chat_piece, responder, calls);
}

void show(const GeneratorCore& core, const net::Request& request, const net::Responder& responder) {
  const Json json = parse_body(request);
  const std::string adapter = core.adapter_of(request, Body(json));
  ModelCard card = core.card();
  card.parent = adapter.empty() ? "" : core.name;
  const engine::GeneratorInfo& info = core.generator->info();
  Json capabilities = Json::array({"completion", "tools"});
  responder.send(net::json_response({{"modelfile", ""},
                                     {"parameters", ""},
                                     {"template", info.chat_template},
                                     {"modified_at", base::iso8601(core.created_s * 1000)},
                                     {"details", ollama_tag(card)["details"]},
                                     {"model_info",
                                      {{"general.architecture", info.architecture},
                                       {"general.parameter_count", info.parameters},
                                       {info.architecture + ".context_length", info.context_length}}},
                                     {"capabilities", std::move(capabilities)}}));
}

}  // namespace

void add_ollama_routes(net::Router& router, GeneratorCore& core) {
  const auto post = [&](const char* path, auto route) {
    router.add("POST", path,
               on_worker(
                   core.workers, core.context.log,
                   [&core, route](const net::Request& request, const net::Responder& responder) {
                     route(core, request, responder);
                   },
                   plain_error));
  };
  post("/api/generate", generate);
  post("/api/chat", chat);
  post("/api/show", show);
}

}  // namespace slipway::serve
