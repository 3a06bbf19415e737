// A model that a ModelServer holds, of whichever kind: its routes and metrics, what lists say of it, and its end. A
// request that was given to it holds it; see models.h for how it is unloaded. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "net/access.h"
#include "net/metrics.h"
#include "net/router.h"

namespace slipway::serve {

using base::Json;

enum class ModelKind { kEncoder, kDecoder, kSeq2Seq };

// A LoRA adapter of a decoder: a model of its own in lists, with the decoder as parent.
struct AdapterCard {
  std::string name;
  int64_t bytes = 0;
};

// What lists of models say of one.
struct ModelCard {
  ModelKind kind = ModelKind::kEncoder;
  std::string name;                        // what clients call it
  std::string display;                     // "movie-sentiment/3"
  std::vector<std::string> versions = {};  // those that answer now
  int64_t created_s = 0;                   // when it was loaded
  std::string architecture = {};
  std::string weight_type = {};
  int64_t parameters = 0;  // 0: not counted
  int64_t weight_bytes = 0;
  int context_length = 0;       // of a decoder: tokens of prompt and answer
  std::string deployment = {};  // id of its record; empty: none
  std::string parent = {};      // of an adapter's own card: the decoder's name
  std::vector<AdapterCard> adapters = {};
};

// What the server lends to each of its models; it outlives them.
struct Host {
  base::Context& context;
  net::AccessControl* access;  // null: no API keys
};

class ServedModel {
 public:
  virtual ~ServedModel() = default;
  virtual ModelCard card() const = 0;
  // Also by the names that are not its card's: those of its versions.
  virtual bool answers_to(std::string_view name) const = 0;
  // Constant; its handlers borrow the model.
  virtual const net::Router& routes() const = 0;
  virtual const net::MetricRegistry& metrics() const = 0;
  // It can be reached there from now on.
  virtual void ready(const std::string& /*url*/) {}
  // Looks where the alias that it was loaded by points. True: something that must be loaded in its place. Throws what
  // the store throws.
  virtual bool follow() { return false; }
  // No request comes any more once those under way are answered.
  virtual void draining() {}
  // Finishes or cancels what is under way; `cut_off`: requests whose clients were told so. Does not throw; a
  // second call does nothing.
  virtual void stop(int cut_off) = 0;
};

// Loads what `reference` names; `name`: what clients call it, empty: its own. Blocks as long as loading takes. Throws
// Error(kNotFound | kInvalid | kIntegrity) for what cannot be served.
using MakeModel =
    std::function<std::unique_ptr<ServedModel>(const std::string& name, const std::string& reference, const Host&)>;

// One of the models of Ollama's lists.
Json ollama_tag(const ModelCard& card);
// GET /v2/models/{model} and …/ready of a model that takes no tensors. The model outlives the router.
void add_presence_routes(net::Router& router, const ServedModel& model);

}  // namespace slipway::serve
