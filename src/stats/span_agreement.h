// Do two annotators mark the same spans? F1 of one against the other, which is the same both ways (Hripcsak & Rothschild 2005: with
// spans the chance of agreeing is next to nothing, and kappa tends to F1). Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stats/agreement.h"
#include "stats/interval.h"
#include "stats/span_quality.h"

namespace slipway::stats {

// Of one text that both read. Spans may overlap and nest; one that is there twice counts once.
struct SpanPairCounts {
  int64_t first = 0, second = 0;        // spans
  int64_t exact = 0;                    // in both: begin, end, label
  int64_t first_met = 0, second_met = 0;  // overlap one of the other's with the same label
  int64_t first_characters = 0, second_characters = 0, shared_characters = 0;  // (character, label)s covered
};

// O(n log n) for n spans. Empty spans (begin >= end) do not count.
SpanPairCounts count_span_pair(std::span<const LabelledSpan> first, std::span<const LabelledSpan> second);

struct SpanAgreement {
  Interval exact;       // 2 exact / (first + second)
  Interval overlap;     // harmonic mean of the shares of spans met
  Interval characters;  // 2 shared / (first + second) characters
};

// Over texts; NaN when neither marked anything. Texts are what is resampled. Cost as agreement().
SpanAgreement span_agreement(std::span<const SpanPairCounts> texts, const AgreementOptions& options = {});

}  // namespace slipway::stats
