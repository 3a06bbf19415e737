// Spans of texts by a sequence labeller (text/tagger.h): found, with how sure it is of them, and learnt in a moment from what people marked.
// Tokens are words (text::split_words) and every other character that is no blank. Immutable once made: any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/active_learning.h"
#include "record/annotation.h"
#include "stats/span_agreement.h"
#include "text/tagger.h"
#include "text/words.h"

namespace slipway::data {

// Byte ranges of the tokens, in order.
std::vector<text::Span> tagger_tokens(std::string_view text);

class SpanTagger {
 public:
  // A text with what was marked in it. Of overlapping spans the longer one is learnt; one that ends within a word is learnt as the word.
  struct Lesson {
    std::string text;
    std::vector<record::Span> spans;
  };
  struct Options {
    int epochs = 8;
    uint64_t seed = 1;
    std::function<bool()> stop = {};  // asked between epochs; true: Error(kInterrupted)
  };
  struct Trained;

  // Longer texts are not learnt from, nothing is found in them, and they count as sure: chances take 8 bytes a token and label.
  static constexpr size_t kMaxText = size_t{256} << 10;
  // Of model files nobody fitted a scale for. Of 2^-14 to 1 it gives the tags of CoNLL-2003's testa the least mean negative log-likelihood (0.059)
  // with a tagger of eng.train.
  static constexpr double kScale = 1.0 / 256;
  // `tagger` is for entities, else Error(kInvalid). `scale`: see text::SequenceModel::marginals.
  explicit SpanTagger(std::shared_ptr<const text::Tagger> tagger, double scale = kScale);

  // From kHoldOutFrom lessons on a fifth (by the hash of the text) is held out of a first training: F1 is measured on it, and the scale
  // fitted that makes its labels likeliest (Guo et al. 2017). Then all are learnt from. Throws Error(kInvalid) when no span was marked.
  static constexpr size_t kHoldOutFrom = 10;
  static Trained train(std::span<const Lesson> lessons, const Options& options);

  // The spans of the text, ends in code points; the score is the mean over spans of their least certain token's chance. Nothing for none.
  std::optional<record::Suggestion> suggest(std::string_view text, std::string source) const;
  // Mean over tokens of how unsure it is of each one's label (data::uncertainty); 0 for a text without tokens.
  double uncertainty(std::string_view text, Uncertainty kind) const;
  double scale() const noexcept { return scale_; }

 private:
  std::shared_ptr<const text::Tagger> tagger_;
  double scale_ = kScale;
};

struct SpanTagger::Trained {
  SpanTagger tagger;
  std::optional<stats::SpanAgreement> quality;  // on those held out
};

}  // namespace slipway::data
