// Attention of some rows of one sequence against one head of its cache: queries of all heads that share it are rows of
// small products with the pages as they lie. Inside a namespace of one translation unit.

static void to_f16_impl(int64_t n, const float* x, uint16_t* out) noexcept {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    store_f16(out + i, load(x + i));
  }
  if (i < n) {
    uint16_t rest[kLanes];
    store_f16(rest, load_n(x + i, static_cast<int>(n - i)));
    __builtin_memcpy(out + i, rest, static_cast<size_t>(n - i) * sizeof(uint16_t));
  }
}

// `heads` vectors of `dim` to 8 bits each: scale = largest magnitude / 127 as an f16, q = x / scale to nearest even.
static void quantize_heads_impl(int heads, int dim, const float* x, int8_t* q, uint16_t* scales) noexcept {
  for (int h = 0; h < heads; ++h, x += dim, q += dim) {
    F high = set1(0);
    for_lanes(dim, [&](int64_t j, int count) {
      const F v = load_n(x + j, count);
      high = max(high, max(v, sub(set1(0), v)));
    });
    uint16_t half[kLanes];
    store_f16(half,
              min(set1(reduce_max(high) / 127.0F), set1(65504.0F)));  // the largest f16: beyond it values saturate
    scales[h] = half[0];
    const float scale = load_f16(reinterpret_cast<const std::byte*>(half))[0];
    const F factor = set1(scale > 0 ? 1.0F / scale : 0.0F);
    for_lanes(dim, [&](int64_t j, int count) {
      const F v = min(max(mul(load_n(x + j, count), factor), set1(-127)), set1(127));
      int8_t bytes[kLanes];
      store_signed_bytes(bytes, round_int(v));
      __builtin_memcpy(q + j, bytes, static_cast<size_t>(count));
    });
  }
}

// The scales of one head's vectors in a page, as floats.
static inline void load_scales(const AttendItem& a, const std::byte* page, float* scales) {
  const KvLayout& l = a.layout;
  const std::byte* from =
      page + int64_t{l.kv_heads} * l.head_dim * l.page_tokens + int64_t{2} * a.kv_head * l.page_tokens;
  for (int t = 0; t < l.page_tokens; t += kLanes) {
    store(scales + t, load_f16(from + 2 * t));
  }
}

// rows [rows, tokens] *= scales [tokens], row stride ld.
static inline void scale_columns(int rows, int tokens, const float* scales, float* x, int64_t ld) {
  for (int i = 0; i < rows; ++i) {
    for_lanes(tokens, [&](int64_t t, int count) {
      store_n(x + i * ld + t, mul(load_n(x + i * ld + t, count), load_n(scales + t, count)), count);
    });
  }
}

// One element of a cache of elements as Load's.
template <class Load>
static inline float cached_value(const std::byte* p) {
  alignas(64) std::byte lanes[kLanes * Load::kBytes] = {};
  __builtin_memcpy(lanes, p, Load::kBytes);
  return Load::at(lanes)[0];
}

// scores [rows, tokens of a page] = q [rows, head_dim] keys of one page.
template <class Load>
static inline void score_page(const AttendItem& a, int rows, const float* q, const std::byte* keys, float* scores,
                              int64_t ld) {
  const int tokens = a.layout.page_tokens;
  const int64_t step = tokens * Load::kBytes;
  int t = 0;
  for (; t + 2 * kLanes <= tokens; t += 2 * kLanes) {
    tile_strided<Load, 2>(rows, a.layout.head_dim, q, a.layout.head_dim, keys + t * Load::kBytes, step, false,
                          scores + t, ld);
  }
  if (t < tokens) {
    tile_strided<Load, 1>(rows, a.layout.head_dim, q, a.layout.head_dim, keys + t * Load::kBytes, step, false,
                          scores + t, ld);
  }
}

// out [rows, head_dim] += p [rows, tokens] values of one page, `values` at the first of the tokens.
template <class Load>
static inline void add_values(const AttendItem& a, int rows, int tokens, const float* p, int64_t ld,
                              const std::byte* values, bool resume, float* out) {
  const int dim = a.layout.head_dim;
  const int64_t step = dim * Load::kBytes;
  int j = 0;
  for (; j + 2 * kLanes <= dim; j += 2 * kLanes) {
    tile_strided<Load, 2>(rows, tokens, p, ld, values + j * Load::kBytes, step, resume, out + j, dim);
  }
  if (j + kLanes <= dim) {
    tile_strided<Load, 1>(rows, tokens, p, ld, values + j * Load::kBytes, step, resume, out + j, dim);
    j += kLanes;
  }
  for (; j < dim; ++j) {
    for (int i = 0; i < rows; ++i) {
      float sum = resume ? out[i * dim + j] : 0.0F;
      for (int t = 0; t < tokens; ++t) {
        sum = fma(set1(p[i * ld + t]), set1(cached_value<Load>(values + t * step + j * Load::kBytes)), set1(sum))[0];
      }
      out[i * dim + j] = sum;
    }
  }
}

// Queries [first, first + rows) of the item: query i is row i / group, head i % group.
template <class Load>
static void attend_queries(const AttendItem& a, int first, int rows, const float* q, float* scores, float* sums,
                           float* scales) {
  constexpr bool kScaled = Load::kBytes == 1;
  const int dim = a.layout.head_dim;
  const int tokens = a.layout.page_tokens;
  const int64_t head_bytes = int64_t{dim} * tokens * Load::kBytes;
  const auto position_of = [&](int query) { return a.position + a.first + (first + query) / a.group; };
  const auto last_of = [&](int query) { return a.memory > 0 ? a.memory - 1 : position_of(query); };
  const auto first_of = [&](int query) {
    const int low = a.window > 0 ? last_of(query) - a.window + 1 : 0;
    return low > 0 ? low : 0;
  };
  const int low = first_of(0);
  const int high = last_of(rows - 1);
  const int page0 = low / tokens;
  const int page1 = high / tokens;
  const int base = page0 * tokens;
  const int64_t ld = int64_t{page1 - page0 + 1} * tokens;
  for (int page = page0; page <= page1; ++page) {
    float* const at = scores + int64_t{page - page0} * tokens;
    score_page<Load>(a, rows, q, a.k_pages[page] + a.kv_head * head_bytes, at, ld);
    if constexpr (kScaled) {
      load_scales(a, a.k_pages[page], scales);
      scale_columns(rows, tokens, scales, at, ld);
    }
  }
  float inverse[kTileRows];
  for (int i = 0; i < rows; ++i) {
    float* row = scores + i * ld;  // of position `base` on
    const int from = first_of(i) - base;
    const int to = last_of(i) + 1 - base;
    if (a.softcap > 0) {
      softcap_impl(to - from, a.softcap, row + from);
    }
    if (a.bias != nullptr) {
      const int64_t head = a.kv_head * a.group + (first + i) % a.group;
      add_impl(to - from, a.bias + head * a.ld_bias + (base + from - position_of(i)), row + from);
    }
    inverse[i] = 1.0F / exponentials(to - from, 1.0F, row + from);
    for (int t = low - base; t < from; ++t) {
      row[t] = 0;
    }
    for (int t = to; t <= high - base; ++t) {
      row[t] = 0;
    }
  }
  for (int page = page0; page <= page1; ++page) {
    const int t0 = page == page0 ? low : page * tokens;
    const int t1 = page == page1 ? high + 1 : (page + 1) * tokens;
    if constexpr (kScaled) {  // of the positions seen alone: slots that are not written have no scale
      load_scales(a, a.v_pages[page], scales);
      scale_columns(rows, t1 - t0, scales + (t0 - page * tokens), scores + (t0 - base), ld);
    }
    add_values<Load>(a, rows, t1 - t0, scores + (t0 - base), ld,
                     a.v_pages[page] + a.kv_head * head_bytes + int64_t{t0 - page * tokens} * dim * Load::kBytes,
                     page > page0, sums);
  }
  for (int i = 0; i < rows; ++i) {
    const int query = first + i;
    const F factor = set1(inverse[i]);
    float* out = a.out + (a.first + query / a.group) * a.ld_out +
                 static_cast<int64_t>(a.kv_head * a.group + query % a.group) * dim;
    for_lanes(dim,
              [&](int64_t j, int count) { store_n(out + j, mul(load_n(sums + i * dim + j, count), factor), count); });
  }
}

static void attend_impl(const AttendItem& a, float* scratch) noexcept {
  const int dim = a.layout.head_dim;
  float* q = scratch;
  float* sums = q + kTileRows * dim;
  float* scales = sums + kTileRows * dim;
  float* scores = scales + a.layout.page_tokens;
  const int queries = a.rows * a.group;
  const int tiles = (queries + kTileRows - 1) / kTileRows;
  const F factor = set1(a.scale);
  for (int t = 0; t < tiles; ++t) {
    const int q0 = static_cast<int>(static_cast<int64_t>(queries) * t / tiles);
    const int q1 = static_cast<int>(static_cast<int64_t>(queries) * (t + 1) / tiles);
    for (int i = q0; i < q1; ++i) {
      const float* from =
          a.q + (a.first + i / a.group) * a.ldq + static_cast<int64_t>(a.kv_head * a.group + i % a.group) * dim;
      for_lanes(dim, [&](int64_t j, int count) {
        store_n(q + (i - q0) * dim + j, mul(load_n(from + j, count), factor), count);
      });
    }
    switch (a.layout.type) {
      case KvType::kF16: attend_queries<LoadF16>(a, q0, q1 - q0, q, scores, sums, scales); break;
      case KvType::kF32: attend_queries<LoadF32>(a, q0, q1 - q0, q, scores, sums, scales); break;
      case KvType::kI8: attend_queries<LoadI8>(a, q0, q1 - q0, q, scores, sums, scales); break;
    }
  }
}
