// The server of a generator: one decoder behind the protocols that clients of language models speak (OpenAI, Text
// Generation Inference, Ollama), over HTTP. The sibling of ModelServer for models that write text: it shares with it
// how requests are handled, counted and refused (handling.h), and has no versions, record or monitor. Owns its threads
// and the generator; borrows the context. start, drain and stop are for one controlling thread; the rest is for any
// thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/context.h"
#include "engine/generator.h"
#include "net/metrics.h"
#include "net/server.h"
#include "serve/access.h"

namespace slipway::serve {

struct GeneratorServerOptions {
  std::string name;         // what clients call the model; empty: the generator's own name
  int drain_ms = 25'000;    // what drain() without a deadline allows
  AccessOptions access;     // API keys
  net::ServerOptions http;  // handler_timeout_ms is how long an answer that is not streamed may take
};

class GeneratorServer {
 public:
  // Nothing listens before start().
  GeneratorServer(GeneratorServerOptions options, std::unique_ptr<engine::Generator> generator, base::Context& context);
  ~GeneratorServer();
  GeneratorServer(const GeneratorServer&) = delete;
  GeneratorServer& operator=(const GeneratorServer&) = delete;

  // Throws as net::HttpServer::start.
  void start();
  std::string url() const;
  int port() const;
  const std::string& name() const;
  net::MetricRegistry& metrics();
  // Until SIGTERM, SIGINT or the context's stop token; returns the signal, 0 for the token.
  int wait_until_signal();
  // Takes no more; returns how many requests were cut off at the deadline (0: a clean drain).
  int drain(std::chrono::milliseconds deadline = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::serve
