// Cleans a corpus of JSON Lines by quality: files in, shards out, in one pass. A shard of the output is what a block of
// the input becomes, so that the bytes of every file depend on the input and the options only, never on the number of
// threads or on where a killed run went on. On disk: docs/formats/corpus.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/json.h"
#include "data/document_filter.h"
#include "data/quality.h"
#include "data/source_names.h"

namespace slipway::data {

struct CorpusOptions {
  std::vector<std::filesystem::path> inputs;  // files, folders (all JSON Lines, tables and web pages below), or "-"
  SourceNames names;  // what those are called that were brought from elsewhere
  std::filesystem::path out;
  std::filesystem::path exclusions;  // empty: dropped documents are only counted
  std::string text_field = "text";
  std::string id_field = "id";
  bool write_signals = false;  // a member "signals" in every document
  bool compress = true;        // shards are .jsonl.zst, else .jsonl
  uint64_t shard_bytes = uint64_t{32} << 20U;
  uint64_t max_line_bytes = uint64_t{64} << 20U;
  uint64_t memory_bytes = uint64_t{1} << 30U;  // blocks in work at a time are cut to it
  int shard = 1;  // 1-based: of `shards` processes, each of which cleans every shards-th block into the same `out`
  int shards = 1;
  std::ostream* stream = nullptr;  // what is kept goes here, in order, in place of `out`: no state, bad lines only counted
  QualityOptions quality;
  DocumentFilters filters;  // beside the preset's rules
};

struct CorpusSummary {
  uint64_t documents = 0;
  uint64_t kept = 0;
  uint64_t rewritten = 0;
  uint64_t bad_lines = 0;
  uint64_t text_bytes = 0;  // UTF-8, of all documents
  uint64_t kept_bytes = 0;
  uint64_t shards = 0;
  uint64_t resumed_shards = 0;              // finished by an earlier run
  bool waiting = false;                     // this process is done, others are not: these are the counts of its own blocks
  std::map<std::string, uint64_t> dropped;  // by reason
  std::map<std::string, uint64_t> bad;      // by reason
  void add(const CorpusSummary& other);
  base::Json to_json() const;  // without resumed_shards and waiting: the same for every run
};

// The files that `inputs` name, folders opened and sorted by path. Throws Error(kNotFound).
std::vector<std::filesystem::path> corpus_files(const std::vector<std::filesystem::path>& inputs);

// Goes on where an earlier run with the same inputs and options was stopped; Error(kConflict) when `out` holds the
// results of others. Lines that are no documents go to out/quarantine with file, line and reason. The last of `shards`
// processes to finish writes out/summary.json.
CorpusSummary clean_corpus(const CorpusOptions& options, base::Context& context);

}  // namespace slipway::data
