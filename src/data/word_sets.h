// The words of texts as sets of numbers. Pure function.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/pool.h"

namespace slipway::data {

struct WordSets {
  std::vector<std::string> vocabulary;       // the 3,000 words that most texts have, the most frequent first, in lower case
  std::vector<std::vector<uint32_t>> rows;   // of each text its words' numbers, each once (of at most 200 words)
};
WordSets word_sets(std::span<const std::string_view> texts, base::Pool& pool);

}  // namespace slipway::data
