#include "kernels/attention.h"

#include "kernels/table.h"

namespace slipway::kernels {

void attention(base::Isa isa, const AttentionArgs& args, float* scratch) noexcept {
  kernels(isa).attention(args, scratch);
}

int64_t attention_scratch(base::Isa isa, int length, int head_dim) noexcept {
  const Kernels& table = kernels(isa);
  const int64_t padded = (static_cast<int64_t>(length) + table.panel - 1) / table.panel * table.panel;
  const int64_t padded_dim = (static_cast<int64_t>(head_dim) + table.panel - 1) / table.panel * table.panel;
  return padded * head_dim + padded_dim * length + static_cast<int64_t>(table.rows) * (table.panel + padded);
}

}  // namespace slipway::kernels
