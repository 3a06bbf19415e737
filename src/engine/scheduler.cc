#include "engine/scheduler.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <random>

#include "base/error.h"
#include "engine/prompt_lookup.h"

namespace slipway::engine {
namespace {

// Rows of one pass whose logits a request for prompt log-probabilities may ask for: 64 rows of a vocabulary of 152k
// take 39 MB.
constexpr int kLogitRows = 64;

int pages_for(int tokens, int page_tokens) { return (tokens + page_tokens - 1) / page_tokens; }

uint64_t entropy() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

}  // namespace

Scheduler::Scheduler(DecoderPass& pass, const text::Tokenizer& tokenizer, const SchedulerLimits& limits,
                     base::Pool& pool)
    : pass_(pass),
      tokenizer_(tokenizer),
      token_text_(tokenizer),
      limits_(limits),
      pool_(pool),
      seeds_(entropy()),
      pages_(limits.kv_pages, limits.page_tokens, limits.prefix_cache),
      sizer_(limits.max_batch_tokens) {
  SLIPWAY_CHECK(limits.max_batch_tokens >= 1 && limits.max_sequences >= 1 && limits.max_queue >= 1);
  SLIPWAY_CHECK(pages_for(limits.context_length, limits.page_tokens) <= limits.kv_pages);
  stats_.kv_pages = stats_.kv_pages_free = limits.kv_pages;
  thread_ = std::thread([this] { loop(); });
}

Scheduler::~Scheduler() {
  book_.stop();
  thread_.join();
}

uint64_t Scheduler::submit(GenerateRequest request) {
  const int vocab = pass_.vocab_size();
  if (request.ids.empty()) {
    throw base::Error(base::Code::kInvalid, "the prompt is empty: give at least one token");
  }
  if (request.max_tokens < 0) {
    throw base::Error(base::Code::kInvalid, fmt::format("max_tokens is {}; it must be at least 0", request.max_tokens));
  }
  const auto tokens = static_cast<int64_t>(request.ids.size());
  if (tokens + (request.max_tokens > 0 ? 1 : 0) > limits_.context_length) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("the prompt has {} tokens; with one token of output at most {} fit", tokens,
                                  limits_.context_length));
  }
  for (const int32_t id : request.ids) {
    if (id < 0 || id >= vocab) {
      throw base::Error(base::Code::kInvalid,
                        fmt::format("the prompt has token {}; the model has tokens 0 to {}", id, vocab - 1));
    }
  }
  if (request.prompt_logprobs_from < 0 || request.prompt_logprobs_from > tokens) {
    throw base::Error(base::Code::kInvalid, fmt::format("prompt_logprobs_from is {}; the prompt has {} tokens",
                                                        request.prompt_logprobs_from, tokens));
  }
  check_sampling(request.sampling, vocab);
  check_beam_room(request);
  const int adapter = adapter_of(request);
  const std::lock_guard lock(book_.mutex);
  book_.check_open(waiting_count_, limits_.max_queue);
  const uint64_t handle = book_.next_handle++;
  const uint64_t seed = request.sampling.seed ? *request.sampling.seed : seeds_.next();
  auto item = std::make_unique<Sequence>(std::move(request), handle, seed, limits_.eos_ids, tokenizer_);
  item->adapter = adapter;
  std::deque<Item>& line = waiting_[item->request.client];
  if (line.empty()) {
    turns_.push_back(item->request.client);
  }
  line.push_back(std::move(item));
  ++waiting_count_;
  return book_.accept(handle);
}

int Scheduler::adapter_of(const GenerateRequest& request) const {
  if (request.adapter.empty()) {
    return -1;
  }
  const auto it = std::find(limits_.adapters.begin(), limits_.adapters.end(), request.adapter);
  if (it == limits_.adapters.end()) {
    throw base::Error(base::Code::kNotFound,
                      fmt::format("there is no adapter '{}'; there are {}: {}", request.adapter.substr(0, 100),
                                  limits_.adapters.size(), fmt::join(limits_.adapters, ", ")));
  }
  return static_cast<int>(it - limits_.adapters.begin());
}

bool Scheduler::cancel(uint64_t handle) { return book_.cancel(handle); }

void Scheduler::drain(std::chrono::milliseconds limit) { book_.drain(limit); }

GeneratorStats Scheduler::stats() const {
  const std::lock_guard lock(book_.mutex);
  GeneratorStats stats = stats_;
  stats.waiting = waiting_count_;
  stats.running = static_cast<int>(book_.handles.size()) - waiting_count_;
  return stats;
}

Scheduler::Item Scheduler::next_waiting() {
  const std::string client = std::move(turns_.front());
  turns_.pop_front();
  const auto line = waiting_.find(client);
  Item item = std::move(line->second.front());
  line->second.pop_front();
  --waiting_count_;
  if (line->second.empty()) {
    waiting_.erase(line);
  } else {
    turns_.push_back(client);
  }
  return item;
}

void Scheduler::admit(std::vector<Item>& over) {
  // Requests cancelled while they wait must not wait for room first.
  if (!book_.cancelled.empty()) {
    for (auto line = waiting_.begin(); line != waiting_.end();) {
      std::deque<Item>& items = line->second;
      for (auto it = items.begin(); it != items.end();) {
        if (book_.cancelled.contains((*it)->handle)) {
          over.push_back(std::move(*it));
          it = items.erase(it);
          --waiting_count_;
        } else {
          ++it;
        }
      }
      if (items.empty()) {
        turns_.erase(std::find(turns_.begin(), turns_.end(), line->first));
        line = waiting_.erase(line);
      } else {
        ++line;
      }
    }
  }
  while (waiting_count_ > 0 && preempted_.empty()) {
    // Room for the whole prompt, beyond what those still reading theirs will take: else they would push each other out.
    const Item& first = waiting_.at(turns_.front()).front();
    int promised = pages_to_come(*first);
    for (const Item& item : running_) {
      promised += pages_to_come(*item);
    }
    if (!running_.empty() &&
        (running_width() + first->width() > limits_.max_sequences || promised > pages_.available())) {
      break;
    }
    running_.push_back(next_waiting());
  }
}

void Scheduler::loop() {
  std::vector<Part> parts;
  for (;;) {
    std::vector<Item> over;
    std::unordered_set<uint64_t> cancelled;
    {
      std::unique_lock lock(book_.mutex);
      book_.work.wait(lock, [this] {
        return book_.stopping || waiting_count_ > 0 || !book_.cancelled.empty() || !running_.empty() ||
               !preempted_.empty();
      });
      admit(over);
      cancelled.swap(book_.cancelled);
      if (book_.stopping && book_.handles.empty() && over.empty()) {
        return;
      }
    }
    for (Item& item : over) {
      end(std::move(item), FinishReason::kCancelled);
    }
    if (!cancelled.empty()) {
      finish_cancelled(cancelled);
    }
    while (!preempted_.empty() &&
           (running_.empty() || (running_width() + preempted_.front()->width() <= limits_.max_sequences &&
                                 pages_to_come(*preempted_.front()) <= pages_.available()))) {
      running_.push_back(std::move(preempted_.front()));
      preempted_.pop_front();
    }
    plan(parts);
    // Rows of one adapter beside each other: its products are then one of each kind.
    std::stable_sort(parts.begin(), parts.end(),
                     [](const Part& a, const Part& b) { return a.sequence->adapter < b.sequence->adapter; });
    if (!parts.empty()) {
      compute(parts);
    }
    remove_ended();
    const std::lock_guard lock(book_.mutex);
    publish_stats();
  }
}

void Scheduler::publish_stats() {
  stats_ = counts_;
  stats_.kv_pages = pages_.count();
  stats_.kv_pages_free = pages_.free();
  stats_.kv_pages_cached = pages_.cached();
}

void Scheduler::finish_cancelled(const std::unordered_set<uint64_t>& handles) {
  const auto take = [&](auto& items) {
    for (auto it = items.begin(); it != items.end();) {
      if (handles.contains((*it)->handle)) {
        Item item = std::move(*it);
        it = items.erase(it);
        end(std::move(item), FinishReason::kCancelled);
      } else {
        ++it;
      }
    }
  };
  take(running_);
  take(preempted_);
}

void Scheduler::release_pages(Sequence& sequence) {
  for (size_t i = sequence.pages.size(); i > 0; --i) {
    pages_.give_back(sequence.pages[i - 1]);
  }
  sequence.pages.clear();
  if (sequence.beams) {
    give_back_all(pages_, sequence.beams->pages());
  }
  sequence.sealed = 0;
  sequence.done = 0;
}

void Scheduler::preempt(Sequence& sequence) {
  const auto it =
      std::find_if(running_.begin(), running_.end(), [&](const Item& item) { return item.get() == &sequence; });
  release_pages(sequence);
  if (sequence.beams) {  // its search begins anew
    sequence.beams.reset();
    sequence.ids.resize(static_cast<size_t>(sequence.prompt_tokens));
  }
  sequence.draft.clear();
  sequence.preempted = true;
  ++counts_.preemptions;
  sequence.result.prompt_logprobs.clear();  // its prompt is computed again
  preempted_.push_front(std::move(*it));
  running_.erase(it);
}

// A page for a sequence, taken from those admitted last if need be; -1 when the sequence itself had to go.
int32_t Scheduler::take_page(Sequence& sequence, std::vector<Part>& parts) {
  for (;;) {
    const int32_t page = pages_.take();
    if (page >= 0) {
      return page;
    }
    Sequence& last = *running_.back();
    std::erase_if(parts, [&](const Part& part) { return part.sequence == &last; });
    preempt(last);
    if (&last == &sequence) {
      return -1;
    }
  }
}

// Pages for the next `tokens` of a sequence. False when the sequence itself had to go.
bool Scheduler::make_room(Sequence& sequence, int tokens, std::vector<Part>& parts) {
  const auto needed = static_cast<size_t>(pages_for(sequence.done + tokens, limits_.page_tokens));
  while (sequence.pages.size() < needed) {
    const int32_t page = take_page(sequence, parts);
    if (page < 0) {
      return false;
    }
    sequence.pages.push_back(page);
  }
  return true;
}

bool Scheduler::add_part(Sequence& sequence, int tokens, std::vector<Part>& parts) {
  int logits = sequence.done + tokens == sequence.size() && sequence.request.max_tokens > 0 ? 1 : 0;
  const int from = sequence.request.prompt_logprobs_from;
  if (from > 0 && sequence.done < sequence.prompt_tokens - 1) {
    // Rows from - 1 ... prompt_tokens - 2 tell of the tokens after them.
    tokens = std::min(tokens, std::max(from - 1 - sequence.done, 0) + kLogitRows);
    const bool whole = sequence.done + tokens == sequence.size();
    logits = std::min(tokens, std::max(sequence.done + tokens - (from - 1), whole ? 1 : 0));
  }
  if (!make_room(sequence, tokens, parts)) {
    return false;
  }
  parts.push_back({&sequence, tokens, logits});
  return true;
}

// Pages that other sequences have computed meanwhile.
void Scheduler::reuse_prefix(Sequence& sequence) {
  if (sequence.done % limits_.page_tokens != 0 ||
      static_cast<int>(sequence.pages.size()) * limits_.page_tokens != sequence.done) {
    return;
  }
  // The last token's row must be computed: its logits are wanted.
  int limit = sequence.size() - 1;
  if (sequence.request.prompt_logprobs_from > 0) {
    limit = std::min(limit, sequence.request.prompt_logprobs_from - 1);
  }
  if (limit <= sequence.done) {
    return;
  }
  const std::span<const int32_t> rest =
      std::span(sequence.ids).subspan(static_cast<size_t>(sequence.done), static_cast<size_t>(limit - sequence.done));
  const std::vector<int32_t> found =
      pages_.find(rest, sequence.pages.empty() ? -1 : sequence.pages.back(), sequence.adapter + 1);
  const int tokens = static_cast<int>(found.size()) * limits_.page_tokens;
  sequence.pages.insert(sequence.pages.end(), found.begin(), found.end());
  sequence.sealed += static_cast<int>(found.size());
  sequence.done += tokens;
  if (!sequence.preempted) {
    sequence.result.usage.cached_tokens += tokens;
    counts_.cached_tokens += static_cast<uint64_t>(tokens);
  }
}

void Scheduler::plan(std::vector<Part>& parts) {
  parts.clear();
  std::vector<Sequence*> streams;
  std::vector<Sequence*> prompts;
  for (const Item& item : running_) {
    (item->streaming() ? streams : prompts).push_back(item.get());
  }
  const auto still_runs = [this](const Sequence* sequence) {
    return std::any_of(running_.begin(), running_.end(), [&](const Item& item) { return item.get() == sequence; });
  };
  int rows = 0;
  for (Sequence* sequence : streams) {
    const int width = sequence->width();
    if (rows + width <= limits_.max_batch_tokens && still_runs(sequence) &&
        (sequence->beams ? add_beam_part(*sequence, parts) : add_part(*sequence, 1, parts))) {
      rows += width;
    }
  }
  if (limits_.speculate > 0) {
    rows = add_guesses(parts, rows);
  }
  int left = sizer_.budget(rows);
  for (Sequence* sequence : prompts) {
    if (left <= 0) {
      break;
    }
    if (!still_runs(sequence)) {
      continue;
    }
    reuse_prefix(*sequence);
    const size_t before = parts.size();
    if (add_part(*sequence, std::min(left, sequence->pending()), parts) && parts.size() > before) {
      left -= parts.back().tokens;
    }
  }
}

void Scheduler::guess(Sequence& sequence) {
  sequence.draft.clear();
  if (sequence.beams) {
    return;
  }
  const int most =
      std::min({sequence.draft_length, limits_.speculate, sequence.request.max_tokens - sequence.generated() - 1,
                limits_.context_length - sequence.size() - 1});
  if (most <= 0) {
    return;
  }
  std::span<const int32_t> guesses = look_up(sequence.ids, static_cast<size_t>(most));
  if (sequence.constrained) {  // only what the constraint allows can hold
    text::ConstrainedText probe = *sequence.constrained;
    const auto broken = std::find_if_not(guesses.begin(), guesses.end(), [&](int32_t id) { return probe.accept(id); });
    guesses = guesses.first(static_cast<size_t>(broken - guesses.begin()));
  }
  if (!guesses.empty()) {
    sequence.draft.push_back(sequence.ids.back());
    sequence.draft.insert(sequence.draft.end(), guesses.begin(), guesses.end());
  }
}

// Guesses for the streams of `parts` take only what is left over: rows, and pages that hold nothing. Returns the rows.
int Scheduler::add_guesses(std::vector<Part>& parts, int rows) {
  for (Part& part : parts) {
    Sequence& sequence = *part.sequence;
    guess(sequence);
    const int extra = static_cast<int>(sequence.draft.size()) - 1;
    if (extra <= 0) {
      continue;
    }
    const int held = static_cast<int>(sequence.pages.size());
    const int pages = std::max(0, pages_for(sequence.done + 1 + extra, limits_.page_tokens) - held);
    if (rows + extra > limits_.max_batch_tokens || pages > pages_.free()) {
      sequence.draft.clear();
      continue;
    }
    for (int i = 0; i < pages; ++i) {
      sequence.pages.push_back(pages_.take());
    }
    part.tokens = part.logits = 1 + extra;
    rows += extra;
    counts_.guessed_tokens += static_cast<uint64_t>(extra);
  }
  return rows;
}

// The tokens after the first row's: each guess that holds gives the next row's token too. What was computed for the
// guesses that did not hold is written over later.
void Scheduler::take_guesses(Sequence& sequence, std::span<float> logits) {
  const auto vocab = static_cast<size_t>(pass_.vocab_size());
  const std::vector<int32_t> draft = std::exchange(sequence.draft, {});
  size_t held = 0;
  while (held + 1 < draft.size() && !sequence.ended && sequence.ids.back() == draft[held + 1]) {
    ++held;
    ++sequence.done;
    seal_pages(sequence);
    const Sampled sampled = sequence.sample(logits.subspan(held * vocab, vocab), scratch_[0]);
    sequence.accept(sampled, token_text_, limits_.context_length);
    ++counts_.generated_tokens;
  }
  counts_.accepted_tokens += held;
  const auto held_now = static_cast<int>(held);
  sequence.draft_length =
      held + 1 == draft.size() ? std::min(limits_.speculate, 2 * sequence.draft_length) : std::max(1, held_now + 1);
}

void Scheduler::compute(const std::vector<Part>& parts) {
  std::vector<PassRows> rows;
  int decode_rows = 0;
  int prompt_rows = 0;
  const auto now = std::chrono::steady_clock::now();
  for (const Part& part : parts) {
    Sequence& sequence = *part.sequence;
    if (!sequence.begun) {
      sequence.begun = true;
      sequence.result.queued = std::chrono::duration_cast<std::chrono::microseconds>(now - sequence.submitted);
    }
    if (sequence.beams) {
      add_beam_rows(sequence, rows);
      decode_rows += sequence.width();
      continue;
    }
    std::span<const int32_t> next = sequence.draft;
    if (next.empty()) {
      next = std::span(sequence.ids).subspan(static_cast<size_t>(sequence.done), static_cast<size_t>(part.tokens));
    }
    rows.push_back({next, sequence.done, sequence.pages, part.tokens - part.logits, sequence.adapter});
    (sequence.streaming() ? decode_rows : prompt_rows) += part.tokens;
  }
  try {
    pass_.forward(rows, logits_);
  } catch (...) {
    for (const Part& part : parts) {
      part.sequence->ended = FinishReason::kError;
      part.sequence->result.error = std::current_exception();
    }
    return;
  }
  sizer_.record(decode_rows, prompt_rows,
                std::chrono::duration<double>(std::chrono::steady_clock::now() - now).count());
  ++counts_.steps;
  counts_.prompt_tokens += static_cast<uint64_t>(prompt_rows);
  sample(parts);
}

// log softmax of the rows at the tokens that follow them.
void Scheduler::take_prompt_logprobs(Sequence& sequence, int tokens, std::span<float> logits) {
  const auto vocab = static_cast<size_t>(pass_.vocab_size());
  const size_t rows = logits.size() / vocab;
  const size_t first = static_cast<size_t>(sequence.done + tokens) - rows;  // position of the first row
  for (size_t r = 0; r < rows && first + r + 1 < static_cast<size_t>(sequence.prompt_tokens); ++r) {
    if (first + r + 1 < static_cast<size_t>(sequence.request.prompt_logprobs_from)) {
      continue;
    }
    sequence.result.prompt_logprobs.push_back(
        log_probability(logits.subspan(r * vocab, vocab), sequence.ids[first + r + 1]));
  }
}

void Scheduler::seal_pages(Sequence& sequence) {
  if (sequence.beams) {
    return;
  }
  const int full = sequence.done / limits_.page_tokens;
  while (sequence.sealed < full) {
    const auto i = static_cast<size_t>(sequence.sealed);
    const auto size = static_cast<size_t>(limits_.page_tokens);
    sequence.pages[i] = pages_.seal(sequence.pages[i], i == 0 ? -1 : sequence.pages[i - 1],
                                    std::span(sequence.ids).subspan(i * size, size), sequence.adapter + 1);
    ++sequence.sealed;
  }
}

void Scheduler::sample(const std::vector<Part>& parts) {
  struct Draw {
    Sequence* sequence;
    std::span<float> logits;
    Sampled sampled;
    bool goes_on;  // of a beam search
    std::exception_ptr error;
  };
  std::vector<Draw> draws;
  const auto vocab = static_cast<size_t>(pass_.vocab_size());
  size_t at = 0;
  for (const Part& part : parts) {
    Sequence& sequence = *part.sequence;
    const std::span<float> wanted = std::span(logits_).subspan(at, static_cast<size_t>(part.logits) * vocab);
    at += wanted.size();
    if (sequence.request.prompt_logprobs_from > 0 && sequence.done < sequence.prompt_tokens && part.logits > 0) {
      take_prompt_logprobs(sequence, part.tokens, wanted);
    }
    sequence.done += sequence.draft.empty() ? part.tokens : 1;
    seal_pages(sequence);
    if (sequence.pending() > 0) {
      continue;
    }
    if (sequence.generated() >= sequence.request.max_tokens) {
      sequence.ended = FinishReason::kLength;
    } else {
      const bool one = sequence.draft.empty() && !sequence.beams;
      draws.push_back({&sequence, one ? wanted.last(vocab) : wanted, {}, false, nullptr});
      if (sequence.width() > 1 && !sequence.beams) {
        start_beams(sequence);
      }
    }
  }
  scratch_.resize(std::max(scratch_.size(), draws.size()));
  const auto draw = [&](int64_t i) {
    Draw& d = draws[static_cast<size_t>(i)];
    try {
      if (d.sequence->beams) {
        d.goes_on = d.sequence->beams->step(d.logits, pass_.vocab_size());
      } else {
        d.sampled = d.sequence->sample(d.logits.first(vocab), scratch_[static_cast<size_t>(i)]);
      }
    } catch (...) {
      d.error = std::current_exception();
    }
  };
  if (draws.size() == 1) {
    draw(0);
  } else {
    pool_.parallel_for(static_cast<int64_t>(draws.size()), draw);
  }
  for (Draw& d : draws) {
    if (d.error) {
      d.sequence->ended = FinishReason::kError;
      d.sequence->result.error = d.error;
    } else {
      try {
        if (d.sequence->beams) {
          take_beam_step(*d.sequence, d.goes_on);
          continue;
        }
        d.sequence->accept(d.sampled, token_text_, limits_.context_length);
        ++counts_.generated_tokens;
        take_guesses(*d.sequence, d.logits);
      } catch (...) {
        d.sequence->ended = FinishReason::kError;
        d.sequence->result.error = std::current_exception();
      }
    }
  }
}

void Scheduler::remove_ended() {
  for (auto it = running_.begin(); it != running_.end();) {
    if ((*it)->ended) {
      Item item = std::move(*it);
      it = running_.erase(it);
      const FinishReason reason = *item->ended;
      end(std::move(item), reason);
    } else {
      ++it;
    }
  }
}

void Scheduler::end(Item item, FinishReason reason) {
  release_pages(*item);
  {
    const std::lock_guard lock(book_.mutex);
    book_.ended(item->handle);
    publish_stats();
  }
  item->finish(reason);
  book_.told();
}

}  // namespace slipway::engine
