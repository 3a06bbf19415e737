// What a decoder of SmolLM2-135M's shape asks of the kernels. Decode*: every matrix once for one row, GB/s of weights
// beside Read* of the same size (memory alone). Prefill*: GOP/s beside peak_int8 and peak_f32 of gemm_bench.cc. Wall
// time. SLIPWAY_ISA chooses the instruction set; types are block_type_name()'s, in the order of BlockType.
#include <memory>
#include <vector>

#include "base/pool.h"
#include "kernels/attention_cached.h"
#include "kernels/decoder_ops.h"
#include "kernels/gemm_blocks.h"
#include "kernels/peak.h"
#include "kernels/support.h"

namespace slipway::kernels {
namespace {

constexpr int kHidden = 576;
constexpr int kInner = 1536;
constexpr int kKv = 192;
constexpr int kLayers = 30;
constexpr int kVocabulary = 49152;

// Arguments: MiB, threads.
void read_memory(benchmark::State& state) {
  const int64_t bytes = state.range(0) << 20;
  const int threads = static_cast<int>(state.range(1));
  base::Pool pool(threads);
  const auto memory = aligned_array<std::byte>(static_cast<size_t>(bytes));
  std::fill_n(memory.get(), bytes, std::byte{1});
  const int64_t part = bytes / threads;
  for (auto _ : state) {
    pool.parallel_for(threads, [&](int64_t i) { read_pass(chosen_isa(), memory.get() + i * part, part); });
  }
  report_bytes(state, static_cast<double>(bytes));
}
BENCHMARK(read_memory)->ArgsProduct({{8, 90, 135, 270}, {1, 2}})->UseRealTime();

PackedBlocks random_matrix(BlockType type, int n, int k, const std::shared_ptr<Arena>& arena) {
  PackedBlocks w(chosen_isa(), type, n, k, arena);
  const auto row = random_floats(static_cast<size_t>(k), 1);
  std::vector<std::byte> bytes(static_cast<size_t>(block_row_bytes(type, k)));
  quantize_row(type, k, row.data(), bytes.data());
  std::vector<std::byte> panel;
  for (int i = 0; i < w.panel_columns(); ++i) {
    panel.insert(panel.end(), bytes.begin(), bytes.end());
  }
  for (int j = 0; j < n; j += w.panel_columns()) {
    w.pack(j, std::min(w.panel_columns(), n - j), panel.data());
  }
  return w;
}

// One layer's matrices, and its products over m rows.
struct Layer {
  Layer(BlockType type, const std::shared_ptr<Arena>& arena)
      : q(random_matrix(type, kHidden, kHidden, arena)),
        k(random_matrix(type, kKv, kHidden, arena)),
        v(random_matrix(type, kKv, kHidden, arena)),
        o(random_matrix(type, kHidden, kHidden, arena)),
        gate(random_matrix(type, kInner, kHidden, arena)),
        up(random_matrix(type, kInner, kHidden, arena)),
        down(random_matrix(type, kHidden, kInner, arena)) {}
  int64_t bytes() const {
    return q.bytes() + k.bytes() + v.bytes() + o.bytes() + gate.bytes() + up.bytes() + down.bytes();
  }
  static double weights() { return 2.0 * kHidden * kHidden + 2.0 * kKv * kHidden + 3.0 * kHidden * kInner; }
  PackedBlocks q, k, v, o, gate, up, down;
};

struct Buffers {
  explicit Buffers(int m)
      : x(random_floats(static_cast<size_t>(m) * kHidden, 3)),
        qkv(static_cast<size_t>(m) * (kHidden + 2 * kKv)),
        y(static_cast<size_t>(m) * kHidden),
        gate(static_cast<size_t>(m) * kInner),
        up(static_cast<size_t>(m) * kInner) {}
  std::vector<float> x, qkv, y, gate, up;
  Workspace workspace;
};

void run_layer(const Layer& layer, int m, Buffers& b, base::Pool* pool) {
  constexpr int kWide = kHidden + 2 * kKv;
  const BlockProduct qkv[] = {{&layer.q, b.qkv.data(), kWide, {}},
                              {&layer.k, b.qkv.data() + kHidden, kWide, {}},
                              {&layer.v, b.qkv.data() + kHidden + kKv, kWide, {}}};
  gemm_blocks({.m = m, .x = b.x.data(), .ldx = kHidden, .products = qkv}, b.workspace, pool);
  const BlockProduct o{&layer.o, b.y.data(), kHidden, {}};
  gemm_blocks({.m = m, .x = b.x.data(), .ldx = kHidden, .products = {&o, 1}}, b.workspace, pool);
  const BlockProduct inner[] = {{&layer.gate, b.gate.data(), kInner, {}}, {&layer.up, b.up.data(), kInner, {}}};
  gemm_blocks({.m = m, .x = b.x.data(), .ldx = kHidden, .products = inner, .gate = Activation::kSilu}, b.workspace,
              pool);
  const BlockProduct down{&layer.down, b.y.data(), kHidden, {}};
  gemm_blocks({.m = m, .x = b.gate.data(), .ldx = kInner, .products = {&down, 1}}, b.workspace, pool);
}

// Arguments: BlockType, rows, threads.
void decode(benchmark::State& state) {
  const auto type = static_cast<BlockType>(state.range(0));
  const int m = static_cast<int>(state.range(1));
  base::Pool pool(static_cast<int>(state.range(2)));
  const auto arena = std::make_shared<Arena>();
  std::vector<Layer> layers;
  int64_t bytes = 0;
  for (int i = 0; i < kLayers; ++i) {
    layers.emplace_back(type, arena);
    bytes += layers.back().bytes();
  }
  const PackedBlocks head = random_matrix(type, kVocabulary, kHidden, arena);
  bytes += head.bytes();
  Buffers buffers(m);
  std::vector<float> logits(static_cast<size_t>(m) * kVocabulary);
  for (auto _ : state) {
    for (const Layer& layer : layers) {
      run_layer(layer, m, buffers, &pool);
    }
    const BlockProduct p{&head, logits.data(), kVocabulary, {}};
    gemm_blocks({.m = m, .x = buffers.x.data(), .ldx = kHidden, .products = {&p, 1}}, buffers.workspace, &pool);
  }
  report_bytes(state, static_cast<double>(bytes));
  state.counters["MB"] = static_cast<double>(bytes) * 1e-6;
  state.counters["rows/s"] = benchmark::Counter(m, benchmark::Counter::kIsIterationInvariantRate);
  state.SetLabel(block_type_name(type));
}
BENCHMARK(decode)->ArgsProduct({{1, 2, 3, 4, 5}, {1}, {1, 2}})->UseRealTime();
BENCHMARK(decode)->ArgsProduct({{3, 4}, {2, 4, 8, 16}, {1, 2}})->UseRealTime();

// Arguments: BlockType, rows, threads.
void prefill(benchmark::State& state) {
  const auto type = static_cast<BlockType>(state.range(0));
  const int m = static_cast<int>(state.range(1));
  base::Pool pool(static_cast<int>(state.range(2)));
  const Layer layer(type, std::make_shared<Arena>());
  Buffers buffers(m);
  for (auto _ : state) {
    run_layer(layer, m, buffers, &pool);
  }
  report(state, 2.0 * m * Layer::weights());
  state.SetLabel(block_type_name(type));
}
BENCHMARK(prefill)->ArgsProduct({{0, 1, 2, 3, 4, 5}, {128, 512}, {1, 2}})->UseRealTime();

// Arguments: new rows, position of the first, threads, element type (0 f16, 1 f32, 2 int8). Nine heads of 64 over three
// of the cache.
void attention(benchmark::State& state) {
  const int rows = static_cast<int>(state.range(0));
  const int position = static_cast<int>(state.range(1));
  base::Pool pool(static_cast<int>(state.range(2)));
  const KvLayout layout{3, 64, 32, static_cast<KvType>(state.range(3))};
  const int pages = (position + rows + layout.page_tokens - 1) / layout.page_tokens;
  const auto memory = aligned_array<std::byte>(static_cast<size_t>(2 * pages * layout.page_bytes()));
  std::fill_n(memory.get(), 2 * pages * layout.page_bytes(), std::byte{0});
  std::vector<std::byte*> k_pages;
  std::vector<std::byte*> v_pages;
  for (int i = 0; i < pages; ++i) {
    k_pages.push_back(memory.get() + 2 * i * layout.page_bytes());
    v_pages.push_back(memory.get() + (2 * i + 1) * layout.page_bytes());
  }
  const auto q = random_floats(static_cast<size_t>(rows) * kHidden, 1);
  const auto kv = random_floats(static_cast<size_t>(rows) * kKv, 2);
  std::vector<float> out(q.size());
  const CachedRows s{.rows = rows,
                     .position = position,
                     .q = q.data(),
                     .ldq = kHidden,
                     .k = kv.data(),
                     .v = kv.data(),
                     .ldkv = kKv,
                     .out = out.data(),
                     .ld_out = kHidden,
                     .k_pages = k_pages.data(),
                     .v_pages = v_pages.data()};
  const CachedAttention args{
      .layout = layout, .heads = 9, .scale = 0.125F, .softcap = 0, .window = 0, .sequences = {&s, 1}};
  for (auto _ : state) {
    store_kv(chosen_isa(), args);
    attention_cached(chosen_isa(), args, &pool);
  }
  report(state, 4.0 * kHidden * rows * (position + (rows + 1) / 2.0));
}
BENCHMARK(attention)
    ->Args({1, 128, 1, 0})
    ->Args({1, 1024, 1, 0})
    ->Args({1, 1024, 1, 2})
    ->Args({1, 4096, 1, 0})
    ->Args({1, 4096, 1, 2})
    ->Args({1, 32768, 1, 0})
    ->Args({1, 32768, 1, 2})
    ->Args({1, 4096, 2, 0})
    ->Args({128, 0, 1, 0})
    ->Args({512, 0, 1, 0})
    ->Args({512, 0, 1, 2})
    ->Args({512, 0, 2, 0})
    ->UseRealTime();

void row_pieces(benchmark::State& state) {
  auto x = random_floats(kInner, 1);
  const auto weight = random_floats(kInner, 2);
  const RopeTable table(rope_inverse_frequencies(10000, 64), 100);
  for (auto _ : state) {
    rms_norm(chosen_isa(), 1, kHidden, x.data(), kHidden, {.weight = weight.data()}, x.data(), kHidden);
    rope(chosen_isa(), table, 50, 12, 64, false, x.data());
    gated(chosen_isa(), Activation::kSilu, kInner, weight.data(), weight.data(), x.data());
  }
}
BENCHMARK(row_pieces);

void pack_blocks(benchmark::State& state) {
  const auto type = static_cast<BlockType>(state.range(0));
  const std::vector<std::byte> bytes(static_cast<size_t>(block_row_bytes(type, kHidden) * kInner));
  PackedBlocks w(chosen_isa(), type, kInner, kHidden);
  for (auto _ : state) {
    w.pack(0, kInner, bytes.data());
  }
  report_bytes(state, static_cast<double>(bytes.size()));
  state.SetLabel(block_type_name(type));
}
BENCHMARK(pack_blocks)->DenseRange(0, 5);

}  // namespace
}  // namespace slipway::kernels
