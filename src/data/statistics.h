// What a dataset's manifest tells about its texts: lengths, languages, frequent words. Internal.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/pool.h"
#include "data/document.h"

namespace slipway::data {

// Memory is bounded: lengths are counted exactly up to a limit, words by lossy counting. One thread (which lends the
// pool's); the result depends only on the documents and their order.
class TextStatistics {
 public:
  void add(const std::vector<Document>& documents, base::Pool& pool);
  // {"words": {"mean", "min", "p5", …, "max", "histogram": [{"low", "high", "count"}, …]}, "languages": {code:
  // documents}, "top_words": [[word, count], …]}.
  Json to_json() const;

 private:
  void prune();
  Json histogram(int64_t high) const;

  std::vector<int64_t> lengths_;  // documents by number of words; the last bin holds all longer ones
  int64_t documents_ = 0;
  int64_t words_ = 0;
  int64_t longest_ = 0;
  std::map<std::string, int64_t> languages_;
  std::unordered_map<std::string, int64_t> counts_;
};

}  // namespace slipway::data
