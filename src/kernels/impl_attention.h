// Attention of one text: K packed as panels of keys, V as panels of channels, then tile by tile of queries scores,
// exponentials and the weighted sum, all in the first caches. Inside a namespace of one translation unit.

static inline void attend_tile(const AttentionArgs& g, int rows, const float* q, const float* keys, const float* values,
                               const float* bias, float* scores, float* tile, float* out) {
  const int panels = (g.length + kPanel - 1) / kPanel;
  const int64_t ld = static_cast<int64_t>(panels) * kPanel;
  for (int p = 0; p < panels; ++p) {
    TilesF32::entries[rows](g.head_dim, q, g.ld, keys + static_cast<int64_t>(p) * g.head_dim * kPanel, nullptr, false,
                            scores + p * kPanel, ld);
  }
  for (int i = 0; bias != nullptr && i < rows; ++i) {
    add_rows_impl(g.length, scores + i * ld, bias + i * g.ld_bias, nullptr, scores + i * ld);
  }
  const float scale = g.scale > 0 ? g.scale : 1.0F / __builtin_sqrtf(static_cast<float>(g.head_dim));
  float inverse[kTileRows];
  for (int i = 0; i < rows; ++i) {
    inverse[i] = 1.0F / exponentials(g.length, scale, scores + i * ld);
  }
  for (int j = 0; j < g.head_dim; j += kPanel) {
    TilesF32::entries[rows](g.length, scores, ld, values + static_cast<int64_t>(j) * g.length, nullptr, false, tile,
                            kPanel);
    const int columns = g.head_dim - j < kPanel ? g.head_dim - j : kPanel;
    for (int i = 0; i < rows; ++i) {
      const F factor = set1(inverse[i]);
      for (int c = 0; c < columns; c += kLanes) {
        const int count = columns - c < kLanes ? columns - c : kLanes;
        store_n(out + i * g.ld_out + j + c, mul(load(tile + i * kPanel + c), factor), count);
      }
    }
  }
}

static void attention_impl(const AttentionArgs& g, float* scratch) noexcept {
  const int64_t padded = (static_cast<int64_t>(g.length) + kPanel - 1) / kPanel * kPanel;
  const int64_t padded_dim = (static_cast<int64_t>(g.head_dim) + kPanel - 1) / kPanel * kPanel;
  float* keys = scratch;
  float* values = keys + padded * g.head_dim;
  float* tile = values + padded_dim * g.length;
  float* scores = tile + kTileRows * kPanel;
  for (int h = g.first_head; h < g.first_head + g.heads; ++h) {
    const int64_t column = static_cast<int64_t>(h) * g.head_dim;
    for (int t = 0; t < g.length; t += kPanel) {
      const int rows = g.length - t < kPanel ? g.length - t : kPanel;
      pack_transposed_impl(rows, g.head_dim, g.k + t * g.ld + column, g.ld,
                           keys + static_cast<int64_t>(t) * g.head_dim);
    }
    for (int j = 0; j < g.head_dim; j += kPanel) {
      const int columns = g.head_dim - j < kPanel ? g.head_dim - j : kPanel;
      pack_straight_impl(columns, g.length, g.v + column + j, g.ld, values + static_cast<int64_t>(j) * g.length);
    }
    const int tiles = tile_count(g.rows);
    for (int t = 0; t < tiles; ++t) {
      const int m0 = g.first + static_cast<int>(static_cast<int64_t>(g.rows) * t / tiles);
      const int m1 = g.first + static_cast<int>(static_cast<int64_t>(g.rows) * (t + 1) / tiles);
      const float* bias = g.bias == nullptr ? nullptr : g.bias + h * g.head_bias + m0 * g.ld_bias;
      attend_tile(g, m1 - m0, g.q + m0 * g.ld + column, keys, values, bias, scores, tile,
                  g.out + m0 * g.ld_out + column);
    }
  }
}
