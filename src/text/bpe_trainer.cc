#include "text/bpe_trainer.h"

#include <algorithm>
#include <fmt/format.h>
#include <queue>

#include "base/error.h"
#include "base/json.h"
#include "text/byte_level.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

using Pair = uint64_t;  // left id << 32 | right id: ordered as pairs are

constexpr Pair pair_of(int32_t left, int32_t right) noexcept {
  return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
}

struct Word {
  std::vector<int32_t> ids;
  int64_t count;
};

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
  Learner(const BpeTrainerOptions& options, std::vector<Word> words, std::vector<std::string> tokens)
      : options_(options), words_(std::move(words)), tokens_(std::move(tokens)) {
    for (size_t id = 0; id < tokens_.size(); ++id) {
      ids_.emplace(tokens_[id], static_cast<int32_t>(id));
    }
  }

  TrainedBpe run() {
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
    }
    return finish();
  }

 private:
  void count_pairs() {
    for (uint32_t w = 0; w < words_.size(); ++w) {
      const Word& word = words_[w];
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
    std::string merged = tokens_[static_cast<size_t>(left)] + tokens_[static_cast<size_t>(right)];
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
  void merge_in(Word& word, uint32_t w, int32_t left, int32_t right, int32_t id) {
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
  TrainedBpe finish() {
    TrainedBpe result;
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

  const BpeTrainerOptions& options_;
  std::vector<Word> words_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, int32_t> ids_;
  std::unordered_map<Pair, int64_t> counts_;
  std::unordered_map<Pair, std::vector<uint32_t>> found_;  // words where a pair is new since the queue was filled
  std::priority_queue<Candidate> queue_;
  std::vector<Pair> merges_;
};

}  // namespace

BpeTrainer::BpeTrainer(const BpeTrainerOptions& options)
    : options_(options), scanner_(ScannerKind{.pattern = WordPattern::kGpt2}) {
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
    ++counts_[std::string(text.substr(at, end - at))];
    at = end;
  }
}

TrainedBpe BpeTrainer::train() const {
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
  std::vector<Word> words;
  words.reserve(counts_.size());
  for (const auto& [text, count] : counts_) {
    Word word{{}, count};
    for (const char c : text) {
      word.ids.push_back(byte_ids[static_cast<unsigned char>(c)]);
    }
    words.push_back(std::move(word));
  }
  return Learner(options_, std::move(words), std::move(tokens)).run();
}

std::string trained_tokenizer_json(const TrainedBpe& trained, const BpeTrainerOptions& options) {
  using base::Json;
  const Json level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  Json added = Json::array();
  for (size_t id = 0; id < options.special_tokens.size() && id < trained.tokens.size(); ++id) {
    added.push_back({{"id", id},
                     {"content", trained.tokens[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  Json vocab = Json::object();
  auto& members = vocab.get_ref<Json::object_t&>();  // without a search for each key
  for (size_t id = 0; id < trained.tokens.size(); ++id) {
    members.push_back({trained.tokens[id], id});
  }
  Json merges = Json::array();
  for (const auto& [left, right] : trained.merges) {
    merges.push_back({trained.tokens[static_cast<size_t>(left)], trained.tokens[static_cast<size_t>(right)]});
  }
  const Json json = {{"version", "1.0"},
                     {"truncation", nullptr},
                     {"padding", nullptr},
                     {"added_tokens", added},
                     {"normalizer", nullptr},
                     {"pre_tokenizer", level},
                     {"post_processor", level},
                     {"decoder", level},
                     {"model",
                      {{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", nullptr},
                       {"continuing_subword_prefix", nullptr},
                       {"end_of_word_suffix", nullptr},
                       {"fuse_unk", false},
                       {"byte_fallback", false},
                       {"ignore_merges", false},
                       {"vocab", vocab},
                       {"merges", merges}}}};
  return base::dump_json_pretty(json);
}

}  // namespace slipway::text
