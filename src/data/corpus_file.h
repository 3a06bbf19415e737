// Which files of a folder are of a corpus, by their names. Internal. Any thread.
#pragma once

#include <filesystem>

namespace slipway::data {

// JSON Lines, tables, web pages and their archives (also .gz, .zst); not what is hidden, nor what writers leave beside documents: Hugging Face
// datasets its descriptions, this program the state, the summary and the quarantine of a run.
bool is_corpus_file(const std::filesystem::path& path);

}  // namespace slipway::data
