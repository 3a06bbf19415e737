// Independent chains of multiply-adds on registers: what peak.h measures. Inside a namespace of one translation unit.

// Any vector register of the architecture.
#if defined(__x86_64__)
#define SLIPWAY_VECTOR_CONSTRAINT "v"
#else
#define SLIPWAY_VECTOR_CONSTRAINT "w"
#endif

constexpr int kChains = 12;  // more than latency x units of any of these instructions needs: 2 x 4 to 5
constexpr int kPeakSteps = 10000;

static double peak_int8_impl() noexcept {
  I acc[kChains];
#pragma GCC unroll 16
  for (int i = 0; i < kChains; ++i) {
    acc[i] = set1_int(i);
  }
  I b = set1_int(0x01010101);
  for (int s = 0; s < kPeakSteps; ++s) {
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) {
      // A new value for the compiler, so that nothing leaves the loop and no product serves two chains.
      __asm__ volatile("" : "+" SLIPWAY_VECTOR_CONSTRAINT(b));
      acc[i] = dot_accumulate(acc[i], 0x01010101, b);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kChains; ++i) {
    __asm__ volatile("" : : SLIPWAY_VECTOR_CONSTRAINT(acc[i]));
  }
  return 2.0 * kLanes * kGroup * kChains * kPeakSteps;
}

[[maybe_unused]] static double peak_f32_impl() noexcept {
  F acc[kChains];
#pragma GCC unroll 16
  for (int i = 0; i < kChains; ++i) {
    acc[i] = set1(static_cast<float>(i));
  }
  F b = set1(0.5F);
  for (int s = 0; s < kPeakSteps; ++s) {
    __asm__ volatile("" : "+" SLIPWAY_VECTOR_CONSTRAINT(b));
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) {
      acc[i] = fma(b, b, acc[i]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kChains; ++i) {
    __asm__ volatile("" : : SLIPWAY_VECTOR_CONSTRAINT(acc[i]));
  }
  return 2.0 * kLanes * kChains * kPeakSteps;
}

// Four vectors a step, each line touched once.
[[maybe_unused]] static void read_pass_impl(const std::byte* memory, int64_t bytes) noexcept {
  I sum[4] = {set1_int(0), set1_int(0), set1_int(0), set1_int(0)};
  constexpr int64_t kVector = sizeof(I);
  for (int64_t i = 0; i < bytes; i += 4 * kVector) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      sum[v] = add_int(sum[v], load_int(reinterpret_cast<const int32_t*>(memory + i + v * kVector)));
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < 4; ++v) {
    __asm__ volatile("" : : SLIPWAY_VECTOR_CONSTRAINT(sum[v]));
  }
}
