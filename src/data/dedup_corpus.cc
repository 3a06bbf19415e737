#include "data/dedup_corpus.h"

#include <cstring>
#include <fmt/format.h>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/dedup_buckets.h"
#include "data/dedup_work.h"
#include "data/deduplicate.h"
#include "data/file_lock.h"
#include "data/semantic_pass.h"
#include "data/web_minhash.h"
#include "text/words.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;

constexpr uint64_t kCheckpoint = uint64_t{512} << 20U;  // of lines between two records of how far the first pass is

Json run_description(const DedupOptions& options, const std::vector<fs::path>& inputs) {
  Json list = Json::array();
  for (const auto* files : {&inputs, &options.against}) {
    for (const fs::path& file : *files) {
      std::error_code error;
      list.push_back({{"path", file.string()}, {"size", fs::file_size(file, error)}});
    }
  }
  Json json = {{"format", "slipway-dedup-1"},
          {"method", static_cast<int>(options.method)},
          {"inputs", list},
          {"text_field", options.text_field},
          {"id_field", options.id_field},
          {"field", options.field},
          {"priority", options.priority},
          {"minhash", {options.jaccard, options.bands, options.rows, options.ngram, options.seed}},
          {"sentence", {options.sentences, options.min_doc_words, options.min_doc_sentences}},
          {"length_threshold", options.length_threshold},
          {"bloom", {options.bloom_expected, options.bloom_rate, options.bloom_threshold}},
          {"compress", options.compress},
          {"shard_bytes", options.shard_bytes},
          {"max_line_bytes", options.max_line_bytes},
          {"exclusions", options.exclusions.string()}};
  if (options.method == DedupMethod::kSemantic) {
    const SemanticOptions& given = options.semantic;
    json["semantic"] = {given.embedder, given.dimension, given.threshold, static_cast<int>(given.keep), given.groups, given.iterations, given.seed};
  }
  return json;
}

// Winnowing (Schleimer et al. 2003): of every row of `window` hashes the least is chosen, the last of equal ones, so that
// equal stretches of text choose alike.
void winnow(std::string_view text, size_t width, size_t window, const std::function<void(uint64_t, size_t)>& chosen) {
  constexpr uint64_t kBase = 0x9fb21c651e98df25ULL;
  if (text.size() < width) {
    return;
  }
  uint64_t drop = 1;
  for (size_t i = 1; i < width; ++i) {
    drop *= kBase;
  }
  std::vector<uint64_t> hashes;
  hashes.reserve(text.size() - width + 1);
  uint64_t hash = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    hash = hash * kBase + static_cast<unsigned char>(text[i]) + 1;
    if (i + 1 >= width) {
      const uint64_t mixed = (hash ^ (hash >> 32U)) * 0xff51afd7ed558ccdULL;
      hashes.push_back(mixed ^ (mixed >> 32U));
      hash -= drop * (static_cast<unsigned char>(text[i + 1 - width]) + 1ULL);
    }
  }
  std::vector<size_t> least;  // indices, ascending in place and in hash
  size_t head = 0;
  size_t last = hashes.size();
  for (size_t i = 0; i < hashes.size(); ++i) {
    while (least.size() > head && hashes[least.back()] >= hashes[i]) {
      least.pop_back();
    }
    least.push_back(i);
    if (least[head] + window <= i) {
      ++head;
    }
    if (i + 1 >= window && least[head] != last) {
      last = least[head];
      chosen(hashes[last], last);
    }
  }
}

}  // namespace

void Deduplication::open_state() {
  const Json run = run_description(options_, inputs_);
  const fs::path file = files_.state / "run.json";
  base::make_dirs(files_.state);
  const FileLock lock(files_.state / "lock");
  if (base::is_file(file)) {
    if (base::parse_json(base::read_file(file), file.string()) != base::parse_json(base::dump_json(run), "run")) {
      throw Error(Code::kConflict,
                  fmt::format("'{}' holds the results of other inputs or options; choose another --out or remove it",
                              options_.out.string()));
    }
    return;
  }
  base::write_file_atomic(file, base::dump_json_pretty(run));
}

template <class Record>
void Deduplication::sign(const std::function<void(JsonlLine&, uint64_t, std::vector<Record>&)>& make) {
  const fs::path folder = shard_folder(options_.shard);
  const fs::path progress_file = folder / "progress.json";
  base::make_dirs(folder);
  const FileLock lock(folder / "lock");  // a scheduler may start a task again before the one it gave up is gone
  ExternalSorter<Record> sorter({folder, options_.memory_bytes, &context_.pool}, "keys", options_.memory_bytes / 2);
  uint64_t next_block = 0;
  if (base::is_file(progress_file)) {
    const Json progress = base::parse_json(base::read_file(progress_file), progress_file.string());
    if (base::get<bool>(progress, "done", progress_file.string())) {
      return;
    }
    next_block = base::get<uint64_t>(progress, "next_block", progress_file.string());
    for (const std::string& run : base::get<std::vector<std::string>>(progress, "runs", progress_file.string())) {
      sorter.adopt(folder / run);
    }
  }
  const auto checkpoint = [&](uint64_t next, bool done) {
    sorter.spill();
    Json runs = Json::array();
    for (const fs::path& run : sorter.runs()) {
      runs.push_back(run.filename().string());
    }
    base::write_file_atomic(progress_file, base::dump_json({{"next_block", next}, {"runs", runs}, {"done", done}}));
  };
  uint64_t since = 0;
  uint64_t blocks = 0;
  each_block("first pass", [&](const Block& block) {
    blocks = block.index + 1;
    if (block.index < next_block ||
        block.index % static_cast<uint64_t>(options_.shards) != static_cast<uint64_t>(options_.shard - 1)) {
      return;
    }
    std::vector<std::vector<Record>> made(block.lines.size());
    context_.pool.parallel_chunks(static_cast<int64_t>(made.size()), 32, [&](int64_t begin, int64_t end) {
      JsonlLine line(options_.text_field, options_.field.empty() ? options_.id_field : options_.field);
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        if (read_document(block, block.lines[i], line).empty()) {
          make(line, position_of(block.lines[i]), made[i]);
        }
      }
    });
    for (const std::vector<Record>& records : made) {
      for (const Record& record : records) {
        sorter.add(record);
      }
    }
    since += block.bytes.size();
    if (since >= kCheckpoint || sorter.nearly_full()) {
      checkpoint(block.index + 1, false);
      since = 0;
    }
  });
  checkpoint(blocks, true);
}

// The files of keys that all shards of the first pass wrote.
std::vector<fs::path> Deduplication::all_runs() const {
  std::vector<fs::path> runs;
  for (int shard = 1; shard <= options_.shards; ++shard) {
    const fs::path folder = shard_folder(shard);
    const fs::path file = folder / "progress.json";
    for (const std::string& run :
         base::get<std::vector<std::string>>(base::parse_json(base::read_file(file), file.string()), "runs", file.string())) {
      runs.push_back(folder / run);
    }
  }
  return runs;
}

// The first shard whose first pass is not done; 0: all are.
int Deduplication::unsigned_shard() const {
  for (int shard = 1; keyed() && shard <= options_.shards; ++shard) {
    const fs::path file = shard_folder(shard) / "progress.json";
    if (!base::is_file(file) || !base::get<bool>(base::parse_json(base::read_file(file), file.string()), "done", file.string())) {
      return shard;
    }
  }
  return 0;
}

void Deduplication::first_pass() {
  switch (options_.method) {
    case DedupMethod::kExact:
      sign<ExactKey>([&](JsonlLine& line, uint64_t position, std::vector<ExactKey>& out) {
        if (!options_.field.empty()) {
          if (!line.id().empty()) {
            out.push_back({base::xxh64(line.id()), base::xxh64(line.id(), 1), position});
          }
          return;
        }
        const std::string normal = normalized_text(line.text());
        out.push_back({base::xxh64(normal), base::xxh64(normal, 1), position});
      });
      return;
    case DedupMethod::kMinhash: {
      const WebMinHasher hasher(options_.bands * options_.rows, static_cast<uint32_t>(options_.seed));
      sign<KeyAt>([&](JsonlLine& line, uint64_t position, std::vector<KeyAt>& out) {
        thread_local WebShingler shingler;
        thread_local std::vector<uint64_t> shingles;
        thread_local std::vector<uint64_t> signature;
        shingler.shingles(line.text(), static_cast<size_t>(options_.ngram), shingles);
        if (shingles.empty()) {
          return;
        }
        const auto rows = static_cast<size_t>(options_.rows);
        signature.resize(static_cast<size_t>(options_.bands) * rows);
        hasher.sign(shingles, signature);
        for (size_t band = 0; band < static_cast<size_t>(options_.bands); ++band) {
          const auto* bytes = reinterpret_cast<const char*>(signature.data() + band * rows);  // NOLINT: bytes to hash
          out.push_back({base::xxh64({bytes, rows * sizeof(uint64_t)}, band), position});
        }
      });
      return;
    }
    case DedupMethod::kSentence:
      sign<SpanKey>([&](JsonlLine& line, uint64_t position, std::vector<SpanKey>& out) {
        std::vector<text::Span> spans;
        text::split_sentences(line.text(), spans);
        const auto n = static_cast<size_t>(options_.sentences);
        std::vector<std::string> simple(spans.size());
        for (size_t i = 0; i < spans.size(); ++i) {
          simplify_text(text::slice(line.text(), spans[i]), simple[i]);
        }
        for (size_t i = 0; i + n <= spans.size(); ++i) {
          std::string joined;
          for (size_t j = i; j < i + n; ++j) {
            joined += joined.empty() ? "" : " ";
            joined += simple[j];
          }
          if (joined.find_first_not_of(' ') != std::string::npos) {
            out.push_back({base::xxh64(joined), position, i});
          }
        }
      });
      return;
    case DedupMethod::kSubstring: {
      // A repeated stretch of `length` bytes has a window of half of it chosen in each of its copies.
      const auto width = static_cast<size_t>(options_.length_threshold / 2);
      const size_t window = static_cast<size_t>(options_.length_threshold) - width + 1;
      sign<SpanKey>([&, width, window](JsonlLine& line, uint64_t position, std::vector<SpanKey>& out) {
        winnow(line.text(), width, window, [&](uint64_t key, size_t begin) { out.push_back({key, position, begin}); });
      });
      return;
    }
    case DedupMethod::kSemantic: return embed_shard(options_, inputs_, shard_folder(options_.shard), context_);
    case DedupMethod::kBloom:
    case DedupMethod::kDecontaminate: return;
  }
}

DedupSummary Deduplication::waiting(const std::string& note) {
  DedupSummary summary;
  summary.waiting = true;
  context_.progress.finish(note);
  return summary;
}

void Deduplication::buckets() {
  if (const int missing = unsigned_shard(); missing > 0) {
    throw Error(Code::kUnavailable, fmt::format("the signatures of shard {0} of {1} are not done: run --stage signatures --shards {0}/{1}",
                                                missing, options_.shards));
  }
  const std::string name = fmt::format("buckets-{}-of-{}", options_.shard, options_.shards);
  base::make_dirs(files_.state / "pairs");
  base::make_dirs(files_.state / name);
  {
    const FileLock lock(files_.state / name / "lock");
    if (!base::is_file(pair_file(options_.shard))) {
      write_bucket_pairs(all_runs(), options_.shard, options_.shards, space(name), pair_file(options_.shard));
    }
  }
  fs::remove_all(files_.state / name);
}

// Decides, unless that is done. False when shards of the first pass are missing and nobody is told to wait for them.
bool Deduplication::decide_once() {
  const fs::path decided = files_.state / "decided.json";
  if (base::is_file(decided)) {
    return true;
  }
  if (const int missing = unsigned_shard(); missing > 0) {
    if (options_.stage == DedupStage::kAll) {
      return false;
    }
    throw Error(Code::kUnavailable, fmt::format("the signatures of shard {0} of {1} are not done: run --stage signatures --shards {0}/{1}",
                                                missing, options_.shards));
  }
  fs::remove_all(files_.state / "work");
  decide();
  base::write_file_atomic(decided, base::dump_json({{"candidates", candidates_}}));
  return true;
}

// What deciding needed, and no longer.
void Deduplication::remove_leftovers() {
  for (const fs::directory_entry& entry : fs::directory_iterator(files_.state)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() &&
        (name.starts_with("keys-") || name.starts_with("buckets-") || name == "pairs" || name == "work" || name == "merge")) {
      fs::remove_all(entry.path());
    }
  }
}

DedupSummary Deduplication::run() {
  open_state();
  int64_t bytes = 0;
  for (const fs::path& file : inputs_) {
    std::error_code error;
    const auto size = fs::file_size(file, error);
    bytes += error ? 0 : static_cast<int64_t>(size);
  }
  context_.progress.start("dedup", bytes, "B");
  const fs::path decided = files_.state / "decided.json";
  const DedupStage stage = options_.stage;
  const bool done = base::is_file(decided);
  if (!done && (stage == DedupStage::kAll || stage == DedupStage::kSignatures)) {
    first_pass();
  }
  if (!done && stage == DedupStage::kBuckets) {
    buckets();
  }
  if (stage == DedupStage::kSignatures || stage == DedupStage::kBuckets) {
    return waiting(fmt::format("shard {} of {} is done", options_.shard, options_.shards));
  }
  std::optional<FileLock> lock;
  if (stage == DedupStage::kAll || stage == DedupStage::kClusters) {
    lock.emplace(files_.state / "lock");
    if (!decide_once()) {
      return waiting(fmt::format("shard {} of {} is done; others are not", options_.shard, options_.shards));
    }
    remove_leftovers();
    if (stage == DedupStage::kClusters) {
      return waiting("the clusters are known");
    }
  } else if (!done) {
    throw Error(Code::kUnavailable, fmt::format("it is not decided yet what stays: run --stage clusters --shards 1/{}", options_.shards));
  }
  DedupSummary summary = write_output(options_, inputs_, files_, context_);
  if (summary.waiting) {
    return waiting(fmt::format("shard {} of {} is done; others are not", options_.shard, options_.shards));
  }
  summary.candidates = base::get<uint64_t>(base::parse_json(base::read_file(decided), "decided.json"), "candidates", "decided.json");
  context_.progress.finish(fmt::format("{} of {} documents kept", summary.corpus.kept, summary.corpus.documents));
  return summary;
}

Json DedupSummary::to_json() const {
  Json json = corpus.to_json();
  json["clusters"] = clusters;
  json["duplicates"] = duplicates;
  json["removed_bytes"] = removed_bytes;
  json["candidates"] = candidates;
  json["waiting"] = waiting;
  return json;
}

DedupSummary dedup_corpus(const DedupOptions& options, base::Context& context) {
  if (options.shard < 1 || options.shard > options.shards || options.shards > 10000) {
    throw Error(Code::kInvalid, fmt::format("shard {} of {}: write i/n with 1 <= i <= n", options.shard, options.shards));
  }
  const bool keyed = options.method != DedupMethod::kBloom && options.method != DedupMethod::kDecontaminate;
  if (options.stage != DedupStage::kAll && !keyed) {
    throw Error(Code::kInvalid, "bloom and decontaminate read in one pass: they have no stages");
  }
  if (options.stage == DedupStage::kBuckets && options.method != DedupMethod::kMinhash) {
    throw Error(Code::kInvalid, "buckets are a stage of minhash only; the others go signatures, clusters, filter");
  }
  if (options.stage == DedupStage::kClusters && options.shard != 1) {
    throw Error(Code::kInvalid, fmt::format("the stage clusters is the work of one process: --shards 1/{}", options.shards));
  }
  constexpr uint64_t kLeastMemory = uint64_t{64} << 20U;
  if (options.memory_bytes < kLeastMemory) {
    throw Error(Code::kInvalid, fmt::format("--memory {}: at least {} bytes are needed", options.memory_bytes, kLeastMemory));
  }
  if (options.bands < 1 || options.rows < 1 || options.bands * options.rows > 4096 || options.length_threshold < 16) {
    throw Error(Code::kInvalid, "bands and rows are at least 1 and their product at most 4096; length_threshold is at least 16");
  }
  if (options.method == DedupMethod::kSemantic &&
      (!options.semantic.embed || options.semantic.dimension < 1 || options.semantic.dimension > 65536)) {
    throw Error(Code::kInvalid, fmt::format("semantic deduplication needs a model of embeddings; '{}' gives {} numbers a text",
                                            options.semantic.embedder, options.semantic.dimension));
  }
  return Deduplication(options, context).run();
}

}  // namespace slipway::data
