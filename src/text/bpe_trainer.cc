#include "text/bpe_trainer.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"
#include "text/byte_level.h"
#include "text/tokenizer_json_write.h"
#include "text/unicode.h"

namespace slipway::text {

BpeTrainer::BpeTrainer(const BpeTrainerOptions& options)
    : options_(options), scanner_(ScannerKind{.pattern = WordPattern::kGpt2}), counts_(options.max_words) {
  const auto least = static_cast<int64_t>(options_.special_tokens.size()) + 256;
  if (options_.vocab_size < least) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("vocab_size {} has no room for {} special tokens and 256 bytes; give at least {}",
                                  options_.vocab_size, options_.special_tokens.size(), least));
  }
}

void BpeTrainer::add(std::string_view text) {
  std::string changed;
  if (!is_valid_utf8(text)) {
    changed = sanitize_utf8(text);
    text = changed;
  }
  size_t part_end = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = scanner_.next(text, at, part_end);
    counts_.add(text.substr(at, end - at));
    at = end;
  }
}

TrainedBpe BpeTrainer::train(base::Progress& progress) const {
  std::vector<std::string> tokens;
  for (const std::string& special : options_.special_tokens) {
    if (std::find(tokens.begin(), tokens.end(), special) == tokens.end()) {
      tokens.push_back(special);
    }
  }
  // The bytes, in the order of their characters.
  std::vector<std::pair<char32_t, unsigned>> bytes;
  for (unsigned byte = 0; byte < 256; ++byte) {
    bytes.emplace_back(byte_to_char(static_cast<unsigned char>(byte)), byte);
  }
  std::sort(bytes.begin(), bytes.end());
  std::array<int32_t, 256> byte_ids{};
  for (const auto& [character, byte] : bytes) {
    byte_ids[byte] = static_cast<int32_t>(tokens.size());
    std::string token;
    append_utf8(character, token);
    const auto known = std::find(tokens.begin(), tokens.end(), token);
    if (known == tokens.end()) {
      tokens.push_back(std::move(token));
    } else {
      byte_ids[byte] = static_cast<int32_t>(known - tokens.begin());
    }
  }
  std::vector<WordIds> words;
  words.reserve(counts_.size());
  for (const auto& [text, count] : counts_.sorted()) {
    WordIds word{{}, count};
    for (const char c : text) {
      word.ids.push_back(byte_ids[static_cast<unsigned char>(c)]);
    }
    words.push_back(std::move(word));
  }
  return learn_merges({.vocab_size = options_.vocab_size, .min_frequency = options_.min_frequency, .prefix = {}},
                      std::move(words), std::move(tokens), progress);
}

std::string trained_tokenizer_json(const TrainedBpe& trained, const BpeTrainerOptions& options) {
  using base::Json;
  const Json level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  Json merges = Json::array();
  for (const auto& [left, right] : trained.merges) {
    merges.push_back({trained.tokens[static_cast<size_t>(left)], trained.tokens[static_cast<size_t>(right)]});
  }
  return tokenizer_json_text(trained.tokens, options.special_tokens,
                             {.normalizer = nullptr,
                              .pre_tokenizer = level,
                              .post_processor = level,
                              .decoder = level,
                              .model = {{"type", "BPE"},
                                        {"dropout", nullptr},
                                        {"unk_token", nullptr},
                                        {"continuing_subword_prefix", nullptr},
                                        {"end_of_word_suffix", nullptr},
                                        {"fuse_unk", false},
                                        {"byte_fallback", false},
                                        {"ignore_merges", false},
                                        {"vocab", vocab_json(trained.tokens)},
                                        {"merges", merges}}});
}

}  // namespace slipway::text
