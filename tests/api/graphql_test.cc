#include "api/graphql.h"

#include "api/errors.h"
#include "api/fixture.h"
#include "api/secured.h"

namespace slipway::api {
namespace {

using graphql::excess_of;
using graphql::parse_document;

class GraphqlTest : public ServerTest {
 protected:
  Json graphql(const std::string& query, const Json& variables = nullptr, const std::string& operation = {}) {
    Json request = {{"query", query}};
    if (!variables.is_null()) {
      request["variables"] = variables;
    }
    if (!operation.empty()) {
      request["operationName"] = operation;
    }
    return good(ask("POST", "/graphql", request.dump()));
  }
  std::string refusal(const std::string& query, const Json& variables = nullptr) {
    const Json answer = graphql(query, variables);
    EXPECT_TRUE(answer.at("data").is_null()) << answer;
    return answer.at("errors").at(0).get<std::string>();
  }
  std::string run() {
    const Json made = good(post("runs/create", {{"experiment_id", "0"}, {"run_name", "first"}, {"start_time", 5}}));
    return made["run"]["info"]["run_id"].get<std::string>();
  }
};

TEST_F(GraphqlTest, ARunComesWithItsExperimentAndVersions) {
  const std::string id = run();
  good(post("runs/log-batch", {{"run_id", id},
                               {"metrics", {{{"key", "odd"}, {"value", "NaN"}, {"timestamp", 1}, {"step", 2}}}},
                               {"params", {{{"key", "lr"}, {"value", "0.1"}}}}}));
  good(post("registered-models/create", {{"name", "m"}}));
  good(post("model-versions/create", {{"name", "m"}, {"source", "runs:/" + id + "/model"}, {"run_id", id}}));
  const Json answer = graphql(R"(
    query GetRun($data: MlflowGetRunInput!) @component(name: "Test") {
      mlflowGetRun(input: $data) {
        apiError { code }
        run { info { ...Info endTime } experiment { name } modelVersions { name version }
              data { metrics { key value step } params { key value } tags { value } } }
      }
    }
    fragment Info on MlflowRunInfo { __typename status started: startTime })",
                              {{"data", {{"runId", id}}}}, "GetRun");
  EXPECT_TRUE(answer.at("errors").is_null());
  EXPECT_EQ(answer.at("data").dump(),
            R"({"mlflowGetRun":{"apiError":null,"run":{"info":{"__typename":"MlflowRunInfo","status":"RUNNING","started":"5",)"
            R"("endTime":"0"},"experiment":{"name":"Default"},"modelVersions":[{"name":"m","version":"1"}],"data":{"metrics":)"
            R"([{"key":"odd","value":null,"step":"2"}],"params":[{"key":"lr","value":"0.1"}],"tags":[{"value":"first"}]}}}})");
}

TEST_F(GraphqlTest, EveryCallAnswers) {
  const std::string id = run();
  good(post("runs/log-metric", {{"run_id", id}, {"key", "loss"}, {"value", 0.5}, {"timestamp", 1}, {"step", 3}}));
  good(post("runs/log-inputs", {{"run_id", id}, {"datasets", {{{"dataset", {{"name", "d"}, {"digest", "1"}, {"source_type", "s"}, {"source", "x"}}}}}}}));
  const Json read = graphql(fmt::format(R"({{
      mlflowGetExperiment(input: {{experimentId: "0"}}) {{ experiment {{ name }} }}
      files: mlflowListArtifacts(input: {{runId: "{0}"}}) {{ rootUri files {{ path isDir fileSize }} }}
      mlflowGetMetricHistoryBulkInterval(input: {{runIds: ["{0}"], metricKey: "loss", maxResults: 10}}) {{ metrics {{ value step runId }} }}
      mlflowSearchModelVersions(input: {{filter: "name='none'"}}) {{ modelVersions {{ name }} nextPageToken }}
      mlflowSearchRuns(input: {{experimentIds: ["0"], runViewType: ALL}}) {{ runs {{ info {{ runId }} }} }} }})",
                                        id))
                        .at("data");
  EXPECT_EQ(read["mlflowGetExperiment"]["experiment"]["name"], "Default");
  EXPECT_EQ(read["files"]["files"], Json::array());
  EXPECT_EQ(read["mlflowGetMetricHistoryBulkInterval"]["metrics"].dump(),
            fmt::format(R"([{{"value":0.5,"step":"3","runId":"{}"}}])", id));
  EXPECT_EQ(read["mlflowSearchModelVersions"].dump(), R"({"modelVersions":[],"nextPageToken":""})");
  EXPECT_EQ(read["mlflowSearchRuns"]["runs"].dump(), fmt::format(R"([{{"info":{{"runId":"{}"}}}}])", id));
  const Json datasets = graphql("mutation { mlflowSearchDatasets(input: {experimentIds: [\"0\"]}) { datasetSummaries { name context } } }");
  EXPECT_EQ(datasets["data"].dump(), R"({"mlflowSearchDatasets":{"datasetSummaries":[{"name":"d","context":""}]}})");
  EXPECT_EQ(graphql("{ test(inputString: \"\"\"\n  a\n    b\n\"\"\") { output } }")["data"]["test"]["output"], "a\n  b");
}

TEST_F(GraphqlTest, ACallThatFailsIsToldAndTheOthersAnswer) {
  const Json answer = graphql("{ mlflowGetRun(input: {runId: \"none\"}) { run { info { runId } } } test(inputString: \"x\") { output } }");
  EXPECT_TRUE(answer["data"]["mlflowGetRun"].is_null());
  EXPECT_EQ(answer["data"]["test"]["output"], "x");
  EXPECT_EQ(answer["errors"], Json::array({"Run with id=none not found"}));
}

TEST_F(GraphqlTest, WhatIsNotSoundAsksNothing) {
  EXPECT_EQ(refusal("{ nothing { x } }"), "Cannot query field 'nothing' on type 'Query'.");
  EXPECT_EQ(refusal("{ mlflowSearchDatasets(input: {}) { datasetSummaries { name } } }"),
            "Cannot query field 'mlflowSearchDatasets' on type 'Query'.");
  EXPECT_EQ(refusal("{ mlflowGetRun(input: {}) { run { other } } }"), "Cannot query field 'other' on type 'MlflowRunExtension'.");
  EXPECT_EQ(refusal("{ mlflowGetRun(input: {id: 1}) { run { info { runId } } } }"),
            "Field 'id' is not defined by type 'MlflowGetRunInput'.");
  EXPECT_EQ(refusal("{ mlflowGetRun(input: {}) { run } }"),
            "Field 'run' of type 'MlflowRunExtension' must have a selection of subfields. Did you mean 'run { ... }'?");
  EXPECT_EQ(refusal("{ test(inputString: \"x\") { output { y } } }"),
            "Field 'output' must not have a selection since it has no subfields.");
  EXPECT_EQ(refusal("{ test(other: 1) { output } }"), "Unknown argument 'other' on field 'Query.test'.");
  EXPECT_EQ(refusal("{ ...A }"), "Unknown fragment 'A'.");
  EXPECT_EQ(refusal("query q($a: String!) { test(inputString: $a) { output } }"),
            "Variable '$a' of a required type was not provided.");
  EXPECT_EQ(refusal("query a { test(inputString: \"x\") { output } } query b { test(inputString: \"x\") { output } }"),
            "Must provide operation name if query contains multiple operations.");
  EXPECT_EQ(fault(ask("POST", "/graphql", R"({"query": "{ a("})")),
            "400 INVALID_PARAMETER_VALUE: Syntax Error: expected a name, found the end (line 1, column 5)");
}

using GraphqlSecurity = SecuredTest;

TEST_F(GraphqlSecurity, EachCallAsksForWhatItsRouteDoes) {
  const std::string mine = experiment("mine");
  const std::string other = experiment("other");
  const auto asked = [&](const std::string& who, const std::string& id) {
    const Json request = {{"query", fmt::format("{{ mlflowGetExperiment(input: {{experimentId: \"{}\"}}) {{ experiment {{ name }} }} }}", id)}};
    return as(who, "POST", "/graphql", request.dump());
  };
  EXPECT_EQ(good(asked("ann", mine))["data"]["mlflowGetExperiment"]["experiment"]["name"], "mine");
  const Json refused = good(asked("ann", other));
  EXPECT_TRUE(refused["data"]["mlflowGetExperiment"].is_null());
  EXPECT_EQ(refused["errors"].size(), 1U);
  EXPECT_EQ(good(asked("viewer", other))["data"]["mlflowGetExperiment"]["experiment"]["name"], "other");
  EXPECT_EQ(asked("", mine).status, 401);
}

TEST(GraphqlDocument, LimitsAreThoseOfMlflow) {
  std::string aliases;
  std::string fields;
  for (int i = 0; i < 1002; ++i) {
    aliases += i < 12 ? fmt::format("a{}: test(inputString: \"x\") {{ output }} ", i) : "";
    fields += fmt::format("f{} {{ name }} ", i);
  }
  std::string deep = "name";
  for (int i = 0; i < 12; ++i) {
    deep = "name { " + deep + " }";
  }
  EXPECT_EQ(excess_of(parse_document("{" + aliases + "}")), "GraphQL queries should have at most 10 root fields, got 12 root fields.");
  EXPECT_EQ(excess_of(parse_document("{ x {" + aliases + "} }")), "GraphQL queries should have at most 10 aliases, got 12 aliases.");
  EXPECT_EQ(excess_of(parse_document("{ x {" + fields + "} }")), "Query exceeds maximum total selections of 1000");
  EXPECT_EQ(excess_of(parse_document("{ x {" + deep + "} }")), "Query exceeds maximum depth of 10");
  // Fragments that name each other, and ones that double at each step, end too.
  EXPECT_EQ(excess_of(parse_document("fragment A on Q { x { ...A } } { ...A }")), "Query exceeds maximum depth of 10");
  EXPECT_EQ(excess_of(parse_document("fragment A on Q { ...A } { ...A }")), "");
  EXPECT_THROW(parse_document(std::string(100, '{')), ApiError);
  EXPECT_THROW(parse_document(std::string(300'000, ' ') + "{ a }"), ApiError);
}

TEST(GraphqlDocument, TextsThatAreNoneAreRefused) {
  for (const char* bad : {"", "{", "{}", "{ a", "{ a(b) }", "{ a(b: ) }", "{ a(b: \"x) }", "{ a(b: 01) }", "{ a(b: 1.) }", "{ a(b: \"\\q\") }",
                          "{ a(b: \"\\ud800\") }", "query ($a) { b }", "fragment on on T { a }", "{ a } ?", "{ a(b: \"\"\"x) }"}) {
    EXPECT_THROW(parse_document(bad), ApiError) << bad;
  }
}

}  // namespace
}  // namespace slipway::api
