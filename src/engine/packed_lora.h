// LoRA adapters beside a packed decoder: weights packed for the instruction set in use, and their products for the rows
// of a pass that chose them. f32 throughout, also where the base is quantised. Rows of one adapter that lie together
// are one product of each kind; a row of an adapter costs 2 rank (k + n) FLOPs a layer, a pass reads the bytes of each
// adapter that it has rows of once. A row's result depends on that row alone, as with all products of `kernels`.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "engine/decoder_pass.h"
#include "engine/row_ops.h"
#include "model/lora.h"

namespace slipway::engine {

// Linear layers that read the same activations. A layer has the first four; the head is one for all.
enum class LoraSite { kQkv, kOutput, kGateUp, kDown, kHead };
inline constexpr size_t kLayerSites = 4;

struct PackedLoraSite {
  struct Part {
    int output = 0;           // 0 q, 1 k, 2 v; 0 gate, 1 up; else 0
    int first = 0;            // column of x A^T where its ranks begin
    kernels::PackedBlocks b;  // [n, rank]
  };
  kernels::PackedBlocks a;  // [ranks of all parts, k]; empty: the adapter leaves this site alone
  std::vector<Part> parts;
};

struct PackedLora {
  std::vector<std::array<PackedLoraSite, kLayerSites>> layers;
  PackedLoraSite head;
  int64_t bytes = 0;
  const PackedLoraSite& site(LoraSite site, int layer) const {
    return site == LoraSite::kHead ? head : layers[static_cast<size_t>(layer)][static_cast<size_t>(site)];
  }
};

PackedLora pack_lora(const model::LoraAdapter& adapter, int layers, base::Isa isa, base::Pool& pool);

// The adapters of one decoder and the rows of the pass that runs. One pass at a time.
class LoraRows {
 public:
  explicit LoraRows(RowOps& ops) : ops_(ops) {}

  // Returns its number, which PassRows::adapter names. Before the first pass.
  int add(PackedLora adapter);
  bool empty() const { return adapters_.empty(); }

  // Rows of a pass, in order: all of them, or only those whose logits are wanted.
  void begin(std::span<const PassRows> rows, bool wanted_logits);
  // Whether any row's adapter changes this site.
  bool changes(LoraSite site, int layer) const;

  struct Output {
    float* y = nullptr;  // [m, n]
    int64_t ldy = 0;
  };
  // outputs[i] += (x A^T) B^T for the rows that have an adapter here. x [m, k] overlaps none of them.
  void apply(LoraSite site, int layer, const float* x, int64_t ldx, std::span<const Output> outputs);

 private:
  struct Run {  // rows of one adapter
    int adapter;
    int first;
    int count;
  };
  RowOps& ops_;
  std::vector<PackedLora> adapters_;
  std::vector<Run> runs_;
  std::vector<float> inner_;  // x A^T
};

}  // namespace slipway::engine
