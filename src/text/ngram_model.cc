#include "text/ngram_model.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/input.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;

constexpr float kMissingUnknown = -100;  // KenLM's, for a file without <unk>

uint64_t mix(uint64_t x) noexcept {  // MurmurHash3's finalizer
  x = (x ^ (x >> 33U)) * 0xff51afd7ed558ccdULL;
  x = (x ^ (x >> 33U)) * 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33U);
}

// Of an n-gram from its last word to its first: grows to the left.
uint64_t extend(uint64_t hash, uint32_t id) noexcept {
  const uint64_t key = mix(hash * 0x9e3779b97f4a7c15ULL + id + 1);
  return key == 0 ? 1 : key;
}

uint64_t word_key(std::string_view word) noexcept {
  const uint64_t key = base::xxh64(word);
  return key == 0 ? 1 : key;
}

bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f'; }

// The next field of the line; empty at its end.
std::string_view next_field(std::string_view& line) noexcept {
  size_t begin = 0;
  while (begin < line.size() && is_space(line[begin])) {
    ++begin;
  }
  size_t end = begin;
  while (end < line.size() && !is_space(line[end])) {
    ++end;
  }
  const std::string_view field = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return field;
}

}  // namespace

const NgramModel::Entry* NgramModel::Table::find(uint64_t key) const noexcept {
  if (slots.empty()) {
    return nullptr;
  }
  const size_t mask = slots.size() - 1;
  for (size_t at = mix(key) & mask;; at = (at + 1) & mask) {
    if (slots[at].key == key) {
      return &slots[at];
    }
    if (slots[at].key == 0) {
      return nullptr;
    }
  }
}

void NgramModel::Table::build(const std::vector<Entry>& entries) {
  count = entries.size();
  slots.assign(std::bit_ceil(entries.size() + entries.size() / 2 + 2), {});
  const size_t mask = slots.size() - 1;
  for (const Entry& entry : entries) {
    size_t at = mix(entry.key) & mask;
    while (slots[at].key != 0 && slots[at].key != entry.key) {
      at = (at + 1) & mask;
    }
    if (slots[at].key == 0) {  // of equal ones the first stands
      slots[at] = entry;
    }
  }
}

void NgramModel::History::push(uint32_t id, int limit) noexcept {
  size = std::min(size + 1, limit);
  for (int i = size - 1; i > 0; --i) {
    ids[static_cast<size_t>(i)] = ids[static_cast<size_t>(i) - 1];
  }
  if (size > 0) {
    ids[0] = id;
  }
}

// Reads one file; errors name the line.
class ArpaReader {
 public:
  explicit ArpaReader(const std::filesystem::path& file) : path_(file), reader_(file, size_t{1} << 20U) {}

  std::shared_ptr<const NgramModel> read() {
    std::shared_ptr<NgramModel> model(new NgramModel);  // NOLINT: the constructor is private
    read_counts();
    for (int n = 1; n <= static_cast<int>(counts_.size()); ++n) {
      read_section(n, *model);
    }
    if (line_ != "\\end\\") {
      fail("\\end\\ is missing");
    }
    return model;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(Code::kIntegrity, fmt::format("'{}' line {}: {}", path_.string(), reader_.line_number(), what));
  }
  bool next() {  // the next line that is not blank
    std::string_view line;
    while (reader_.next(line)) {
      while (!line.empty() && is_space(line.back())) {
        line.remove_suffix(1);
      }
      if (!line.empty()) {
        line_.assign(line);
        return true;
      }
    }
    line_.clear();
    return false;
  }
  void read_counts() {
    do {
      if (!next()) {
        fail("\\data\\ is missing: this is no ARPA file");
      }
    } while (line_ != "\\data\\");
    while (next() && line_.starts_with("ngram ")) {
      const size_t equal = line_.find('=');
      uint64_t n = 0;
      uint64_t count = 0;
      if (equal == std::string::npos || !number(std::string_view(line_).substr(6, equal - 6), n) ||
          !number(std::string_view(line_).substr(equal + 1), count) || n != counts_.size() + 1) {
        fail("write \"ngram N=COUNT\" with N from 1 up");
      }
      counts_.push_back(count);
    }
    if (counts_.empty() || counts_.size() > NgramModel::kMaxOrder) {
      fail(fmt::format("orders from 1 to {} are read; there are {}", NgramModel::kMaxOrder, counts_.size()));
    }
  }
  static bool number(std::string_view text, uint64_t& out) {
    const std::string_view field = next_field(text);
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), out);
    return !field.empty() && error == std::errc() && end == field.data() + field.size() && next_field(text).empty();
  }
  float logarithm(std::string_view field, bool backoff) const {
    double value = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (field.empty() || error != std::errc() || end != field.data() + field.size() || std::isnan(value) || (!backoff && value > 0) ||
        value > 1e6) {
      fail(fmt::format("'{}' is no logarithm of a {}", field.substr(0, 40), backoff ? "back-off weight" : "probability"));
    }
    return static_cast<float>(std::max(value, -1e6));
  }

  void read_section(int n, NgramModel& model) {
    if (line_ != fmt::format("\\{}-grams:", n)) {
      fail(fmt::format("\\{}-grams: was expected", n));
    }
    std::vector<NgramModel::Entry> entries;
    std::vector<NgramModel::Entry> words;
    std::array<uint32_t, NgramModel::kMaxOrder> ids{};
    bool unknown = false;
    if (n == 1) {
      entries.push_back({extend(0, NgramModel::kUnknown), kMissingUnknown, 0});
    }
    uint64_t lines = 0;
    while (next() && line_.front() != '\\') {
      if (++lines > counts_[static_cast<size_t>(n) - 1]) {
        fail(fmt::format("more {}-grams than the {} of \\data\\", n, counts_[static_cast<size_t>(n) - 1]));
      }
      std::string_view rest = line_;
      NgramModel::Entry entry;
      entry.probability = logarithm(next_field(rest), false);
      for (int i = 0; i < n; ++i) {
        const std::string_view word = next_field(rest);
        if (word.empty()) {
          fail(fmt::format("a {}-gram has {} words", n, n));
        }
        if (n > 1) {
          ids[static_cast<size_t>(i)] = model.word_id(word);
          continue;
        }
        if (word == "<unk>" || word == "<UNK>") {
          unknown = true;
          ids[0] = NgramModel::kUnknown;
        } else {
          ids[0] = static_cast<uint32_t>(words.size() + 1);
          words.push_back({word_key(word), std::bit_cast<float>(ids[0]), 0});
          (word == "<s>" ? model.begin_ : word == "</s>" ? model.end_ : ignored_) = ids[0];
        }
      }
      const std::string_view backoff = next_field(rest);
      entry.backoff = backoff.empty() ? 0 : logarithm(backoff, true);
      if (!next_field(rest).empty()) {
        fail(fmt::format("more than a number, {} words and a number", n));
      }
      for (int i = n - 1; i >= 0; --i) {
        entry.key = extend(entry.key, ids[static_cast<size_t>(i)]);
      }
      if (n == 1 && ids[0] == NgramModel::kUnknown) {
        entries.front() = entry;
      } else {
        entries.push_back(entry);
      }
    }
    const uint64_t found = entries.size() - (n == 1 && !unknown ? 1 : 0);
    if (found != counts_[static_cast<size_t>(n) - 1]) {
      fail(fmt::format("\\data\\ says {} {}-grams; there are {}", counts_[static_cast<size_t>(n) - 1], n, found));
    }
    if (n == 1) {
      model.words_.emplace_back().build(words);
    }
    model.tables_.emplace_back().build(entries);
  }

  std::filesystem::path path_;
  base::LineReader reader_;
  std::string line_;
  std::vector<uint64_t> counts_;
  uint32_t ignored_ = 0;
};

std::shared_ptr<const NgramModel> NgramModel::open(const std::filesystem::path& file) { return ArpaReader(file).read(); }

uint32_t NgramModel::word_id(std::string_view word) const noexcept {
  const Entry* entry = words_.front().find(word_key(word));
  return entry == nullptr ? kUnknown : std::bit_cast<uint32_t>(entry->probability);
}

// The longest n-gram that is known, times the back-off weights of the contexts that are longer.
double NgramModel::log_probability(const History& history, uint32_t id) const noexcept {
  uint64_t key = extend(0, id);
  const Entry* best = tables_.front().find(key);
  int matched = 0;
  for (int n = 1; n <= history.size; ++n) {
    key = extend(key, history.ids[static_cast<size_t>(n) - 1]);
    if (const Entry* entry = tables_[static_cast<size_t>(n)].find(key); entry != nullptr) {
      best = entry;
      matched = n;
    }
  }
  double sum = best == nullptr ? static_cast<double>(kMissingUnknown) : static_cast<double>(best->probability);
  uint64_t context = 0;
  for (int n = 1; n <= history.size; ++n) {
    context = extend(context, history.ids[static_cast<size_t>(n) - 1]);
    if (n <= matched) {
      continue;
    }
    if (const Entry* entry = tables_[static_cast<size_t>(n) - 1].find(context); entry != nullptr) {
      sum += static_cast<double>(entry->backoff);
    }
  }
  return sum;
}

double NgramModel::log_probability(std::span<const std::string_view> context, std::string_view word) const {
  History history;
  for (const std::string_view one : context) {
    history.push(word_id(one), order() - 1);
  }
  return log_probability(history, word_id(word));
}

NgramModel::Score NgramModel::score(std::span<const std::string_view> words) const {
  Score score;
  History history;
  history.push(begin_, order() - 1);
  for (const std::string_view word : words) {
    const uint32_t id = word_id(word);
    score.unknown += static_cast<int64_t>(id == kUnknown);
    score.log10 += log_probability(history, id);
    history.push(id, order() - 1);
  }
  score.log10 += log_probability(history, end_);
  score.words = static_cast<int64_t>(words.size()) + 1;
  return score;
}

NgramModel::Score NgramModel::score_line(std::string_view line) const {
  std::vector<std::string_view> words;
  for (std::string_view word = next_field(line); !word.empty(); word = next_field(line)) {
    words.push_back(word);
  }
  return score(words);
}

}  // namespace slipway::text
