// AVX-512 F, BW, DQ, VL, sixteen lanes. Included inside a namespace of one translation unit.

using F = __m512;
using I = __m512i;

constexpr int kLanes = 16;
// Accumulators 8 x 2: enough chains for two units of latency 4, and few enough rows of A that they stay in the first
// cache beside the stream of B (14 rows, the most that registers allow, measured 3 % slower on Zen 4).
constexpr int kTileRows = 8;

static inline F load(const float* p) { return _mm512_loadu_ps(p); }
static inline void store(float* p, F v) { _mm512_storeu_ps(p, v); }
static inline __mmask16 mask_n(int n) { return static_cast<__mmask16>((1U << n) - 1U); }
static inline F load_n(const float* p, int n) { return _mm512_maskz_loadu_ps(mask_n(n), p); }
static inline void store_n(float* p, F v, int n) { _mm512_mask_storeu_ps(p, mask_n(n), v); }
static inline F set1(float x) { return _mm512_set1_ps(x); }
static inline F add(F a, F b) { return _mm512_add_ps(a, b); }
static inline F sub(F a, F b) { return _mm512_sub_ps(a, b); }
static inline F mul(F a, F b) { return _mm512_mul_ps(a, b); }
static inline F div(F a, F b) { return _mm512_div_ps(a, b); }
static inline F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
static inline F max(F a, F b) { return _mm512_max_ps(a, b); }
static inline F min(F a, F b) { return _mm512_min_ps(a, b); }
static inline float reduce_add(F v) { return _mm512_reduce_add_ps(v); }
static inline float reduce_max(F v) { return _mm512_reduce_max_ps(v); }
static inline float reduce_min(F v) { return _mm512_reduce_min_ps(v); }
static inline I round_int(F x) { return _mm512_cvtps_epi32(x); }
static inline F to_float(I x) { return _mm512_cvtepi32_ps(x); }
static inline F power_of_two(I n) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(n, _mm512_set1_epi32(127)), 23));
}
static inline I set1_int(int32_t x) { return _mm512_set1_epi32(x); }
static inline I load_int(const int32_t* p) { return _mm512_loadu_si512(p); }
static inline I sub_int(I a, I b) { return _mm512_sub_epi32(a, b); }
static inline I add_int(I a, I b) { return _mm512_add_epi32(a, b); }
static inline I mul_int(I a, I b) { return _mm512_mullo_epi32(a, b); }
static inline void store_bytes(uint8_t* p, I v) {
  const I positive = _mm512_max_epi32(v, _mm512_setzero_si512());
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtusepi32_epi8(positive));
}

// Lanes of -128..127 as signed bytes.
static inline void store_signed_bytes(int8_t* p, I v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(v));
}
static inline int32_t reduce_add_int(I v) { return _mm512_reduce_add_epi32(v); }
static inline F load_f16(const std::byte* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
static inline F load_i8(const std::byte* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
static inline F load_bf16(const std::byte* p) {
  const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}
static inline void store_f16(uint16_t* p, F v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

static inline void transpose(const float* p, int64_t ld, float* out, int64_t ldo) {
  F r[16];
  F t[16];
  for (int i = 0; i < 16; ++i) {
    r[i] = load(p + i * ld);
  }
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xEE);
    r[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
  }
  // r[4 g + c] holds, in 128-bit lane l, column 4 l + c of rows 4 g .. 4 g + 3.
  for (int c = 0; c < 4; ++c) {
    const F a = _mm512_shuffle_f32x4(r[c], r[4 + c], 0x88);  // lanes 0, 2 of rows 0-3 and 4-7
    const F b = _mm512_shuffle_f32x4(r[c], r[4 + c], 0xDD);  // lanes 1, 3
    const F d = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0x88);
    const F e = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0xDD);
    store(out + c * ldo, _mm512_shuffle_f32x4(a, d, 0x88));
    store(out + (8 + c) * ldo, _mm512_shuffle_f32x4(a, d, 0xDD));
    store(out + (4 + c) * ldo, _mm512_shuffle_f32x4(b, e, 0x88));
    store(out + (12 + c) * ldo, _mm512_shuffle_f32x4(b, e, 0xDD));
  }
}
