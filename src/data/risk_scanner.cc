#include "data/risk_scanner.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <re2/re2.h>
#include <re2/set.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/input.h"
#include "data/risk_rules.h"
#include "data/web_text.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr size_t kMaxLine = size_t{16} << 10U;

struct OwnRule {
  std::string name;
  double weight;
  std::string pattern;
};

std::vector<OwnRule> read_rules(const fs::path& file) {
  std::vector<OwnRule> rules;
  base::LineReader reader(file);
  for (std::string_view line; reader.next(line);) {
    if (line.empty() || line.starts_with('#')) {
      continue;
    }
    const size_t first = line.find('\t');
    const size_t second = first == std::string_view::npos ? first : line.find('\t', first + 1);
    OwnRule rule{std::string(line.substr(0, first)), 0, {}};
    bool good = second != std::string_view::npos && first > 0 && second + 1 < line.size();
    if (good) {
      const std::string_view weight = line.substr(first + 1, second - first - 1);
      const auto [end, error] = std::from_chars(weight.data(), weight.data() + weight.size(), rule.weight);
      good = error == std::errc() && end == weight.data() + weight.size() && rule.weight > 0 && rule.weight <= 1;
      rule.pattern = line.substr(second + 1);
    }
    if (!good) {
      throw Error(Code::kInvalid, fmt::format("'{}' line {}: write NAME, a weight above 0 and up to 1, and a regular expression, with tabs between",
                                              file.string(), reader.line_number()));
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

// What hides words without being seen.
bool has_no_width(char32_t c) noexcept {
  return c == 0xAD || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x2064) || c == 0xFEFF;
}

std::string fold(std::string_view line) {
  if (is_ascii(line)) {
    std::string lower;
    lower_ascii(line, lower);
    return lower;
  }
  std::string seen;
  for (size_t at = 0; at < line.size();) {
    const text::Decoded c = text::decode_at(line, at);
    if (!has_no_width(c.code)) {
      seen.append(line, at, c.size);
    }
    at += c.size;
  }
  return text::lowercase(text::normalize(seen, text::NormalForm::kNfkc));
}

class RiskFilter final : public DocumentFilter {
 public:
  explicit RiskFilter(const RiskFilterOptions& options) : options_(options), reason_(risk_member(options.risk)) {
    if (options.model.empty()) {
      rules_.emplace(options.risk, options.rules);
    } else {
      model_.emplace(options.model, options.risk, options.positive);
    }
  }
  base::Json description() const override {
    return {{"risk", risk_name(options_.risk)}, {"high", options_.high}, {"scanner", rules_ ? rules_->digest() : model_->digest()}, {"positive", options_.positive}};
  }
  FilterVerdict judge(std::string_view, std::string_view text, std::vector<NamedSignal>& signals) const override {
    const double score = rules_ ? rules_->score(text) : model_->score(text);
    signals.push_back({reason_, score});
    return score > options_.high ? FilterVerdict{reason_, reason_, score} : FilterVerdict{};
  }

 private:
  RiskFilterOptions options_;
  std::string_view reason_;
  std::optional<RiskScanner> rules_;
  std::optional<LightRisk> model_;
};

}  // namespace

std::string_view risk_name(Risk risk) noexcept { return risk == Risk::kToxicity ? "toxicity" : "prompt-injection"; }
std::string_view risk_member(Risk risk) noexcept { return risk == Risk::kToxicity ? "toxicity" : "prompt_injection"; }
Risk risk_from_name(std::string_view name) {
  for (const Risk risk : {Risk::kToxicity, Risk::kPromptInjection}) {
    if (name == risk_name(risk) || name == risk_member(risk)) {
      return risk;
    }
  }
  throw Error(Code::kInvalid, fmt::format("unknown risk '{}'; there are toxicity and prompt-injection", name));
}

struct RiskScanner::Rules {
  std::vector<std::string> names;
  std::vector<double> weights;
  std::unique_ptr<re2::RE2::Set> set;
};

RiskScanner::RiskScanner(Risk risk, const fs::path& rules) {
  auto made = std::make_unique<Rules>();
  re2::RE2::Options flags;
  flags.set_log_errors(false);
  flags.set_max_mem(int64_t{128} << 20);
  made->set = std::make_unique<re2::RE2::Set>(flags, re2::RE2::UNANCHORED);
  std::string all;
  const auto add = [&](const std::string& name, double weight, const std::string& pattern) {
    std::string error;
    if (made->set->Add(pattern, &error) < 0) {
      throw Error(Code::kInvalid, fmt::format("'{}': rule '{}': {}", rules.string(), name, error));
    }
    made->names.push_back(name);
    made->weights.push_back(weight);
    all += fmt::format("{}\t{}\t{}\n", name, weight, pattern);
  };
  for (const RiskRule& rule : risk_rules()) {
    if (rule.risk == risk) {
      add(rule.name, rule.weight, rule.pattern);
    }
  }
  if (!rules.empty()) {
    for (const OwnRule& rule : read_rules(rules)) {
      add(rule.name, rule.weight, rule.pattern);
    }
  }
  if (!made->set->Compile()) {
    throw Error(Code::kInvalid, fmt::format("'{}': the rules are too many", rules.string()));
  }
  digest_ = base::sha256_hex(all);
  rules_ = std::move(made);
}
RiskScanner::~RiskScanner() = default;
RiskScanner::RiskScanner(RiskScanner&&) noexcept = default;

double RiskScanner::score(std::string_view text, std::vector<RiskFinding>* findings) const {
  double worst = 0;
  uint64_t number = 0;
  std::vector<int> hits;
  std::vector<int> worst_hits;
  uint64_t worst_line = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, std::min(end - begin, kMaxLine));
    begin = end + 1;
    ++number;
    if (line.empty() || !rules_->set->Match(fold(line), &hits)) {
      continue;
    }
    double free = 1;
    std::sort(hits.begin(), hits.end());  // so that rounding is the same each time
    for (const int hit : hits) {
      free *= 1 - rules_->weights[static_cast<size_t>(hit)];
    }
    if (1 - free > worst) {
      worst = 1 - free;
      worst_hits = hits;
      worst_line = number;
    }
  }
  if (findings != nullptr) {
    findings->clear();
    for (const int hit : worst_hits) {
      findings->push_back({rules_->names[static_cast<size_t>(hit)], rules_->weights[static_cast<size_t>(hit)], worst_line});
    }
    std::stable_sort(findings->begin(), findings->end(), [](const RiskFinding& a, const RiskFinding& b) { return a.weight > b.weight; });
  }
  return worst;
}

std::vector<size_t> positive_labels(const std::vector<std::string>& labels, Risk risk, const std::vector<std::string>& wanted, const std::string& where) {
  constexpr std::array<std::array<std::string_view, 6>, 2> kUsual = {{{"toxicity", "toxic", "offensive", "hate", "abusive", "hateful"},
                                                                      {"prompt-injection", "prompt_injection", "injection", "jailbreak", "INJECTION", "malicious"}}};
  std::vector<std::string> names = wanted;
  const auto place = [&](std::string_view name) {
    return static_cast<size_t>(std::find(labels.begin(), labels.end(), name) - labels.begin());
  };
  if (names.empty()) {
    for (const std::string_view name : kUsual[static_cast<size_t>(risk)]) {
      if (place(name) < labels.size()) {
        names.emplace_back(name);
      }
    }
    for (const std::string_view name : {"unsafe", "1", "true", "yes", "positive", "LABEL_1"}) {
      if (names.empty() && place(name) < labels.size()) {
        names.emplace_back(name);
      }
    }
  }
  std::vector<size_t> found;
  for (const std::string& name : names) {
    if (place(name) == labels.size()) {
      throw Error(Code::kInvalid, fmt::format("{} has no label '{}'; it has {}", where, name, fmt::join(labels, ", ")));
    }
    found.push_back(place(name));
  }
  if (found.empty()) {
    throw Error(Code::kInvalid, fmt::format("which of the labels of {} mean {}? Name them; it has {}", where, risk_name(risk), fmt::join(labels, ", ")));
  }
  return found;
}

LightRisk::LightRisk(const fs::path& model, Risk risk, const std::vector<std::string>& positive)
    : model_(LightModel::open(model)), positive_(positive_labels(model_.labels, risk, positive, "'" + model.string() + "'")), digest_(base::sha256_file(model)) {}

double LightRisk::score(std::string_view text) const {
  const std::vector<double> p = model_.classifier.probabilities(text_features(text, model_.classifier.bits()));
  double sum = 0;
  for (const size_t label : positive_) {
    sum = model_.classifier.several() ? std::max(sum, p[label]) : sum + p[label];
  }
  return std::min(sum, 1.0);
}

std::shared_ptr<const DocumentFilter> make_risk_filter(const RiskFilterOptions& options) { return std::make_shared<RiskFilter>(options); }

}  // namespace slipway::data
