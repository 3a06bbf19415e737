// slipway serve: the model server in the foreground, with monitor and explanations plugged in.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <poll.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/explain_request.h"
#include "cli/model_argument.h"
#include "cli/project/config.h"
#include "cli/serving.h"
#include "cli/watch.h"
#include "serve/load.h"
#include "serve/model_server.h"

namespace slipway::cli {
namespace {

constexpr int kAnswerTimeoutMs = 600'000;  // a long answer that is not streamed; what the clients of decoders wait for
constexpr int kInputPollMs = 200;  // how late the end of serving is noticed; the end of the input wakes at once

// Sends this process SIGTERM when standard input ends; a byte on it ends the watch. Who starts a server and may die keeps
// the other end.
std::jthread watch_input() {
  return std::jthread([](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd input{STDIN_FILENO, POLLIN, 0};
      if (poll(&input, 1, kInputPollMs) <= 0) {
        continue;
      }
      char byte = 0;
      const ssize_t got = read(STDIN_FILENO, &byte, 1);
      if (got == 0) {
        kill(getpid(), SIGTERM);
      }
      if (got >= 0 || errno != EINTR) {
        return;
      }
    }
  });
}

// NAME=MODEL, or MODEL alone; a path that has a '=' and exists is one.
serve::ModelSource source_of(const std::string& argument) {
  const size_t equals = argument.find('=');
  const std::string name = argument.substr(0, equals);
  if (equals == std::string::npos || name.find_first_of("/:@") != std::string::npos || std::filesystem::exists(argument)) {
    return {"", argument};
  }
  if (name.empty() || equals + 1 == argument.size()) {
    throw base::Error(base::Code::kInvalid, fmt::format("'{}' is not NAME=MODEL", argument));
  }
  return {name, argument.substr(equals + 1)};
}

class ServeCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"serve", "serve models over HTTP until SIGTERM, which drains",
            "A classifier or encoder: POST /v1/classify, /v1/explain, /v1/embeddings; Open Inference Protocol under /v2, and\n"
            "over gRPC with --grpc-port; TEI /predict, /embed. A decoder (folder or .gguf): OpenAI /v1/chat/completions, /v1/completions; TGI /generate; Ollama\n"
            "/api/chat, /api/generate. An encoder-decoder (T5, BART, Marian, M2M100): POST / as Hugging Face's pipelines. All:\n"
            "GET /health, /metrics. A reference\n"
            "with an alias is followed: moving the alias swaps the version without dropping a request. Of several models,\n"
            "of any kind, a request chooses one by `model`, its path or the header X-Model; they are loaded and unloaded while\n"
            "the server runs: POST /v2/repository/models/NAME/load and …/unload, from this machine.\n"
            "Every answered prediction is in the record. With --project, the monitor's settings come from that file.",
            "slipway serve models:/movie-sentiment@champion chat=SmolLM2.gguf --port 8080\n"
            "curl -s localhost:8080/v1/classify -d '{\"inputs\": \"a joy to watch\"}'"};
  }
  void describe(Parameters& parameters) override {
    parameters.positionals_of("MODEL", models_,
                              "models:/NAME@ALIAS, models:/NAME/3, hf://NS/NAME, a model folder, a .gguf file, or word vectors; NAME=MODEL calls it NAME");
    parameters.flags.add("project", project_, "a slipway.yaml whose `monitor:` section to use");
    parameters.flags.add("ready_file", ready_file_, "written with pid, url and deployment once it listens");
    parameters.flags.add("until_input_ends", until_input_ends_, "drain when standard input ends before it brought a byte");
    parameters.flags.add("window", window_, "predictions in a monitor window, without --project", {50, 1e6});
    options_.describe(parameters.flags);
    options_.access.describe(parameters.flags);
    // A decoder's. Its passes keep their own size: max_batch_tokens is an encoder's.
    parameters.flags.add("context_length", options_.generator.context_length, "decoder: tokens of prompt and answer; 0: the model's",
                         {0, 1 << 24});
    parameters.flags.add("max_sequences", options_.generator.max_sequences, "decoder: answers written at once; others wait", {1, 1 << 16});
    parameters.flags.add("kv_cache_mb", options_.generator.kv_cache_mb, "decoder: memory for keys and values", {1, 1 << 24});
    parameters.flags.add("kv_type", options_.generator.kv_type, "decoder: element type of keys and values", {"f16", "f32", "int8"});
    parameters.flags.add("task", options_.task, "encoder-decoder: summarization, translation or text2text-generation; default: the model's");
    parameters.flags.add("lora", options_.generator.lora,
                         "decoder: NAME=FOLDER of a LoRA adapter that requests may name; of several models MODEL:NAME=FOLDER; repeated or separated by commas");
    parameters.flags.add("packed_cache", options_.generator.packed_cache,
                         "decoder: keep packed weights on disk, so that the next start is faster");
    parameters.flags.add("prefix_cache", options_.generator.prefix_cache, "decoder: reuse what prompts that begin alike have computed");
  }
  int run(App& app) override {
    base::Context context = app.context();
    std::vector<serve::ModelSource> sources;
    bool reference = false;
    for (const std::string& argument : models_) {
      sources.push_back(source_of(argument));
      reference = reference || sources.back().reference.starts_with("models:");
    }
    if (sources.size() == 1 && !options_.endpoint.empty()) {
      sources.front().name = options_.endpoint;
    } else if (sources.size() > 1 && !(options_.endpoint.empty() && options_.canary.empty())) {
      throw base::Error(base::Code::kInvalid,
                        "--endpoint and --canary are of one model; of several, NAME=MODEL names each, and 'slipway deployments "
                        "canary' starts a canary");
    }
    options_.several = sources.size() > 1;
    const std::filesystem::path store_path = app.store_path();
    options_.store = store_path.string();
    options_.generator.isa = app.options().isa;
    options_.generator.cache_folder = cache_folder("packed");
    options_.hub = hub_snapshots(app);
    options_.writers_timeout_ms = kAnswerTimeoutMs;
    options_.otlp.add_environment([](const char* name) { return std::getenv(name); });  // NOLINT(concurrency-mt-unsafe)
    record::Store* store = reference || store::is_database_url(app.options().store) || std::filesystem::exists(store_path) ? &app.store() : nullptr;
    serve::ModelServer server(options_, std::move(sources),
                              serve::model_maker(options_, store, [&, store] { return hooks(store, context); }), context);
    server.start();
    check_adapters(server.cards());
    return tell_and_serve(app, server);
  }

 private:
  // Of several models an adapter says whose it is, and that model must be one that takes adapters.
  void check_adapters(const std::vector<serve::ModelCard>& cards) const {
    for (const std::string& text : options_.generator.lora) {
      const std::string model = serve::model_of_adapter(text);
      const bool known = std::any_of(cards.begin(), cards.end(), [&](const serve::ModelCard& card) {
        return card.name == model && !card.adapters.empty();
      });
      if (options_.several && !known) {
        throw base::Error(base::Code::kInvalid,
                          fmt::format("--lora '{}': of several models it is MODEL:NAME=FOLDER, with a decoder that is "
                                      "served as MODEL",
                                      text));
      }
    }
  }
  // Of one encoder: each has a monitor of its own.
  serve::ServeHooks hooks(record::Store* store, base::Context& context) const {
    serve::ServeHooks hooks;
    hooks.explain = explain_for_server;
    if (store != nullptr) {
      const auto watch = std::make_shared<Watch>(watch_options(), *store, context);
      hooks.attach = [watch](serve::EncoderModel& served) { watch->attach(served); };
      hooks.monitor = [watch](std::span<const serve::ServedPrediction> predictions) { watch->take(predictions); };
      hooks.monitor_report = [watch] { return watch->report(); };
      hooks.monitor_flush = [watch] { return watch->flush(); };
    }
    return hooks;
  }

  // Tells where it listens, waits for a signal, drains.
  int tell_and_serve(App& app, serve::ModelServer& server) {
    const std::vector<serve::ModelCard> cards = server.cards();
    base::Json ready = {{"pid", getpid()}, {"url", server.url()}, {"deployment", cards.front().deployment},
                        {"model", cards.front().display}};
    std::vector<std::string> names;
    for (const serve::ModelCard& card : cards) {
      names.push_back(cards.size() > 1 ? card.name : card.display);
    }
    if (cards.size() > 1) {
      ready["models"] = names;
    }
    if (!server.grpc_url().empty()) {
      ready["grpc"] = server.grpc_url();
    }
    say_ready(app, ready_file_, ready, fmt::format("serving {} at {}{} (pid {})\n", fmt::join(names, ", "), server.url(),
                                                   server.grpc_url().empty() ? "" : ", gRPC at " + server.grpc_url(), getpid()));
    std::jthread input;
    if (until_input_ends_) {
      input = watch_input();
    }
    return serve_until_signal(app, server);
  }

  WatchOptions watch_options() const {
    WatchOptions watch;
    watch.monitor.window = window_;
    if (!project_.empty()) {
      const ProjectConfig config = load_project(project_);
      watch.monitor.window = config.monitor.window;
      watch.monitor.tests = config.monitor.tests;
      watch.monitor.threshold = config.monitor.threshold > 0 ? fmt::format("{}", config.monitor.threshold) : "auto";
      watch.monitor.groups = config.monitor.bias_groups;
      watch.retrain = config.monitor.retrain;
      watch.project = config.project;
    }
    return watch;
  }

  serve::ServeOptions options_;
  std::vector<std::string> models_;
  std::string project_;
  std::string ready_file_;
  bool until_input_ends_ = false;
  int window_ = 1000;
};

}  // namespace

std::unique_ptr<Command> make_serve() { return std::make_unique<ServeCommand>(); }

}  // namespace slipway::cli
