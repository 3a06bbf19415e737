#include "data/label_rules.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <re2/re2.h>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>

#include "base/error.h"
#include "text/unicode.h"
#include "text/words.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;
using record::Question;
using record::Suggestion;

constexpr int64_t kMaxProgram = 8 << 20;  // bytes of a compiled expression

struct Term {
  std::vector<std::string> words;   // folded
  std::vector<std::string> exact;   // as written; empty: case does not matter
  size_t label = 0;
};

struct Expression {
  std::unique_ptr<RE2> re;
  size_t label = 0;
};

// Byte ranges with labels, in the order they were found.
struct Match {
  size_t begin = 0, end = 0;
  size_t label = 0;
};

bool asks(const record::AnnotationScheme& scheme, Question question) {
  return std::find(scheme.questions.begin(), scheme.questions.end(), question) != scheme.questions.end();
}

}  // namespace

struct LabelRules::Impl {
  struct Named {
    std::string name;
    bool span = false;
  };
  std::vector<Named> labels;
  std::unordered_map<std::string, std::vector<Term>> terms;  // by their first word
  std::vector<Expression> expressions;
  bool several = false;    // classes
  bool overlapping = true;  // spans
  bool any_terms = false;

  Suggestion suggestion(const char* source, const record::Task& task, std::vector<Match> matches) const;
  std::vector<Match> find_terms(std::string_view text) const;
  std::vector<Match> find_expressions(std::string_view text) const;
};

LabelRules::LabelRules(std::span<const record::LabelRule> rules, const record::AnnotationScheme& scheme) {
  auto made = std::make_unique<Impl>();
  made->several = asks(scheme, Question::kClasses);
  made->overlapping = scheme.overlapping;
  for (const record::LabelRule& rule : rules) {
    const bool span = std::any_of(scheme.spans.begin(), scheme.spans.end(), [&](const record::Label& one) { return one.name == rule.label; });
    const size_t label = made->labels.size();
    made->labels.push_back({rule.label, span});
    for (const std::string& written : rule.terms) {
      Term term;
      term.label = label;
      for (const text::Span word : text::split_words(written)) {
        term.words.push_back(text::casefold(text::slice(written, word)));
        if (rule.case_sensitive) {
          term.exact.emplace_back(text::slice(written, word));
        }
      }
      if (!term.words.empty()) {
        made->terms[term.words.front()].push_back(std::move(term));
      }
    }
    if (!rule.pattern.empty()) {
      RE2::Options options;
      options.set_case_sensitive(rule.case_sensitive);
      options.set_log_errors(false);
      options.set_max_mem(kMaxProgram);
      auto re = std::make_unique<RE2>(rule.pattern, options);
      if (!re->ok()) {
        throw Error(Code::kInvalid, fmt::format("the expression of '{}', '{}', is none: {}", rule.label, rule.pattern.substr(0, 200), re->error()));
      }
      made->expressions.push_back({std::move(re), label});
    }
  }
  for (auto& [first, list] : made->terms) {
    std::stable_sort(list.begin(), list.end(), [](const Term& a, const Term& b) { return a.words.size() > b.words.size(); });
  }
  impl_ = std::move(made);
}

LabelRules::~LabelRules() = default;
LabelRules::LabelRules(LabelRules&&) noexcept = default;

std::vector<Match> LabelRules::Impl::find_terms(std::string_view text) const {
  std::vector<Match> found;
  if (terms.empty()) {
    return found;
  }
  const std::vector<text::Span> words = text::split_words(text);
  std::vector<std::string> folded;
  folded.reserve(words.size());
  for (const text::Span word : words) {
    folded.push_back(text::casefold(text::slice(text, word)));
  }
  for (size_t i = 0; i < words.size() && found.size() < kMaxMatches; ++i) {
    const auto list = terms.find(folded[i]);
    if (list == terms.end()) {
      continue;
    }
    for (const Term& term : list->second) {
      const size_t size = term.words.size();
      if (i + size > words.size() || !std::equal(term.words.begin(), term.words.end(), folded.begin() + static_cast<std::ptrdiff_t>(i))) {
        continue;
      }
      bool same = true;
      for (size_t k = 0; k < term.exact.size(); ++k) {
        same = same && text::slice(text, words[i + k]) == term.exact[k];
      }
      if (same) {
        found.push_back({words[i].begin, words[i + size - 1].end, term.label});
      }
    }
  }
  return found;
}

std::vector<Match> LabelRules::Impl::find_expressions(std::string_view text) const {
  std::vector<Match> found;
  for (const Expression& expression : expressions) {
    size_t at = 0;
    re2::StringPiece match;
    const re2::StringPiece all(text.data(), text.size());
    while (at <= text.size() && found.size() < kMaxMatches && expression.re->Match(all, at, text.size(), RE2::UNANCHORED, &match, 1)) {
      const size_t begin = static_cast<size_t>(match.data() - text.data());
      if (!match.empty()) {
        found.push_back({begin, begin + match.size(), expression.label});
      }
      at = begin + std::max<size_t>(match.size(), 1);
    }
  }
  return found;
}

Suggestion LabelRules::Impl::suggestion(const char* source, const record::Task& task, std::vector<Match> matches) const {
  // Longer ones first where they begin together, so that of overlapping ones the longest stays where none may overlap.
  std::stable_sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) { return std::tuple(a.begin, b.end) < std::tuple(b.begin, a.end); });
  Suggestion made{source, 1, {}};
  std::map<std::string_view, int64_t> votes;
  int64_t all_votes = 0;
  std::set<std::tuple<size_t, size_t, std::string_view>> seen;
  size_t byte = 0;  // positions are counted in one pass
  int64_t code_point = 0;
  size_t covered = 0;
  for (const Match& match : matches) {
    const Named& label = labels[match.label];
    if (!label.span) {
      votes[label.name] += 1;
      all_votes += 1;
      continue;
    }
    if (!seen.emplace(match.begin, match.end, label.name).second || (!overlapping && match.begin < covered)) {
      continue;
    }
    covered = match.end;
    code_point += record::length_of(std::string_view(task.text).substr(byte, match.begin - byte));
    byte = match.begin;
    const int64_t length = record::length_of(std::string_view(task.text).substr(match.begin, match.end - match.begin));
    made.answer.spans.push_back({fmt::format("{}{}", source[0], made.answer.spans.size() + 1), code_point, code_point + length, label.name});
  }
  if (!votes.empty()) {
    const auto most = std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    if (several) {
      for (const auto& [name, count] : votes) {
        made.answer.classes.emplace_back(name);
      }
    } else {
      made.answer.classes.emplace_back(most->first);
      made.score = static_cast<double>(most->second) / static_cast<double>(all_votes);
    }
  }
  return made;
}

std::vector<char> LabelRules::matched(std::string_view text) const {
  std::vector<char> all(impl_->labels.size(), 0);
  for (const auto& found : {impl_->find_terms(text), impl_->find_expressions(text)}) {
    for (const Match& match : found) {
      all[match.label] = 1;
    }
  }
  return all;
}

std::vector<Suggestion> LabelRules::suggest(const record::Task& task) const {
  std::vector<Suggestion> all;
  if (auto found = impl_->find_terms(task.text); !found.empty()) {
    all.push_back(impl_->suggestion("dictionary", task, std::move(found)));
  }
  if (auto found = impl_->find_expressions(task.text); !found.empty()) {
    all.push_back(impl_->suggestion("regex", task, std::move(found)));
  }
  return all;
}

}  // namespace slipway::data
