#include "data/conll.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "text/unicode.h"

namespace slipway::data {
namespace {

using base::Code;
using base::Error;

constexpr size_t kMaxTokens = 1000000;

bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

bool looks_like_conllu(std::string_view line) {
  const size_t tab = line.find('\t');
  return tab != std::string_view::npos && tab > 0 && line[0] >= '0' && line[0] <= '9' &&
         std::count(line.begin(), line.end(), '\t') == static_cast<std::ptrdiff_t>(kConllColumns) - 1;
}

// Begin and end of a column; npos where there is none.
std::pair<size_t, size_t> place(std::string_view line, ConllKind kind, size_t index) {
  constexpr std::pair<size_t, size_t> kNone = {std::string_view::npos, std::string_view::npos};
  if (kind == ConllKind::kConllU) {
    size_t begin = 0;
    for (size_t i = 0;; ++i) {
      const size_t end = std::min(line.find('\t', begin), line.size());
      if (i == index) {
        return {begin, end};
      }
      if (end == line.size()) {
        return kNone;
      }
      begin = end + 1;
    }
  }
  std::pair<size_t, size_t> last = kNone;
  size_t at = 0;
  for (size_t i = 0; at < line.size(); ++i) {
    while (at < line.size() && is_blank(line[at])) {
      ++at;
    }
    if (at == line.size()) {
      break;
    }
    const size_t begin = at;
    while (at < line.size() && !is_blank(line[at])) {
      ++at;
    }
    last = {begin, at};
    if (i == index) {
      return last;
    }
  }
  return index == kLastColumn ? last : kNone;
}

}  // namespace

bool is_conll_separator(std::string_view line) noexcept {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

std::string_view conll_column(std::string_view line, ConllKind kind, size_t index) {
  const auto [begin, end] = place(line, kind, index);
  return begin == std::string_view::npos ? std::string_view() : line.substr(begin, end - begin);
}

std::string with_conll_column(std::string_view line, ConllKind kind, size_t index, std::string_view value) {
  const auto [begin, end] = place(line, kind, index);
  if (kind == ConllKind::kColumns && index == kLastColumn && begin == place(line, kind, 0).first) {
    return fmt::format("{}\t{}", line.substr(0, end), value);
  }
  SLIPWAY_CHECK(begin != std::string_view::npos);
  return fmt::format("{}{}{}", line.substr(0, begin), value, line.substr(end));
}

namespace {

// Begin and end of "KEY=VALUE" within MISC.
std::pair<size_t, size_t> misc_place(std::string_view misc, std::string_view key) {
  for (size_t begin = 0; begin <= misc.size();) {
    const size_t end = std::min(misc.find('|', begin), misc.size());
    const std::string_view entry = misc.substr(begin, end - begin);
    if (entry.size() > key.size() && entry.starts_with(key) && entry[key.size()] == '=') {
      return {begin, end};
    }
    begin = end + 1;
  }
  return {std::string_view::npos, 0};
}

}  // namespace

std::string_view conll_misc(std::string_view line, std::string_view key) {
  const std::string_view misc = conll_column(line, ConllKind::kConllU, kConllMisc);
  const auto [begin, end] = misc_place(misc, key);
  return begin == std::string_view::npos ? std::string_view() : misc.substr(begin + key.size() + 1, end - begin - key.size() - 1);
}

std::string with_conll_misc(std::string_view line, std::string_view key, std::string_view value) {
  const std::string_view misc = conll_column(line, ConllKind::kConllU, kConllMisc);
  const std::string entry = fmt::format("{}={}", key, value);
  std::string out;
  if (const auto [begin, end] = misc_place(misc, key); begin != std::string_view::npos) {
    out = fmt::format("{}{}{}", misc.substr(0, begin), entry, misc.substr(end));
  } else {
    out = misc == "_" || misc.empty() ? entry : fmt::format("{}|{}", misc, entry);
  }
  return with_conll_column(line, ConllKind::kConllU, kConllMisc, out);
}

ConllKind conll_kind(std::string_view text) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (!is_conll_separator(line) && line[0] != '#') {
      return looks_like_conllu(line) ? ConllKind::kConllU : ConllKind::kColumns;
    }
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return ConllKind::kColumns;
}

ConllReader::ConllReader(std::string_view text, std::string source, ConllKind kind, uint64_t first_line)
    : text_(text), source_(std::move(source)), number_(first_line), kind_(kind) {}

void ConllReader::add_token(ConllSentence& sentence, std::string_view line, uint64_t number) {
  const auto fail = [&](std::string_view what) { throw Error(Code::kInvalid, fmt::format("{}:{}: {}", source_, number, what)); };
  if (kind_ == ConllKind::kConllU) {
    const auto tabs = std::count(line.begin(), line.end(), '\t');
    if (tabs != static_cast<std::ptrdiff_t>(kConllColumns) - 1) {
      fail(fmt::format("has {} columns; a token of CoNLL-U has ten, with tabs between them", tabs + 1));
    }
    const std::string_view id = conll_column(line, kind_, kConllId);
    if (id.find_first_of("-.") != std::string_view::npos) {
      return;
    }
  }
  const std::string_view form = conll_column(line, kind_, kind_ == ConllKind::kConllU ? size_t{kConllForm} : size_t{0});
  if (form.empty()) {
    fail("has no token");
  }
  if (kind_ == ConllKind::kColumns && form == "-DOCSTART-") {
    return;
  }
  if (sentence.tokens.size() == kMaxTokens) {
    fail("the sentence has more than a million tokens; blank lines end sentences");
  }
  sentence.tokens.push_back(static_cast<uint32_t>(sentence.lines.size() - 1));
  sentence.forms.push_back(form);
}

bool ConllReader::next(ConllSentence& sentence) {
  sentence.lines.clear();
  sentence.tokens.clear();
  sentence.forms.clear();
  sentence.line = number_;
  while (!text_.empty()) {
    const size_t end = text_.find('\n');
    std::string_view line = text_.substr(0, end);
    text_ = end == std::string_view::npos ? std::string_view() : text_.substr(end + 1);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    const uint64_t number = number_++;
    if (is_conll_separator(line)) {
      if (!sentence.tokens.empty()) {
        return true;
      }
      sentence.lines.push_back(line);
      continue;
    }
    if (!text::is_valid_utf8(line)) {
      throw Error(Code::kInvalid, fmt::format("{}:{}: is not UTF-8", source_, number));
    }
    sentence.lines.push_back(line);
    const bool comment = line[0] == '#' && kind_ == ConllKind::kConllU;  // in column files it is a token
    if (!comment) {
      add_token(sentence, line, number);
    }
  }
  if (sentence.tokens.empty()) {
    rest_ = sentence.lines;
    return false;
  }
  return true;
}

}  // namespace slipway::data
