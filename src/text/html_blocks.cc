#include "text/html_blocks.h"

#include <algorithm>

#include "text/entities.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

// Judgement of a block, after jusText's idea (Pomikalek 2011): sure ones first, short ones by their neighbours. The
// numbers were chosen on the 181 pages of tests/text/html_test.cc's gold (see bench/text/README).
enum class Verdict : uint8_t { kBad, kShort, kNearGood, kGood };

constexpr double kMaxLinkDensity = 0.35;
constexpr size_t kShortChars = 45;
constexpr size_t kLongChars = 120;

// Ideographs say about three letters each.
size_t weight_of(const Block& block) {
  size_t wide = 0;
  for (size_t at = 0; at < block.text.size();) {
    const Decoded d = decode_at(block.text, at);
    wide += is_cjk_ideograph(d.code) || is_kana(d.code) || is_hangul(d.code) ? 2 : 0;
    at += d.size;
  }
  return block.chars + wide;
}

Verdict judge(const Block& block, bool trust_marks) {
  const double density =
      block.chars == 0 ? 1.0 : static_cast<double>(block.link_chars) / static_cast<double>(block.chars);
  if ((trust_marks && block.boilerplate) || density > kMaxLinkDensity) {
    return Verdict::kBad;
  }
  const size_t weight = weight_of(block);
  if (weight < kShortChars) {
    return block.stops > 0 && block.kind == BlockKind::kParagraph ? Verdict::kNearGood : Verdict::kShort;
  }
  if (block.stops == 0) {
    return block.kind == BlockKind::kOther ? Verdict::kBad : Verdict::kShort;
  }
  return weight >= kLongChars || block.kind == BlockKind::kParagraph ? Verdict::kGood : Verdict::kNearGood;
}

void append_line(const std::string& line, std::string& out) {
  if (!out.empty()) {
    out += '\n';
  }
  out += line;
}

bool is_stop(char32_t c) noexcept {
  return c == U'.' || c == U'!' || c == U'?' || c == U',' || c == U';' || c == 0x3002 || c == 0xFF0C || c == 0xFF01 ||
         c == 0xFF1F || c == 0x3001 || c == 0x060C || c == 0x061F || c == 0x0964;
}

// The nearest block in a direction that is not short; kBad at the border.
Verdict neighbour(const std::vector<Verdict>& verdicts, size_t at, int step) {
  constexpr int kReach = 12;
  auto i = static_cast<std::ptrdiff_t>(at) + step;
  for (int n = 0; n < kReach && i >= 0 && i < static_cast<std::ptrdiff_t>(verdicts.size()); ++n, i += step) {
    if (verdicts[static_cast<size_t>(i)] != Verdict::kShort) {
      return verdicts[static_cast<size_t>(i)];
    }
  }
  return Verdict::kBad;
}

}  // namespace

void BlockList::open(BlockKind kind, bool content, bool boilerplate) {
  finish();
  current_.kind = kind;
  current_.content = content;
  current_.boilerplate = boilerplate;
}

void BlockList::finish() {
  current_.text = trimmed(std::move(current_.text));
  if (!current_.text.empty()) {
    current_.chars = count_code_points(current_.text);
    current_.link_chars = std::min(current_.link_chars, current_.chars);
    for (size_t at = 0; at < current_.text.size();) {
      const Decoded d = decode_at(current_.text, at);
      current_.stops += is_stop(d.code) ? 1 : 0;
      at += d.size;
    }
    blocks_.push_back(std::move(current_));
  }
  current_ = Block{};
}

void BlockList::add_text(std::string_view text, bool in_link) {
  const size_t before = current_.text.size();
  append_collapsed(text, current_.text);
  if (in_link) {
    current_.link_chars += count_code_points(std::string_view(current_.text).substr(before));
  }
}

void BlockList::line_break() {
  // Two breaks in a row separate paragraphs in older pages; one is a space.
  if (current_.text.ends_with("\n")) {
    const Block kept = current_;
    open(kept.kind, kept.content, kept.boilerplate);
    return;
  }
  while (current_.text.ends_with(' ')) {
    current_.text.pop_back();
  }
  if (!current_.text.empty()) {
    current_.text += '\n';
  }
}

void BlockList::cell() {
  while (current_.text.ends_with(' ')) {
    current_.text.pop_back();
  }
  if (!current_.text.empty() && !current_.text.ends_with('\t')) {
    current_.text += '\t';
  }
}

std::string BlockList::all_text() const {
  std::string out;
  for (const Block& block : blocks_) {
    append_line(block.text, out);
  }
  return out;
}

std::string BlockList::main_text() const {
  std::vector<Verdict> verdicts;
  size_t good_chars = 0;
  size_t good_content_chars = 0;
  // Some themes call the whole page "with-sidebar": a mark that most of the good text carries means nothing.
  size_t marked_chars = 0;
  size_t unmarked_chars = 0;
  for (const Block& block : blocks_) {
    if (judge(block, false) == Verdict::kGood) {
      (block.boilerplate ? marked_chars : unmarked_chars) += block.chars;
    }
  }
  const bool trust_marks = marked_chars < 2 * unmarked_chars;
  for (const Block& block : blocks_) {
    verdicts.push_back(judge(block, trust_marks));
    if (verdicts.back() == Verdict::kGood) {
      good_chars += block.chars;
      good_content_chars += block.content ? block.chars : 0;
    }
  }
  // When most of the good text stands inside what the page calls its content, the rest is not.
  const bool content_only = good_content_chars * 2 > good_chars;
  for (size_t i = 0; i < blocks_.size(); ++i) {
    if (content_only && !blocks_[i].content) {
      verdicts[i] = Verdict::kBad;
    }
  }
  std::vector<bool> keep(blocks_.size());
  for (size_t i = 0; i < blocks_.size(); ++i) {
    if (verdicts[i] == Verdict::kGood) {
      keep[i] = true;
    } else if (verdicts[i] != Verdict::kBad) {
      const Verdict left = neighbour(verdicts, i, -1);
      const Verdict right = neighbour(verdicts, i, 1);
      const bool both = left >= Verdict::kNearGood && right >= Verdict::kNearGood;
      const bool either = left == Verdict::kGood || right == Verdict::kGood;
      if (blocks_[i].kind == BlockKind::kHeading) {
        keep[i] = right >= Verdict::kNearGood;
      } else {
        keep[i] = both || (verdicts[i] == Verdict::kNearGood && either);
      }
    }
  }
  std::string out;
  for (size_t i = 0; i < blocks_.size(); ++i) {
    if (keep[i]) {
      append_line(blocks_[i].text, out);
    }
  }
  return out.empty() ? all_text() : out;
}

bool names_boilerplate(std::string_view attribute) {
  constexpr std::string_view kWords[] = {
      "nav",       "navbar",   "menu",   "sidebar",       "footer",     "comment",     "comments",
      "share",     "sharing",  "social", "related",       "breadcrumb", "breadcrumbs", "cookie",
      "cookies",   "banner",   "advert", "advertisement", "ads",        "promo",       "newsletter",
      "subscribe", "signup",   "popup",  "modal",         "widget",     "toolbar",     "pagination",
      "pager",     "tags",     "disqus", "recommended",   "trending",   "sponsored",   "outbrain",
      "taboola",   "masthead", "byline", "copyright",     "disclaimer", "skip",        "login"};
  size_t begin = 0;
  const auto separator = [](char c) { return c == ' ' || c == '-' || c == '_' || c == '\t' || c == '\n' || c == ':'; };
  for (size_t i = 0; i <= attribute.size(); ++i) {
    if (i < attribute.size() && !separator(attribute[i])) {
      continue;
    }
    std::string word(attribute.substr(begin, i - begin));
    std::transform(word.begin(), word.end(), word.begin(),
                   [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
    if (std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords)) {
      return true;
    }
    begin = i + 1;
  }
  return false;
}

void append_collapsed(std::string_view text, std::string& out) {
  for (size_t at = 0; at < text.size();) {
    const Decoded d = decode_at(text, at);
    if (is_whitespace(d.code)) {
      if (!out.empty() && out.back() != ' ' && out.back() != '\n' && out.back() != '\t') {
        out += ' ';
      }
    } else {
      out.append(text, at, d.size);
    }
    at += d.size;
  }
}

std::string trimmed(std::string text) {
  const auto space = [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; };
  while (!text.empty() && space(text.back())) {
    text.pop_back();
  }
  size_t begin = 0;
  while (begin < text.size() && space(text[begin])) {
    ++begin;
  }
  return text.substr(begin);
}

std::string decode_windows_1252(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 8);
  for (const char c : bytes) {
    append_utf8(windows_1252(static_cast<unsigned char>(c)), out);
  }
  return out;
}

}  // namespace slipway::text
