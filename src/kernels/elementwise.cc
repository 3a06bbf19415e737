#include "kernels/elementwise.h"

#include "kernels/peak.h"
#include "kernels/table.h"

namespace slipway::kernels {

void layer_norm(base::Isa isa, int m, int n, const float* x, int64_t ldx, const LayerNorm& norm, float* y,
                int64_t ldy) noexcept {
  kernels(isa).layer_norm(m, n, x, ldx, norm, y, ldy);
}

void activate(base::Isa isa, Activation activation, int64_t n, float* x) noexcept {
  kernels(isa).activate(activation, n, x);
}

void softmax(base::Isa isa, int n, float scale, float* x) noexcept { kernels(isa).softmax(n, scale, x); }

void add_rows(base::Isa isa, int n, const float* word, const float* position, const float* type, float* y) noexcept {
  kernels(isa).add_rows(n, word, position, type, y);
}

void add_rows_int8(base::Isa isa, int n, const int8_t* word, float scale, const float* position, const float* type,
                   float* y) noexcept {
  kernels(isa).add_rows_int8(n, word, scale, position, type, y);
}

void mean_pool_normalized(base::Isa isa, int m, int n, const float* x, int64_t ldx, float* y) noexcept {
  kernels(isa).mean_pool_normalized(m, n, x, ldx, y);
}

double peak_f32_pass(base::Isa isa) noexcept { return kernels(isa).peak_f32(); }

double peak_int8_pass(base::Isa isa) noexcept { return kernels(isa).peak_int8(); }

void read_pass(base::Isa isa, const void* memory, int64_t bytes) noexcept {
  kernels(isa).read_pass(static_cast<const std::byte*>(memory), bytes);
}

}  // namespace slipway::kernels
