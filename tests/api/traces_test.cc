// Traces and assessments over HTTP: the forms of both versions, errors, what the search understands.
#include "api/fixture.h"
#include "api/trace_messages.h"
#include "record/trace_json.h"

namespace slipway::api {
namespace {

class TracesApi : public ServerTest {
 protected:
  Answer post3(const std::string& path, const Json& body) {
    return ask("POST", "/api/3.0/mlflow/" + path, body.dump());
  }
  Answer get3(const std::string& path) { return ask("GET", "/api/3.0/mlflow/" + path); }
  Json info(const std::string& id, const Json& more = Json::object()) {
    Json info = {{"trace_id", id},
                 {"trace_location", {{"type", "MLFLOW_EXPERIMENT"}, {"mlflow_experiment", {{"experiment_id", "0"}}}}},
                 {"request_time", "2025-01-02T03:04:05.678Z"},
                 {"execution_duration", "0.175s"},
                 {"state", "OK"},
                 {"trace_metadata", {{"k", "v"}}},
                 {"tags", {{"mlflow.traceName", "n"}}}};
    info.update(more);
    return info;
  }
  void start(const std::string& id, const Json& more = Json::object()) {
    good(post3("traces", {{"trace", {{"trace_info", info(id, more)}}}}));
  }
  std::vector<std::string> search(const std::string& filter, const Json& order = Json::array()) {
    const Json body = good(post3(
        "traces/search",
        {{"locations", {{{"mlflow_experiment", {{"experiment_id", "0"}}}}}}, {"filter", filter}, {"order_by", order}}));
    std::vector<std::string> ids;
    for (const Json& trace : body.value("traces", Json::array())) {
      ids.push_back(trace["trace_id"]);
    }
    return ids;
  }
};

TEST_F(TracesApi, ATraceIsWhatWasTold) {
  start("tr-1");
  const Json trace = good(get3("traces/tr-1"))["trace"]["trace_info"];
  EXPECT_EQ(trace["request_time"], "2025-01-02T03:04:05.678Z");
  EXPECT_EQ(trace["execution_duration"], "0.175s");
  EXPECT_EQ(trace["state"], "OK");
  EXPECT_EQ(trace["trace_metadata"]["k"], "v");
  EXPECT_EQ(trace["tags"]["mlflow.artifactLocation"], "mlflow-artifacts:/0/traces/tr-1/artifacts");
  EXPECT_EQ(trace["trace_location"]["mlflow_experiment"]["experiment_id"], "0");
  EXPECT_EQ(fault(get3("traces/tr-2")), "404 RESOURCE_DOES_NOT_EXIST: Trace with ID 'tr-2' not found.");
  EXPECT_EQ(fault(get3("traces/get?trace_id=tr-1")),
            "404 RESOURCE_DOES_NOT_EXIST: Trace with ID tr-1 is not fully exported yet, please try again later.");
  EXPECT_EQ(good(get3("traces/get?trace_id=tr-1&allow_partial=true"))["trace"]["trace_info"]["trace_id"], "tr-1");
}

TEST_F(TracesApi, VersionTwoIsTheSameTrace) {
  const Json started = good(post("traces", {{"experiment_id", "0"},
                                            {"timestamp_ms", 1000},
                                            {"request_metadata", {{{"key", "a"}, {"value", "b"}}}},
                                            {"tags", {{{"key", "t"}, {"value", "1"}}}}}))["trace_info"];
  const std::string id = started["request_id"];
  EXPECT_EQ(started["status"], "IN_PROGRESS");
  const Json ended =
      good(ask("PATCH", "/api/2.0/mlflow/traces/" + id, Json({{"timestamp_ms", 1250}, {"status", "OK"}}).dump()));
  EXPECT_EQ(ended["trace_info"]["execution_time_ms"], 250);
  EXPECT_EQ(good(get("traces/" + id + "/info"))["trace_info"]["request_metadata"][0]["value"], "b");
  EXPECT_EQ(good(get3("traces/" + id))["trace"]["trace_info"]["execution_duration"], "0.250s");
  EXPECT_EQ(good(get("traces?experiment_ids=0"))["traces"][0]["request_id"], id);
}

TEST_F(TracesApi, SearchUnderstandsItsGrammar) {
  start("tr-1", {{"tags", {{"mlflow.traceName", "one"}}}});
  start("tr-2", {{"request_time", "2025-01-02T03:04:06Z"}, {"state", "ERROR"}});
  EXPECT_EQ(search(""), (std::vector<std::string>{"tr-2", "tr-1"}));
  EXPECT_EQ(search("", {"timestamp_ms ASC"}), (std::vector<std::string>{"tr-1", "tr-2"}));
  EXPECT_EQ(search("name IN ('one', 'two')"), (std::vector<std::string>{"tr-1"}));
  EXPECT_EQ(search("trace.status = 'ERROR' AND timestamp > 5"), (std::vector<std::string>{"tr-2"}));
  EXPECT_EQ(search("request_id = 'tr-1'"), (std::vector<std::string>{"tr-1"}));
  const auto refusal = [&](const std::string& filter) {
    return fault(post3("traces/search",
                       {{"locations", {{{"mlflow_experiment", {{"experiment_id", "0"}}}}}}, {"filter", filter}}));
  };
  EXPECT_EQ(refusal("nothing = 'x'").substr(0, 64), "400 INVALID_PARAMETER_VALUE: Invalid attribute key 'nothing' spe");
  EXPECT_EQ(
      refusal("feedback.a > 'x'"),
      "400 INVALID_PARAMETER_VALUE: Expected a numeric value for feedback when using comparator '>'. Got value 'x'");
  EXPECT_EQ(refusal("span.content = 'x'"),
            "400 INVALID_PARAMETER_VALUE: span.content comparator '=' not one of '{'ILIKE', 'LIKE'}'");
  EXPECT_EQ(
      refusal("prompt = 'x'"),
      "400 INVALID_PARAMETER_VALUE: Invalid prompts filter value 'x'. Expected format: prompt = \"name/version\"");
  EXPECT_EQ(refusal("tags.a RLIKE '('").substr(0, 60), "400 INVALID_PARAMETER_VALUE: Invalid regular expression '(':");
}

TEST_F(TracesApi, AssessmentsAreMadeChangedAndReplaced) {
  start("tr-1");
  const Json feedback = {{"assessment",
                          {{"assessment_name", "good"},
                           {"source", {{"source_type", "HUMAN"}, {"source_id", "me"}}},
                           {"feedback", {{"value", {1, 2}}}},
                           {"metadata", {{"a", "b"}}}}}};
  const Json made = good(post3("traces/tr-1/assessments", feedback))["assessment"];
  const std::string one = "/api/3.0/mlflow/traces/tr-1/assessments/" + made["assessment_id"].get<std::string>();
  EXPECT_EQ(made["feedback"]["value"], Json({1, 2}));
  EXPECT_EQ(made["valid"], true);
  const Json change = {{"assessment", {{"rationale", "because"}, {"feedback", {{"value", "x"}}}}},
                       {"update_mask", "rationale,feedback"}};
  EXPECT_EQ(good(ask("PATCH", one, change.dump()))["assessment"]["rationale"], "because");
  EXPECT_EQ(good(ask("GET", one))["assessment"]["feedback"]["value"], "x");
  const Json expectation = {
      {"assessment",
       {{"assessment_name", "e"},
        {"expectation", {{"serialized_value", {{"serialization_format", "JSON_FORMAT"}, {"value", "[1]"}}}}}}}};
  EXPECT_EQ(
      good(post3("traces/tr-1/assessments", expectation))["assessment"]["expectation"]["serialized_value"]["value"],
      "[1]");
  EXPECT_EQ(fault(post3("traces/tr-1/assessments", {{"assessment", {{"assessment_name", "e"}}}})),
            "400 INVALID_PARAMETER_VALUE: Unknown assessment type: None");
  EXPECT_EQ(ask("DELETE", one, "{}").status, 200);
  EXPECT_EQ(ask("GET", one).status, 404);
}

TEST_F(TracesApi, TagsOfTheServerAreItsOwn) {
  start("tr-1");
  const Json tag = {{"key", "mlflow.trace.spansLocation"}, {"value", "x"}};
  EXPECT_EQ(fault(ask("PATCH", "/api/3.0/mlflow/traces/tr-1/tags", tag.dump())),
            "400 INVALID_PARAMETER_VALUE: Tag 'mlflow.trace.spansLocation' is immutable and cannot be set on a trace.");
  good(ask("PATCH", "/api/3.0/mlflow/traces/tr-1/tags", R"({"key": "k", "value": "v"})"));
  EXPECT_EQ(good(get3("traces/tr-1"))["trace"]["trace_info"]["tags"]["k"], "v");
  good(ask("DELETE", "/api/3.0/mlflow/traces/tr-1/tags", R"({"key": "k"})"));
  EXPECT_EQ(ask("DELETE", "/api/3.0/mlflow/traces/tr-1/tags", R"({"key": "k"})").status, 404);
}

TEST(TraceMessages, TimesAreThoseOfProtobuf) {
  EXPECT_EQ(timestamp_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(timestamp_text(-1), "1969-12-31T23:59:59.999Z");
  for (const int64_t ms : {int64_t{0}, int64_t{1735787045678}, int64_t{-86'400'001}, int64_t{253'402'300'799'999}}) {
    EXPECT_EQ(record::timestamp_ms(timestamp_text(ms), "t"), ms);
    EXPECT_EQ(record::duration_ms(duration_text(ms), "d"), ms);
  }
  EXPECT_EQ(record::timestamp_ms("2025-01-02T03:04:05.123456789+01:30", "t"), record::timestamp_ms("2025-01-02T01:34:05.123Z", "t"));
  EXPECT_EQ(record::duration_ms("1.5s", "d"), 1500);
  for (const char* bad :
       {"", "2025-01-02", "2025-13-02T03:04:05Z", "2025-01-02T03:04:05", "2025-01-02T03:04:05.Zx", "yesterday"}) {
    EXPECT_THROW(record::timestamp_ms(bad, "t"), record::FieldFault) << bad;
  }
  for (const char* bad : {"", "s", "1", "1.s", "1.xs", "--1s", "99999999999999999999s"}) {
    EXPECT_THROW(record::duration_ms(bad, "d"), record::FieldFault) << bad;
  }
}

}  // namespace
}  // namespace slipway::api
