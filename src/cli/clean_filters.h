// Flags of the filters beside the presets' rules, which `data clean` and `data scan` share. Main thread.
#pragma once

#include <string>
#include <vector>

#include "base/fields.h"
#include "data/document_filter.h"
#include "data/perplexity_filter.h"
#include "data/risk_scanner.h"
#include "data/url_filter.h"

namespace slipway::cli {

// --perplexity-…: which models, and what they are asked.
struct PerplexityFlags {
  std::vector<std::string> models;      // FILE, or LANGUAGE=FILE
  std::vector<std::string> tokenizers;  // likewise
  std::string cutoffs;
  data::PerplexityOptions options;
  void describe(base::FieldTable& flags);
  bool given() const noexcept { return !models.empty(); }
  // Throws Error(kInvalid).
  data::PerplexityOptions resolved() const;
};

class CleanFilters {
 public:
  void describe(base::FieldTable& flags);
  // In the order in which they decide. Throws Error(kInvalid | kNotFound | kIntegrity).
  data::DocumentFilters make() const;

 private:
  std::vector<std::string> url_domains_;
  std::vector<std::string> url_list_;
  std::vector<std::string> url_banned_words_;
  std::vector<std::string> url_soft_words_;
  std::vector<std::string> url_subwords_;
  std::vector<std::string> url_fields_;
  data::UrlFilterOptions url_;
  PerplexityFlags perplexity_;
  double min_perplexity_ = 0;
  double max_perplexity_ = 0;
  std::vector<std::string> scan_;
  std::string toxicity_rules_;
  std::string toxicity_model_;
  std::string injection_rules_;
  std::string injection_model_;
  double max_toxicity_ = 0.5;
  double max_injection_ = 0.5;
  std::vector<std::string> limits_;
};

}  // namespace slipway::cli
