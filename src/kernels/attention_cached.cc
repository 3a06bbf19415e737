#include "kernels/attention_cached.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/block_formats.h"

namespace slipway::kernels {
namespace {

float read_kv(const std::byte* page, KvType type, int64_t i) {
  if (type == KvType::kF32) {
    float x;
    std::memcpy(&x, page + 4 * i, sizeof x);
    return x;
  }
  uint16_t bits;
  std::memcpy(&bits, page + 2 * i, sizeof bits);
  return f16_to_f32(bits);
}

void write_kv(std::byte* page, KvType type, int64_t i, float x) {
  if (type == KvType::kF32) {
    std::memcpy(page + 4 * i, &x, sizeof x);
    return;
  }
  const uint16_t bits = f32_to_f16(x);
  std::memcpy(page + 2 * i, &bits, sizeof bits);
}

}  // namespace

void store_kv(base::Isa, const CachedAttention& args) noexcept {
  const KvLayout& l = args.layout;
  for (const CachedRows& s : args.sequences) {
    for (int r = 0; r < s.rows; ++r) {
      const int page = (s.position + r) / l.page_tokens;
      const int64_t slot = (s.position + r) % l.page_tokens;
      for (int h = 0; h < l.kv_heads; ++h) {
        for (int64_t d = 0; d < l.head_dim; ++d) {
          write_kv(s.k_pages[page], l.type, (int64_t{h} * l.head_dim + d) * l.page_tokens + slot,
                   s.k[r * s.ldkv + h * l.head_dim + d]);
          write_kv(s.v_pages[page], l.type, (int64_t{h} * l.page_tokens + slot) * l.head_dim + d,
                   s.v[r * s.ldkv + h * l.head_dim + d]);
        }
      }
    }
  }
}

void attention_cached(base::Isa, const CachedAttention& args, base::Pool*) {
  const KvLayout& l = args.layout;
  for (const CachedRows& s : args.sequences) {
    for (int r = 0; r < s.rows; ++r) {
      const int last = s.position + r;
      const int first = args.window > 0 ? std::max(0, last - args.window + 1) : 0;
      for (int head = 0; head < args.heads; ++head) {
        const int h = head / (args.heads / l.kv_heads);
        const float* q = s.q + r * s.ldq + head * l.head_dim;
        float* out = s.out + r * s.ld_out + head * l.head_dim;
        std::vector<float> p;
        float largest = -INFINITY;
        for (int t = first; t <= last; ++t) {
          float dot = 0;
          for (int64_t d = 0; d < l.head_dim; ++d) {
            dot += q[d] * read_kv(s.k_pages[t / l.page_tokens], l.type,
                                  (int64_t{h} * l.head_dim + d) * l.page_tokens + t % l.page_tokens);
          }
          dot *= args.scale;
          p.push_back(args.softcap > 0 ? args.softcap * std::tanh(dot / args.softcap) : dot);
          largest = std::max(largest, p.back());
        }
        float sum = 0;
        for (float& x : p) {
          x = std::exp(x - largest);
          sum += x;
        }
        for (int64_t d = 0; d < l.head_dim; ++d) {
          float value = 0;
          for (int t = first; t <= last; ++t) {
            value += p[static_cast<size_t>(t - first)] *
                     read_kv(s.v_pages[t / l.page_tokens], l.type,
                             (int64_t{h} * l.page_tokens + t % l.page_tokens) * l.head_dim + d);
          }
          out[d] = value / sum;
        }
      }
    }
  }
}

}  // namespace slipway::kernels
