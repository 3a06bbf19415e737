#include "explain/faithfulness.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace slipway::explain {
namespace {

// Words in falling order of value; the first of equals first.
std::vector<size_t> ranking(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] > values[b]; });
  return order;
}

// How many top words each rationale has: 10 %, 20 %, ... of all, but only words with a positive value; each size once.
std::vector<size_t> rationale_sizes(const std::vector<double>& values) {
  const auto positive =
      static_cast<size_t>(std::count_if(values.begin(), values.end(), [](double v) { return v > 0; }));
  std::vector<size_t> sizes;
  for (size_t tenth = 1; tenth <= 10; ++tenth) {
    const size_t size = std::min(values.size() * tenth / 10, positive);
    if (size > 0 && (sizes.empty() || sizes.back() != size)) {
      sizes.push_back(size);
    }
  }
  return sizes;
}

// The numbers of words gone at each point of the deletion curve: 0 ... all.
std::vector<size_t> deletion_points(size_t words, int steps) {
  const size_t points = std::min(words, static_cast<size_t>(std::max(1, steps)));
  std::vector<size_t> gone;
  for (size_t i = 0; i <= points; ++i) {
    gone.push_back(words * i / points);
  }
  return gone;
}

Mask with_top(const std::vector<size_t>& order, size_t top, bool there) {
  Mask mask(order.size(), !there);
  for (size_t i = 0; i < top; ++i) {
    mask[order[i]] = there;
  }
  return mask;
}

}  // namespace

double kendall_tau(const std::vector<double>& a, const std::vector<double>& b) {
  int64_t agree = 0;
  int64_t pairs_a = 0;
  int64_t pairs_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const int sign_a = (a[i] > a[j] ? 1 : 0) - (a[i] < a[j] ? 1 : 0);
      const int sign_b = (b[i] > b[j] ? 1 : 0) - (b[i] < b[j] ? 1 : 0);
      agree += sign_a * sign_b;
      pairs_a += sign_a != 0 ? 1 : 0;
      pairs_b += sign_b != 0 ? 1 : 0;
    }
  }
  return static_cast<double>(agree) / std::sqrt(static_cast<double>(pairs_a) * static_cast<double>(pairs_b));
}

Faithfulness measure_faithfulness(Answers& answers, const MaskedText& text, const std::vector<double>& values,
                                  const FaithfulnessOptions& options) {
  SLIPWAY_CHECK(values.size() == text.size());
  Faithfulness result;
  result.tau_loo = NAN;
  if (values.empty()) {
    return result;
  }
  const int64_t before = answers.evaluations();
  const std::vector<size_t> order = ranking(values);
  const std::vector<size_t> sizes = rationale_sizes(values);
  const std::vector<size_t> gone = deletion_points(values.size(), options.deletion_steps);
  const bool leave_one_out = values.size() <= options.max_loo_words;

  // Everything in one call: the text; without and with only each rationale; the curve; without each word.
  std::vector<std::string> texts = {text.text()};
  for (const size_t size : sizes) {
    texts.push_back(text.without(with_top(order, size, false)));
    texts.push_back(text.without(with_top(order, size, true)));
  }
  for (const size_t count : gone) {
    texts.push_back(text.without(with_top(order, count, false)));
  }
  for (size_t i = 0; leave_one_out && i < values.size(); ++i) {
    Mask mask(values.size(), true);
    mask[i] = false;
    texts.push_back(text.without(mask));
  }
  const std::vector<double> p = answers.values(texts);

  size_t at = 1;
  for (size_t i = 0; i < sizes.size(); ++i) {
    result.comprehensiveness += (p[0] - p[at++]) / static_cast<double>(sizes.size());
    result.sufficiency += (p[0] - p[at++]) / static_cast<double>(sizes.size());
  }
  const auto words = static_cast<double>(values.size());
  for (size_t i = 1; i < gone.size(); ++i) {
    result.deletion_auc += static_cast<double>(gone[i] - gone[i - 1]) / words * (p[at + i - 1] + p[at + i]) / 2;
  }
  at += gone.size();
  if (leave_one_out) {
    std::vector<double> drops;
    for (size_t i = 0; i < values.size(); ++i) {
      drops.push_back(p[0] - p[at + i]);
    }
    result.tau_loo = kendall_tau(values, drops);
  }
  result.evaluations = answers.evaluations() - before;
  return result;
}

}  // namespace slipway::explain
