#include "data/labelling_functions.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "base/input.h"
#include "text/unicode.h"
#include "text/words.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;
using base::Json;

constexpr size_t kMaxFunctions = 1000;
constexpr size_t kMaxTerms = 1000000;
constexpr size_t kMaxTermWords = 16;
constexpr char kBetween = '\x1f';  // joins a term's words: no word holds it

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (const text::Span& word : text::split_words(text)) {
    words.push_back(text::casefold(text::slice(text, word)));
  }
  return words;
}

std::string joined(std::span<const std::string> words) {
  std::string all;
  for (const std::string& word : words) {
    all += all.empty() ? word : kBetween + word;
  }
  return all;
}

std::u32string code_points(std::string_view text) {
  std::u32string result;
  for (size_t at = 0; at < text.size();) {
    const text::Decoded c = text::decode_at(text, at);
    result += c.code;
    at += c.size;
  }
  return result;
}

}  // namespace

struct LabellingFunctions::Function {
  int label = 0;
  std::unique_ptr<text::Regex> regex;
  std::unordered_set<std::string> terms;
};

LabellingFunctions::~LabellingFunctions() = default;
LabellingFunctions::LabellingFunctions(LabellingFunctions&&) noexcept = default;

LabellingFunctions::LabellingFunctions(const Json& config, std::span<const std::string> classes, const std::filesystem::path& folder, std::string_view source)
    : classes_(static_cast<int>(classes.size())) {
  const auto list = config.is_object() ? config.find("functions") : config.end();
  if (!config.is_object() || config.size() != 1 || list == config.end() || !list->is_array() || list->empty() || list->size() > kMaxFunctions) {
    throw Error(Code::kInvalid, fmt::format("{}: labelling functions are an object with 'functions', a list of 1 to {}", source, kMaxFunctions));
  }
  for (const Json& json : *list) {
    add(json, classes, folder, source);
  }
}

void LabellingFunctions::add(const Json& json, std::span<const std::string> classes, const std::filesystem::path& folder, std::string_view source) {
  const std::string name = base::get<std::string>(json, "name", source);
  const std::string where = fmt::format("{}, function '{}'", source, name.substr(0, 100));
  const auto fail = [&](const std::string& what) { throw Error(Code::kInvalid, fmt::format("{}: {}", where, what)); };
  if (name.empty() || std::find(names_.begin(), names_.end(), name) != names_.end()) {
    fail("the name is empty or there twice");
  }
  int kinds = 0;
  for (auto it = json.begin(); it != json.end(); ++it) {
    const bool kind = it.key() == "regex" || it.key() == "keywords" || it.key() == "dictionary";
    if (!kind && it.key() != "name" && it.key() != "label") {
      fail(fmt::format("there is no '{}'; it has name, label and one of regex, keywords, dictionary", it.key().substr(0, 100)));
    }
    kinds += kind ? 1 : 0;
  }
  if (kinds != 1) {
    fail("it has one of regex, keywords, dictionary");
  }
  const std::string label = base::get<std::string>(json, "label", where);
  const auto found = std::find(classes.begin(), classes.end(), label);
  if (found == classes.end()) {
    fail(fmt::format("'{}' is no class of the project", label.substr(0, 100)));
  }
  Function function;
  function.label = static_cast<int>(found - classes.begin());
  const auto term = [&](std::string_view text) {
    const std::vector<std::string> words = words_of(text);
    if (words.empty() || words.size() > kMaxTermWords || ++terms_ > kMaxTerms) {
      fail(fmt::format("the term '{}' has no word or more than {}, or there are more than {} terms", text.substr(0, 100), kMaxTermWords, kMaxTerms));
    }
    longest_ = std::max(longest_, words.size());
    function.terms.insert(joined(words));
  };
  if (json.contains("regex")) {
    function.regex = std::make_unique<text::Regex>(base::get<std::string>(json, "regex", where), where);
  } else if (json.contains("keywords")) {
    for (const std::string& keyword : base::get<std::vector<std::string>>(json, "keywords", where)) {
      term(keyword);
    }
  } else {
    base::LineReader lines(folder / base::get<std::string>(json, "dictionary", where), 10000);
    for (std::string_view line; lines.next(line);) {
      if (!line.empty() && line[0] != '#') {
        term(line);
      }
    }
  }
  names_.push_back(name);
  functions_.push_back(std::move(function));
}

void LabellingFunctions::vote(std::string_view text, VoteMatrix& votes) const {
  if (votes.items == 0) {
    votes.voters = static_cast<int>(functions_.size());
    votes.classes = classes_;
  }
  ++votes.items;
  const size_t begin = votes.votes.size();
  votes.votes.resize(begin + functions_.size(), kAbstain);
  const std::vector<std::string> words = longest_ > 0 ? words_of(text) : std::vector<std::string>();
  std::string term;
  for (size_t first = 0; first < words.size(); ++first) {
    term.clear();
    for (size_t n = 0; n < longest_ && first + n < words.size(); ++n) {
      term += n == 0 ? words[first] : kBetween + words[first + n];
      for (size_t i = 0; i < functions_.size(); ++i) {
        if (functions_[i].terms.contains(term)) {
          votes.votes[begin + i] = functions_[i].label;
        }
      }
    }
  }
  std::u32string wide;
  for (size_t i = 0; i < functions_.size(); ++i) {
    if (functions_[i].regex == nullptr) {
      continue;
    }
    if (wide.empty()) {
      wide = code_points(text);
    }
    text::Regex::Match match{};
    try {
      if (functions_[i].regex->find(wide, 0, static_cast<uint32_t>(wide.size()), 0, match)) {
        votes.votes[begin + i] = functions_[i].label;
      }
    } catch (const Error&) {
      // Too many steps on this text: it abstains, as a function that knows nothing does.
    }
  }
}

}  // namespace slipway::data
