// Web pages to text: taken apart in one pass, boilerplate dropped, block elements giving lines. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/fields.h"

namespace slipway::text {

struct HtmlOptions {
  bool main_text = true;    // false: all visible text, menus included
  bool keep_tables = true;  // table cells, separated by tabs
  void describe(base::FieldTable& table);
};

struct HtmlText {
  std::string title;     // <title>, else og:title, else the first <h1>
  std::string text;      // paragraphs separated by '\n', no empty lines, white space collapsed
  std::string language;  // the lang attribute of <html>, lower case, or ""
  std::string date;      // when it was published, YYYY-MM-DD as the page says it, or ""
  std::string author;    // as the page names them, or ""
};

// `html` in UTF-8 (invalid bytes become U+FFFD; a byte order mark is dropped; `charset` in a meta element of the
// single-byte Western family is converted). script, style, nav, header, footer, aside and hidden elements are dropped;
// of what remains blocks are kept by length, link density, the names of their elements and their neighbours
// (html_main_text.h). The headline is the title, not text. Throws Error(kInvalid) for pages larger than 32 MiB. Cost:
// linear.
HtmlText html_to_text(std::string_view html, const HtmlOptions& options = {});

// Character references replaced ("&amp;" "&#39;" "&#x4E2D;" "&eacute;"); unknown ones stay. Numeric ones follow the
// HTML standard (windows-1252 for 0x80..0x9F, U+FFFD for surrogates and out of range).
std::string unescape_entities(std::string_view text);

}  // namespace slipway::text
