// The routes of Text Generation Inference: /generate, /generate_stream, and / with "stream", as its clients call them.
#include <fmt/format.h>

#include "serve/constraints.h"
#include "serve/generator_core.h"

namespace slipway::serve {

namespace {

const char* error_type(int status) {
  switch (status) {
    case 422: return "validation";
    case 429: return "overloaded";
    default: return "generation";
  }
}

// Their codes: 422 for what is wrong in a request, 424 for the model.
net::Response tgi_error(int status, const std::string& message) {
  const int theirs = status == 400 ? 422 : status >= 500 && status != 503 ? 424 : status;
  net::Response response = plain_error(theirs, message);
  response.body = base::dump_json(Json{{"error", message}, {"error_type", error_type(theirs)}});
  return response;
}

Json token_of(const GeneratorCore& core, const engine::TokenEvent& event) {
  return {{"id", event.id},
          {"text", event.token},
          {"logprob", event.logprob},
          {"special", core.generator->tokenizer().is_special(event.id)}};
}

const char* reason_of(const engine::GenerateResult& result) {
  return result.finish_reason == engine::FinishReason::kLength ? "length"
         : result.stopped_by.empty()                           ? "eos_token"
                                                               : "stop_sequence";
}

Json details_of(const engine::GenerateResult& result) {
  return {{"finish_reason", reason_of(result)},
          {"generated_tokens", result.usage.completion_tokens},
          {"seed", result.seed},
          {"input_length", result.usage.prompt_tokens}};
}

struct Plan {
  bool details = false;
  std::string before;  // with return_full_text: the prompt
  engine::GenerateRequest request;
};

Plan read_plan(GeneratorCore& core, const Json& json) {
  const Body body(json);
  const auto inputs = body.text("inputs");
  if (!inputs) {
    reject("inputs", "'inputs' must be a text");
  }
  const Json none = Json::object();
  const Json* parameters = body.find("parameters");
  if (parameters != nullptr && !parameters->is_object()) {
    reject("parameters", "'parameters' must be an object");
  }
  const Body options(parameters != nullptr ? *parameters : none);
  if (options.whole("best_of", 1, 128).value_or(1) != 1 || options.flag("watermark", false)) {
    reject("parameters", "'best_of' above 1 and 'watermark' are not supported");
  }
  Plan plan;
  if (const auto adapter = options.text("adapter_id")) {
    if (core.find_adapter(*adapter) == nullptr) {
      reject("adapter_id", fmt::format("this server has no adapter '{}'", adapter->substr(0, 100)));
    }
    plan.request.adapter = *adapter;
  }
  engine::SamplingParams& sampling = plan.request.sampling;
  sampling.temperature = 0;
  read_sampling(options, sampling);
  // Greedy unless something asks for chance, as theirs.
  const bool sampled = options.flag("do_sample", false) || options.has("temperature") || options.has("top_k") ||
                       options.has("top_p") || options.has("typical_p");
  if (sampled && !options.has("temperature")) {
    sampling.temperature = 1;
  }
  plan.details = options.flag("details", false);
  sampling.top_logprobs = static_cast<int>(options.whole("top_n_tokens", 0, 20).value_or(0));
  plan.before = options.flag("return_full_text", false) ? *inputs : "";
  read_beams(options, plan.request.beams);
  if (plan.request.beams.num_beams > 1 && sampled) {
    reject("num_beams", "'num_beams' above 1 searches, and 'do_sample', 'temperature' or a limit draws: leave one out");
  }
  plan.request.constraint = tgi_constraint(core.constraints, options);
  plan.request.ids = core.encode(*inputs);
  if (plan.request.ids.empty()) {
    reject("inputs", "'inputs' is empty");
  }
  constexpr int64_t kDefault = 100;  // theirs
  plan.request.max_tokens =
      core.max_tokens(plan.request.ids.size(), options.whole("max_new_tokens", 1, 1 << 30).value_or(kDefault));
  return plan;
}

void answer_whole(GeneratorCore& core, Plan plan, const net::Responder& responder) {
  auto tokens = std::make_shared<Json>(Json::array());
  GeneratorCore::Job job;
  job.choices.push_back(std::move(plan.request));
  if (plan.details) {
    job.on_token = [&core, tokens](size_t, const engine::TokenEvent& event) {
      tokens->push_back(token_of(core, event));
      return true;
    };
  }
  job.on_end = [details = plan.details, before = plan.before, tokens,
                responder](const std::vector<engine::GenerateResult>& results) {
    const engine::GenerateResult& result = results[0];
    if (const auto failure = GeneratorCore::failure_of(result)) {
      responder.send(tgi_error(failure->first, failure->second));
      return;
    }
    Json answers = Json::array();
    for (const engine::GenerateResult& one : results) {
      Json answer = {{"generated_text", before + one.text}};
      if (details) {
        answer["details"] = details_of(one);
        answer["details"]["prefill"] = Json::array();
        answer["details"]["tokens"] = *tokens;
      }
      answers.push_back(std::move(answer));
    }
    // Several sequences are a list, as of transformers' pipelines.
    responder.send(net::json_response(answers.size() == 1 ? answers[0] : answers));
  };
  core.run(std::move(job), responder.trace());
}

// The last token carries the whole text, so each one waits for the next to come.
void answer_stream(GeneratorCore& core, Plan plan, const net::Responder& responder) {
  auto stream = std::make_shared<LateStream>();
  auto held = std::make_shared<Json>();
  GeneratorCore::Job job;
  job.choices.push_back(std::move(plan.request));
  job.on_token = [&core, stream, held](size_t, const engine::TokenEvent& event) {
    const bool open = held->is_null() || stream->event(*held);
    *held = {{"index", event.index + 1},
             {"token", token_of(core, event)},
             {"generated_text", nullptr},
             {"details", nullptr}};
    (*held)["token"]["text"] = event.end ? event.token : event.text;
    return open;
  };
  job.on_end = [stream, held, before = plan.before](const std::vector<engine::GenerateResult>& results) {
    const engine::GenerateResult& result = results[0];
    if (const auto failure = GeneratorCore::failure_of(result)) {
      stream->event(Json{{"error", failure->second}, {"error_type", error_type(failure->first)}});
    } else if (!held->is_null()) {
      (*held)["token"]["text"] = (*held)["token"]["text"].get<std::string>() + result.text_tail;
      (*held)["generated_text"] = before + result.text;
      (*held)["details"] = details_of(result);
      stream->event(*held);
    }
    stream->finish();
  };
  core.run_stream(std::move(job), stream, responder, event_stream_head());
}

}  // namespace

void add_tgi_routes(net::Router& router, GeneratorCore& core) {
  const auto add = [&](const char* path, bool stream) {
    router.add("POST", path,
               on_worker(
                   core.workers, core.context.log,
                   [&core, stream](const net::Request& request, const net::Responder& responder) {
                     const Json body = parse_body(request);
                     if (const std::string_view name = request.param("name"); !name.empty() && !core.is_called(name)) {
                       throw StatusError(404, fmt::format("model '{}' is not served here", name.substr(0, 100)));
                     }
                     const bool any = request.route == "/" || request.route == "/models/{name}";
                     const bool streamed = stream || (any && Body(body).flag("stream", false));
                     Plan plan = read_plan(core, body);
                     for (const std::string_view name : {request.param("name"), request.headers.get("X-Model")}) {
                       if (core.find_adapter(name) != nullptr && plan.request.adapter.empty()) {
                         plan.request.adapter = name;
                       }
                     }
                     if (streamed && plan.request.beams.num_beams > 1) {
                       reject("num_beams", "beam search cannot be streamed: the best text is known at the end");
                     }
                     if (plan.details && plan.request.beams.num_beams > 1) {
                       reject("details", "beam search tells no details of tokens");
                     }
                     plan.request.client = responder.client();
                     (streamed ? answer_stream : answer_whole)(core, std::move(plan), responder);
                   },
                   tgi_error));
  };
  add("/generate", false);
  add("/generate_stream", true);
  add("/", false);
  add("/models/{name}", false);
  router.add("GET", "/info", [&core](const net::Request&, const net::Responder& responder) {
    const engine::GeneratorInfo& info = core.generator->info();
    responder.send(net::json_response({{"model_id", core.name},
                                       {"model_dtype", info.weight_type},
                                       {"model_device_type", "cpu"},
                                       {"max_total_tokens", info.context_length},
                                       {"max_input_tokens", info.context_length - 1},
                                       {"architecture", info.architecture},
                                       {"parameters", info.parameters},
                                       {"kv_tokens", info.kv_tokens},
                                       {"version", SLIPWAY_VERSION}}));
  });
}

}  // namespace slipway::serve
