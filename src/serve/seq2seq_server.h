// The server of an encoder-decoder: translation, summaries and any other task of text to text, in the JSON of Hugging
// Face's pipelines, over HTTP. The sibling of GeneratorServer. Owns its threads and the model; borrows the context.
// start, drain and stop are for one controlling thread; the rest is for any thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/context.h"
#include "engine/seq2seq.h"
#include "net/metrics.h"
#include "net/server.h"
#include "serve/access.h"

namespace slipway::serve {

struct Seq2SeqServerOptions {
  std::string name;         // what clients call the model; empty: the model's own name
  std::string task;         // of requests that name none; empty: what the model is for
  int drain_ms = 25'000;    // what drain() without a deadline allows
  AccessOptions access;     // API keys
  net::ServerOptions http;  // handler_timeout_ms is how long an answer may take
};

class Seq2SeqServer {
 public:
  // Nothing listens before start(). Throws Error(kInvalid) for a task that is none of an encoder-decoder.
  Seq2SeqServer(Seq2SeqServerOptions options, std::unique_ptr<engine::Seq2Seq> model, base::Context& context);
  ~Seq2SeqServer();
  Seq2SeqServer(const Seq2SeqServer&) = delete;
  Seq2SeqServer& operator=(const Seq2SeqServer&) = delete;

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
