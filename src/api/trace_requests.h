// The requests of traces, as messages.h has those of runs.
#pragma once

#include "api/messages.h"
#include "api/permission.h"

namespace slipway::api {

constexpr int64_t kMaxTraces = 500;  // a page

// A member of a message that is kept as JSON; null where there is none.
inline const Json& member(const Json& object, const char* key) {
  static const Json kNone;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() ? *found : kNone;
}
// The experiment of a TraceLocation. Another kind of location names none: that needs the role everywhere.
inline void add_experiment(const Json& location, Subjects& subjects) {
  const Json& id = member(member(location, "mlflow_experiment"), "experiment_id");
  subjects.experiments.push_back(id.is_string() ? id.get<std::string>() : std::string());
}

struct StartTrace {
  Json trace;
};
template <>
struct Table<StartTrace> {
  static constexpr std::array kFields = {field<&StartTrace::trace>("trace", kRequired)};
  // Its experiment, and itself when it is there already.
  static void add_subjects(const StartTrace& message, Subjects& subjects) {
    const Json& info = member(message.trace, "trace_info");
    const Json& id = member(info, "trace_id");
    if (id.is_string()) {
      subjects.new_traces.push_back(id.get<std::string>());
    }
    add_experiment(member(info, "trace_location"), subjects);
  }
};

struct TraceId {
  std::string trace_id;
};
template <>
struct Table<TraceId> {
  static constexpr std::array kFields = {field<&TraceId::trace_id>("trace_id", kRequired, "request_id")};
};

struct GetTrace {
  std::string trace_id;
  bool allow_partial = false;
};
template <>
struct Table<GetTrace> {
  using M = GetTrace;
  static constexpr std::array kFields = {field<&M::trace_id>("trace_id", kRequired),
                                         field<&M::allow_partial>("allow_partial")};
};

struct BatchTraces {
  std::vector<std::string> trace_ids;
  std::vector<std::string> experiment_ids;  // only of these; none: of all
};
template <>
struct Table<BatchTraces> {
  using M = BatchTraces;
  static constexpr std::array kFields = {field<&M::trace_ids>("trace_ids", kRequired | kNotEmptyList, {}, kMaxTraces),
                                         field<&M::experiment_ids>("experiment_ids")};
};

struct SearchTraces {
  Json locations;                           // of version 3
  std::vector<std::string> experiment_ids;  // of version 2
  std::string filter;
  int64_t max_results = 100;
  std::vector<std::string> order_by;
  std::string page_token;
};
template <>
struct Table<SearchTraces> {
  using M = SearchTraces;
  static constexpr std::array kFields = {
      field<&M::locations>("locations"), field<&M::experiment_ids>("experiment_ids"),
      field<&M::filter>("filter"),       field<&M::max_results>("max_results", kPlain, {}, kMaxTraces),
      field<&M::order_by>("order_by"),   field<&M::page_token>("page_token")};
  static void add_subjects(const SearchTraces& message, Subjects& subjects) {
    if (message.locations.is_array()) {
      for (const Json& location : message.locations) {
        add_experiment(location, subjects);
      }
    }
  }
};

struct DeleteTraces {
  std::string experiment_id;
  std::optional<int64_t> max_timestamp_millis;
  std::optional<int64_t> max_traces;
  std::vector<std::string> request_ids;
};
template <>
struct Table<DeleteTraces> {
  using M = DeleteTraces;
  static constexpr std::array kFields = {field<&M::experiment_id>("experiment_id", kRequired),
                                         field<&M::max_timestamp_millis>("max_timestamp_millis"),
                                         field<&M::max_traces>("max_traces"), field<&M::request_ids>("request_ids")};
};

struct TraceTag {
  std::string trace_id;
  std::string key;
  std::string value;
};
template <>
struct Table<TraceTag> {
  using M = TraceTag;
  static constexpr std::array kFields = {field<&M::trace_id>("trace_id", kRequired, "request_id"),
                                         field<&M::key>("key", kRequired), field<&M::value>("value")};
};

struct LinkTraces {
  std::vector<std::string> trace_ids;
  std::string run_id;
};
template <>
struct Table<LinkTraces> {
  using M = LinkTraces;
  static constexpr std::array kFields = {field<&M::trace_ids>("trace_ids", kRequired),
                                         field<&M::run_id>("run_id", kRequired)};
  // Its client may send a trace after this.
  static void add_subjects(const LinkTraces&, Subjects& subjects) { subjects.new_traces.swap(subjects.traces); }
};

struct PromptVersion {
  std::string name;
  std::string version;
};
template <>
struct Table<PromptVersion> {
  using M = PromptVersion;
  static constexpr std::array kFields = {field<&M::name>("name", kRequired), field<&M::version>("version", kRequired)};
};

struct LinkPrompts {
  std::string trace_id;
  std::vector<PromptVersion> prompt_versions;
};
template <>
struct Table<LinkPrompts> {
  using M = LinkPrompts;
  static constexpr std::array kFields = {field<&M::trace_id>("trace_id", kRequired),
                                         field<&M::prompt_versions>("prompt_versions", kRequired)};
};

struct StartTraceV2 {
  std::string experiment_id;
  int64_t timestamp_ms = 0;
  std::vector<record::KeyValue> request_metadata;
  std::vector<record::KeyValue> tags;
};
template <>
struct Table<StartTraceV2> {
  using M = StartTraceV2;
  static constexpr std::array kFields = {field<&M::experiment_id>("experiment_id", kRequired),
                                         field<&M::timestamp_ms>("timestamp_ms", kRequired),
                                         field<&M::request_metadata>("request_metadata"), field<&M::tags>("tags")};
};

struct EndTraceV2 {
  std::string trace_id;
  int64_t timestamp_ms = 0;
  std::string status;
  std::vector<record::KeyValue> request_metadata;
  std::vector<record::KeyValue> tags;
};
template <>
struct Table<EndTraceV2> {
  using M = EndTraceV2;
  static constexpr std::array kFields = {
      field<&M::trace_id>("request_id", kRequired), field<&M::timestamp_ms>("timestamp_ms", kRequired),
      field<&M::status>("status", kRequired), field<&M::request_metadata>("request_metadata"), field<&M::tags>("tags")};
};

struct AssessmentRequest {
  std::string trace_id;
  std::string assessment_id;
  Json assessment;
  Json update_mask;
};
template <>
struct Table<AssessmentRequest> {
  using M = AssessmentRequest;
  static constexpr std::array kFields = {field<&M::trace_id>("trace_id", kRequired),
                                         field<&M::assessment_id>("assessment_id"), field<&M::assessment>("assessment"),
                                         field<&M::update_mask>("update_mask")};
};

}  // namespace slipway::api
