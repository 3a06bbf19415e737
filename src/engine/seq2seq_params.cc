#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "engine/seq2seq.h"

namespace slipway::engine {
namespace {

using base::Json;

constexpr size_t kMaxWords = 100'000;

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw base::Error(base::Code::kInvalid, fmt::format("{}: {}", where, what));
}

int32_t id_of(const Json& value, const char* key, const std::string& where) {
  if (!value.is_number_integer() || value.get<int64_t>() < 0 || value.get<int64_t>() > INT32_MAX) {
    fail(where, fmt::format("'{}' must be a token's id", key));
  }
  return static_cast<int32_t>(value.get<int64_t>());
}

std::vector<int32_t> ids_of(const Json& value, const char* key, const std::string& where) {
  if (!value.is_array() || value.size() > kMaxWords) {
    fail(where, fmt::format("'{}' must be a list of at most {} ids", key, kMaxWords));
  }
  std::vector<int32_t> ids;
  for (const Json& one : value) {
    ids.push_back(id_of(one, key, where));
  }
  return ids;
}

// A list of one id is an id (transformers writes either); null takes the value away.
void take_id(const Json& object, const char* key, const std::string& where, std::optional<int32_t>& value) {
  const auto it = object.find(key);
  if (it == object.end()) {
    return;
  }
  if (it->is_null()) {
    value.reset();
    return;
  }
  if (it->is_array() && it->size() != 1) {
    fail(where, fmt::format("'{}' must be one token's id", key));
  }
  value = id_of(it->is_array() ? it->at(0) : *it, key, where);
}

// Kinds of generation that are not done here and would give another text than the file asks for.
void refuse_other_kinds(const Json& object, const std::string& where) {
  struct Neutral {
    const char* key;
    double value;
  };
  constexpr Neutral kNeutral[] = {
      {"num_beam_groups", 1}, {"diversity_penalty", 0},          {"penalty_alpha", 0},
      {"guidance_scale", 1},  {"encoder_repetition_penalty", 1}, {"encoder_no_repeat_ngram_size", 0}};
  for (const Neutral& one : kNeutral) {
    const auto it = object.find(one.key);
    if (it != object.end() && it->is_number() && it->get<double>() != one.value) {
      fail(where, fmt::format("'{}' is {}, which is not supported", one.key, base::dump_json(*it)));
    }
  }
  for (const char* key : {"force_words_ids", "constraints", "begin_suppress_tokens"}) {
    const auto it = object.find(key);
    if (it != object.end() && !it->is_null() && !it->empty()) {
      fail(where, fmt::format("'{}' is not supported", key));
    }
  }
}

}  // namespace

void Seq2SeqParams::describe(base::FieldTable& table) {
  table.add("max_length", max_length, "tokens of the output, the first included; 0: max_new_tokens counts",
            {0, 1 << 20});
  table.add("max_new_tokens", max_new_tokens, "tokens of the output; goes before max_length; both 0: 256",
            {0, 1 << 20});
  table.add("min_length", min_length, "tokens before which no text ends, the first included", {0, 1 << 20});
  table.add("min_new_tokens", min_new_tokens, "the same without the first", {0, 1 << 20});
  BeamParams::describe(table);
  table.add("repetition_penalty", repetition_penalty, "of tokens that were said; 1: off", {0.01, 100});
  table.add("do_sample", do_sample, "draw tokens instead of taking the likeliest");
  table.add("temperature", temperature, "of drawing: how far from the likeliest token", {0.0001, 100});
  table.add("top_k", top_k, "draw among the k likeliest tokens; 0: all", {0, 1 << 30});
  table.add("top_p", top_p, "draw among the likeliest tokens that reach this probability; 1: all", {0, 1});
  table.add("min_p", min_p, "draw among tokens of at least this part of the likeliest one's probability", {0, 1});
  table.add("typical_p", typical_p, "locally typical sampling up to this probability; 1: off", {0, 1});
}

void Seq2SeqParams::apply(const Json& object, const std::string& where, bool known_only) {
  if (!object.is_object()) {
    fail(where, "generation parameters must be an object");
  }
  refuse_other_kinds(object, where);
  base::FieldTable table;
  describe(table);
  Json plain = Json::object();
  for (const auto& [key, value] : object.items()) {
    const auto& fields = table.fields();
    const bool known =
        std::any_of(fields.begin(), fields.end(), [&key = key](const base::Field& f) { return f.name == key; });
    constexpr const char* kApart[] = {
        "seed",          "decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id",
        "bad_words_ids", "suppress_tokens"};
    const bool apart = std::find(std::begin(kApart), std::end(kApart), key) != std::end(kApart);
    if (apart || (value.is_null() && known) || (!known && known_only)) {
      continue;  // null: as if it were not there
    }
    plain[key] = key == "early_stopping" && value.is_boolean() ? Json(value.get<bool>() ? "true" : "false") : value;
  }
  table.apply(plain, where);
  take_id(object, "decoder_start_token_id", where, decoder_start_token_id);
  take_id(object, "forced_bos_token_id", where, forced_bos_token_id);
  take_id(object, "forced_eos_token_id", where, forced_eos_token_id);
  if (const auto it = object.find("seed"); it != object.end() && !it->is_null()) {
    if (!it->is_number_integer() || (!it->is_number_unsigned() && it->get<int64_t>() < 0)) {
      fail(where, "'seed' must be a whole number of at least 0");
    }
    seed = it->get<uint64_t>();
  }
  if (const auto it = object.find("bad_words_ids"); it != object.end() && !it->is_null()) {
    if (!it->is_array() || it->size() > kMaxWords) {
      fail(where, fmt::format("'bad_words_ids' must be a list of at most {} lists", kMaxWords));
    }
    bad_words_ids.clear();
    for (const Json& word : *it) {
      bad_words_ids.push_back(ids_of(word, "bad_words_ids", where));
    }
  }
  if (const auto it = object.find("suppress_tokens"); it != object.end() && !it->is_null()) {
    suppress_tokens = ids_of(*it, "suppress_tokens", where);
  }
}

void Seq2SeqOptions::describe(base::FieldTable& table) {
  table.add("max_batch_tokens", max_batch_tokens, "tokens of the texts encoded in one pass", {1, 1 << 20});
  table.add("max_sequences", max_sequences, "hypotheses that run at once; others wait", {1, 1 << 12});
  table.add("max_queue", max_queue, "requests that wait; more are refused", {1, 1 << 20});
  table.add("context_length", context_length, "tokens of a source, and of an output; 0: the model's, at most 4096",
            {0, 1 << 20});
  table.add("kv_cache_mb", kv_cache_mb, "memory for keys and values of hypotheses, and as much for encoded texts",
            {1, 1 << 24});
  table.add("weight_type", weight_type, "turn weights into this type as they are loaded; auto: as they are",
            {"auto", "f32", "f16", "bf16", "q8_0", "q4_0", "q4_1"});
}

}  // namespace slipway::engine
