#include "text/markdown.h"

#include <algorithm>
#include <cctype>

#include "text/html.h"

namespace slipway::text {
namespace {

constexpr size_t kMaxBrackets = 1000;  // bytes that are looked ahead for the end of a link, an emphasis, a tag

std::string_view trimmed(std::string_view line) noexcept {
  const size_t begin = line.find_first_not_of(" \t\r");
  return begin == std::string_view::npos ? std::string_view{} : line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin);
}

std::string_view take_line(std::string_view& rest) noexcept {
  const size_t end = std::min(rest.find('\n'), rest.size());
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(rest.size(), end + 1));
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  return line;
}

bool all_of(std::string_view text, std::string_view allowed) noexcept {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

// "---", "* * *", "___".
bool is_rule(std::string_view line) noexcept {
  for (const char mark : {'-', '*', '_'}) {
    const std::string allowed = {mark, ' ', '\t'};
    if (all_of(line, allowed) && std::count(line.begin(), line.end(), mark) >= 3) {
      return true;
    }
  }
  return false;
}

// "|---|:-:|", what stands below the head of a table.
bool is_table_rule(std::string_view line) noexcept {
  return all_of(line, "|-: \t") && line.find('|') != std::string_view::npos && line.find('-') != std::string_view::npos;
}

// The value of a scalar of YAML, as far as titles need it.
std::string_view scalar(std::string_view value) noexcept {
  value = trimmed(value);
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front()) {
    return value.substr(1, value.size() - 2);
  }
  return value;
}

// Takes the front matter off; its title.
std::string take_front_matter(std::string_view& rest) {
  std::string_view ahead = rest;
  const std::string_view fence = take_line(ahead);
  const bool toml = fence == "+++";
  if (fence != "---" && !toml) {
    return "";
  }
  std::string title;
  while (!ahead.empty()) {
    const std::string_view line = take_line(ahead);
    if (line == fence || (!toml && line == "...")) {
      rest = ahead;
      return title;
    }
    const size_t mark = line.find(toml ? '=' : ':');
    if (mark != std::string_view::npos && trimmed(line.substr(0, mark)) == "title") {
      title = scalar(line.substr(mark + 1));
    }
  }
  return "";  // it never ends: no front matter
}

class Inline {
 public:
  explicit Inline(std::string& out) : out_(out) {}

  void write(std::string_view text, int depth = 0) {
    for (size_t i = 0; i < text.size();) {
      const char c = text[i];
      if (c == '\\' && i + 1 < text.size() && std::ispunct(static_cast<unsigned char>(text[i + 1])) != 0) {
        out_ += text[i + 1];
        i += 2;
      } else if (c == '`') {
        i = code(text, i);
      } else if ((c == '!' && i + 1 < text.size() && text[i + 1] == '[') || c == '[') {
        i = link(text, i, depth);
      } else if (c == '<') {
        i = angle(text, i);
      } else if (c == '*' || c == '_' || c == '~') {
        i = emphasis(text, i);
      } else {
        out_ += c;
        ++i;
      }
    }
  }

 private:
  size_t code(std::string_view text, size_t at) {
    const size_t run = std::min(text.find_first_not_of('`', at), text.size()) - at;
    for (size_t end = at + run; (end = text.find('`', end)) != std::string_view::npos && end - at < kMaxBrackets;) {
      const size_t closing = std::min(text.find_first_not_of('`', end), text.size()) - end;
      if (closing == run) {
        out_ += trimmed(text.substr(at + run, end - at - run));
        return end + run;
      }
      end += closing;
    }
    out_.append(run, '`');
    return at + run;
  }

  // "[text](address)", "![text](address)", "[text][name]", "[text]" alone stays as it is.
  size_t link(std::string_view text, size_t at, int depth) {
    const size_t open = at + (text[at] == '!' ? 1 : 0);
    size_t close = open;
    int nested = 0;
    for (; close < text.size() && close - open < kMaxBrackets; ++close) {
      nested += text[close] == '[' ? 1 : text[close] == ']' ? -1 : 0;
      close += text[close] == '\\' ? 1 : 0;
      if (nested == 0) {
        break;
      }
    }
    const bool closed = nested == 0 && close < text.size() && text[close] == ']';
    const char next = closed && close + 1 < text.size() ? text[close + 1] : '\0';
    const size_t end = next == '(' || next == '[' ? text.substr(0, close + 2 * kMaxBrackets).find(next == '(' ? ')' : ']', close + 1)
                                                  : std::string_view::npos;
    if (end == std::string_view::npos || depth > 3) {
      out_ += text[at];
      return at + 1;
    }
    write(text.substr(open + 1, close - open - 1), depth + 1);
    return end + 1;
  }

  // Tags are dropped, addresses in angles are text.
  size_t angle(std::string_view text, size_t at) {
    const bool comment = text.substr(at).starts_with("<!--");
    const size_t end = text.substr(0, at + kMaxBrackets).find(comment ? "-->" : ">", at);
    const char next = at + 1 < text.size() ? text[at + 1] : ' ';
    if (end == std::string_view::npos || (!comment && std::isalpha(static_cast<unsigned char>(next)) == 0 && next != '/' && next != '!')) {
      out_ += '<';
      return at + 1;
    }
    const std::string_view inside = text.substr(at + 1, end - at - 1);
    if (!comment && inside.find(' ') == std::string_view::npos && (inside.find("://") != std::string_view::npos || inside.find('@') != std::string_view::npos)) {
      out_ += inside;
    }
    return end + (comment ? 3 : 1);
  }

  // A run of marks that touches a word is dropped, one between blanks or (of '_') inside a word stays.
  size_t emphasis(std::string_view text, size_t at) {
    const char mark = text[at];
    const size_t end = std::min(text.find_first_not_of(mark, at), text.size());
    const auto word = [&](size_t i) { return i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) != 0 || static_cast<unsigned char>(text[i]) >= 0x80); };
    const auto blank = [&](size_t i) { return i >= text.size() || text[i] == ' ' || text[i] == '\t'; };
    const bool alone = (at == 0 || blank(at - 1)) && blank(end);
    const bool inside = mark == '_' && at > 0 && word(at - 1) && word(end);
    if (alone || inside || (mark == '~' && end - at < 2) || end - at > 3) {
      out_.append(text.substr(at, end - at));
    }
    return end;
  }

  std::string& out_;
};

class Converter {
 public:
  MarkdownText convert(std::string_view markdown) {
    markdown.remove_prefix(markdown.starts_with("\xEF\xBB\xBF") ? 3 : 0);
    page_.title = take_front_matter(markdown);
    while (!markdown.empty()) {
      line(take_line(markdown), markdown);
    }
    end_block();
    while (page_.text.ends_with('\n')) {
      page_.text.pop_back();
    }
    return std::move(page_);
  }

 private:
  void line(std::string_view raw, std::string_view& rest) {
    std::string_view text = without_quote(raw);
    const std::string_view bare = trimmed(text);
    if (bare.starts_with("```") || bare.starts_with("~~~")) {
      end_block();
      fenced(bare, rest);
    } else if (comment_) {
      comment_ = bare.find("-->") == std::string_view::npos;
    } else if (bare.starts_with("<!--") && bare.find("-->") == std::string_view::npos) {
      comment_ = true;
    } else if (bare.empty()) {
      end_block();
    } else if (all_of(bare, "=") && lines_ == 1) {
      set_title(last_);
      end_block();
    } else if (all_of(bare, "-") && lines_ == 1 && bare.size() > 1) {
      end_block();
    } else if (is_rule(bare) || is_table_rule(bare)) {
      // nothing to read
    } else if (bare.front() == '[' && bare.find("]:") != std::string_view::npos && bare.find("]:") < kMaxBrackets) {
      // the address of a link
    } else if (const size_t marks = std::min(bare.find_first_not_of('#'), bare.size()); marks > 0 && marks <= 6 && (marks == bare.size() || bare[marks] == ' ')) {
      heading(trimmed(bare.substr(marks)));
    } else if ((text.starts_with("    ") || text.starts_with('\t')) && lines_ == 0) {
      page_.text.append(text).append("\n");  // code
      lines_ = 0;
    } else {
      paragraph(without_bullet(bare));
    }
  }

  void paragraph(std::string_view text) {
    last_.clear();
    if (text.starts_with('|')) {
      cells(text);
    } else {
      Inline(last_).write(text);
    }
    last_ = unescape_entities(last_);
    const std::string_view line = trimmed(last_);
    if (!line.empty()) {
      page_.text.append(line).append("\n");
      ++lines_;
    }
  }

  void cells(std::string_view text) {
    text.remove_prefix(1);
    while (!text.empty()) {
      const size_t end = std::min(text.find('|'), text.size());
      const std::string_view cell = trimmed(text.substr(0, end));
      last_ += last_.empty() ? "" : "\t";
      Inline(last_).write(cell);
      text.remove_prefix(std::min(text.size(), end + 1));
    }
  }

  void heading(std::string_view text) {
    end_block();
    while (text.ends_with('#')) {
      text.remove_suffix(1);
    }
    paragraph(trimmed(text));
    set_title(last_);
    end_block();
  }

  void set_title(std::string_view text) {
    if (page_.title.empty()) {
      page_.title = trimmed(text);
    }
  }

  void fenced(std::string_view fence, std::string_view& rest) {
    const std::string_view mark = fence.substr(0, std::min(fence.find_first_not_of(fence.front()), fence.size()));
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      if (trimmed(line).starts_with(mark) && all_of(trimmed(line), mark.substr(0, 1))) {
        break;
      }
      page_.text.append(line).append("\n");
    }
    end_block();
  }

  static std::string_view without_quote(std::string_view line) noexcept {
    for (std::string_view rest = trimmed(line); rest.starts_with('>'); rest = trimmed(rest)) {
      rest.remove_prefix(1);
      line = rest.starts_with(' ') ? rest.substr(1) : rest;
    }
    return line;
  }

  static std::string_view without_bullet(std::string_view line) noexcept {
    size_t mark = 0;
    if (line.front() == '-' || line.front() == '*' || line.front() == '+') {
      mark = 1;
    } else {
      mark = std::min(line.find_first_not_of("0123456789"), line.size());
      mark = mark > 0 && mark < 10 && mark < line.size() && (line[mark] == '.' || line[mark] == ')') ? mark + 1 : 0;
    }
    if (mark == 0 || mark >= line.size() || line[mark] != ' ') {
      return line;
    }
    line = trimmed(line.substr(mark));
    if (line.starts_with("[ ] ") || line.starts_with("[x] ") || line.starts_with("[X] ")) {
      line.remove_prefix(4);
    }
    return line;
  }

  void end_block() {
    if (!page_.text.empty() && !page_.text.ends_with("\n\n")) {
      page_.text += '\n';
    }
    lines_ = 0;
  }

  MarkdownText page_;
  std::string last_;
  int lines_ = 0;  // of the paragraph
  bool comment_ = false;
};

}  // namespace

MarkdownText markdown_to_text(std::string_view markdown) { return Converter().convert(markdown); }

}  // namespace slipway::text
