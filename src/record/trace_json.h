// Traces and assessments read from MLflow's messages, in protobuf's JSON (TraceInfoV3, Assessment): what clients send, servers
// answer and stores keep. Untrusted. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "record/traces.h"

namespace slipway::record {

// A field that is missing or of another type, kInvalid.
class FieldFault : public base::Error {
 public:
  FieldFault(std::string_view name, base::Json value, bool missing);
  const std::string& name() const noexcept { return name_; }
  const base::Json& value() const noexcept { return value_; }
  bool missing() const noexcept { return missing_; }

 private:
  std::string name_;
  base::Json value_;
  bool missing_;
};

// google.protobuf.Timestamp and Duration: "2025-01-02T03:04:05.678Z", "0.175s". Throw FieldFault with `name`.
int64_t timestamp_ms(const base::Json& value, std::string_view name);
int64_t duration_ms(const base::Json& value, std::string_view name);

// Throw FieldFault, and Error(kInvalid) for what is no assessment. `now_ms` stands for times that are not said.
Trace trace_from_json(const base::Json& info, int64_t now_ms);
Assessment assessment_from_json(const base::Json& message, const std::string& trace_id, int64_t now_ms);
// `mask`: the fields that change.
AssessmentChange assessment_change_from_json(const base::Json& message, const base::Json& mask);

// JSON as Python writes it: ", " and ": ". Searches in the contents of spans depend on it.
std::string python_json_text(const base::Json& value);

}  // namespace slipway::record
