// Checks on documents before they become a dataset. A report, not an exception: the caller decides what a failure
// means.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fields.h"
#include "data/document.h"

namespace slipway::data {

// `validate: {max_missing: 0, label_balance: 0.2, leak: train/test}`
struct ValidateOptions {
  double max_missing = 0;     // largest share of documents without text or, when labels are wanted, without a label
  double label_balance = 0;   // the rarest label's share must be at least this
  int64_t min_per_label = 1;  // documents of each label, in each split that is not empty by choice
  int64_t min_rows = 1;       // documents in all
  std::string leak = "train/test";  // pairs of splits "a/b", comma separated; "none": not checked
  double leak_jaccard = 0.8;        // near duplicates of at least this similarity count as leaked
  double max_leak = 0;              // largest share of the second split that may be leaked
  Json expectations;                // a suite (expectations.h) over the documents' rows; a text: the file of one, which the caller reads

  void describe(base::FieldTable& fields);
};

ValidateOptions parse_validate_options(const Json& object, const std::string& where);
Json to_json(const ValidateOptions& options);

struct Check {
  std::string
      name;  // "missing_text", "missing_label", "unknown_labels", "label_balance", "min_per_label", "leak:train/test"
  bool passed = false;
  double value = 0;     // what was measured
  double limit = 0;     // what was wanted
  std::string message;  // one sentence for people
  Json evidence;        // counts, examples (ids and the beginnings of texts)
};

struct ValidationReport {
  std::vector<Check> checks;
  int64_t rows = 0;
  bool passed() const noexcept;
  // "2 of 6 checks failed: label_balance (0.12 < 0.2), …" or "6 checks passed".
  std::string summary() const;
};
Json to_json(const ValidationReport& report);

}  // namespace slipway::data
