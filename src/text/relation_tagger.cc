#include "text/relation_tagger.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

#include "base/error.h"
#include "base/hash.h"
#include "text/feature_hash.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;

uint64_t hash_of(std::u32string_view text) {
  return base::xxh64({reinterpret_cast<const char*>(text.data()), text.size() * sizeof(char32_t)});  // NOLINT: bytes to hash
}

// Of each token: without case; its first five characters, which endings mostly leave alone; and whether it is a word, a
// capitalised one, a number or a mark.
void look_at(std::span<const std::string_view> tokens, RelationScratch& scratch) {
  constexpr size_t kStem = 5;
  scratch.lower.clear();
  scratch.stems.clear();
  scratch.shapes.clear();
  for (const std::string_view token : tokens) {
    scratch.characters.clear();
    uint64_t shape = 3;
    for (size_t at = 0; at < token.size();) {
      const Decoded d = decode_at(token, at);
      if (at == 0) {
        shape = is_upper(d.code) ? 1 : is_letter(d.code) ? 0 : is_number(d.code) ? 2 : 3;
      }
      at += d.size;
      scratch.characters += to_lower(d.code);
    }
    scratch.lower.push_back(hash_of(scratch.characters));
    scratch.stems.push_back(hash_of(std::u32string_view(scratch.characters).substr(0, kStem)));
    scratch.shapes.push_back(shape);
  }
}

uint64_t bucket(size_t n) { return n <= 4 ? n : n <= 6 ? 5 : n <= 9 ? 6 : n <= 14 ? 7 : n <= 24 ? 8 : 9; }

// One pair in its sentence.
class PairFeatures {
 public:
  PairFeatures(std::span<const EntitySpan> entities, const EntityPair& pair, const RelationScratch& scratch, std::vector<uint64_t>& out)
      : entities_(entities), a_(entities[pair.left]), b_(entities[pair.right]), s_(scratch), f_(out), types_(feature(500, base::xxh64(a_.type), base::xxh64(b_.type))) {}

  void add() {
    f_.push_back(feature(501, types_));
    f_.push_back(feature(502, base::xxh64(a_.type)));
    f_.push_back(feature(503, base::xxh64(b_.type)));
    arguments();
    between();
    around();
    sentence();
  }

 private:
  uint64_t lower(size_t i) const { return i < s_.lower.size() ? s_.lower[i] : 1; }  // i - 1 of 0 wraps: an edge
  uint64_t stem(size_t i) const { return i < s_.stems.size() ? s_.stems[i] : 1; }

  void arguments() {
    const uint64_t a = lower(a_.end - 1);
    const uint64_t b = lower(b_.end - 1);
    f_.push_back(feature(510, a));
    f_.push_back(feature(511, b));
    f_.push_back(feature(512, a, b));
    f_.push_back(feature(513, stem(a_.end - 1)));
    f_.push_back(feature(514, stem(b_.end - 1)));
    f_.push_back(feature(515, lower(a_.begin)));
    f_.push_back(feature(516, lower(b_.begin)));
    f_.push_back(feature(517, s_.shapes[a_.end - 1], s_.shapes[b_.end - 1]));
    f_.push_back(feature(518, bucket(a_.end - a_.begin), bucket(b_.end - b_.begin), types_));
  }

  void between() {
    const size_t begin = std::min(a_.end, b_.begin);
    const size_t end = b_.begin;
    const size_t n = end - begin;
    f_.push_back(feature(520, bucket(n), types_));
    uint64_t all = 7;
    uint64_t marks = 7;
    for (size_t i = begin; i < end; ++i) {
      f_.push_back(feature(521, lower(i)));
      f_.push_back(feature(522, lower(i), types_));
      f_.push_back(feature(523, stem(i), types_));
      if (i + 1 < end) {
        f_.push_back(feature(524, lower(i), lower(i + 1)));
      }
      if (i + 2 < end) {
        f_.push_back(feature(525, lower(i), lower(i + 1), lower(i + 2)));
      }
      all = feature(526, all, lower(i));
      marks = s_.shapes[i] == 3 ? feature(527, marks, lower(i)) : marks;
    }
    if (n <= 6) {
      f_.push_back(feature(528, all));
      f_.push_back(feature(529, all, types_));
    }
    f_.push_back(feature(530, marks, types_));
    f_.push_back(feature(531, n > 0 ? lower(begin) : 2, types_));
    f_.push_back(feature(532, n > 0 ? lower(end - 1) : 2, types_));
    f_.push_back(feature(533, n > 0 ? lower(begin) : 2, n > 1 ? lower(begin + 1) : 2));
    f_.push_back(feature(534, n > 1 ? lower(end - 2) : 2, n > 0 ? lower(end - 1) : 2));
    f_.push_back(feature(535, n > 0 ? lower(begin) : 2, lower(a_.end - 1)));
    f_.push_back(feature(536, n > 0 ? lower(end - 1) : 2, lower(b_.end - 1)));
    uint64_t entities = 0;
    uint64_t kinds = 7;
    for (const EntitySpan& entity : entities_) {
      if (entity.begin >= begin && entity.end <= end && entity.begin < end) {
        ++entities;
        kinds = feature(537, kinds, base::xxh64(entity.type));
      }
    }
    f_.push_back(feature(538, std::min<uint64_t>(entities, 5), types_));
    f_.push_back(feature(539, kinds, types_));
  }

  void around() {
    f_.push_back(feature(550, lower(a_.begin - 1)));
    f_.push_back(feature(551, lower(a_.begin - 1), types_));
    f_.push_back(feature(552, lower(a_.begin - 2), lower(a_.begin - 1)));
    f_.push_back(feature(553, lower(b_.end)));
    f_.push_back(feature(554, lower(b_.end), types_));
    f_.push_back(feature(555, lower(b_.end), lower(b_.end + 1)));
    f_.push_back(feature(556, stem(a_.begin - 2), types_));
    f_.push_back(feature(557, stem(b_.end + 1), types_));
    f_.push_back(feature(558, lower(a_.begin - 1), lower(a_.end - 1)));
    f_.push_back(feature(559, lower(b_.end - 1), lower(b_.end)));
  }

  // Words anywhere outside of the two: "assassinated" speaks of a killing wherever it stands.
  void sentence() {
    constexpr size_t kReach = 12;
    const size_t first = a_.begin > kReach ? a_.begin - kReach : 0;
    const size_t last = std::min(s_.lower.size(), b_.end + kReach);
    for (size_t i = first; i < last; ++i) {
      if (s_.shapes[i] < 2 && (i < a_.begin || i >= b_.end)) {
        f_.push_back(feature(i < a_.begin ? 570 : 571, stem(i), types_));
      }
    }
  }

  std::span<const EntitySpan> entities_;
  const EntitySpan& a_;
  const EntitySpan& b_;
  const RelationScratch& s_;
  std::vector<uint64_t>& f_;
  uint64_t types_;
};

}  // namespace

void pairs_of(std::span<const EntitySpan> entities, std::vector<EntityPair>& pairs) {
  pairs.clear();
  std::vector<uint32_t> order(std::min(entities.size(), kMaxEntities));
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return std::pair(entities[a].begin, entities[a].end) < std::pair(entities[b].begin, entities[b].end);
  });
  for (size_t i = 0; i < order.size(); ++i) {
    for (size_t j = i + 1; j < order.size(); ++j) {
      if (entities[order[j]].begin <= entities[order[i]].end + kMaxDistance) {
        pairs.push_back({order[i], order[j]});
      }
    }
  }
}

void relation_features(std::span<const std::string_view> tokens, std::span<const EntitySpan> entities, std::span<const EntityPair> pairs,
                       RelationScratch& scratch, FeatureList& out) {
  out.clear();
  look_at(tokens, scratch);
  for (const EntityPair& pair : pairs) {
    PairFeatures(entities, pair, scratch, out.hashes).add();
    out.begins.push_back(static_cast<uint32_t>(out.hashes.size()));
  }
}

RelationTagger::RelationTagger(std::shared_ptr<const SequenceModel> model, const std::string& source) : model_(std::move(model)) {
  const SequenceTask task = model_->description().task;
  if (task != SequenceTask::kRelations) {
    throw Error(Code::kInvalid, fmt::format("{}: is a model for '{}', not for relations; `slipway train relations` makes one", source, task_name(task)));
  }
}

void RelationTagger::relate(std::span<const std::string_view> tokens, std::span<const EntitySpan> entities, Scratch& scratch,
                            std::vector<RelationBetween>& relations) const {
  relations.clear();
  for (const EntitySpan& entity : entities) {
    SLIPWAY_CHECK(entity.begin < entity.end && entity.end <= tokens.size());
  }
  pairs_of(entities, scratch.pairs);
  relation_features(tokens, entities, scratch.pairs, scratch.features, scratch.model.list);
  model_->decode(scratch.model, scratch.path);
  for (size_t i = 0; i < scratch.pairs.size(); ++i) {
    const std::string_view label = model_->description().labels[scratch.path[i]];
    if (label == kNoRelation) {
      continue;
    }
    const EntityPair& pair = scratch.pairs[i];
    const bool left = label.back() == kHeadIsLeft;
    relations.push_back({left ? pair.left : pair.right, left ? pair.right : pair.left, label.substr(0, label.size() - 1)});
  }
}

}  // namespace slipway::text
