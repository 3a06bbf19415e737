// What the record knows of how a version of a model came about and who lets it be served, as the UI is told: api/openapi.yaml. Any
// thread; a few reads of the store and, for its gates and signature, a small file each.
#pragma once

#include "base/json.h"
#include "record/stores.h"

namespace slipway::api {

// {gates, approval, author, datasets, code_commit, config, signature, card}: a digest or an object, null where nothing is known.
base::Json evidence_json(record::Store& store, const record::ModelVersion& version, const std::string& source);

}  // namespace slipway::api
