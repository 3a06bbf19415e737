#include "train/sampler.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

#include "base/random.h"

namespace slipway::train {
namespace {

// Batches sorted together. 50 as transformers' group_by_length: padding-free batches need no more, they only even out
// the time of a step and the attention's groups.
constexpr int64_t kMegaBatch = 50;

}  // namespace

int64_t batches_per_epoch(int64_t rows, int batch_size) { return (rows + batch_size - 1) / batch_size; }

EpochOrder epoch_order(std::span<const int32_t> lengths, const SamplerOptions& options, int64_t epoch) {
  const auto count = static_cast<int64_t>(lengths.size());
  const int64_t batch_size = options.batch_size;
  base::Rng rng(options.seed, fmt::format("epoch {}", epoch));
  EpochOrder order;
  order.rows.resize(lengths.size());
  std::iota(order.rows.begin(), order.rows.end(), 0);
  rng.shuffle(std::span(order.rows));
  const int64_t batches = batches_per_epoch(count, options.batch_size);
  for (int64_t b = 0; b <= batches; ++b) {
    order.begins.push_back(std::min(b * batch_size, count));
  }
  if (!options.group_by_length) {
    return order;
  }
  const int64_t mega = kMegaBatch * batch_size;
  for (int64_t begin = 0; begin < count; begin += mega) {
    const auto first = order.rows.begin() + begin;
    std::stable_sort(first, order.rows.begin() + std::min(begin + mega, count), [&](int32_t a, int32_t b) {
      return lengths[static_cast<size_t>(a)] > lengths[static_cast<size_t>(b)];
    });
  }
  // Full batches change places; a short last one stays last, so that it stays short.
  std::vector<int64_t> places(static_cast<size_t>(count / batch_size));
  std::iota(places.begin(), places.end(), int64_t{0});
  rng.shuffle(std::span(places));
  std::vector<int32_t> rows = order.rows;
  for (size_t b = 0; b < places.size(); ++b) {
    std::copy_n(order.rows.begin() + places[b] * batch_size, batch_size,
                rows.begin() + static_cast<int64_t>(b) * batch_size);
  }
  order.rows = std::move(rows);
  return order;
}

}  // namespace slipway::train
