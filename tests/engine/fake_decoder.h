// A decoder small enough to see through: its next-token logits are a hash of all tokens before, read through the pages
// of a real page table. Whoever mixes up pages, positions or rows gets other tokens.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "engine/decoder_pass.h"
#include "engine/sampler.h"
#include "text/tokenizer.h"

namespace slipway::tests {

// Token i is the letter 'a' + i; the last one is special and has no text.
class LetterTokenizer final : public text::Tokenizer {
 public:
  static constexpr int kVocab = 27;
  static constexpr int32_t kEnd = 26;
  void encode(std::string_view text, const text::EncodeOptions&, text::Encoding& out) const override {
    out.ids.clear();
    for (const char c : text) {
      out.ids.push_back(c - 'a');
    }
  }
  std::string decode(std::span<const int32_t> ids, bool) const override {
    std::string text;
    for (const int32_t id : ids) {
      if (id != kEnd) {
        text += static_cast<char>('a' + id);
      }
    }
    return text;
  }
  int vocab_size() const override { return kVocab; }
  int token_to_id(std::string_view token) const override {
    return token.size() == 1 && token[0] >= 'a' && token[0] <= 'z' ? token[0] - 'a' : -1;
  }
  std::string_view id_to_token(int) const override { return {}; }
  bool is_special(int id) const override { return id == kEnd; }
};

class FakeDecoder final : public engine::DecoderPass {
 public:
  FakeDecoder(int pages, int page_tokens)
      : page_tokens_(page_tokens), slots_(static_cast<size_t>(pages * page_tokens), -1) {}

  static std::vector<float> logits_after(std::span<const int32_t> ids) {
    uint64_t hash = 14695981039346656037ULL;
    for (const int32_t id : ids) {
      hash = (hash ^ static_cast<uint32_t>(id)) * 1099511628211ULL;
    }
    base::Rng rng(hash);
    std::vector<float> logits(LetterTokenizer::kVocab);
    for (float& logit : logits) {
      logit = static_cast<float>(3 * rng.normal());
    }
    return logits;
  }

  // b after a, ..., a after z.
  static std::vector<float> alphabet_after(int32_t id) {
    std::vector<float> logits(LetterTokenizer::kVocab);
    logits[static_cast<size_t>((id + 1) % 26)] = 4;
    return logits;
  }

  // What a request alone gives.
  static std::vector<int32_t> expected(const engine::GenerateRequest& request, uint64_t seed,
                                       const std::vector<int32_t>& ends, int context) {
    std::vector<int32_t> ids = request.ids;
    std::vector<int32_t> out;
    engine::Sampler sampler(request.sampling, request.ids, ends, seed);
    std::vector<engine::Candidate> scratch;
    while (static_cast<int>(out.size()) < request.max_tokens && static_cast<int>(ids.size()) < context) {
      std::vector<float> logits = logits_after(ids);
      ids.push_back(sampler.sample(logits, scratch).id);
      out.push_back(ids.back());
      if (std::find(ends.begin(), ends.end(), ids.back()) != ends.end()) {
        break;
      }
    }
    return out;
  }

  void forward(std::span<const engine::PassRows> rows, std::vector<float>& logits) override {
    if (before_pass) {
      before_pass(rows);
    }
    logits.clear();
    for (const engine::PassRows& part : rows) {
      const auto slot = [&](int position) -> int32_t& {
        const auto page = static_cast<size_t>(part.pages[static_cast<size_t>(position / page_tokens_)]);
        return slots_.at(page * static_cast<size_t>(page_tokens_) + static_cast<size_t>(position % page_tokens_));
      };
      for (size_t i = 0; i < part.ids.size(); ++i) {
        slot(part.first + static_cast<int>(i)) = part.ids[i];
      }
      for (size_t i = static_cast<size_t>(part.logits_from); i < part.ids.size(); ++i) {
        std::vector<int32_t> seen;
        for (int p = 0; p <= part.first + static_cast<int>(i); ++p) {
          seen.push_back(slot(p));
        }
        const std::vector<float> row = alphabet ? alphabet_after(seen.back()) : logits_after(seen);
        logits.insert(logits.end(), row.begin(), row.end());
      }
    }
    ++passes;
  }
  void copy_page(int32_t from, int32_t to) override {
    std::copy_n(slots_.begin() + from * page_tokens_, page_tokens_, slots_.begin() + to * page_tokens_);
    ++copies;
  }
  int vocab_size() const override { return LetterTokenizer::kVocab; }

  std::function<void(std::span<const engine::PassRows>)> before_pass;  // on the scheduler's thread
  std::atomic<int> passes{0};
  std::atomic<int> copies{0};
  bool alphabet = false;

 private:
  int page_tokens_;
  std::vector<int32_t> slots_;
};

}  // namespace slipway::tests
