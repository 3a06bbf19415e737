#include "cli/observe.h"

#include <algorithm>

#include "model/predictor.h"

namespace slipway::cli {

std::vector<monitor::Observation> observe(engine::Engine& engine, const std::vector<std::string>& texts, base::Context& context) {
  constexpr size_t kChunk = 256;
  std::vector<monitor::Observation> observations;
  observations.reserve(texts.size());
  context.progress.start("observe", static_cast<int64_t>(texts.size()), "texts");
  for (size_t begin = 0; begin < texts.size(); begin += kChunk) {
    base::check_stop(context, "reading the texts");
    const size_t end = std::min(begin + kChunk, texts.size());
    std::vector<std::vector<int32_t>> ids;
    for (size_t i = begin; i < end; ++i) {
      ids.push_back(engine.encode(texts[i]));
    }
    engine::Output output = engine.forward(ids);
    model::class_probabilities(output.logits);
    for (size_t i = begin; i < end; ++i) {
      const int row = static_cast<int>(i - begin);
      monitor::Observation one;
      one.text = texts[i];
      one.tokens = static_cast<int>(ids[i - begin].size());
      const auto scores = output.logits.row(row);
      one.scores.assign(scores.begin(), scores.end());
      const auto embedding = output.embeddings.row(row);
      one.embedding.assign(embedding.begin(), embedding.end());
      observations.push_back(std::move(one));
    }
    context.progress.update(static_cast<int64_t>(end), "");
  }
  context.progress.finish("");
  return observations;
}

}  // namespace slipway::cli
