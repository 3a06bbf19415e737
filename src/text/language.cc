#include "text/language.h"

#include <algorithm>
#include <array>
#include <cld2/public/compact_lang_det.h>
#include <cmath>
#include <numeric>

#include "text/han_script.h"
#include "text/language_model.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

constexpr size_t kMaxBytes = size_t{64} << 10;

// Scripts that tell the language, or at least the choice. `code` empty: many languages write it, ask CLD2.
struct Script {
  char32_t first;
  char32_t last;
  int group;
};

enum Group : int {
  kLatin,
  kCyrillic,
  kArabic,
  kHebrew,
  kDevanagari,
  kBengali,
  kEthiopic,
  kHan,
  kKanaScript,
  kHangul,
  kFirstSure
};

constexpr std::string_view kSureCodes[] = {"el", "hy", "ka", "pa", "gu", "or", "ta", "te", "kn",  "ml",
                                           "si", "th", "lo", "bo", "my", "km", "mn", "dv", "chr", "iu"};

constexpr Script kScripts[] = {{0x0041, 0x024F, kLatin},
                               {0x0370, 0x03FF, kFirstSure + 0},
                               {0x0400, 0x052F, kCyrillic},
                               {0x0531, 0x058F, kFirstSure + 1},
                               {0x0590, 0x05FF, kHebrew},
                               {0x0600, 0x06FF, kArabic},
                               {0x0750, 0x077F, kArabic},
                               {0x0780, 0x07BF, kFirstSure + 17},
                               {0x0900, 0x097F, kDevanagari},
                               {0x0980, 0x09FF, kBengali},
                               {0x0A00, 0x0A7F, kFirstSure + 3},
                               {0x0A80, 0x0AFF, kFirstSure + 4},
                               {0x0B00, 0x0B7F, kFirstSure + 5},
                               {0x0B80, 0x0BFF, kFirstSure + 6},
                               {0x0C00, 0x0C7F, kFirstSure + 7},
                               {0x0C80, 0x0CFF, kFirstSure + 8},
                               {0x0D00, 0x0D7F, kFirstSure + 9},
                               {0x0D80, 0x0DFF, kFirstSure + 10},
                               {0x0E00, 0x0E7F, kFirstSure + 11},
                               {0x0E80, 0x0EFF, kFirstSure + 12},
                               {0x0F00, 0x0FFF, kFirstSure + 13},
                               {0x1000, 0x109F, kFirstSure + 14},
                               {0x10A0, 0x10FF, kFirstSure + 2},
                               {0x1100, 0x11FF, kHangul},
                               {0x1200, 0x139F, kEthiopic},
                               {0x13A0, 0x13FF, kFirstSure + 18},
                               {0x1400, 0x167F, kFirstSure + 19},
                               {0x1780, 0x17FF, kFirstSure + 15},
                               {0x1800, 0x18AF, kFirstSure + 16},
                               {0x1C90, 0x1CBF, kFirstSure + 2},
                               {0x1E00, 0x1EFF, kLatin},
                               {0x1F00, 0x1FFF, kFirstSure + 0},
                               {0x3041, 0x30FF, kKanaScript},
                               {0x3130, 0x318F, kHangul},
                               {0x31F0, 0x31FF, kKanaScript},
                               {0x3400, 0x4DBF, kHan},
                               {0x4E00, 0x9FFF, kHan},
                               {0xAC00, 0xD7AF, kHangul},
                               {0xF900, 0xFAFF, kHan},
                               {0xFB1D, 0xFB4F, kHebrew},
                               {0xFB50, 0xFDFF, kArabic},
                               {0xFE70, 0xFEFF, kArabic},
                               {0xFF66, 0xFF9F, kKanaScript},
                               {0x20000, 0x2FA1F, kHan}};

constexpr size_t kGroups = kFirstSure + std::size(kSureCodes);

int group_of(char32_t c) noexcept {
  const auto* it = std::lower_bound(std::begin(kScripts), std::end(kScripts), c,
                                    [](const Script& script, char32_t code) { return script.last < code; });
  return it != std::end(kScripts) && it->first <= c ? it->group : -1;
}

std::string iso_code(CLD2::Language language) {
  const std::string code = CLD2::LanguageCode(language);
  if (code.starts_with("zh")) {
    return "zh";
  }
  constexpr std::pair<std::string_view, std::string_view> kRenamed[] = {
      {"iw", "he"}, {"jw", "jv"}, {"in", "id"}, {"mo", "ro"}, {"un", "und"}};
  for (const auto& [old_code, code_now] : kRenamed) {
    if (code == old_code) {
      return std::string(code_now);
    }
  }
  return code.substr(0, code.find('-'));
}

LanguageGuess ask_cld2(const std::string& text, double share) {
  LanguageGuess guess;
  std::array<CLD2::Language, 3> languages{};
  std::array<int, 3> percents{};
  std::array<double, 3> scores{};
  int text_bytes = 0;
  bool reliable = false;
  const auto size = static_cast<int>(text.size());
  CLD2::Language best = CLD2::ExtDetectLanguageSummary(text.data(), size, true, nullptr, 0, languages.data(),
                                                       percents.data(), scores.data(), nullptr, &text_bytes, &reliable);
  if (best == CLD2::UNKNOWN_LANGUAGE || !reliable) {
    // Texts too short for CLD2's own limit: its best guess, marked as such.
    best = CLD2::ExtDetectLanguageSummary(text.data(), size, true, nullptr, CLD2::kCLDFlagBestEffort, languages.data(),
                                          percents.data(), scores.data(), nullptr, &text_bytes, &reliable);
    reliable = false;
  }
  guess.code = best == CLD2::UNKNOWN_LANGUAGE ? "und" : iso_code(best);
  guess.confidence =
      best == CLD2::UNKNOWN_LANGUAGE ? 0.0 : share * (reliable ? percents[0] : percents[0] * 0.5) / 100.0;
  guess.reliable = reliable && share >= 0.5 && text_bytes >= 40;
  return guess;
}

// How much of a text's letters each group of scripts has.
struct ScriptShares {
  std::array<double, kGroups> weight{};
  double total = 0;
  double simplified = 0;   // ideographs that only one kind of Chinese uses
  double traditional = 0;

  int best() const { return static_cast<int>(std::max_element(weight.begin(), weight.end()) - weight.begin()); }
  double letters() const { return weight[static_cast<size_t>(best())]; }
  double share() const { return total == 0 ? 0 : letters() / total; }
};

ScriptShares script_shares(const std::string& text) {
  ScriptShares shares;
  size_t ascii = 0;  // letters
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      ascii += static_cast<size_t>((byte | 0x20U) - 'a' < 26);
      ++at;
      continue;
    }
    const Decoded d = decode_at(text, at);
    at += d.size;
    const int group = is_letter(d.code) || is_mark(d.code) ? group_of(d.code) : -1;
    if (group >= 0) {
      // An ideograph or a syllable says about as much as two and a half letters of an alphabet.
      const double letters = group == kHan || group == kHangul || group == kKanaScript ? 2.5 : 1.0;
      shares.weight[static_cast<size_t>(group)] += letters;
      shares.total += letters;
      if (group == kHan) {
        const HanScript script = han_script(d.code);
        shares.simplified += script == HanScript::kSimplified ? 1 : 0;
        shares.traditional += script == HanScript::kTraditional ? 1 : 0;
      }
    }
  }
  shares.weight[kLatin] += static_cast<double>(ascii);
  shares.total += static_cast<double>(ascii);
  // Japanese is written with both: the kana decide whose ideographs they are.
  if (shares.weight[kKanaScript] >= 0.1 * shares.weight[kHan]) {
    shares.weight[kKanaScript] += shares.weight[kHan];
    shares.weight[kHan] = 0;
  }
  return shares;
}

// The language that the script alone tells, as detect_language names it; empty when many write it.
std::string_view script_language(int group) {
  switch (group) {
    case kHan: return "zh";
    case kKanaScript: return "ja";
    case kHangul: return "ko";
    default: return group >= kFirstSure ? kSureCodes[group - kFirstSure] : std::string_view();
  }
}

// The n-gram model's first guess, for texts that CLD2 has no name for.
LanguageGuess ask_model(const std::string& text, double share) {
  const LanguageModel& model = LanguageModel::builtin();
  std::vector<float> scores;
  std::vector<double> probabilities;
  const size_t known = model.score(text, scores);
  if (known == 0) {
    return {};
  }
  language_probabilities(scores, known, probabilities);
  const auto best = static_cast<size_t>(std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
  LanguageGuess guess;
  guess.code = without_script(model.languages()[best]);
  guess.confidence = probabilities[best] * share;
  guess.reliable = guess.confidence >= 0.9 && known >= 80;  // about 40 letters
  return guess;
}

}  // namespace

LanguageGuess detect_language(std::string_view input) {
  const std::string text = sanitize_utf8(input.substr(0, kMaxBytes));
  const ScriptShares shares = script_shares(text);
  if (shares.total == 0) {
    return {};
  }
  const double share = shares.share();
  const std::string_view code = script_language(shares.best());
  if (code.empty()) {
    LanguageGuess guess = ask_cld2(text, share);
    return guess.code == "und" ? ask_model(text, share) : guess;
  }
  const double letters = shares.letters();
  LanguageGuess guess;
  guess.code = code;
  guess.confidence = share * letters / (letters + 1.0);
  guess.reliable = share >= 0.5 && letters >= 5;
  return guess;
}

std::vector<LanguageGuess> identify_languages(std::string_view input, size_t top, const LanguageModel& model) {
  const std::string text = sanitize_utf8(input.substr(0, kMaxBytes));
  const ScriptShares shares = script_shares(text);
  if (shares.total == 0) {
    return {LanguageGuess()};
  }
  std::vector<float> scores;
  const size_t known = model.score(text, scores);
  const std::vector<std::string>& languages = model.languages();
  // Each witness adds to the score of what it names, on the scale of the root of the number of n-grams that probabilities are taken
  // on. How much is a choice: a script is all but certain, CLD2's reliable guess worth more than an n-gram model's lead in a
  // sentence; bench/rivals/langid.py measures all three together.
  const float unit = std::sqrt(static_cast<float>(std::max<size_t>(known, 1)));
  const auto favour = [&](std::string_view code, float by) {
    for (const uint16_t language : model.of_code(code)) {
      scores[language] += by * unit;
    }
  };
  const int group = shares.best();
  const std::string_view code = script_language(group);
  if (!code.empty()) {
    favour(code, 4);
  } else if (const LanguageGuess guess = ask_cld2(text, shares.share()); guess.code != "und") {
    favour(guess.code, guess.reliable ? 1.0F : 0.3F);
  }
  if (group == kHan) {
    for (const uint16_t language : model.of_code("zh")) {
      const bool simplified = languages[language] == "zh-Hans";
      const double signs = simplified ? shares.simplified - shares.traditional : shares.traditional - shares.simplified;
      scores[language] += static_cast<float>(signs) * unit;
    }
  }
  std::vector<double> probabilities;
  language_probabilities(scores, std::max<size_t>(known, 1), probabilities);
  const size_t count = std::min(top, languages.size());
  std::vector<size_t> order(count == 1 ? 1 : languages.size());
  if (count == 1) {
    order[0] = static_cast<size_t>(std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
  } else {
    std::iota(order.begin(), order.end(), size_t{0});
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(), [&](size_t a, size_t b) {
      return probabilities[a] != probabilities[b] ? probabilities[a] > probabilities[b] : a < b;
    });
  }
  std::vector<LanguageGuess> out;
  for (size_t i = 0; i < count; ++i) {
    const double p = probabilities[order[i]];
    out.push_back({languages[order[i]], p, p >= 0.9 && shares.letters() >= 40});
  }
  return out;
}

}  // namespace slipway::text
