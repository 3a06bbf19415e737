#include "stats/span_quality.h"

#include <algorithm>
#include <vector>

namespace slipway::stats {

SpanCounts& SpanQuality::of(std::string_view label) {
  const auto it = by_label_.find(label);
  return it != by_label_.end() ? it->second : by_label_[std::string(label)];
}

void SpanQuality::add(std::span<const LabelledSpan> gold, std::span<const LabelledSpan> predicted) {
  for (const LabelledSpan& span : gold) {
    ++total_.gold;
    ++of(span.label).gold;
  }
  for (const LabelledSpan& span : predicted) {
    ++total_.predicted;
    ++of(span.label).predicted;
  }
  std::vector<LabelledSpan> a(gold.begin(), gold.end());
  std::vector<LabelledSpan> b(predicted.begin(), predicted.end());
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  std::vector<LabelledSpan> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  for (const LabelledSpan& span : both) {
    ++total_.correct;
    ++of(span.label).correct;
  }
}

}  // namespace slipway::stats
