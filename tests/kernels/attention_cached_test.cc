#include "kernels/attention_cached.h"

#include <cmath>
#include <cstring>

#include "kernels/block_formats.h"
#include "kernels/helpers.h"
#include "kernels/memory.h"
#include "kernels/reference_decoder.h"

namespace slipway::kernels {
namespace {

class AttentionCached : public EachIsa {};

// A sequence with its own pages; what is not written in them is NaN.
struct Sequence {
  Sequence(base::Rng& rng, const KvLayout& layout_of, int heads_of, int length_of)
      : layout(layout_of), heads(heads_of), length(length_of) {
    const int kv = layout.kv_heads * layout.head_dim;
    q = uniform_floats(rng, static_cast<size_t>(length) * heads * layout.head_dim, -2, 2);
    k = uniform_floats(rng, static_cast<size_t>(length) * kv, -2, 2);
    v = uniform_floats(rng, static_cast<size_t>(length) * kv, -2, 2);
    for (int i = 0; i < 2 * ((length + layout.page_tokens - 1) / layout.page_tokens); ++i) {
      memory.push_back(aligned_array<std::byte>(static_cast<size_t>(layout.page_bytes())));
      std::memset(memory.back().get(), 0xFF, static_cast<size_t>(layout.page_bytes()));
      (i % 2 == 0 ? k_pages : v_pages).push_back(memory.back().get());
    }
    out.assign(q.size(), NAN);
  }
  CachedRows rows(int first, int count) {
    const int kv = layout.kv_heads * layout.head_dim;
    const int width = heads * layout.head_dim;
    return {.rows = count,
            .position = first,
            .q = q.data() + first * width,
            .ldq = width,
            .k = k.data() + first * kv,
            .v = v.data() + first * kv,
            .ldkv = kv,
            .out = out.data() + first * width,
            .ld_out = width,
            .k_pages = k_pages.data(),
            .v_pages = v_pages.data()};
  }
  // Vector of position t and kv head h as the cache holds it.
  std::vector<float> cached(const std::vector<float>& from, int t, int h) const {
    const auto begin = from.begin() + (t * layout.kv_heads + h) * layout.head_dim;
    std::vector<float> x(begin, begin + layout.head_dim);
    if (layout.type == KvType::kI8) {
      return reference::rounded_vector(x.data(), layout.head_dim);
    }
    for (float& value : x) {
      value = layout.type == KvType::kF16 ? f16_to_f32(f32_to_f16(value)) : value;
    }
    return x;
  }
  // `seen`: the memory that every row sees; 0: each what comes up to itself.
  void check(const CachedAttention& args, int seen = 0) const {
    for (int t = 0; t < length; ++t) {
      for (int head = 0; head < heads; ++head) {
        const int first = args.window > 0 ? std::max(0, t - args.window + 1) : 0;
        std::vector<std::vector<float>> keys;
        std::vector<std::vector<float>> values;
        for (int s = first; s <= (seen > 0 ? seen - 1 : t); ++s) {
          keys.push_back(cached(k, s, head / (heads / layout.kv_heads)));
          values.push_back(cached(v, s, head / (heads / layout.kv_heads)));
        }
        const size_t at = (static_cast<size_t>(t) * heads + head) * layout.head_dim;
        const float* bias = args.bias == nullptr ? nullptr : args.bias + head * args.ld_bias + first - t;
        const auto expected =
            reference::attend(q.data() + at, keys, values, layout.head_dim, args.scale, args.softcap, bias);
        for (int d = 0; d < layout.head_dim; ++d) {
          // Scores of at most 4 sqrt(head_dim) with head_dim roundings of 2^-24: 1e-4 in the exponent at 256, values
          // to 2.
          ASSERT_NEAR(out[at + d], expected[d], 1e-4) << "token " << t << " head " << head << " channel " << d;
        }
      }
    }
  }
  KvLayout layout;
  int heads;
  int length;
  std::vector<float> q, k, v, out;
  std::vector<AlignedBuffer<std::byte>> memory;
  std::vector<std::byte*> k_pages, v_pages;
};

CachedAttention args_of(const KvLayout& layout, int heads, std::span<const CachedRows> sequences) {
  return {.layout = layout,
          .heads = heads,
          .scale = 1.0F / std::sqrt(static_cast<float>(layout.head_dim)),
          .softcap = 0,
          .window = 0,
          .sequences = sequences};
}

void run(base::Isa isa, const CachedAttention& args, base::Pool* pool = nullptr) {
  store_kv(isa, args);
  attention_cached(isa, args, pool);
}

TEST_P(AttentionCached, PromptsInOneChunkEqualTheReference) {
  base::Rng rng(1);
  for (const KvType type : {KvType::kF16, KvType::kF32, KvType::kI8}) {
    for (const int page : {16, 32}) {
      for (const auto& [dim, heads, kv_heads] : {std::tuple{64, 9, 3}, std::tuple{80, 2, 2}, std::tuple{96, 4, 2},
                                                 std::tuple{128, 3, 1}, std::tuple{256, 2, 1}, std::tuple{20, 2, 1}}) {
        const KvLayout layout{kv_heads, dim, page, type};
        Sequence s(rng, layout, heads, 45);
        const CachedRows rows = s.rows(0, 45);
        const CachedAttention args = args_of(layout, heads, {&rows, 1});
        run(GetParam(), args);
        SCOPED_TRACE(fmt::format("dim {} page {}", dim, page));
        s.check(args);
      }
    }
  }
}

TEST_P(AttentionCached, WindowsAndCapsEqualTheReference) {
  base::Rng rng(2);
  for (const KvType type : {KvType::kF16, KvType::kI8}) {
    const KvLayout layout{2, 32, 16, type};
    for (const auto& [window, cap] :
         {std::pair{1, 0.0F}, std::pair{7, 0.0F}, std::pair{16, 3.0F}, std::pair{0, 1.5F}}) {
      Sequence s(rng, layout, 4, 70);
      const CachedRows rows = s.rows(0, 70);
      CachedAttention args = args_of(layout, 4, {&rows, 1});
      args.window = window;
      args.softcap = cap;
      run(GetParam(), args);
      SCOPED_TRACE(fmt::format("window {} cap {}", window, cap));
      s.check(args);
    }
  }
}

TEST_P(AttentionCached, ChunksBatchesAndThreadsGiveTheSameBits) {
  base::Rng rng(3);
  for (const auto& [type, window] : {std::pair{KvType::kF16, 0}, std::pair{KvType::kF16, 20}, std::pair{KvType::kI8, 0},
                                     std::pair{KvType::kI8, 20}}) {
    const KvLayout layout{2, 48, 16, type};
    Sequence a(rng, layout, 6, 90);
    Sequence b(rng, layout, 6, 33);
    CachedRows rows[2] = {a.rows(0, 90), {}};
    CachedAttention args = args_of(layout, 6, {rows, 1});
    args.window = window;
    base::Pool pool(3);
    run(GetParam(), args, &pool);
    const auto whole = a.out;
    std::fill(a.out.begin(), a.out.end(), NAN);
    // A prompt in two chunks, then token by token, beside another sequence.
    int done = 0;
    for (const int count : {40, 13}) {
      rows[0] = a.rows(done, count);
      args.sequences = {rows, 1};
      run(GetParam(), args);
      done += count;
    }
    for (int i = 0; done < 90; ++done, ++i) {
      rows[0] = a.rows(done, 1);
      rows[1] = b.rows(i % 33, 1);
      args.sequences = {rows, i < 33 ? size_t{2} : size_t{1}};
      run(GetParam(), args, &pool);
    }
    EXPECT_EQ(0, std::memcmp(whole.data(), a.out.data(), whole.size() * sizeof(float)));
    args.sequences = {rows, 1};
    b.check(args);
  }
}

TEST_P(AttentionCached, ABiasByDistanceEqualsTheReference) {
  base::Rng rng(5);
  for (const auto& [heads, kv_heads] : {std::pair{4, 4}, std::pair{6, 2}}) {
    const KvLayout layout{kv_heads, 32, 16, KvType::kF32};
    const int length = 41;
    const auto bias = uniform_floats(rng, static_cast<size_t>(heads * length), -3, 3);
    Sequence s(rng, layout, heads, length);
    const CachedRows rows = s.rows(0, length);
    CachedAttention args = args_of(layout, heads, {&rows, 1});
    args.bias = bias.data() + length - 1;  // distances -40 .. 0
    args.ld_bias = length;
    run(GetParam(), args);
    s.check(args);
  }
}

TEST_P(AttentionCached, RowsOverAMemorySeeAllOfIt) {
  base::Rng rng(6);
  for (const int dim : {8, 64}) {
    const KvLayout layout{3, dim, 32, KvType::kF32};
    const int length = 77;
    const auto bias = uniform_floats(rng, static_cast<size_t>(3 * (2 * length - 1)), -3, 3);
    for (const bool biased : {false, true}) {
      Sequence s(rng, layout, 3, length);
      CachedRows rows = s.rows(0, length);
      CachedAttention args = args_of(layout, 3, {&rows, 1});
      if (biased) {
        args.bias = bias.data() + length - 1;  // distances -76 .. 76
        args.ld_bias = 2 * length - 1;
      }
      store_kv(GetParam(), args);
      // All rows of the text at once, then cut: the same bits.
      for (const int seen : {length, 50, 1}) {
        rows = s.rows(0, length);
        rows.memory = seen;
        attention_cached(GetParam(), args, nullptr);
        SCOPED_TRACE(fmt::format("dim {} memory {} bias {}", dim, seen, biased));
        s.check(args, seen);
        const auto whole = s.out;
        CachedRows parts[2] = {s.rows(0, 30), s.rows(30, length - 30)};
        parts[0].memory = parts[1].memory = seen;
        CachedAttention cut = args;
        cut.sequences = parts;
        base::Pool pool(2);
        attention_cached(GetParam(), cut, &pool);
        EXPECT_EQ(0, std::memcmp(whole.data(), s.out.data(), whole.size() * sizeof(float)));
      }
    }
  }
}

// Vectors of zeros, of very small and of very large values: scales that an f16 does not hold become 0 or saturate.
TEST_P(AttentionCached, EightBitScalesStayFinite) {
  base::Rng rng(7);
  const KvLayout layout{1, 32, 16, KvType::kI8};
  Sequence s(rng, layout, 1, 24);
  for (size_t i = 0; i < s.v.size(); ++i) {
    const size_t token = i / 32;
    s.v[i] *= token % 4 == 0 ? 0.0F : token % 4 == 1 ? 1e-12F : token % 4 == 2 ? 1e8F : 1.0F;
    s.k[i] *= token % 3 == 0 ? 0.0F : 1.0F;
  }
  const CachedRows rows = s.rows(0, 24);
  run(GetParam(), args_of(layout, 1, {&rows, 1}));
  for (const float x : s.out) {
    EXPECT_LE(std::abs(x), 127.0F * 65504.0F);
  }
}

TEST_P(AttentionCached, LargeScoresDoNotOverflow) {
  base::Rng rng(4);
  const KvLayout layout{1, 16, 16, KvType::kF32};
  Sequence s(rng, layout, 1, 20);
  for (float& x : s.q) {
    x *= 1e4F;
  }
  const CachedRows rows = s.rows(0, 20);
  run(GetParam(), args_of(layout, 1, {&rows, 1}));
  for (const float x : s.out) {
    EXPECT_LE(std::abs(x), 2.0F);
  }
}

SLIPWAY_EACH_ISA(AttentionCached);

}  // namespace
}  // namespace slipway::kernels
