// Dense f32 matrix products: against weights packed once (inference), and general with both sides packed on the fly
// (training, forward and backward). Results do not depend on the number of threads, nor does a row's result depend on
// the other rows of the call: every element is one chain of multiply-adds over k in an order that k alone decides.
// Any thread may call; matrices are borrowed for the call, row-major, and C may overlap neither A nor B.
#pragma once

#include <cstdint>
#include <memory>

#include "base/cpu.h"
#include "base/pool.h"
#include "kernels/memory.h"

namespace slipway::kernels {

// What is applied to A B + bias before it is stored. kGelu is x Phi(x) by erf; kGeluTanh the tanh form ("gelu_new").
// kSilu is x / (1 + e^-x).
enum class Activation { kNone, kGelu, kGeluTanh, kRelu, kTanh, kSilu };

// A weight matrix W [n, k] (output rows first, as in a Hugging Face Linear), packed for one instruction set as panels
// of `panel_columns` outputs: [ceil(n / panel)][k][panel], zero-padded. Movable, immutable once packed.
class PackedF32 {
 public:
  PackedF32() = default;
  // For W [n, k]; n, k >= 1; its memory from `arena`, which it keeps, or its own. Fill with pack() before use.
  PackedF32(base::Isa isa, int n, int k, std::shared_ptr<Arena> arena = nullptr);
  // Packs rows [first, first + rows) of W from w [rows, k] with row stride ldw. `first` is a multiple of
  // panel_columns(), and so is `rows` unless they end at n. Different rows may be packed from different threads.
  void pack(int first, int rows, const float* w, int64_t ldw) noexcept;

  base::Isa isa() const noexcept { return isa_; }
  int n() const noexcept { return n_; }
  int k() const noexcept { return k_; }
  int panel_columns() const noexcept { return panel_; }
  const float* panel(int i) const noexcept { return data_ + static_cast<int64_t>(i) * k_ * panel_; }
  int64_t bytes() const noexcept;

 private:
  base::Isa isa_ = base::Isa::kScalar;
  int n_ = 0;
  int k_ = 0;
  int panel_ = 0;
  float* data_ = nullptr;
  std::shared_ptr<Arena> arena_;
};

// Applied in this order: + bias, activation, + residual.
struct Epilogue {
  const float* bias = nullptr;  // [n]
  Activation activation = Activation::kNone;
  const float* residual = nullptr;  // [m, n], not C
  int64_t ld_residual = 0;
};

// C [m, n] = epilogue(A [m, k] W^T). `pool` may be null (one thread); work below about 2 MFLOP stays on the caller.
void gemm_f32(int m, const float* a, int64_t lda, const PackedF32& w, const Epilogue& epilogue, float* c, int64_t ldc,
              base::Pool* pool);

// C [m, n] = op(A) op(B) + beta C, where op is the transpose when asked: op(A) is [m, k], op(B) is [k, n], and lda, ldb
// are the row strides of A and B as stored. A Linear with W [out, in] and dy [rows, out]:
//   y  = x W^T    {.trans_b = true,  .m = rows, .n = out, .k = in,   .a = x,  .b = W}
//   dx = dy W     {                  .m = rows, .n = in,  .k = out,  .a = dy, .b = W}
//   dW += dy^T x  {.trans_a = true,  .m = out,  .n = in,  .k = rows, .a = dy, .b = x, .beta = 1}
struct Sgemm {
  bool trans_a = false;
  bool trans_b = false;
  int m = 0;
  int n = 0;
  int k = 0;
  const float* a = nullptr;
  int64_t lda = 0;
  const float* b = nullptr;
  int64_t ldb = 0;
  float beta = 0;  // 0: C is written without being read
  float* c = nullptr;
  int64_t ldc = 0;
};
// Near the multiply-add peak for m from a few hundred, n and k from a few hundred. m, n or k of 0 is allowed (k = 0
// scales C by beta). Allocates about 2 MiB a thread while it runs.
void sgemm(const Sgemm& args, base::Pool& pool, base::Isa isa = base::select_isa());

}  // namespace slipway::kernels
