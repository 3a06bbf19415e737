// What keys, values and batches may be: MLflow's rules and words. Lengths count characters, as its server does. Pure.
#pragma once

#include <string>
#include <string_view>

#include "api/messages.h"
#include "record/tracking.h"

namespace slipway::api {

// Each throws ApiError(INVALID_PARAMETER_VALUE). `where`: of which list's element it is, "metrics[3]"; null: of none.
void check_metric(BatchMetric& metric, const Path* where = nullptr);     // infinities become the largest doubles
void check_param(record::KeyValue& param, const Path* where = nullptr);  // a value that is too long is cut
void check_run_tag(record::KeyValue& tag, const Path* where = nullptr);  // likewise
void check_experiment_tag(const record::KeyValue& tag);
void check_tag_key(const std::string& key);
// In characters.
void check_length(std::string_view what, size_t limit, std::string_view value);
void check_experiment_name(const std::string& name);
void check_dataset(const record::DatasetUse& use);
void check_batch(LogBatch& batch);
// The checked metrics of a request into what it adds to a run; those of a logged model are noted for that too.
void take_metrics(std::vector<BatchMetric> metrics, record::RunBatch& batch);

// An artifact's path, of which nothing may lead out of where it is put. Returns it normalised: no "." and no empty
// parts. Escapes (%2e) that an address was decoded to are undone too: they are disguises. Throws "Invalid path".
std::string safe_path(std::string_view path);

}  // namespace slipway::api
