// Files of tagged sentences: CoNLL-U (ten columns between tabs) and plain columns (CoNLL-2003 and its kin: the token first, the
// tag last, between tabs or blanks). Blank lines end sentences. Everything is a view of the caller's text. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::data {

enum class ConllKind { kConllU, kColumns };

// Columns of CoNLL-U.
enum ConllColumn : size_t { kConllId, kConllForm, kConllLemma, kConllUpos, kConllXpos, kConllFeats, kConllHead, kConllDeprel, kConllDeps, kConllMisc, kConllColumns };

struct ConllSentence {
  uint64_t line = 0;                          // number of its first line, from 1
  std::vector<std::string_view> lines;        // as they are, comments among them
  std::vector<uint32_t> tokens;               // which of them are tokens: words of CoNLL-U, not ranges (1-2) or empty nodes (1.1)
  std::vector<std::string_view> forms;        // of the tokens
};

// Which kind the text is, by its first line that is no comment.
ConllKind conll_kind(std::string_view text);

class ConllReader {
 public:
  // `text`: whole sentences; `source` and `first_line` are for messages.
  ConllReader(std::string_view text, std::string source, ConllKind kind, uint64_t first_line = 1);

  // The next sentence that has tokens; false at the end. Lines between sentences that are no tokens (-DOCSTART- lines too) belong
  // to the sentence after them; see rest(). Throws Error(kInvalid) naming the line: no UTF-8, a line of CoNLL-U without
  // ten columns or with an empty form, a sentence of more than a million tokens.
  bool next(ConllSentence& sentence);
  // After the last sentence: lines that follow it.
  const std::vector<std::string_view>& rest() const noexcept { return rest_; }

  ConllKind kind() const noexcept { return kind_; }

 private:
  void add_token(ConllSentence& sentence, std::string_view line, uint64_t number);
  std::string_view text_;
  std::string source_;
  uint64_t number_;  // of the line to come
  ConllKind kind_;
  std::vector<std::string_view> rest_;
};

// Column `index` of a token's line; for kColumns index npos is the last one. Empty when the line has fewer.
constexpr size_t kLastColumn = ~size_t{0};
std::string_view conll_column(std::string_view line, ConllKind kind, size_t index);

// The line with another text in that column. For kColumns: kLastColumn replaces the last of two or more, or adds a second one.
std::string with_conll_column(std::string_view line, ConllKind kind, size_t index, std::string_view value);

// The value of "KEY=…" in MISC, or empty; and the line with it put there (in place of "_", of an earlier one, or at the end).
std::string_view conll_misc(std::string_view line, std::string_view key);
std::string with_conll_misc(std::string_view line, std::string_view key, std::string_view value);

// Whether a line separates sentences: nothing but white space.
bool is_conll_separator(std::string_view line) noexcept;

}  // namespace slipway::data
