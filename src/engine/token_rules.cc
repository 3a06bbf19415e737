#include "engine/token_rules.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

#include "base/error.h"

namespace slipway::engine {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

void forbid(std::span<float> scores, int32_t id) { scores[static_cast<size_t>(id)] = kNever; }

void penalise_repeats(double penalty, std::span<const int32_t> text, std::span<float> scores) {
  std::vector<int32_t> said(text.begin(), text.end());
  std::sort(said.begin(), said.end());
  said.erase(std::unique(said.begin(), said.end()), said.end());
  const auto factor = static_cast<float>(penalty);
  for (const int32_t id : said) {
    float& score = scores[static_cast<size_t>(id)];
    score = score < 0 ? score * factor : score / factor;
  }
}

// Forbids what followed earlier occurrences of the last n - 1 tokens.
void forbid_repeated_ngrams(size_t n, std::span<const int32_t> text, std::span<float> scores) {
  if (text.size() + 1 < n) {
    return;
  }
  const std::span<const int32_t> last = text.last(n - 1);
  for (size_t i = 0; i + n <= text.size(); ++i) {
    if (std::equal(last.begin(), last.end(), text.begin() + static_cast<std::ptrdiff_t>(i))) {
      forbid(scores, text[i + n - 1]);
    }
  }
}

void forbid_bad_words(const std::vector<std::vector<int32_t>>& words, std::span<const int32_t> text,
                      std::span<float> scores) {
  for (const std::vector<int32_t>& word : words) {
    const size_t before = word.size() - 1;
    if (before <= text.size() &&
        std::equal(word.begin(), word.end() - 1, text.end() - static_cast<ptrdiff_t>(before))) {
      forbid(scores, word.back());
    }
  }
}

void force(std::span<float> scores, int32_t id) {
  std::fill(scores.begin(), scores.end(), kNever);
  scores[static_cast<size_t>(id)] = 0;
}

}  // namespace

void check_rules(const TokenRules& rules, int vocab_size) {
  const auto fail = [](const std::string& what) { throw base::Error(base::Code::kInvalid, what); };
  const auto check_id = [&](const char* name, int32_t id) {
    if (id < 0 || id >= vocab_size) {
      fail(fmt::format("{} has token {}; the model has tokens 0 to {}", name, id, vocab_size - 1));
    }
  };
  if (!(rules.repetition_penalty > 0 && rules.repetition_penalty <= 100)) {
    fail(fmt::format("repetition_penalty is {}; it must be above 0 and at most 100", rules.repetition_penalty));
  }
  if (rules.no_repeat_ngram_size < 0) {
    fail(fmt::format("no_repeat_ngram_size is {}; it must be at least 0", rules.no_repeat_ngram_size));
  }
  if (rules.max_length < 2 || rules.min_length < 0) {
    fail(fmt::format("max_length is {} and min_length {}: one token must fit after the first", rules.max_length,
                     rules.min_length));
  }
  if (rules.forced_bos) {
    check_id("forced_bos_token_id", *rules.forced_bos);
  }
  if (rules.forced_eos) {
    check_id("forced_eos_token_id", *rules.forced_eos);
  }
  for (const std::vector<int32_t>& word : rules.bad_words) {
    if (word.empty()) {
      fail("bad_words_ids has an empty word");
    }
    for (const int32_t id : word) {
      check_id("bad_words_ids", id);
    }
  }
  for (const int32_t id : rules.suppressed) {
    check_id("suppress_tokens", id);
  }
}

void apply_rules(const TokenRules& rules, std::span<const int32_t> text, std::span<float> scores) {
  if (rules.repetition_penalty != 1) {
    penalise_repeats(rules.repetition_penalty, text, scores);
  }
  if (rules.no_repeat_ngram_size > 0) {
    forbid_repeated_ngrams(static_cast<size_t>(rules.no_repeat_ngram_size), text, scores);
  }
  forbid_bad_words(rules.bad_words, text, scores);
  const auto length = static_cast<int>(text.size());
  if (length < rules.min_length) {
    for (const int32_t id : rules.eos_ids) {
      forbid(scores, id);
    }
  }
  if (rules.forced_bos && length == 1) {
    force(scores, *rules.forced_bos);
  }
  if (rules.forced_eos && length == rules.max_length - 1) {
    force(scores, *rules.forced_eos);
  }
  for (const int32_t id : rules.suppressed) {
    forbid(scores, id);
  }
}

}  // namespace slipway::engine
