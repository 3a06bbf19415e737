// Runs of Weights & Biases: the .wandb file of an offline run (with the files beside it), or a history as CSV, JSON or lines of
// JSON, as its web pages and its API export it.
#pragma once

#include <filesystem>
#include <string>

#include "track/importer.h"

namespace slipway::track {

struct WandbOptions {
  std::string experiment;  // by name; empty: the project of the file, else "wandb"
  std::string name;        // of the run of a CSV or JSON file; empty: the file's
};
// Throws kInvalid for a file that is none of these.
ImportReport import_wandb(record::Store& store, const std::filesystem::path& file, const WandbOptions& options);

}  // namespace slipway::track
