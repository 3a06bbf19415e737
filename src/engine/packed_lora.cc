#include "engine/packed_lora.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"

namespace slipway::engine {
namespace {

struct Target {
  std::string_view suffix;
  LoraSite site;
  int output;
};
constexpr Target kTargets[] = {
    {"self_attn.q_proj", LoraSite::kQkv, 0}, {"self_attn.k_proj", LoraSite::kQkv, 1},
    {"self_attn.v_proj", LoraSite::kQkv, 2}, {"self_attn.o_proj", LoraSite::kOutput, 0},
    {"mlp.gate_proj", LoraSite::kGateUp, 0}, {"mlp.up_proj", LoraSite::kGateUp, 1},
    {"mlp.down_proj", LoraSite::kDown, 0},   {"lm_head", LoraSite::kHead, 0},
};

// "model.layers.12.mlp.up_proj" -> 12.
int layer_of(std::string_view target) {
  constexpr std::string_view kStart = "model.layers.";
  return target.starts_with(kStart) ? std::stoi(std::string(target.substr(kStart.size()))) : 0;
}

kernels::PackedBlocks pack_f32(base::Isa isa, int n, int k, const std::vector<float>& values,
                               const std::shared_ptr<kernels::Arena>& arena, base::Pool& pool) {
  kernels::PackedBlocks packed(isa, kernels::BlockType::kF32, n, k, arena);
  packed.pack_all(values.data(), 0, &pool);
  return packed;
}

// What becomes of one site: the stacked rows of A until all parts are known.
struct Draft {
  std::vector<float> a;
  int ranks = 0;
  int k = 0;
  std::vector<std::pair<const void*, int>> seen;  // an `a` that is stacked already, and where
};

}  // namespace

PackedLora pack_lora(const model::LoraAdapter& adapter, int layers, base::Isa isa, base::Pool& pool) {
  const auto arena = std::make_shared<kernels::Arena>(size_t{1} << 20);
  PackedLora out;
  out.layers.resize(static_cast<size_t>(layers));
  std::vector<Draft> drafts(static_cast<size_t>(layers) * kLayerSites + 1);
  for (const model::LoraPair& pair : adapter.pairs) {
    const auto* const target = std::find_if(std::begin(kTargets), std::end(kTargets),
                                            [&](const Target& t) { return pair.target.ends_with(t.suffix); });
    SLIPWAY_CHECK(target != std::end(kTargets));
    const bool head = target->site == LoraSite::kHead;
    const auto layer = static_cast<size_t>(layer_of(pair.target));
    PackedLoraSite& site = head ? out.head : out.layers.at(layer)[static_cast<size_t>(target->site)];
    Draft& draft = head ? drafts.back() : drafts[layer * kLayerSites + static_cast<size_t>(target->site)];
    const auto same = std::find_if(draft.seen.begin(), draft.seen.end(),
                                   [&](const auto& entry) { return entry.first == pair.a.get(); });
    const int first = same != draft.seen.end() ? same->second : draft.ranks;
    if (same == draft.seen.end()) {
      draft.seen.emplace_back(pair.a.get(), first);
      draft.a.insert(draft.a.end(), pair.a->begin(), pair.a->end());
      draft.ranks += pair.rank;
      draft.k = pair.k;
    }
    site.parts.push_back({target->output, first, pack_f32(isa, pair.n, pair.rank, pair.b, arena, pool)});
    out.bytes += site.parts.back().b.bytes();
  }
  const auto finish = [&](const Draft& draft, PackedLoraSite& site) {
    if (draft.ranks > 0) {
      site.a = pack_f32(isa, draft.ranks, draft.k, draft.a, arena, pool);
      out.bytes += site.a.bytes();
    }
  };
  for (size_t i = 0; i + 1 < drafts.size(); ++i) {
    finish(drafts[i], out.layers[i / kLayerSites][i % kLayerSites]);
  }
  finish(drafts.back(), out.head);
  return out;
}

int LoraRows::add(PackedLora adapter) {
  adapters_.push_back(std::move(adapter));
  return static_cast<int>(adapters_.size()) - 1;
}

void LoraRows::begin(std::span<const PassRows> rows, bool wanted_logits) {
  runs_.clear();
  int at = 0;
  for (const PassRows& part : rows) {
    const int count = static_cast<int>(part.ids.size()) - (wanted_logits ? part.logits_from : 0);
    if (part.adapter >= 0 && count > 0) {
      SLIPWAY_CHECK(static_cast<size_t>(part.adapter) < adapters_.size());
      const bool goes_on =
          !runs_.empty() && runs_.back().adapter == part.adapter && runs_.back().first + runs_.back().count == at;
      if (goes_on) {
        runs_.back().count += count;
      } else {
        runs_.push_back({part.adapter, at, count});
      }
    }
    at += count;
  }
}

bool LoraRows::changes(LoraSite site, int layer) const {
  return std::any_of(runs_.begin(), runs_.end(), [&](const Run& run) {
    return !adapters_[static_cast<size_t>(run.adapter)].site(site, layer).parts.empty();
  });
}

void LoraRows::apply(LoraSite site, int layer, const float* x, int64_t ldx, std::span<const Output> outputs) {
  for (const Run& run : runs_) {
    const PackedLoraSite& packed = adapters_[static_cast<size_t>(run.adapter)].site(site, layer);
    if (packed.parts.empty()) {
      continue;
    }
    const int64_t ranks = packed.a.n();
    inner_.resize(static_cast<size_t>(run.count * ranks));
    const kernels::BlockProduct inner{.w = &packed.a, .y = inner_.data(), .ldy = ranks, .epilogue = {}};
    ops_.products(run.count, x + run.first * ldx, ldx, {&inner, 1});
    for (const PackedLoraSite::Part& part : packed.parts) {
      const Output& output = outputs[static_cast<size_t>(part.output)];
      float* const y = output.y + run.first * output.ldy;
      const kernels::BlockProduct outer{
          .w = &part.b, .y = y, .ldy = output.ldy, .epilogue = {.residual = y, .ld_residual = output.ldy}};
      ops_.products(run.count, inner_.data() + part.first, ranks, {&outer, 1});
    }
  }
}

}  // namespace slipway::engine
