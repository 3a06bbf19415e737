#include "text/merge_learner.h"

#include <fmt/format.h>
#include <queue>
#include <string_view>
#include <unordered_map>

namespace slipway::text {
namespace {

using Pair = uint64_t;  // left id << 32 | right id: ordered as pairs are

constexpr Pair pair_of(int32_t left, int32_t right) noexcept {
  return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
}

// A pair, its count when queued, and the words that it was in.
struct Candidate {
  Pair pair;
  int64_t count;
  std::vector<uint32_t> words;
  bool operator<(const Candidate& other) const noexcept {
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

class Learner {
 public:
  Learner(const MergeOptions& options, std::vector<WordIds> words, std::vector<std::string> tokens)
      : options_(options), words_(std::move(words)), tokens_(std::move(tokens)) {
    for (size_t id = 0; id < tokens_.size(); ++id) {
      ids_.emplace(tokens_[id], static_cast<int32_t>(id));
    }
  }

  LearntMerges run(base::Progress& progress) {
    progress.start("learn", options_.vocab_size, "tokens");
    count_pairs();
    queue_found();
    while (tokens_.size() < static_cast<size_t>(options_.vocab_size) && !queue_.empty()) {
      Candidate top = std::move(const_cast<Candidate&>(queue_.top()));  // it is popped at once
      queue_.pop();
      const int64_t count = counts_[top.pair];
      if (top.count != count) {
        top.count = count;
        queue_.push(std::move(top));
        continue;
      }
      if (count < 1 || count < options_.min_frequency) {
        break;
      }
      merge(top);
      queue_found();
      progress.update(static_cast<int64_t>(tokens_.size()), {});
    }
    progress.finish(fmt::format("{} tokens, {} merges", tokens_.size(), merges_.size()));
    return finish();
  }

 private:
  void count_pairs() {
    for (uint32_t w = 0; w < words_.size(); ++w) {
      const WordIds& word = words_[w];
      for (size_t i = 0; i + 1 < word.ids.size(); ++i) {
        change(pair_of(word.ids[i], word.ids[i + 1]), word.count, w);
      }
    }
  }
  void change(Pair pair, int64_t by, uint32_t word) {
    counts_[pair] += by;
    if (by > 0) {
      std::vector<uint32_t>& found = found_[pair];
      if (found.empty() || found.back() != word) {
        found.push_back(word);
      }
    }
  }
  void queue_found() {
    for (auto& [pair, words] : found_) {
      if (const int64_t count = counts_[pair]; count > 0) {
        queue_.push({pair, count, std::move(words)});
      }
    }
    found_.clear();
  }
  void merge(const Candidate& top) {
    const auto left = static_cast<int32_t>(top.pair >> 32);
    const auto right = static_cast<int32_t>(top.pair & UINT32_MAX);
    std::string_view tail = tokens_[static_cast<size_t>(right)];
    if (tail.starts_with(options_.prefix)) {
      tail.remove_prefix(options_.prefix.size());
    }
    std::string merged = tokens_[static_cast<size_t>(left)];
    merged += tail;
    const auto [known, fresh] = ids_.emplace(merged, static_cast<int32_t>(tokens_.size()));
    const int32_t id = known->second;
    if (fresh) {
      tokens_.push_back(std::move(merged));
    }
    merges_.push_back(top.pair);
    for (const uint32_t w : top.words) {
      merge_in(words_[w], w, left, right, id);
    }
  }
  void merge_in(WordIds& word, uint32_t w, int32_t left, int32_t right, int32_t id) {
    std::vector<int32_t>& ids = word.ids;
    size_t kept = 0;  // ids[0, kept) are done
    for (size_t i = 0; i < ids.size();) {
      if (ids[i] != left || i + 1 >= ids.size() || ids[i + 1] != right) {
        ids[kept++] = ids[i++];
        continue;
      }
      if (kept > 0) {
        change(pair_of(ids[kept - 1], left), -word.count, w);
        change(pair_of(ids[kept - 1], id), word.count, w);
      }
      i += 2;
      if (i < ids.size()) {
        change(pair_of(right, ids[i]), -word.count, w);
        change(pair_of(id, ids[i]), word.count, w);
      }
      ids[kept++] = id;
    }
    ids.resize(kept);
  }
  // A pair merged twice (its token was made by another pair too) counts where it was last.
  LearntMerges finish() {
    LearntMerges result;
    std::unordered_map<Pair, size_t> last;
    for (size_t i = 0; i < merges_.size(); ++i) {
      last[merges_[i]] = i;
    }
    for (size_t i = 0; i < merges_.size(); ++i) {
      if (last[merges_[i]] == i) {
        result.merges.emplace_back(static_cast<int32_t>(merges_[i] >> 32),
                                   static_cast<int32_t>(merges_[i] & UINT32_MAX));
      }
    }
    result.tokens = std::move(tokens_);
    return result;
  }

  const MergeOptions& options_;
  std::vector<WordIds> words_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, int32_t> ids_;
  std::unordered_map<Pair, int64_t> counts_;
  std::unordered_map<Pair, std::vector<uint32_t>> found_;  // words where a pair is new since the queue was filled
  std::priority_queue<Candidate> queue_;
  std::vector<Pair> merges_;
};

}  // namespace

LearntMerges learn_merges(const MergeOptions& options, std::vector<WordIds> words, std::vector<std::string> tokens,
                          base::Progress& progress) {
  return Learner(options, std::move(words), std::move(tokens)).run(progress);
}

}  // namespace slipway::text
