// exp, tanh, GELU on the lanes of the simd header included before. Inside a namespace of one translation unit.

// e^x, relative error about 1e-7 for x in [-87, 88]; smaller x give e^-87. Cody-Waite reduction by ln 2 in two parts,
// then the Taylor polynomial of degree 7 on |r| <= ln(2) / 2 (remainder r^8 / 8! = 5e-9).
static inline F exp_lanes(F x) {
  x = min(max(x, set1(-87.0F)), set1(88.0F));
  const I n = round_int(mul(x, set1(1.44269504F)));
  const F nf = to_float(n);
  F r = fma(nf, set1(-0.693359375F), x);
  r = fma(nf, set1(2.12194440e-4F), r);
  F p = set1(1.98412698e-4F);
  p = fma(p, r, set1(1.38888889e-3F));
  p = fma(p, r, set1(8.33333333e-3F));
  p = fma(p, r, set1(4.16666667e-2F));
  p = fma(p, r, set1(0.166666667F));
  p = fma(p, r, set1(0.5F));
  p = fma(p, r, set1(1.0F));
  p = fma(p, r, set1(1.0F));
  return mul(p, power_of_two(n));
}

// 1 - 2 / (e^2x + 1): absolute error about 2e-7.
static inline F tanh_lanes(F x) {
  const F clamped = min(max(x, set1(-10.0F)), set1(10.0F));
  const F e = exp_lanes(add(clamped, clamped));
  return sub(set1(1.0F), div(set1(2.0F), add(e, set1(1.0F))));
}

// x Phi(x). Phi(x) - 1/2 = x P(x^2) / Q(x^2) on |x| <= 5.4, a minimax fit made for this file (maximum error of
// x P / Q 9e-8 in exact arithmetic; of the result 2.6e-7 * max(1, |x|) in float, by a scan of [-8, 8]).
static inline F gelu_lanes(F x) {
  const F c = min(max(x, set1(-5.4F)), set1(5.4F));
  const F t = mul(c, c);
  F p = set1(6.761126314813737e-06F);
  p = fma(p, t, set1(0.00037301567499525845F));
  p = fma(p, t, set1(0.005905792582780123F));
  p = fma(p, t, set1(0.05489251762628555F));
  p = fma(p, t, set1(0.3989417254924774F));
  F q = set1(5.632693955703871e-07F);
  q = fma(q, t, set1(0.0001338479487458244F));
  q = fma(q, t, set1(0.0030461642891168594F));
  q = fma(q, t, set1(0.04052882641553879F));
  q = fma(q, t, set1(0.3042527735233307F));
  q = fma(q, t, set1(1.0F));
  return mul(x, fma(c, div(p, q), set1(0.5F)));
}

// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).
static inline F gelu_tanh_lanes(F x) {
  const F cube = mul(mul(x, x), x);
  const F inner = mul(set1(0.7978845608F), fma(set1(0.044715F), cube, x));
  const F half = mul(set1(0.5F), x);
  return fma(half, tanh_lanes(inner), half);
}

// x / (1 + e^-x).
static inline F silu_lanes(F x) { return div(x, add(set1(1.0F), exp_lanes(sub(set1(0.0F), x)))); }

template <class Function>
static inline void map_in_place(int64_t n, float* x, Function f) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    store(x + i, f(load(x + i)));
  }
  if (i < n) {
    const int rest = static_cast<int>(n - i);
    store_n(x + i, f(load_n(x + i, rest)), rest);
  }
}

static void activate_impl(Activation activation, int64_t n, float* x) noexcept {
  switch (activation) {
    case Activation::kNone: break;
    case Activation::kGelu: map_in_place(n, x, [](F v) { return gelu_lanes(v); }); break;
    case Activation::kGeluTanh: map_in_place(n, x, [](F v) { return gelu_tanh_lanes(v); }); break;
    case Activation::kRelu: map_in_place(n, x, [](F v) { return max(v, set1(0.0F)); }); break;
    case Activation::kTanh: map_in_place(n, x, [](F v) { return tanh_lanes(v); }); break;
    case Activation::kSilu: map_in_place(n, x, [](F v) { return silu_lanes(v); }); break;
  }
}

// What follows bias in an epilogue, on one tile of C: activation, then + residual.
static inline void finish_tile(int rows, int columns, const Epilogue& epilogue, int64_t first_row, int64_t first_column,
                               float* c, int64_t ldc) {
  if (epilogue.activation != Activation::kNone) {
    for (int i = 0; i < rows; ++i) {
      activate_impl(epilogue.activation, columns, c + i * ldc);
    }
  }
  if (epilogue.residual == nullptr) {
    return;
  }
  for (int i = 0; i < rows; ++i) {
    const float* r = epilogue.residual + (first_row + i) * epilogue.ld_residual + first_column;
    float* y = c + i * ldc;
    int j = 0;
    for (; j + kLanes <= columns; j += kLanes) {
      store(y + j, add(load(y + j), load(r + j)));
    }
    if (j < columns) {
      store_n(y + j, add(load_n(y + j, columns - j), load_n(r + j, columns - j)), columns - j);
    }
  }
}
