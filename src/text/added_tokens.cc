#include "text/added_tokens.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

#include "base/error.h"
#include "text/hf_unicode.h"
#include "text/unicode.h"
#include "text/vocabulary.h"

namespace slipway::text {
namespace {

constexpr size_t kMaxAddedTokens = 100'000;

// The start of the last character before `at`; at > 0.
size_t previous_start(std::string_view text, size_t at) noexcept {
  --at;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) {
    --at;
  }
  return at;
}

bool word_before(std::string_view text, size_t at) noexcept {
  return at > 0 && hf_is_word(decode_at(text, previous_start(text, at)).code);
}

bool word_after(std::string_view text, size_t at) noexcept {
  return at < text.size() && hf_is_word(decode_at(text, at).code);
}

}  // namespace

std::vector<AddedToken> parse_added_tokens(const base::Json& json, const std::string& source) {
  std::vector<AddedToken> tokens;
  if (json.is_null()) {
    return tokens;
  }
  if (!json.is_array() || json.size() > kMaxAddedTokens) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("{}: added_tokens is not a list of at most {} tokens", source, kMaxAddedTokens));
  }
  for (size_t i = 0; i < json.size(); ++i) {
    const std::string where = fmt::format("{}: added_tokens[{}]", source, i);
    AddedToken token;
    token.content = base::get<std::string>(json[i], "content", where);
    const auto id = base::get<int64_t>(json[i], "id", where);
    if (id < 0 || id > Vocabulary::kMaxId) {
      throw base::Error(base::Code::kInvalid,
                        fmt::format("{}: id {} is not in 0 to {}", where, id, Vocabulary::kMaxId));
    }
    if (token.content.empty()) {
      throw base::Error(base::Code::kInvalid, where + ": the content is empty");
    }
    token.id = static_cast<int32_t>(id);
    token.single_word = base::get_or(json[i], "single_word", false, where);
    token.lstrip = base::get_or(json[i], "lstrip", false, where);
    token.rstrip = base::get_or(json[i], "rstrip", false, where);
    token.special = base::get_or(json[i], "special", false, where);
    token.normalized = base::get_or(json[i], "normalized", !token.special, where);
    tokens.push_back(std::move(token));
  }
  return tokens;
}

AddedTokenMatcher::AddedTokenMatcher(std::vector<Pattern> patterns) : patterns_(std::move(patterns)) {
  std::erase_if(patterns_, [](const Pattern& p) { return p.text.empty(); });
  const auto first_byte = [](const Pattern& p) { return static_cast<unsigned char>(p.text[0]); };
  std::stable_sort(patterns_.begin(), patterns_.end(), [&](const Pattern& a, const Pattern& b) {
    return first_byte(a) != first_byte(b) ? first_byte(a) < first_byte(b) : a.text.size() > b.text.size();
  });
  for (const Pattern& pattern : patterns_) {
    ++first_of_byte_[first_byte(pattern) + 1];
  }
  for (size_t b = 1; b < first_of_byte_.size(); ++b) {
    if (first_of_byte_[b] == patterns_.size() && !patterns_.empty()) {
      only_byte_ = static_cast<int>(b) - 1;
    }
    first_of_byte_[b] += first_of_byte_[b - 1];
  }
}

size_t AddedTokenMatcher::next_candidate(std::string_view text, size_t at) const noexcept {
  if (only_byte_ >= 0) {
    const void* hit = std::memchr(text.data() + at, only_byte_, text.size() - at);
    return hit == nullptr ? text.size() : static_cast<size_t>(static_cast<const char*>(hit) - text.data());
  }
  while (at < text.size()) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (first_of_byte_[byte] != first_of_byte_[byte + 1]) {
      break;
    }
    ++at;
  }
  return at;
}

const AddedTokenMatcher::Pattern* AddedTokenMatcher::match_at(std::string_view text, size_t at) const noexcept {
  const auto byte = static_cast<unsigned char>(text[at]);
  for (uint32_t i = first_of_byte_[byte]; i < first_of_byte_[byte + 1U]; ++i) {
    if (text.compare(at, patterns_[i].text.size(), patterns_[i].text) == 0) {
      return &patterns_[i];
    }
  }
  return nullptr;
}

void AddedTokenMatcher::split(std::string_view text, std::vector<Segment>& segments) const {
  size_t done = 0;
  size_t at = 0;
  while (!patterns_.empty() && at < text.size()) {
    at = next_candidate(text, at);
    if (at >= text.size()) {
      break;
    }
    const Pattern* pattern = match_at(text, at);
    if (pattern == nullptr) {
      ++at;
      continue;
    }
    size_t begin = at;
    size_t end = at + pattern->text.size();
    at = end;
    if (pattern->token.single_word && (word_before(text, begin) || word_after(text, end))) {
      continue;
    }
    if (pattern->token.lstrip) {
      while (begin > done && hf_is_space(decode_at(text, previous_start(text, begin)).code)) {
        begin = previous_start(text, begin);
      }
    }
    if (pattern->token.rstrip) {
      while (end < text.size() && hf_is_space(decode_at(text, end).code)) {
        end += decode_at(text, end).size;
      }
    }
    begin = std::max(begin, done);
    if (done < begin) {
      segments.push_back({-1, done, begin});
    }
    if (begin < end) {
      segments.push_back({pattern->token.id, begin, end});
    }
    done = std::max(done, end);
  }
  if (done < text.size()) {
    segments.push_back({-1, done, text.size()});
  }
}

}  // namespace slipway::text
