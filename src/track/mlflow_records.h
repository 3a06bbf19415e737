// MLflow's records as a server answers them and as its file store writes them, into structs: the names of the fields are the same
// in both. Untrusted. Pure; any thread. Throw Error(kInvalid) for a field of another type.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "record/catalog.h"
#include "record/logged_models.h"
#include "record/traces.h"
#include "record/tracking.h"

namespace slipway::track {

using base::Json;

// A value as text, whatever the file took it for; "" when it is not there.
std::string field_text(const Json& object, const char* key);
// An integer, also one that is written as a text; 0 when it is none.
int64_t field_number(const Json& object, const char* key);
// The list or object of that name, empty when there is none.
const Json& field_list(const Json& object, const char* key);
const Json& field_object(const Json& object, const char* key);
// Of [{key, value}] or {key: value}.
std::vector<record::KeyValue> field_pairs(const Json& object, const char* key);

// Status by name, or by the number that the file store writes (RunStatus of service.proto).
record::RunStatus run_status(const Json& info);
record::RegisteredModel registered_model(const Json& model);
record::CatalogVersion model_version(const Json& version);
record::TrackedDataset dataset(const Json& dataset);
// Without parameters, tags and metrics.
record::LoggedModel logged_model(const Json& info);
// A span of a trace's file (docs/formats/store.md, "Spans"). kInvalid for one of MLflow before 3.
record::TraceSpan trace_span(const Json& span);

}  // namespace slipway::track
