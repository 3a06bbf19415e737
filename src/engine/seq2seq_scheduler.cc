#include "engine/seq2seq_scheduler.h"

#include <algorithm>
#include <random>

#include "base/error.h"
#include "kernels/decoder_ops.h"

namespace slipway::engine {

Seq2SeqScheduler::Seq2SeqScheduler(Seq2SeqModel& model, const text::Tokenizer& tokenizer, const Seq2SeqLimits& limits,
                                   base::Pool& pool)
    : model_(model),
      tokenizer_(tokenizer),
      limits_(limits),
      pool_(pool),
      seeds_(std::random_device{}()),
      pages_(limits.pages, Seq2SeqModel::kPageTokens, false) {
  thread_ = std::thread([this] { loop(); });
}

Seq2SeqScheduler::~Seq2SeqScheduler() {
  book_.stop();
  thread_.join();
}

uint64_t Seq2SeqScheduler::submit(Seq2SeqRequest request) {
  std::unique_ptr<Task> task = make_task(std::move(request));
  const std::lock_guard lock(book_.mutex);
  book_.check_open(static_cast<int>(waiting_.size()), limits_.max_queue);
  task->handle = book_.next_handle++;
  task->seed = task->request.params.seed.value_or(seeds_.next());
  if (task->request.params.do_sample) {
    for (size_t i = 0; i < task->branches.size(); ++i) {
      task->branches[i].sampler.emplace(task->sampling, std::span<const int32_t>{}, std::span<const int32_t>{},
                                        task->seed + i);
    }
  }
  const uint64_t handle = task->handle;
  waiting_.push_back(std::move(task));
  return book_.accept(handle);
}

bool Seq2SeqScheduler::cancel(uint64_t handle) { return book_.cancel(handle); }

void Seq2SeqScheduler::drain(std::chrono::milliseconds limit) { book_.drain(limit); }

Seq2SeqStats Seq2SeqScheduler::stats() const {
  const std::lock_guard lock(book_.mutex);
  Seq2SeqStats stats = stats_;
  stats.waiting = static_cast<int>(waiting_.size());
  stats.running = static_cast<int>(book_.handles.size() - waiting_.size());
  return stats;
}

// Room for the task beside what runs and what is about to be encoded. A task that fits nowhere else runs alone.
bool Seq2SeqScheduler::fits(const Task& task, const std::vector<std::unique_ptr<Task>>& fresh) const {
  int hypotheses = task.hypotheses;
  int pages = reserved_ + task.pages;
  int64_t memory = memory_used_ + Seq2SeqModel::memory_bytes(model_.spec(), static_cast<int>(task.request.ids.size()));
  size_t tokens = task.request.ids.size();
  for (const auto& one : running_) {
    hypotheses += one->hypotheses;
  }
  for (const auto& one : fresh) {
    hypotheses += one->hypotheses;
    pages += one->pages;
    memory += Seq2SeqModel::memory_bytes(model_.spec(), static_cast<int>(one->request.ids.size()));
    tokens += one->request.ids.size();
  }
  if (running_.empty() && fresh.empty()) {
    return true;
  }
  return hypotheses <= limits_.max_sequences && pages <= limits_.pages && memory <= limits_.memory_bytes &&
         (fresh.empty() || tokens <= static_cast<size_t>(limits_.max_batch_tokens));
}

void Seq2SeqScheduler::admit(std::vector<std::unique_ptr<Task>>& fresh) {
  while (!waiting_.empty() && fits(*waiting_.front(), fresh)) {
    fresh.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

void Seq2SeqScheduler::encode(std::vector<std::unique_ptr<Task>>& fresh) {
  std::vector<std::span<const int32_t>> texts;
  for (const auto& task : fresh) {
    texts.emplace_back(task->request.ids);
  }
  std::exception_ptr error;
  std::vector<std::shared_ptr<const Seq2SeqMemory>> memories(texts.size());
  try {
    memories = model_.encode(texts);
  } catch (...) {
    error = std::current_exception();
  }
  for (size_t i = 0; i < fresh.size(); ++i) {
    Task& task = *fresh[i];
    task.memory = memories[i];
    task.error = error;
    task.finished = error != nullptr;
    reserved_ += task.pages;
    memory_used_ += Seq2SeqModel::memory_bytes(model_.spec(), static_cast<int>(task.request.ids.size()));
    running_.push_back(std::move(fresh[i]));
  }
  fresh.clear();
}

std::span<float> Seq2SeqScheduler::row_of(const Task& task, size_t branch) {
  const auto vocab = static_cast<size_t>(model_.spec().decoder_vocab_size);
  return std::span(logits_).subspan((task.first_row + branch) * vocab, vocab);
}

// One pass of the decoder over every hypothesis, then each request's next tokens.
void Seq2SeqScheduler::step() {
  rows_.clear();
  for (const auto& task : running_) {
    task->first_row = rows_.size();
    for (Branch& branch : task->branches) {
      if (task->finished || branch.done) {
        continue;
      }
      const auto position = static_cast<int>(branch.ids.size()) - 1;
      if (needs_page(pages_, branch.pages, position)) {
        const int32_t page = pages_.take();
        SLIPWAY_CHECK(page >= 0);  // reserved at admission
        put_page(pages_, branch.pages, position, page,
                 [this](int32_t from, int32_t to) { model_.copy_page(from, to); });
      }
      rows_.push_back({branch.ids.back(), position, branch.pages, task->memory.get()});
    }
  }
  if (rows_.empty()) {
    return;
  }
  try {
    model_.decode(rows_, logits_);
  } catch (...) {
    for (const auto& task : running_) {
      task->error = std::current_exception();
      task->finished = true;
    }
    return;
  }
  pool_.parallel_for(static_cast<int64_t>(running_.size()), [&](int64_t i) {
    Task& task = *running_[static_cast<size_t>(i)];
    try {
      if (!task.finished) {
        choose(task);
      }
    } catch (...) {
      task.error = std::current_exception();
      task.finished = true;
    }
  });
  for (const auto& task : running_) {
    if (!task->finished && task->beams != nullptr) {
      move(*task);
    }
  }
}

void Seq2SeqScheduler::choose(Task& task) {
  if (task.beams != nullptr) {
    choose_beams(task);
  } else {
    choose_alone(task);
  }
}

void Seq2SeqScheduler::choose_alone(Task& task) {
  std::vector<Candidate> scratch;
  size_t row = 0;
  bool open = false;
  for (Branch& branch : task.branches) {
    if (branch.done) {
      continue;
    }
    const std::span<float> scores = row_of(task, row++);
    apply_rules(task.rules, branch.ids, scores);
    const int32_t id = branch.sampler
                           ? branch.sampler->sample(scores, scratch).id
                           : kernels::argmax(base::select_isa(), static_cast<int>(scores.size()), scores.data());
    branch.ids.push_back(id);
    branch.done = static_cast<int>(branch.ids.size()) >= task.rules.max_length ||
                  std::find(task.rules.eos_ids.begin(), task.rules.eos_ids.end(), id) != task.rules.eos_ids.end();
    open = open || !branch.done;
  }
  task.finished = !open;
}

void Seq2SeqScheduler::choose_beams(Task& task) {
  const auto vocab = static_cast<size_t>(model_.spec().decoder_vocab_size);
  for (size_t i = 0; i < task.branches.size(); ++i) {
    const std::span<float> scores = row_of(task, i);
    kernels::log_softmax(base::select_isa(), static_cast<int>(vocab), scores.data());
    apply_rules(task.rules, task.branches[i].ids, scores);
  }
  const std::span<const float> all = std::span(logits_).subspan(task.first_row * vocab, task.branches.size() * vocab);
  task.finished = !task.beams->step(all, static_cast<int>(vocab));
}

void Seq2SeqScheduler::move(Task& task) {
  PageLists lists;
  for (Branch& branch : task.branches) {
    lists.push_back(std::move(branch.pages));
  }
  lists = follow_moves(pages_, task.beams->moves(), lists);
  task.branches = std::vector<Branch>(lists.size());
  for (size_t i = 0; i < lists.size(); ++i) {
    task.branches[i].ids = task.beams->running()[i].ids;
    task.branches[i].pages = std::move(lists[i]);
  }
}

void Seq2SeqScheduler::release(Task& task) {
  for (Branch& branch : task.branches) {
    for (const int32_t page : branch.pages) {
      pages_.give_back(page);
    }
    branch.pages.clear();
  }
  reserved_ -= task.pages;
  memory_used_ -= Seq2SeqModel::memory_bytes(model_.spec(), static_cast<int>(task.request.ids.size()));
  task.memory.reset();
}

void Seq2SeqScheduler::end(std::unique_ptr<Task> task, bool cancelled) {
  Seq2SeqResult result;
  result.cancelled = cancelled;
  result.seed = task->seed;
  result.error = task->error;
  if (!cancelled && !task->error) {
    const auto add = [&](const std::vector<int32_t>& ids, float score) {
      Seq2SeqResult::Sequence& one = result.sequences.emplace_back();
      one.ids.assign(ids.begin() + 1, ids.end());
      one.text = tokenizer_.decode(one.ids, true);
      one.score = score;
    };
    if (task->beams != nullptr) {
      for (const Hypothesis& one : task->beams->best(task->request.params.num_return_sequences)) {
        add(one.ids, one.score);
      }
    } else {
      for (const Branch& branch : task->branches) {
        add(branch.ids, 0);
      }
    }
  }
  result.total =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - task->submitted);
  {
    const std::lock_guard lock(book_.mutex);
    book_.ended(task->handle);
  }
  if (task->request.on_done) {
    task->request.on_done(result);
  }
  book_.told();
}

void Seq2SeqScheduler::loop() {
  for (;;) {
    std::vector<std::unique_ptr<Task>> fresh;
    std::vector<std::unique_ptr<Task>> dropped;  // cancelled while they waited
    std::unordered_set<uint64_t> cancelled;
    {
      std::unique_lock lock(book_.mutex);
      book_.work.wait(lock, [this] { return book_.stopping || !waiting_.empty() || !running_.empty(); });
      cancelled = book_.cancelled;
      const auto first = std::stable_partition(waiting_.begin(), waiting_.end(),
                                               [&](const auto& task) { return !cancelled.contains(task->handle); });
      std::move(first, waiting_.end(), std::back_inserter(dropped));
      waiting_.erase(first, waiting_.end());
      if (!book_.stopping) {
        admit(fresh);
      }
      if (book_.stopping && waiting_.empty() && running_.empty() && dropped.empty()) {
        return;
      }
      stats_.encoder_passes += fresh.empty() ? 0 : 1;
      for (const auto& task : fresh) {
        stats_.source_tokens += task->request.ids.size();
      }
    }
    for (auto& task : dropped) {
      end(std::move(task), true);
    }
    if (!fresh.empty()) {
      encode(fresh);
    }
    for (const auto& task : running_) {
      task->finished = task->finished || cancelled.contains(task->handle);
    }
    step();
    {
      const std::lock_guard lock(book_.mutex);
      stats_.decoder_passes += rows_.empty() ? 0 : 1;
      stats_.generated_tokens += rows_.size();
    }
    std::vector<std::unique_ptr<Task>> over;
    for (auto& task : running_) {
      if (task->finished) {
        release(*task);
        over.push_back(std::move(task));
      }
    }
    std::erase(running_, nullptr);
    for (auto& task : over) {
      const bool was_cancelled = cancelled.contains(task->handle);
      end(std::move(task), was_cancelled);
    }
  }
}

}  // namespace slipway::engine
