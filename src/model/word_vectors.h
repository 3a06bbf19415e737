// Static word vectors, the models before transformers: word2vec (text and binary), GloVe (text without a first line)
// and fastText (.vec as word2vec's text; .bin with vectors for parts of words, so that unknown words have one too).
// Immutable after loading; any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace slipway::model {

inline constexpr int64_t kMaxWords = 20'000'000;
inline constexpr int kMaxVectorDim = 16'384;
inline constexpr size_t kMaxWordBytes = 4'096;
inline constexpr int kMaxSubwordBuckets = 50'000'000;

enum class WordVectorFormat { kWord2VecText, kWord2VecBinary, kGlove, kFastTextBinary };
const char* word_vector_format_name(WordVectorFormat format) noexcept;

class WordVectors {
 public:
  // The format is told by the first bytes. Texts may be compressed (gzip, zstd). At most `max_words` words are read,
  // the first ones, which are the most frequent; 0: all. A word that comes again is passed over (old files have some).
  // Throws Error(kNotFound), kIntegrity naming line or byte of a file that is damaged or cut short, kInvalid for sizes
  // out of bounds and for quantised fastText models.
  static WordVectors load(const std::filesystem::path& path, int64_t max_words = 0);

  WordVectors(WordVectors&&) noexcept = default;
  WordVectors& operator=(WordVectors&&) noexcept = default;
  WordVectors(const WordVectors&) = delete;  // the index points into the words
  WordVectors& operator=(const WordVectors&) = delete;

  WordVectorFormat format() const noexcept { return format_; }
  int dim() const noexcept { return dim_; }
  size_t size() const noexcept { return words_.size(); }
  const std::vector<std::string>& words() const { return words_; }
  // A word's place in words(); -1 when the vocabulary does not have it.
  int64_t index(std::string_view word) const;
  // The stored vector [dim] of the word at that place; empty when there is none there.
  std::span<const float> row(int64_t place) const;
  // The stored vector [dim]; empty when the word is not in the vocabulary.
  std::span<const float> find(std::string_view word) const;
  // The vector of any word: the stored one or, of a fastText .bin, the mean over its parts; nullopt when there is none.
  // Bojanowski et al. 2017.
  std::optional<std::vector<float>> vector(std::string_view word) const;

  struct Neighbour {
    std::string word;
    float similarity = 0;  // cosine
  };
  // The `count` words nearest to `query` [dim] by cosine, best first, equals by their place in the file; words of
  // `except` are left out. One pass over the matrix.
  std::vector<Neighbour> nearest(std::span<const float> query, int count,
                                 const std::vector<std::string>& except = {}) const;
  // a is to b as c is to ...: nearest to b - a + c of unit vectors (Mikolov et al. 2013), the three left out. Throws
  // Error(kNotFound) naming a word that has no vector.
  std::vector<Neighbour> analogy(const std::string& a, const std::string& b, const std::string& c, int count) const;
  // Cosine of two words' vectors; Error(kNotFound) as above.
  float similarity(const std::string& a, const std::string& b) const;

 private:
  friend class WordVectorReader;
  WordVectors() = default;
  void finish();  // index and norms
  std::vector<float> unit(const std::string& word) const;
  void subword_rows(std::string_view word, std::vector<int64_t>& rows) const;

  WordVectorFormat format_ = WordVectorFormat::kWord2VecText;
  int dim_ = 0;
  std::vector<std::string> words_;
  std::vector<float> matrix_;  // [words, dim]
  std::vector<float> norms_;   // [words]
  std::unordered_map<std::string_view, int64_t> index_;
  // fastText .bin: vectors of n-grams of characters by hash.
  std::vector<float> subwords_;  // [buckets, dim]
  int buckets_ = 0;
  int min_ngram_ = 0;
  int max_ngram_ = 0;
};

}  // namespace slipway::model
