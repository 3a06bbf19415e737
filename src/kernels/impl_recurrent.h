// Cells of recurrent networks. Inside a namespace of one translation unit, after impl_lanes.h.

// 1 / (1 + e^-x).
static inline F sigmoid_lanes(F x) { return div(set1(1.0F), add(set1(1.0F), exp_lanes(sub(set1(0.0F), x)))); }

static void lstm_cell_impl(int n, const float* input, const float* recurrent, float* c, float* h) noexcept {
  for_lanes(n, [&](int64_t j, int count) {
    const auto gate = [&](int index) {
      const int64_t at = int64_t{index} * n + j;
      return add(load_n(input + at, count), load_n(recurrent + at, count));
    };
    const F kept = mul(sigmoid_lanes(gate(1)), load_n(c + j, count));
    const F cell = fma(sigmoid_lanes(gate(0)), tanh_lanes(gate(2)), kept);
    store_n(c + j, cell, count);
    store_n(h + j, mul(sigmoid_lanes(gate(3)), tanh_lanes(cell)), count);
  });
}

static void gru_cell_impl(int n, const float* input, const float* recurrent, float* h) noexcept {
  for_lanes(n, [&](int64_t j, int count) {
    const auto both = [&](int index) {
      const int64_t at = int64_t{index} * n + j;
      return add(load_n(input + at, count), load_n(recurrent + at, count));
    };
    const F reset = sigmoid_lanes(both(0));
    const F keep = sigmoid_lanes(both(1));
    const int64_t at = 2 * int64_t{n} + j;
    const F fresh = tanh_lanes(fma(reset, load_n(recurrent + at, count), load_n(input + at, count)));
    // (1 - z) m + z h = m + z (h - m)
    store_n(h + j, fma(keep, sub(load_n(h + j, count), fresh), fresh), count);
  });
}

static void max_into_impl(int n, const float* x, float* y) noexcept {
  for_lanes(n, [&](int64_t j, int count) { store_n(y + j, max(load_n(x + j, count), load_n(y + j, count)), count); });
}
