// Typed reading of a request's JSON: each reader checks type and range, and names the field that is wrong. Borrows the
// JSON. Throws StatusError(400) with the field as its param.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "engine/generator.h"
#include "serve/handling.h"

namespace slipway::serve {

using base::Json;

[[noreturn]] void reject(const std::string& param, const std::string& message);

// The body as an object; 400 when it is not one.
Json parse_body(const net::Request& request);

class Body {
 public:
  explicit Body(const Json& object) : object_(object) {}

  // Null when absent; a JSON null counts as absent, in all readers.
  const Json* find(std::string_view key) const;
  bool has(std::string_view key) const { return find(key) != nullptr; }
  std::optional<double> number(std::string_view key, double low, double high) const;
  std::optional<int64_t> whole(std::string_view key, int64_t low, int64_t high) const;
  bool flag(std::string_view key, bool fallback) const;
  std::optional<std::string> text(std::string_view key) const;
  // A text or a list of texts.
  std::vector<std::string> texts(std::string_view key, size_t most) const;
  const Json& json() const { return object_; }

 private:
  const Json& object_;
};

// Fields that are called the same in every protocol: temperature, top_p, top_k, min_p, typical_p, repetition_penalty
// (repeat_penalty), frequency_penalty, presence_penalty, seed, stop, ignore_eos, min_tokens. What is absent stays.
void read_sampling(const Body& body, engine::SamplingParams& sampling);

// Of beam search, by transformers' names: num_beams, num_return_sequences, length_penalty, early_stopping,
// no_repeat_ngram_size. What is absent stays.
void read_beams(const Body& body, engine::BeamParams& beams);

}  // namespace slipway::serve
