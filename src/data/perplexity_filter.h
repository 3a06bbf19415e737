// How surprising a document is to a language model: perplexity under n-gram models as CCNet (Wenzek et al. 2020) computes it, a line a
// sentence: 10^(-sum of log10 p / (words + lines)). Documents fall into head, middle and tail by two perplexities a language.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/document_filter.h"
#include "text/ngram_model.h"
#include "text/tokenizer.h"

namespace slipway::data {

// A line as CCNet feeds it to its models: stripped, lower case, without accents, digits as 0, ASCII punctuation, no control characters.
std::string ccnet_normalize(std::string_view line);

enum class NgramUnits { kWords, kCharacters, kPieces };  // at white space; all but white space; of a tokenizer

class NgramScorer {
 public:
  // Throws as NgramModel::open and text::load_tokenizer.
  NgramScorer(const std::filesystem::path& model, NgramUnits units, const std::filesystem::path& tokenizer, bool normalize);
  // Nothing for a text without words. `unknown`: share of the words that the model does not know.
  std::optional<double> perplexity(std::string_view text, double* unknown = nullptr) const;

 private:
  std::shared_ptr<const text::NgramModel> model_;
  std::shared_ptr<const text::Tokenizer> tokenizer_;
  NgramUnits units_;
  bool normalize_;
};

// The units of a line, with spaces between: what models are trained on and asked.
std::string ngram_units(std::string_view line, NgramUnits units, const text::Tokenizer* tokenizer, bool normalize);

struct PerplexityCutoffs {
  double head = 0;    // below: head
  double middle = 0;  // below: middle; else tail
};

struct PerplexityOptions {
  // By language; "" is for all that have none of their own.
  std::map<std::string, std::filesystem::path> models;
  std::map<std::string, std::filesystem::path> tokenizers;  // "" likewise; a file, or "words", "characters"
  std::filesystem::path cutoffs;                            // lines LANGUAGE HEAD MIDDLE, "*" for all others; empty: no buckets
  std::vector<std::string> keep;                            // buckets; empty: all
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool normalize = true;
  std::string language_field = "language";  // a path of members; without it the language is identified
};

// Signals "perplexity", "perplexity_unknown", "perplexity_language", "perplexity_bucket". A document in a language without a model passes.
class PerplexityFilter final : public DocumentFilter {
 public:
  explicit PerplexityFilter(const PerplexityOptions& options);
  base::Json description() const override;
  FilterVerdict judge(std::string_view line, std::string_view text, std::vector<NamedSignal>& signals) const override;

 private:
  struct Language {
    std::string name;
    NgramScorer scorer;
    std::optional<PerplexityCutoffs> cutoffs;
  };
  const Language* language_of(std::string_view line, std::string_view text) const;

  PerplexityOptions options_;
  std::map<std::string, Language> languages_;
  base::Json description_;
};

// Throws Error(kInvalid) naming the line.
std::map<std::string, PerplexityCutoffs> read_cutoffs(const std::filesystem::path& file);

}  // namespace slipway::data
