// What the sequence labeller sees of each token: hashes of the token, its neighbours, its parts and what a dictionary says.
// The features are part of the model's format (kFeatureVersion): a change of them makes old models useless. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/lexicon_marks.h"

namespace slipway::text {

constexpr int kFeatureVersion = 1;  // stored

// Stored in model files.
enum class SequenceTask : uint8_t {
  kSegment = 0,  // characters to words: B M E S
  kPos = 1,      // words to parts of speech
  kEntities = 2, // words or characters to spans of named entities
  kLemma = 3,    // words and their parts of speech to edits that make lemmas
  kRelations = 4,  // pairs of entities to relations (relation_tagger.h)
};

// The features of a sequence, position after position: those of i are hashes[begins[i] .. begins[i + 1]).
struct FeatureList {
  std::vector<uint64_t> hashes;
  std::vector<uint32_t> begins;

  size_t size() const noexcept { return begins.empty() ? 0 : begins.size() - 1; }
  std::span<const uint64_t> at(size_t i) const noexcept {
    return {hashes.data() + begins[i], hashes.data() + begins[i + 1]};
  }
  void clear() {
    hashes.clear();
    begins.assign(1, 0);
  }
};

struct FeatureScratch {
  std::vector<uint32_t> codes;
  std::vector<uint8_t> kinds;
  std::vector<uint64_t> words;   // hashes by token and attribute
  std::vector<uint64_t> before;  // the dictionary's word before and after the one at each position
  std::vector<uint64_t> after;
};

// For kSegment: a position is a character. `marks`: one a character, or empty when the model knows no dictionary.
void character_features(std::u32string_view characters, std::span<const LexiconMark> marks, FeatureScratch& scratch, FeatureList& out);

// For the other tasks: a position is a token. `tags`: parts of speech that features may use (kLemma), or empty. `marks`: one
// a token, for sequences of single characters, or empty.
void token_features(SequenceTask task, std::span<const std::string_view> tokens, std::span<const std::string_view> tags,
                    std::span<const LexiconMark> marks, FeatureScratch& scratch, FeatureList& out);

}  // namespace slipway::text
