// The kernels of one instruction set as a table. Inside a namespace of one translation unit, after the other impl_
// headers.

static_assert(kTileRows == SLIPWAY_TILE_ROWS);

constexpr Kernels make() noexcept {
  Kernels t;
  t.rows = kTileRows;
  t.panel = kPanel;
  t.panel_int8 = kPanel8;
  t.group_int8 = kGroup;
  t.pack_transposed = pack_transposed_impl;
  t.transpose = transpose_impl;
  t.pack_straight = pack_straight_impl;
  t.pack_int8 = pack_int8_impl;
  t.gemm_f32 = gemm_f32_impl;
  t.gemm_int8 = gemm_int8_impl;
  t.quantize_rows = quantize_rows_impl;
  t.layer_norm = layer_norm_impl;
  t.activate = activate_impl;
  t.softmax = softmax_impl;
  t.add_rows = add_rows_impl;
  t.add_rows_int8 = add_rows_int8_impl;
  t.mean_pool_normalized = mean_pool_normalized_impl;
  t.attention = attention_impl;
  t.rms_norm = rms_norm_impl;
  t.rope = rope_impl;
  t.gated = gated_impl;
  t.add = add_impl;
  t.scale = scale_impl;
  t.softcap = softcap_impl;
  t.lstm_cell = lstm_cell_impl;
  t.gru_cell = gru_cell_impl;
  t.max_into = max_into_impl;
  t.log_sum_exp = log_sum_exp_impl;
  t.argmax = argmax_impl;
  t.panel_blocks = kBlockPanel;
  t.offset_blocks = kOffset8;
  t.quantize_blocks = quantize_blocks_impl;
  t.gemm_panels = gemm_panels_impl;
  t.to_f16 = to_f16_impl;
  t.quantize_heads = quantize_heads_impl;
  t.attend = attend_impl;
  t.read_pass = read_pass_impl;
  t.peak_f32 = peak_f32_impl;
  t.peak_int8 = peak_int8_impl;
  return t;
}
