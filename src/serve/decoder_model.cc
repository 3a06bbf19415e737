#include "serve/decoder_model.h"

namespace slipway::serve {

DecoderModel::DecoderModel(const std::string& name, std::unique_ptr<engine::Generator> generator, const Host& host,
                           Origin origin)
    : core_(std::move(generator), name, host), origin_(std::move(origin)) {
  add_openai_routes(router_, core_);
  add_tgi_routes(router_, core_);
  add_ollama_routes(router_, core_);
  add_presence_routes(router_, *this);
  router_.add("GET", "/", [](const net::Request& request, const net::Responder& responder) {
    responder.send(front_page(request, true));
  });
}

DecoderModel::~DecoderModel() { stop(0); }

ModelCard DecoderModel::card() const {
  ModelCard card = core_.card();
  card.versions = {origin_.version_text};
  if (!origin_.display.empty()) {
    card.display = origin_.display;
  }
  return card;
}

void DecoderModel::stop(int /*cut_off*/) {
  core_.generator->drain(std::chrono::milliseconds(1));  // what was cut off needs no answer
}

}  // namespace slipway::serve
