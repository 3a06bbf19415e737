// The text blocks of a page and which of them are its main text. No HTML parser in here: html.cc fills the list. One
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::text {

enum class BlockKind : uint8_t { kOther, kParagraph, kHeading, kListItem };

struct Block {
  std::string text;
  BlockKind kind = BlockKind::kOther;
  bool content = false;      // inside <article>, <main> or what says so
  bool boilerplate = false;  // inside an element whose class or id says so
  size_t chars = 0;          // code points
  size_t link_chars = 0;     // of them in links
  size_t stops = 0;          // sentence ends and commas
};

class BlockList {
 public:
  // Ends the current block and begins one.
  void open(BlockKind kind, bool content, bool boilerplate);
  void add_text(std::string_view text, bool in_link);
  void line_break();
  void cell();
  void finish();

  // The blocks judged to be the main text, a line each. Falls back to all_text() when none is.
  std::string main_text() const;
  std::string all_text() const;
  const std::vector<Block>& blocks() const { return blocks_; }

 private:
  std::vector<Block> blocks_;
  Block current_;
};

// Whether a class or id attribute has a word that marks what is not content (sidebar, comments, share, ...).
bool names_boilerplate(std::string_view attribute);

// Appends `text` with runs of white space as one space (none at the start of `out`).
void append_collapsed(std::string_view text, std::string& out);
std::string trimmed(std::string text);
std::string decode_windows_1252(std::string_view bytes);

}  // namespace slipway::text
