#include "api/trace_measures.h"

#include <cmath>

#include "api/fixture.h"

namespace slipway::api {
namespace {

class TraceMeasures : public ServerTest {
 protected:
  void trace(const std::string& id, const std::string& name, const std::string& state, int64_t ms, const std::string& env,
             const Json& metadata = Json::object()) {
    good(ask("POST", "/api/3.0/mlflow/traces",
             Json{{"trace",
                   {{"trace_info",
                     {{"trace_id", id},
                      {"trace_location", {{"type", "MLFLOW_EXPERIMENT"}, {"mlflow_experiment", {{"experiment_id", "0"}}}}},
                      {"request_time", id == "tr-4" ? "2025-01-01T01:00:01Z" : "2025-01-01T00:00:01Z"},
                      {"execution_duration", fmt::format("0.{:03}s", ms)},
                      {"state", state},
                      {"trace_metadata", metadata},
                      {"tags", {{"mlflow.traceName", name}, {"env", env}}}}}}}}
                 .dump()));
  }
  void four() {
    trace("tr-1", "a", "OK", 100, "prod", {{"mlflow.trace.session", "s"}, {"mlflow.trace.tokenUsage", R"({"input_tokens": 3, "total_tokens": 5})"}});
    trace("tr-2", "a", "OK", 200, "prod", {{"mlflow.trace.session", "s"}, {"mlflow.trace.tokenUsage", R"({"input_tokens": 4})"}});
    trace("tr-3", "b", "ERROR", 400, "dev");
    trace("tr-4", "b", "OK", 300, "dev", {{"mlflow.trace.session", "t"}});
  }
  Answer metrics(Json request) {
    request.emplace("experiment_ids", Json::array({"0"}));
    request.emplace("view_type", "TRACES");
    return ask("POST", "/api/3.0/mlflow/traces/metrics", request.dump());
  }
  static Json kind(const std::string& type) { return Json::array({{{"aggregation_type", type}}}); }
};

TEST_F(TraceMeasures, GroupsAreCountedAndMeasured) {
  four();
  EXPECT_EQ(good(metrics({{"metric_name", "trace_count"}, {"aggregations", kind("COUNT")}, {"dimensions", {"trace_status"}}})).dump(),
            R"({"data_points":[{"metric_name":"trace_count","dimensions":{"trace_status":"ERROR"},"values":{"COUNT":1.0}},)"
            R"({"metric_name":"trace_count","dimensions":{"trace_status":"OK"},"values":{"COUNT":3.0}}]})");
  EXPECT_EQ(good(metrics({{"metric_name", "session_count"}, {"aggregations", kind("COUNT")}}))["data_points"][0]["values"]["COUNT"], 2);
  const Json latency = good(metrics({{"metric_name", "latency"},
                                     {"dimensions", {"trace_name"}},
                                     {"aggregations", {{{"aggregation_type", "PERCENTILE"}, {"percentile_value", 50}},
                                                       {{"aggregation_type", "AVG"}},
                                                       {{"aggregation_type", 5}},
                                                       {{"aggregation_type", "MAX"}}}}}))["data_points"];
  EXPECT_EQ(latency[0]["values"].dump(), R"({"P50.0":150.0,"AVG":150.0,"MIN":100.0,"MAX":200.0})");
  EXPECT_EQ(latency[1]["dimensions"].dump(), R"({"trace_name":"b"})");
  EXPECT_EQ(good(metrics({{"metric_name", "input_tokens"}, {"aggregations", kind("SUM")}}))["data_points"][0]["values"]["SUM"], 7);
  const Json hours = good(metrics({{"metric_name", "trace_count"}, {"aggregations", kind("COUNT")}, {"time_interval_seconds", 3600}}))["data_points"];
  EXPECT_EQ(hours[0].dump(), R"({"metric_name":"trace_count","dimensions":{"time_bucket":"2025-01-01T00:00:00Z"},"values":{"COUNT":3.0}})");
  EXPECT_EQ(hours[1]["dimensions"]["time_bucket"], "2025-01-01T01:00:00Z");
}

TEST_F(TraceMeasures, FiltersTimesAndPagesHold) {
  four();
  const auto count = [&](Json request) {
    request.emplace("metric_name", "trace_count");
    request.emplace("aggregations", kind("COUNT"));
    const Json points = good(metrics(request)).value("data_points", Json::array());
    return points.empty() ? 0.0 : points[0]["values"]["COUNT"].get<double>();
  };
  EXPECT_EQ(count({{"filters", {"trace.tag.env = 'prod'"}}}), 2);
  EXPECT_EQ(count({{"filters", {"trace.tag.`env` = 'dev'", "trace.status = 'OK'"}}}), 1);
  EXPECT_EQ(count({{"filters", {"trace.metadata.mlflow.trace.session = \"s\""}}}), 2);
  EXPECT_EQ(count({{"start_time_ms", 1'735'693'200'000}}), 1);
  EXPECT_EQ(count({{"end_time_ms", 1}}), 0);
  const Json page = good(metrics({{"metric_name", "trace_count"}, {"aggregations", kind("COUNT")}, {"dimensions", {"trace_name"}}, {"max_results", 1}}));
  EXPECT_EQ(page["data_points"][0]["dimensions"]["trace_name"], "a");
  const Json rest = good(metrics({{"metric_name", "trace_count"}, {"aggregations", kind("COUNT")}, {"dimensions", {"trace_name"}},
                                  {"page_token", page["next_page_token"]}}));
  EXPECT_EQ(rest["data_points"][0]["dimensions"]["trace_name"], "b");
  EXPECT_FALSE(rest.contains("next_page_token"));
  for (const char* bad : {"", "x", "trace.status", "trace.status = OK", "trace.other = 'a'", "trace.tag = 'a'", "span.name = 'a'"}) {
    EXPECT_EQ(metrics({{"metric_name", "trace_count"}, {"aggregations", kind("COUNT")}, {"filters", {bad}}}).status, 400) << bad;
  }
  EXPECT_EQ(metrics({{"metric_name", "none"}, {"aggregations", kind("COUNT")}}).status, 400);
  EXPECT_EQ(metrics({{"metric_name", "latency"}, {"aggregations", kind("COUNT")}}).status, 400);
  EXPECT_EQ(metrics({{"metric_name", "latency"}, {"aggregations", kind("PERCENTILE")}}).status, 400);
  EXPECT_EQ(metrics({{"metric_name", "latency"}, {"aggregations", kind("AVG")}, {"dimensions", {"trace_status"}}}).status, 400);
}

TEST_F(TraceMeasures, SpansAndAssessmentsAreMeasured) {
  const Json span = {{"traceId", "0af7651916cd43dd8448eb211c80319c"},
                     {"spanId", "b7ad6b7169203331"},
                     {"name", "chat"},
                     {"startTimeUnixNano", "1735689600000000000"},
                     {"endTimeUnixNano", "1735689600250000000"},
                     {"attributes",
                      {{{"key", "mlflow.spanType"}, {"value", {{"stringValue", "LLM"}}}},
                       {{"key", "mlflow.llm.model"}, {"value", {{"stringValue", "tiny"}}}},
                       {{"key", "mlflow.llm.cost"}, {"value", {{"stringValue", R"({"total_cost": 0.5})"}}}}}}};
  good(ask("POST", "/v1/traces", Json{{"resourceSpans", {{{"scopeSpans", {{{"spans", {span}}}}}}}}}.dump(), {{"x-mlflow-experiment-id", "0"}}));
  const auto spans = [&](const std::string& metric, const std::string& type, const Json& dimensions) {
    return good(metrics({{"view_type", "SPANS"}, {"metric_name", metric}, {"aggregations", kind(type)}, {"dimensions", dimensions}}))["data_points"];
  };
  EXPECT_EQ(spans("latency", "MAX", {"span_name"}).dump(),
            R"([{"metric_name":"latency","dimensions":{"span_name":"chat"},"values":{"MAX":250.0}}])");
  EXPECT_EQ(spans("span_count", "COUNT", {"span_type"})[0]["dimensions"]["span_type"], "LLM");
  EXPECT_EQ(spans("total_cost", "SUM", {"span_model_name"}).dump(),
            R"([{"metric_name":"total_cost","dimensions":{"span_model_name":"tiny"},"values":{"SUM":0.5}}])");
  for (const bool value : {true, true, false}) {
    good(ask("POST", "/api/3.0/mlflow/traces/tr-0af7651916cd43dd8448eb211c80319c/assessments",
             Json{{"assessment", {{"assessment_name", "good"}, {"source", {{"source_type", "HUMAN"}}}, {"feedback", {{"value", value}}}}}}.dump()));
  }
  const Json said = good(metrics({{"view_type", "ASSESSMENTS"}, {"metric_name", "assessment_count"}, {"aggregations", kind("COUNT")},
                                  {"dimensions", {"assessment_value"}}, {"filters", {"assessment.name = 'good'"}}}))["data_points"];
  EXPECT_EQ(said[1].dump(), R"({"metric_name":"assessment_count","dimensions":{"assessment_value":"true"},"values":{"COUNT":2.0}})");
}

TEST_F(TraceMeasures, SearchesThatFindTheSameGoTogether) {
  four();
  const auto correlation = [&](const std::string& one, const std::string& two, const std::string& base = "") {
    return ask("POST", "/api/3.0/mlflow/traces/calculate-filter-correlation",
               Json{{"experiment_ids", {"0"}}, {"filter_string1", one}, {"filter_string2", two}, {"base_filter", base}}.dump());
  };
  const Json same = good(correlation("tags.env = 'prod'", "name = 'a'"));
  EXPECT_NEAR(same["npmi"].get<double>(), 1, 1e-12);
  EXPECT_EQ(same["filter1_count"], 2);
  EXPECT_EQ(same["joint_count"], 2);
  EXPECT_EQ(same["total_count"], 4);
  EXPECT_GT(same["npmi_smoothed"], 0.5);
  EXPECT_EQ(good(correlation("tags.env = 'prod'", "name = 'b'"))["npmi"], -1.0);
  EXPECT_EQ(good(correlation("tags.env = 'none'", "name = 'b'"))["npmi"], "NaN");
  EXPECT_EQ(good(correlation("name = 'b'", "status = 'ERROR'", "tags.env = 'dev'"))["total_count"], 2);
  EXPECT_EQ(correlation("nothing.x = 'y'", "name = 'b'").status, 400);
  // By hand: ln(6*10 / (6*7)) / -ln(6/10).
  EXPECT_NEAR((Correlation{6, 7, 6, 10}.npmi(0)), std::log(10.0 / 7) / std::log(10.0 / 6), 1e-12);
}

}  // namespace
}  // namespace slipway::api
