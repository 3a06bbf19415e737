// A decoder as a server holds it: one generator behind the protocols that clients of language models speak (OpenAI,
// Text Generation Inference, Ollama). It is loaded again, beside the old one, when its alias moves.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "serve/generator_core.h"
#include "serve/served_model.h"
#include "serve/source.h"

namespace slipway::serve {

// Where a model that is loaded whole came from, and whether it must be loaded again; empty: it never must.
struct Origin {
  std::string display;  // "movie-titles/3"
  std::string version_text = "1";
  std::function<bool()> moved = {};
};

class DecoderModel final : public ServedModel {
 public:
  // `name`: what clients call it; empty: the generator's own.
  DecoderModel(const std::string& name, std::unique_ptr<engine::Generator> generator, const Host& host,
               Origin origin = {});
  ~DecoderModel() override;

  ModelCard card() const override;
  bool answers_to(std::string_view name) const override { return core_.is_called(name); }
  const net::Router& routes() const override { return router_; }
  const net::MetricRegistry& metrics() const override { return core_.metrics; }
  bool follow() override { return origin_.moved && origin_.moved(); }
  void stop(int cut_off) override;

 private:
  GeneratorCore core_;
  const Origin origin_;
  net::Router router_;
};

}  // namespace slipway::serve
