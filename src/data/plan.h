// The assignment of a folder's documents to splits, shared by validation and by the dataset's builder. Internal.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/context.h"
#include "data/deduplicate.h"
#include "data/options.h"

namespace slipway::data {

inline constexpr const char* kDocumentsFile = "documents.jsonl.zst";
inline constexpr const char* kDroppedFile = "dropped.jsonl.zst";
inline constexpr const char* kSourcesFile = "sources.json";
inline constexpr const char* kHistoryFile = "history.json";

struct SplitPlan {
  std::vector<std::string> labels;  // known ones first, in order, then further ones found, sorted
  std::vector<uint32_t> label_of;   // index into labels, one a document
  std::vector<Split> splits;        // one a document
};

// Streams the documents once for ids and labels, and twice more when near duplicates must be grouped (not when
// deduplication has removed them already).
SplitPlan plan_splits(const std::filesystem::path& folder, const DataOptions& options, base::Context& context);

// The texts of a folder's documents, as find_duplicates wants them.
TextStream text_stream(const std::filesystem::path& folder, base::Context& context, std::string what);

// How many passes plan_splits makes.
int plan_passes(const DataOptions& options) noexcept;

// Labels as the configuration orders them; as found and sorted when it names none.
std::vector<std::string> dataset_labels(const DataOptions& options, const std::vector<std::string>& found);

}  // namespace slipway::data
