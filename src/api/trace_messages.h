// Traces and assessments between record's structs and MLflow's messages, in protobuf's JSON. Pure; what a client sends
// wrongly throws ApiError(INVALID_PARAMETER_VALUE).
#pragma once

#include <string>
#include <string_view>

#include "api/errors.h"
#include "record/traces.h"

namespace slipway::api {

// google.protobuf.Timestamp and Duration: "2025-01-02T03:04:05.678Z", "0.175s".
std::string timestamp_text(int64_t unix_ms);
std::string duration_text(int64_t ms);

// TraceInfoV3.
record::Trace trace_of(const Json& info, int64_t now_ms);
Json trace_info(const record::Trace& trace);
// TraceInfo, of version 2.
Json trace_info_v2(const record::Trace& trace);
// mlflow.Trace: trace_info and spans.
Json trace_answer(const record::Trace& trace);

record::Assessment assessment_of(const Json& message, const std::string& trace_id, int64_t now_ms);
record::AssessmentChange assessment_change(const Json& message, const Json& mask);
Json assessment_answer(const record::Assessment& assessment);

}  // namespace slipway::api
