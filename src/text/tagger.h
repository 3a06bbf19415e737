// Segmentation, tagging, entities and lemmas with a trained model: texts and tokens in, words and tags out. Immutable: any
// thread, with a scratch of its own.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/dictionary_segmenter.h"
#include "text/sequence_model.h"

namespace slipway::text {

// Turns texts and tokens into features, the same way for training and for use.
class SequenceReader {
 public:
  // `lexicon`: the dictionary whose marks are features, or null.
  SequenceReader(SequenceTask task, std::shared_ptr<const DictionarySegmenter> lexicon) : task_(task), lexicon_(std::move(lexicon)) {}

  struct Scratch {
    FeatureScratch features;
    DictionarySegmenter::Scratch segmenter;
    std::vector<std::string_view> words;
    std::vector<LexiconMark> marks;
    std::vector<LexiconMark> token_marks;
    std::u32string characters;
    std::string joined;
  };
  // Longer sequences are cut into pieces of so many positions by who reads them: memory is bounded by it.
  static constexpr size_t kMaxPositions = 4096;

  // Of each character of `text`; valid UTF-8 without white space, at most kMaxPositions characters.
  void characters(std::string_view text, Scratch& scratch, FeatureList& out) const;
  // Of each token. `tags`: parts of speech for kLemma, or empty.
  void tokens(std::span<const std::string_view> tokens, std::span<const std::string_view> tags, Scratch& scratch, FeatureList& out) const;

 private:
  SequenceTask task_;
  std::shared_ptr<const DictionarySegmenter> lexicon_;
};

class Tagger {
 public:
  // Throws Error(kInvalid) when the model was trained with a dictionary and `lexicon` is null or another one.
  Tagger(std::shared_ptr<const SequenceModel> model, std::shared_ptr<const DictionarySegmenter> lexicon);

  const SequenceModel& model() const noexcept { return *model_; }
  SequenceTask task() const noexcept { return model_->description().task; }

  struct Scratch {
    SequenceReader::Scratch reader;
    SequenceModel::Scratch model;
    std::vector<uint8_t> path;
    std::vector<std::string_view> labels;
    std::vector<TagSpan> spans;
  };

  // Replaces `words` by the words of `text`, which are views of it; white space ends words and is in none. Invalid UTF-8 counts
  // as U+FFFD. Of a kSegment model.
  void segment(std::string_view text, Scratch& scratch, std::vector<std::string_view>& words) const;

  // Replaces `tags` by one for each token: parts of speech, entity tags in the scheme of the model's training files, or lemmas
  // (`parts_of_speech` are then features, and may be empty). Of any other model.
  void tag(std::span<const std::string_view> tokens, std::span<const std::string_view> parts_of_speech, Scratch& scratch,
           std::vector<std::string>& tags) const;

  // Replaces `p` by the chance of each of the model's labels for each token, [tokens, labels] (SequenceModel::marginals). Of kPos and kEntities.
  void marginals(std::span<const std::string_view> tokens, double scale, Scratch& scratch, std::vector<double>& p) const;

 private:
  void segment_piece(std::string_view text, Scratch& scratch, std::vector<std::string_view>& words) const;

  std::shared_ptr<const SequenceModel> model_;
  SequenceReader reader_;
};

// Which label of "B", "M", "E", "S" each character of words has, appended to `labels` (0..3).
void append_word_labels(std::string_view word, std::vector<uint8_t>& labels);

}  // namespace slipway::text
