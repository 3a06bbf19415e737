// Runs of TensorBoard: a folder of event files, below which each folder with such files is a run.
#pragma once

#include <filesystem>
#include <string>

#include "track/importer.h"

namespace slipway::track {

struct TensorboardOptions {
  std::string experiment;  // by name; empty: the folder's
};
// Scalars become metrics, hparams parameters, texts and images files. Throws kNotFound when there is no event file.
ImportReport import_tensorboard(record::Store& store, const std::filesystem::path& folder, const TensorboardOptions& options);

}  // namespace slipway::track
