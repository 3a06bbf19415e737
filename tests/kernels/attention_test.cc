#include "kernels/attention.h"

#include <cstring>

#include "kernels/gemm.h"
#include "kernels/helpers.h"
#include "kernels/reference.h"

namespace slipway::kernels {
namespace {

class Attention : public EachIsa {};

struct Text {
  Text(base::Rng& rng, int length_of, int dim_of, int heads_of)
      : length(length_of), dim(dim_of), heads(heads_of), ld(3 * dim * heads + 5) {
    qkv = uniform_floats(rng, static_cast<size_t>(length * ld), -2, 2);
    args = {.length = length,
            .head_dim = dim,
            .heads = heads,
            .first_head = 0,
            .first = 0,
            .rows = length,
            .q = qkv.data(),
            .k = qkv.data() + dim * heads,
            .v = qkv.data() + 2 * dim * heads,
            .ld = ld,
            .out = nullptr,
            .ld_out = dim * heads};
  }
  std::vector<float> run(base::Isa isa) {
    std::vector<float> out(static_cast<size_t>(length) * dim * heads);
    const auto scratch = aligned_array<float>(attention_scratch(isa, length, dim));
    args.out = out.data();
    attention(isa, args, scratch.get());
    return out;
  }
  int length, dim, heads;
  int64_t ld;
  std::vector<float> qkv;
  AttentionArgs args;
};

TEST_P(Attention, EqualsTheReference) {
  base::Rng rng(1);
  for (const int length : {1, 2, 15, 16, 33, 70, 130}) {
    for (const int dim : {8, 32, 33, 64}) {
      Text text(rng, length, dim, 2);
      const auto out = text.run(GetParam());
      for (int h = 0; h < 2; ++h) {
        const auto expected = reference::attention(text.args.q + h * dim, text.args.k + h * dim, text.args.v + h * dim,
                                                   text.ld, length, dim);
        for (int t = 0; t < length; ++t) {
          for (int d = 0; d < dim; ++d) {
            // Scores up to 4 sqrt(dim) with dim roundings of 2^-24 each: at most 2e-5 in the exponent; values up to 2.
            ASSERT_NEAR(out[static_cast<size_t>(t) * dim * 2 + h * dim + d], expected[static_cast<size_t>(t) * dim + d],
                        4e-5)
                << "length " << length << " dim " << dim << " token " << t;
          }
        }
      }
    }
  }
}

// A matrix of its own for each head, and one vector of distances for both.
TEST_P(Attention, BiasAndScaleAreTheReferences) {
  base::Rng rng(3);
  for (const int length : {1, 16, 37, 90}) {
    Text text(rng, length, 24, 2);
    const auto matrices = uniform_floats(rng, 2 * static_cast<size_t>(length) * length, -3, 3);
    const auto distances = uniform_floats(rng, 2 * static_cast<size_t>(length), -3, 3);
    for (const bool by_distance : {false, true}) {
      text.args.bias = by_distance ? distances.data() + length - 1 : matrices.data();
      text.args.ld_bias = by_distance ? -1 : length;
      text.args.head_bias = by_distance ? 0 : int64_t{length} * length;
      text.args.scale = by_distance ? 0.3F : 0.0F;
      const auto out = text.run(GetParam());
      for (int h = 0; h < 2; ++h) {
        const auto expected =
            reference::attention(text.args.q + h * 24, text.args.k + h * 24, text.args.v + h * 24, text.ld, length, 24,
                                 text.args.bias + h * text.args.head_bias, text.args.ld_bias, text.args.scale);
        for (int t = 0; t < length; ++t) {
          for (int d = 0; d < 24; ++d) {
            ASSERT_NEAR(out[static_cast<size_t>(t) * 48 + h * 24 + d], expected[static_cast<size_t>(t) * 24 + d], 6e-5)
                << "length " << length << " token " << t << (by_distance ? " distances" : " matrix");
          }
        }
      }
    }
  }
}

TEST_P(Attention, CutsOfRowsAndHeadsGiveTheSameBits) {
  base::Rng rng(2);
  Text text(rng, 61, 32, 3);
  const auto whole = text.run(GetParam());
  std::vector<float> pieces(whole.size());
  const auto scratch = aligned_array<float>(attention_scratch(GetParam(), 61, 32));
  for (const auto& [first, rows] : {std::pair{0, 20}, std::pair{20, 1}, std::pair{21, 40}}) {
    for (int h = 0; h < 3; ++h) {
      AttentionArgs args = text.args;
      args.first = first;
      args.rows = rows;
      args.first_head = h;
      args.heads = 1;
      args.out = pieces.data();
      attention(GetParam(), args, scratch.get());
    }
  }
  EXPECT_EQ(0, std::memcmp(whole.data(), pieces.data(), whole.size() * sizeof(float)));
}

SLIPWAY_EACH_ISA(Attention);

}  // namespace
}  // namespace slipway::kernels
