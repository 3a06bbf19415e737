#include "data/ngrams.h"

#include <gtest/gtest.h>
#include <map>
#include <set>

#include "base/random.h"

namespace slipway::data {
namespace {

std::vector<std::string> random_words(base::Rng& rng, size_t count, uint64_t kinds) {
  std::vector<std::string> words;
  for (size_t i = 0; i < count; ++i) {
    std::string word = std::to_string(rng.below(kinds));
    const uint64_t kind = rng.below(12);
    if (kind < 3) {
      word += kind == 0 ? "longer-than-eight" : kind == 1 ? "longer-than-sixteen-bytes" : std::string(1, '\0');
    }
    words.push_back(word);
  }
  return words;
}

WordList list_of(const std::vector<std::string>& words) {
  WordList list;
  for (const std::string& word : words) {
    list.add(word, static_cast<uint32_t>(word.size()));
  }
  list.close();
  return list;
}

std::string gram(const std::vector<std::string>& words, size_t i, size_t n, const char* between) {
  std::string out;
  for (size_t k = 0; k < n; ++k) {
    out += (k == 0 ? "" : between) + words[i + k];
  }
  return out;
}

// Against a plain map, on texts from hardly any to almost nothing but repetition; both starts.
TEST(Ngrams, EqualCountingInAMap) {
  base::Rng rng(3);
  Ngrams ngrams;
  for (int round = 0; round < 120; ++round) {
    const auto words = random_words(rng, rng.below(120), 2 + rng.below(30));
    const WordList list = list_of(words);
    const size_t first_n = round % 2 == 0 ? 1 : 2;
    if (first_n == 1) {
      ngrams.start(list);
    } else {
      ngrams.start_pairs(list);
    }
    for (size_t n = first_n; n <= 10; ++n) {
      std::map<std::string, std::pair<uint32_t, uint32_t>> counts;  // first, count
      for (size_t i = 0; i + n <= words.size(); ++i) {
        ++counts.try_emplace(gram(words, i, n, " "), static_cast<uint32_t>(i), 0).first->second.second;
      }
      std::vector<uint32_t> repeated;
      for (size_t i = 0; i + n <= words.size(); ++i) {
        if (counts[gram(words, i, n, " ")].second > 1) {
          repeated.push_back(static_cast<uint32_t>(i));
        }
      }
      ASSERT_EQ(std::vector<uint32_t>(ngrams.repeated().begin(), ngrams.repeated().end()), repeated) << "n " << n;
      for (const uint32_t position : repeated) {
        const auto& [first, count] = counts[gram(words, position, n, " ")];
        EXPECT_EQ(ngrams.class_at(position).first, first);
        EXPECT_EQ(ngrams.class_at(position).count, count);
      }
      if (n == first_n) {
        EXPECT_EQ(ngrams.kinds(), counts.size());
      }
      if (n <= words.size()) {
        uint32_t most = 1;
        for (const auto& [text, place] : counts) {
          most = std::max(most, place.second);
        }
        const Ngrams::Class top = ngrams.top();
        EXPECT_EQ(top.count, most);
        for (const auto& [text, place] : counts) {
          EXPECT_TRUE(place.second < most || place.first >= top.first) << text;
        }
      }
      ngrams.advance();
    }
  }
}

// Words joined without spaces: "1","0" equals "10", so that other cuts of the same letters are duplicates, too.
TEST(JoinedDuplicates, EqualAScanWithASet) {
  base::Rng rng(4);
  JoinedDuplicates joined;
  for (int round = 0; round < 200; ++round) {
    const auto words = random_words(rng, rng.below(150), 2 + rng.below(14));
    const WordList list = list_of(words);
    std::array<uint64_t, 6> chars{};
    joined.count(list, chars);
    for (size_t n = 5; n <= 10; ++n) {
      std::set<std::string> seen;
      uint64_t expected = 0;
      for (size_t i = 0; i + n <= words.size();) {
        const std::string text = gram(words, i, n, "");
        if (seen.insert(text).second) {
          ++i;
        } else {
          expected += text.size();
          i += n;
        }
      }
      EXPECT_EQ(chars[n - 5], expected) << "n " << n;
    }
  }
}

}  // namespace
}  // namespace slipway::data
