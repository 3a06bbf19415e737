// A dataset version: an immutable folder of shards and a manifest, the same bytes for the same input
// (docs/formats/dataset.md). Its name is the digest of manifest.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/input.h"
#include "data/document.h"
#include "data/split.h"

namespace slipway::data {

struct Shard {
  std::string file;  // "train-00000.jsonl.zst"
  std::string sha256;
  uint64_t size = 0;  // bytes on disk
  int64_t rows = 0;
};

struct SplitInfo {
  int64_t rows = 0;
  std::map<std::string, int64_t> labels;
  std::vector<Shard> shards;
};

// One split's rows in order. One thread.
class RowReader {
 public:
  RowReader(std::filesystem::path folder, std::vector<Shard> shards);
  // False at the end. `document` keeps its memory between calls.
  bool next(Document& document);

 private:
  std::filesystem::path folder_;
  std::vector<Shard> shards_;
  size_t shard_ = 0;
  std::unique_ptr<base::LineReader> lines_;
};

// An open dataset: the manifest in memory, rows on demand. Immutable; any thread.
class Dataset {
 public:
  // `folder` holds manifest.json. Throws Error(kNotFound | kInvalid | kIntegrity); `verify` also hashes every shard.
  explicit Dataset(std::filesystem::path folder, bool verify = false);

  const std::string& name() const noexcept { return name_; }
  // "sha256:…" of manifest.json.
  const std::string& digest() const noexcept { return digest_; }
  const Json& manifest() const noexcept { return manifest_; }
  const std::filesystem::path& folder() const noexcept { return folder_; }
  // Label names in the order of their indices: as configured, else sorted.
  const std::vector<std::string>& labels() const noexcept { return labels_; }
  const SplitInfo& split(Split split) const noexcept { return splits_[static_cast<size_t>(split)]; }
  RowReader rows(Split split) const;
  // The whole split in memory.
  std::vector<Document> load_split(Split split) const;
  // Index of a label; -1 when it is not one of labels().
  int label_index(std::string_view label) const noexcept;

 private:
  std::filesystem::path folder_;
  std::string name_;
  std::string digest_;
  Json manifest_;
  std::vector<std::string> labels_;
  std::vector<SplitInfo> splits_ = std::vector<SplitInfo>(kSplits);
};

}  // namespace slipway::data
