#include "kernels/recurrent.h"

#include "kernels/table.h"

namespace slipway::kernels {

void lstm_cell(base::Isa isa, int n, const float* input, const float* recurrent, float* c, float* h) noexcept {
  kernels(isa).lstm_cell(n, input, recurrent, c, h);
}

void gru_cell(base::Isa isa, int n, const float* input, const float* recurrent, float* h) noexcept {
  kernels(isa).gru_cell(n, input, recurrent, h);
}

void max_into(base::Isa isa, int n, const float* x, float* y) noexcept { kernels(isa).max_into(n, x, y); }

}  // namespace slipway::kernels
