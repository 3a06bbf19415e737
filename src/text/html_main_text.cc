#include "text/html_main_text.h"

#include <algorithm>

#include "text/html_marks.h"

namespace slipway::text {
namespace {

// The numbers were chosen on the 181 news pages of docs/benchmarks.md, "Main text of web pages"; F1 moves by less than
// 0.005 when one of them moves by a third.
constexpr double kMaxLinkDensity = 0.35;
constexpr uint32_t kShortChars = 45;
constexpr uint32_t kLongChars = 120;
constexpr double kTrustedShare = 0.6;  // an element with more of the good text than this is not what its class says
constexpr double kTeaserShare = 0.25;  // and one with more than this is no teaser
constexpr double kContentShare = 0.4;  // what calls itself the content is believed from this share on
constexpr double kDescend = 0.85;      // a child with this much of the value stands for its parent
constexpr double kLinkedLine = 0.75;   // of a paragraph within the text may be links
constexpr double kPenalty = 0.3;       // of a character that is not text, against one that is

// After jusText's idea (Pomikalek 2011): sure ones first, short ones by their neighbours.
enum class Verdict : uint8_t { kBad, kLinks, kShort, kNearGood, kGood };

uint32_t weight_of(const HtmlBlock& block) noexcept { return block.chars + 2 * block.wide; }

double link_density(const HtmlBlock& block) noexcept {
  return block.chars == 0 ? 1.0 : static_cast<double>(block.link_chars) / static_cast<double>(block.chars);
}

Verdict judge(const HtmlBlock& block) noexcept {
  const uint32_t weight = weight_of(block);
  if (link_density(block) > kMaxLinkDensity) {
    return Verdict::kLinks;
  }
  if (weight < kShortChars) {
    return block.stops > 0 && block.kind == BlockKind::kParagraph ? Verdict::kNearGood : Verdict::kShort;
  }
  if (block.stops == 0) {
    return block.kind == BlockKind::kOther ? Verdict::kBad : Verdict::kShort;
  }
  return weight >= kLongChars || block.kind == BlockKind::kParagraph ? Verdict::kGood : Verdict::kNearGood;
}

class Chooser {
 public:
  explicit Chooser(const HtmlPage& page) : page_(page) {}
  std::string choose();

 private:
  void judge_blocks();
  void sum();
  void drop_elements();
  bool is_teaser(const HtmlElement& element) const;
  const HtmlElement& find_region() const;
  double good_in(const HtmlElement& element) const { return good_[element.end_block] - good_[element.first_block]; }
  double value_in(const HtmlElement& element) const { return value_[element.end_block] - value_[element.first_block]; }
  Verdict neighbour(size_t at, int step, size_t first, size_t end) const;
  bool keeps(size_t at, size_t first, size_t end) const;
  bool is_headline(const HtmlBlock& block) const;

  const HtmlPage& page_;
  std::vector<Verdict> verdicts_;
  std::vector<bool> dropped_;
  std::vector<double> good_;   // prefix sums over the blocks: weight of the good
  std::vector<double> value_;  // the same less a part of what is not
};

void Chooser::judge_blocks() {
  verdicts_.reserve(page_.blocks.size());
  for (const HtmlBlock& block : page_.blocks) {
    verdicts_.push_back(judge(block));
  }
  dropped_.assign(page_.blocks.size(), false);
}

void Chooser::sum() {
  good_.assign(page_.blocks.size() + 1, 0);
  value_.assign(page_.blocks.size() + 1, 0);
  for (size_t i = 0; i < page_.blocks.size(); ++i) {
    const double weight = weight_of(page_.blocks[i]);
    const bool good = !dropped_[i] && verdicts_[i] == Verdict::kGood;
    good_[i + 1] = good_[i] + (good ? weight : 0);
    value_[i + 1] = value_[i] + (good                                                ? weight
                                 : dropped_[i] || verdicts_[i] == Verdict::kNearGood ? 0
                                                                                     : -kPenalty * weight);
  }
}

// A card that leads to another page: one or two paragraphs under a heading that is a link.
bool Chooser::is_teaser(const HtmlElement& element) const {
  if (element.end_block - element.first_block > 12) {
    return false;
  }
  size_t paragraphs = 0;
  bool linked_heading = false;
  for (size_t i = element.first_block; i < element.end_block; ++i) {
    paragraphs += verdicts_[i] == Verdict::kGood ? 1 : 0;
    linked_heading =
        linked_heading || (page_.blocks[i].kind == BlockKind::kHeading && link_density(page_.blocks[i]) > 0.6);
  }
  return linked_heading && paragraphs <= 2;
}

void Chooser::drop_elements() {
  const double total = std::max(1.0, good_.back());
  std::vector<bool> drops(page_.elements.size(), false);
  for (size_t e = 1; e < page_.elements.size(); ++e) {
    const HtmlElement& element = page_.elements[e];
    if (drops[static_cast<size_t>(element.parent)]) {
      drops[e] = true;
      continue;
    }
    if (element.end_block == element.first_block) {
      continue;
    }
    const double share = good_in(element) / total;
    const bool around = (element.marks & html_mark::kAround) != 0 && share < kTrustedShare;
    const bool aside = (element.marks & html_mark::kAside) != 0 && share < kTeaserShare;
    if (around || aside || (share < kTeaserShare && is_teaser(element))) {
      drops[e] = true;
      std::fill(dropped_.begin() + element.first_block, dropped_.begin() + element.end_block, true);
    }
  }
  sum();
}

// The element that holds the text and least else: from the page, or what calls itself the content, downwards as long as
// one child has nearly all of the value.
const HtmlElement& Chooser::find_region() const {
  const HtmlElement* best = &page_.elements[0];
  const double total = good_.back();
  for (const HtmlElement& element : page_.elements) {
    if ((element.marks & html_mark::kContent) != 0 && good_in(element) > kContentShare * total &&
        (best == &page_.elements[0] || element.end_block - element.first_block > best->end_block - best->first_block)) {
      best = &element;  // the outermost
    }
  }
  for (size_t e = static_cast<size_t>(best - page_.elements.data()) + 1; e < page_.elements.size(); ++e) {
    const HtmlElement& element = page_.elements[e];
    if (element.first_block >= best->end_block) {
      break;
    }
    if (good_in(element) > 0 && good_in(element) >= kDescend * good_in(*best) &&
        value_in(element) >= kDescend * value_in(*best)) {
      best = &element;
    }
  }
  return *best;
}

// The nearest block in a direction that is not short; kBad at the border.
Verdict Chooser::neighbour(size_t at, int step, size_t first, size_t end) const {
  constexpr int kReach = 12;
  auto i = static_cast<std::ptrdiff_t>(at) + step;
  for (int n = 0; n < kReach && i >= static_cast<std::ptrdiff_t>(first) && i < static_cast<std::ptrdiff_t>(end);
       ++n, i += step) {
    const auto block = static_cast<size_t>(i);
    if (!dropped_[block] && verdicts_[block] != Verdict::kShort && verdicts_[block] != Verdict::kLinks) {
      return verdicts_[block];
    }
  }
  return Verdict::kBad;
}

bool Chooser::is_headline(const HtmlBlock& block) const {
  if (block.tag == Tag::kH1) {
    return true;
  }
  const std::string_view text = page_.text_of(block);
  return block.kind == BlockKind::kHeading &&
         (text == page_.heading || text == page_.title || text == page_.open_graph_title);
}

bool Chooser::keeps(size_t at, size_t first, size_t end) const {
  const HtmlBlock& block = page_.blocks[at];
  if (dropped_[at] || verdicts_[at] == Verdict::kBad || is_headline(block)) {
    return false;
  }
  if (verdicts_[at] == Verdict::kGood) {
    return true;
  }
  const Verdict left = neighbour(at, -1, first, end);
  const Verdict right = neighbour(at, 1, first, end);
  const bool both = left >= Verdict::kNearGood && right >= Verdict::kNearGood;
  if (verdicts_[at] == Verdict::kLinks) {
    const bool line = block.kind == BlockKind::kParagraph || block.kind == BlockKind::kListItem;
    return line && both && link_density(block) < kLinkedLine;
  }
  if (block.kind == BlockKind::kHeading) {
    return right >= Verdict::kNearGood;
  }
  return both || (verdicts_[at] == Verdict::kNearGood && (left == Verdict::kGood || right == Verdict::kGood));
}

std::string Chooser::choose() {
  judge_blocks();
  sum();
  drop_elements();
  const HtmlElement& region = find_region();
  std::string out;
  for (size_t i = region.first_block; i < region.end_block; ++i) {
    if (keeps(i, region.first_block, region.end_block)) {
      if (!out.empty()) {
        out += '\n';
      }
      out += page_.text_of(page_.blocks[i]);
    }
  }
  return out.empty() ? all_text_of(page_) : out;
}

}  // namespace

std::string main_text_of(const HtmlPage& page) { return page.blocks.empty() ? std::string() : Chooser(page).choose(); }

std::string all_text_of(const HtmlPage& page) {
  std::string out;
  out.reserve(page.text.size() + page.blocks.size());
  for (const HtmlBlock& block : page.blocks) {
    if (!out.empty()) {
      out += '\n';
    }
    out += page.text_of(block);
  }
  return out;
}

}  // namespace slipway::text
