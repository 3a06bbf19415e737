// The table of kernels that one instruction set fills. Rooms call the typed functions of gemm.h, gemm_int8.h,
// elementwise.h and attention.h; this is what lies under them. Each table is made by one translation unit compiled for
// its instruction set (isa_*.cc); those units share no inline function with others, so that no code for a larger
// processor can end up where a smaller one runs it. Immutable; any thread.
#pragma once

#include <cstdint>

#include "kernels/attention.h"
#include "kernels/attention_cached.h"
#include "kernels/block_formats.h"
#include "kernels/decoder_ops.h"
#include "kernels/elementwise.h"
#include "kernels/gemm.h"
#include "kernels/gemm_int8.h"

namespace slipway::kernels {

// C [m, n] = epilogue(A B), B in packed panels beginning at `panels`; n may end inside the last panel.
struct GemmBlockF32 {
  int m = 0;
  int n = 0;
  int k = 0;
  const float* a = nullptr;
  int64_t lda = 0;
  const float* panels = nullptr;
  float* c = nullptr;
  int64_t ldc = 0;
  bool accumulate = false;  // add to C instead of writing it
  Epilogue epilogue;        // bias and residual already moved to this block's first column and row
};

struct GemmBlockInt8 {
  int m = 0;
  int n = 0;
  int k = 0;
  const uint8_t* a = nullptr;
  int64_t stride = 0;
  const float* row_scale = nullptr;
  const int32_t* row_zero = nullptr;
  const int8_t* panels = nullptr;
  const float* scales = nullptr;
  const int32_t* sums = nullptr;
  float* c = nullptr;
  int64_t ldc = 0;
  Epilogue epilogue;
};

// 32 activations rounded to 8 bits: value = d q.
struct BlockX {
  int8_t q[kBlockValues];
  float d;
  float dsum;     // d sum(q)
  int32_t init8;  // -128 sum(q), -8 sum(q): what integer sums begin with
  int32_t init4;
};

// One product of a block of work: the panels of W, and all of y.
struct GemmProduct {
  BlockType type = BlockType::kF32;
  int n = 0;
  const std::byte* panels = nullptr;
  int64_t panel_bytes = 0;
  float* y = nullptr;
  int64_t ldy = 0;
  Epilogue epilogue;
};

// Rows [m0, m1) by panels [panel0, panel1) of one product, or of two with `gate`; all quantised or all not.
struct GemmPanels {
  int m0 = 0;
  int m1 = 0;
  int panel0 = 0;
  int panel1 = 0;
  int k = 0;
  const BlockX* blocks = nullptr;  // [m, k / 32], for quantised weights
  const float* x = nullptr;        // [m, k], for others
  int64_t ldx = 0;
  int count = 1;
  GemmProduct products[2];
  Activation gate = Activation::kNone;
};

// Query rows [first, first + rows) of one sequence against one head of its cache.
struct AttendItem {
  KvLayout layout;
  int kv_head = 0;
  int group = 1;  // query heads that share it
  float scale = 0;
  float softcap = 0;
  int window = 0;
  int position = 0;  // of the sequence's row 0
  int first = 0;
  int rows = 0;
  const float* q = nullptr;
  int64_t ldq = 0;
  float* out = nullptr;
  int64_t ld_out = 0;
  const std::byte* const* k_pages = nullptr;
  const std::byte* const* v_pages = nullptr;
  const float* bias = nullptr;  // of head 0 at distance 0, or null
  int64_t ld_bias = 0;
  int memory = 0;  // > 0: what every row sees
};

struct Kernels {
  int rows = 0;        // of a micro-kernel's tile
  int panel = 0;       // columns of a panel, f32
  int panel_int8 = 0;  // columns of a panel, int8
  int group_int8 = 0;  // consecutive k of one column that lie together in an int8 panel

  // Up to `panel` rows of w [rows, k] to one panel [k][panel], missing rows as zeros.
  void (*pack_transposed)(int rows, int k, const float* w, int64_t ldw, float* out) noexcept = nullptr;
  // Up to `panel` columns of w [k, columns] to one panel, missing columns as zeros.
  void (*pack_straight)(int columns, int k, const float* w, int64_t ldw, float* out) noexcept = nullptr;
  // out [columns, rows] = the transpose of a [rows, columns].
  void (*transpose)(int rows, int columns, const float* a, int64_t lda, float* out, int64_t ldo) noexcept = nullptr;
  // Up to `panel_int8` rows of w [rows, k] to one panel, and the sum of each row.
  void (*pack_int8)(int rows, int k, const int8_t* w, int64_t ldw, int8_t* out, int32_t* sums) noexcept = nullptr;
  void (*gemm_f32)(const GemmBlockF32& block) noexcept = nullptr;
  void (*gemm_int8)(const GemmBlockInt8& block) noexcept = nullptr;
  void (*quantize_rows)(int m, int k, const float* x, int64_t ldx, const QuantizedRows& out) noexcept = nullptr;
  void (*layer_norm)(int m, int n, const float* x, int64_t ldx, const LayerNorm& norm, float* y,
                     int64_t ldy) noexcept = nullptr;
  void (*activate)(Activation activation, int64_t n, float* x) noexcept = nullptr;
  void (*softmax)(int n, float scale, float* x) noexcept = nullptr;
  void (*add_rows)(int n, const float* word, const float* position, const float* type, float* y) noexcept = nullptr;
  void (*add_rows_int8)(int n, const int8_t* word, float scale, const float* position, const float* type,
                        float* y) noexcept = nullptr;
  void (*mean_pool_normalized)(int m, int n, const float* x, int64_t ldx, float* y) noexcept = nullptr;
  void (*attention)(const AttentionArgs& args, float* scratch) noexcept = nullptr;
  void (*rms_norm)(int m, int n, const float* x, int64_t ldx, const RmsNorm& norm, float* y,
                   int64_t ldy) noexcept = nullptr;
  void (*rope)(int half, const float* cosines, const float* sines, int heads, int head_dim, bool interleaved,
               float* x) noexcept = nullptr;
  void (*gated)(Activation gate, int64_t n, const float* g, const float* u, float* y) noexcept = nullptr;
  void (*add)(int64_t n, const float* x, float* y) noexcept = nullptr;
  void (*scale)(int64_t n, float factor, float* x) noexcept = nullptr;
  void (*softcap)(int64_t n, float cap, float* x) noexcept = nullptr;
  void (*lstm_cell)(int n, const float* input, const float* recurrent, float* c, float* h) noexcept = nullptr;
  void (*gru_cell)(int n, const float* input, const float* recurrent, float* h) noexcept = nullptr;
  void (*max_into)(int n, const float* x, float* y) noexcept = nullptr;
  float (*log_sum_exp)(int n, const float* x) noexcept = nullptr;
  int (*argmax)(int n, const float* x) noexcept = nullptr;
  int panel_blocks = 0;        // columns of a panel of block weights
  bool offset_blocks = false;  // 8-bit ones are stored with 128 added
  void (*quantize_blocks)(int rows, int k, const float* x, int64_t ldx, BlockX* out) noexcept = nullptr;
  void (*gemm_panels)(const GemmPanels& panels) noexcept = nullptr;
  void (*to_f16)(int64_t n, const float* x, uint16_t* out) noexcept = nullptr;
  // `heads` vectors of `dim` values to 8 bits, with an f16 scale each.
  void (*quantize_heads)(int heads, int dim, const float* x, int8_t* q, uint16_t* scales) noexcept = nullptr;
  // scratch: attend_scratch() of the .cc file floats.
  void (*attend)(const AttendItem& item, float* scratch) noexcept = nullptr;
  // Reads every cache line of `bytes` (a multiple of 1024).
  void (*read_pass)(const std::byte* memory, int64_t bytes) noexcept = nullptr;
  double (*peak_f32)() noexcept = nullptr;
  double (*peak_int8)() noexcept = nullptr;
};

// The table of an instruction set, which this processor must have.
const Kernels& kernels(base::Isa isa) noexcept;

// Defined in isa_*.cc; absent instruction sets of other architectures fall back to the portable table.
const Kernels& kernels_scalar() noexcept;
const Kernels& kernels_avx2() noexcept;
const Kernels& kernels_avx512() noexcept;
const Kernels& kernels_avx512_vnni() noexcept;

}  // namespace slipway::kernels
