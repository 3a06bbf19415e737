#include "text/language.h"

#include <algorithm>
#include <array>
#include <cld2/public/compact_lang_det.h>

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

}  // namespace

LanguageGuess detect_language(std::string_view input) {
  std::string_view cut = input.substr(0, kMaxBytes);
  const std::string text = sanitize_utf8(cut);
  std::array<double, kGroups> weight{};
  double total = 0;
  for (size_t at = 0; at < text.size();) {
    const Decoded d = decode_at(text, at);
    at += d.size;
    const int group = is_letter(d.code) || is_mark(d.code) ? group_of(d.code) : -1;
    if (group >= 0) {
      // An ideograph or a syllable says about as much as two and a half letters of an alphabet.
      const double letters = group == kHan || group == kHangul || group == kKanaScript ? 2.5 : 1.0;
      weight[static_cast<size_t>(group)] += letters;
      total += letters;
    }
  }
  if (total == 0) {
    return {};
  }
  // Japanese is written with both: the kana decide whose ideographs they are.
  if (weight[kKanaScript] >= 0.1 * weight[kHan]) {
    weight[kKanaScript] += weight[kHan];
    weight[kHan] = 0;
  }
  const auto best = static_cast<int>(std::max_element(weight.begin(), weight.end()) - weight.begin());
  const double share = weight[static_cast<size_t>(best)] / total;
  const double letters = weight[static_cast<size_t>(best)];
  const auto sure = [&](std::string_view code) {
    LanguageGuess guess;
    guess.code = code;
    guess.confidence = share * letters / (letters + 1.0);
    guess.reliable = share >= 0.5 && letters >= 5;
    return guess;
  };
  switch (best) {
    case kHan: return sure("zh");
    case kKanaScript: return sure("ja");
    case kHangul: return sure("ko");
    default: return best >= kFirstSure ? sure(kSureCodes[best - kFirstSure]) : ask_cld2(text, share);
  }
}

}  // namespace slipway::text
