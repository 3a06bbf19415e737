// Tiny encoder-decoders whose every weight is a formula of the tensor's name (tiny_decoder.h):
// tests/gold/seq2seq_models.py computed states, logits and generated texts with them.
#pragma once

#include <map>

#include "support/tiny_decoder.h"

namespace slipway::tests {

inline const std::vector<std::string>& tiny_seq2seq_names() {
  static const std::vector<std::string> names = {"t5", "mt5", "bart", "mbart", "marian", "m2m_100"};
  return names;
}

// tests/gold/seq2seq_NAME.json; its fields are in seq2seq_models.py.
inline base::Json tiny_seq2seq_gold(const std::string& name) {
  const auto path = source_dir() / "tests" / "gold" / ("seq2seq_" + name + ".json");
  return base::parse_json(base::read_file(path), path.string());
}

// tiny_seq2seq.py's tokenizer.json: the word w5 for the id 5; `special` ids have names of their own, among them </s>,
// which comes after each text; `before` is a special token before it, or empty.
inline void write_tiny_tokenizer(const std::filesystem::path& folder, int size,
                                 const std::map<int, std::string>& special, const std::string& before = {}) {
  base::Json added = base::Json::array();
  base::Json vocab = base::Json::object();
  base::Json known = base::Json::object();
  for (int id = 0; id < size; ++id) {
    const auto name = special.find(id);
    const std::string word = name != special.end() ? name->second : "w" + std::to_string(id);
    vocab[word] = id;
    if (name != special.end()) {
      added.push_back({{"id", id},
                       {"content", word},
                       {"single_word", false},
                       {"lstrip", false},
                       {"rstrip", false},
                       {"normalized", false},
                       {"special", true}});
      known[word] = {{"id", word}, {"ids", {id}}, {"tokens", {word}}};
    }
  }
  const auto token = [](const std::string& name) {
    return base::Json{{"SpecialToken", {{"id", name}, {"type_id", 0}}}};
  };
  base::Json single = base::Json::array();
  if (!before.empty()) {
    single.push_back(token(before));
  }
  single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  base::Json pair = single;
  pair.push_back({{"Sequence", {{"id", "B"}, {"type_id", 0}}}});
  single.push_back(token("</s>"));
  const base::Json json = {
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", added},
      {"normalizer", nullptr},
      {"pre_tokenizer", {{"type", "WhitespaceSplit"}}},
      {"post_processor",
       {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", known}}},
      {"decoder", nullptr},
      {"model", {{"type", "WordLevel"}, {"vocab", vocab}, {"unk_token", special.begin()->second}}}};
  base::write_file_atomic(folder / "tokenizer.json", base::dump_json(json));
}

}  // namespace slipway::tests
