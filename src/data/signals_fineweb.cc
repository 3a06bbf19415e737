// Penedo et al. 2024, as datatrove's FineWebQualityFilter computes them.
#include <algorithm>

#include "data/signals.h"
#include "text/unicode.h"
#include "text/web_chars.h"

namespace slipway::data {
namespace {

bool ends_in_terminal(std::string_view line) noexcept {
  size_t at = line.size() - 1;
  while (at > 0 && (static_cast<unsigned char>(line[at]) & 0xC0U) == 0x80) {
    --at;
  }
  return (text::WebChars::get()(text::decode_at(line, at).code) & text::kWebTerminal) != 0;
}

}  // namespace

void fineweb_signals(std::string_view text, uint64_t words, int64_t short_line_length, SignalScratch& scratch,
                     Signals& out) {
  split_newlines(text, scratch.lines);
  const size_t newlines = scratch.lines.size() - 1;
  std::erase_if(scratch.lines, [](std::string_view line) { return strip_left(line).empty(); });
  out[Signal::kFinewebLines] = static_cast<double>(scratch.lines.size());
  if (scratch.lines.empty()) {
    return;
  }
  const auto count = static_cast<double>(scratch.lines.size());
  int64_t ended = 0;
  int64_t is_short = 0;
  for (const std::string_view line : scratch.lines) {
    ended += static_cast<int64_t>(ends_in_terminal(line));
    is_short += static_cast<int64_t>(static_cast<int64_t>(count_chars(line)) <= short_line_length);
  }
  out[Signal::kFinewebLinePunct] = static_cast<double>(ended) / count;
  out[Signal::kFinewebShortLines] = static_cast<double>(is_short) / count;
  out[Signal::kFinewebCharDup] = static_cast<double>(scratch.duplicates.later_copies(scratch.lines).chars) /
                                 static_cast<double>(count_chars(text) - newlines);
  if (words > 0) {
    out[Signal::kFinewebNewLines] = static_cast<double>(newlines) / static_cast<double>(words);
  }
}

}  // namespace slipway::data
