// Row-wise kernels of decoders. Inside a namespace of one translation unit.

static void rms_norm_impl(int m, int n, const float* x, int64_t ldx, const RmsNorm& norm, float* y,
                          int64_t ldy) noexcept {
  const int whole = n / kLanes * kLanes;
  for (int row = 0; row < m; ++row, x += ldx, y += ldy) {
    F squares = set1(0);
    for (int j = 0; j < whole; j += kLanes) {
      const F v = load(x + j);
      squares = fma(v, v, squares);
    }
    if (whole < n) {
      const F v = load_n(x + whole, n - whole);
      squares = fma(v, v, squares);
    }
    const float mean = reduce_add(squares) / static_cast<float>(n);
    const F factor = set1(1.0F / __builtin_sqrtf(mean + norm.eps));
    const F offset = set1(norm.offset);
    for_lanes(n, [&](int64_t j, int count) {
      F v = mul(load_n(x + j, count), factor);
      if (norm.weight != nullptr) {
        v = mul(v, add(load_n(norm.weight + j, count), offset));
      }
      store_n(y + j, v, count);
    });
  }
}

static void rope_impl(int half, const float* cosines, const float* sines, int heads, int head_dim, bool interleaved,
                      float* x) noexcept {
  for (int h = 0; h < heads; ++h, x += head_dim) {
    if (interleaved) {
      for (int i = 0; i < half; ++i) {
        const float a = x[2 * i];
        const float b = x[2 * i + 1];
        x[2 * i] = a * cosines[i] - b * sines[i];
        x[2 * i + 1] = a * sines[i] + b * cosines[i];
      }
      continue;
    }
    for_lanes(half, [&](int64_t i, int count) {
      const F c = load_n(cosines + i, count);
      const F s = load_n(sines + i, count);
      const F a = load_n(x + i, count);
      const F b = load_n(x + half + i, count);
      store_n(x + i, sub(mul(a, c), mul(b, s)), count);
      store_n(x + half + i, add(mul(a, s), mul(b, c)), count);
    });
  }
}

static void scale_impl(int64_t n, float factor, float* x) noexcept {
  const F f = set1(factor);
  for_lanes(n, [&](int64_t j, int count) { store_n(x + j, mul(load_n(x + j, count), f), count); });
}

static void softcap_impl(int64_t n, float cap, float* x) noexcept {
  const F up = set1(cap);
  const F down = set1(1.0F / cap);
  for_lanes(n,
            [&](int64_t j, int count) { store_n(x + j, mul(up, tanh_lanes(mul(load_n(x + j, count), down))), count); });
}

static float largest_of(int n, const float* x) {
  F high = set1(x[0]);
  const int whole = n / kLanes * kLanes;
  for (int j = 0; j < whole; j += kLanes) {
    high = max(load(x + j), high);
  }
  float largest = reduce_max(high);
  for (int j = whole; j < n; ++j) {
    largest = x[j] > largest ? x[j] : largest;
  }
  return largest;
}

// log of the sum of exponentials: exact sums of up to 16 lanes' partial sums, each over n / lanes values.
static float log_sum_exp_impl(int n, const float* x) noexcept {
  const float largest = largest_of(n, x);
  const F shift = set1(largest);
  F sum = set1(0);
  const int whole = n / kLanes * kLanes;
  for (int j = 0; j < whole; j += kLanes) {
    sum = add(sum, exp_lanes(sub(load(x + j), shift)));
  }
  double total = reduce_add(sum);
  if (whole < n) {
    alignas(64) float rest[kLanes];
    store(rest, exp_lanes(sub(load_n(x + whole, n - whole), shift)));
    for (int j = 0; j < n - whole; ++j) {
      total += rest[j];
    }
  }
  return largest + static_cast<float>(__builtin_log(total));
}

static int argmax_impl(int n, const float* x) noexcept {
  const float infinity = __builtin_inff();
  F high = set1(-infinity);
  const int whole = n / kLanes * kLanes;
  for (int j = 0; j < whole; j += kLanes) {
    high = max(load(x + j), high);  // the second operand is what a NaN in the first gives
  }
  float largest = reduce_max(high);
  for (int j = whole; j < n; ++j) {
    largest = x[j] > largest ? x[j] : largest;
  }
  for (int j = 0; j < n; ++j) {
    if (x[j] == largest) {
      return j;
    }
  }
  return 0;
}

// Rows of x [k] in blocks: d = largest magnitude / 127, q = x / d to nearest even. Smaller than 1e-30 counts as zero,
// so that the reciprocal is finite.
static void quantize_blocks_impl(int rows, int k, const float* x, int64_t ldx, BlockX* out) noexcept {
  const int blocks = k / kBlockValues;
  for (int r = 0; r < rows; ++r, x += ldx) {
    for (int b = 0; b < blocks; ++b, ++out) {
      const float* from = x + b * kBlockValues;
      F high = set1(0);
      for (int j = 0; j < kBlockValues; j += kLanes) {
        const F v = load(from + j);
        high = max(high, max(v, sub(set1(0), v)));
      }
      const float largest = reduce_max(high);
      const bool flat = !(largest > 1e-30F);
      const F factor = set1(flat ? 0.0F : 127.0F / largest);
      I total = set1_int(0);
      for (int j = 0; j < kBlockValues; j += kLanes) {
        const I v = round_int(mul(load(from + j), factor));
        store_signed_bytes(out->q + j, v);
        total = add_int(total, v);
      }
      const int32_t sum = reduce_add_int(total);
      out->d = flat ? 0.0F : largest / 127.0F;
      out->dsum = out->d * static_cast<float>(sum);
      out->init8 = -128 * sum;
      out->init4 = -8 * sum;
    }
  }
}
