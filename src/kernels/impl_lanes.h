// Element-wise kernels that products use too. Inside a namespace of one translation unit.

// body(offset, count) over n values in whole vectors and one partial: load_n and store_n of `count` lanes.
template <class Body>
static inline void for_lanes(int64_t n, Body body) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    body(i, kLanes);
  }
  if (i < n) {
    body(i, static_cast<int>(n - i));
  }
}

template <class Gate>
static inline void gated_loop(int64_t n, const float* g, const float* u, float* y, Gate gate) {
  for_lanes(
      n, [&](int64_t j, int count) { store_n(y + j, mul(gate(load_n(g + j, count)), load_n(u + j, count)), count); });
}

static void gated_impl(Activation gate, int64_t n, const float* g, const float* u, float* y) noexcept {
  switch (gate) {
    case Activation::kNone: gated_loop(n, g, u, y, [](F v) { return v; }); break;
    case Activation::kGelu: gated_loop(n, g, u, y, [](F v) { return gelu_lanes(v); }); break;
    case Activation::kGeluTanh: gated_loop(n, g, u, y, [](F v) { return gelu_tanh_lanes(v); }); break;
    case Activation::kRelu: gated_loop(n, g, u, y, [](F v) { return max(v, set1(0.0F)); }); break;
    case Activation::kTanh: gated_loop(n, g, u, y, [](F v) { return tanh_lanes(v); }); break;
    case Activation::kSilu: gated_loop(n, g, u, y, [](F v) { return silu_lanes(v); }); break;
  }
}

static void add_impl(int64_t n, const float* x, float* y) noexcept {
  for_lanes(n, [&](int64_t j, int count) { store_n(y + j, add(load_n(y + j, count), load_n(x + j, count)), count); });
}
