#include "text/html.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <gumbo.h>
#include <memory>
#include <vector>

#include "base/error.h"
#include "text/html_blocks.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

using base::Code;
using base::Error;

constexpr size_t kMaxHtmlBytes = size_t{32} << 20;
constexpr int kMaxNesting = 4000;  // Gumbo frees its tree by recursion: about 200 bytes of stack a level

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  return lower;
}

// The deepest nesting that the tags could build: opened minus closed, without those that the parser closes itself.
int nesting_bound(std::string_view html) {
  int depth = 0;
  int deepest = 0;
  for (size_t at = html.find('<'); at != std::string_view::npos && at + 1 < html.size(); at = html.find('<', at + 1)) {
    const bool closing = html[at + 1] == '/';
    size_t begin = at + (closing ? 2 : 1);
    size_t end = begin;
    while (end < html.size() && end - begin < 16 && ((html[end] | 0x20) >= 'a') && ((html[end] | 0x20) <= 'z')) {
      ++end;
    }
    if (end == begin) {
      continue;
    }
    const std::string name = ascii_lower(html.substr(begin, end - begin));
    if (is_one_of(name, {"br",    "img",    "input", "meta", "link",   "hr",   "p",    "li",  "td",
                         "tr",    "th",     "dt",    "dd",   "option", "area", "base", "col", "embed",
                         "param", "source", "track", "wbr",  "body",   "html", "head"})) {
      continue;
    }
    depth = std::max(0, depth + (closing ? -1 : 1));
    deepest = std::max(deepest, depth);
  }
  return deepest;
}

// The bytes as UTF-8: a byte order mark dropped, windows-1252 (and its subset Latin 1) converted when a meta element
// names it and the bytes are not UTF-8 anyway.
std::string to_utf8(std::string_view html) {
  if (html.starts_with("\xEF\xBB\xBF")) {
    html.remove_prefix(3);
  }
  if (is_valid_utf8(html)) {
    return std::string(html);
  }
  const std::string head = ascii_lower(html.substr(0, 2048));
  const size_t charset = head.find("charset=");
  if (charset != std::string::npos) {
    std::string_view name = std::string_view(head).substr(charset + 8);
    while (name.starts_with('"') || name.starts_with('\'')) {
      name.remove_prefix(1);
    }
    if (name.starts_with("iso-8859-1") || name.starts_with("windows-1252") || name.starts_with("latin1")) {
      return decode_windows_1252(html);
    }
  }
  return sanitize_utf8(html);
}

struct ParsedPage {
  explicit ParsedPage(const std::string& html) {
    options.tab_stop = 8;
    options.max_errors = 0;
    output = gumbo_parse_with_options(&options, html.data(), html.size());
    if (output == nullptr) {
      throw Error(Code::kFailure, "the HTML parser ran out of memory");
    }
  }
  ~ParsedPage() { gumbo_destroy_output(&options, output); }
  ParsedPage(const ParsedPage&) = delete;
  ParsedPage& operator=(const ParsedPage&) = delete;
  GumboOptions options = kGumboDefaultOptions;
  GumboOutput* output = nullptr;
};

std::string_view attribute(const GumboNode& node, const char* name) {
  if (node.type != GUMBO_NODE_ELEMENT) {
    return {};
  }
  const GumboAttribute* found = gumbo_get_attribute(&node.v.element.attributes, name);
  return found != nullptr ? std::string_view(found->value) : std::string_view();
}

bool is_skipped(GumboTag tag, bool main_text) {
  switch (tag) {
    case GUMBO_TAG_SCRIPT:
    case GUMBO_TAG_STYLE:
    case GUMBO_TAG_NOSCRIPT:
    case GUMBO_TAG_TEMPLATE:
    case GUMBO_TAG_IFRAME:
    case GUMBO_TAG_OBJECT:
    case GUMBO_TAG_EMBED:
    case GUMBO_TAG_SVG:
    case GUMBO_TAG_MATH:
    case GUMBO_TAG_CANVAS:
    case GUMBO_TAG_AUDIO:
    case GUMBO_TAG_VIDEO:
    case GUMBO_TAG_HEAD: return true;
    case GUMBO_TAG_NAV:
    case GUMBO_TAG_HEADER:
    case GUMBO_TAG_FOOTER:
    case GUMBO_TAG_ASIDE:
    case GUMBO_TAG_BUTTON:
    case GUMBO_TAG_SELECT:
    case GUMBO_TAG_TEXTAREA:
    case GUMBO_TAG_INPUT:
    case GUMBO_TAG_LABEL:
    case GUMBO_TAG_FIGCAPTION:
    case GUMBO_TAG_MENU: return main_text;
    default: return false;
  }
}

bool is_block(GumboTag tag) {
  switch (tag) {
    case GUMBO_TAG_A:
    case GUMBO_TAG_ABBR:
    case GUMBO_TAG_B:
    case GUMBO_TAG_BDI:
    case GUMBO_TAG_BDO:
    case GUMBO_TAG_BIG:
    case GUMBO_TAG_CITE:
    case GUMBO_TAG_CODE:
    case GUMBO_TAG_DATA:
    case GUMBO_TAG_DEL:
    case GUMBO_TAG_DFN:
    case GUMBO_TAG_EM:
    case GUMBO_TAG_FONT:
    case GUMBO_TAG_I:
    case GUMBO_TAG_IMG:
    case GUMBO_TAG_INS:
    case GUMBO_TAG_KBD:
    case GUMBO_TAG_MARK:
    case GUMBO_TAG_Q:
    case GUMBO_TAG_RUBY:
    case GUMBO_TAG_S:
    case GUMBO_TAG_SAMP:
    case GUMBO_TAG_SMALL:
    case GUMBO_TAG_SPAN:
    case GUMBO_TAG_STRIKE:
    case GUMBO_TAG_STRONG:
    case GUMBO_TAG_SUB:
    case GUMBO_TAG_SUP:
    case GUMBO_TAG_TIME:
    case GUMBO_TAG_TT:
    case GUMBO_TAG_U:
    case GUMBO_TAG_VAR:
    case GUMBO_TAG_WBR:
    case GUMBO_TAG_UNKNOWN: return false;
    default: return true;
  }
}

// Walks the tree with a stack of its own (pages may nest deeply) and fills a BlockList.
class Walker {
 public:
  Walker(const HtmlOptions& options, BlockList& blocks) : options_(options), blocks_(blocks) {}
  void walk(const GumboNode& root);

 private:
  struct Frame {
    const GumboNode* node;
    unsigned next_child;
    bool block;
    bool link;
    bool content;
    bool boilerplate;
  };
  bool enter(const GumboNode& node, std::vector<Frame>& stack);
  bool hidden(const GumboNode& node) const;

  const HtmlOptions& options_;
  BlockList& blocks_;
};

bool Walker::hidden(const GumboNode& node) const {
  if (gumbo_get_attribute(&node.v.element.attributes, "hidden") != nullptr ||
      attribute(node, "aria-hidden") == "true") {
    return true;
  }
  std::string style = ascii_lower(attribute(node, "style"));
  std::erase(style, ' ');
  if (style.find("display:none") != std::string::npos || style.find("visibility:hidden") != std::string::npos) {
    return true;
  }
  return options_.main_text && is_one_of(ascii_lower(attribute(node, "role")),
                                         {"navigation", "banner", "contentinfo", "complementary", "search", "menu"});
}

// Pushes a frame for an element that is to be read; text goes straight into the current block.
bool Walker::enter(const GumboNode& node, std::vector<Frame>& stack) {
  const Frame parent = stack.empty() ? Frame{nullptr, 0, true, false, false, false} : stack.back();
  if (node.type == GUMBO_NODE_TEXT || node.type == GUMBO_NODE_CDATA || node.type == GUMBO_NODE_WHITESPACE) {
    blocks_.add_text(node.v.text.text, parent.link);
    return false;
  }
  if (node.type != GUMBO_NODE_ELEMENT) {
    return false;
  }
  const GumboTag tag = node.v.element.tag;
  const bool root = tag == GUMBO_TAG_HTML || tag == GUMBO_TAG_BODY || tag == GUMBO_TAG_MAIN || tag == GUMBO_TAG_ARTICLE;
  // A header inside an article holds its title.
  const bool title_header = tag == GUMBO_TAG_HEADER && parent.content;
  if ((is_skipped(tag, options_.main_text) && !title_header) || (!root && hidden(node))) {
    return false;
  }
  if (tag == GUMBO_TAG_BR) {
    blocks_.line_break();
    return false;
  }
  if (!options_.keep_tables && tag == GUMBO_TAG_TABLE) {
    return false;
  }
  Frame frame = parent;
  frame.node = &node;
  frame.next_child = 0;
  frame.block = is_block(tag);
  frame.link = parent.link || tag == GUMBO_TAG_A;
  frame.content = parent.content || tag == GUMBO_TAG_ARTICLE || tag == GUMBO_TAG_MAIN ||
                  attribute(node, "role") == "main" || attribute(node, "itemprop") == "articleBody";
  if (!root && frame.block) {
    frame.boilerplate =
        parent.boilerplate || names_boilerplate(attribute(node, "class")) || names_boilerplate(attribute(node, "id"));
  }
  if (tag == GUMBO_TAG_TD || tag == GUMBO_TAG_TH) {
    blocks_.cell();
    frame.block = false;
  } else if (frame.block) {
    BlockKind kind = BlockKind::kOther;
    if (tag == GUMBO_TAG_P || tag == GUMBO_TAG_BLOCKQUOTE || tag == GUMBO_TAG_PRE) {
      kind = BlockKind::kParagraph;
    } else if (tag >= GUMBO_TAG_H1 && tag <= GUMBO_TAG_H6) {
      kind = BlockKind::kHeading;
    } else if (tag == GUMBO_TAG_LI || tag == GUMBO_TAG_DD || tag == GUMBO_TAG_DT) {
      kind = BlockKind::kListItem;
    }
    blocks_.open(kind, frame.content, frame.boilerplate);
  }
  stack.push_back(frame);
  return true;
}

void Walker::walk(const GumboNode& root) {
  std::vector<Frame> stack;
  enter(root, stack);
  while (!stack.empty()) {
    Frame& top = stack.back();
    const GumboVector& children = top.node->v.element.children;
    if (top.next_child < children.length) {
      const auto& child = *static_cast<const GumboNode*>(children.data[top.next_child++]);
      enter(child, stack);
      continue;
    }
    if (top.block) {
      const bool content = stack.size() > 1 && stack[stack.size() - 2].content;
      const bool boilerplate = stack.size() > 1 && stack[stack.size() - 2].boilerplate;
      blocks_.open(BlockKind::kOther, content, boilerplate);
    }
    stack.pop_back();
  }
  blocks_.finish();
}

// All text under `node`, white space collapsed.
std::string text_of(const GumboNode& node) {
  std::string out;
  std::vector<const GumboNode*> stack = {&node};
  while (!stack.empty()) {
    const GumboNode* top = stack.back();
    stack.pop_back();
    if (top->type == GUMBO_NODE_TEXT || top->type == GUMBO_NODE_WHITESPACE) {
      append_collapsed(top->v.text.text, out);
    } else if (top->type == GUMBO_NODE_ELEMENT) {
      const GumboVector& children = top->v.element.children;
      for (unsigned i = children.length; i-- > 0;) {
        stack.push_back(static_cast<const GumboNode*>(children.data[i]));
      }
    }
  }
  return trimmed(out);
}

// <title>, else og:title, else the first <h1>.
std::string find_title(const GumboNode& root) {
  std::array<std::string, 3> found;
  std::vector<const GumboNode*> stack = {&root};
  while (!stack.empty() && found[0].empty()) {
    const GumboNode* top = stack.back();
    stack.pop_back();
    if (top->type != GUMBO_NODE_ELEMENT || top->v.element.tag == GUMBO_TAG_SVG) {
      continue;
    }
    const GumboTag tag = top->v.element.tag;
    if (tag == GUMBO_TAG_TITLE) {
      found[0] = text_of(*top);
    } else if (tag == GUMBO_TAG_META && attribute(*top, "property") == "og:title" && found[1].empty()) {
      found[1] = trimmed(std::string(attribute(*top, "content")));
    } else if (tag == GUMBO_TAG_H1 && found[2].empty()) {
      found[2] = text_of(*top);
    }
    const GumboVector& children = top->v.element.children;
    for (unsigned i = children.length; i-- > 0;) {
      stack.push_back(static_cast<const GumboNode*>(children.data[i]));
    }
  }
  for (std::string& title : found) {
    if (!title.empty()) {
      return std::move(title);
    }
  }
  return {};
}

}  // namespace

void HtmlOptions::describe(base::FieldTable& table) {
  table.add("main_text", main_text, "keep the main text only; false keeps menus and the rest of the visible text");
  table.add("keep_tables", keep_tables, "keep tables, cells separated by tabs");
}

HtmlText html_to_text(std::string_view html, const HtmlOptions& options) {
  if (html.size() > kMaxHtmlBytes) {
    throw Error(Code::kInvalid, fmt::format("an HTML page of {} bytes; the limit is {}", html.size(), kMaxHtmlBytes));
  }
  const std::string utf8 = to_utf8(html);
  if (nesting_bound(utf8) > kMaxNesting) {
    throw Error(Code::kInvalid, fmt::format("an HTML page nested deeper than {} elements", kMaxNesting));
  }
  const ParsedPage page(utf8);
  BlockList blocks;
  Walker(options, blocks).walk(*page.output->root);
  HtmlText result;
  result.title = find_title(*page.output->root);
  result.text = options.main_text ? blocks.main_text() : blocks.all_text();
  result.language = ascii_lower(attribute(*page.output->root, "lang"));
  return result;
}

}  // namespace slipway::text
