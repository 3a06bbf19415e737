// Keep or drop by quality: presets are lists of stages, a stage is a family of signals and the rules that decide on
// them in the order of the published code; every threshold can be set. The first rule that is broken is the reason.
//
//   QualityOptions options = quality_preset("fineweb");
//   options.set("min_doc_words", "30", "where");
//   QualityScanner scanner(options);             // one per thread
//   Signals signals;
//   Verdict verdict = scanner.judge(text, signals);   // may shorten the text: C4 drops lines
//   if (!verdict.keep()) … verdict.reason, verdict.signal, verdict.value
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "data/signals.h"

namespace slipway::data {

enum class QualityStage : uint8_t {
  kRepetition,
  kGopher,
  kC4,
  kC4Paragraphs,
  kC4BadWords,
  kFineweb,
  kDolma,
  kRedpajama,
  kNemo
};

// A setting of a stage, by the peer's name for it. A threshold has a signal; other settings change what is measured.
struct QualityParameter {
  QualityStage stage;
  std::string_view name;
  double value;  // default; NaN: off
};

struct QualityOptions {
  std::string preset;                // its name, for the record
  std::vector<QualityStage> stages;  // in order
  std::vector<double> values;        // of quality_parameters(), same order; NaN: rule off
  std::vector<std::string> bad_words;
  std::string bad_words_language = "en";
  std::vector<std::string> stop_words;  // RedPajama's rps_doc_stop_word_fraction
  bool all_signals = false;             // compute every family, and all signals of dropped texts too

  // Sets the parameter `name` of the preset's stages to a number, or turns its rule off ("off"). Throws Error(kInvalid)
  // naming `where` for an unknown name, with the nearest known one.
  void set(const std::string& name, const std::string& value, const std::string& where);
};

std::span<const QualityParameter> quality_parameters() noexcept;
std::span<const std::string_view> quality_presets() noexcept;
// Throws Error(kInvalid) for an unknown name.
QualityOptions quality_preset(const std::string& name);
// The resolved options: {preset, parameters: {stage: {name: value}}, bad_words: n, …}.
base::Json to_json(const QualityOptions& options);

struct Verdict {
  std::string_view reason;       // empty: keep
  std::optional<Signal> signal;  // none when the text was empty
  double value = 0;
  bool keep() const noexcept { return reason.empty(); }
};

class QualityScanner {
 public:
  explicit QualityScanner(const QualityOptions& options);
  ~QualityScanner();
  QualityScanner(QualityScanner&&) noexcept;
  QualityScanner& operator=(QualityScanner&&) = delete;
  QualityScanner(const QualityScanner&) = delete;
  QualityScanner& operator=(const QualityScanner&) = delete;

  // Replaces `signals`. A kept text may have lost lines (C4); a dropped one is as it was. Text must be valid UTF-8.
  Verdict judge(std::string& text, Signals& signals);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::data
