// How toxic a text is, and whether it gives orders to a model that reads it (prompt injection, jailbreaks): by rules, which say what they
// saw, or by a classifier (light_classifier.h, or a model of the caller's). Rules are regular expressions over lines, English and Chinese
// (risk_rules_table.cc, and files of one's own); a line's score is 1 - product of (1 - weight) over the rules that it breaks, a
// text's the highest of its lines. They know words, not meaning: what is quoted or discussed scores as what is said. How often they
// are right is measured in docs/benchmarks.md. Immutable: any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/document_filter.h"
#include "data/light_classifier.h"

namespace slipway::data {

enum class Risk : uint8_t { kToxicity, kPromptInjection };
std::string_view risk_name(Risk risk) noexcept;    // "toxicity", "prompt-injection"
std::string_view risk_member(Risk risk) noexcept;  // "toxicity", "prompt_injection": in documents
// Throws Error(kInvalid) for another name.
Risk risk_from_name(std::string_view name);

struct RiskFinding {
  std::string rule;
  double weight = 0;
  uint64_t line = 0;  // of the text, from 1
};

class RiskScanner {
 public:
  // The built-in rules of a risk and those of `rules`, a file of lines NAME TAB WEIGHT TAB REGEX (RE2; '#' begins a comment). Throws Error(kInvalid)
  // naming the line that is wrong.
  explicit RiskScanner(Risk risk, const std::filesystem::path& rules = {});
  ~RiskScanner();
  RiskScanner(RiskScanner&&) noexcept;

  // 0..1. `findings`: of the worst line, the heaviest first. Texts are folded before: NFKC, lower case, without characters of no width. Lines
  // count up to 16 KiB. Linear.
  double score(std::string_view text, std::vector<RiskFinding>* findings = nullptr) const;
  const std::string& digest() const noexcept { return digest_; }  // of all rules

 private:
  struct Rules;
  std::unique_ptr<const Rules> rules_;
  std::string digest_;
};

// A classifier's probability that a text is of one of some classes.
class LightRisk {
 public:
  // `positive`: the classes that count; empty: the one that is called as the risk, or usual names of it. Throws Error(kInvalid | kNotFound | kIntegrity).
  LightRisk(const std::filesystem::path& model, Risk risk, const std::vector<std::string>& positive);
  double score(std::string_view text) const;
  const std::string& digest() const noexcept { return digest_; }

 private:
  LightModel model_;
  std::vector<size_t> positive_;
  std::string digest_;
};

// Which of a model's labels say that a text is of the risk: `wanted`, or the one of a usual name ("toxic", "injection", "unsafe", "1", …). Throws
// Error(kInvalid) naming the labels when none is.
std::vector<size_t> positive_labels(const std::vector<std::string>& labels, Risk risk, const std::vector<std::string>& wanted, const std::string& where);

struct RiskFilterOptions {
  Risk risk = Risk::kToxicity;
  std::filesystem::path rules;
  std::filesystem::path model;  // a light classifier, in place of the rules
  std::vector<std::string> positive;
  double high = 0.5;  // documents above it go; 1: none
};
// A filter of `data clean` with the signal risk_member().
std::shared_ptr<const DocumentFilter> make_risk_filter(const RiskFilterOptions& options);

}  // namespace slipway::data
