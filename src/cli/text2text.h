// What `slipway predict` does with an encoder-decoder: texts in, texts out, as JSON lines.
#pragma once

#include <filesystem>
#include <string>

#include "cli/app.h"

namespace slipway::cli {

struct Text2TextRun {
  std::string task;        // empty: what the model is for
  std::string text;        // one text, or a file of JSON lines; empty: standard input
  std::string field;       // key of the text in each line
  std::string parameters;  // a JSON object, as a Hugging Face pipeline takes it; empty: the model's own
  std::string source_lang;
  std::string target_lang;
};

// True for a folder that run_text2text takes.
bool is_text2text_model(const std::filesystem::path& folder) noexcept;
// Prints {"summary_text"}, {"translation_text"} or {"generated_text"} for each text, in the order of the texts; a list
// of these where num_return_sequences is above 1. Returns the exit code.
int run_text2text(App& app, const std::filesystem::path& folder, const Text2TextRun& run);

}  // namespace slipway::cli
