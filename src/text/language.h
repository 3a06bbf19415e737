// Which language a text is in: evidence of the script first (exact for Chinese, Japanese, Korean, Greek, Thai ...
// however short), then CLD2's n-gram model for scripts that many languages share. Any thread; tables are compiled in.
#pragma once

#include <string>
#include <string_view>

namespace slipway::text {

struct LanguageGuess {
  std::string code = "und";  // ISO 639-1 ("en", "zh"; a three-letter code where there is no other), "und" when unknown
  double confidence = 0;     // 0..1: share of the letters that speak for it, lowered for short texts
  bool reliable = false;     // sure enough to drop a row on it
};

// Invalid UTF-8 is replaced first. Texts without letters are "und". Chinese, traditional or simplified, is "zh". Cost
// linear; only the first 64 KiB are looked at.
LanguageGuess detect_language(std::string_view text);

}  // namespace slipway::text
