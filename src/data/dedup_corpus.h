// Deduplicates a corpus of JSON Lines in bounded memory: files in, shards out, clusters or removed spans told. Keys of all
// documents go to sorted runs on disk (spill.h), what belongs together comes out of their merge, and a last pass writes
// what stays. The output depends on the input and the options only: not on memory, threads, shards of work, or on how often
// the run was killed and started again. On disk: docs/formats/dedup.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/context.h"
#include "data/clean_corpus.h"
#include "data/semantic.h"

namespace slipway::data {

enum class DedupMethod {
  kExact,          // equal text, or an equal member `field`
  kMinhash,        // near-duplicates, as datatrove finds them, verified by Jaccard
  kSentence,       // repeated runs of sentences are cut out (C4)
  kSubstring,      // repeated substrings of at least length_threshold bytes are cut out (Lee et al. 2022)
  kBloom,          // n-grams seen before, one pass in order
  kDecontaminate,  // n-grams of evaluation sets
  kSemantic,       // embeddings of documents that are as near as a cosine (semantic.h)
};

// What one process does, so that a scheduler's jobs can follow each other; every stage may be run again after a kill.
enum class DedupStage {
  kAll,         // its part of the first pass; the last process to finish does the rest
  kSignatures,  // its part of the first pass
  kBuckets,     // kMinhash: documents that share a band, in its range of the bands' keys
  kClusters,    // one process: which document stays, or what is cut out
  kFilter,      // its part of the output; the last process to finish sums up
};

struct DedupOptions {
  DedupMethod method = DedupMethod::kMinhash;
  std::vector<std::filesystem::path> inputs;  // as corpus_files
  SourceNames names;  // what inputs are called that were brought from elsewhere
  std::filesystem::path out;
  std::filesystem::path clusters;    // JSON Lines: a line a document in a cluster; empty: none
  std::filesystem::path exclusions;  // folder of dropped documents with their reason; empty: none
  std::vector<std::filesystem::path> against;  // evaluation sets for kDecontaminate
  std::string text_field = "text";
  std::string id_field = "id";
  std::string field;     // kExact: the member that is compared, as JSON, in place of the text
  std::string priority;  // a member with a number: of a cluster the highest stays; then the first
  uint64_t memory_bytes = uint64_t{1} << 30U;
  int shard = 1;  // 1-based: of `shards` processes that share the work
  int shards = 1;
  DedupStage stage = DedupStage::kAll;  // others than kAll: not for kBloom and kDecontaminate
  double jaccard = 0.72;  // kMinhash: pairs from here on hold; 0: all that share a band, as datatrove
  int bands = 14;
  int rows = 8;
  int ngram = 5;  // words
  uint64_t seed = 1;
  int sentences = 3;          // kSentence: in a span
  int min_doc_words = 50;     // a document that lost spans and has less is dropped
  int min_doc_sentences = 3;
  int length_threshold = 100;  // kSubstring: bytes
  double bloom_expected = 1e8;  // kBloom: n-grams
  double bloom_rate = 0.001;    // false positives at that number
  double bloom_threshold = 0.8;  // share of n-grams seen from which a document is dropped
  SemanticOptions semantic;     // kSemantic
  std::filesystem::path bloom_file;  // read when it is there, and written at the end; empty: neither
  bool compress = true;
  uint64_t shard_bytes = uint64_t{16} << 20U;  // of input that becomes one output shard
  uint64_t max_line_bytes = uint64_t{16} << 20U;
};

struct DedupSummary {
  CorpusSummary corpus;
  uint64_t clusters = 0;
  uint64_t duplicates = 0;     // documents dropped for being in one
  uint64_t removed_bytes = 0;  // of spans cut out of documents that stay
  uint64_t candidates = 0;     // pairs that were verified; kSemantic: compared
  bool waiting = false;        // this shard or stage of the work is done, others are not: the output is not whole yet
  base::Json to_json() const;
};

// Goes on where an earlier run with the same inputs and options was stopped. The last of `shards` processes to finish the
// first pass makes the output, unless options.stage says who does what. Throws Error(kConflict) when `out` holds the results of
// other inputs or options, Error(kUnavailable) naming what must be run before a stage.
DedupSummary dedup_corpus(const DedupOptions& options, base::Context& context);

}  // namespace slipway::data
