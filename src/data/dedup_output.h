// The last pass of deduplication: what was decided, joined with the documents in reading order, written as shards. Internal
// to this room.
#pragma once

#include <compare>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/dedup_corpus.h"
#include "data/jsonl_line.h"
#include "data/line_blocks.h"
#include "data/spill.h"

namespace slipway::data {

// A document's place: its file's index and its line; ascending in reading order.
constexpr int kLineBits = 40;
inline uint64_t position_of(const BlockLine& line) noexcept { return (uint64_t{line.file} << kLineBits) | (line.line - 1); }

struct Member {  // by position; stored
  uint64_t position;
  uint64_t kept;     // the position of the document of its cluster that stays
  uint64_t cluster;  // from 1, in the order of the clusters' first documents
  auto operator<=>(const Member&) const = default;
};

struct Removal {  // by position; stored
  uint64_t position;
  uint64_t begin;  // bytes of the text, or sentences
  uint64_t end;
  auto operator<=>(const Removal&) const = default;
};

inline std::string_view raw_line(const Block& block, const BlockLine& line) {
  return std::string_view(block.bytes).substr(line.begin, line.size);
}
// Why it is no document, or empty; `line` holds it then.
inline std::string_view read_document(const Block& block, const BlockLine& at, JsonlLine& line) {
  const std::string_view fault = fault_of(at);
  return fault.empty() ? line.read(raw_line(block, at)) : fault;
}

// Files of a run below `out`/state.
struct DedupFiles {
  std::filesystem::path state;
  std::filesystem::path members() const { return state / "members.rec"; }
  std::filesystem::path sizes() const { return state / "sizes.rec"; }  // uint64 a cluster
  std::filesystem::path removals() const { return state / "removals.rec"; }
};

// Writes all parts that are not there yet; in DedupStage::kFilter those of options.shard, and sums up when all are there (else
// the summary is waiting). members.rec or removals.rec must be there where the method has them.
DedupSummary write_output(const DedupOptions& options, const std::vector<std::filesystem::path>& inputs,
                          const DedupFiles& files, base::Context& context);

// Whether a line of text is left of a document when the sentences or bytes of `removals` (ascending) are cut out of it;
// changes `text` to that and returns why the document is dropped, or an empty view.
std::string_view cut_spans(const DedupOptions& options, std::span<const Removal> removals, std::string& text);

}  // namespace slipway::data
