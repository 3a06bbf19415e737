// Relations between the entities of a sentence: each pair of them is given a type and a direction, or none, by a linear model over
// the words in and around them (sequence_model.h, task kRelations). Immutable: any thread, with a scratch of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/sequence_model.h"

namespace slipway::text {

struct EntitySpan {
  size_t begin = 0;  // tokens, half-open, not empty
  size_t end = 0;
  std::string_view type;  // may be empty
};

struct EntityPair {
  uint32_t left = 0;  // indices of entities; the left one begins first, of equal begins it ends first
  uint32_t right = 0;
};

struct RelationBetween {
  uint32_t head = 0;  // indices of entities
  uint32_t tail = 0;
  std::string_view type;  // of the model's labels
};

// Labels: kNoRelation, or a type and which of the two is its head.
constexpr std::string_view kNoRelation = "-";
constexpr char kHeadIsLeft = '>';
constexpr char kHeadIsRight = '<';

// The pairs that are looked at: of at most kMaxEntities entities (others are in none), no further than kMaxDistance tokens from
// each other, in the order of the left and then the right one.
constexpr size_t kMaxEntities = 256;
constexpr size_t kMaxDistance = 100;
void pairs_of(std::span<const EntitySpan> entities, std::vector<EntityPair>& pairs);

// The features of each pair. Ends of entities are at most tokens.size().
struct RelationScratch {
  std::vector<uint64_t> lower;   // hashes of the tokens
  std::vector<uint64_t> stems;
  std::vector<uint64_t> shapes;
  std::u32string characters;
};
void relation_features(std::span<const std::string_view> tokens, std::span<const EntitySpan> entities, std::span<const EntityPair> pairs,
                       RelationScratch& scratch, FeatureList& out);

class RelationTagger {
 public:
  // Throws Error(kInvalid) for a model of another task.
  RelationTagger(std::shared_ptr<const SequenceModel> model, const std::string& source);
  const SequenceModel& model() const noexcept { return *model_; }

  struct Scratch {
    RelationScratch features;
    SequenceModel::Scratch model;
    std::vector<EntityPair> pairs;
    std::vector<uint8_t> path;
  };
  // Replaces `relations` by those between the entities, in the order of the pairs.
  void relate(std::span<const std::string_view> tokens, std::span<const EntitySpan> entities, Scratch& scratch,
              std::vector<RelationBetween>& relations) const;

 private:
  std::shared_ptr<const SequenceModel> model_;
};

}  // namespace slipway::text
