// Dot products of bytes for gemm_blocks.h. A vector of weights holds four consecutive k of kLanes columns, one of
// activations the same four s8 for every column. Inside a namespace of one translation unit.
//
// dot8 adds w x for s8 weights, of which prepare8 does what rows share; dot4 adds q x for q in 0..15 (nibbles of a
// block of 32: eight calls a sum). start* and finish* open and close the sum of one block; `init8` is -128 sum(x),
// `init4` is -8 sum(x) for kQ4_0 and 0 for kQ4_1. All exact.

// A sum is to be in its register here. Without it GCC 12 puts additions off to the end of the block and spills what they
// add.
#define SLIPWAY_SETTLE(sum) __asm__ volatile("" : "+v"(sum))

#if SLIPWAY_INT8 == 4  // VNNI multiplies u8 by s8: weights are stored with 128 added, which init8 takes away again
constexpr bool kOffset8 = true;
using W8 = I;
static inline I load_bytes(const std::byte* p) { return _mm512_loadu_si512(p); }
static inline I low_nibbles(I v) { return _mm512_and_si512(v, _mm512_set1_epi8(15)); }
static inline I high_nibbles(I v) { return _mm512_and_si512(_mm512_srli_epi16(v, 4), _mm512_set1_epi8(15)); }
static inline W8 prepare8(I w) { return w; }
static inline I start8(int32_t init8) { return _mm512_set1_epi32(init8); }
static inline I dot8(I sum, W8 w, I x) { return _mm512_dpbusd_epi32(sum, w, x); }
static inline I start4(int32_t init4) { return _mm512_set1_epi32(init4); }
static inline I dot4(I sum, I q, I x) { return _mm512_dpbusd_epi32(sum, q, x); }
static inline I finish4(I sum, int32_t) { return sum; }

#elif SLIPWAY_INT8 == 3  // AVX-512 BW
constexpr bool kOffset8 = false;
struct W8 {
  I magnitude;
  __mmask64 negative;
};
static inline I load_bytes(const std::byte* p) { return _mm512_loadu_si512(p); }
static inline I low_nibbles(I v) { return _mm512_and_si512(v, _mm512_set1_epi8(15)); }
static inline I high_nibbles(I v) { return _mm512_and_si512(_mm512_srli_epi16(v, 4), _mm512_set1_epi8(15)); }
static inline W8 prepare8(I w) { return {_mm512_abs_epi8(w), _mm512_movepi8_mask(w)}; }
static inline I start8(int32_t) { return _mm512_setzero_si512(); }
// |w| (sign(w) x): pairs reach 2 x 128 x 127 < 32767.
static inline I dot8(I sum, const W8& w, I x) {
  const I signed_x = _mm512_mask_sub_epi8(x, w.negative, _mm512_setzero_si512(), x);
  sum = _mm512_add_epi32(sum, _mm512_madd_epi16(_mm512_maddubs_epi16(w.magnitude, signed_x), _mm512_set1_epi16(1)));
  SLIPWAY_SETTLE(sum);
  return sum;
}
static inline I start4(int32_t) { return _mm512_setzero_si512(); }
// In 16 bits: eight pairs of at most 2 x 15 x 127 are 30480.
static inline I dot4(I sum, I q, I x) {
  sum = _mm512_add_epi16(sum, _mm512_maddubs_epi16(q, x));
  SLIPWAY_SETTLE(sum);
  return sum;
}
static inline I finish4(I sum, int32_t init4) {
  return _mm512_add_epi32(_mm512_madd_epi16(sum, _mm512_set1_epi16(1)), _mm512_set1_epi32(init4));
}

#elif SLIPWAY_INT8 == 2  // AVX2, as AVX-512 BW
constexpr bool kOffset8 = false;
struct W8 {
  I w;
  I magnitude;
};
static inline I load_bytes(const std::byte* p) { return _mm256_loadu_si256(reinterpret_cast<const I*>(p)); }
static inline I low_nibbles(I v) { return _mm256_and_si256(v, _mm256_set1_epi8(15)); }
static inline I high_nibbles(I v) { return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15)); }
static inline W8 prepare8(I w) { return {w, _mm256_abs_epi8(w)}; }
static inline I start8(int32_t) { return _mm256_setzero_si256(); }
static inline I dot8(I sum, const W8& w, I x) {
  const I pairs = _mm256_maddubs_epi16(w.magnitude, _mm256_sign_epi8(x, w.w));
  sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  SLIPWAY_SETTLE(sum);
  return sum;
}
static inline I start4(int32_t) { return _mm256_setzero_si256(); }
static inline I dot4(I sum, I q, I x) {
  sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(q, x));
  SLIPWAY_SETTLE(sum);
  return sum;
}
static inline I finish4(I sum, int32_t init4) {
  return _mm256_add_epi32(_mm256_madd_epi16(sum, _mm256_set1_epi16(1)), _mm256_set1_epi32(init4));
}

#else  // portable
constexpr bool kOffset8 = false;
using W8 = I;
static inline I load_bytes(const std::byte* p) {
  I v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
static inline I low_nibbles(I v) { return v & 0x0F0F0F0F; }
static inline I high_nibbles(I v) { return (v >> 4) & 0x0F0F0F0F; }
static inline W8 prepare8(I w) { return w; }
static inline I start8(int32_t) { return set1_int(0); }
static inline I dot8(I sum, W8 w, I x) {
  for (int shift = 0; shift < 32; shift += 8) {
    sum += ((w << (24 - shift)) >> 24) * ((x << (24 - shift)) >> 24);
  }
  return sum;
}
static inline I start4(int32_t init4) { return set1_int(init4); }
static inline I dot4(I sum, I q, I x) { return dot8(sum, q, x); }
static inline I finish4(I sum, int32_t) { return sum; }
#endif
