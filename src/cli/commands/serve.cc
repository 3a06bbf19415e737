// slipway serve: the model server in the foreground, with monitor and explanations plugged in.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ostream>
#include <poll.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/explain_request.h"
#include "cli/project/config.h"
#include "cli/watch.h"
#include "model/decoder_files.h"
#include "model/seq2seq_files.h"
#include "serve/generator_server.h"
#include "serve/model_server.h"
#include "serve/seq2seq_server.h"

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

class ServeCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"serve", "serve a model over HTTP until SIGTERM, which drains",
            "A classifier or encoder: POST /v1/classify, /v1/explain, /v1/embeddings; Open Inference Protocol under /v2; TEI\n"
            "/predict, /embed. A decoder (folder or .gguf): OpenAI /v1/chat/completions, /v1/completions; TGI /generate; Ollama\n"
            "/api/chat, /api/generate. An encoder-decoder (T5, BART, Marian, M2M100): POST / as Hugging Face's pipelines. All:\n"
            "GET /health, /metrics. A reference\n"
            "with an alias is followed: moving the alias swaps the version without dropping a request.\n"
            "Every answered prediction is in the record. With --project, the monitor's settings come from that file.",
            "slipway serve models:/movie-sentiment@champion --port 8080\n"
            "curl -s localhost:8080/v1/classify -d '{\"inputs\": \"a joy to watch\"}'"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("MODEL", options_.model, "models:/NAME@ALIAS, models:/NAME/3, a model folder, or a .gguf file");
    parameters.flags.add("project", project_, "a slipway.yaml whose `monitor:` section to use");
    parameters.flags.add("ready_file", ready_file_, "written with pid, url and deployment once it listens");
    parameters.flags.add("until_input_ends", until_input_ends_, "drain when standard input ends before it brought a byte");
    parameters.flags.add("window", window_, "predictions in a monitor window, without --project", {50, 1e6});
    options_.describe(parameters.flags);
    options_.access.describe(parameters.flags);
    // A decoder's. Its passes keep their own size: max_batch_tokens is an encoder's.
    parameters.flags.add("context_length", generator_.context_length, "decoder: tokens of prompt and answer; 0: the model's",
                         {0, 1 << 24});
    parameters.flags.add("max_sequences", generator_.max_sequences, "decoder: answers written at once; others wait", {1, 1 << 16});
    parameters.flags.add("kv_cache_mb", generator_.kv_cache_mb, "decoder: memory for keys and values", {1, 1 << 24});
    parameters.flags.add("kv_type", generator_.kv_type, "decoder: element type of keys and values", {"f16", "f32"});
    parameters.flags.add("task", task_, "encoder-decoder: summarization, translation or text2text-generation; default: the model's");
    parameters.flags.add("prefix_cache", generator_.prefix_cache, "decoder: reuse what prompts that begin alike have computed");
  }
  int run(App& app) override {
    base::Context context = app.context();
    const bool reference = options_.model.starts_with("models:");
    if (!reference && model::is_decoder_path(options_.model)) {
      return run_generator(app, context);
    }
    if (!reference && model::is_seq2seq_path(options_.model)) {
      return run_seq2seq(app, context);
    }
    const std::filesystem::path store_path = app.store_path();
    options_.store = store_path.string();
    record::Store* store = reference || std::filesystem::exists(store_path) ? &app.store() : nullptr;
    serve::ServeHooks hooks;
    hooks.explain = explain_for_server;
    std::unique_ptr<Watch> watch;
    if (store != nullptr) {
      watch = std::make_unique<Watch>(watch_options(), *store, context);
      hooks.monitor = [&](std::span<const serve::ServedPrediction> predictions) { watch->take(predictions); };
      hooks.monitor_report = [&] { return watch->report(); };
      hooks.monitor_flush = [&] { return watch->flush(); };
    }
    serve::ModelServer server(options_, store, context, std::move(hooks));
    server.start();
    if (watch) {
      watch->attach(server);
    }
    return serve_until_signal(app, server, server.serving(), server.deployment_id());
  }

 private:
  // A decoder: it writes text, so there is nothing to classify, log as a prediction or monitor.
  int run_generator(App& app, base::Context& context) {
    generator_.max_queue = options_.max_queue;
    generator_.isa = app.options().isa;
    serve::GeneratorServerOptions options;
    options.name = options_.endpoint;
    options.drain_ms = options_.drain_ms;
    options.access = options_.access;
    options.http = options_.http;
    options.http.handler_timeout_ms = std::max(options.http.handler_timeout_ms, kAnswerTimeoutMs);
    serve::GeneratorServer server(options, engine::load_generator(options_.model, generator_, app.pool()), context);
    server.start();
    return serve_until_signal(app, server, server.name(), "");
  }

  // An encoder-decoder: texts from texts.
  int run_seq2seq(App& app, base::Context& context) {
    engine::Seq2SeqOptions model;
    model.max_queue = options_.max_queue;
    model.max_sequences = generator_.max_sequences;
    model.context_length = generator_.context_length;
    model.kv_cache_mb = generator_.kv_cache_mb;
    model.isa = app.options().isa;
    serve::Seq2SeqServerOptions options;
    options.name = options_.endpoint;
    options.task = task_;
    options.access = options_.access;
    options.drain_ms = options_.drain_ms;
    options.http = options_.http;
    options.http.handler_timeout_ms = std::max(options.http.handler_timeout_ms, kAnswerTimeoutMs);
    serve::Seq2SeqServer server(options, engine::load_seq2seq(options_.model, model, app.pool()), context);
    server.start();
    return serve_until_signal(app, server, server.name(), "");
  }

  // Tells where it listens, waits for a signal, drains.
  template <class Server>
  int serve_until_signal(App& app, Server& server, const std::string& model, const std::string& deployment) {
    const base::Json ready = {{"pid", getpid()}, {"url", server.url()}, {"deployment", deployment}, {"model", model}};
    if (!ready_file_.empty()) {
      base::write_file_atomic(ready_file_, base::dump_json(ready) + "\n");
    }
    if (app.json()) {
      app.print_json(ready);
    } else {
      app.out() << fmt::format("serving {} at {} (pid {})\n", model, server.url(), getpid()) << std::flush;
    }
    std::jthread input;
    if (until_input_ends_) {
      input = watch_input();
    }
    server.wait_until_signal();
    const int cut = server.drain();
    if (cut > 0) {
      app.log().warning("requests were cut off at the drain's deadline", {{"requests", cut}});
    }
    return 0;
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
  engine::GeneratorOptions generator_;  // for a decoder
  std::string project_;
  std::string ready_file_;
  std::string task_;  // of an encoder-decoder
  bool until_input_ends_ = false;
  int window_ = 1000;
};

}  // namespace

std::unique_ptr<Command> make_serve() { return std::make_unique<ServeCommand>(); }

}  // namespace slipway::cli
