// The protocol over HTTP: experiments, runs, metrics, as MLflow's clients ask.
#include <cmath>

#include "api/fixture.h"
#include "api/guard.h"

namespace slipway::api {
namespace {

using Server = ServerTest;
using Experiments = ServerTest;
using Runs = ServerTest;
using Metrics = ServerTest;

TEST_F(Server, TellsHealthVersionAndWhatItCan) {
  EXPECT_EQ(ask("GET", "/health").text, "OK");
  EXPECT_EQ(ask("GET", "/version").text, "3.17.2");
  EXPECT_EQ(good(ask("GET", "/api/3.0/mlflow/server-info"))["store_type"], "SqlStore");
  EXPECT_EQ(ask("GET", "/ajax-api/2.0/mlflow/experiments/get?experiment_id=0").status, 200);
}

TEST_F(Server, WrongAddressesAreNotJson) {
  const Answer nothing = ask("GET", "/api/2.0/mlflow/no-such-thing");
  EXPECT_EQ(nothing.status, 404);
  EXPECT_TRUE(nothing.headers.get("Content-Type").starts_with("text/html"));
  const Answer method = ask("PUT", "/api/2.0/mlflow/runs/create");
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.headers.get("Allow"), "POST");
  EXPECT_EQ(method.headers.get("X-Frame-Options"), "SAMEORIGIN");
}

TEST_F(Server, RefusesForeignPagesAndNames) {
  EXPECT_EQ(ask("GET", "/health", "", {{"Origin", "https://evil.example"}}).status, 403);
  EXPECT_EQ(ask("GET", "/health", "", {{"Origin", "http://localhost:5000"}}).status, 200);
  for (const char* host : {"localhost", "LocalHost:5000", "127.0.0.1", "127.0.0.2:80", "[::1]", "[::1]:5000"}) {
    EXPECT_TRUE(is_loopback_host(host)) << host;
  }
  for (const char* host :
       {"", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "[::2]", "10.0.0.1"}) {
    EXPECT_FALSE(is_loopback_host(host)) << host;
  }
  EXPECT_EQ(ask("POST", "/api/2.0/mlflow/runs/create", "{}", {{"Content-Type", "text/plain"}}).status, 400);
  TrackingServerOptions options;
  options.http.address = "0.0.0.0";
  EXPECT_THROW(TrackingServer(options, *store_, context_), base::Error);
}

TEST_F(Experiments, TheDefaultOneIsThere) {
  const Json experiment = good(get("experiments/get?experiment_id=0"))["experiment"];
  EXPECT_EQ(experiment["name"], "Default");
  EXPECT_EQ(experiment["artifact_location"], "mlflow-artifacts:/0");
  EXPECT_EQ(experiment["lifecycle_stage"], "active");
  EXPECT_FALSE(experiment.contains("tags"));
}

TEST_F(Experiments, LiveFromCreationToRestoration) {
  const Json tags = {{{"key", "team"}, {"value", "nlp"}}};
  const std::string id = good(post("experiments/create", {{"name", "first"}, {"tags", tags}}))["experiment_id"];
  EXPECT_EQ(id, "1");
  EXPECT_EQ(good(get("experiments/get-by-name?experiment_name=first"))["experiment"]["tags"], tags);
  EXPECT_TRUE(fault(post("experiments/create", {{"name", "first"}}))
                  .starts_with("400 RESOURCE_ALREADY_EXISTS: Experiment(name=first) already exists."));
  EXPECT_EQ(good(post("experiments/update", {{"experiment_id", id}, {"new_name", "second"}})), Json::object());
  EXPECT_EQ(fault(get("experiments/get-by-name?experiment_name=first")),
            "404 RESOURCE_DOES_NOT_EXIST: Could not find experiment with name 'first'");
  const std::string run = new_run(Json::object(), id);
  good(post("experiments/delete", {{"experiment_id", id}}));
  EXPECT_EQ(good(get("experiments/get?experiment_id=1"))["experiment"]["lifecycle_stage"], "deleted");
  EXPECT_EQ(good(get("runs/get?run_id=" + run))["run"]["info"]["lifecycle_stage"], "deleted");
  EXPECT_EQ(fault(post("experiments/delete", {{"experiment_id", id}})),
            "404 RESOURCE_DOES_NOT_EXIST: No Experiment with id=1 exists");
  EXPECT_EQ(fault(post("runs/create", {{"experiment_id", id}})),
            "400 INVALID_PARAMETER_VALUE: The experiment 1 must be in the 'active' state. Current state is deleted.");
  EXPECT_EQ(fault(post("experiments/update", {{"experiment_id", id}, {"new_name", "x"}})),
            "400 INVALID_PARAMETER_VALUE: Cannot rename a non-active experiment.");
  good(post("experiments/restore", {{"experiment_id", id}}));
  EXPECT_EQ(good(get("runs/get?run_id=" + run))["run"]["info"]["lifecycle_stage"], "active");
}

TEST_F(Experiments, SayWhatIsWrong) {
  EXPECT_EQ(fault(get("experiments/get?experiment_id=9")),
            "404 RESOURCE_DOES_NOT_EXIST: No Experiment with id=9 exists");
  EXPECT_EQ(fault(get("experiments/get?experiment_id=abc")),
            "400 INVALID_PARAMETER_VALUE: Invalid experiment ID 'abc'. Experiment ID must be a valid integer.");
  EXPECT_EQ(fault(post("experiments/create", {{"name", ""}})),
            "400 INVALID_PARAMETER_VALUE: Missing value for required parameter 'name'. See the API docs for more "
            "information about request parameters.");
  EXPECT_TRUE(fault(post("experiments/create", {{"name", "x"}, {"artifact_location", "/etc"}})).starts_with("400 "));
  EXPECT_TRUE(fault(post("experiments/create", {{"name", "x"}, {"artifact_location", "mlflow-artifacts:/../0"}}))
                  .starts_with("400 "));
}

TEST_F(Experiments, HaveTags) {
  good(post("experiments/set-experiment-tag", {{"experiment_id", "0"}, {"key", "k"}, {"value", "1"}}));
  good(post("experiments/set-experiment-tag", {{"experiment_id", "0"}, {"key", "k"}, {"value", "2"}}));
  EXPECT_EQ(good(get("experiments/get?experiment_id=0"))["experiment"]["tags"], Json({{{"key", "k"}, {"value", "2"}}}));
  good(post("experiments/delete-experiment-tag", {{"experiment_id", "0"}, {"key", "k"}}));
  EXPECT_EQ(fault(post("experiments/delete-experiment-tag", {{"experiment_id", "0"}, {"key", "k"}})),
            "404 RESOURCE_DOES_NOT_EXIST: No tag with name: k in experiment with id 0");
}

TEST_F(Runs, AreWhatWasWrittenAlsoAfterARestart) {
  const std::string id = new_run(
      {{"run_name", "calm"}, {"user_id", "ann"}, {"tags", {{{"key", "mlflow.source.name"}, {"value", "train.py"}}}}});
  EXPECT_EQ(id.size(), 32U);
  good(post("runs/log-metric", {{"run_id", id}, {"key", "acc"}, {"value", 0.5}, {"timestamp", 10}, {"step", 1}}));
  good(post("runs/log-metric", {{"run_uuid", id}, {"key", "acc"}, {"value", 0.25}, {"timestamp", 11}, {"step", 2}}));
  good(post("runs/log-metric", {{"run_id", id}, {"key", "acc"}, {"value", 0.75}, {"timestamp", 9}, {"step", 0}}));
  good(post("runs/log-parameter", {{"run_id", id}, {"key", "lr"}, {"value", "0.1"}}));
  good(post("runs/set-tag", {{"run_id", id}, {"key", "t"}, {"value", "v"}}));
  restart();
  const Json run = good(get("runs/get?run_uuid=" + id + "&run_id=" + id))["run"];
  EXPECT_EQ(run["info"]["run_name"], "calm");
  EXPECT_EQ(run["info"]["status"], "RUNNING");
  EXPECT_EQ(run["info"]["user_id"], "ann");
  EXPECT_EQ(run["info"]["artifact_uri"], "mlflow-artifacts:/0/" + id + "/artifacts");
  EXPECT_FALSE(run["info"].contains("end_time"));
  EXPECT_EQ(run["data"]["metrics"], Json::parse(R"([{"key": "acc", "value": 0.25, "timestamp": 11, "step": 2}])"));
  EXPECT_EQ(run["data"]["params"], Json::parse(R"([{"key": "lr", "value": "0.1"}])"));
  EXPECT_EQ(run["data"]["tags"], Json::parse(R"([{"key": "mlflow.runName", "value": "calm"},
      {"key": "mlflow.source.name", "value": "train.py"}, {"key": "t", "value": "v"}])"));
}

TEST_F(Runs, EndAndAreDeletedAndRestored) {
  const std::string id = new_run();
  const Json info = good(
      post("runs/update", {{"run_id", id}, {"status", "FINISHED"}, {"end_time", 99}, {"run_name", "new"}}))["run_info"];
  EXPECT_EQ(info["status"], "FINISHED");
  EXPECT_EQ(info["end_time"], 99);
  EXPECT_EQ(info["run_name"], "new");
  good(post("runs/delete", {{"run_id", id}}));
  const std::string deleted =
      "400 INVALID_PARAMETER_VALUE: The run " + id + " must be in the 'active' state. Current state is deleted.";
  EXPECT_EQ(fault(post("runs/log-metric", {{"run_id", id}, {"key", "k"}, {"value", 1}, {"timestamp", 1}})), deleted);
  EXPECT_EQ(fault(post("runs/update", {{"run_id", id}, {"status", "FAILED"}})), deleted);
  EXPECT_EQ(fault(post("runs/set-tag", {{"run_id", id}, {"key", "k"}, {"value", "v"}})), deleted);
  good(post("runs/restore", {{"run_id", id}}));
  good(post("runs/log-metric", {{"run_id", id}, {"key", "k"}, {"value", 1}, {"timestamp", 1}}));
  EXPECT_EQ(fault(get("runs/get?run_id=none")), "404 RESOURCE_DOES_NOT_EXIST: Run with id=none not found");
  EXPECT_EQ(fault(post("runs/delete", {{"run_id", "none"}})),
            "404 RESOURCE_DOES_NOT_EXIST: Run with id=none not found");
}

TEST_F(Runs, AParameterIsWrittenOnce) {
  const std::string id = new_run();
  const auto log = [&](const char* value) {
    return post("runs/log-parameter", {{"run_id", id}, {"key", "lr"}, {"value", value}});
  };
  good(log("0.1"));
  good(log("0.1"));
  EXPECT_EQ(
      fault(log("0.2")),
      "400 INVALID_PARAMETER_VALUE: Changing param values is not allowed. Param with key='lr' was already logged with "
      "value='0.1' for run ID='" +
          id + "'. Attempted logging new value '0.2'.");
  const Json batch = {{"run_id", id},
                      {"metrics", {{{"key", "m"}, {"value", 1}, {"timestamp", 1}}}},
                      {"params", {{{"key", "new"}, {"value", "1"}}, {{"key", "lr"}, {"value", "it's"}}}}};
  EXPECT_EQ(
      fault(post("runs/log-batch", batch)),
      "400 INVALID_PARAMETER_VALUE: Changing param values is not allowed. Params were already logged='[{'key': 'lr', "
      "'old_value': '0.1', 'new_value': \"it's\"}]' for run ID='" +
          id + "'.");
  const Json data = good(get("runs/get?run_id=" + id))["run"]["data"];
  EXPECT_EQ(data["params"].size(), 1U);  // nothing of the batch was kept
  EXPECT_FALSE(data.contains("metrics"));
}

TEST_F(Runs, ABatchIsOneWriteAndMayBeRepeated) {
  const std::string id = new_run();
  Json batch = {{"run_id", id},
                {"tags", {{{"key", "a"}, {"value", "1"}}, {{"key", "mlflow.runName"}, {"value", "named"}}}}};
  for (int i = 0; i < 50; ++i) {
    batch["metrics"].push_back({{"key", "m" + std::to_string(i % 5)}, {"value", i}, {"timestamp", i}, {"step", i}});
    batch["params"].push_back({{"key", "p" + std::to_string(i)}, {"value", std::to_string(i)}});
  }
  good(post("runs/log-batch", batch));
  good(post("runs/log-batch", batch));
  const Json run = good(get("runs/get?run_id=" + id))["run"];
  EXPECT_EQ(run["data"]["metrics"].size(), 5U);
  EXPECT_EQ(run["data"]["metrics"][4]["value"], 49.0);
  EXPECT_EQ(run["data"]["params"].size(), 50U);
  EXPECT_EQ(run["info"]["run_name"], "named");
  EXPECT_EQ(good(get("metrics/get-history?metric_key=m4&run_id=" + id))["metrics"].size(), 10U);
  batch["metrics"].clear();
  for (int i = 0; i < 1001; ++i) {
    batch["metrics"].push_back({{"key", "m"}, {"value", i}, {"timestamp", i}});
  }
  EXPECT_TRUE(fault(post("runs/log-batch", batch)).find("at most 1000 metrics. Got 1001 metrics.") !=
              std::string::npos);
  batch["tags"] = {{{"key", "big"}, {"value", std::string(1'000'000, 'x')}}};
  EXPECT_TRUE(fault(post("runs/log-batch", batch)).find("must be at most 1000000 bytes") != std::string::npos);
}

TEST_F(Runs, HaveTagsThatCanBeRemoved) {
  const std::string id = new_run();
  good(post("runs/set-tag", {{"run_id", id}, {"key", "k"}, {"value", "v"}}));
  good(post("runs/delete-tag", {{"run_id", id}, {"key", "k"}}));
  EXPECT_EQ(fault(post("runs/delete-tag", {{"run_id", id}, {"key", "k"}})),
            "404 RESOURCE_DOES_NOT_EXIST: No tag with name: k in run with id " + id);
  good(post("runs/set-tag", {{"run_id", id}, {"key", "mlflow.runName"}, {"value", "again"}}));
  EXPECT_EQ(good(get("runs/get?run_id=" + id))["run"]["info"]["run_name"], "again");
}

TEST_F(Runs, GetANameAndMustNotHaveTwo) {
  const std::string name = good(get("runs/get?run_id=" + new_run()))["run"]["info"]["run_name"];
  EXPECT_EQ(std::count(name.begin(), name.end(), '-'), 2) << name;
  EXPECT_TRUE(fault(post("runs/create", {{"run_name", "a"}, {"tags", {{{"key", "mlflow.runName"}, {"value", "b"}}}}}))
                  .starts_with("400 INVALID_PARAMETER_VALUE: Both 'run_name' argument and 'mlflow.runName' tag are "));
}

TEST_F(Runs, KeepDatasetsAndModels) {
  const std::string id = new_run();
  const Json dataset = {
      {"name", "reviews"}, {"digest", "abc"}, {"source_type", "local"}, {"source", "{}"}, {"profile", "{}"}};
  const Json use = {{"tags", {{{"key", "mlflow.data.context"}, {"value", "training"}}}}, {"dataset", dataset}};
  const Json request = {{"run_id", id}, {"datasets", {use}}, {"models", {{{"model_id", "m-1"}}}}};
  good(post("runs/log-inputs", request));
  good(post("runs/log-inputs", request));
  good(post("runs/outputs", {{"run_id", id}, {"models", {{{"model_id", "m-2"}, {"step", 3}}}}}));
  const Json run = good(get("runs/get?run_id=" + id))["run"];
  EXPECT_EQ(run["inputs"], (Json{{"dataset_inputs", {use}}, {"model_inputs", {{{"model_id", "m-1"}}}}}));
  EXPECT_EQ(run["outputs"]["model_outputs"], Json({{{"model_id", "m-2"}, {"step", 3}}}));
  EXPECT_EQ(good(post("experiments/search-datasets", {{"experiment_ids", {"0"}}}))["dataset_summaries"],
            Json({{{"experiment_id", "0"}, {"name", "reviews"}, {"digest", "abc"}, {"context", "training"}}}));
  EXPECT_TRUE(fault(post("runs/log-inputs", {{"run_id", id}, {"datasets", {{{"dataset", {{"name", "x"}}}}}}}))
                  .find("'datasets[0].dataset.digest'") != std::string::npos);
}

TEST_F(Runs, OfAPipelineAreRunsOfAnExperiment) {
  record::Run run;
  run.id = "0123456789abcdef0123456789abcdef";
  run.project = "movie-sentiment";
  run.name = "nightly";
  run.started_ms = 5;
  run.tags = {{"by", "ci"}};
  store_->runs().create_run(run);
  store_->runs().log_params(run.id, {{"seed", "7"}});
  const std::vector<record::MetricPoint> points = {{"test.accuracy", 0.9, 1, 6}, {"test.accuracy", 0.95, 2, 7}};
  store_->runs().log_metrics(run.id, points);
  store_->runs().end_run(run.id, record::RunStatus::kFinished, 9);
  const Json experiment = good(get("experiments/get-by-name?experiment_name=movie-sentiment"))["experiment"];
  const Json found = good(post("runs/search", {{"experiment_ids", {experiment["experiment_id"]}}}))["runs"][0];
  EXPECT_EQ(found["info"]["status"], "FINISHED");
  EXPECT_EQ(found["data"]["metrics"][0]["value"], 0.95);
  EXPECT_EQ(found["data"]["params"][0]["value"], "7");
  // And the other way: what a client logs is there for `slipway runs`.
  const std::string id = new_run({{"run_name", "by hand"}}, experiment["experiment_id"]);
  EXPECT_EQ(store_->runs().list_runs("movie-sentiment", 10).size(), 2U);
  EXPECT_EQ(store_->runs().find_run(id)->project, "movie-sentiment");
}

TEST_F(Metrics, HistoryIsInOrderOfTimeAndPaged) {
  const std::string id = new_run();
  Json batch = {{"run_id", id}};
  for (int i = 0; i < 10; ++i) {
    batch["metrics"].push_back({{"key", "m"}, {"value", i}, {"timestamp", 100 - i}, {"step", i}});
  }
  batch["metrics"].push_back({{"key", "m"}, {"value", "NaN"}, {"timestamp", 200}, {"step", 10}});
  batch["metrics"].push_back({{"key", "m"}, {"value", "Infinity"}, {"timestamp", 201}, {"step", 11}});
  good(post("runs/log-batch", batch));
  Json page = good(get("metrics/get-history?metric_key=m&max_results=5&run_id=" + id));
  EXPECT_EQ(page["metrics"].size(), 5U);
  EXPECT_EQ(page["metrics"][0]["timestamp"], 91);
  page = good(get("metrics/get-history?metric_key=m&max_results=5&run_id=" + id +
                  "&page_token=" + net::percent_encode(page["next_page_token"].get<std::string>())));
  EXPECT_EQ(page["metrics"][4]["step"], 0);
  page = good(get("metrics/get-history?metric_key=m&run_id=" + id));
  EXPECT_EQ(page["metrics"].size(), 12U);
  EXPECT_EQ(page["metrics"][10]["value"], "NaN");
  EXPECT_EQ(page["metrics"][11]["value"], 1.7976931348623157e+308);
  EXPECT_FALSE(page.contains("next_page_token"));
  EXPECT_EQ(good(get("metrics/get-history?metric_key=none&run_id=" + id)), Json::object());
  EXPECT_EQ(fault(get("metrics/get-history?metric_key=m&max_results=0&run_id=" + id)),
            "400 INVALID_PARAMETER_VALUE: Invalid value 0 for parameter 'max_results' supplied. It must be a positive "
            "integer.");
  EXPECT_EQ(fault(get("metrics/get-history?metric_key=m&page_token=!&run_id=" + id)),
            "400 INVALID_PARAMETER_VALUE: Invalid page token, could not base64-decode");
}

TEST_F(Metrics, BulkAnswersAreSortedByRunAndSampledEvenly) {
  const std::string a = new_run();
  const std::string b = new_run();
  for (const std::string& id : {a, b}) {
    Json batch = {{"run_id", id}};
    for (int i = 0; i < 100; ++i) {
      batch["metrics"].push_back({{"key", "m"}, {"value", i}, {"timestamp", i}, {"step", i}});
    }
    good(post("runs/log-batch", batch));
  }
  const Json bulk = good(
      ask("GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk?metric_key=m&run_id=" + b + "&run_id=" + a))["metrics"];
  EXPECT_EQ(bulk.size(), 200U);
  EXPECT_EQ(bulk[0]["run_id"], std::min(a, b));
  const auto steps = [&](const std::string& more) {
    std::string text;
    const Json answer = good(get("metrics/get-history-bulk-interval?metric_key=m&run_ids=" + a + more));
    for (const Json& point : answer.at("metrics")) {
      text += point["step"].dump() + " ";
    }
    return text;
  };
  EXPECT_EQ(steps("&max_results=5"), "0 20 40 60 99 ");
  EXPECT_EQ(steps("&max_results=1"), "99 ");
  EXPECT_EQ(steps("&start_step=10&end_step=14&max_results=3"), "10 12 14 ");
  EXPECT_EQ(steps("&start_step=10&end_step=12"), "10 11 12 ");
  EXPECT_EQ(fault(get("metrics/get-history-bulk-interval?metric_key=m&start_step=1&run_ids=" + a)),
            "400 INVALID_PARAMETER_VALUE: If either start step or end step are specified, both must be specified.");
  EXPECT_TRUE(fault(get("metrics/get-history-bulk-interval?metric_key=m")).find("'run_ids'") != std::string::npos);
}

}  // namespace
}  // namespace slipway::api
