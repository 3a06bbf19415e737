// Labelling functions from configuration: each votes for one class on the texts that it matches, and abstains on others.
//     functions:
//       - {name: money, label: finance, regex: "(?i:\\$|usd) ?\\d+"}
//       - {name: sport words, label: sport, keywords: [goal, "free kick"]}
//       - {name: clubs, label: sport, dictionary: clubs.txt}     # a term a line, '#' begins a comment
// Terms match whole words (of any language, a Han ideograph is one) whatever their case, in order, with only blanks and punctuation between.
// Immutable once made: any thread.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/json.h"
#include "data/weak_labels.h"
#include "text/regex.h"

namespace slipway::data {

class LabellingFunctions {
 public:
  // `config`: the object above; `folder`: where dictionaries are looked for; classes: what labels may be. Throws Error(kInvalid) naming
  // `source` and the function: unknown keys or labels, a name twice, not one of regex, keywords, dictionary; a broken expression; above
  // 1,000 functions, 1,000,000 terms, 16 words a term. Error(kNotFound): a dictionary.
  LabellingFunctions(const base::Json& config, std::span<const std::string> classes, const std::filesystem::path& folder, std::string_view source);
  ~LabellingFunctions();
  LabellingFunctions(LabellingFunctions&&) noexcept;

  const std::vector<std::string>& names() const noexcept { return names_; }
  // Appends a row to `votes` (whose voters and classes are set with the first). O(words * longest term) and the expressions, each within
  // text::Regex' limit of steps; one that passes it abstains.
  void vote(std::string_view text, VoteMatrix& votes) const;

 private:
  struct Function;
  void add(const base::Json& json, std::span<const std::string> classes, const std::filesystem::path& folder, std::string_view source);
  std::vector<std::string> names_;
  std::vector<Function> functions_;
  int classes_ = 0;
  size_t terms_ = 0;
  size_t longest_ = 0;  // words of a term
};

}  // namespace slipway::data
