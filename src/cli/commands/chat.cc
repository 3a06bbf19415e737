// slipway chat: a conversation with a decoder in the terminal.
#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <istream>
#include <ostream>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/model_argument.h"
#include "engine/generator.h"
#include "text/chat_template.h"

namespace slipway::cli {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(30);  // how late Ctrl-C is noticed

volatile std::sig_atomic_t g_interrupted = 0;  // NOLINT: a signal handler can reach nothing else
extern "C" void note_interrupt(int /*number*/) { g_interrupted = 1; }

// While it lives Ctrl-C sets a flag, which stops the answer; before and after, Ctrl-C ends the program as ever.
class InterruptFlag {
 public:
  InterruptFlag() {
    g_interrupted = 0;
    struct sigaction action {};
    action.sa_handler = note_interrupt;
    action.sa_flags = SA_RESTART;
    sigaction(SIGINT, &action, &before_);
  }
  ~InterruptFlag() { sigaction(SIGINT, &before_, nullptr); }
  InterruptFlag(const InterruptFlag&) = delete;
  InterruptFlag& operator=(const InterruptFlag&) = delete;
  static bool raised() noexcept { return g_interrupted != 0; }

 private:
  struct sigaction before_ {};
};

class ChatCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"chat", "talk with a language model in the terminal",
            "Each line is a message; the answer comes as it is written, and the whole conversation is the next one's context.\n"
            "Ctrl-C stops an answer, and ends the program at the prompt. /new begins anew, /again answers once more, /quit or\n"
            "the end of the input ends it.",
            "slipway chat SmolLM2-135M-Instruct.gguf --system 'Answer in one sentence.'"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("MODEL", model_, "a model folder, a .gguf file, models:/NAME@ALIAS, models:/NAME/3 or hf://NS/NAME");
    parameters.flags.add("system", system_, "the system message");
    parameters.flags.add("max_tokens", max_tokens_, "the longest answer", {1, 1 << 30});
    sampling_.temperature = 0.8;
    sampling_.top_p = 0.95;
    sampling_.describe(parameters.flags);
    parameters.flags.add("seed", seed_, "of the random choices; -1: a new one each time", {-1, 9e15});
    lora_.describe(parameters.flags);
    options_.describe(parameters.flags);
  }

  int run(App& app) override {
    adapter_ = lora_.choose(options_);
    const auto generator = open_generator(app, locate_decoder(app, model_), options_);
    if (generator->info().chat_template.empty()) {
      throw base::Error(base::Code::kInvalid,
                        fmt::format("'{}' has no chat template; `slipway generate` continues a text", model_));
    }
    const auto chat_template = text::ChatTemplate::parse(generator->info().chat_template);
    reset();
    std::string line;
    while (!app.stop().stop_requested() && prompt(app, line)) {
      if (line == "/quit" || line == "/exit") {
        break;
      }
      if (line == "/new") {
        reset();
        continue;
      }
      if (line == "/again" && !messages_.empty() && messages_.back()["role"] == "assistant") {
        messages_.erase(messages_.size() - 1);
      } else if (line.empty() || line.front() == '/') {
        app.err() << "commands: /new, /again, /quit\n";
        continue;
      } else {
        messages_.push_back({{"role", "user"}, {"content", line}});
      }
      answer(app, *generator, chat_template);
    }
    return 0;
  }

 private:
  void reset() {
    messages_ = base::Json::array();
    if (!system_.empty()) {
      messages_.push_back({{"role", "system"}, {"content", system_}});
    }
  }

  // False at the end of the input.
  static bool prompt(App& app, std::string& line) {
    app.err() << "> " << std::flush;
    return static_cast<bool>(std::getline(app.in(), line));
  }

  void answer(App& app, engine::Generator& generator, const text::ChatTemplate& chat_template) {
    text::ChatRequest chat;
    chat.messages = messages_;
    chat.extra = {{"bos_token", generator.info().bos_token}, {"eos_token", generator.info().eos_token}};
    engine::GenerateRequest request;
    text::Encoding encoding;
    try {
      generator.tokenizer().encode(chat_template.render(chat), {.add_special_tokens = false}, encoding);
      request.ids = std::move(encoding.ids);
      request.adapter = adapter_;
      request.max_tokens = max_tokens_;
      request.sampling = sampling_;
      if (seed_ >= 0) {
        request.sampling.seed = static_cast<uint64_t>(seed_);
      }
      const engine::GenerateResult result = show(app, generator, std::move(request));
      if (result.error) {
        std::rethrow_exception(result.error);
      }
      messages_.push_back({{"role", "assistant"}, {"content", result.text}});
    } catch (const base::Error& error) {  // the conversation goes on: the message may be too long, or refused
      app.err() << "slipway: " << error.what() << "\n";
      messages_.erase(messages_.size() - 1);
    }
  }

  static engine::GenerateResult show(App& app, engine::Generator& generator, engine::GenerateRequest request) {
    const InterruptFlag interrupt;
    std::promise<engine::GenerateResult> promise;
    std::future<engine::GenerateResult> done = promise.get_future();
    request.on_token = [&app](const engine::TokenEvent& event) { app.out() << event.text << std::flush; };
    request.on_done = [&](const engine::GenerateResult& result) {
      app.out() << result.text_tail << std::endl;
      promise.set_value(result);
    };
    const uint64_t handle = generator.submit(std::move(request));
    bool cancelled = false;
    while (done.wait_for(kPoll) != std::future_status::ready) {
      if (!cancelled && (InterruptFlag::raised() || app.stop().stop_requested())) {
        cancelled = true;
        generator.cancel(handle);
      }
    }
    return done.get();
  }

  std::string model_;
  std::string system_;
  int max_tokens_ = 1024;
  int64_t seed_ = -1;
  engine::SamplingParams sampling_;
  LoraFlag lora_;
  std::string adapter_;
  engine::GeneratorOptions options_;
  base::Json messages_;
};

}  // namespace

std::unique_ptr<Command> make_chat() { return std::make_unique<ChatCommand>(); }

}  // namespace slipway::cli
