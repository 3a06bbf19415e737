#include "train/adamw.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace slipway::train {
namespace {

// Floats a piece: 4 arrays of 64 KiB stay in the L2 cache, and even a small model gives every core some.
constexpr int64_t kPieceFloats = 16384;
constexpr int64_t kRowsAtOnce = 64;

int64_t pieces_of(int64_t count, int64_t size) { return (count + size - 1) / size; }

}  // namespace

AdamW::AdamW(ParameterSet& parameters, const AdamWOptions& options, base::Pool& pool)
    : parameters_(parameters), options_(options), pool_(pool), offsets_(static_cast<size_t>(parameters.size()), -1) {
  int64_t total = 0;
  for (int i = 0; i < parameters.size(); ++i) {
    const Parameter& p = parameters[i];
    if (!p.trainable) {
      continue;
    }
    if (p.by_row) {
      tables_.push_back(i);
      table_moments_.emplace_back();
      table_moments_.back().slot_of_row.assign(static_cast<size_t>(p.rows()), -1);
      continue;
    }
    offsets_[static_cast<size_t>(i)] = total;
    total += pieces_of(p.count, 16) * 16;
    for (int64_t begin = 0; begin < p.count; begin += kPieceFloats) {
      pieces_.push_back({i, begin, std::min(kPieceFloats, p.count - begin)});
    }
  }
  first_ = FloatBlock(total);
  second_ = FloatBlock(total);
}

std::span<float> AdamW::first_moment(int parameter) {
  const int64_t offset = offsets_[static_cast<size_t>(parameter)];
  return offset < 0 ? std::span<float>()
                    : std::span<float>(first_.data() + offset, static_cast<size_t>(parameters_[parameter].count));
}

std::span<float> AdamW::second_moment(int parameter) {
  const int64_t offset = offsets_[static_cast<size_t>(parameter)];
  return offset < 0 ? std::span<float>()
                    : std::span<float>(second_.data() + offset, static_cast<size_t>(parameters_[parameter].count));
}

RowMoments& AdamW::row_moments(int parameter) {
  const auto it = std::find(tables_.begin(), tables_.end(), parameter);
  SLIPWAY_CHECK(it != tables_.end());
  return table_moments_[static_cast<size_t>(it - tables_.begin())];
}

int64_t AdamW::state_bytes() const {
  int64_t floats = first_.size() + second_.size();
  for (const RowMoments& moments : table_moments_) {
    floats += static_cast<int64_t>(moments.first.size() + moments.second.size());
  }
  return floats * static_cast<int64_t>(sizeof(float));
}

void AdamW::touch_rows(int parameter, std::span<const int32_t> ids) {
  Parameter& table = parameters_[parameter];
  RowMoments& moments = row_moments(parameter);
  const auto dim = static_cast<size_t>(table.row_size());
  const VectorOps& ops = vector_ops();
  for (const int32_t id : ids) {
    int32_t& slot = moments.slot_of_row[static_cast<size_t>(id)];
    if (slot >= 0) {
      continue;
    }
    slot = static_cast<int32_t>(moments.rows.size());
    moments.rows.push_back(id);
    ops.scale(table.value.data() + static_cast<size_t>(id) * dim, static_cast<float>(moments.owed_decay),
              static_cast<int64_t>(dim));
  }
  moments.first.resize(moments.rows.size() * dim, 0.0F);
  moments.second.resize(moments.rows.size() * dim, 0.0F);
}

double AdamW::grad_norm(std::span<const RowGradient> table_grads) {
  const VectorOps& ops = vector_ops();
  partial_.assign(pieces_.size(), 0.0);
  pool_.parallel_chunks(static_cast<int64_t>(pieces_.size()), 8, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Piece& piece = pieces_[static_cast<size_t>(i)];
      partial_[static_cast<size_t>(i)] = ops.sum_squares(parameters_[piece.parameter].grad + piece.begin, piece.count);
    }
  });
  double sum = 0;
  for (const double part : partial_) {
    sum += part;
  }
  for (const RowGradient& grad : table_grads) {
    sum += ops.sum_squares(grad.values.data(), static_cast<int64_t>(grad.values.size()));
  }
  return std::sqrt(sum);
}

double AdamW::step(double learning_rate, std::span<const RowGradient> table_grads) {
  SLIPWAY_CHECK(table_grads.size() == tables_.size());
  const double norm = grad_norm(table_grads);
  if (!std::isfinite(norm)) {
    return norm;
  }
  // As torch's clip_grad_norm_: scaled by max / (norm + 1e-6) when that is below 1.
  const double clip = options_.max_grad_norm > 0 ? std::min(1.0, options_.max_grad_norm / (norm + 1e-6)) : 1.0;
  steps_ += 1;
  const auto t = static_cast<double>(steps_);
  AdamWScalars scalars{};
  scalars.scale = static_cast<float>(clip);
  scalars.beta1 = static_cast<float>(options_.beta1);
  scalars.beta2 = static_cast<float>(options_.beta2);
  scalars.step_size = static_cast<float>(learning_rate / (1 - std::pow(options_.beta1, t)));
  scalars.root_scale = static_cast<float>(1 / std::sqrt(1 - std::pow(options_.beta2, t)));
  scalars.epsilon = static_cast<float>(options_.epsilon);
  const auto keep = static_cast<float>(1 - learning_rate * options_.weight_decay);
  const VectorOps& ops = vector_ops();
  pool_.parallel_chunks(static_cast<int64_t>(pieces_.size()), 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Piece& piece = pieces_[static_cast<size_t>(i)];
      Parameter& p = parameters_[piece.parameter];
      AdamWScalars mine = scalars;
      mine.keep = p.decay ? keep : 1.0F;
      const int64_t offset = offsets_[static_cast<size_t>(piece.parameter)] + piece.begin;
      ops.adamw(p.value.data() + piece.begin, first_.data() + offset, second_.data() + offset, p.grad + piece.begin,
                piece.count, mine);
    }
  });
  for (size_t i = 0; i < tables_.size(); ++i) {
    scalars.keep = parameters_[tables_[i]].decay ? keep : 1.0F;
    update_table(tables_[i], table_grads[i], scalars);
  }
  return norm;
}

void AdamW::update_table(int parameter, const RowGradient& grad, const AdamWScalars& scalars) {
  Parameter& table = parameters_[parameter];
  RowMoments& moments = row_moments(parameter);
  const int64_t dim = table.row_size();
  grad_of_slot_.assign(moments.rows.size(), -1);
  for (size_t i = 0; i < grad.rows.size(); ++i) {
    const int32_t slot = moments.slot_of_row[static_cast<size_t>(grad.rows[i])];
    SLIPWAY_CHECK(slot >= 0);
    grad_of_slot_[static_cast<size_t>(slot)] = static_cast<int32_t>(i);
  }
  const VectorOps& ops = vector_ops();
  pool_.parallel_chunks(static_cast<int64_t>(moments.rows.size()), kRowsAtOnce, [&](int64_t begin, int64_t end) {
    for (int64_t slot = begin; slot < end; ++slot) {
      const int64_t row = moments.rows[static_cast<size_t>(slot)];
      const int32_t from = grad_of_slot_[static_cast<size_t>(slot)];
      ops.adamw(table.value.data() + row * dim, moments.first.data() + slot * dim, moments.second.data() + slot * dim,
                from < 0 ? nullptr : grad.values.data() + from * dim, dim, scalars);
    }
  });
  moments.owed_decay *= static_cast<double>(scalars.keep);
}

void AdamW::settle() {
  const VectorOps& ops = vector_ops();
  for (size_t i = 0; i < tables_.size(); ++i) {
    Parameter& table = parameters_[tables_[i]];
    RowMoments& moments = table_moments_[i];
    if (moments.owed_decay == 1.0) {
      continue;
    }
    const int64_t dim = table.row_size();
    const auto factor = static_cast<float>(moments.owed_decay);
    pool_.parallel_chunks(table.rows(), 1024, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        if (moments.slot_of_row[static_cast<size_t>(row)] < 0) {
          ops.scale(table.value.data() + row * dim, factor, dim);
        }
      }
    });
    moments.owed_decay = 1.0;
  }
}

}  // namespace slipway::train
