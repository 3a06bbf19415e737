// The `data:` section of slipway.yaml, read once and then const.
#pragma once

#include <string>
#include <vector>

#include "data/clean.h"
#include "data/deduplicate.h"
#include "data/source.h"
#include "data/split.h"
#include "data/validate.h"

namespace slipway::data {

struct DataOptions {
  std::string name = "dataset";  // of the dataset; the project's name
  std::vector<std::string>
      labels;  // known labels in order of their indices (the configuration's `labels`); empty: as found
  std::vector<SourceOptions> sources;
  CleanOptions clean;
  DeduplicateOptions deduplicate;
  ValidateOptions validate;
  SplitOptions split;
};

// The defaults of a key that is absent: no cleaning, exact and near deduplication at 0.8, missing 0, split 0.8/0.1/0.1.
// `deduplicate: false` turns it off. Throws Error(kInvalid) naming `where` and the key for anything unknown or of a
// wrong type, at every level. `name` and `labels` are not part of the section: the caller sets them.
DataOptions parse_data_options(const Json& section, const std::string& where);
Json to_json(const DataOptions& options);

}  // namespace slipway::data
