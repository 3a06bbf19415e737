// The cells of recurrent networks: what follows the two products of a step. On f32 and the caller's thread; a row's
// result depends on that row alone. Any thread.
#pragma once

#include "base/cpu.h"

namespace slipway::kernels {

// One step of a long short-term memory (Hochreiter & Schmidhuber 1997, with forget gates; torch.nn.LSTM):
//   i, f, g, o = input + recurrent;  c = sigmoid(f) c + sigmoid(i) tanh(g);  h = sigmoid(o) tanh(c)
// input, recurrent [4 n]: W_ih x + b_ih and W_hh h + b_hh, gates in the order i, f, g, o. c, h [n] are the state: c is
// read and written, h written; neither may overlap the gates.
void lstm_cell(base::Isa isa, int n, const float* input, const float* recurrent, float* c, float* h) noexcept;

// One step of a gated recurrent unit (Cho et al. 2014, as torch.nn.GRU has it):
//   r = sigmoid(r_i + r_h);  z = sigmoid(z_i + z_h);  m = tanh(m_i + r m_h);  h = (1 - z) m + z h
// input, recurrent [3 n]: gates in the order r, z, m. h [n] is read and written.
void gru_cell(base::Isa isa, int n, const float* input, const float* recurrent, float* h) noexcept;

// y = max(x, y), n values in place.
void max_into(base::Isa isa, int n, const float* x, float* y) noexcept;

}  // namespace slipway::kernels
