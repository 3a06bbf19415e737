// N-gram language models from text: interpolated modified Kneser-Ney smoothing (Chen & Goodman 1998, 4.1.6; with continuation counts and the
// uniform distribution below unigrams as KenLM's lmplz, Heafield et al. 2013), written as an ARPA file. All n-grams are held in
// memory, 40 bytes each; the bound is told before it is passed. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace slipway::text {

struct NgramTrainOptions {
  int order = 5;
  uint64_t memory_bytes = uint64_t{4} << 30U;
};

struct NgramTrainResult {
  std::vector<uint64_t> ngrams;  // by order
  uint64_t words = 0;            // of the text
  // Orders of which some count 1 to 4 never occurs, so that the discounts were 0.5, 1 and 1.5 (lmplz --discount_fallback): the text is
  // too small or made up.
  std::vector<int> fallback;
};

class NgramTrainer {
 public:
  // Throws Error(kInvalid) for an order below 1 or above NgramModel::kMaxOrder.
  explicit NgramTrainer(const NgramTrainOptions& options);
  ~NgramTrainer();
  NgramTrainer(const NgramTrainer&) = delete;
  NgramTrainer& operator=(const NgramTrainer&) = delete;

  // A sentence, words at white space; "<s>", "</s>" and "<unk>" in it are left out. Throws Error(kInvalid) when memory_bytes would not do.
  void add(std::string_view line);
  // Writes the ARPA file by `write`, piece by piece. The same lines give the same bytes. Throws Error(kInvalid) without a word.
  NgramTrainResult finish(const std::function<void(std::string_view)>& write);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::text
