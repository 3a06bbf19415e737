// The "model" section of a tokenizer.json: what cuts a pre-token into pieces of the vocabulary. One class and file an
// algorithm. Immutable after loading: any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/vocabulary.h"

namespace slipway::text {

struct Piece {
  int32_t id;
  uint32_t begin;  // bytes of the word, half-open
  uint32_t end;
};

class TokenModel {
 public:
  virtual ~TokenModel() = default;
  // Appends the pieces of `word` (valid UTF-8, not empty).
  virtual void tokenize(std::string_view word, std::vector<Piece>& pieces) const = 0;
};

// The merges of a BPE model, best first, as pairs of texts in one block of bytes.
struct MergeList {
  struct Place {
    uint32_t begin;
    uint32_t middle;
    uint32_t end;
  };
  std::string bytes;
  std::vector<Place> places;

  void add(std::string_view left, std::string_view right);
  // "left right" with one space; false when it is not that.
  bool add(std::string_view line);
  std::string_view left(size_t i) const noexcept {
    return std::string_view(bytes).substr(places[i].begin, places[i].middle - places[i].begin);
  }
  std::string_view right(size_t i) const noexcept {
    return std::string_view(bytes).substr(places[i].middle, places[i].end - places[i].middle);
  }
};

// The large lists of a model section, read apart from its JSON.
struct ModelLists {
  MergeList merges;
  std::vector<double> scores;  // of a Unigram model, by id
};

// `json` is the model section without its vocabulary, which is borrowed and outlives the model.
// Throws Error(kInvalid) naming an unsupported type, a missing unknown token, a merge of no tokens, ...
std::unique_ptr<TokenModel> parse_model(const base::Json& json, const ModelLists& lists, const Vocabulary& vocabulary,
                                        const std::string& source);

struct BpeOptions;
// Throws Error(kInvalid) naming the first merge whose tokens, or whose result, the vocabulary lacks.
std::unique_ptr<TokenModel> make_bpe(const BpeOptions& options, const MergeList& merges, const Vocabulary& vocabulary,
                                     const std::string& source);

}  // namespace slipway::text
