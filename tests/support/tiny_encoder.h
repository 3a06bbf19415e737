// Tiny encoders of every family and head, whose weights are a formula (tiny_decoder.h): tests/gold/encoder_models.py
// computed hidden states and logits with transformers.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "support/tiny_bert.h"
#include "support/tiny_decoder.h"

namespace slipway::tests {

// The families that have a gold file.
inline const std::vector<std::string>& tiny_encoder_names() {
  static const std::vector<std::string> names = {
      "bert",       "roberta",         "xlm_roberta", "distilbert",  "mpnet",        "electra",          "electra_wide",
      "modernbert", "modernbert_mean", "deberta_v2",  "deberta_c2p", "deberta_conv", "deberta_conv_wide"};
  return names;
}

// tests/gold/encoder_NAME.json: texts, heads {"none", "sequence", "token", "qa", "mlm"}.
inline base::Json tiny_encoder_gold(const std::string& name) {
  const auto path = source_dir() / "tests" / "gold" / ("encoder_" + name + ".json");
  return base::parse_json(base::read_file(path), path.string());
}

// Writes config.json, model.safetensors and the tiny tokenizer of one head's model into `folder` (made when absent).
inline void write_tiny_encoder(const std::filesystem::path& folder, const base::Json& gold, const std::string& head) {
  write_tiny_decoder(folder, gold.at("heads").at(head));
  base::write_file_atomic(folder / model::kTokenizerFile, tiny_tokenizer_json());
}

// Writes a model of tests/gold/tasks.json: config.json, model.safetensors, and BERT's tokenizer as a vocab.txt.
inline void write_task_model(const std::filesystem::path& folder, const base::Json& model) {
  write_tiny_decoder(folder, model);
  std::string vocabulary;
  for (const std::string& word : tiny_vocabulary()) {
    vocabulary += word + "\n";
  }
  base::write_file_atomic(folder / model::kVocabularyFile, vocabulary);
}

}  // namespace slipway::tests
