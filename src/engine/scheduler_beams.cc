// Beam search in the scheduler: a request's prompt is computed as any other; from its end on it has one row for each of
// its hypotheses in every pass. When its pages are needed elsewhere the search begins anew: it has told nobody anything.
#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "base/error.h"
#include "engine/scheduler.h"

namespace slipway::engine {

// Pages that a request's hypotheses have at most: full pages of the prompt once, all others for each.
int Scheduler::beam_pages(const GenerateRequest& request) const {
  const auto prompt = static_cast<int>(request.ids.size());
  const int longest = std::min(limits_.context_length - prompt, request.max_tokens) + prompt;
  const int shared = prompt / limits_.page_tokens;
  const int all = (longest + limits_.page_tokens - 1) / limits_.page_tokens;
  return shared + request.beams.num_beams * (all - shared);
}

void Scheduler::check_beam_room(const GenerateRequest& request) const {
  check_beams(request, std::min(limits_.max_sequences, limits_.max_batch_tokens));
  if (request.beams.num_beams > 1 && beam_pages(request) > limits_.kv_pages) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("{} hypotheses of {} tokens need {} pages of the KV cache, which has {}; ask for fewer "
                                  "tokens or make kv_cache_mb larger",
                                  request.beams.num_beams, request.max_tokens, beam_pages(request), limits_.kv_pages));
  }
}

int Scheduler::running_width() const {
  int width = 0;
  for (const Item& item : running_) {
    width += item->width();
  }
  return width;
}

// Pages that a sequence will take beyond those it has: for its text and one token more, or for all its hypotheses.
int Scheduler::pages_to_come(const Sequence& sequence) const {
  if (sequence.width() == 1) {
    const int needed = (sequence.size() + limits_.page_tokens) / limits_.page_tokens;
    return std::max(0, needed - static_cast<int>(sequence.pages.size()));
  }
  std::set<int32_t> held(sequence.pages.begin(), sequence.pages.end());
  if (sequence.beams) {
    for (const std::vector<int32_t>& list : sequence.beams->pages()) {
      held.insert(list.begin(), list.end());
    }
  }
  return std::max(0, beam_pages(sequence.request) - static_cast<int>(held.size()));
}

void Scheduler::start_beams(Sequence& sequence) {
  sequence.beams = std::make_unique<BeamGroup>(
      sequence.request, sequence.end_ids,
      std::min(limits_.context_length, sequence.prompt_tokens + sequence.request.max_tokens), pages_,
      std::exchange(sequence.pages, {}));
}

// A row for each hypothesis, with a page of its own to write into.
bool Scheduler::add_beam_part(Sequence& sequence, std::vector<Part>& parts) {
  for (std::vector<int32_t>& list : sequence.beams->pages()) {
    if (!needs_page(pages_, list, sequence.done)) {
      continue;
    }
    const int32_t page = take_page(sequence, parts);
    if (page < 0) {
      return false;
    }
    put_page(pages_, list, sequence.done, page, [this](int32_t from, int32_t to) { pass_.copy_page(from, to); });
  }
  parts.push_back({&sequence, 1, sequence.beams->width()});
  return true;
}

void Scheduler::add_beam_rows(const Sequence& sequence, std::vector<PassRows>& rows) {
  const std::span<const Hypothesis> running = sequence.beams->running();
  for (size_t i = 0; i < running.size(); ++i) {
    rows.push_back(
        {std::span(running[i].ids).last(1), sequence.done, sequence.beams->pages()[i], 0, sequence.adapter});
  }
}

void Scheduler::take_beam_step(Sequence& sequence, bool goes_on) {
  counts_.generated_tokens += static_cast<uint64_t>(sequence.beams->width());
  if (goes_on) {
    sequence.beams->follow(pages_);
    sequence.ids = sequence.beams->running().front().ids;  // how long they all are
  } else {
    sequence.take_beams(tokenizer_);
  }
}

}  // namespace slipway::engine
