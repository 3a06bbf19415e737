#include "engine/batcher.h"

#include <condition_variable>
#include <deque>
#include <fmt/format.h>
#include <mutex>
#include <thread>
#include <utility>

#include "base/error.h"

namespace slipway::engine {
namespace {

using Time = std::chrono::steady_clock::time_point;

std::chrono::microseconds since(Time begin, Time end) {
  return std::chrono::duration_cast<std::chrono::microseconds>(end - begin);
}

struct Request {
  Input input;
  Batcher::Done done;
  Time submitted;
};

// A callback that throws breaks its contract; what it throws must not end the thread that all requests share.
void call(const Batcher::Done& done, BatchResult result) noexcept {
  try {
    done(std::move(result));
  } catch (...) {  // NOLINT(bugprone-empty-catch)
  }
}

}  // namespace

void BatcherOptions::describe(base::FieldTable& table) {
  table.add("max_batch_tokens", max_batch_tokens, "tokens of a batch", {1, 1 << 20});
  table.add("max_queue", max_queue, "texts waiting; more are refused", {1, 1 << 20});
}

struct Batcher::Impl {
  Impl(std::shared_ptr<Engine> e, const BatcherOptions& o) : engine(std::move(e)), options(o) {
    thread = std::thread([this] { schedule(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    work.notify_all();
    room.notify_all();
    thread.join();
  }

  // False when the queue is full; with `wait`, waits until it is not.
  bool push(Request request, bool wait) {
    std::unique_lock lock(mutex);
    const auto has_room = [this] { return queue.size() < static_cast<size_t>(options.max_queue) || stopping; };
    if (wait) {
      room.wait(lock, has_room);
    }
    if (stopping) {
      throw base::Error(base::Code::kUnavailable, "the batcher is stopping and takes no more texts");
    }
    if (!has_room()) {
      return false;
    }
    queue.push_back(std::move(request));
    lock.unlock();
    work.notify_one();
    return true;
  }

  // The oldest texts that fit a batch; empty when there is nothing left to do. Waits for work. Who wants no answer any
  // more is told so instead.
  std::vector<Request> next_batch() {
    std::vector<Request> batch;
    std::vector<Request> unwanted;
    do {
      take_batch(batch, unwanted);
      for (Request& request : unwanted) {
        BatchResult result;
        result.error = std::make_exception_ptr(base::Error(base::Code::kUnavailable, "the text is no longer wanted"));
        call(request.done, std::move(result));
      }
    } while (batch.empty() && !std::exchange(unwanted, {}).empty());
    return batch;
  }

  void take_batch(std::vector<Request>& batch, std::vector<Request>& unwanted) {
    std::unique_lock lock(mutex);
    work.wait(lock, [this] { return !queue.empty() || stopping; });
    int64_t tokens = 0;
    while (!queue.empty()) {
      if (const auto& wanted = queue.front().input.wanted; wanted && !wanted()) {
        unwanted.push_back(std::move(queue.front()));
        queue.pop_front();
        continue;
      }
      tokens += static_cast<int64_t>(queue.front().input.ids.size());
      if (!batch.empty() && tokens > options.max_batch_tokens) {
        break;
      }
      batch.push_back(std::move(queue.front()));
      queue.pop_front();
    }
    lock.unlock();
    room.notify_all();
  }

  void schedule() {
    for (;;) {
      std::vector<Request> batch = next_batch();  // its own scope: what its callbacks hold goes before the next wait
      if (batch.empty()) {
        return;
      }
      compute(batch);
    }
  }

  void compute(std::vector<Request>& batch) {
    const Time begin = std::chrono::steady_clock::now();
    std::vector<Input> inputs;
    inputs.reserve(batch.size());
    for (Request& request : batch) {
      request.input.wanted = {};
      inputs.push_back(std::move(request.input));
    }
    Output out;
    std::exception_ptr error;
    try {
      out = engine->forward(inputs);
    } catch (...) {
      error = std::current_exception();
    }
    const Time end = std::chrono::steady_clock::now();
    for (size_t i = 0; i < batch.size(); ++i) {
      BatchResult result;
      result.tokens = static_cast<int>(inputs[i].ids.size());
      result.queued = since(batch[i].submitted, begin);
      result.computed = since(begin, end);
      result.error = error;
      if (!error) {
        const auto logits = out.logits.row(static_cast<int>(i));
        const auto embedding = out.embeddings.row(static_cast<int>(i));
        result.logits.assign(logits.begin(), logits.end());
        result.embedding.assign(embedding.begin(), embedding.end());
        if (!out.token_logits.empty()) {
          result.token_logits = std::move(out.token_logits[i]);
          result.hidden = std::move(out.hidden[i]);
        }
      }
      call(batch[i].done, std::move(result));
    }
  }

  std::shared_ptr<Engine> engine;
  BatcherOptions options;
  mutable std::mutex mutex;  // guards queue and stopping
  std::condition_variable work;
  std::condition_variable room;
  std::deque<Request> queue;
  bool stopping = false;
  std::thread thread;
};

Batcher::Batcher(std::shared_ptr<Engine> engine, const BatcherOptions& options) {
  if (options.max_batch_tokens < 1 || options.max_queue < 1) {
    throw base::Error(base::Code::kInvalid,
                      fmt::format("max_batch_tokens is {} and max_queue {}; both must be at least 1",
                                  options.max_batch_tokens, options.max_queue));
  }
  impl_ = std::make_unique<Impl>(std::move(engine), options);
}

Batcher::~Batcher() = default;

void Batcher::submit(Input input, Done done) {
  impl_->engine->check(input);
  if (!impl_->push({std::move(input), std::move(done), std::chrono::steady_clock::now()}, false)) {
    throw base::Error(base::Code::kUnavailable,
                      fmt::format("{} texts are waiting already; try again later", impl_->options.max_queue));
  }
}

std::vector<BatchResult> Batcher::run(std::vector<std::vector<int32_t>> token_ids) {
  std::vector<Input> inputs;
  inputs.reserve(token_ids.size());
  for (std::vector<int32_t>& ids : token_ids) {
    inputs.push_back({.ids = std::move(ids)});
    impl_->engine->check(inputs.back());
  }
  std::vector<BatchResult> results(token_ids.size());
  std::mutex mutex;
  std::condition_variable all_done;
  size_t left = token_ids.size();  // guarded by mutex
  const auto wait_for = [&](size_t goal) {
    std::unique_lock lock(mutex);
    all_done.wait(lock, [&] { return left <= goal; });
  };
  for (size_t i = 0; i < token_ids.size(); ++i) {
    const auto done = [&, i](BatchResult result) {
      const std::lock_guard lock(mutex);
      results[i] = std::move(result);
      if (--left == 0) {
        all_done.notify_one();  // under the lock: the waiter owns these variables and leaves as soon as it may
      }
    };
    try {
      impl_->push({std::move(inputs[i]), done, std::chrono::steady_clock::now()}, true);
    } catch (...) {
      {
        const std::lock_guard lock(mutex);
        left -= token_ids.size() - i;  // those never submitted
      }
      wait_for(0);
      throw;
    }
  }
  wait_for(0);
  return results;
}

int Batcher::queued() const {
  const std::lock_guard lock(impl_->mutex);
  return static_cast<int>(impl_->queue.size());
}

Engine& Batcher::engine() { return *impl_->engine; }

}  // namespace slipway::engine
