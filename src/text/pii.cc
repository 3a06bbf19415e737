#include "text/pii.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstring>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <tuple>

#include "base/error.h"
#include "base/suggest.h"
#include "text/phone.h"
#include "text/pii_context.h"
#include "text/pii_recognizer.h"
#include "text/pii_search.h"
#include "text/regex.h"
#include "text/regex_prefix.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

// A pattern's match may begin this many characters before the first digit or colon of its place.
constexpr uint32_t kReach = 16;
// A label is looked for this far before a match ("provider organization tax identification number: ").
constexpr uint32_t kLabel = 80;
// An e-mail address's local part is looked for this far back (RFC 5321 allows 64).
constexpr uint32_t kMostLocal = 320;

std::vector<const PiiRecognizer*> all_recognizers() {
  std::vector<const PiiRecognizer*> all;
  for (const auto& family : {pii_generic(), pii_america(), pii_us_health(), pii_europe(), pii_germany(), pii_asia(), pii_china()}) {
    for (const PiiRecognizer& recognizer : family) {
      all.push_back(&recognizer);
    }
  }
  return all;
}

std::vector<const PiiRecognizer*> chosen(const std::vector<std::string>& names) {
  const std::vector<const PiiRecognizer*> all = all_recognizers();
  std::vector<bool> wanted(all.size());
  std::vector<std::string> known = {"all", "default"};
  for (const PiiRecognizer* recognizer : all) {
    known.emplace_back(recognizer->type);
    known.emplace_back(recognizer->group);
  }
  for (const std::string& name : names) {
    bool found = false;
    for (size_t i = 0; i < all.size(); ++i) {
      const std::string_view group = all[i]->group;
      const bool usual = group == "generic" || group == "us" || group == "uk" || group == "cn";
      if (name == "all" || name == all[i]->type || name == group || (name == "default" && usual)) {
        wanted[i] = true;
        found = true;
      }
    }
    if (!found) {
      throw base::Error(base::Code::kInvalid, fmt::format("no entity or group of entities is called '{}'{}", name,
                                                          base::suggestion(name, known)));
    }
  }
  std::vector<const PiiRecognizer*> result;
  for (size_t i = 0; i < all.size(); ++i) {
    if (wanted[i]) {
      result.push_back(all[i]);
    }
  }
  return result;
}

struct Pattern {
  Regex regex;
  uint16_t recognizer;
  uint16_t number;  // within the recogniser
  float score;
  std::optional<Regex> label;
};

struct Raw {
  uint32_t begin;
  uint32_t end;
  uint16_t recognizer;
  uint16_t pattern;
  float score;
};

enum Class : uint8_t { kHot = 1, kWord = 2, kAt = 4, kDot = 8, kColon = 16, kPhoneStart = 32, kHex = 64 };

constexpr std::array<uint8_t, 128> make_classes() {
  std::array<uint8_t, 128> table{};
  for (size_t c = 0; c < table.size(); ++c) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool hex = digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    table[c] = static_cast<uint8_t>((digit ? kHot | kPhoneStart : 0) | (digit || letter || c == '_' ? kWord : 0) |
                                    (hex ? kHex : 0) | (c == '@' ? kAt : 0) | (c == '.' ? kDot : 0) |
                                    (c == ':' || c == '-' ? kColon : 0) | (c == '+' || c == '(' ? kPhoneStart : 0));
  }
  return table;
}
constexpr std::array<uint8_t, 128> kClasses = make_classes();

uint8_t class_of(char32_t c) noexcept { return c < 128 ? kClasses[c] : 0; }

// How many of a match's first characters rule patterns out, and the character that rules none out: one beyond ASCII (which
// may be an s or a k when case is ignored), or the text's end.
constexpr size_t kPrefix = 8;
constexpr size_t kUnknown = 128;

// A set of patterns by their numbers.
constexpr size_t kMostPatterns = 256;
using PatternSet = std::array<uint64_t, kMostPatterns / 64>;

struct PiiPlan {
  PiiOptions options;
  std::vector<const PiiRecognizer*> recognizers;
  std::vector<Pattern> patterns;
  // Patterns near digits by their first character: those that begin at a word's border, and the others.
  std::array<PatternSet, 128> at_border{};
  std::array<PatternSet, 128> anywhere{};
  PatternSet wide{};  // that can begin with a character beyond ASCII
  // By place and character: the patterns whose matches may have it there. [kPrefix][kUnknown + 1]
  std::array<std::array<PatternSet, kUnknown + 1>, kPrefix> prefix{};
  std::optional<uint16_t> email_pattern;
  std::optional<uint16_t> url;
  std::optional<uint16_t> phone;
  std::optional<uint16_t> iban;

  void add(const PiiRecognizer& recognizer);
};

void insert(PatternSet& set, size_t pattern) noexcept { set[pattern / 64] |= uint64_t{1} << (pattern % 64); }

bool begins_at_border(std::string_view regex) {
  // An alternative outside a group would not have the border's condition.
  return regex.starts_with("\\b") && !regex.starts_with("\\b\\d{4}-[01]") ? true : regex.starts_with("(?<![\\w");
}

void PiiPlan::add(const PiiRecognizer& recognizer) {
  const auto index = static_cast<uint16_t>(recognizers.size());
  recognizers.push_back(&recognizer);
  for (uint16_t number = 0; number < recognizer.patterns.size(); ++number) {
    const PiiPattern& pattern = recognizer.patterns[number];
    if (pattern.regex == nullptr) {
      continue;
    }
    const std::string_view regex = pattern.regex;
    SLIPWAY_CHECK(patterns.size() < kMostPatterns);
    const auto id = static_cast<uint16_t>(patterns.size());
    const std::string any_case = "(?i)" + std::string(regex);
    patterns.push_back({Regex(any_case, recognizer.type), index, number, pattern.score, std::nullopt});
    if (pattern.label != nullptr) {
      patterns.back().label.emplace("(?i)(?:" + std::string(pattern.label) + ")$", recognizer.type, Regex::Flavor::kRust);
    }
    if (recognizer.search == PiiSearch::kEmail) {
      email_pattern = id;
      continue;
    }
    const std::bitset<128> first = patterns.back().regex.first_ascii();
    for (size_t c = 0; c < first.size(); ++c) {
      if (first[c]) {
        insert((begins_at_border(regex) && (kClasses[c] & kWord) != 0 ? at_border : anywhere)[c], id);
      }
    }
    Regex::Program program;
    compile_regex(any_case, Regex::Flavor::kOniguruma, recognizer.type, program);
    const std::vector<std::bitset<128>> allowed = regex_prefix(program, kPrefix);
    for (size_t place = 0; place < kPrefix; ++place) {
      for (size_t c = 0; c <= kUnknown; ++c) {
        if (c == kUnknown || allowed[place][c]) {
          insert(prefix[place][c], id);
        }
      }
    }
    if (std::any_of(regex.begin(), regex.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
      insert(wide, id);
    }
  }
  switch (recognizer.search) {
    case PiiSearch::kUrl: url = index; break;
    case PiiSearch::kPhone: phone = index; break;
    case PiiSearch::kIban: iban = index; break;
    default: break;
  }
}

// One text's scan.
class Scan {
 public:
  Scan(const PiiPlan& plan, std::string_view text, std::u32string_view chars, const std::vector<uint32_t>& bytes,
       std::vector<uint32_t>& resume, std::vector<Raw>& raw, Regex::Scratch& regex)
      : plan_(plan), text_(text), chars_(chars), bytes_(bytes), resume_(resume), raw_(raw), regex_(regex) {}

  void run() {
    const auto size = static_cast<uint32_t>(chars_.size());
    for (uint32_t at = 0; at < size; ++at) {
      const uint8_t kind = class_of(chars_[at]);
      if ((kind & (kHot | kAt | kDot | kColon | kPhoneStart)) == 0) {
        continue;
      }
      if ((kind & kHot) != 0) {
        places(at > kReach ? at - kReach : 0, at + 1);
      } else if ((kind & kColon) != 0) {
        const uint8_t next = at + 1 < size ? class_of(chars_[at + 1]) : 0;
        const uint8_t last = at > 0 ? class_of(chars_[at - 1]) : 0;
        if (((next & kHex) != 0 && (last & kHex) != 0 && hex_run(at)) || (chars_[at] == U':' && at + 1 < size && chars_[at + 1] == U':')) {
          places(at > kReach ? at - kReach : 0, at + 1);
        }
      } else if ((kind & kAt) != 0 && plan_.email_pattern) {
        email_at(at);
      } else if ((kind & kDot) != 0 && plan_.url) {
        url_at(at);
      }
      if ((kind & kPhoneStart) != 0 && plan_.phone && at >= phone_done_) {
        phone_at(at);
      }
    }
  }

 private:
  // Two or four hexadecimal digits stand before the separator and nothing more: an address of a network card or IPv6.
  bool hex_run(uint32_t at) const {
    uint32_t begin = at;
    while (begin > 0 && at - begin < 5 && (class_of(chars_[begin - 1]) & kHex) != 0) {
      --begin;
    }
    const bool border = begin == 0 || (class_of(chars_[begin - 1]) & kWord) == 0;
    return border && at - begin <= 4 && (chars_[at] == U':' || at - begin == 2);
  }

  void places(uint32_t begin, uint32_t end) {
    for (uint32_t at = std::max(begin, done_); at < end; ++at) {
      const char32_t c = chars_[at];
      if (c >= 128) {
        attempt(plan_.wide, at);
        continue;
      }
      const bool inside = at > 0 && (class_of(chars_[at - 1]) & kWord) != 0;
      if (!inside) {
        attempt(plan_.at_border[c], at);
        if (plan_.iban && at >= iban_done_ && c >= U'A' && c <= U'Z') {
          iban_at(at);
        }
      } else if (plan_.iban && at >= iban_done_ && c >= U'A' && c <= U'Z') {
        iban_at(at);
      }
      attempt(plan_.anywhere[c], at);
    }
    done_ = std::max(done_, end);
  }

  void attempt(const PatternSet& set, uint32_t at) {
    const auto size = static_cast<uint32_t>(chars_.size());
    for (size_t word = 0; word < set.size(); ++word) {
      uint64_t left = set[word];
      for (uint32_t place = 0; left != 0 && place < kPrefix; ++place) {
        const char32_t c = at + place < size ? chars_[at + place] : kUnknown;
        left &= plan_.prefix[place][std::min<size_t>(c, kUnknown)][word];
      }
      for (; left != 0; left &= left - 1) {
        const size_t id = word * 64 + static_cast<size_t>(__builtin_ctzll(left));
        uint32_t end = 0;
        if (at >= resume_[id] && plan_.patterns[id].regex.match_at(chars_, 0, size, at, regex_, end) && end > at &&
            labelled(static_cast<uint16_t>(id), at)) {
          add(static_cast<uint16_t>(id), at, end);
        }
      }
    }
  }

  bool labelled(uint16_t id, uint32_t at) const {
    const std::optional<Regex>& label = plan_.patterns[id].label;
    const uint32_t from = at > kLabel ? at - kLabel : 0;
    Regex::Match match{};
    return !label || label->find(chars_, from, at, from, match);
  }

  void add(uint16_t id, uint32_t begin, uint32_t end) {
    resume_[id] = end;
    const Pattern& pattern = plan_.patterns[id];
    const PiiRecognizer& recognizer = *plan_.recognizers[pattern.recognizer];
    float score = pattern.score;
    if (recognizer.check != nullptr) {
      const PiiVerdict verdict = recognizer.check(utf8(begin, end));
      if (verdict == PiiVerdict::kInvalid) {
        return;
      }
      score = verdict == PiiVerdict::kValid ? 1.0F : score;
    }
    raw_.push_back({begin, end, pattern.recognizer, pattern.number, score});
  }

  void email_at(uint32_t at) {
    const uint16_t id = *plan_.email_pattern;
    const auto size = static_cast<uint32_t>(chars_.size());
    const auto local = [](char32_t c) {
      return c >= 128 || (class_of(c) & kWord) != 0 || (c < 128 && std::strchr("!#$%&'*+-/=?^`{|}~.", static_cast<int>(c)) != nullptr && c != 0);
    };
    uint32_t begin = at;
    while (begin > resume_[id] && at - begin < kMostLocal && local(chars_[begin - 1])) {
      --begin;
    }
    for (uint32_t from = begin; from < at; ++from) {
      uint32_t end = 0;
      const bool border = from == 0 || (class_of(chars_[from - 1]) & kWord) != (class_of(chars_[from]) & kWord) ||
                          chars_[from] >= 128 || chars_[from - 1] >= 128;
      if (border && plan_.patterns[id].regex.match_at(chars_, 0, size, from, regex_, end)) {
        if (end > at) {
          add(id, from, end);
        }
        return;
      }
    }
  }

  void url_at(uint32_t dot) {
    if (dot < url_done_ || dot + 1 >= chars_.size() || !is_host_char(chars_[dot + 1])) {
      return;
    }
    uint32_t begin = dot;
    while (begin > url_done_ && is_host_char(chars_[begin - 1])) {
      --begin;
    }
    uint32_t end = dot;
    while (end < chars_.size() && is_host_char(chars_[end])) {
      ++end;
    }
    url_done_ = end;
    const uint16_t recognizer = *plan_.url;
    find_urls(chars_, begin, end, [&](const PiiMatch& match) {
      const float score = plan_.recognizers[recognizer]->patterns[match.pattern].score;
      raw_.push_back({match.begin, match.end, recognizer, static_cast<uint16_t>(match.pattern), score});
      url_done_ = std::max(url_done_, match.end);
    });
  }

  void phone_at(uint32_t at) {
    const uint32_t begin = byte_of(at);
    const size_t end = phone_number_end(text_, begin);
    if (end != 0) {
      const auto stop = at + static_cast<uint32_t>(end - begin);  // digits and separators are ASCII
      raw_.push_back({at, stop, *plan_.phone, 0, plan_.recognizers[*plan_.phone]->patterns[0].score});
      phone_done_ = stop;
    }
  }

  void iban_at(uint32_t at) {
    PiiMatch match;
    uint32_t skip_to = 0;
    if (find_iban(chars_, at, match, skip_to)) {
      raw_.push_back({match.begin, match.end, *plan_.iban, 0, 1.0F});
    }
    iban_done_ = std::max(iban_done_, skip_to);
  }

  uint32_t byte_of(uint32_t at) const { return bytes_.empty() ? at : bytes_[at]; }
  std::string_view utf8(uint32_t begin, uint32_t end) const {
    return text_.substr(byte_of(begin), byte_of(end) - byte_of(begin));
  }

  const PiiPlan& plan_;
  const std::string_view text_;
  const std::u32string_view chars_;
  const std::vector<uint32_t>& bytes_;
  std::vector<uint32_t>& resume_;
  std::vector<Raw>& raw_;
  Regex::Scratch& regex_;
  uint32_t done_ = 0;  // places before are searched
  uint32_t url_done_ = 0;
  uint32_t phone_done_ = 0;
  uint32_t iban_done_ = 0;
};

// Takes out what another finding of the same recogniser contains with at least its score. Matches of one pattern do not
// overlap, so only each pattern's last one can contain the next.
void drop_contained(std::vector<Raw>& raw) {
  std::sort(raw.begin(), raw.end(), [](const Raw& a, const Raw& b) {
    return std::tuple(a.recognizer, a.begin, b.end, b.score, a.pattern) <
           std::tuple(b.recognizer, b.begin, a.end, a.score, b.pattern);
  });
  constexpr size_t kMostOfOne = 16;  // patterns of a recogniser
  std::array<const Raw*, kMostOfOne> last{};
  std::vector<Raw> out;
  out.reserve(raw.size());
  for (size_t i = 0; i < raw.size(); ++i) {
    const Raw& now = raw[i];
    if (i > 0 && raw[i - 1].recognizer != now.recognizer) {
      last.fill(nullptr);
    }
    const bool contained = std::any_of(last.begin(), last.end(), [&](const Raw* other) {
      return other != nullptr && other->begin <= now.begin && other->end >= now.end && other->score >= now.score;
    });
    if (!contained) {
      out.push_back(now);
    }
    last[now.pattern % kMostOfOne] = &now;
  }
  raw = std::move(out);
}

// The best finding of each place: by score, then length, then place, then the order of recognisers.
void drop_overlapping(std::vector<Raw>& raw) {
  std::sort(raw.begin(), raw.end(), [](const Raw& a, const Raw& b) {
    return std::tuple(b.score, b.end - b.begin, a.begin, a.recognizer) <
           std::tuple(a.score, a.end - a.begin, b.begin, b.recognizer);
  });
  std::map<uint32_t, uint32_t> taken;  // begin -> end
  std::erase_if(raw, [&](const Raw& now) {
    const auto next = taken.lower_bound(now.begin);
    if ((next != taken.end() && next->first < now.end) || (next != taken.begin() && std::prev(next)->second > now.begin)) {
      return true;
    }
    taken.emplace(now.begin, now.end);
    return false;
  });
}

// +0.35 and at least 0.4 by a context word (Presidio's LemmaContextAwareEnhancer).
void add_context(const PiiPlan& plan, std::u32string_view chars, std::vector<Raw>& raw) {
  constexpr float kMore = 0.35F;
  constexpr float kLeast = 0.4F;
  std::vector<std::string> words;
  std::optional<uint32_t> words_at;
  for (Raw& finding : raw) {
    if (finding.score >= 1) {
      continue;
    }
    if (words_at != finding.begin) {
      words_at = finding.begin;
      pii_context_words(chars, finding.begin, words);
    }
    if (pii_has_context(words, plan.recognizers[finding.recognizer]->context)) {
      finding.score = std::min(1.0F, std::max(kLeast, finding.score + kMore));
    }
  }
}

// Characters, and where each begins unless all are ASCII.
void decode(std::string_view text, std::u32string& chars, std::vector<uint32_t>& bytes) {
  const bool ascii = std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  chars.resize(text.size());
  bytes.clear();
  if (ascii) {
    for (size_t i = 0; i < text.size(); ++i) {
      chars[i] = static_cast<unsigned char>(text[i]);
    }
    return;
  }
  bytes.resize(text.size() + 1);
  size_t count = 0;
  for (size_t at = 0; at < text.size(); ++count) {
    bytes[count] = static_cast<uint32_t>(at);
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      chars[count] = static_cast<unsigned char>(text[at++]);
    } else {
      const Decoded decoded = decode_at(text, at);
      chars[count] = decoded.code;
      at += decoded.size;
    }
  }
  bytes[count] = static_cast<uint32_t>(text.size());
  chars.resize(count);
}

}  // namespace

struct PiiScanner::Plan : PiiPlan {};

struct PiiScanner::Scratch::State {
  std::u32string chars;
  std::vector<uint32_t> bytes;   // of each character, when not all are ASCII
  std::vector<uint32_t> resume;  // of each pattern: where its next match may begin
  std::vector<Raw> raw;
  Regex::Scratch regex;
};
PiiScanner::Scratch::Scratch() : state_(std::make_unique<State>()) {}
PiiScanner::Scratch::~Scratch() = default;
PiiScanner::Scratch::Scratch(Scratch&&) noexcept = default;
PiiScanner::Scratch& PiiScanner::Scratch::operator=(Scratch&&) noexcept = default;

std::vector<std::string> pii_entities() {
  std::vector<std::string> names;
  for (const PiiRecognizer* recognizer : all_recognizers()) {
    names.emplace_back(recognizer->type);
  }
  std::sort(names.begin(), names.end());
  return names;
}

PiiScanner::PiiScanner(const PiiOptions& options) {
  auto plan = std::make_unique<Plan>();
  plan->options = options;
  for (const PiiRecognizer* recognizer : chosen(options.entities)) {
    plan->add(*recognizer);
  }
  plan_ = std::move(plan);
}
PiiScanner::~PiiScanner() = default;
PiiScanner::PiiScanner(PiiScanner&&) noexcept = default;
PiiScanner& PiiScanner::operator=(PiiScanner&&) noexcept = default;

void PiiScanner::find(std::string_view text, Scratch& scratch, std::vector<PiiFinding>& findings) const {
  findings.clear();
  if (text.size() >= UINT32_MAX) {
    throw base::Error(base::Code::kInvalid, "a text of 4 GiB or more: split it first");
  }
  Scratch::State& state = *scratch.state_;
  decode(text, state.chars, state.bytes);
  state.resume.assign(plan_->patterns.size(), 0);
  state.raw.clear();
  Scan(*plan_, text, state.chars, state.bytes, state.resume, state.raw, state.regex).run();
  if (state.raw.empty()) {
    return;
  }
  drop_contained(state.raw);
  if (plan_->options.context) {
    add_context(*plan_, state.chars, state.raw);
    drop_contained(state.raw);
  }
  constexpr double kRounding = 1e-6;  // scores are floats: 0.05 + 0.35 is 0.4
  std::erase_if(state.raw, [&](const Raw& raw) { return raw.score + kRounding < plan_->options.threshold; });
  if (!plan_->options.overlapping) {
    drop_overlapping(state.raw);
  }
  for (const Raw& raw : state.raw) {
    const PiiRecognizer& recognizer = *plan_->recognizers[raw.recognizer];
    const auto byte = [&](uint32_t at) { return state.bytes.empty() ? at : state.bytes[at]; };
    findings.push_back({recognizer.type, recognizer.group, raw.begin, raw.end, byte(raw.begin), byte(raw.end), raw.score});
  }
  std::sort(findings.begin(), findings.end(), [](const PiiFinding& a, const PiiFinding& b) {
    return std::tuple(a.begin, b.end, a.type) < std::tuple(b.begin, a.end, b.type);
  });
}

}  // namespace slipway::text
