// The most arithmetic a core does: the inner instructions of the products on registers alone. For benches, which state
// speeds as a fraction of it. Any thread.
#pragma once

#include "base/cpu.h"

namespace slipway::kernels {

// One pass of about 50 microseconds; returns the operations done (a multiply-add counts as two).
double peak_f32_pass(base::Isa isa) noexcept;
double peak_int8_pass(base::Isa isa) noexcept;

}  // namespace slipway::kernels
