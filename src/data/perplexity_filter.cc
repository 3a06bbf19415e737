#include "data/perplexity_filter.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/input.h"
#include "data/web_text.h"
#include "text/language.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

struct Replacement {
  char32_t from;
  const char* to;
};
// cc_net's text_normalizer, sorted. (It makes a quotation mark of the full-width digit one, but digits are 0 by then.)
constexpr Replacement kPunctuation[] = {
    {0xAB, "\""},   {0xB4, "'"},    {0xBB, "\""},    {0x2013, "-"},  {0x2014, " - "}, {0x2019, "'"},  {0x201C, "\""}, {0x201D, "\""},
    {0x201E, "\""}, {0x2026, "..."}, {0x2236, ":"},   {0x2501, "-"},  {0x25BA, "-"},   {0x3001, ","},  {0x3002, "."},  {0x3008, "<"},
    {0x3009, ">"},  {0x300A, "\""}, {0x300C, "\""},  {0x300D, "\""}, {0x3010, "["},   {0x3011, "]"},  {0xFF01, "!"},  {0xFF05, "%"},
    {0xFF08, "("},  {0xFF09, ")"},  {0xFF0C, ","},   {0xFF0E, ". "}, {0xFF1A, ":"},   {0xFF1B, ";"},  {0xFF1F, "?"},  {0xFF5E, "~"},
};

fs::path chosen(const std::map<std::string, fs::path>& by_language, const std::string& language) {
  const auto own = by_language.find(language);
  const auto other = by_language.find("");
  return own != by_language.end() ? own->second : other != by_language.end() ? other->second : fs::path("words");
}

NgramUnits units_of(const fs::path& tokenizer) {
  return tokenizer == "words" ? NgramUnits::kWords : tokenizer == "characters" ? NgramUnits::kCharacters : NgramUnits::kPieces;
}

}  // namespace

std::string ccnet_normalize(std::string_view line) {
  const std::string lower = text::lowercase(strip(line));
  const std::string apart = is_ascii(lower) ? lower : text::normalize(lower, text::NormalForm::kNfd);
  std::string out;
  for (size_t at = 0; at < apart.size();) {
    const text::Decoded c = text::decode_at(apart, at);
    const auto replaced = std::lower_bound(std::begin(kPunctuation), std::end(kPunctuation), c.code,
                                           [](const Replacement& one, char32_t code) { return one.from < code; });
    if (c.code < 0x20 || (c.code >= 0x7F && c.code < 0xA0) || text::is_nonspacing_mark(c.code)) {
      // a control character, or an accent
    } else if (text::is_digit(c.code)) {
      out += '0';
    } else if (replaced != std::end(kPunctuation) && replaced->from == c.code) {
      out += replaced->to;
    } else {
      out.append(apart, at, c.size);
    }
    at += c.size;
  }
  return out;
}

std::string ngram_units(std::string_view line, NgramUnits units, const text::Tokenizer* tokenizer, bool normalize) {
  std::string text = normalize ? ccnet_normalize(line) : std::string(line);
  if (units == NgramUnits::kWords) {
    return text;
  }
  std::string out;
  if (units == NgramUnits::kCharacters) {
    for (size_t at = 0; at < text.size();) {
      const text::Decoded c = text::decode_at(text, at);
      if (!text::is_whitespace(c.code)) {
        out.append(text, at, c.size);
        out += ' ';
      }
      at += c.size;
    }
    return out;
  }
  text::EncodeOptions options;
  options.add_special_tokens = false;
  text::Encoding encoding;
  tokenizer->encode(text, options, encoding);
  for (const int32_t id : encoding.ids) {
    out += tokenizer->id_to_token(id);
    out += ' ';
  }
  return out;
}

NgramScorer::NgramScorer(const fs::path& model, NgramUnits units, const fs::path& tokenizer, bool normalize)
    : model_(text::NgramModel::open(model)), units_(units), normalize_(normalize) {
  if (units == NgramUnits::kPieces) {
    tokenizer_ = text::load_tokenizer(tokenizer);
  }
}

std::optional<double> NgramScorer::perplexity(std::string_view text, double* unknown) const {
  std::vector<std::string_view> lines;
  split_newlines(text, lines);
  text::NgramModel::Score all;
  for (const std::string_view line : lines) {
    if (strip(line).empty()) {
      continue;
    }
    const text::NgramModel::Score one = model_->score_line(ngram_units(line, units_, tokenizer_.get(), normalize_));
    if (one.words > 1) {
      all.log10 += one.log10;
      all.words += one.words;
      all.unknown += one.unknown;
    }
  }
  if (all.words == 0) {
    return std::nullopt;
  }
  if (unknown != nullptr) {
    *unknown = static_cast<double>(all.unknown) / static_cast<double>(all.words);
  }
  return std::pow(10.0, -all.log10 / static_cast<double>(all.words));
}

std::map<std::string, PerplexityCutoffs> read_cutoffs(const fs::path& file) {
  std::map<std::string, PerplexityCutoffs> cutoffs;
  base::LineReader reader(file);
  for (std::string_view line; reader.next(line);) {
    line = strip(line);
    if (line.empty() || line.starts_with('#')) {
      continue;
    }
    std::vector<std::string> fields;
    for (size_t begin = 0; begin < line.size();) {
      const size_t end = std::min(line.find_first_of(" \t", begin), line.size());
      if (end > begin) {
        fields.emplace_back(line.substr(begin, end - begin));
      }
      begin = end + 1;
    }
    PerplexityCutoffs one;
    const auto number = [](const std::string& text, double& out) {
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
      return error == std::errc() && end == text.data() + text.size() && std::isfinite(out);
    };
    if (fields.size() != 3 || !number(fields[1], one.head) || !number(fields[2], one.middle) || one.head > one.middle) {
      throw Error(Code::kInvalid, fmt::format("'{}' line {}: write LANGUAGE HEAD MIDDLE, two rising perplexities, as in \"en 300 600\"", file.string(),
                                              reader.line_number()));
    }
    cutoffs[fields[0]] = one;
  }
  return cutoffs;
}

PerplexityFilter::PerplexityFilter(const PerplexityOptions& options) : options_(options) {
  const auto cutoffs = options.cutoffs.empty() ? std::map<std::string, PerplexityCutoffs>() : read_cutoffs(options.cutoffs);
  if (!options.keep.empty() && options.cutoffs.empty()) {
    throw Error(Code::kInvalid, "buckets are told apart by cut-offs: give the file of them");
  }
  for (const std::string& bucket : options.keep) {
    if (bucket != "head" && bucket != "middle" && bucket != "tail") {
      throw Error(Code::kInvalid, fmt::format("unknown bucket '{}'; there are head, middle, tail", bucket));
    }
  }
  description_ = {{"perplexity", {{"low", fmt::format("{}", options.low)}, {"high", fmt::format("{}", options.high)}, {"keep", options.keep},
                                  {"normalize", options.normalize}, {"language_field", options.language_field}}}};
  for (const auto& [name, file] : options.models) {
    const fs::path tokenizer = chosen(options.tokenizers, name);
    std::optional<PerplexityCutoffs> own;
    for (const std::string& key : {std::string("*"), name}) {
      if (const auto found = cutoffs.find(key); found != cutoffs.end()) {
        own = found->second;
      }
    }
    languages_.emplace(name, Language{name, NgramScorer(file, units_of(tokenizer), tokenizer, options.normalize), own});
    description_["models"][name] = {{"model", base::sha256_file(file)},
                                    {"tokenizer", units_of(tokenizer) == NgramUnits::kPieces ? base::sha256_file(tokenizer) : tokenizer.string()},
                                    {"head", own ? own->head : 0},
                                    {"middle", own ? own->middle : 0}};
  }
}

base::Json PerplexityFilter::description() const { return description_; }

const PerplexityFilter::Language* PerplexityFilter::language_of(std::string_view line, std::string_view text) const {
  const auto all = languages_.find("");
  const Language* other = all == languages_.end() ? nullptr : &all->second;
  if (other != nullptr && languages_.size() == 1) {
    return other;
  }
  const std::optional<std::string> told = json_text(line, options_.language_field);
  const auto own = languages_.find(told ? *told : text::detect_language(text).code);
  return own != languages_.end() ? &own->second : other;
}

FilterVerdict PerplexityFilter::judge(std::string_view line, std::string_view text, std::vector<NamedSignal>& signals) const {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const Language* language = language_of(line, text);
  double unknown = 0;
  const std::optional<double> found = language == nullptr ? std::nullopt : language->scorer.perplexity(text, &unknown);
  if (!found) {
    return {};
  }
  const double value = *found;
  signals.push_back({"perplexity", value});
  signals.push_back({"perplexity_unknown", unknown});
  signals.push_back({"perplexity_language", kNone, language->name});
  std::string_view bucket;
  if (language->cutoffs) {
    bucket = value < language->cutoffs->head ? "head" : value < language->cutoffs->middle ? "middle" : "tail";
    signals.push_back({"perplexity_bucket", kNone, bucket});
  }
  if (value < options_.low || value > options_.high) {
    return {value < options_.low ? "perplexity_too_low" : "perplexity_too_high", "perplexity", value};
  }
  if (!bucket.empty() && !options_.keep.empty() && std::find(options_.keep.begin(), options_.keep.end(), bucket) == options_.keep.end()) {
    return {"perplexity_bucket", "perplexity", value};
  }
  return {};
}

}  // namespace slipway::data
