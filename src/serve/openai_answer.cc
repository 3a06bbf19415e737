#include "serve/openai_answer.h"

#include <algorithm>
#include <numeric>

namespace slipway::serve {

namespace {

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

Json logprobs_of(const OpenAiPlan& plan, const std::vector<engine::TokenEvent>& events, size_t offset = 0) {
  if (!plan.logprobs) {
    return nullptr;
  }
  return plan.chat ? chat_logprobs(events) : text_logprobs(events, offset);
}

const char* reason_of(const engine::GenerateResult& result, bool called = false) {
  if (called && result.finish_reason == engine::FinishReason::kStop) {
    return "tool_calls";
  }
  return result.finish_reason == engine::FinishReason::kLength ? "length" : "stop";
}

Json usage_of(const OpenAiPlan& plan, const std::vector<engine::GenerateResult>& results) {
  int64_t prompt = 0;
  int64_t completion = 0;
  int64_t cached = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    const engine::Usage& usage = results[i].usage;
    completion += usage.completion_tokens;
    if (i % std::max(plan.per_prompt, plan.best_of) == 0) {  // the choices of a prompt share it
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

Json envelope(const OpenAiPlan& plan, bool chunk) {
  const char* object = !plan.chat ? "text_completion" : chunk ? "chat.completion.chunk" : "chat.completion";
  return {{"id", plan.id},
          {"object", object},
          {"created", plan.created},
          {"model", plan.model},
          {"system_fingerprint", "slipway-" SLIPWAY_VERSION}};
}

// An answer's message; its text is null where there are only calls of tools.
Json message_of(const OpenAiPlan& plan, const engine::GenerateResult& result, bool& called) {
  Json message = {{"role", "assistant"}, {"content", result.text}, {"refusal", nullptr}};
  if (plan.tools) {
    ToolCallReader reader(*plan.tools);
    std::string text = reader.push(result.text);
    text += reader.finish();
    called = !reader.calls().empty();
    if (called) {
      message["content"] = text.empty() ? Json(nullptr) : Json(text);
      message["tool_calls"] = Json::array();
      for (const ToolCall& call : reader.calls()) {
        message["tool_calls"].push_back(tool_call_json(call));
      }
    }
  }
  return message;
}

// The answers that are told, in their order: all, or of best_of candidates those of the highest log-probability a token.
std::vector<size_t> told(const OpenAiPlan& plan, const std::vector<engine::GenerateResult>& results) {
  std::vector<size_t> order(results.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (plan.best_of <= plan.per_prompt) {
    return order;
  }
  const auto score = [&](size_t i) {
    return results[i].logprob / std::max(1, results[i].usage.completion_tokens);
  };
  std::vector<size_t> best;
  for (auto at = order.begin(); at != order.end(); at += static_cast<std::ptrdiff_t>(plan.best_of)) {
    const auto end = at + static_cast<std::ptrdiff_t>(plan.best_of);
    std::stable_sort(at, end, [&](size_t a, size_t b) { return score(a) > score(b); });
    best.insert(best.end(), at, at + static_cast<std::ptrdiff_t>(plan.per_prompt));
  }
  return best;
}

Json whole_answer(const OpenAiPlan& plan, const std::vector<engine::GenerateResult>& results,
                  const std::vector<std::vector<engine::TokenEvent>>& events) {
  Json answer = envelope(plan, false);
  Json choices = Json::array();
  for (const size_t i : told(plan, results)) {
    const size_t index = choices.size();
    Json choice = {{"index", index}};
    bool called = false;
    if (plan.chat) {
      choice["message"] = message_of(plan, results[i], called);
    } else {
      choice["text"] = plan.echo[index] + results[i].text;
    }
    choice["logprobs"] = logprobs_of(plan, events[i], plan.echo.empty() ? 0 : plan.echo[index].size());
    choice["finish_reason"] = reason_of(results[i], called);
    choices.push_back(std::move(choice));
  }
  answer["choices"] = std::move(choices);
  answer["usage"] = usage_of(plan, results);
  return answer;
}

// Server-sent events of one answer, and what each of its choices has written.
class Chunks {
 public:
  Chunks(OpenAiPlan plan, std::shared_ptr<LateStream> stream, size_t choices)
      : plan_(std::move(plan)),
        stream_(std::move(stream)),
        held_(choices),
        written_(choices, 0),
        calls_sent_(choices, 0) {
    for (size_t i = 0; plan_.tools && i < choices; ++i) {
      readers_.emplace_back(*plan_.tools);
    }
  }

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
    }
    const std::string shown = plan_.tools ? readers_[choice].push(event.text) : event.text;
    const bool open = send_calls(choice);
    if (shown.empty() && (!plan_.logprobs || plan_.tools)) {
      return open;  // part of a character, or of what may be a call
    }
    return text(choice, shown, nullptr) && open;
  }
  void done(size_t choice, const engine::GenerateResult& result) {
    if (const auto failure = GeneratorCore::failure_of(result)) {
      stream_->event(openai_error_body(failure->first, failure->second));
      return;
    }
    std::string tail = result.text_tail;
    if (plan_.tools) {
      tail = readers_[choice].push(tail);
      tail += readers_[choice].finish();
    }
    if (!tail.empty() || !held_[choice].empty()) {
      text(choice, tail, nullptr);
    }
    send_calls(choice);
    send(choice, plan_.chat ? Json::object() : Json(""), nullptr, reason_of(result, calls_sent_[choice] > 0));
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
  // Calls that became complete: the name, then the arguments, as OpenAI's pieces are.
  bool send_calls(size_t choice) {
    bool open = true;
    for (; plan_.tools && calls_sent_[choice] < readers_[choice].calls().size(); ++calls_sent_[choice]) {
      const size_t index = calls_sent_[choice];
      const ToolCall& call = readers_[choice].calls()[index];
      Json begin = tool_call_json({call.id, call.name, ""});
      begin["index"] = index;
      const Json rest = {{"index", index}, {"function", {{"arguments", call.arguments}}}};
      open = send(choice, {{"tool_calls", Json::array({begin})}}, nullptr, nullptr) &&
             send(choice, {{"tool_calls", Json::array({rest})}}, nullptr, nullptr) && open;
    }
    return open;
  }
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

  OpenAiPlan plan_;
  std::shared_ptr<LateStream> stream_;
  std::vector<std::vector<engine::TokenEvent>> held_;  // tokens whose logprobs are not out
  std::vector<size_t> written_;
  std::vector<ToolCallReader> readers_;  // with tools, of each choice
  std::vector<size_t> calls_sent_;
};

void answer_whole(GeneratorCore& core, const OpenAiPlan& plan, std::vector<engine::GenerateRequest> choices,
                  const net::Responder& responder) {
  auto events = std::make_shared<std::vector<std::vector<engine::TokenEvent>>>(GeneratorCore::answers(choices));
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
  core.run(std::move(job), responder.trace());
}

void answer_stream(GeneratorCore& core, const OpenAiPlan& plan, std::vector<engine::GenerateRequest> choices,
                   const net::Responder& responder) {
  auto stream = std::make_shared<LateStream>();
  auto chunks = std::make_shared<Chunks>(plan, stream, GeneratorCore::answers(choices));
  chunks->begin();
  GeneratorCore::Job job;
  job.choices = std::move(choices);
  job.on_token = [chunks](size_t choice, const engine::TokenEvent& event) { return chunks->token(choice, event); };
  job.on_done = [chunks](size_t choice, const engine::GenerateResult& result) { chunks->done(choice, result); };
  job.on_end = [chunks](const std::vector<engine::GenerateResult>& results) { chunks->end(results); };
  core.run_stream(std::move(job), stream, responder, event_stream_head());
}

}  // namespace

void answer_openai(GeneratorCore& core, const OpenAiPlan& plan, std::vector<engine::GenerateRequest> choices,
                   const net::Responder& responder) {
  (plan.stream ? answer_stream : answer_whole)(core, plan, std::move(choices), responder);
}

}  // namespace slipway::serve
