#include "data/relation_training.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <map>
#include <set>
#include <tuple>

#include "base/error.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

base::Json counts_json(const stats::SpanCounts& c) {
  return {{"precision", c.precision()}, {"recall", c.recall()}, {"f1", c.f1()}, {"support", c.gold}};
}

// The label of each pair of a sentence.
std::vector<std::string> labels_of(const RelationSentence& sentence, const std::vector<text::EntityPair>& pairs) {
  std::map<std::pair<size_t, size_t>, std::string> known;
  for (const Relation& relation : sentence.relations) {
    known.try_emplace({relation.head, relation.tail}, relation.type + text::kHeadIsLeft);
    known.try_emplace({relation.tail, relation.head}, relation.type + text::kHeadIsRight);
  }
  std::vector<std::string> labels;
  for (const text::EntityPair& pair : pairs) {
    const auto found = known.find({pair.left, pair.right});
    labels.push_back(found == known.end() ? std::string(text::kNoRelation) : found->second);
  }
  return labels;
}

}  // namespace

void RelationViews::look_at(const RelationSentence& sentence) {
  tokens.assign(sentence.tokens.begin(), sentence.tokens.end());
  entities.clear();
  for (const RelationEntity& entity : sentence.entities) {
    entities.push_back({entity.begin, entity.end, entity.type});
  }
}

double RelationScores::macro_f1() const {
  double sum = 0;
  int64_t types = 0;
  for (const auto& [type, counts] : by_type) {
    if (counts.gold > 0) {
      sum += counts.f1();
      ++types;
    }
  }
  return types == 0 ? 0 : sum / static_cast<double>(types);
}

RelationScores score_relations(const text::RelationTagger& tagger, const std::vector<RelationSentence>& sentences) {
  RelationScores scores;
  text::RelationTagger::Scratch scratch;
  RelationViews views;
  std::vector<text::RelationBetween> found;
  for (const RelationSentence& sentence : sentences) {
    ++scores.sentences;
    views.look_at(sentence);
    const auto start = std::chrono::steady_clock::now();
    tagger.relate(views.tokens, views.entities, scratch, found);
    scores.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    scores.pairs += static_cast<int64_t>(scratch.pairs.size());
    std::set<std::tuple<size_t, size_t, std::string>> gold;
    for (const Relation& relation : sentence.relations) {
      if (gold.emplace(relation.head, relation.tail, relation.type).second) {
        ++scores.total.gold;
        ++scores.by_type[relation.type].gold;
      }
    }
    for (const text::RelationBetween& relation : found) {
      stats::SpanCounts& of_type = scores.by_type[std::string(relation.type)];
      ++scores.total.predicted;
      ++of_type.predicted;
      if (gold.contains({relation.head, relation.tail, std::string(relation.type)})) {
        ++scores.total.correct;
        ++of_type.correct;
      }
    }
  }
  return scores;
}

base::Json to_json(const RelationScores& scores) {
  base::Json out = {{"sentences", scores.sentences}, {"pairs", scores.pairs}};
  out.update(counts_json(scores.total));
  out["macro_f1"] = scores.macro_f1();
  base::Json types = base::Json::object();
  for (const auto& [type, counts] : scores.by_type) {
    types[type] = counts_json(counts);
  }
  out["types"] = types;
  return out;
}

std::string train_relations(const RelationTraining& training, const std::function<void(const RelationEpoch&)>& report) {
  std::vector<std::vector<std::string>> labels;
  std::map<std::string, int64_t> counts;
  std::vector<text::EntityPair> pairs;
  RelationViews views;
  for (const RelationSentence& sentence : training.train) {
    views.look_at(sentence);
    text::pairs_of(views.entities, pairs);
    labels.push_back(labels_of(sentence, pairs));
    for (const std::string& label : labels.back()) {
      ++counts[label];
    }
  }
  counts.erase(std::string(text::kNoRelation));
  if (counts.empty() || counts.size() > 254) {
    throw Error(Code::kInvalid, counts.empty() ? std::string("there is no relation between two entities to learn from")
                                               : fmt::format("there are {} types and directions; a tagger can tell 254 apart", counts.size()));
  }
  text::SequenceDescription description;
  description.task = text::SequenceTask::kRelations;
  description.labels.emplace_back(text::kNoRelation);
  std::map<std::string, uint8_t> ids{{std::string(text::kNoRelation), 0}};
  for (const auto& [label, count] : counts) {
    ids.emplace(label, static_cast<uint8_t>(ids.size()));
    description.labels.push_back(label);
  }
  const text::SequenceTrainOptions& options = training.options;
  description.training = {{"sentences", training.train.size()}, {"epochs", options.epochs}, {"seed", options.seed},
                          {"min_count", options.min_count}, {"algorithm", options.algorithm}, {"aggressiveness", options.aggressiveness}};
  std::vector<std::vector<uint8_t>> gold;
  for (const std::vector<std::string>& one : labels) {
    std::vector<uint8_t>& out = gold.emplace_back();
    for (const std::string& label : one) {
      out.push_back(ids.at(label));
    }
  }
  text::RelationScratch scratch;
  text::SequenceTrainer trainer(description, gold, [&](size_t index, text::FeatureList& features) {
    views.look_at(training.train[index]);
    text::pairs_of(views.entities, pairs);
    text::relation_features(views.tokens, views.entities, pairs, scratch, features);
  }, options);
  std::string best;
  double top = -1;
  for (int number = 1; number <= options.epochs; ++number) {
    RelationEpoch epoch;
    epoch.number = number;
    epoch.wrong = trainer.epoch();
    if (training.dev.empty() && number < options.epochs) {
      report(epoch);
      continue;
    }
    std::string bytes = trainer.model();
    // What is scored is what is written: the quantised model.
    epoch.scores = score_relations(text::RelationTagger(text::SequenceModel::from_bytes(bytes, "the trained model"), "the trained model"), training.dev);
    if (const double value = epoch.scores.total.f1(); best.empty() || value > top) {
      top = value;
      best = std::move(bytes);
      epoch.best = true;
    }
    report(epoch);
  }
  return best;
}

}  // namespace slipway::data
