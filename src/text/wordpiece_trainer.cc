#include "text/wordpiece_trainer.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "text/merge_learner.h"
#include "text/tokenizer_json_write.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

constexpr const char* kUnknown = "[UNK]";

std::string utf8(char32_t c) {
  std::string out;
  append_utf8(c, out);
  return out;
}

// The tokens that merging begins with, and their ids.
class Alphabet {
 public:
  explicit Alphabet(const WordPieceTrainerOptions& options) : options_(options) {
    for (const std::string& special : options.special_tokens) {
      add(special);
    }
  }
  int32_t add(const std::string& token) {
    const auto [known, fresh] = ids_.emplace(token, static_cast<int32_t>(tokens_.size()));
    if (fresh) {
      tokens_.push_back(token);
    }
    return known->second;
  }
  // The characters by code point, then those seen within words with the prefix. Others, where the alphabet is limited,
  // are left out of words.
  void add_characters(const std::vector<CountedWord>& words);
  std::vector<int32_t> ids_of(std::string_view word) const;
  std::vector<std::string> take() { return std::move(tokens_); }

 private:
  const WordPieceTrainerOptions& options_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, int32_t> ids_;
  std::unordered_map<char32_t, int32_t> first_;   // of a character that begins a word
  std::unordered_map<char32_t, int32_t> within_;  // of one that does not
};

void Alphabet::add_characters(const std::vector<CountedWord>& words) {
  std::unordered_map<char32_t, int64_t> counts;
  std::set<char32_t> inner;
  for (const auto& [word, count] : words) {
    for (size_t at = 0; at < word.size();) {
      const Decoded c = decode_at(word, at);
      counts[c.code] += count;
      if (at > 0) {
        inner.insert(c.code);
      }
      at += c.size;
    }
  }
  std::vector<std::pair<char32_t, int64_t>> kept(counts.begin(), counts.end());
  std::sort(kept.begin(), kept.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (options_.limit_alphabet > 0) {
    kept.resize(std::min(kept.size(), static_cast<size_t>(options_.limit_alphabet)));
  }
  std::sort(kept.begin(), kept.end());
  for (const auto& [c, count] : kept) {
    add(utf8(c));
  }
  for (const auto& [c, count] : counts) {  // special tokens of one character count too
    if (const auto known = ids_.find(utf8(c)); known != ids_.end()) {
      first_.emplace(c, known->second);
    }
  }
  for (const char32_t c : inner) {
    if (first_.contains(c)) {
      within_.emplace(c, add(options_.prefix + utf8(c)));
    }
  }
}

std::vector<int32_t> Alphabet::ids_of(std::string_view word) const {
  std::vector<int32_t> ids;
  for (size_t at = 0; at < word.size();) {
    const Decoded c = decode_at(word, at);
    const auto& known = at == 0 ? first_ : within_;
    if (const auto found = known.find(c.code); found != known.end()) {
      ids.push_back(found->second);
    }
    at += c.size;
  }
  return ids;
}

}  // namespace

WordPieceTrainer::WordPieceTrainer(const WordPieceTrainerOptions& options)
    : options_(options),
      texts_(make_bert_normalizer(options.normalizer), make_bert_pre_tokenizer(), options.max_words) {
  const auto& specials = options_.special_tokens;
  if (std::find(specials.begin(), specials.end(), kUnknown) == specials.end()) {
    throw base::Error(base::Code::kInvalid, fmt::format("WordPiece needs {} among its special tokens", kUnknown));
  }
  if (static_cast<size_t>(options_.vocab_size) < specials.size()) {
    throw base::Error(base::Code::kInvalid, fmt::format("vocab_size {} has no room for {} special tokens",
                                                        options_.vocab_size, specials.size()));
  }
}

TrainedWordPiece WordPieceTrainer::train(base::Progress& progress) const {
  const WordCounts counts = texts_.words();
  const std::vector<CountedWord> counted = counts.sorted();
  Alphabet alphabet(options_);
  alphabet.add_characters(counted);
  std::vector<WordIds> words;
  words.reserve(counted.size());
  for (const auto& [word, count] : counted) {
    words.push_back({alphabet.ids_of(word), count});
  }
  LearntMerges learnt = learn_merges(
      {.vocab_size = options_.vocab_size, .min_frequency = options_.min_frequency, .prefix = options_.prefix},
      std::move(words), alphabet.take(), progress);
  return {std::move(learnt.tokens), static_cast<int64_t>(counts.size()), texts_.forgotten() + counts.forgotten()};
}

std::string trained_tokenizer_json(const TrainedWordPiece& trained, const WordPieceTrainerOptions& options) {
  using base::Json;
  const auto special = [&](const char* token) -> Json {
    const auto& all = options.special_tokens;
    if (std::find(all.begin(), all.end(), token) == all.end()) {
      return nullptr;
    }
    return {token, std::find(trained.tokens.begin(), trained.tokens.end(), token) - trained.tokens.begin()};
  };
  const Json cls = special("[CLS]");
  const Json sep = special("[SEP]");
  Json post_processor;
  if (!cls.is_null() && !sep.is_null()) {
    post_processor = {{"type", "BertProcessing"}, {"sep", sep}, {"cls", cls}};
  }
  const BertNormalizerOptions& normalizer = options.normalizer;
  return tokenizer_json_text(trained.tokens, options.special_tokens,
                             {.normalizer = {{"type", "BertNormalizer"},
                                             {"clean_text", normalizer.clean_text},
                                             {"handle_chinese_chars", normalizer.handle_chinese_chars},
                                             {"strip_accents", normalizer.strip_accents},
                                             {"lowercase", normalizer.lowercase}},
                              .pre_tokenizer = {{"type", "BertPreTokenizer"}},
                              .post_processor = post_processor,
                              .decoder = {{"type", "WordPiece"}, {"prefix", options.prefix}, {"cleanup", true}},
                              .model = {{"type", "WordPiece"},
                                        {"unk_token", kUnknown},
                                        {"continuing_subword_prefix", options.prefix},
                                        {"max_input_chars_per_word", 100},
                                        {"vocab", vocab_json(trained.tokens)}}});
}

}  // namespace slipway::text
