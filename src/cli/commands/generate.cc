// slipway generate: text from a decoder, as it comes.
#include <chrono>
#include <fmt/format.h>
#include <future>
#include <iterator>
#include <ostream>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/model_argument.h"
#include "engine/generator.h"
#include "text/chat_template.h"

namespace slipway::cli {
namespace {

double milliseconds(std::chrono::microseconds time) { return static_cast<double>(time.count()) / 1000; }

// "ID=BIAS" of each.
std::vector<std::pair<int32_t, double>> parse_biases(const std::vector<std::string>& texts) {
  std::vector<std::pair<int32_t, double>> biases;
  for (const std::string& text : texts) {
    std::istringstream in(text);
    int32_t id = 0;
    char equals = 0;
    double bias = 0;
    if (!(in >> id >> equals >> bias) || equals != '=' || in.peek() != std::istringstream::traits_type::eof()) {
      throw base::Error(base::Code::kInvalid,
                        fmt::format("--logit-bias '{}': want TOKEN_ID=BIAS, as in 1234=-100", text));
    }
    biases.emplace_back(id, bias);
  }
  return biases;
}

class GenerateCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {
        "generate", "text from a language model, shown as it comes",
        "MODEL is a Hugging Face folder (Llama, Mistral, Qwen, GPT-2, GPT-NeoX, Phi-3, Gemma), or a .gguf file. The "
        "prompt\n"
        "is continued as it is; with --chat it is a message and the model's chat template frames it. Without --prompt "
        "it\n"
        "is read from standard input. The same --seed gives the same text. --json-schema, --json-object, --regex, "
        "--grammar or\n"
        "--choice says what the whole output must be. --num-beams above 1 searches for the likeliest text instead of "
        "drawing one;\n"
        "it is shown at the end.",
        "slipway generate SmolLM2-135M-Instruct.gguf --chat --prompt 'What is the capital of France?' --temperature 0"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("MODEL", model_, "a model folder, a .gguf file, models:/NAME@ALIAS, models:/NAME/3 or hf://NS/NAME");
    parameters.flags.add("prompt", prompt_, "the text to go on from; default: standard input");
    parameters.flags.add("chat", chat_, "the prompt is a message: use the model's chat template");
    parameters.flags.add("system", system_, "with --chat: the system message");
    parameters.flags.add("max_tokens", max_tokens_, "the longest output", {0, 1 << 30});
    sampling_.temperature = 0.8;
    sampling_.describe(parameters.flags);
    beams_.describe(parameters.flags);
    parameters.flags.add("seed", seed_, "of the random choices; -1: a new one, told with --json", {-1, 9e15});
    parameters.flags.add("json_object", json_object_, "the output is a JSON object");
    parameters.flags.add("json_schema", json_schema_, "the output is JSON that fits the JSON Schema in this file");
    parameters.flags.add("regex", regex_, "this regular expression matches the whole output");
    parameters.flags.add("grammar", grammar_, "the output follows the grammar in this file (GBNF, llama.cpp's)");
    parameters.flags.add("choice", choice_, "the output is one of these, separated by commas");
    parameters.flags.add("logit_bias", logit_bias_, "TOKEN_ID=BIAS added to a token's logit; may be repeated");
    parameters.flags.add("logprobs", sampling_.top_logprobs,
                         "with --json: log-probabilities of the tokens and of the N likeliest; -1: none", {-1, 20});
    lora_.describe(parameters.flags);
    options_.describe(parameters.flags);
  }

  int run(App& app) override {
    engine::GenerateRequest request;
    request.max_tokens = max_tokens_;
    request.sampling = sampling_;
    request.beams = beams_;
    request.sampling.logit_bias = parse_biases(logit_bias_);
    if (seed_ >= 0) {
      request.sampling.seed = static_cast<uint64_t>(seed_);
    }
    request.adapter = lora_.choose(options_);
    const auto generator = open_generator(app, locate_decoder(app, model_), options_);
    text::ConstraintCompiler compiler(generator->tokenizer());
    request.constraint = constraint(compiler);
    request.ids = prompt_ids(app, *generator);
    const engine::GenerateResult result = show(app, *generator, std::move(request));
    if (app.json()) {
      print(app, *generator, result);
    } else {
      app.out() << '\n';
    }
    if (result.error) {
      std::rethrow_exception(result.error);
    }
    if (result.finish_reason == engine::FinishReason::kCancelled) {
      throw base::Error(base::Code::kInterrupted, "the generation was interrupted");
    }
    return 0;
  }

 private:
  // What the output must be; null when no flag says so.
  std::shared_ptr<const text::Constraint> constraint(text::ConstraintCompiler& compiler) const {
    using text::ConstraintKind;
    std::vector<std::shared_ptr<const text::Constraint>> all;
    if (json_object_) {
      all.push_back(compiler.compile(ConstraintKind::kJsonObject, "", "--json-object"));
    }
    if (!json_schema_.empty()) {
      all.push_back(compiler.compile(ConstraintKind::kJsonSchema, base::read_file(json_schema_), json_schema_));
    }
    if (!regex_.empty()) {
      all.push_back(compiler.compile(ConstraintKind::kRegex, regex_, "--regex"));
    }
    if (!grammar_.empty()) {
      all.push_back(compiler.compile(ConstraintKind::kGbnf, base::read_file(grammar_), grammar_));
    }
    if (!choice_.empty()) {
      all.push_back(compiler.compile_choices(choice_, "--choice"));
    }
    if (all.size() > 1) {
      throw base::Error(base::Code::kInvalid,
                        "at most one of --json-object, --json-schema, --regex, --grammar and --choice may be given");
    }
    return all.empty() ? nullptr : all[0];
  }

  std::vector<int32_t> prompt_ids(App& app, const engine::Generator& generator) {
    std::string text = prompt_;
    if (text.empty()) {
      text.assign(std::istreambuf_iterator<char>(app.in()), {});
    }
    const engine::GeneratorInfo& info = generator.info();
    if (chat_) {
      if (info.chat_template.empty()) {
        throw base::Error(base::Code::kInvalid, fmt::format("'{}' has no chat template; leave --chat out", model_));
      }
      text::ChatRequest chat;
      if (!system_.empty()) {
        chat.messages.push_back({{"role", "system"}, {"content", system_}});
      }
      chat.messages.push_back({{"role", "user"}, {"content", text}});
      chat.extra = {{"bos_token", info.bos_token}, {"eos_token", info.eos_token}};
      text = text::ChatTemplate::parse(info.chat_template).render(chat);
    }
    text::Encoding encoding;
    generator.tokenizer().encode(text, {.add_special_tokens = !chat_}, encoding);
    if (encoding.ids.empty() && info.bos_id >= 0) {
      encoding.ids = {info.bos_id};
    }
    return encoding.ids;
  }

  // Runs the request; text goes to standard output as it comes, unless it is wanted as JSON.
  engine::GenerateResult show(App& app, engine::Generator& generator, engine::GenerateRequest request) {
    std::promise<engine::GenerateResult> promise;
    std::future<engine::GenerateResult> done = promise.get_future();
    request.on_token = [&](const engine::TokenEvent& event) {
      if (!app.json()) {
        app.out() << event.text << std::flush;
      } else if (sampling_.top_logprobs >= 0) {
        events_.push_back(event);
      }
    };
    request.on_done = [&](const engine::GenerateResult& result) {
      if (!app.json()) {
        app.out() << result.text_tail << std::flush;
        for (const engine::GenerateResult& other : result.others) {
          app.out() << '\n' << other.text << std::flush;
        }
      }
      promise.set_value(result);
    };
    const uint64_t handle = generator.submit(std::move(request));
    const std::stop_callback interrupt(app.stop(), [&] { generator.cancel(handle); });
    return done.get();
  }

  static base::Json logprob_json(const engine::TokenLogprob& entry) {
    return {{"id", entry.id}, {"token", entry.token}, {"logprob", entry.logprob}};
  }

  static base::Json sequence_json(const engine::GenerateResult& result) {
    return {{"text", result.text},
            {"ids", result.ids},
            {"score", result.score},
            {"finish_reason", engine::finish_reason_name(result.finish_reason)}};
  }

  void print(App& app, const engine::Generator& generator, const engine::GenerateResult& result) const {
    base::Json out = {{"model", generator.info().name},
                      {"text", result.text},
                      {"finish_reason", engine::finish_reason_name(result.finish_reason)},
                      {"ids", result.ids},
                      {"usage",
                       {{"prompt_tokens", result.usage.prompt_tokens},
                        {"completion_tokens", result.usage.completion_tokens},
                        {"cached_tokens", result.usage.cached_tokens}}},
                      {"seed", result.seed},
                      {"first_token_ms", milliseconds(result.first_token)},
                      {"total_ms", milliseconds(result.total)}};
    const double decode = milliseconds(result.total - result.first_token) / 1000;
    if (result.ids.size() > 1 && decode > 0) {
      out["tokens_per_second"] = static_cast<double>(result.ids.size() - 1) / decode;
    }
    if (beams_.num_beams > 1) {
      out["sequences"] = base::Json::array({sequence_json(result)});
      for (const engine::GenerateResult& other : result.others) {
        out["sequences"].push_back(sequence_json(other));
      }
    }
    if (!result.stopped_by.empty()) {
      out["stopped_by"] = result.stopped_by;
    }
    if (sampling_.top_logprobs >= 0) {
      base::Json tokens = base::Json::array();
      for (const engine::TokenEvent& event : events_) {
        base::Json token = logprob_json({event.id, event.token, event.logprob});
        base::Json top = base::Json::array();
        for (const engine::TokenLogprob& entry : event.top_logprobs) {
          top.push_back(logprob_json(entry));
        }
        token["top_logprobs"] = std::move(top);
        tokens.push_back(std::move(token));
      }
      out["logprobs"] = std::move(tokens);
    }
    app.print_json(out);
  }

  std::string model_;
  LoraFlag lora_;
  std::string prompt_;
  std::string system_;
  bool chat_ = false;
  int max_tokens_ = 256;
  int64_t seed_ = -1;
  bool json_object_ = false;
  std::string json_schema_;
  std::string regex_;
  std::string grammar_;
  std::vector<std::string> choice_;
  std::vector<std::string> logit_bias_;
  engine::SamplingParams sampling_;
  engine::BeamParams beams_;
  engine::GeneratorOptions options_;
  std::vector<engine::TokenEvent> events_;  // the scheduler's thread, until the result is there
};

}  // namespace

std::unique_ptr<Command> make_generate() { return std::make_unique<GenerateCommand>(); }

}  // namespace slipway::cli
