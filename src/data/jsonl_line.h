// One line of JSON Lines as the filters of corpora need it: checked whole, its text unescaped, and all the rest left as
// the bytes they are, so that what is kept comes out as it came in. Reused from line to line; one thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace slipway::data {

class JsonlLine {
 public:
  // `text_field`, `id_field`: keys of the outer object; the id may be missing.
  JsonlLine(std::string text_field, std::string id_field);

  // Reads one line (without its end). Returns why it is no document (static words), or an empty view. The line is
  // borrowed until the next call. Nesting is limited to 64.
  std::string_view read(std::string_view line);

  std::string& text() noexcept { return text_; }
  // Whether the object has the text's key more than once: the last one is text(), and write() changes no other.
  bool repeats_text() const noexcept { return texts_ > 1; }
  const std::string& id() const noexcept { return id_; }  // its JSON: "a" in quotes, or a number; empty: none

  // Appends the line, its text replaced by text() when `text_changed`, with `members` (",\"key\":value…" or empty) at
  // its end, and a line feed.
  void write(bool text_changed, std::string_view members, std::string& out) const;

 private:
  bool skip_value(int depth);
  bool skip_string();
  bool skip_number();
  bool skip_container(char close, int depth);
  void skip_space() noexcept;
  bool read_string(std::string& out);
  bool read_escape(std::string& out);
  bool read_hex(char32_t& code);
  bool at(char c) const noexcept { return at_ < line_.size() && line_[at_] == c; }

  std::string text_field_;
  std::string id_field_;
  std::string_view line_;
  size_t at_ = 0;
  size_t text_begin_ = 0;  // of the value, quotes included
  size_t text_end_ = 0;
  size_t close_ = 0;  // of the outer brace
  size_t texts_ = 0;
  bool empty_ = true;
  std::string key_;
  std::string text_;
  std::string id_;
};

}  // namespace slipway::data
