// The most arithmetic a core does: the inner instructions of the products on registers alone. For benches, which state
// speeds as a fraction of it. Any thread.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace slipway::kernels {

// One pass of about 50 microseconds; returns the operations done (a multiply-add counts as two).
double peak_f32_pass(base::Isa isa) noexcept;
double peak_int8_pass(base::Isa isa) noexcept;

// Reads `bytes` (a multiple of 1024) once, as fast as the core asks for them: the bandwidth that products of one row
// are measured against.
void read_pass(base::Isa isa, const void* memory, int64_t bytes) noexcept;

}  // namespace slipway::kernels
