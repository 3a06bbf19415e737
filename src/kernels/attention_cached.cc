#include "kernels/attention_cached.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "kernels/gemm_blocks.h"
#include "kernels/table.h"

namespace slipway::kernels {
namespace {

constexpr int kItemQueries = 48;            // of one item: a few tiles, which find the pages in the second cache
constexpr int64_t kSharedWork = 1'000'000;  // multiply-adds from which other threads help: about 20 microseconds

struct Item {
  int sequence;
  int kv_head;
  int first;
  int rows;
};

AttendItem describe(const CachedAttention& args, const Item& item) {
  const CachedRows& s = args.sequences[static_cast<size_t>(item.sequence)];
  AttendItem a;
  a.layout = args.layout;
  a.kv_head = item.kv_head;
  a.group = args.heads / args.layout.kv_heads;
  a.scale = args.scale;
  a.softcap = args.softcap;
  a.window = s.memory > 0 ? 0 : args.window;
  a.bias = args.bias;
  a.ld_bias = args.ld_bias;
  a.memory = s.memory;
  a.position = s.position;
  a.first = item.first;
  a.rows = item.rows;
  a.q = s.q;
  a.ldq = s.ldq;
  a.out = s.out;
  a.ld_out = s.ld_out;
  a.k_pages = s.k_pages;
  a.v_pages = s.v_pages;
  return a;
}

// Queries of a tile, their sums, a page's scales, their scores over every page they see.
size_t scratch_floats(const Kernels& table, const KvLayout& layout, int tokens) {
  const int64_t padded = (int64_t{tokens} / layout.page_tokens + 2) * layout.page_tokens;
  return static_cast<size_t>(table.rows * (2 * int64_t{layout.head_dim} + padded) + layout.page_tokens);
}

template <class Element>
void store_rows(const CachedRows& s, const KvLayout& l, const Element* k, const Element* v, int row) {
  const int page = (s.position + row) / l.page_tokens;
  const int64_t slot = (s.position + row) % l.page_tokens;
  auto* keys = reinterpret_cast<Element*>(s.k_pages[page]);
  auto* values = reinterpret_cast<Element*>(s.v_pages[page]);
  for (int64_t h = 0; h < l.kv_heads; ++h) {
    for (int64_t d = 0; d < l.head_dim; ++d) {
      keys[(h * l.head_dim + d) * l.page_tokens + slot] = k[h * l.head_dim + d];
    }
    std::copy_n(v + h * l.head_dim, l.head_dim, values + (h * l.page_tokens + slot) * l.head_dim);
  }
}

// Rounds one row's vectors to 8 bits and stores them with their scales.
class Int8Store {
 public:
  Int8Store(const Kernels& table, const KvLayout& layout)
      : table_(table), l_(layout), q_(2 * width()), scales_(2 * static_cast<size_t>(layout.kv_heads)) {}

  void row(const CachedRows& s, const float* k, const float* v, int row) {
    uint16_t* const v_scales = scales_.data() + l_.kv_heads;
    table_.quantize_heads(l_.kv_heads, l_.head_dim, k, q_.data(), scales_.data());
    table_.quantize_heads(l_.kv_heads, l_.head_dim, v, q_.data() + width(), v_scales);
    store_rows(s, l_, q_.data(), q_.data() + width(), row);
    const int page = (s.position + row) / l_.page_tokens;
    store_scales(s.k_pages[page], scales_.data(), (s.position + row) % l_.page_tokens);
    store_scales(s.v_pages[page], v_scales, (s.position + row) % l_.page_tokens);
  }

 private:
  size_t width() const { return static_cast<size_t>(l_.kv_heads) * static_cast<size_t>(l_.head_dim); }
  void store_scales(std::byte* page, const uint16_t* scales, int slot) const {
    auto* const to = reinterpret_cast<uint16_t*>(page + width() * static_cast<size_t>(l_.page_tokens));
    for (int64_t h = 0; h < l_.kv_heads; ++h) {
      to[h * l_.page_tokens + slot] = scales[h];
    }
  }
  const Kernels& table_;
  const KvLayout& l_;
  std::vector<int8_t> q_;
  std::vector<uint16_t> scales_;
};

}  // namespace

void store_kv(base::Isa isa, const CachedAttention& args) {
  const KvLayout& l = args.layout;
  if (l.type == KvType::kI8) {
    Int8Store store(kernels(isa), l);
    for (const CachedRows& s : args.sequences) {
      for (int r = 0; r < s.rows; ++r) {
        store.row(s, s.k + r * s.ldkv, s.v + r * s.ldkv, r);
      }
    }
    return;
  }
  const int64_t width = int64_t{l.kv_heads} * l.head_dim;
  std::vector<uint16_t> half(l.type == KvType::kF16 ? static_cast<size_t>(2 * width) : 0);
  for (const CachedRows& s : args.sequences) {
    for (int r = 0; r < s.rows; ++r) {
      const float* k = s.k + r * s.ldkv;
      const float* v = s.v + r * s.ldkv;
      if (l.type == KvType::kF32) {
        store_rows(s, l, k, v, r);
        continue;
      }
      kernels(isa).to_f16(width, k, half.data());
      kernels(isa).to_f16(width, v, half.data() + width);
      store_rows(s, l, half.data(), half.data() + width, r);
    }
  }
}

void attention_cached(base::Isa isa, const CachedAttention& args, base::Pool* pool) {
  const KvLayout& l = args.layout;
  SLIPWAY_CHECK(l.kv_heads > 0 && args.heads % l.kv_heads == 0 && l.page_tokens % 16 == 0);
  const Kernels& table = kernels(isa);
  const int chunk = std::max(1, kItemQueries / (args.heads / l.kv_heads));
  std::vector<Item> items;
  int64_t work = 0;
  for (int s = 0; s < static_cast<int>(args.sequences.size()); ++s) {
    const CachedRows& rows = args.sequences[static_cast<size_t>(s)];
    const int seen = rows.memory > 0 ? rows.memory : rows.position + rows.rows;
    work += int64_t{2} * rows.rows * args.heads * l.head_dim * seen;
    // The last rows see most: first.
    for (int end = rows.rows; end > 0; end -= chunk) {
      for (int h = 0; h < l.kv_heads; ++h) {
        items.push_back({s, h, std::max(0, end - chunk), std::min(chunk, end)});
      }
    }
  }
  const auto attend = [&](int64_t i) {
    thread_local Workspace scratch;
    const AttendItem item = describe(args, items[static_cast<size_t>(i)]);
    const int seen = item.memory > 0 ? item.memory : item.position + item.first + item.rows;
    const size_t floats = scratch_floats(table, l, seen);
    table.attend(item, reinterpret_cast<float*>(scratch.reserve(floats * sizeof(float))));
  };
  if (pool != nullptr && work >= kSharedWork) {
    pool->parallel_for(static_cast<int64_t>(items.size()), attend);
    return;
  }
  for (size_t i = 0; i < items.size(); ++i) {
    attend(static_cast<int64_t>(i));
  }
}

}  // namespace slipway::kernels
