// Which language a text is in by its character n-grams: naive Bayes over the n-grams that are frequent in each of more than 300
// languages. The program's own model is made from the Universal Declaration of Human Rights (public domain) by
// `slipway train langid`; language.h puts it beside what scripts and CLD2 say. On disk: docs/formats/language-model.md.
// Immutable: any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::text {

class LanguageModel {
 public:
  // The model that the program brings.
  static const LanguageModel& builtin();
  // Throws Error(kNotFound | kIntegrity).
  static std::shared_ptr<const LanguageModel> open(const std::filesystem::path& file);
  static std::shared_ptr<const LanguageModel> from_bytes(std::string_view bytes, std::string_view source);

  // "en", "sr-Latn", "zh-Hans": ISO 639-1 where there is one, else 639-3, and the script where a language is written in several.
  const std::vector<std::string>& languages() const noexcept { return languages_; }

  // The numbers of the languages of this code, whatever their script; ascending.
  std::span<const uint16_t> of_code(std::string_view code) const noexcept;

  // Replaces `scores` by one for each language: the sum over n-grams of the text of how much more frequent each is in that
  // language than one never seen, in natural logarithms. Returns how many n-grams any language knows. Only the first 64 KiB count.
  size_t score(std::string_view text, std::vector<float>& scores) const;

 private:
  struct Slot {
    uint32_t key;  // 0: empty
    uint32_t row;  // first pair << 9 | pairs
  };
  LanguageModel() = default;
  void read(std::string_view bytes, std::string_view source);

  void spread_frequent();

  std::vector<std::string> languages_;
  std::map<std::string, std::vector<uint16_t>, std::less<>> of_code_;
  std::vector<Slot> slots_;
  std::vector<uint16_t> labels_;  // of the pairs
  std::vector<uint8_t> weights_;
  // N-grams of many languages once more, a weight for each language, zero for the others: added many at a time.
  std::vector<uint32_t> spread_;  // of each slot: 1 + its row, 0: none
  std::vector<uint8_t> rows_;
  size_t stride_ = 0;  // of a row: the languages, filled up to whole vectors
};

// "sr" of "sr-Latn".
inline std::string_view without_script(std::string_view code) noexcept { return code.substr(0, code.find('-')); }

// Scores to probabilities: a long text's n-grams do not count for as much as independent ones would.
void language_probabilities(std::span<const float> scores, size_t ngrams, std::vector<double>& probabilities);

struct LanguageText {
  std::string language;  // a label; texts of one label are one
  std::string text;
};

struct LanguageTrainOptions {
  int ngrams = 700;  // kept of each language, the most frequent
};

// The bytes of a model. The same texts give the same bytes. Throws Error(kInvalid) for less than two or more than 511 languages.
std::string train_language_model(std::span<const LanguageText> texts, const LanguageTrainOptions& options);

// The label of a file called as the Universal Declaration's are, "LLL", "LLL_script" or "LLL_variant" with an ISO 639-3 code: "srp_latn"
// is "sr-Latn", "por_BR" is "pt". Empty for a name of another kind.
std::string language_of_name(std::string_view name);

}  // namespace slipway::text
