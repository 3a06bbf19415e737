#include "data/quality.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "base/error.h"
#include "base/suggest.h"
#include "data/quality_rules.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;
using base::Json;

constexpr std::array<std::string_view, 9> kStageNames = {
    "gopher_repetition", "gopher_quality", "c4_quality", "c4_paragraphs", "c4_bad_words",
    "fineweb_quality",   "dolma",          "redpajama",  "nemo"};
constexpr std::array<std::string_view, 7> kPresets = {"gopher", "c4", "mc4", "fineweb", "dolma", "redpajama", "nemo"};

// Settings that are no thresholds: switches are 0 or 1.
constexpr QualityParameter kSettings[] = {
    {QualityStage::kC4, "filter_no_terminal_punct", 1}, {QualityStage::kC4, "remove_citations", 1},
    {QualityStage::kC4, "filter_javascript", 1},        {QualityStage::kC4, "filter_policy", 1},
    {QualityStage::kC4, "min_words_per_line", 3},       {QualityStage::kC4, "max_word_length", 1000},
    {QualityStage::kFineweb, "short_line_length", 30},  {QualityStage::kFineweb, "line_punct_exclude_zero", 0},
};

std::string_view stage_name(QualityStage stage) noexcept { return kStageNames[static_cast<size_t>(stage)]; }

std::vector<QualityParameter> all_parameters() {
  std::vector<QualityParameter> list(std::begin(kSettings), std::end(kSettings));
  for (const QualityRule& rule : quality_rules()) {
    const bool known = std::any_of(list.begin(), list.end(), [&](const QualityParameter& parameter) {
      return parameter.stage == rule.stage && parameter.name == rule.parameter;
    });
    if (!known) {
      list.push_back({rule.stage, rule.parameter, rule.value});
    }
  }
  return list;
}

size_t parameter_index(QualityStage stage, std::string_view name) {
  const auto list = quality_parameters();
  const auto found = std::find_if(list.begin(), list.end(), [&](const QualityParameter& parameter) {
    return parameter.stage == stage && parameter.name == name;
  });
  SLIPWAY_CHECK(found != list.end());
  return static_cast<size_t>(found - list.begin());
}

}  // namespace

std::span<const QualityParameter> quality_parameters() noexcept {
  static const std::vector<QualityParameter> kAll = all_parameters();
  return kAll;
}

std::span<const std::string_view> quality_presets() noexcept { return kPresets; }

QualityOptions quality_preset(const std::string& name) {
  QualityOptions options;
  options.preset = name;
  for (const QualityParameter& parameter : quality_parameters()) {
    options.values.push_back(parameter.value);
  }
  using S = QualityStage;
  if (name == "gopher") {
    options.stages = {S::kRepetition, S::kGopher};
  } else if (name == "c4") {
    options.stages = {S::kC4, S::kC4BadWords};
  } else if (name == "mc4") {
    options.stages = {S::kC4Paragraphs, S::kC4BadWords};
  } else if (name == "fineweb") {
    options.stages = {S::kRepetition, S::kGopher, S::kC4, S::kFineweb};
    options.values[parameter_index(S::kC4, "filter_no_terminal_punct")] = 0;
  } else if (name == "dolma") {
    options.stages = {S::kDolma};
  } else if (name == "redpajama") {
    options.stages = {S::kRedpajama};
  } else if (name == "nemo") {
    options.stages = {S::kNemo};
  } else {
    const std::vector<std::string> known(kPresets.begin(), kPresets.end());
    throw Error(Code::kInvalid, fmt::format("unknown preset '{}'{}; there are {}", name, base::suggestion(name, known),
                                            fmt::join(known, ", ")));
  }
  return options;
}

void QualityOptions::set(const std::string& name, const std::string& value, const std::string& where) {
  double number = kOff;
  if (value != "off") {
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size() || !std::isfinite(number)) {
      throw Error(Code::kInvalid, fmt::format("{}: '{}' must be a number or off, not '{}'", where, name, value));
    }
  }
  const auto parameters = quality_parameters();
  std::vector<std::string> known;
  bool found = false;
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (std::find(stages.begin(), stages.end(), parameters[i].stage) == stages.end()) {
      continue;
    }
    known.emplace_back(parameters[i].name);
    if (parameters[i].name == name) {
      values[i] = number;
      found = true;
    }
  }
  if (!found) {
    throw Error(Code::kInvalid, fmt::format("{}: preset '{}' has no parameter '{}'{}", where, preset, name,
                                            base::suggestion(name, known)));
  }
}

Json to_json(const QualityOptions& options) {
  Json parameters = Json::object();
  const auto list = quality_parameters();
  for (const QualityStage stage : options.stages) {
    Json of_stage = Json::object();
    for (size_t i = 0; i < list.size(); ++i) {
      if (list[i].stage == stage) {
        of_stage[std::string(list[i].name)] = std::isnan(options.values[i]) ? Json("off") : Json(options.values[i]);
      }
    }
    parameters[std::string(stage_name(stage))] = std::move(of_stage);
  }
  return {{"preset", options.preset},
          {"stages", parameters},
          {"bad_words", options.bad_words.size()},
          {"bad_words_language", options.bad_words_language},
          {"stop_words", options.stop_words.size()},
          {"all_signals", options.all_signals}};
}

struct QualityScanner::Impl {
  QualityOptions options;
  BadWords bad_words;
  BadWords stop_words;
  C4Options c4;
  int64_t short_line_length = 30;
  bool line_punct_exclude_zero = false;
  std::vector<double> thresholds;  // of quality_rules()
  std::array<std::vector<size_t>, kStageNames.size()> rules_of;
  SignalScratch scratch;
  std::string original;
  std::string kept;

  // What is known of the text as it is now.
  bool tokens_known = false;
  std::optional<uint64_t> word_count;

  explicit Impl(const QualityOptions& given);
  double value_of(QualityStage stage, std::string_view name) const {
    return options.values[parameter_index(stage, name)];
  }
  void need_tokens(std::string_view text);
  void measure(QualityStage stage, std::string& text, Signals& signals, bool& rewritten);
  Verdict decide(QualityStage stage, const std::string& text, const Signals& signals) const;
};

QualityScanner::Impl::Impl(const QualityOptions& given) : options(given) {
  const std::string& language = options.bad_words_language;
  std::vector<std::string> words = options.bad_words;
  // Common parts of words in languages without spaces, which C4 lets pass.
  for (const std::string_view allowed :
       {"sm", "\xE3\x82\xB0\xE3\x83\xAD", "\xE5\xA5\xB3\xE3\x81\xAE\xE5\xAD\x90", "\xE6\x80\xA7"}) {
    std::erase(words, std::string(allowed));
  }
  bad_words = BadWords(words, language != "ja" && language != "th" && language != "zh");
  stop_words = BadWords(options.stop_words, true);
  const auto on = [this](std::string_view name) { return value_of(QualityStage::kC4, name) != 0; };
  c4.filter_no_terminal_punct = on("filter_no_terminal_punct");
  c4.remove_citations = on("remove_citations");
  c4.filter_javascript = on("filter_javascript");
  c4.filter_policy = on("filter_policy");
  c4.min_words_per_line = static_cast<int64_t>(value_of(QualityStage::kC4, "min_words_per_line"));
  c4.max_word_length = static_cast<int64_t>(value_of(QualityStage::kC4, "max_word_length"));
  short_line_length = static_cast<int64_t>(value_of(QualityStage::kFineweb, "short_line_length"));
  line_punct_exclude_zero = value_of(QualityStage::kFineweb, "line_punct_exclude_zero") != 0;
  for (const QualityRule& rule : quality_rules()) {
    rules_of[static_cast<size_t>(rule.stage)].push_back(thresholds.size());
    thresholds.push_back(value_of(rule.stage, rule.parameter));
  }
}

void QualityScanner::Impl::need_tokens(std::string_view text) {
  if (!tokens_known) {
    scratch.english.scan(text, scratch.tokens);
    tokens_known = true;
  }
}

// Sets the signals of a stage. C4 may replace the text; what was known of it then is forgotten.
void QualityScanner::Impl::measure(QualityStage stage, std::string& text, Signals& signals, bool& rewritten) {
  switch (stage) {
    case QualityStage::kRepetition:
      need_tokens(text);
      fill_words(text, scratch.tokens, scratch.words);
      repetition_signals(text, scratch, signals);
      break;
    case QualityStage::kGopher:
      need_tokens(text);
      gopher_signals(text, scratch.tokens, scratch, signals);
      break;
    case QualityStage::kC4: {
      need_tokens(text);
      uint64_t words = 0;
      c4_signals(text, scratch.tokens, c4, scratch, signals, kept, words);
      if (kept != text) {
        if (!rewritten) {
          original.swap(text);
        }
        text.assign(kept);
        rewritten = true;
        tokens_known = false;
      }
      word_count = words;
      break;
    }
    case QualityStage::kC4Paragraphs: c4_paragraph_signals(text, scratch, signals); break;
    case QualityStage::kC4BadWords:
      if (!bad_words.empty()) {
        c4_bad_word_signal(text, bad_words, signals);
      }
      break;
    case QualityStage::kFineweb:
      if (!word_count.has_value()) {
        need_tokens(text);
        word_count = scratch.tokens.size();
      }
      fineweb_signals(text, *word_count, short_line_length, scratch, signals);
      break;
    case QualityStage::kDolma: dolma_signals(text, bad_words, scratch, signals); break;
    case QualityStage::kRedpajama: redpajama_signals(text, bad_words, stop_words, scratch, signals); break;
    case QualityStage::kNemo: nemo_signals(text, scratch, signals); break;
  }
}

Verdict QualityScanner::Impl::decide(QualityStage stage, const std::string& text, const Signals& signals) const {
  if (stage == QualityStage::kRepetition && text.empty()) {
    return {"empty", std::nullopt, 0};
  }
  if (stage == QualityStage::kFineweb && signals[Signal::kFinewebLines] == 0) {
    return {"empty", Signal::kFinewebLines, 0};
  }
  Verdict verdict;
  const auto rules = quality_rules();
  for (const size_t i : rules_of[static_cast<size_t>(stage)]) {
    const QualityRule& rule = rules[i];
    const double value = signals[rule.signal];
    const double threshold = thresholds[i];
    if (std::isnan(value) || std::isnan(threshold)) {
      continue;
    }
    bool broken = rule.breaks == Breaks::kBelow   ? value < threshold
                  : rule.breaks == Breaks::kAbove ? value > threshold
                                                  : value > 0 && threshold != 0;
    if (rule.signal == Signal::kFinewebLinePunct && line_punct_exclude_zero && value == 0) {
      broken = false;
    }
    if (!broken) {
      continue;
    }
    if (verdict.keep()) {
      verdict = {rule.reason, rule.signal, value};
    } else if (rule.signal == Signal::kC4CurlyBracketLine && verdict.signal == Signal::kC4LoremIpsumLine &&
               value < verdict.value) {
      verdict = {rule.reason, rule.signal, value};
    }
    if (verdict.signal != Signal::kC4LoremIpsumLine) {
      break;
    }
  }
  return verdict;
}

QualityScanner::QualityScanner(const QualityOptions& options) : impl_(std::make_unique<Impl>(options)) {}
QualityScanner::~QualityScanner() = default;
QualityScanner::QualityScanner(QualityScanner&&) noexcept = default;

Verdict QualityScanner::judge(std::string& text, Signals& signals) {
  Impl& impl = *impl_;
  signals.clear();
  impl.tokens_known = false;
  impl.word_count.reset();
  bool rewritten = false;
  Verdict verdict;
  for (const QualityStage stage : impl.options.stages) {
    impl.measure(stage, text, signals, rewritten);
    const Verdict found = impl.decide(stage, text, signals);
    if (verdict.keep() && !found.keep()) {
      verdict = found;
      if (!impl.options.all_signals) {
        break;
      }
    }
  }
  if (impl.options.all_signals) {
    std::string& whole = rewritten ? impl.original : text;
    impl.tokens_known = impl.tokens_known && !rewritten;
    bool ignored = false;
    for (size_t stage = 0; stage < kStageNames.size(); ++stage) {
      const auto other = static_cast<QualityStage>(stage);
      if (std::find(impl.options.stages.begin(), impl.options.stages.end(), other) == impl.options.stages.end()) {
        if (other == QualityStage::kC4) {  // measured, but its lines stay
          impl.need_tokens(whole);
          uint64_t words = 0;
          c4_signals(whole, impl.scratch.tokens, impl.c4, impl.scratch, signals, impl.kept, words);
        } else {
          impl.word_count.reset();
          impl.measure(other, whole, signals, ignored);
        }
      }
    }
  }
  if (rewritten && !verdict.keep()) {
    text.swap(impl.original);
  }
  return verdict;
}

}  // namespace slipway::data
