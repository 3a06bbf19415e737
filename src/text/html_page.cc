#include "text/html_page.h"

#include <algorithm>

#include "text/entities.h"
#include "text/html_head.h"
#include "text/html_marks.h"
#include "text/html_scanner.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

constexpr size_t kMaxDepth = 1000;

bool is_stop(char32_t c) noexcept {
  return c == U'.' || c == U'!' || c == U'?' || c == U',' || c == U';' || c == 0x3002 || c == 0xFF0C || c == 0xFF01 ||
         c == 0xFF1F || c == 0x3001 || c == 0x060C || c == 0x061F || c == 0x0964;
}

bool is_table_part(Tag tag) noexcept {
  return tag == Tag::kTable || tag == Tag::kTbody || tag == Tag::kTr || tag == Tag::kTd || tag == Tag::kTh ||
         tag == Tag::kCaption;
}

BlockKind kind_of(Tag tag) noexcept {
  switch (tag) {
    case Tag::kP:
    case Tag::kPre: return BlockKind::kParagraph;
    case Tag::kBlockquote: return BlockKind::kQuote;
    case Tag::kLi:
    case Tag::kDd:
    case Tag::kDt: return BlockKind::kListItem;
    case Tag::kTr:
    case Tag::kTd:
    case Tag::kTh: return BlockKind::kCell;
    default: return is_heading(tag) ? BlockKind::kHeading : BlockKind::kOther;
  }
}

class Reader {
 public:
  Reader(std::string_view bytes, const HtmlPageOptions& options) : scanner_(bytes), options_(options) {
    page_.text.reserve(bytes.size() / 4);
    page_.elements.push_back({});
    stack_.push_back({Tag::kOther, 0, 0, false, false});
  }
  HtmlPage read();

 private:
  struct Frame {
    Tag tag;
    uint32_t name;  // of elements of other tags: a hash of the name
    int32_t element;
    bool skipped;
    bool content;  // inside <article>, <main>
  };

  void start(const HtmlToken& token);
  void end(const HtmlToken& token);
  void open(const HtmlToken& token, bool skipped);
  void close_to(size_t depth);
  void close_implied(Tag tag);
  void add_text(std::string_view text);
  void append(std::string_view piece);
  void end_block();
  void begin_block();
  void line_break();
  void cell();
  bool hidden(const HtmlToken& token) const;
  bool skipped() const { return stack_.back().skipped || inline_skip_depth_ > 0; }

  HtmlScanner scanner_;
  HtmlPageOptions options_;
  HtmlPage page_;
  HtmlHead head_;
  std::vector<Frame> stack_;
  HtmlBlock block_;
  bool line_empty_ = true;  // nothing, or a white space, stands before in this line
  bool in_link_ = false;
  size_t link_depth_ = 0;
  // An inline element that is not seen (<svg>, a hidden <span>): its name, how often it is open in itself, and where.
  std::string_view inline_skip_;
  size_t inline_skip_depth_ = 0;
  size_t inline_skip_stack_ = 0;
  std::string scratch_;
};

uint32_t name_hash(std::string_view name) noexcept {
  uint32_t hash = 2166136261U;
  for (const char c : name) {
    hash = (hash ^ static_cast<uint8_t>(c >= 'A' && c <= 'Z' ? c + 32 : c)) * 16777619U;
  }
  return hash;
}

bool contains_word(std::string_view style, std::string_view name, std::string_view value) {
  for (size_t at = style.find(name); at != std::string_view::npos; at = style.find(name, at + 1)) {
    size_t after = at + name.size();
    while (after < style.size() && (style[after] == ' ' || style[after] == ':')) {
      ++after;
    }
    if (style.substr(after, value.size()) == value) {
      return true;
    }
  }
  return false;
}

bool Reader::hidden(const HtmlToken& token) const {
  const TagAttributes& a = scanner_.attributes();
  if (token.info.tag == Tag::kHtml || token.info.tag == Tag::kBody || token.info.tag == Tag::kMain ||
      token.info.tag == Tag::kArticle) {
    return false;
  }
  if (a.hidden || (!a.style.empty() &&
                   (contains_word(a.style, "display", "none") || contains_word(a.style, "visibility", "hidden")))) {
    return true;
  }
  const std::string_view role = a.role;
  return !options_.all_text && !role.empty() &&
         (role == "navigation" || role == "banner" || role == "contentinfo" || role == "complementary" ||
          role == "search" || role == "menu" || role == "dialog" || role == "alertdialog");
}

HtmlPage Reader::read() {
  for (HtmlToken token = scanner_.next(); token.kind != HtmlToken::Kind::kEndOfPage; token = scanner_.next()) {
    switch (token.kind) {
      case HtmlToken::Kind::kText:
        if (!skipped()) {
          add_text(token.text);
        }
        break;
      case HtmlToken::Kind::kStart: start(token); break;
      default: end(token); break;
    }
  }
  close_to(1);
  end_block();
  page_.elements[0].end_block = static_cast<uint32_t>(page_.blocks.size());
  head_.move_to(page_);
  return std::move(page_);
}

void Reader::start(const HtmlToken& token) {
  const TagInfo info = token.info;
  head_.see(token, scanner_.attributes());
  if (inline_skip_depth_ > 0) {
    if (!info.is(tag_trait::kVoid) && !token.self_closing && token.name.size() == inline_skip_.size() &&
        name_hash(token.name) == name_hash(inline_skip_)) {
      ++inline_skip_depth_;
    }
    if (info.is(tag_trait::kInline)) {
      return;
    }
  }
  if (info.is(tag_trait::kInline)) {
    const bool unseen =
        info.is(tag_trait::kUnseen) || (info.is(tag_trait::kAround) && !options_.all_text) || hidden(token);
    if (info.tag == Tag::kBr) {
      if (!skipped()) {
        line_break();
      }
    } else if (info.is(tag_trait::kRaw) || info.is(tag_trait::kVoid) || (token.self_closing && unseen)) {
      return;
    } else if (unseen) {
      inline_skip_ = token.name;
      inline_skip_depth_ = 1;
      inline_skip_stack_ = stack_.size();
      scanner_.set_foreign(info.tag == Tag::kSvg);
    } else if (info.tag == Tag::kA) {
      in_link_ = true;
      link_depth_ = stack_.size();
    }
    return;
  }
  if (info.is(tag_trait::kRaw)) {  // <title>, <textarea>: nothing of the text
    return;
  }
  close_implied(info.tag);
  if (info.is(tag_trait::kVoid)) {
    end_block();
    begin_block();
    return;
  }
  if ((info.tag == Tag::kTd || info.tag == Tag::kTh) && !skipped()) {
    cell();
  }
  const bool title_header = info.tag == Tag::kHeader && stack_.back().content;
  const bool around = info.is(tag_trait::kAround) && !options_.all_text && !title_header;
  const bool no_table = info.tag == Tag::kTable && !options_.tables;
  open(token, info.is(tag_trait::kUnseen) || around || no_table || hidden(token));
}

// What the start of an element ends without a tag of its own.
void Reader::close_implied(Tag tag) {
  const auto close_nearest = [&](auto&& wanted, auto&& through) {
    for (size_t at = stack_.size(); at-- > 1;) {
      if (wanted(stack_[at].tag)) {
        close_to(at);
        return;
      }
      if (!through(stack_[at].tag)) {
        return;
      }
    }
  };
  if (stack_.back().tag == Tag::kP && !is_table_part(tag)) {
    close_to(stack_.size() - 1);
  }
  if (stack_.back().tag == Tag::kHead && tag != Tag::kHead) {
    close_to(stack_.size() - 1);  // its end tag was left off
  }
  const auto loose = [](Tag t) { return t == Tag::kDiv || t == Tag::kP || t == Tag::kOther || is_heading(t); };
  const auto in_row = [](Tag t) { return t != Tag::kTable; };
  switch (tag) {
    case Tag::kLi: close_nearest([](Tag t) { return t == Tag::kLi; }, loose); break;
    case Tag::kDd:
    case Tag::kDt: close_nearest([](Tag t) { return t == Tag::kDd || t == Tag::kDt; }, loose); break;
    case Tag::kTd:
    case Tag::kTh:
      close_nearest([](Tag t) { return t == Tag::kTd || t == Tag::kTh; },
                    [](Tag t) { return t != Tag::kTable && t != Tag::kTr; });
      break;
    case Tag::kTr: close_nearest([](Tag t) { return t == Tag::kTr; }, in_row); break;
    case Tag::kTbody: close_nearest([](Tag t) { return t == Tag::kTbody; }, in_row); break;
    case Tag::kOption: close_nearest([](Tag t) { return t == Tag::kOption; }, [](Tag) { return false; }); break;
    default:
      if (is_heading(tag) && is_heading(stack_.back().tag)) {
        close_to(stack_.size() - 1);
      }
  }
}

void Reader::open(const HtmlToken& token, bool skip) {
  if (stack_.size() >= kMaxDepth) {
    return;
  }
  const TagAttributes& a = scanner_.attributes();
  const Tag tag = token.info.tag;
  if (tag == Tag::kBody || tag == Tag::kHtml) {
    if (tag == Tag::kHtml && stack_.size() > 1) {
      return;
    }
    skip = false;
  }
  const bool inner_cell = tag == Tag::kTd || tag == Tag::kTh;
  if (!inner_cell) {
    end_block();
  }
  Frame frame{tag, tag == Tag::kOther ? name_hash(token.name) : 0, stack_.back().element, skip || stack_.back().skipped,
              stack_.back().content || tag == Tag::kArticle || tag == Tag::kMain};
  if (!frame.skipped) {
    HtmlElement element;
    element.parent = frame.element;
    element.tag = tag;
    element.first_block = static_cast<uint32_t>(page_.blocks.size());
    if (tag != Tag::kBody && tag != Tag::kHtml) {
      element.marks = static_cast<uint8_t>(html_marks(a.class_names) | html_marks(a.id));
      if (tag == Tag::kMain || a.role == "main" || a.item_property == "articleBody") {
        element.marks |= html_mark::kContent;
      }
    }
    frame.element = static_cast<int32_t>(page_.elements.size());
    page_.elements.push_back(element);
  }
  stack_.push_back(frame);
  if (!inner_cell) {
    begin_block();
  }
}

void Reader::close_to(size_t depth) {
  if (stack_.size() <= depth) {
    return;
  }
  const bool cell_only = depth + 1 == stack_.size() && (stack_.back().tag == Tag::kTd || stack_.back().tag == Tag::kTh);
  if (!cell_only) {
    end_block();
  }
  while (stack_.size() > depth) {
    const int32_t element = stack_.back().element;
    stack_.pop_back();
    if (element != stack_.back().element) {
      page_.elements[static_cast<size_t>(element)].end_block = static_cast<uint32_t>(page_.blocks.size());
    }
  }
  if (link_depth_ > stack_.size()) {
    in_link_ = false;
    link_depth_ = 0;
  }
  if (inline_skip_stack_ > stack_.size()) {
    inline_skip_depth_ = 0;
    scanner_.set_foreign(false);
  }
  if (!cell_only) {
    begin_block();
  }
}

void Reader::end(const HtmlToken& token) {
  const Tag tag = token.info.tag;
  if (inline_skip_depth_ > 0 && token.name.size() == inline_skip_.size() &&
      name_hash(token.name) == name_hash(inline_skip_)) {
    if (--inline_skip_depth_ == 0) {
      scanner_.set_foreign(false);
    }
    return;
  }
  if (token.info.is(tag_trait::kInline)) {
    if (tag == Tag::kA) {
      in_link_ = false;
    } else if (tag == Tag::kBr && !skipped()) {
      line_break();
    }
    return;
  }
  if (tag == Tag::kBody || tag == Tag::kHtml) {
    return;  // what comes after belongs to the page all the same
  }
  const uint32_t name = tag == Tag::kOther ? name_hash(token.name) : 0;
  const bool table_part = is_table_part(tag);
  for (size_t at = stack_.size(); at-- > 1;) {
    const Frame& frame = stack_[at];
    if ((frame.tag == tag && frame.name == name) || (is_heading(tag) && is_heading(frame.tag))) {
      close_to(at);
      return;
    }
    if ((is_table_part(frame.tag) && !table_part) || (frame.tag == Tag::kTable && tag != Tag::kTable)) {
      return;  // an end tag in a cell ends nothing around its table
    }
  }
}

void Reader::begin_block() {
  const Frame& frame = stack_.back();
  block_ = {};
  block_.begin = static_cast<uint32_t>(page_.text.size());
  block_.element = frame.element;
  block_.tag = frame.tag;
  block_.kind = kind_of(frame.tag);
  line_empty_ = true;
}

void Reader::end_block() {
  std::string& text = page_.text;
  while (text.size() > block_.begin && (text.back() == ' ' || text.back() == '\n' || text.back() == '\t')) {
    text.pop_back();
  }
  block_.end = static_cast<uint32_t>(text.size());
  if (block_.end > block_.begin) {
    block_.link_chars = std::min(block_.link_chars, block_.chars);
    page_.blocks.push_back(block_);
    if (page_.heading.empty() && block_.tag == Tag::kH1) {
      page_.heading.assign(text, block_.begin, block_.end - block_.begin);
    }
  }
  block_.begin = block_.end;
}

// Two breaks in a row separate paragraphs in older pages; one is a new line.
void Reader::line_break() {
  std::string& text = page_.text;
  if (text.size() > block_.begin && text.back() == '\n') {
    const HtmlBlock kept = block_;
    end_block();
    begin_block();
    block_.kind = kept.kind;
    block_.tag = kept.tag;
    return;
  }
  while (text.size() > block_.begin && text.back() == ' ') {
    text.pop_back();
  }
  if (text.size() > block_.begin) {
    text += '\n';
    line_empty_ = true;
  }
}

void Reader::cell() {
  std::string& text = page_.text;
  while (text.size() > block_.begin && text.back() == ' ') {
    text.pop_back();
  }
  if (text.size() > block_.begin && text.back() != '\t') {
    text += '\t';
    line_empty_ = true;
  }
}

void Reader::add_text(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t ampersand = std::min(text.find('&', at), text.size());
    append(text.substr(at, ampersand - at));
    if (ampersand == text.size()) {
      return;
    }
    scratch_.clear();
    at = append_reference(text, ampersand, scratch_);
    append(scratch_);
  }
}

void Reader::append(std::string_view piece) {
  std::string& out = page_.text;
  uint32_t chars = 0;
  for (size_t at = 0; at < piece.size();) {
    const auto c = static_cast<unsigned char>(piece[at]);
    if (c <= ' ') {
      if (!line_empty_) {
        out += ' ';
        ++chars;
        line_empty_ = true;
      }
      ++at;
      continue;
    }
    if (c < 0x80) {
      size_t end = at + 1;  // a word of ASCII at once
      while (end < piece.size() && static_cast<signed char>(piece[end]) > ' ') {
        ++end;
      }
      for (size_t i = at; i < end; ++i) {
        const char d = piece[i];
        block_.stops += d == '.' || d == ',' || d == '!' || d == '?' || d == ';' ? 1 : 0;
      }
      out.append(piece, at, end - at);
      chars += static_cast<uint32_t>(end - at);
      line_empty_ = false;
      at = end;
      continue;
    }
    const Decoded d = decode_at(piece, at);
    if (is_whitespace(d.code)) {
      if (!line_empty_) {
        out += ' ';
        ++chars;
        line_empty_ = true;
      }
    } else {
      out.append(piece, at, d.size);
      ++chars;
      line_empty_ = false;
      block_.stops += is_stop(d.code) ? 1 : 0;
      block_.wide += d.code >= 0x1100 && (is_cjk_ideograph(d.code) || is_kana(d.code) || is_hangul(d.code)) ? 1 : 0;
    }
    at += d.size;
  }
  block_.chars += chars;
  block_.link_chars += in_link_ ? chars : 0;
}

}  // namespace

HtmlPage read_html_page(std::string_view page, const HtmlPageOptions& options) { return Reader(page, options).read(); }

}  // namespace slipway::text
