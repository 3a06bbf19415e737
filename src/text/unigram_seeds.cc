#include "text/unigram_seeds.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "base/error.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

constexpr char32_t kEnd = 0;  // follows each word
constexpr int kKeyChars = 3;  // 21 bits each

struct Suffix {
  uint64_t key;  // the characters at some depth
  uint32_t at;
};

struct Substring {
  uint64_t weight;
  uint32_t at;
  uint32_t length;
};

// Suffixes of words in the order of their first characters. A substring longer than `max_length` is no piece, so no
// more than one character past that is looked at, and nothing past a word's end.
class SuffixSorter {
 public:
  SuffixSorter(const std::u32string& text, size_t max_length) : text_(text), depth_limit_(max_length + 1) {}

  std::vector<uint32_t> run() {
    std::vector<Suffix> all;
    all.reserve(text_.size());
    for (size_t at = 0; at < text_.size(); ++at) {
      if (text_[at] != kEnd) {
        all.push_back({0, static_cast<uint32_t>(at)});
      }
    }
    sort(all.data(), all.data() + all.size(), 0);
    std::vector<uint32_t> order(all.size());
    std::transform(all.begin(), all.end(), order.begin(), [](const Suffix& suffix) { return suffix.at; });
    return order;
  }
  // Characters that the suffixes at two places begin with alike, the end of a word being one.
  size_t common(uint32_t a, uint32_t b) const {
    size_t length = 0;
    while (length < depth_limit_ && text_[a + length] == text_[b + length]) {
      if (text_[a + length++] == kEnd) {
        break;
      }
    }
    return length;
  }

 private:
  void sort(Suffix* begin, Suffix* end, size_t depth) {
    for (Suffix* s = begin; s != end; ++s) {
      s->key = key(s->at + depth);
    }
    std::sort(begin, end,
              [](const Suffix& a, const Suffix& b) { return a.key != b.key ? a.key < b.key : a.at < b.at; });
    if (depth + kKeyChars >= depth_limit_) {
      return;
    }
    for (Suffix* from = begin; from != end;) {
      Suffix* to = from + 1;
      while (to != end && to->key == from->key) {
        ++to;
      }
      if (to - from > 1 && (from->key & 0x1FFFFF) != kEnd) {
        sort(from, to, depth + kKeyChars);
      }
      from = to;
    }
  }
  // Zeros after the end of a word.
  uint64_t key(size_t at) const {
    uint64_t key = 0;
    bool ended = false;
    for (size_t i = at; i < at + kKeyChars; ++i) {
      ended = ended || text_[i] == kEnd;
      key = key << 21 | (ended ? 0 : text_[i]);
    }
    return key;
  }

  const std::u32string& text_;
  size_t depth_limit_;
};

// The intervals of suffixes that begin alike: each is an inner node of the suffix tree (Abouelhoda et al. 2004).
std::vector<Substring> repeated(const std::u32string& text, size_t max_length) {
  const SuffixSorter sorter(text, max_length);
  const std::vector<uint32_t> order = SuffixSorter(text, max_length).run();
  struct Open {
    size_t from;
    size_t length;
  };
  std::vector<Open> open = {{0, 0}};
  std::vector<Substring> found;
  for (size_t i = 1; i <= order.size(); ++i) {
    const size_t length = i < order.size() ? sorter.common(order[i - 1], order[i]) : 0;
    size_t from = i - 1;
    while (open.back().length > length) {
      const Open node = open.back();
      open.pop_back();
      from = node.from;
      const uint32_t at = order[from];
      if (node.length >= 2 && node.length <= max_length && text[at + node.length - 1] != kEnd) {
        found.push_back({(i - from) * node.length, at, static_cast<uint32_t>(node.length)});
      }
    }
    if (open.back().length < length) {
      open.push_back({from, length});
    }
  }
  return found;
}

}  // namespace

std::vector<Seed> unigram_seeds(const std::vector<CountedWord>& words, int max_length, int64_t max_seeds) {
  std::u32string text;
  std::map<char32_t, uint64_t> counts;
  for (const auto& [word, count] : words) {
    for (size_t at = 0; at < word.size();) {
      const Decoded c = decode_at(word, at);
      text += c.code;
      at += c.size;
      if (c.code != kEnd) {
        counts[c.code] += static_cast<uint64_t>(count);
      }
    }
    text += kEnd;
  }
  if (text.size() > UINT32_MAX - kKeyChars) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("the distinct words have {} characters; at most {} can be sorted", text.size(),
                                  UINT32_MAX - kKeyChars));
  }
  std::vector<std::pair<uint64_t, char32_t>> characters;
  for (const auto& [c, count] : counts) {
    characters.emplace_back(count, c);
  }
  std::sort(characters.rbegin(), characters.rend());
  std::vector<Seed> seeds;
  const auto append = [&](std::u32string_view piece, uint64_t weight) {
    seeds.push_back({{}, static_cast<double>(weight)});
    for (const char32_t c : piece) {
      append_utf8(c, seeds.back().piece);
    }
  };
  for (const auto& [count, c] : characters) {
    append({&c, 1}, count);
  }
  text.append(kKeyChars, kEnd);  // a key looks past the last word's end
  std::vector<Substring> substrings = repeated(text, static_cast<size_t>(max_length));
  const std::u32string_view view = text;
  std::sort(substrings.begin(), substrings.end(), [&](const Substring& a, const Substring& b) {
    return a.weight != b.weight ? a.weight > b.weight : view.substr(a.at, a.length) > view.substr(b.at, b.length);
  });
  for (const Substring& one : substrings) {
    append(view.substr(one.at, one.length), one.weight);
    if (static_cast<int64_t>(seeds.size()) >= max_seeds) {
      break;
    }
  }
  return seeds;
}

}  // namespace slipway::text
