#include "engine/beam_search.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace slipway::engine {
namespace {

// transformers' "as good as never": what hypotheses that do not count are lowered by.
constexpr float kLow = -1e9F;

}  // namespace

BeamSearch::BeamSearch(BeamOptions options, std::span<const int32_t> prompt)
    : options_(std::move(options)), prompt_(static_cast<int>(prompt.size())) {
  SLIPWAY_CHECK(options_.num_beams >= 1 && prompt_ >= 1 && prompt_ < options_.max_length);
  const auto beams = static_cast<size_t>(options_.num_beams);
  Hypothesis start{{prompt.begin(), prompt.end()}, kLow};
  running_.assign(beams, start);
  ended_.assign(beams, start);
  running_.front().score = 0;
  is_ended_.assign(beams, false);
}

// The (ends + 1) * num_beams best continuations of all running hypotheses: enough that num_beams go on whatever ends.
void BeamSearch::take_candidates(std::span<const float> log_probs, int vocab) {
  const size_t wanted = std::max<size_t>(2, 1 + options_.eos_ids.size()) * static_cast<size_t>(options_.num_beams);
  // Among equal scores the first by hypothesis and token.
  const auto before = [](const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score > b.score : a.parent != b.parent ? a.parent < b.parent : a.id < b.id;
  };
  candidates_.clear();
  for (int beam = 0; beam < options_.num_beams; ++beam) {
    const float base = running_[static_cast<size_t>(beam)].score;
    const float* row = log_probs.data() + static_cast<int64_t>(beam) * vocab;
    for (int id = 0; id < vocab; ++id) {
      const float score = row[id] + base;
      if (candidates_.size() < wanted) {
        candidates_.push_back({score, beam, id, false});
        std::push_heap(candidates_.begin(), candidates_.end(), before);
      } else if (score > candidates_.front().score) {  // an equal one comes later
        std::pop_heap(candidates_.begin(), candidates_.end(), before);
        candidates_.back() = {score, beam, id, false};
        std::push_heap(candidates_.begin(), candidates_.end(), before);
      }
    }
  }
  std::sort_heap(candidates_.begin(), candidates_.end(), before);
  const bool full = static_cast<int>(running_.front().ids.size()) + 1 >= options_.max_length;
  for (Candidate& one : candidates_) {
    one.ends = full || std::find(options_.eos_ids.begin(), options_.eos_ids.end(), one.id) != options_.eos_ids.end();
  }
}

void BeamSearch::keep_running() {
  std::vector<Candidate> open = candidates_;
  for (Candidate& one : open) {
    one.score += one.ends ? kLow : 0.0F;
  }
  std::stable_sort(open.begin(), open.end(), [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  open.resize(std::min(open.size(), static_cast<size_t>(options_.num_beams)));
  moves_.clear();
  std::vector<Hypothesis> next;
  for (const Candidate& one : open) {
    moves_.push_back({one.parent, one.id});
    Hypothesis& grown = next.emplace_back(running_[static_cast<size_t>(one.parent)]);
    grown.ids.push_back(one.id);
    grown.score = one.score;
  }
  running_ = std::move(next);
}

// Of the candidates, those among the best num_beams that end compete with what has ended before. Called with running_
// as it was before the step.
void BeamSearch::keep_ended() {
  const auto beams = static_cast<size_t>(options_.num_beams);
  const auto length = static_cast<double>(static_cast<int>(running_.front().ids.size()) + 1 - prompt_);
  const auto divisor = static_cast<float>(std::pow(length, options_.length_penalty));
  const bool full = options_.early_stopping == EarlyStopping::kEnough &&
                    std::all_of(is_ended_.begin(), is_ended_.end(), [](bool one) { return one; });
  struct Entry {
    float score;
    int ended;  // index in ended_, or -1
    const Candidate* candidate;
    bool is_ended;
  };
  std::vector<Entry> merged;
  for (size_t i = 0; i < beams; ++i) {
    merged.push_back({ended_[i].score, static_cast<int>(i), nullptr, is_ended_[i]});
  }
  for (size_t i = 0; i < candidates_.size(); ++i) {
    const Candidate& one = candidates_[i];
    const bool just_ended = one.ends && i < beams;
    float score = one.score / divisor;
    score += full ? kLow : 0.0F;
    score += improvable_ ? 0.0F : kLow;
    score += just_ended ? 0.0F : kLow;
    merged.push_back({score, -1, &one, just_ended});
  }
  std::stable_sort(merged.begin(), merged.end(), [](const Entry& a, const Entry& b) { return a.score > b.score; });
  std::vector<Hypothesis> next;
  for (size_t i = 0; i < beams; ++i) {
    const Entry& entry = merged[i];
    if (entry.ended >= 0) {
      next.push_back(ended_[static_cast<size_t>(entry.ended)]);
    } else {
      next.push_back(running_[static_cast<size_t>(entry.candidate->parent)]);
      next.back().ids.push_back(entry.candidate->id);
    }
    next.back().score = entry.score;
    is_ended_[i] = entry.is_ended;
  }
  ended_ = std::move(next);
}

// Whether the best running hypothesis may still become better than the worst ended one.
bool BeamSearch::can_improve() const {
  const bool longest = options_.early_stopping == EarlyStopping::kNever && options_.length_penalty > 0;
  const int length = (longest ? options_.max_length : static_cast<int>(running_.front().ids.size())) - prompt_;
  const float best = running_.front().score / static_cast<float>(std::pow(length, options_.length_penalty));
  float worst = ended_.front().score;
  for (const Hypothesis& one : ended_) {
    worst = std::min(worst, one.score);
  }
  return std::any_of(is_ended_.begin(), is_ended_.end(), [&](bool ended) { return best > (ended ? worst : kLow); });
}

bool BeamSearch::step(std::span<const float> log_probs, int vocab) {
  SLIPWAY_CHECK(log_probs.size() == running_.size() * static_cast<size_t>(vocab) && vocab >= 2);
  take_candidates(log_probs, vocab);
  keep_ended();
  keep_running();
  improvable_ = improvable_ && can_improve();
  const bool all_ended = std::all_of(is_ended_.begin(), is_ended_.end(), [](bool one) { return one; });
  const bool enough = options_.early_stopping == EarlyStopping::kEnough && all_ended;
  const bool open = std::any_of(candidates_.begin(), candidates_.end(), [](const Candidate& one) { return !one.ends; });
  return improvable_ && !enough && open;
}

std::vector<Hypothesis> BeamSearch::best(int count) const {
  return {ended_.begin(), ended_.begin() + std::min<std::ptrdiff_t>(count, std::ssize(ended_))};
}

}  // namespace slipway::engine
