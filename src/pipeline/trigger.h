// How an alert becomes a retraining: a request is a run that awaits approval; once approved, the runner begins it
// (RunnerOptions::run_id). Any thread.
#pragma once

#include <string>
#include <vector>

#include "record/stores.h"

namespace slipway::pipeline {

using base::Json;

// Records that `alert_id` (of an event "alert:…") asks to retrain `project`: a run awaiting approval, the event
// "retrain_requested" and the edge alert -> run. While a request of the project awaits approval, further alerts are
// added to it and no second run is made. `now_ms` is the time of the request.
record::Run request_retrain(record::Store& store, const std::string& project, const std::string& alert_id,
                            const Json& evidence, int64_t now_ms);

// The requests of a project ("" = all) that await approval or, approved, their beginning; newest first.
std::vector<record::Run> pending_retrains(record::Store& store, const std::string& project);

// `who` allows the run to begin; event "retrain_approved". Approving twice changes nothing. Throws kNotFound, kConflict
// when the run does not await approval.
void approve(record::Store& store, const std::string& run_id, const std::string& who, int64_t now_ms);
bool is_approved(record::Store& store, const std::string& run_id);

// Ends the request as killed; event "retrain_rejected" with the reason.
void reject(record::Store& store, const std::string& run_id, const std::string& who, const std::string& reason,
            int64_t now_ms);

}  // namespace slipway::pipeline
