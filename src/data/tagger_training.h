// Training and scoring of taggers from files of tagged sentences (text/sequence_trainer.h does the learning).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/conll.h"
#include "stats/span_quality.h"
#include "text/sequence_trainer.h"
#include "text/tagger.h"

namespace slipway::data {

struct TaggedSentence {
  std::vector<std::string> tokens;
  std::vector<std::string> tags;             // of kSegment: none
  std::vector<std::string> parts_of_speech;  // of kLemma
};

// The sentences of a file: CoNLL-U or columns (conll.h); for kSegment also words between blanks, a sentence a line. Tags are
// UPOS, LEMMA or "NER=" in MISC of CoNLL-U, and the last column of other files, unless `column` (from 1) says otherwise.
// Compressed files are told by their first bytes. Throws Error(kInvalid) naming file and line; kNotFound.
std::vector<TaggedSentence> read_tagged(const std::filesystem::path& file, text::SequenceTask task, size_t column = 0);
// The tag of one token's line, as read_tagged takes it.
std::string_view tag_of(std::string_view line, ConllKind kind, text::SequenceTask task, size_t column);

// How good a tagger is on sentences whose tags are known.
struct TaggerScores {
  int64_t sentences = 0;
  int64_t tokens = 0;   // of kSegment: words of the truth
  int64_t correct = 0;  // tokens with the right tag
  stats::SpanQuality spans;  // of kSegment (words) and kEntities
  double seconds = 0;   // of tagging, one thread

  double accuracy() const noexcept { return tokens == 0 ? 0 : static_cast<double>(correct) / static_cast<double>(tokens); }
  // What models are chosen by: F1 where there are spans, else accuracy.
  double value(text::SequenceTask task) const noexcept;
};
TaggerScores score_tagger(const text::Tagger& tagger, const std::vector<TaggedSentence>& sentences);
// The same as one JSON object, with each label's scores.
base::Json to_json(const TaggerScores& scores, text::SequenceTask task);

struct TaggerTraining {
  text::SequenceTask task = text::SequenceTask::kPos;
  std::vector<TaggedSentence> train;
  std::vector<TaggedSentence> dev;  // may be empty: the last epoch is taken
  std::shared_ptr<const text::DictionarySegmenter> lexicon;  // or null
  text::SequenceTrainOptions options;
};

struct TaggerEpoch {
  int number = 0;     // from 1
  double wrong = 0;   // share of positions labelled wrong while learning
  size_t size_bytes = 0;
  bool best = false;
  TaggerScores scores;  // on `dev`
};

// The bytes of the best model. Calls report(epoch) after each; it may throw to stop. Throws Error(kInvalid) when there is nothing to
// learn from. The same input, options and seed give the same bytes.
std::string train_tagger(const TaggerTraining& training, const std::function<void(const TaggerEpoch&)>& report);

}  // namespace slipway::data
