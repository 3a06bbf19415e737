// The thread behind a Generator: queue, KV pages and the running sequences are its own; others talk to it through
// submit() and cancel(). Internal to the room; generator.h is the interface.
#pragma once

#include <deque>
#include <map>
#include <thread>
#include <unordered_set>

#include "base/pool.h"
#include "base/random.h"
#include "engine/chunk_sizer.h"
#include "engine/decoder_pass.h"
#include "engine/generator.h"
#include "engine/kv_pages.h"
#include "engine/request_book.h"
#include "engine/sequence.h"

namespace slipway::engine {

struct SchedulerLimits {
  int max_batch_tokens = 256;
  int max_sequences = 64;
  int max_queue = 256;
  int context_length = 2048;  // at most kv_pages * page_tokens
  int kv_pages = 128;
  int page_tokens = 16;
  bool prefix_cache = true;
  int speculate = 0;  // tokens guessed for a stream in one pass, at most
  std::vector<int32_t> eos_ids;
  std::vector<std::string> adapters = {};  // their names, as the pass numbers them
};

class Scheduler {
 public:
  // `pass`, `tokenizer` and `pool` are borrowed.
  Scheduler(DecoderPass& pass, const text::Tokenizer& tokenizer, const SchedulerLimits& limits, base::Pool& pool);
  // Cancels what is left.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // As Generator's.
  uint64_t submit(GenerateRequest request);
  bool cancel(uint64_t handle);
  void drain(std::chrono::milliseconds limit);
  GeneratorStats stats() const;

 private:
  using Item = std::unique_ptr<Sequence>;
  struct Part {  // a sequence's part of a pass
    Sequence* sequence;
    int tokens;  // that each of its texts goes on by
    int logits;  // wanted rows, the last ones
  };

  void loop();
  // With book_.mutex: moves waiting requests to running_ while there is room, over clients in turn. Those cancelled
  // while they waited go to `over`.
  void admit(std::vector<Item>& over);
  int adapter_of(const GenerateRequest& request) const;
  Item next_waiting();
  void finish_cancelled(const std::unordered_set<uint64_t>& handles);
  // Chooses what the next pass computes, with pages for it.
  void plan(std::vector<Part>& parts);
  bool add_part(Sequence& sequence, int tokens, std::vector<Part>& parts);
  int add_guesses(std::vector<Part>& parts, int rows);
  void guess(Sequence& sequence);
  void take_guesses(Sequence& sequence, std::span<float> logits);
  int32_t take_page(Sequence& sequence, std::vector<Part>& parts);
  bool make_room(Sequence& sequence, int tokens, std::vector<Part>& parts);
  void reuse_prefix(Sequence& sequence);
  void release_pages(Sequence& sequence);
  void preempt(Sequence& sequence);
  void compute(const std::vector<Part>& parts);
  void take_prompt_logprobs(Sequence& sequence, int tokens, std::span<float> logits);
  void seal_pages(Sequence& sequence);
  void sample(const std::vector<Part>& parts);
  // Beam search: scheduler_beams.cc.
  int beam_pages(const GenerateRequest& request) const;
  void check_beam_room(const GenerateRequest& request) const;
  void start_beams(Sequence& sequence);
  bool add_beam_part(Sequence& sequence, std::vector<Part>& parts);
  static void add_beam_rows(const Sequence& sequence, std::vector<PassRows>& rows);
  void take_beam_step(Sequence& sequence, bool goes_on);
  int running_width() const;
  int pages_to_come(const Sequence& sequence) const;
  void remove_ended();
  void publish_stats();  // with book_.mutex
  void end(Item item, FinishReason reason);

  DecoderPass& pass_;
  const text::Tokenizer& tokenizer_;
  const TokenText token_text_;
  const SchedulerLimits limits_;
  base::Pool& pool_;

  RequestBook book_;
  // Guarded by book_.mutex.
  std::map<std::string, std::deque<Item>> waiting_;
  std::deque<std::string> turns_;  // clients that wait, the next one first
  int waiting_count_ = 0;
  base::Rng seeds_;
  GeneratorStats stats_;

  // The scheduler's thread alone.
  std::vector<Item> running_;   // in the order of their admission
  std::deque<Item> preempted_;  // go first when there is room again
  KvPages pages_;
  ChunkSizer sizer_;
  std::vector<float> logits_;
  std::vector<std::vector<Candidate>> scratch_;
  GeneratorStats counts_;

  std::thread thread_;
};

}  // namespace slipway::engine
