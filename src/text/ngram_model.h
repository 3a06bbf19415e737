// N-gram language models with back-off, as ARPA files say (SRILM, KenLM, and our own trainer): log10 probabilities of words given those
// before them. N-grams are known by 64-bit hashes, 16 bytes each and a third more, as KenLM's probing tables are. Immutable: any thread.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::text {

class NgramModel {
 public:
  static constexpr int kMaxOrder = 8;
  // An ARPA file, plain or compressed (gzip, zstd). Throws Error(kNotFound | kIntegrity) naming the line: counts that are not
  // those of \data\, numbers above 0, n-grams of another length, an order above kMaxOrder.
  static std::shared_ptr<const NgramModel> open(const std::filesystem::path& file);

  int order() const noexcept { return static_cast<int>(tables_.size()); }
  uint64_t ngrams(int n) const noexcept { return tables_[static_cast<size_t>(n) - 1].count; }
  bool knows(std::string_view word) const noexcept { return word_id(word) != kUnknown; }

  struct Score {
    double log10 = 0;
    int64_t words = 0;
    int64_t unknown = 0;
  };
  // A sentence between <s> and </s>, whose probability counts: kenlm.Model.score(…, bos=True, eos=True). `words` counts </s>, too.
  Score score(std::span<const std::string_view> words) const;
  // Words at white space.
  Score score_line(std::string_view line) const;
  // log10 p(word | context), `context` being the last words, the nearest last; at most order() - 1 of them count.
  double log_probability(std::span<const std::string_view> context, std::string_view word) const;

 private:
  friend class ArpaReader;
  static constexpr uint32_t kUnknown = 0;
  struct Entry {
    uint64_t key = 0;  // 0: empty
    float probability = 0;
    float backoff = 0;
  };
  struct Table {
    std::vector<Entry> slots;  // open addressing
    uint64_t count = 0;
    const Entry* find(uint64_t key) const noexcept;
    void build(const std::vector<Entry>& entries);
  };
  // The last ids of what was read, the nearest first.
  struct History {
    std::array<uint32_t, kMaxOrder> ids{};
    int size = 0;
    void push(uint32_t id, int limit) noexcept;
  };
  NgramModel() = default;
  uint32_t word_id(std::string_view word) const noexcept;
  double log_probability(const History& history, uint32_t id) const noexcept;

  std::vector<Table> words_;  // one: key is the word's hash, its id in the bits of `probability`
  std::vector<Table> tables_;  // [order]
  uint32_t begin_ = kUnknown;
  uint32_t end_ = kUnknown;
};

}  // namespace slipway::text
