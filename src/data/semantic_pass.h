// The passes of semantic deduplication over a corpus: documents to vectors, a file a block of lines, so that a run that was
// killed goes on at the next block and shards of the work share the blocks; then all vectors to pairs of documents.
// Internal to dedup_corpus.cc.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "base/context.h"
#include "data/dedup_corpus.h"

namespace slipway::data {

// Embeds this shard's blocks into `folder`/vectors-NNNNNNNN.rec, records {position, vector}, those that are not there yet;
// then writes progress.json: {"done": true, "blocks": of the corpus}.
void embed_shard(const DedupOptions& options, const std::vector<std::filesystem::path>& inputs, const std::filesystem::path& folder,
                 base::Context& context);

// Calls `drop(position, position of the most similar that stands before it)` for what goes. `folders`: one a shard. Returns how
// many pairs were compared.
uint64_t find_semantic_duplicates(const DedupOptions& options, const std::vector<std::filesystem::path>& folders, const SpillSpace& space,
                                  base::Context& context, const std::function<void(uint64_t, uint64_t)>& drop);

}  // namespace slipway::data
