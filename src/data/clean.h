// Cleaning: an ordered list of steps, each of which changes a text or drops it with a reason. A Cleaner is immutable:
// any thread may use it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/document.h"
#include "data/quality.h"

namespace slipway::data {

// `clean: [unicode, boilerplate, {language: [en, zh]}, {length: {min: 2, max: 512}}, pii]`; a preset of quality.h is a
// step, too: `gopher`, or `{fineweb: {min_doc_words: 30, short_line_thr: off}}`.
enum class CleanKind {
  kUnicode,
  kControl,
  kEntities,
  kHtml,
  kWhitespace,
  kBoilerplate,
  kLanguage,
  kLength,
  kPii,
  kQuality
};

struct CleanStep {
  CleanKind kind = CleanKind::kUnicode;
  std::vector<std::string> languages;  // language: ISO 639-1 codes that are kept
  double min_confidence = 0;           // language: below it a text counts as unknown
  bool keep_unknown = true;            // language: texts too short to tell are kept (snippets), unless false
  int64_t min_words = 0;               // length
  int64_t max_words = 1LL << 62;       // length
  QualityOptions quality;              // quality: the preset and its thresholds
  Json quality_settings;               // quality: those that were set, as they were given
};

struct CleanOptions {
  std::vector<CleanStep> steps;
};

// Throws Error(kInvalid) naming `where` for an unknown step or key, with the nearest known one.
CleanOptions parse_clean_options(const Json& list, const std::string& where);
Json to_json(const CleanOptions& options);

class Cleaner {
 public:
  explicit Cleaner(CleanOptions options);
  ~Cleaner();
  Cleaner(Cleaner&&) noexcept;
  Cleaner& operator=(Cleaner&&) noexcept;
  // Changes the text in place. Returns the reason when the document is dropped ("too_short", "too_long",
  // "language:de", "empty", a preset's reason), else an empty string. A text left empty is always dropped.
  std::string apply(Document& document, int64_t& masked) const;

 private:
  class Scanners;  // quality scanners that no thread uses at the moment

  CleanOptions options_;
  std::unique_ptr<Scanners> scanners_;
};

}  // namespace slipway::data
