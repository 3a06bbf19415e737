// Precision, recall and F1 of labelled spans, exact match, as conlleval and seqeval count them: named entities and, with one
// label for all, word segmentation. Any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace slipway::stats {

struct LabelledSpan {
  size_t begin = 0;
  size_t end = 0;
  std::string_view label;
  auto operator<=>(const LabelledSpan&) const = default;
};

struct SpanCounts {
  int64_t gold = 0;
  int64_t predicted = 0;
  int64_t correct = 0;
  // 0 where there is nothing to divide by, as seqeval's zero_division=0.
  double precision() const noexcept { return predicted == 0 ? 0 : static_cast<double>(correct) / static_cast<double>(predicted); }
  double recall() const noexcept { return gold == 0 ? 0 : static_cast<double>(correct) / static_cast<double>(gold); }
  double f1() const noexcept { return gold + predicted == 0 ? 0 : 2.0 * static_cast<double>(correct) / static_cast<double>(gold + predicted); }
};

// Sums over sequences: give it each one's spans, in order of their begins. Within a sequence a span counts once.
class SpanQuality {
 public:
  void add(std::span<const LabelledSpan> gold, std::span<const LabelledSpan> predicted);
  const SpanCounts& total() const noexcept { return total_; }
  const std::map<std::string, SpanCounts, std::less<>>& by_label() const noexcept { return by_label_; }

 private:
  SpanCounts& of(std::string_view label);
  SpanCounts total_;
  std::map<std::string, SpanCounts, std::less<>> by_label_;
};

}  // namespace slipway::stats
