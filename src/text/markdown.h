// Markdown (CommonMark, tables, front matter) to plain text: marks dropped, what they mark kept. Never fails: any bytes give a text. Any
// thread.
#pragma once

#include <string>
#include <string_view>

namespace slipway::text {

struct MarkdownText {
  std::string title;  // of the front matter, else the first heading; ""
  std::string text;   // blocks a line or more each, as they stand, separated by an empty line; the front matter is not part of it
};

// Headings, emphasis, links and images as their text, lists and quotes without marks, code as it is, cells of tables separated by tabs; HTML
// tags, comments, link definitions and rules dropped. `markdown` in UTF-8, a byte order mark is dropped. Cost: linear.
MarkdownText markdown_to_text(std::string_view markdown);

}  // namespace slipway::text
