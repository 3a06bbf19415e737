#include "serve/body.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

namespace slipway::serve {

namespace {

constexpr size_t kMaxStops = 16;  // as engine::SamplingParams
constexpr int64_t kMaxBeams = 256;  // as engine::BeamParams

struct NumberField {
  const char* name;
  double engine::SamplingParams::*value;
  double low;
  double high;
};
constexpr std::array<NumberField, 8> kNumbers = {{
    {"temperature", &engine::SamplingParams::temperature, 0, 100},
    {"top_p", &engine::SamplingParams::top_p, 0, 1},
    {"min_p", &engine::SamplingParams::min_p, 0, 1},
    {"typical_p", &engine::SamplingParams::typical_p, 0, 1},
    {"repetition_penalty", &engine::SamplingParams::repetition_penalty, 0.01, 100},
    {"repeat_penalty", &engine::SamplingParams::repetition_penalty, 0.01, 100},
    {"frequency_penalty", &engine::SamplingParams::frequency_penalty, -2, 2},
    {"presence_penalty", &engine::SamplingParams::presence_penalty, -2, 2},
}};

}  // namespace

void reject(const std::string& param, const std::string& message) { throw StatusError(400, message, param); }

Json parse_body(const net::Request& request) {
  Json body = base::parse_json(request.body, "the body");
  if (!body.is_object()) {
    throw StatusError(400, "the body must be a JSON object");
  }
  return body;
}

const Json* Body::find(std::string_view key) const {
  const auto it = object_.find(std::string(key));
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

std::optional<double> Body::number(std::string_view key, double low, double high) const {
  const Json* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  const double number = value->is_number() ? value->get<double>() : NAN;
  if (!(number >= low && number <= high)) {
    reject(std::string(key), fmt::format("'{}' must be a number from {} to {}", key, low, high));
  }
  return number;
}

std::optional<int64_t> Body::whole(std::string_view key, int64_t low, int64_t high) const {
  const Json* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  const bool fits = value->is_number_integer() &&
                    !(value->is_number_unsigned() && value->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX));
  if (!fits || value->get<int64_t>() < low || value->get<int64_t>() > high) {
    reject(std::string(key), fmt::format("'{}' must be a whole number from {} to {}", key, low, high));
  }
  return value->get<int64_t>();
}

bool Body::flag(std::string_view key, bool fallback) const {
  const Json* value = find(key);
  if (value != nullptr && !value->is_boolean()) {
    reject(std::string(key), fmt::format("'{}' must be true or false", key));
  }
  return value == nullptr ? fallback : value->get<bool>();
}

std::optional<std::string> Body::text(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_string()) {
    reject(std::string(key), fmt::format("'{}' must be a text", key));
  }
  return value->get<std::string>();
}

std::vector<std::string> Body::texts(std::string_view key, size_t most) const {
  const Json* value = find(key);
  std::vector<std::string> out;
  if (value == nullptr) {
    return out;
  }
  const auto add = [&](const Json& one) {
    if (!one.is_string() || out.size() == most) {
      reject(std::string(key), fmt::format("'{}' must be a text or a list of at most {} texts", key, most));
    }
    out.push_back(one.get<std::string>());
  };
  if (value->is_array()) {
    for (const Json& one : *value) {
      add(one);
    }
  } else {
    add(*value);
  }
  return out;
}

void read_sampling(const Body& body, engine::SamplingParams& sampling) {
  for (const NumberField& field : kNumbers) {
    sampling.*field.value = body.number(field.name, field.low, field.high).value_or(sampling.*field.value);
  }
  sampling.top_k = static_cast<int>(body.whole("top_k", -1, 1 << 30).value_or(sampling.top_k));
  sampling.top_k = std::max(sampling.top_k, 0);  // -1 is "all" in vLLM
  if (const auto seed = body.whole("seed", INT64_MIN, INT64_MAX)) {
    sampling.seed = static_cast<uint64_t>(*seed);
  }
  if (body.has("stop")) {
    sampling.stop = body.texts("stop", kMaxStops);
    std::erase(sampling.stop, "");
  }
  sampling.ignore_eos = body.flag("ignore_eos", sampling.ignore_eos);
  sampling.min_tokens = static_cast<int>(body.whole("min_tokens", 0, 1 << 30).value_or(sampling.min_tokens));
}

void read_beams(const Body& body, engine::BeamParams& beams) {
  const auto whole = [&](const char* key, int64_t low, int64_t high, int& value) {
    value = static_cast<int>(body.whole(key, low, high).value_or(value));
  };
  whole("num_beams", 1, kMaxBeams, beams.num_beams);
  whole("num_return_sequences", 1, kMaxBeams, beams.num_return_sequences);
  whole("no_repeat_ngram_size", 0, 1 << 20, beams.no_repeat_ngram_size);
  beams.length_penalty = body.number("length_penalty", -100, 100).value_or(beams.length_penalty);
  if (const Json* stopping = body.find("early_stopping")) {
    if (!stopping->is_boolean() && *stopping != "never") {
      reject("early_stopping", "'early_stopping' must be true, false or \"never\"");
    }
    beams.early_stopping = stopping->is_boolean() ? (stopping->get<bool>() ? "true" : "false") : "never";
  }
}

}  // namespace slipway::serve
