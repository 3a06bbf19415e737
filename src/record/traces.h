// Traces: what an application did for one request, as a tree of spans, with what people and judges say about it. Plain
// values, and the interfaces to them; promises and errors are those of tracking_stores.h. Times are milliseconds since
// 1970 UTC, those of spans nanoseconds.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "record/tracking.h"

namespace slipway::record {

constexpr const char* kTraceNameTag = "mlflow.traceName";
constexpr const char* kSourceRunKey = "mlflow.sourceRun";    // metadata: the run that was active
constexpr const char* kSessionKey = "mlflow.trace.session";  // metadata
constexpr const char* kUserKey = "mlflow.trace.user";        // metadata

// The states of a trace; stored.
constexpr const char* kTraceOk = "OK";
constexpr const char* kTraceFailed = "ERROR";
constexpr const char* kTraceRuns = "IN_PROGRESS";

// What somebody says about a trace or one of its spans.
struct Assessment {
  std::string id;  // "a-" and 32 hex digits, the caller's
  std::string trace_id;
  std::string kind;  // "feedback", "expectation" or "issue"; stored
  std::string name;
  base::Json value;  // any; of an issue null
  base::Json error;  // null, or an object: error_code, error_message, stack_trace
  std::string issue_name;
  std::string source_type;
  std::string source_id;
  std::string span_id;  // "" when it is about the trace
  std::optional<std::string> rationale;
  std::vector<KeyValue> metadata;
  std::string overrides;  // the id of the one that it replaces
  bool valid = true;      // false: another one replaces it
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
};

// What is left out stays; metadata is added to what there is.
struct AssessmentChange {
  std::optional<std::string> name;
  std::optional<base::Json> feedback;     // the new value; kInvalid for another kind
  std::optional<base::Json> expectation;  // likewise
  base::Json error;                       // with feedback
  std::optional<std::string> rationale;
  std::vector<KeyValue> metadata;
  std::optional<bool> valid;
};

struct TraceSpan {
  std::string id;      // 16 hex digits
  std::string parent;  // "" for the root
  std::string name;
  std::string type;    // "LLM", …; "" when not said
  std::string status;  // "OK", "ERROR" or "UNSET"
  int64_t start_ns = 0;
  int64_t end_ns = 0;   // 0 while it goes on
  std::string content;  // all of it, as JSON: docs/formats/store.md
};

struct Trace {
  std::string id;  // "tr-" and 32 hex digits, the caller's
  std::string experiment_id;
  std::optional<std::string> client_request_id;
  std::optional<std::string> request_preview;
  std::optional<std::string> response_preview;
  std::string state = kTraceRuns;
  int64_t started_ms = 0;
  std::optional<int64_t> duration_ms;
  std::vector<KeyValue> metadata;  // by key, as tags
  std::vector<KeyValue> tags;
  std::vector<Assessment> assessments;  // in the order they were made
  std::vector<TraceSpan> spans;         // when asked for; in order of start
};

// Spans of one trace that arrive together, and what the trace takes from them when it is not known from elsewhere.
struct SpanBatch {
  std::string trace_id;
  std::vector<TraceSpan> spans;
  std::string state;  // of the root among them; "" when there is none
  std::optional<std::string> request_preview;
  std::optional<std::string> response_preview;
  std::vector<KeyValue> tags;      // replace
  std::vector<KeyValue> metadata;  // only where there is none of that key
};

struct TraceRemoval {
  std::string experiment_id;
  std::optional<int64_t> until_ms;     // that began by then
  std::optional<int64_t> max_traces;   // the oldest of them
  std::vector<std::string> trace_ids;  // among these; empty: all
};

class TraceStore {
 public:
  virtual ~TraceStore() = default;
  // Creates it, or completes one that spans made. `complete`: its times are final, spans no longer move them.
  virtual Trace start(const Trace& trace, bool complete) = 0;
  // Metadata and tags are added; the duration is from its start to `end_ms`.
  virtual Trace end(const std::string& id, int64_t end_ms, const std::string& state, std::span<const KeyValue> metadata,
                    std::span<const KeyValue> tags) = 0;
  // Creates the traces that are not there, in that experiment. One transaction.
  virtual void add_spans(const std::string& experiment_id, std::span<const SpanBatch> batches) = 0;
  virtual std::optional<Trace> find(const std::string& id, bool spans) = 0;
  // Attributes of conditions and orderings: trace_id, timestamp_ms, execution_time_ms, end_time_ms, status,
  // client_request_id, experiment_id, prompt ("name/version"); of spans: name, type, status, content, attributes.KEY.
  // Then always the newest first, and by id. Without spans.
  virtual Page<Trace> search(const Query& query) = 0;
  // How many.
  virtual int64_t remove(const TraceRemoval& removal) = 0;
  // Without a value the tag goes; one that is not there is kNotFound then.
  virtual void change_tag(const std::string& id, const std::string& key, const std::optional<std::string>& value) = 0;
  // `kind`: "run" (target is its id; clients link what they send later: "tr-…" begins then) or "prompt" ("name/version"); stored. Others that are not there are left out.
  virtual void link(const std::string& kind, std::span<const std::string> trace_ids, const std::string& target) = 0;
};

class AssessmentStore {
 public:
  virtual ~AssessmentStore() = default;
  virtual Assessment create(Assessment assessment) = 0;
  virtual Assessment find(const std::string& trace_id, const std::string& id) = 0;
  virtual Assessment change(const std::string& trace_id, const std::string& id, const AssessmentChange& change) = 0;
  // The one that it replaced is valid again. One that is not there: nothing.
  virtual void remove(const std::string& trace_id, const std::string& id) = 0;
};

class Traces {
 public:
  virtual ~Traces() = default;
  virtual TraceStore& traces() = 0;
  virtual AssessmentStore& assessments() = 0;
};

}  // namespace slipway::record
