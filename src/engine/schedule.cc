#include "engine/schedule.h"

#include <algorithm>
#include <numeric>

namespace slipway::engine {
namespace {

// A pass that is longer than its share by more than this factor keeps threads waiting: they better share each pass.
constexpr double kImbalance = 1.2;

// Texts to `bins`, longest first, each to the emptiest: balanced within the length of a short text.
std::vector<std::vector<int>> balance(std::span<const int> lengths, const std::vector<int>& order, int bins,
                                      std::vector<int>& load) {
  std::vector<std::vector<int>> out(static_cast<size_t>(bins));
  load.assign(static_cast<size_t>(bins), 0);
  for (const int text : order) {
    const auto bin = static_cast<size_t>(std::min_element(load.begin(), load.end()) - load.begin());
    out[bin].push_back(text);
    load[bin] += lengths[static_cast<size_t>(text)];
  }
  return out;
}

}  // namespace

Schedule schedule(std::span<const int> lengths, int threads, int pass_tokens) {
  Schedule plan;
  if (lengths.empty()) {
    return plan;
  }
  std::vector<int> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return lengths[static_cast<size_t>(a)] > lengths[static_cast<size_t>(b)]; });
  const int64_t total = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
  std::vector<int> load;
  if (threads > 1) {
    const int64_t rounds = (total + int64_t{threads} * pass_tokens - 1) / (int64_t{threads} * pass_tokens);
    const int bins = static_cast<int>(rounds) * threads;
    plan.passes = balance(lengths, order, bins, load);
    const double share = static_cast<double>(total) / bins;
    plan.side_by_side = *std::max_element(load.begin(), load.end()) <= kImbalance * share;
  }
  if (!plan.side_by_side) {
    plan.passes = balance(lengths, order, static_cast<int>((total + pass_tokens - 1) / pass_tokens), load);
  }
  std::erase_if(plan.passes, [](const std::vector<int>& pass) { return pass.empty(); });
  return plan;
}

}  // namespace slipway::engine
