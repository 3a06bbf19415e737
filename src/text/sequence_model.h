// A trained sequence labeller: segmentation, parts of speech, named entities and lemmas are one linear model over hashed features
// and pairs of neighbouring labels, decoded by Viterbi. Small integers throughout, so that results are the same on
// every machine. Immutable: any thread, each with a scratch of its own. On disk: docs/formats/tagger.md; made by
// sequence_trainer.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "text/sequence_features.h"
#include "text/tag_scheme.h"

namespace slipway::text {

// What a model is for. Its labels: kSegment B M E S; kEntities BIOES tags; else the tags themselves.
struct SequenceDescription {
  SequenceTask task = SequenceTask::kPos;
  std::vector<std::string> labels;         // at most 255
  TagScheme scheme = TagScheme::kNone;     // what entities are written in
  uint64_t lexicon = 0;                    // digest of the segmentation dictionary that features need; 0: none
  base::Json training = base::Json::object();  // how it was made: for people, not read back
};

std::string_view task_name(SequenceTask task) noexcept;  // "segment", "pos", "ner", "lemma", "relation"
SequenceTask parse_task(std::string_view name);          // Throws Error(kInvalid)

// Which label may follow which: predecessors of each label, and which may begin and end a sequence. Spans keep their rules, so
// that no decoded sequence breaks them.
struct SequenceRules {
  std::vector<std::vector<uint8_t>> before;
  std::vector<uint8_t> first;  // 0 or 1 a label
  std::vector<uint8_t> last;
};
SequenceRules rules_of(SequenceTask task, std::span<const std::string> labels);
// Lemmas and relations are chosen one by one; the other tasks look at neighbours.
bool has_transitions(SequenceTask task) noexcept;

// The best path, generic over the type of scores so that training and use decode alike. scores [n, labels];
// transitions [labels, labels], from-major; back is working memory. Ties go to the label of the smaller number.
template <class Score>
void viterbi(const SequenceRules& rules, std::span<const Score> scores, std::span<const Score> transitions, size_t n,
             std::vector<uint8_t>& back, std::vector<Score>& best, std::vector<uint8_t>& path);

// Replaces `p` by the chance of each label at each position, [n, labels], as a linear chain has it whose log-potentials are the scores
// [n, labels] and transitions [labels, labels] (from-major) times `scale`: forward-backward (Lafferty et al. 2001). O(n * allowed pairs).
void chain_marginals(const SequenceRules& rules, std::span<const int32_t> scores, std::span<const int32_t> transitions, size_t n, double scale,
                     std::vector<double>& p);

class SequenceModel {
 public:
  // Throws Error(kNotFound) or, for a file that is damaged, Error(kIntegrity).
  static std::shared_ptr<const SequenceModel> open(const std::filesystem::path& file);
  static std::shared_ptr<const SequenceModel> from_bytes(std::string_view bytes, std::string_view source);

  const SequenceDescription& description() const noexcept { return description_; }
  size_t features() const noexcept { return used_; }
  size_t size_bytes() const noexcept { return size_; }

  struct Scratch {
    FeatureScratch features;
    FeatureList list;
    std::vector<int32_t> scores;
    std::vector<int32_t> best;
    std::vector<uint8_t> back;
  };

  // Replaces `path` by the number of each position's label, for the features in scratch.list.
  void decode(Scratch& scratch, std::vector<uint8_t>& path) const;
  // chain_marginals of the model's scores; without transitions (has_transitions) each position by itself. Training gives scores no scale:
  // who wants chances that mean something fits one.
  void marginals(Scratch& scratch, double scale, std::vector<double>& p) const;

 private:
  // At most four labels: a feature and its weights are one slot.
  struct Slot4 {
    uint32_t key;  // 30 bits of the feature, and how far the weights are shifted; 0: empty
    int8_t weights[4];
  };
  // More: a slot names a row of (label, weight) pairs.
  struct SlotRow {
    uint32_t key;
    uint32_t row;  // first pair << 6 | pairs
  };
  struct Pair {
    uint8_t label;
    int8_t weight;
  };
  friend std::string write_sequence_model(const SequenceDescription&, std::span<const uint64_t>, std::span<const float>, std::span<const float>);
  SequenceModel() = default;
  void read(std::string_view bytes, std::string_view source);
  // Of the features in scratch.list into scratch.scores, [positions, labels].
  void score(Scratch& scratch) const;
  template <class Slot>
  const Slot* find(std::span<const Slot> slots, uint64_t feature) const noexcept;

  base::MappedFile file_;
  std::vector<uint64_t> copy_;
  SequenceDescription description_;
  SequenceRules rules_;
  std::span<const int32_t> transitions_;
  std::span<const Slot4> slots4_;
  std::span<const SlotRow> slots_;
  std::span<const Pair> pairs_;
  size_t used_ = 0;
  size_t size_ = 0;
};

// The bytes of a model from float weights: `features` (hashes, each once), their weights [features, labels] and transitions
// [labels, labels]. Weights become 8-bit numbers, times 1, 2, 4 or 8 by feature; features that are nothing then are left out.
// Throws Error(kInvalid) for more than 255 labels or more than 60 million weights.
std::string write_sequence_model(const SequenceDescription& description, std::span<const uint64_t> features,
                                 std::span<const float> weights, std::span<const float> transitions);

// ---- implementation of the template

template <class Score>
void viterbi(const SequenceRules& rules, std::span<const Score> scores, std::span<const Score> transitions, size_t n,
             std::vector<uint8_t>& back, std::vector<Score>& best, std::vector<uint8_t>& path) {
  const size_t labels = rules.first.size();
  constexpr Score kNever = Score(-1000000000);
  path.resize(n);
  if (n == 0) {
    return;
  }
  back.resize(n * labels);
  best.resize(labels * 2);
  Score* now = best.data();
  Score* next = now + labels;
  for (size_t y = 0; y < labels; ++y) {
    now[y] = rules.first[y] != 0 ? scores[y] : kNever;
  }
  for (size_t i = 1; i < n; ++i) {
    for (size_t y = 0; y < labels; ++y) {
      Score top = 2 * kNever;
      uint8_t from = 0;
      for (const uint8_t p : rules.before[y]) {
        const Score score = now[p] + transitions[p * labels + y];
        if (score > top) {
          top = score;
          from = p;
        }
      }
      // What cannot be stays where it is: sums of it must not run out of an integer.
      next[y] = top <= kNever / 2 ? kNever : top + scores[i * labels + y];
      back[i * labels + y] = from;
    }
    std::swap(now, next);
  }
  size_t state = 0;
  Score top = 2 * kNever;
  for (size_t y = 0; y < labels; ++y) {
    if (rules.last[y] != 0 && now[y] > top) {
      top = now[y];
      state = y;
    }
  }
  for (size_t i = n; i-- > 0;) {
    path[i] = static_cast<uint8_t>(state);
    state = i > 0 ? back[i * labels + state] : 0;
  }
}

}  // namespace slipway::text
