// The job file: everything the training worker needs to know, as JSON, so that a job can be kept, repeated and moved.
// Format: docs/formats/train-job.md. Plain values.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "train/options.h"

namespace slipway::train {

struct Job {
  // Hugging Face folder: config.json, tokenizer.json, and model.safetensors unless options.from_scratch.
  std::filesystem::path base_model;
  // Folder with the splits: SPLIT.jsonl[.zst|.gz], or shards SPLIT-*.jsonl[.zst|.gz] read in order of name.
  std::filesystem::path dataset;
  std::string train_split = "train";
  std::string validation_split = "validation";  // empty = no validation (then the last epoch's model is kept)
  std::string text_field = "text";
  std::string label_field = "label";  // a label's name, or its index in `labels`
  std::vector<std::string> labels;    // class names in the order of the model's outputs, at least 2
  TrainOptions options;
  // Replaced atomically at the end: config.json, model.safetensors, the tokenizer's files.
  std::filesystem::path output;
  // Where the run's state lies while it is not finished; a job whose folder holds a checkpoint continues from it.
  // Removed when the run is done.
  std::filesystem::path checkpoint;
};

// Throws Error(kInvalid) naming `source` and the field that is missing, unknown or wrong.
Job job_from_json(const base::Json& json, const std::string& source);
base::Json job_to_json(const Job& job);

// Identifies what the weights depend on (options but threads' and cadence settings, labels, digests of the inputs): a
// checkpoint is resumed only by a job with the same fingerprint. 64 hex digits. Reads config, weights, data: O(size).
std::string job_fingerprint(const Job& job);

}  // namespace slipway::train
