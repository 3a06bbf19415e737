// The beam search of one request to a decoder, from the end of its prompt on: its hypotheses, their pages, the rules on
// their tokens. Internal to the scheduler, used by its thread alone (step: one thread at a time).
#pragma once

#include <span>
#include <vector>

#include "engine/beam_pages.h"
#include "engine/beam_search.h"
#include "engine/generator.h"
#include "engine/token_rules.h"

namespace slipway::engine {

// Throws Error(kInvalid) naming what does not go together in a request, or with at most `most` hypotheses at once.
void check_beams(const GenerateRequest& request, int most);

class BeamGroup {
 public:
  // `prompt_pages` hold the prompt; each hypothesis has a reference of its own to them. `max_length`: tokens of a text,
  // prompt included.
  BeamGroup(const GenerateRequest& request, const std::vector<int32_t>& end_ids, int max_length, KvPages& pages,
            std::vector<int32_t> prompt_pages);

  int width() const noexcept { return width_; }
  // The text of each hypothesis; its last token is in no page yet.
  std::span<const Hypothesis> running() const { return search_.running(); }
  const PageLists& pages() const noexcept { return lists_; }
  PageLists& pages() noexcept { return lists_; }

  // Takes the logits [rows, vocab] after each hypothesis; the first time one row, the prompt's. False: the search is
  // over. The values are overwritten.
  bool step(std::span<float> logits, int vocab);
  // Then, where it is not over: pages as the hypotheses went on.
  void follow(KvPages& pages) { lists_ = follow_moves(pages, search_.moves(), lists_); }
  std::vector<Hypothesis> best(int count) const { return search_.best(count); }

 private:
  void apply(std::span<const int32_t> text, std::span<float> logits) const;

  int width_;
  std::vector<std::pair<int32_t, double>> bias_;
  TokenRules rules_;
  BeamSearch search_;
  PageLists lists_;
  bool begun_ = false;
};

}  // namespace slipway::engine
