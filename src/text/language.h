// Which language a text is in: evidence of the script first (exact for Chinese, Japanese, Korean, Greek, Thai ...
// however short), then CLD2's model of 80 languages for scripts that many languages share, then an n-gram model of more than 300
// (language_model.h). Any thread; tables are compiled in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace slipway::text {

struct LanguageGuess {
  std::string code = "und";  // ISO 639-1 ("en", "zh"; a three-letter code where there is no other), "und" when unknown
  double confidence = 0;     // 0..1: share of the letters that speak for it, lowered for short texts
  bool reliable = false;     // sure enough to drop a row on it
};

// Invalid UTF-8 is replaced first. Texts without letters are "und". Chinese, traditional or simplified, is "zh". Cost
// linear; only the first 64 KiB are looked at. What CLD2 has no name for is looked up in the n-gram model.
LanguageGuess detect_language(std::string_view text);

class LanguageModel;

// The `top` most probable languages, the best first, among all that the model, the scripts and CLD2 know. Codes are those of
// LanguageModel::languages(): "sr-Latn" and "sr-Cyrl", "zh-Hans" and "zh-Hant" are two. Confidences are probabilities. A
// text without letters gives one "und" of confidence 0.
std::vector<LanguageGuess> identify_languages(std::string_view text, size_t top, const LanguageModel& model);

}  // namespace slipway::text
