// The tasks of encoder-decoders as Hugging Face's pipelines define them: what a task puts before a text, which tokens
// say the languages, what its answer is called. Between texts and JSON on one side and Seq2Seq on the other; keeps no
// state, any thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "engine/seq2seq.h"

namespace slipway::engine {

// "summarization", "translation" (or "translation_en_to_de"), "text2text-generation".
bool is_text2text_task(std::string_view task) noexcept;
// What a folder's model is for when nobody says: translation for Marian, M2M100, NLLB and mBART, summarization for
// BART, text2text-generation for T5.
std::string default_text2text_task(const Seq2SeqInfo& info);

struct Text2TextOptions {
  std::string task;         // empty: default_text2text_task
  std::string source_lang;  // of translation: "en", "eng_Latn", as the model names its languages; empty: the model's
  std::string target_lang;
  bool truncate = false;  // cut sources that are too long instead of refusing them
  Seq2SeqParams params;

  // The model's defaults, then those of the task (task_specific_params of config.json), then `parameters`: those of
  // Seq2SeqParams, also inside "generate_parameters" or "generate_kwargs"; src_lang, tgt_lang, truncation,
  // clean_up_tokenization_spaces (false alone). Error(kInvalid) naming what is unknown or wrong.
  static Text2TextOptions of(const Seq2SeqInfo& info, const std::string& task, const base::Json& parameters,
                             const std::string& where);
};

// The request of one text: ids with prefix, languages and special tokens. Throws Error(kInvalid): a language that the
// model does not have, or that must be said.
Seq2SeqRequest text2text_request(const Seq2Seq& model, std::string_view text, const Text2TextOptions& options);
// [{"summary_text": ...}], "translation_text" or "generated_text": one for each sequence. The result must be no
// failure.
base::Json text2text_answer(const std::string& task, const Seq2SeqResult& result);

}  // namespace slipway::engine
