// Four portable lanes (GCC vector extensions), the same operations as simd_avx2.h and simd_avx512.h. Included inside a
// namespace of one translation unit. Multiply-add is not fused here.

using F = float __attribute__((vector_size(16)));
using I = int32_t __attribute__((vector_size(16)));

constexpr int kLanes = 4;
constexpr int kTileRows = 4;  // accumulators 4 x 2 of 16 registers

static inline F load(const float* p) {
  F v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
static inline void store(float* p, F v) { __builtin_memcpy(p, &v, sizeof v); }
static inline F load_n(const float* p, int n) {
  F v = {0, 0, 0, 0};
  for (int i = 0; i < n; ++i) {
    v[i] = p[i];
  }
  return v;
}
static inline void store_n(float* p, F v, int n) {
  for (int i = 0; i < n; ++i) {
    p[i] = v[i];
  }
}
static inline F set1(float x) { return F{x, x, x, x}; }
static inline F add(F a, F b) { return a + b; }
static inline F sub(F a, F b) { return a - b; }
static inline F mul(F a, F b) { return a * b; }
static inline F div(F a, F b) { return a / b; }
static inline F fma(F a, F b, F c) { return a * b + c; }
static inline F max(F a, F b) { return a > b ? a : b; }
static inline F min(F a, F b) { return a < b ? a : b; }
static inline float reduce_add(F v) { return (v[0] + v[2]) + (v[1] + v[3]); }
static inline float reduce_max(F v) {
  const float a = v[0] > v[2] ? v[0] : v[2];
  const float b = v[1] > v[3] ? v[1] : v[3];
  return a > b ? a : b;
}
static inline float reduce_min(F v) {
  const float a = v[0] < v[2] ? v[0] : v[2];
  const float b = v[1] < v[3] ? v[1] : v[3];
  return a < b ? a : b;
}
// To nearest even, for |x| < 2^22: adding 1.5 * 2^23 leaves the integer in the low bits.
static inline I round_int(F x) {
  const F magic = set1(12582912.0F);
  return reinterpret_cast<I>(x + magic) - reinterpret_cast<I>(magic);
}
static inline F to_float(I x) { return __builtin_convertvector(x, F); }
static inline F power_of_two(I n) { return reinterpret_cast<F>((n + 127) << 23); }
static inline I set1_int(int32_t x) { return I{x, x, x, x}; }
static inline I load_int(const int32_t* p) {
  I v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
static inline void store_int(int32_t* p, I v) { __builtin_memcpy(p, &v, sizeof v); }
static inline I sub_int(I a, I b) { return a - b; }
static inline I add_int(I a, I b) { return a + b; }
static inline I mul_int(I a, I b) { return a * b; }
// Lanes clamped to 0..255 and stored as bytes.
static inline void store_bytes(uint8_t* p, I v) {
  for (int i = 0; i < kLanes; ++i) {
    p[i] = static_cast<uint8_t>(v[i] < 0 ? 0 : v[i] > 255 ? 255 : v[i]);
  }
}

// Lanes of -128..127 as signed bytes.
static inline void store_signed_bytes(int8_t* p, I v) {
  for (int i = 0; i < kLanes; ++i) {
    p[i] = static_cast<int8_t>(v[i]);
  }
}
static inline int32_t reduce_add_int(I v) { return v[0] + v[1] + v[2] + v[3]; }
static inline F load_f16(const std::byte* p) {
  uint16_t bits[kLanes];
  __builtin_memcpy(bits, p, sizeof bits);
  return F{f16_to_f32(bits[0]), f16_to_f32(bits[1]), f16_to_f32(bits[2]), f16_to_f32(bits[3])};
}
static inline F load_i8(const std::byte* p) {
  int8_t bytes[4];
  __builtin_memcpy(bytes, p, sizeof bytes);
  return F{static_cast<float>(bytes[0]), static_cast<float>(bytes[1]), static_cast<float>(bytes[2]),
           static_cast<float>(bytes[3])};
}
static inline F load_bf16(const std::byte* p) {
  uint16_t bits[kLanes];
  __builtin_memcpy(bits, p, sizeof bits);
  return reinterpret_cast<F>(I{bits[0], bits[1], bits[2], bits[3]} << 16);
}
static inline void store_f16(uint16_t* p, F v) {
  for (int i = 0; i < kLanes; ++i) {
    p[i] = f32_to_f16(v[i]);
  }
}

// rows [kLanes] at p with stride ld, transposed: out[j] holds element j of every row; out stride in floats.
static inline void transpose(const float* p, int64_t ld, float* out, int64_t ldo) {
  for (int j = 0; j < kLanes; ++j) {
    for (int i = 0; i < kLanes; ++i) {
      out[j * ldo + i] = p[i * ld + j];
    }
  }
}
