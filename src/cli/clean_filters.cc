#include "cli/clean_filters.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;

std::vector<std::filesystem::path> paths(const std::vector<std::string>& names) { return {names.begin(), names.end()}; }

// "LANGUAGE=FILE", or "FILE" for all languages without one of their own.
std::map<std::string, std::filesystem::path> by_language(const std::vector<std::string>& given, const char* flag) {
  std::map<std::string, std::filesystem::path> files;
  for (const std::string& one : given) {
    const size_t equal = one.find('=');
    const std::string language = equal == std::string::npos ? "" : one.substr(0, equal);
    if (one.size() == equal + 1 || !files.emplace(language, equal == std::string::npos ? one : one.substr(equal + 1)).second) {
      throw Error(Code::kInvalid, fmt::format("--{} '{}': write FILE once, or LANGUAGE=FILE once a language", flag, one));
    }
  }
  return files;
}

}  // namespace

void PerplexityFlags::describe(base::FieldTable& flags) {
  flags.add("perplexity_model", models, "ARPA file (of `slipway train ngrams`, KenLM, SRILM), or LANGUAGE=FILE, several times");
  flags.add("perplexity_tokenizer", tokenizers, "what its words are: words (at white space), characters, or a tokenizer's file; or LANGUAGE=…");
  flags.add("perplexity_normalize", options.normalize, "lower case, no accents, digits as 0, ASCII punctuation, as CCNet");
  flags.add("perplexity_cutoffs", cutoffs, "file of lines LANGUAGE HEAD MIDDLE: below which perplexities the buckets head and middle are");
  flags.add("language_field", options.language_field, "member (A.B) with the language; without it the language is identified");
}

data::PerplexityOptions PerplexityFlags::resolved() const {
  data::PerplexityOptions made = options;
  made.models = by_language(models, "perplexity-model");
  made.tokenizers = by_language(tokenizers, "perplexity-tokenizer");
  made.cutoffs = cutoffs;
  return made;
}

void CleanFilters::describe(base::FieldTable& flags) {
  flags.add("url_domains", url_domains_, "files of domains and hosts that are dropped (datatrove's UrlFilter, before all rules)");
  flags.add("url_list", url_list_, "files of whole addresses that are dropped");
  flags.add("url_banned_words", url_banned_words_, "files of words: an address that has one is dropped");
  flags.add("url_soft_banned_words", url_soft_words_, "files of words: an address that has --url-soft-word-threshold different ones is dropped");
  flags.add("url_soft_word_threshold", url_.soft_word_threshold, "how many", {1, 1000});
  flags.add("url_banned_subwords", url_subwords_, "files of parts of words: an address that has one anywhere is dropped");
  flags.add("url_field", url_fields_, "members (A.B) with the address, the first that is there; url and metadata.url without it");
  flags.add("url_required", url_.require, "drop documents without an address, too");
  perplexity_.describe(flags);
  flags.add("min_perplexity", min_perplexity_, "drop below it; 0: none", {0, 1e300});
  flags.add("max_perplexity", max_perplexity_, "drop above it; 0: none", {0, 1e300});
  flags.add("perplexity_keep", perplexity_.options.keep, "buckets that stay, comma-separated: head, middle, tail");
  flags.add("scan", scan_, "risks to score, comma-separated: toxicity, prompt-injection (docs/guide/scan.md)");
  flags.add("max_toxicity", max_toxicity_, "drop above this score", {0, 1});
  flags.add("max_prompt_injection", max_injection_, "drop above this score", {0, 1});
  flags.add("toxicity_rules", toxicity_rules_, "file of further rules: NAME TAB WEIGHT TAB REGEX");
  flags.add("toxicity_model", toxicity_model_, "a light classifier (`slipway train scanner`) in place of the rules");
  flags.add("prompt_injection_rules", injection_rules_, "likewise");
  flags.add("prompt_injection_model", injection_model_, "likewise");
  flags.add("limit", limits_, "MEMBER<=NUMBER or MEMBER>=NUMBER: a limit for a number that documents have, such as a score of `slipway data scan`");
}

data::DocumentFilters CleanFilters::make() const {
  data::DocumentFilters filters;
  data::UrlFilterOptions url = url_;
  url.domains = paths(url_domains_);
  url.urls = paths(url_list_);
  url.banned_words = paths(url_banned_words_);
  url.soft_banned_words = paths(url_soft_words_);
  url.banned_subwords = paths(url_subwords_);
  if (!url_fields_.empty()) {
    url.fields = url_fields_;
  }
  if (!url.empty()) {
    filters.push_back(std::make_shared<data::UrlFilter>(url));
  }
  if (!limits_.empty()) {
    std::vector<data::MemberLimit> limits;
    for (const std::string& limit : limits_) {
      limits.push_back(data::parse_member_limit(limit, "--limit"));
    }
    filters.push_back(data::make_member_filter(std::move(limits)));
  }
  const auto wanted = [&](data::Risk risk) {
    return std::any_of(scan_.begin(), scan_.end(), [&](const std::string& name) { return data::risk_from_name(name) == risk; });
  };
  if (wanted(data::Risk::kToxicity) || !toxicity_model_.empty() || !toxicity_rules_.empty()) {
    filters.push_back(data::make_risk_filter({data::Risk::kToxicity, toxicity_rules_, toxicity_model_, {}, max_toxicity_}));
  }
  if (wanted(data::Risk::kPromptInjection) || !injection_model_.empty() || !injection_rules_.empty()) {
    filters.push_back(data::make_risk_filter({data::Risk::kPromptInjection, injection_rules_, injection_model_, {}, max_injection_}));
  }
  if (perplexity_.given()) {
    data::PerplexityOptions perplexity = perplexity_.resolved();
    perplexity.low = min_perplexity_ > 0 ? min_perplexity_ : perplexity.low;
    perplexity.high = max_perplexity_ > 0 ? max_perplexity_ : perplexity.high;
    filters.push_back(std::make_shared<data::PerplexityFilter>(perplexity));
  } else if (min_perplexity_ > 0 || max_perplexity_ > 0 || !perplexity_.options.keep.empty()) {
    throw Error(Code::kInvalid, "perplexity needs --perplexity-model");
  }
  return filters;
}

}  // namespace slipway::cli
