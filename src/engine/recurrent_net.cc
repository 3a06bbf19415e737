#include "engine/recurrent_net.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

#include "kernels/recurrent.h"

namespace slipway::engine {

using model::RecurrentCell;

RecurrentNet::RecurrentNet(const model::RecurrentSpec& spec, std::shared_ptr<const model::RecurrentWeights> weights,
                           Packer& packer)
    : spec_(spec), weights_(std::move(weights)), embeddings_(weights_->load("embedding.weight")) {
  for (int layer = 0; layer < spec_.num_layers; ++layer) {
    for (int direction = 0; direction < spec_.directions(); ++direction) {
      const std::string at = fmt::format("l{}{}", layer, direction == 1 ? "_reverse" : "");
      directions_.push_back({packer.linear("rnn.ih_" + at), packer.linear("rnn.hh_" + at)});
    }
  }
}

void RecurrentNet::embed(std::span<const RecurrentPart> parts, Scratch& s) const {
  const auto size = static_cast<size_t>(spec_.embedding_dim);
  std::vector<int32_t> ids;
  s.begins.clear();
  for (const RecurrentPart& part : parts) {
    s.begins.push_back(static_cast<int64_t>(ids.size()));
    ids.insert(ids.end(), part.ids.begin(), part.ids.end());
  }
  s.in.resize(ids.size() * size);
  s.ops.over_rows(static_cast<int>(ids.size()), [&](int first, int last) {
    for (int r = first; r < last; ++r) {
      const auto row = static_cast<size_t>(r);
      read_row(embeddings_.view, weights_->source().source(), ids[row], std::span(s.in).subspan(row * size, size));
    }
  });
}

void RecurrentNet::step(const Direction& weights, int state_at, bool backward, int t, int active,
                        std::span<const RecurrentPart> parts, Scratch& s) const {
  const int hidden = spec_.hidden_size;
  const int64_t gates = int64_t{spec_.gates()} * hidden;
  const bool lstm = spec_.cell == RecurrentCell::kLstm;
  const int64_t features = spec_.features();
  const int64_t column = backward ? hidden : 0;
  const kernels::BlockProduct product{
      .w = &weights.hh.w, .y = s.recurrent.data(), .ldy = gates, .epilogue = {.bias = weights.hh.bias_or_null()}};
  s.ops.products(active, s.h.data(), hidden, {&product, 1});
  s.ops.over_rows(active, [&](int first, int last) {
    for (int r = first; r < last; ++r) {
      const size_t index = s.order[static_cast<size_t>(r)];
      const RecurrentPart& part = parts[index];
      const auto length = static_cast<int>(part.ids.size());
      const int64_t row = s.begins[index] + (backward ? length - 1 - t : t);
      float* const h = s.h.data() + int64_t{r} * hidden;
      float* const c = s.c.data() + int64_t{r} * hidden;
      const float* const input = s.input.data() + row * gates;
      const float* const recurrent = s.recurrent.data() + r * gates;
      if (lstm) {
        kernels::lstm_cell(s.ops.isa(), hidden, input, recurrent, c, h);
      } else {
        kernels::gru_cell(s.ops.isa(), hidden, input, recurrent, h);
      }
      std::copy_n(h, hidden, s.out.data() + row * features + column);
      size_t& next = s.next_save[index];
      if (next < part.saves.size() && part.saves[next].after == t) {
        float* const state = part.saves[next++].state + state_at;
        std::copy_n(h, hidden, state);
        if (lstm) {
          std::copy_n(c, hidden, state + hidden);
        }
      }
    }
  });
}

void RecurrentNet::run(int layer, int direction, std::span<const RecurrentPart> parts, Scratch& s) const {
  const Direction& weights = directions_[static_cast<size_t>(layer * spec_.directions() + direction)];
  const int hidden = spec_.hidden_size;
  const int64_t gates = int64_t{spec_.gates()} * hidden;
  const bool lstm = spec_.cell == RecurrentCell::kLstm;
  const auto tokens = static_cast<int>(s.out.size() / static_cast<size_t>(spec_.features()));
  const kernels::BlockProduct product{
      .w = &weights.ih.w, .y = s.input.data(), .ldy = gates, .epilogue = {.bias = weights.ih.bias_or_null()}};
  s.ops.products(tokens, s.in.data(), spec_.layer_input(layer), {&product, 1});
  const int state_at = (layer * spec_.directions() + direction) * (lstm ? 2 : 1) * hidden;
  for (size_t r = 0; r < s.order.size(); ++r) {
    const auto at = static_cast<std::ptrdiff_t>(r) * hidden;
    const float* const begin = parts[s.order[r]].begin;
    if (begin == nullptr) {
      std::fill_n(s.h.begin() + at, hidden, 0.0F);
      std::fill_n(s.c.begin() + at, hidden, 0.0F);
      continue;
    }
    std::copy_n(begin + state_at, hidden, s.h.begin() + at);
    if (lstm) {
      std::copy_n(begin + state_at + hidden, hidden, s.c.begin() + at);
    }
  }
  s.next_save.assign(parts.size(), 0);
  auto active = static_cast<int>(parts.size());
  const auto longest = static_cast<int>(parts[s.order.front()].ids.size());
  for (int t = 0; t < longest; ++t) {
    while (static_cast<int>(parts[s.order[static_cast<size_t>(active) - 1]].ids.size()) <= t) {
      --active;
    }
    step(weights, state_at, direction == 1, t, active, parts, s);
  }
}

std::span<const float> RecurrentNet::forward(std::span<const RecurrentPart> parts, Scratch& s) const {
  embed(parts, s);
  s.order.resize(parts.size());
  std::iota(s.order.begin(), s.order.end(), size_t{0});
  std::stable_sort(s.order.begin(), s.order.end(),
                   [&](size_t a, size_t b) { return parts[a].ids.size() > parts[b].ids.size(); });
  const size_t tokens = static_cast<size_t>(s.begins.back()) + parts.back().ids.size();
  const auto hidden = static_cast<size_t>(spec_.hidden_size);
  const size_t gates = static_cast<size_t>(spec_.gates()) * hidden;
  s.out.resize(tokens * static_cast<size_t>(spec_.features()));
  s.input.resize(tokens * gates);
  s.recurrent.resize(parts.size() * gates);
  s.h.resize(parts.size() * hidden);
  s.c.resize(parts.size() * hidden);
  for (int layer = 0; layer < spec_.num_layers; ++layer) {
    for (int direction = 0; direction < spec_.directions(); ++direction) {
      run(layer, direction, parts, s);
    }
    if (layer + 1 < spec_.num_layers) {
      s.in.swap(s.out);
      s.out.resize(s.in.size());
    }
  }
  return s.out;
}

}  // namespace slipway::engine
