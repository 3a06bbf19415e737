// A web page taken apart: its blocks of text in order, the block elements that they stand in, and what its head says.
// Made in one pass over the bytes, without a tree of all elements. One thread; values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/html_tags.h"

namespace slipway::text {

// A block element. Elements come in the order of the page, so a parent is before its children, and the blocks of an
// element and its descendants are the range [first_block, end_block).
struct HtmlElement {
  int32_t parent = -1;
  Tag tag = Tag::kOther;
  uint8_t marks = 0;  // html_mark
  uint32_t first_block = 0;
  uint32_t end_block = 0;
};

enum class BlockKind : uint8_t { kOther, kParagraph, kHeading, kListItem, kCell, kQuote };

struct HtmlBlock {
  uint32_t begin = 0;  // in HtmlPage::text
  uint32_t end = 0;
  int32_t element = 0;
  BlockKind kind = BlockKind::kOther;
  Tag tag = Tag::kOther;
  uint32_t chars = 0;       // code points
  uint32_t link_chars = 0;  // of them in links
  uint32_t stops = 0;       // sentence ends and commas
  uint32_t wide = 0;        // ideographs, kana, hangul: each says about three letters
};

struct HtmlPage {
  std::string text;  // of all blocks, one after the other
  std::vector<HtmlBlock> blocks;
  std::vector<HtmlElement> elements;  // [0] is the page
  std::string title;                  // <title>
  std::string open_graph_title;
  std::string heading;   // the first <h1>
  std::string language;  // the lang attribute of <html>, lower case
  std::string date;      // when it was published, as the page says it
  std::string author;

  std::string_view text_of(const HtmlBlock& block) const {
    return std::string_view(text).substr(block.begin, block.end - block.begin);
  }
};

struct HtmlPageOptions {
  bool all_text = false;  // read also what stands around the main text: menus, buttons, footers
  bool tables = true;
};

// `page` is UTF-8. What is never seen (scripts, styles, hidden elements) is left out. Elements nested deeper than 1,000
// are read as lines of the one at that depth. Cost: linear.
HtmlPage read_html_page(std::string_view page, const HtmlPageOptions& options);

}  // namespace slipway::text
