// A split of a dataset as token ids, packed end to end: what the trainer reads batches from. Texts are tokenised in
// parallel and in order, so the result does not depend on threads. Immutable after loading.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/pool.h"
#include "text/tokenizer.h"

namespace slipway::train {

struct EncodedSplit {
  std::vector<int32_t> ids;        // all texts, special tokens included
  std::vector<int64_t> begins{0};  // text i is ids[begins[i], begins[i + 1])
  std::vector<int32_t> labels;     // index into the job's labels
  int64_t truncated = 0;           // texts that fill max_length: cut, or fitting exactly
  int64_t size() const { return static_cast<int64_t>(labels.size()); }
  int length(int64_t i) const {
    return static_cast<int>(begins[static_cast<size_t>(i) + 1] - begins[static_cast<size_t>(i)]);
  }
  std::span<const int32_t> text(int64_t i) const {
    return {ids.data() + begins[static_cast<size_t>(i)], static_cast<size_t>(length(i))};
  }
};

struct SplitFormat {
  std::string text_field = "text";
  std::string label_field = "label";
  std::vector<std::string> labels;
  int max_length = 128;
};

// The files of `split` in `folder`, in the order they are read: SPLIT.jsonl[.zst|.gz], or shards
// SPLIT-*.jsonl[.zst|.gz] by name. Throws Error(kNotFound) naming what was looked for.
std::vector<std::filesystem::path> split_files(const std::filesystem::path& folder, const std::string& split);

// Reads and tokenises all rows. Throws Error(kInvalid) naming file and line for a row without the fields, with a label
// that is not in `labels` or an id that `vocab_size` does not have; and for a split without rows.
EncodedSplit load_split(const std::filesystem::path& folder, const std::string& split, const SplitFormat& format,
                        const text::Tokenizer& tokenizer, int vocab_size, base::Pool& pool);

}  // namespace slipway::train
