// Private to the room: the work that dedup_corpus() is. dedup_corpus.cc has its course (state on disk, the first pass over all inputs, stages,
// the output), dedup_decide.cc what is decided by the keys of the first pass. One thread, which uses a pool.
#pragma once

#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "data/dedup_corpus.h"
#include "data/dedup_output.h"
#include "data/line_blocks.h"
#include "data/near.h"
#include "data/spill.h"

namespace slipway::data {

constexpr size_t kReadBlock = size_t{4} << 20U;  // of lines

struct ExactKey {
  uint64_t high;
  uint64_t low;
  uint64_t position;
  auto operator<=>(const ExactKey&) const = default;
};
struct SpanKey {
  uint64_t key;
  uint64_t position;
  uint64_t begin;
  auto operator<=>(const SpanKey&) const = default;
};

class Deduplication {
 public:
  Deduplication(const DedupOptions& options, base::Context& context)
      : options_(options), context_(context), inputs_(corpus_files(options.inputs)),
        files_{options.out / "state"} {}

  DedupSummary run();

 private:
  SpillSpace space(const std::string& name) const { return {files_.state / name, options_.memory_bytes, &context_.pool}; }
  std::filesystem::path shard_folder(int shard) const { return files_.state / fmt::format("keys-{}-of-{}", shard, options_.shards); }
  std::filesystem::path pair_file(int shard) const { return files_.state / "pairs" / fmt::format("{}-of-{}.rec", shard, options_.shards); }
  bool keyed() const { return options_.method != DedupMethod::kBloom && options_.method != DedupMethod::kDecontaminate; }

  void open_state();
  template <class Record>
  void sign(const std::function<void(JsonlLine&, uint64_t, std::vector<Record>&)>& make);
  template <class Record>
  std::unique_ptr<ExternalSorter<Record>> all_keys();
  template <class Body>
  void each_block(const char* what, const Body& body);
  void first_pass();
  int unsigned_shard() const;
  std::vector<std::filesystem::path> all_runs() const;
  DedupSummary waiting(const std::string& note);
  void buckets();
  bool decide_once();
  void remove_leftovers();
  void decide();
  void decide_exact();
  void decide_minhash();
  void decide_spans();
  void decide_substrings();
  void decide_semantic();
  void write_members(SortedStream<Edge> members, SortedStream<uint64_t> gone = {});
  void write_removals(SortedStream<SpanKey> keys, uint64_t width);

  const DedupOptions& options_;
  base::Context& context_;
  std::vector<std::filesystem::path> inputs_;
  DedupFiles files_;
  uint64_t candidates_ = 0;
};

// Reads all inputs, a block of lines after the other.
template <class Body>
void Deduplication::each_block(const char* what, const Body& body) {
  LineBlocks reader(inputs_, kReadBlock, options_.max_line_bytes, &context_.pool, options_.names);
  Block block;
  while (reader.next(block)) {
    base::check_stop(context_, what);
    body(block);
    context_.progress.update(static_cast<int64_t>(block.consumed), what);
  }
}

template <class Record>
std::unique_ptr<ExternalSorter<Record>> Deduplication::all_keys() {
  auto sorter = std::make_unique<ExternalSorter<Record>>(space("merge"), "merged", options_.memory_bytes / 4);
  for (const std::filesystem::path& run : all_runs()) {
    sorter->adopt(run);
  }
  return sorter;
}

}  // namespace slipway::data
