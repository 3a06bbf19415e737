#include "stats/span_agreement.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "stats/jackknife.h"

namespace slipway::stats {
namespace {

using Spans = std::vector<LabelledSpan>;

Spans distinct(std::span<const LabelledSpan> spans) {
  Spans result;
  for (const LabelledSpan& span : spans) {
    if (span.begin < span.end) {
      result.push_back(span);
    }
  }
  const auto key = [](const LabelledSpan& s) { return std::tuple(s.label, s.begin, s.end); };
  std::sort(result.begin(), result.end(), [&](const LabelledSpan& a, const LabelledSpan& b) { return key(a) < key(b); });
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

// Spans of one label, by begin.
using Group = std::span<const LabelledSpan>;

std::map<std::string_view, Group> groups_of(const Spans& spans) {
  std::map<std::string_view, Group> groups;
  for (size_t i = 0, j = 0; i < spans.size(); i = j) {
    while (j < spans.size() && spans[j].label == spans[i].label) {
      ++j;
    }
    groups[spans[i].label] = Group(spans).subspan(i, j - i);
  }
  return groups;
}

// How many of `spans` overlap one of `others`.
int64_t met(Group spans, Group others) {
  std::vector<size_t> furthest;  // the largest end of others[0 … i]
  for (const LabelledSpan& other : others) {
    furthest.push_back(furthest.empty() ? other.end : std::max(furthest.back(), other.end));
  }
  int64_t count = 0;
  for (const LabelledSpan& span : spans) {
    const auto after = std::partition_point(others.begin(), others.end(), [&](const LabelledSpan& o) { return o.begin < span.end; });
    count += after != others.begin() && furthest[static_cast<size_t>(after - others.begin()) - 1] > span.begin ? 1 : 0;
  }
  return count;
}

using Ranges = std::vector<std::pair<size_t, size_t>>;

Ranges covered(Group spans) {
  Ranges ranges;
  for (const LabelledSpan& span : spans) {
    if (ranges.empty() || span.begin > ranges.back().second) {
      ranges.emplace_back(span.begin, span.end);
    } else {
      ranges.back().second = std::max(ranges.back().second, span.end);
    }
  }
  return ranges;
}

int64_t size_of(const Ranges& ranges) {
  int64_t size = 0;
  for (const auto& [begin, end] : ranges) {
    size += static_cast<int64_t>(end - begin);
  }
  return size;
}

int64_t shared(const Ranges& a, const Ranges& b) {
  int64_t size = 0;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const size_t begin = std::max(a[i].first, b[j].first);
    const size_t end = std::min(a[i].second, b[j].second);
    size += end > begin ? static_cast<int64_t>(end - begin) : 0;
    (a[i].second < b[j].second ? i : j) += 1;
  }
  return size;
}

constexpr size_t kCounts = 8;
using Counts = std::array<double, kCounts>;

Counts counts_of(const SpanPairCounts& text) {
  return {static_cast<double>(text.first),     static_cast<double>(text.second),           static_cast<double>(text.exact),
          static_cast<double>(text.first_met), static_cast<double>(text.second_met),       static_cast<double>(text.first_characters),
          static_cast<double>(text.second_characters), static_cast<double>(text.shared_characters)};
}

void measures_of(const Counts& sums, std::span<double> out) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  std::fill(out.begin(), out.end(), kNan);
  const double spans = sums[0] + sums[1];
  if (spans < 0.5) {  // sums of whole numbers, perhaps taken away again
    return;
  }
  out[0] = 2 * sums[2] / spans;
  const double first = sums[0] < 0.5 ? 0 : sums[3] / sums[0];
  const double second = sums[1] < 0.5 ? 0 : sums[4] / sums[1];
  out[1] = first + second == 0 ? 0 : 2 * first * second / (first + second);
  out[2] = 2 * sums[7] / (sums[5] + sums[6]);
}

}  // namespace

SpanPairCounts count_span_pair(std::span<const LabelledSpan> first, std::span<const LabelledSpan> second) {
  const Spans a = distinct(first);
  const Spans b = distinct(second);
  SpanPairCounts counts;
  counts.first = static_cast<int64_t>(a.size());
  counts.second = static_cast<int64_t>(b.size());
  const auto of_a = groups_of(a);
  const auto of_b = groups_of(b);
  for (const auto& [label, spans] : of_a) {
    const Ranges mine = covered(spans);
    counts.first_characters += size_of(mine);
    const auto other = of_b.find(label);
    if (other == of_b.end()) {
      continue;
    }
    Spans both;
    std::set_intersection(spans.begin(), spans.end(), other->second.begin(), other->second.end(), std::back_inserter(both));
    counts.exact += static_cast<int64_t>(both.size());
    counts.first_met += met(spans, other->second);
    counts.second_met += met(other->second, spans);
    counts.shared_characters += shared(mine, covered(other->second));
  }
  for (const auto& [label, spans] : of_b) {
    counts.second_characters += size_of(covered(spans));
  }
  return counts;
}

SpanAgreement span_agreement(std::span<const SpanPairCounts> texts, const AgreementOptions& options) {
  ItemKinds items;
  std::vector<Counts> kinds;
  std::map<Counts, int> known;
  for (const SpanPairCounts& text : texts) {
    const Counts counts = counts_of(text);
    const auto [found, is_new] = known.try_emplace(counts, static_cast<int>(kinds.size()));
    if (is_new) {
      kinds.push_back(counts);
      items.counts.push_back(0);
    }
    items.of_item.push_back(found->second);
    items.counts[static_cast<size_t>(found->second)] += 1;
  }
  Counts sums{};
  SumStatistic statistic;
  statistic.measures = 3;
  statistic.clear = [&] { sums.fill(0); };
  statistic.add = [&](int kind, double weight) {
    for (size_t i = 0; i < kCounts; ++i) {
      sums[i] += weight * kinds[static_cast<size_t>(kind)][i];
    }
  };
  statistic.measure = [&](std::span<double> out) { measures_of(sums, out); };
  const std::vector<Interval> intervals = intervals_of(items, statistic, 0, 1, options);
  return {intervals[0], intervals[1], intervals[2]};
}

}  // namespace slipway::stats
