// Row-wise kernels. Inside a namespace of one translation unit.

static void quantize_rows_impl(int m, int k, const float* x, int64_t ldx, const QuantizedRows& out) noexcept {
  for (int row = 0; row < m; ++row, x += ldx) {
    F low = set1(0);
    F high = set1(0);
    int p = 0;
    for (; p + kLanes <= k; p += kLanes) {
      const F v = load(x + p);
      low = min(low, v);
      high = max(high, v);
    }
    if (p < k) {
      const F v = load_n(x + p, k - p);
      low = min(low, v);
      high = max(high, v);
    }
    const float smallest = reduce_min(low);
    const float range = reduce_max(high) - smallest;
    // Below 1e-30 the reciprocal could overflow; such a row is zeros for all that follows.
    const bool flat = !(range > 1e-30F);
    const float inverse = flat ? 0.0F : 255.0F / range;
    const F shift = set1(inverse * -smallest);
    alignas(64) int32_t zero_lanes[kLanes];
    const I zero = round_int(shift);
    __builtin_memcpy(zero_lanes, &zero, sizeof zero);
    out.scale[row] = flat ? 0.0F : range / 255.0F;
    out.zero[row] = zero_lanes[0];
    uint8_t* q = out.q + row * out.stride;
    const F scale = set1(inverse);
    for (p = 0; p + kLanes <= k; p += kLanes) {
      store_bytes(q + p, add_int(round_int(mul(load(x + p), scale)), zero));
    }
    if (p < k) {
      store_bytes(q + p, add_int(round_int(mul(load_n(x + p, k - p), scale)), zero));
    }
    __builtin_memset(q + k, 0, static_cast<size_t>(out.stride - k));
  }
}

static void layer_norm_impl(int m, int n, const float* x, int64_t ldx, const LayerNorm& norm, float* y,
                            int64_t ldy) noexcept {
  const float inverse_n = 1.0F / static_cast<float>(n);
  const int whole = n / kLanes * kLanes;
  const int rest = n - whole;
  for (int row = 0; row < m; ++row, x += ldx, y += ldy) {
    F sum = set1(0);
    for (int j = 0; j < whole; j += kLanes) {
      sum = add(sum, load(x + j));
    }
    if (rest > 0) {
      sum = add(sum, load_n(x + whole, rest));
    }
    const F mean = set1(reduce_add(sum) * inverse_n);
    F squares = set1(0);
    for (int j = 0; j < whole; j += kLanes) {
      const F d = sub(load(x + j), mean);
      squares = fma(d, d, squares);
    }
    float variance = reduce_add(squares);
    for (int j = whole; j < n; ++j) {
      const float d = x[j] - mean[0];
      variance += d * d;
    }
    const F scale = set1(1.0F / __builtin_sqrtf(variance * inverse_n + norm.eps));
    for (int j = 0; j < whole; j += kLanes) {
      const F d = mul(sub(load(x + j), mean), scale);
      store(y + j, fma(d, load(norm.gain + j), load(norm.bias + j)));
    }
    if (rest > 0) {
      const F d = mul(sub(load_n(x + whole, rest), mean), scale);
      store_n(y + whole, fma(d, load_n(norm.gain + whole, rest), load_n(norm.bias + whole, rest)), rest);
    }
  }
}

// x = exp(scale * (x - max)), returns the sum.
static inline float exponentials(int n, float scale, float* x) {
  F high = set1(x[0]);
  const int whole = n / kLanes * kLanes;
  for (int j = 0; j < whole; j += kLanes) {
    high = max(high, load(x + j));
  }
  float largest = reduce_max(high);
  for (int j = whole; j < n; ++j) {
    largest = largest > x[j] ? largest : x[j];
  }
  const F factor = set1(scale);
  const F shift = set1(largest);
  F sum = set1(0);
  for (int j = 0; j < whole; j += kLanes) {
    const F e = exp_lanes(mul(sub(load(x + j), shift), factor));
    sum = add(sum, e);
    store(x + j, e);
  }
  float total = reduce_add(sum);
  if (whole < n) {
    const F e = exp_lanes(mul(sub(load_n(x + whole, n - whole), shift), factor));
    store_n(x + whole, e, n - whole);
    for (int j = whole; j < n; ++j) {
      total += x[j];
    }
  }
  return total;
}

static void softmax_impl(int n, float scale, float* x) noexcept {
  const F inverse = set1(1.0F / exponentials(n, scale, x));
  map_in_place(n, x, [inverse](F v) { return mul(v, inverse); });
}

static void add_rows_impl(int n, const float* word, const float* position, const float* type, float* y) noexcept {
  for (int j = 0; j < n; j += kLanes) {
    const int count = n - j < kLanes ? n - j : kLanes;
    F v = load_n(word + j, count);
    if (type != nullptr) {
      v = add(v, load_n(type + j, count));
    }
    if (position != nullptr) {
      v = add(v, load_n(position + j, count));
    }
    store_n(y + j, v, count);
  }
}

static void add_rows_int8_impl(int n, const int8_t* word, float scale, const float* position, const float* type,
                               float* y) noexcept {
  for (int j = 0; j < n; ++j) {
    y[j] = scale * static_cast<float>(word[j]);
  }
  add_rows_impl(n, y, position, type, y);
}

static void mean_pool_normalized_impl(int m, int n, const float* x, int64_t ldx, float* y) noexcept {
  const F inverse = set1(1.0F / static_cast<float>(m));
  F squares = set1(0);
  for (int j = 0; j < n; j += kLanes) {
    const int count = n - j < kLanes ? n - j : kLanes;
    F sum = set1(0);
    for (int i = 0; i < m; ++i) {
      sum = add(sum, load_n(x + i * ldx + j, count));
    }
    const F mean = mul(sum, inverse);
    squares = fma(mean, mean, squares);
    store_n(y + j, mean, count);
  }
  const float length = __builtin_sqrtf(reduce_add(squares));
  if (length > 1e-12F) {
    const F scale = set1(1.0F / length);
    map_in_place(n, y, [scale](F v) { return mul(v, scale); });
  }
}
