// An encoder-decoder as a server holds it: translation, summaries and any other task of text to text, in the JSON of
// Hugging Face's pipelines. It is loaded again, beside the old one, when its alias moves.
#pragma once

#include <memory>
#include <string>

#include "engine/seq2seq.h"
#include "net/workers.h"
#include "serve/decoder_model.h"
#include "serve/served_model.h"

namespace slipway::serve {

struct Seq2SeqModelOptions {
  std::string name;  // what clients call the model; empty: the model's own name
  std::string task;  // of requests that name none; empty: what the model is for
};

class Seq2SeqModel final : public ServedModel {
 public:
  // Throws Error(kInvalid) for a task that is none of an encoder-decoder.
  Seq2SeqModel(Seq2SeqModelOptions options, std::unique_ptr<engine::Seq2Seq> model, const Host& host,
               Origin origin = {});
  ~Seq2SeqModel() override;

  ModelCard card() const override;
  bool answers_to(std::string_view name) const override { return name == name_; }
  const net::Router& routes() const override { return router_; }
  const net::MetricRegistry& metrics() const override { return metrics_; }
  bool follow() override { return origin_.moved && origin_.moved(); }
  void stop(int cut_off) override;

 private:
  struct Batch;
  void add_routes(base::Log& log);
  void submit(const Json& body, const net::Responder& responder);
  void done(Batch& batch, size_t i, const engine::Seq2SeqResult& result);

  const std::string name_;
  const std::string task_;
  const int64_t created_s_;
  const Origin origin_;
  net::AccessControl* const access_;
  std::unique_ptr<engine::Seq2Seq> model_;
  net::MetricRegistry metrics_;
  net::Counter& texts_;
  net::Counter& tokens_;
  net::Histogram& seconds_;
  net::Workers workers_;
  net::Router router_;
};

}  // namespace slipway::serve
