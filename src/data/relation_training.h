// Training and scoring of relation taggers (text/relation_tagger.h) on sentences whose entities and relations are known.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "data/relation_files.h"
#include "stats/span_quality.h"
#include "text/relation_tagger.h"
#include "text/sequence_trainer.h"

namespace slipway::data {

struct RelationScores {
  int64_t sentences = 0;
  int64_t pairs = 0;  // that were looked at
  stats::SpanCounts total;
  std::map<std::string, stats::SpanCounts> by_type;  // a relation is right with its head, tail and type
  double seconds = 0;  // of tagging, one thread

  // The mean of the types' F1: what SemEval-2010 task 8 ranks by.
  double macro_f1() const;
};
RelationScores score_relations(const text::RelationTagger& tagger, const std::vector<RelationSentence>& sentences);
base::Json to_json(const RelationScores& scores);

struct RelationEpoch {
  int number = 0;  // from 1
  double wrong = 0;  // share of pairs labelled wrong while learning
  bool best = false;
  RelationScores scores;  // on `dev`
};

struct RelationTraining {
  std::vector<RelationSentence> train;
  std::vector<RelationSentence> dev;  // may be empty: the last epoch is taken
  text::SequenceTrainOptions options;
};

// The bytes of the best model by F1 of all relations. A pair with several relations teaches the first. Throws Error(kInvalid) when
// there is no pair to learn from, or more than 127 types. The same input, options and seed give the same bytes.
std::string train_relations(const RelationTraining& training, const std::function<void(const RelationEpoch&)>& report);

// Views of a sentence's words and entities, as the tagger takes them.
struct RelationViews {
  std::vector<std::string_view> tokens;
  std::vector<text::EntitySpan> entities;
  void look_at(const RelationSentence& sentence);
};

}  // namespace slipway::data
