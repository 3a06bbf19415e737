// The thread behind a Seq2Seq: queue, encoded texts, hypotheses and their pages are its own; others talk to it through
// submit() and cancel(). Internal to the room; seq2seq.h is the interface.
#pragma once

#include <deque>
#include <list>
#include <thread>
#include <unordered_set>

#include "base/random.h"
#include "engine/beam_pages.h"
#include "engine/kv_pages.h"
#include "engine/request_book.h"
#include "engine/sampler.h"
#include "engine/seq2seq.h"
#include "engine/seq2seq_model.h"

namespace slipway::engine {

struct Seq2SeqLimits {
  int max_batch_tokens = 4096;
  int max_sequences = 64;  // hypotheses at once, and of one request
  int max_queue = 256;
  int context_length = 512;
  int pages = 0;             // of Seq2SeqModel::kPageTokens
  int64_t memory_bytes = 0;  // of encoded texts
  int32_t decoder_start_id = -1;
  std::vector<int32_t> eos_ids;
};

class Seq2SeqScheduler {
 public:
  // `model`, `tokenizer` and `pool` are borrowed.
  Seq2SeqScheduler(Seq2SeqModel& model, const text::Tokenizer& tokenizer, const Seq2SeqLimits& limits,
                   base::Pool& pool);
  // Cancels what is left.
  ~Seq2SeqScheduler();
  Seq2SeqScheduler(const Seq2SeqScheduler&) = delete;
  Seq2SeqScheduler& operator=(const Seq2SeqScheduler&) = delete;

  // As Seq2Seq's.
  uint64_t submit(Seq2SeqRequest request);
  bool cancel(uint64_t handle);
  void drain(std::chrono::milliseconds limit);
  Seq2SeqStats stats() const;

 private:
  struct Branch {  // a hypothesis that runs
    std::vector<int32_t> ids;
    std::vector<int32_t> pages;
    std::optional<Sampler> sampler;  // when tokens are drawn
    bool done = false;
  };
  struct Task {  // one request
    uint64_t handle = 0;
    Seq2SeqRequest request;
    TokenRules rules;
    SamplingParams sampling;  // when tokens are drawn
    int hypotheses = 1;
    int pages = 0;  // that its hypotheses may need at most
    uint64_t seed = 0;
    std::chrono::steady_clock::time_point submitted;
    std::shared_ptr<const Seq2SeqMemory> memory;
    std::vector<Branch> branches;
    std::unique_ptr<BeamSearch> beams;  // when there are several
    size_t first_row = 0;               // of its rows in the step's logits
    bool finished = false;
    std::exception_ptr error;
  };

  // Throws Error(kInvalid) saying what is wrong in the request.
  std::unique_ptr<Task> make_task(Seq2SeqRequest request) const;
  void loop();
  void admit(std::vector<std::unique_ptr<Task>>& fresh);  // with book_.mutex
  bool fits(const Task& task, const std::vector<std::unique_ptr<Task>>& fresh) const;
  void encode(std::vector<std::unique_ptr<Task>>& fresh);
  void step();
  void choose(Task& task);
  void choose_alone(Task& task);
  void choose_beams(Task& task);
  void move(Task& task);  // hypotheses and pages, as beam search says
  void release(Task& task);
  void end(std::unique_ptr<Task> task, bool cancelled);
  std::span<float> row_of(const Task& task, size_t branch);

  Seq2SeqModel& model_;
  const text::Tokenizer& tokenizer_;
  const Seq2SeqLimits limits_;
  base::Pool& pool_;

  RequestBook book_;
  // Guarded by book_.mutex.
  std::deque<std::unique_ptr<Task>> waiting_;
  base::Rng seeds_;
  Seq2SeqStats stats_;

  // The thread alone.
  std::vector<std::unique_ptr<Task>> running_;
  KvPages pages_;
  int reserved_ = 0;  // pages that running tasks may need
  int64_t memory_used_ = 0;
  std::vector<float> logits_;
  std::vector<HypothesisRow> rows_;

  std::thread thread_;
};

}  // namespace slipway::engine
