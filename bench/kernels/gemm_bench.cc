// Products at the shapes of a MiniLM-L6 encoder, as a fraction of this machine's peak: the counter "GOP/s" of Product*
// beside that of Peak*, where the same instructions run on registers alone. SLIPWAY_ISA chooses the instruction set.
#include <vector>

#include "base/pool.h"
#include "kernels/gemm.h"
#include "kernels/gemm_int8.h"
#include "kernels/peak.h"
#include "kernels/support.h"

namespace slipway::kernels {
namespace {

void peak_f32(benchmark::State& state) {
  double operations = 0;
  for (auto _ : state) {
    operations = peak_f32_pass(chosen_isa());
  }
  report(state, operations);
}
BENCHMARK(peak_f32);

void peak_int8(benchmark::State& state) {
  double operations = 0;
  for (auto _ : state) {
    operations = peak_int8_pass(chosen_isa());
  }
  report(state, operations);
}
BENCHMARK(peak_int8);

// Arguments: m, n, k, threads.
void product_f32(benchmark::State& state) {
  const int m = static_cast<int>(state.range(0));
  const int n = static_cast<int>(state.range(1));
  const int k = static_cast<int>(state.range(2));
  base::Pool pool(static_cast<int>(state.range(3)));
  const auto a = random_floats(static_cast<size_t>(m) * (k + 16), 1);
  const auto w = random_floats(static_cast<size_t>(n) * k, 2);
  std::vector<float> c(static_cast<size_t>(m) * (n + 16));
  PackedF32 packed(chosen_isa(), n, k);
  packed.pack(0, n, w.data(), k);
  for (auto _ : state) {
    gemm_f32(m, a.data(), k + 16, packed, {}, c.data(), n + 16, &pool);
  }
  report(state, 2.0 * m * n * k);
}

void product_int8(benchmark::State& state) {
  const int m = static_cast<int>(state.range(0));
  const int n = static_cast<int>(state.range(1));
  const int k = static_cast<int>(state.range(2));
  base::Pool pool(static_cast<int>(state.range(3)));
  const auto a = random_floats(static_cast<size_t>(m) * k, 1);
  base::Rng rng(2);
  std::vector<int8_t> w(static_cast<size_t>(n) * k);
  for (int8_t& v : w) {
    v = static_cast<int8_t>(static_cast<int>(rng.below(255)) - 127);
  }
  const std::vector<float> scales(n, 0.01F);
  PackedInt8 packed(chosen_isa(), n, k);
  packed.pack(0, n, w.data(), k, scales.data());
  std::vector<uint8_t> q(static_cast<size_t>(m) * int8_stride(k));
  std::vector<float> scale(m);
  std::vector<int32_t> zero(m);
  const QuantizedRows rows{q.data(), int8_stride(k), scale.data(), zero.data()};
  quantize_rows(chosen_isa(), m, k, a.data(), k, rows);
  std::vector<float> c(static_cast<size_t>(m) * (n + 16));
  for (auto _ : state) {
    gemm_int8(m, rows, packed, {}, c.data(), n + 16, &pool);
  }
  report(state, 2.0 * m * n * k);
}

// Both sides packed in the call; the three products of a Linear of 384 -> 1536 over m rows.
void product_general(benchmark::State& state) {
  const int m = static_cast<int>(state.range(0));
  base::Pool pool(static_cast<int>(state.range(1)));
  const int in = 384;
  const int out = 1536;
  const auto x = random_floats(static_cast<size_t>(m) * in, 1);
  const auto w = random_floats(static_cast<size_t>(out) * in, 2);
  const auto dy = random_floats(static_cast<size_t>(m) * out, 3);
  std::vector<float> y(static_cast<size_t>(m) * out);
  std::vector<float> dx(static_cast<size_t>(m) * in);
  std::vector<float> dw(static_cast<size_t>(out) * in);
  for (auto _ : state) {
    sgemm({.trans_b = true,
           .m = m,
           .n = out,
           .k = in,
           .a = x.data(),
           .lda = in,
           .b = w.data(),
           .ldb = in,
           .c = y.data(),
           .ldc = out},
          pool, chosen_isa());
    sgemm({.m = m, .n = in, .k = out, .a = dy.data(), .lda = out, .b = w.data(), .ldb = in, .c = dx.data(), .ldc = in},
          pool, chosen_isa());
    sgemm({.trans_a = true,
           .m = out,
           .n = in,
           .k = m,
           .a = dy.data(),
           .lda = out,
           .b = x.data(),
           .ldb = in,
           .beta = 1,
           .c = dw.data(),
           .ldc = in},
          pool, chosen_isa());
  }
  report(state, 6.0 * m * in * out);
}

void shapes(benchmark::internal::Benchmark* b) {
  for (const int threads : {1, 2}) {
    for (const int m : {16, 128, 512}) {
      b->Args({m, 1152, 384, threads});
      b->Args({m, 384, 384, threads});
      b->Args({m, 1536, 384, threads});
      b->Args({m, 384, 1536, threads});
    }
  }
  b->MeasureProcessCPUTime();  // rates are per CPU-second, summed over threads: the machine may be shared
}
BENCHMARK(product_f32)->Apply(shapes);
BENCHMARK(product_int8)->Apply(shapes);
BENCHMARK(product_general)->ArgsProduct({{500, 2000}, {1, 2}})->MeasureProcessCPUTime();

}  // namespace
}  // namespace slipway::kernels

BENCHMARK_MAIN();
