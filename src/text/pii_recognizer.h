// How a recogniser of personal data is written down: patterns, a check of what they match, context words. One file a
// family (pii_*.cc); pii.cc runs them. Internal to pii*.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace slipway::text {

// What a check says of a match: nothing (the pattern's score stays), valid (score 1) or not (dropped).
enum class PiiVerdict : uint8_t { kUnknown, kValid, kInvalid };

struct PiiPattern {
  const char* regex;  // ignoring case; see regex.h
  float score;
  // What must stand before a match and end where it begins, likewise; null: anything.
  const char* label = nullptr;
};

// Patterns that no run of digits announces have a search of their own.
enum class PiiSearch : uint8_t { kNearDigits, kEmail, kUrl, kPhone, kIban };

struct PiiRecognizer {
  const char* type;
  const char* group;  // "generic", "us", …
  std::vector<PiiPattern> patterns;
  PiiVerdict (*check)(std::string_view match) = nullptr;
  std::vector<const char*> context;  // lower case, single words (a context word is looked for inside words of the text)
  PiiSearch search = PiiSearch::kNearDigits;
};

std::span<const PiiRecognizer> pii_generic();
std::span<const PiiRecognizer> pii_america();  // US, CA
std::span<const PiiRecognizer> pii_us_health();
std::span<const PiiRecognizer> pii_europe();   // UK, ES, IT, PL, FI, SE, TR
std::span<const PiiRecognizer> pii_germany();
std::span<const PiiRecognizer> pii_asia();  // SG, AU, IN, KR, TH, PH, NG, ZA
std::span<const PiiRecognizer> pii_china();

}  // namespace slipway::text
