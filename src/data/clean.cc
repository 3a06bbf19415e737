#include "data/clean.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <mutex>

#include "base/error.h"
#include "base/suggest.h"
#include "data/keys.h"
#include "text/html.h"
#include "text/language.h"
#include "text/mask.h"
#include "text/unicode.h"
#include "text/words.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

struct KindName {
  CleanKind kind;
  std::string_view name;
};
constexpr std::array kKinds = {
    KindName{CleanKind::kUnicode, "unicode"},
    KindName{CleanKind::kControl, "control"},
    KindName{CleanKind::kEntities, "entities"},
    KindName{CleanKind::kHtml, "html"},
    KindName{CleanKind::kWhitespace, "whitespace"},
    KindName{CleanKind::kBoilerplate, "boilerplate"},
    KindName{CleanKind::kLanguage, "language"},
    KindName{CleanKind::kLength, "length"},
    KindName{CleanKind::kPii, "pii"},
};

bool is_preset(const std::string& name) {
  const auto presets = quality_presets();
  return std::find(presets.begin(), presets.end(), name) != presets.end();
}

std::string_view kind_name(CleanKind kind) {
  return std::find_if(kKinds.begin(), kKinds.end(), [&](const KindName& entry) { return entry.kind == kind; })->name;
}

CleanKind kind_from_name(const std::string& name, const std::string& where) {
  if (is_preset(name)) {
    return CleanKind::kQuality;
  }
  std::vector<std::string> known(quality_presets().begin(), quality_presets().end());
  for (const KindName& entry : kKinds) {
    if (entry.name == name) {
      return entry.kind;
    }
    known.emplace_back(entry.name);
  }
  throw Error(Code::kInvalid,
              fmt::format("{}: unknown cleaning step '{}'{}", where, name, base::suggestion(name, known)));
}

// Control characters that are never content: C0 and C1 but tab and newline, zero-width spaces, soft hyphen, byte order
// marks and bidirectional overrides. The joiners U+200C and U+200D stay: emoji, Persian and Indic scripts need them.
bool is_junk(char32_t c) noexcept {
  return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x200B || c == 0x200E ||
         c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x2064) || (c >= 0x2066 && c <= 0x206F) ||
         c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB);
}

void remove_control(std::string& text) {
  size_t write = 0;
  for (size_t at = 0; at < text.size();) {
    const text::Decoded d = text::decode_at(text, at);
    if (!is_junk(d.code)) {
      std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(at), d.size,
                  text.begin() + static_cast<std::ptrdiff_t>(write));
      write += d.size;
    }
    at += d.size;
  }
  text.resize(write);
}

// Runs of spaces become one space, runs with a line break one line break (two when there were several); ends trimmed.
void collapse_whitespace(std::string& text) {
  std::string out;
  out.reserve(text.size());
  bool space = false;
  int breaks = 0;
  for (size_t at = 0; at < text.size();) {
    const text::Decoded d = text::decode_at(text, at);
    if (text::is_whitespace(d.code)) {
      space = true;
      breaks += static_cast<int>(d.code == '\n' || d.code == 0x2028 || d.code == 0x2029);
    } else {
      if (space && !out.empty()) {
        out += breaks == 0 ? " " : breaks == 1 ? "\n" : "\n\n";
      }
      space = false;
      breaks = 0;
      out.append(text, at, d.size);
    }
    at += d.size;
  }
  text = std::move(out);
}

bool contains_ignoring_case(std::string_view line, std::string_view lower) {
  const auto equal = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  return std::search(line.begin(), line.end(), lower.begin(), lower.end(), equal) != line.end();
}

// The line rules of C4 (Raffel et al. 2020) that do not depend on a language's punctuation.
bool is_boilerplate_line(std::string_view line) {
  constexpr std::array<std::string_view, 9> kPhrases = {"javascript",     "lorem ipsum",   "terms of use",
                                                        "privacy policy", "cookie policy", "uses cookies",
                                                        "use of cookies", "use cookies",   "all rights reserved"};
  return std::any_of(kPhrases.begin(), kPhrases.end(),
                     [&](std::string_view phrase) { return contains_ignoring_case(line, phrase); });
}

// "[12]", "[]", "[edit]", "[citation needed]" are removed, as C4 does.
void remove_citations(std::string& text) {
  for (size_t open = text.find('['); open != std::string::npos; open = text.find('[', open)) {
    const size_t close = text.find(']', open);
    if (close == std::string::npos) {
      return;
    }
    const std::string_view inside = std::string_view(text).substr(open + 1, close - open - 1);
    if (inside.find_first_not_of("0123456789") == std::string_view::npos || inside == "edit" ||
        inside == "citation needed") {
      text.erase(open, close - open + 1);
    } else {
      ++open;
    }
  }
}

// Only texts of several lines have boilerplate: a one-line review that says "javascript" is a review.
void remove_boilerplate(std::string& text) {
  remove_citations(text);
  if (text.find('\n') == std::string::npos) {
    return;
  }
  std::string out;
  std::string_view last;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    const bool repeated = !line.empty() && line == last;
    if (!repeated && !is_boilerplate_line(line)) {
      if (!out.empty()) {
        out += '\n';
      }
      out += line;
    }
    last = line;
    begin = end + 1;
  }
  text = std::move(out);
}

// A page that the parser refuses (too deep) is dropped like any other bad row.
std::string strip_html(std::string& text) {
  try {
    text = text::html_to_text(text, {.main_text = false}).text;
    return "";
  } catch (const Error&) {
    return "bad_html";
  }
}

std::string check_language(const CleanStep& step, const std::string& text) {
  const text::LanguageGuess guess = text::detect_language(text);
  if (guess.code == "und" || !guess.reliable || guess.confidence < step.min_confidence) {
    return step.keep_unknown ? "" : "language:unknown";
  }
  const bool wanted = std::find(step.languages.begin(), step.languages.end(), guess.code) != step.languages.end();
  return wanted ? "" : "language:" + guess.code;
}

std::string check_length(const CleanStep& step, const std::string& text) {
  const auto words = static_cast<int64_t>(text::count_words(text));
  return words < step.min_words ? "too_short" : words > step.max_words ? "too_long" : "";
}

void parse_language(const Json& value, const std::string& where, CleanStep& step) {
  const Json* list = &value;
  if (value.is_object()) {
    check_keys(value, {"keep", "min_confidence", "keep_unknown"}, where);
    step.min_confidence = base::get_or<double>(value, "min_confidence", 0, where);
    step.keep_unknown = base::get_or<bool>(value, "keep_unknown", true, where);
    const auto keep = value.find("keep");
    list = keep == value.end() ? nullptr : &*keep;
  }
  if (list != nullptr && list->is_string()) {
    step.languages = {list->get<std::string>()};
  } else if (list != nullptr && list->is_array()) {
    for (const Json& code : *list) {
      step.languages.push_back(scalar_text(code, where, "language"));
    }
  }
  if (step.languages.empty()) {
    throw Error(Code::kInvalid, fmt::format("{}: 'language' needs a list of ISO 639-1 codes, e.g. [en, zh]", where));
  }
}

void parse_length(const Json& value, const std::string& where, CleanStep& step) {
  check_keys(value, {"min", "max"}, where);
  step.min_words = base::get_or<int64_t>(value, "min", step.min_words, where);
  step.max_words = base::get_or<int64_t>(value, "max", step.max_words, where);
  if (step.min_words < 0 || step.min_words > step.max_words) {
    throw Error(Code::kInvalid,
                fmt::format("{}: 'min' {} and 'max' {} leave nothing", where, step.min_words, step.max_words));
  }
}

void parse_quality(const std::string& preset, const Json& value, const std::string& where, CleanStep& step) {
  step.quality = quality_preset(preset);
  step.quality_settings = Json::object();
  if (value.is_null()) {
    return;
  }
  if (!value.is_object()) {
    throw Error(Code::kInvalid,
                fmt::format("{}: '{}' takes thresholds by name, e.g. {{min_doc_words: 30}}", where, preset));
  }
  for (const auto& [name, threshold] : value.items()) {
    step.quality.set(name, threshold == false ? "off" : scalar_text(threshold, where, name), where);
    step.quality_settings[name] = threshold;
  }
}

}  // namespace

CleanOptions parse_clean_options(const Json& list, const std::string& where) {
  CleanOptions options;
  if (list.is_null()) {
    return options;
  }
  if (!list.is_array()) {
    throw Error(Code::kInvalid, fmt::format("{}: must be a list of steps", where));
  }
  for (const Json& item : list) {
    const std::string place = fmt::format("{}[{}]", where, options.steps.size());
    const bool with_settings = item.is_object() && item.size() == 1;
    if (!item.is_string() && !with_settings) {
      throw Error(Code::kInvalid, fmt::format("{}: must be a step's name, or one name with its settings", place));
    }
    CleanStep step;
    const std::string name = with_settings ? item.begin().key() : item.get<std::string>();
    step.kind = kind_from_name(name, place);
    const Json settings = with_settings ? item.begin().value() : Json();
    if (step.kind == CleanKind::kLanguage) {
      parse_language(settings, place, step);
    } else if (step.kind == CleanKind::kLength) {
      parse_length(settings, place, step);
    } else if (step.kind == CleanKind::kQuality) {
      parse_quality(name, settings, place, step);
    } else if (!settings.is_null()) {
      throw Error(Code::kInvalid, fmt::format("{}: '{}' has no settings", place, kind_name(step.kind)));
    }
    options.steps.push_back(std::move(step));
  }
  return options;
}

Json to_json(const CleanOptions& options) {
  Json list = Json::array();
  for (const CleanStep& step : options.steps) {
    if (step.kind == CleanKind::kQuality) {
      list.push_back(step.quality_settings.empty() ? Json(step.quality.preset)
                                                   : Json{{step.quality.preset, step.quality_settings}});
      continue;
    }
    const std::string name(kind_name(step.kind));
    if (step.kind == CleanKind::kLanguage) {
      list.push_back(
          {{name,
            {{"keep", step.languages}, {"min_confidence", step.min_confidence}, {"keep_unknown", step.keep_unknown}}}});
    } else if (step.kind == CleanKind::kLength) {
      list.push_back({{name, {{"min", step.min_words}, {"max", step.max_words}}}});
    } else {
      list.push_back(name);
    }
  }
  return list;
}

class Cleaner::Scanners {
 public:
  // The reason why step `index` drops the text, which may lose lines. Any thread.
  std::string judge(size_t index, const CleanStep& step, std::string& text) {
    std::unique_ptr<QualityScanner> scanner;
    {
      const std::lock_guard lock(mutex_);
      auto& of_step = free_.try_emplace(index).first->second;
      if (!of_step.empty()) {
        scanner = std::move(of_step.back());
        of_step.pop_back();
      }
    }
    if (scanner == nullptr) {
      scanner = std::make_unique<QualityScanner>(step.quality);
    }
    Signals signals;
    std::string reason(scanner->judge(text, signals).reason);
    const std::lock_guard lock(mutex_);
    free_[index].push_back(std::move(scanner));
    return reason;
  }

 private:
  std::mutex mutex_;
  std::map<size_t, std::vector<std::unique_ptr<QualityScanner>>> free_;
};

Cleaner::Cleaner(CleanOptions options) : options_(std::move(options)), scanners_(std::make_unique<Scanners>()) {}
Cleaner::~Cleaner() = default;
Cleaner::Cleaner(Cleaner&&) noexcept = default;
Cleaner& Cleaner::operator=(Cleaner&&) noexcept = default;

std::string Cleaner::apply(Document& document, int64_t& masked) const {
  std::string& text = document.text;
  size_t index = 0;
  for (const CleanStep& step : options_.steps) {
    std::string reason;
    switch (step.kind) {
      case CleanKind::kUnicode:
        text = text::normalize(text, text::NormalForm::kNfc);
        remove_control(text);
        break;
      case CleanKind::kControl: remove_control(text); break;
      case CleanKind::kEntities: text = text::unescape_entities(text); break;
      case CleanKind::kHtml: reason = strip_html(text); break;
      case CleanKind::kWhitespace: collapse_whitespace(text); break;
      case CleanKind::kBoilerplate: remove_boilerplate(text); break;
      case CleanKind::kLanguage: reason = check_language(step, text); break;
      case CleanKind::kLength: reason = check_length(step, text); break;
      case CleanKind::kPii: {
        text::MaskCounts counts;
        text = text::mask_pii(text, {}, counts);
        masked += static_cast<int64_t>(counts.total());
        break;
      }
      case CleanKind::kQuality: reason = scanners_->judge(index, step, text); break;
    }
    if (!reason.empty()) {
      return reason;
    }
    ++index;
  }
  return text.find_first_not_of(" \t\r\n") == std::string::npos ? "empty" : "";
}

}  // namespace slipway::data
