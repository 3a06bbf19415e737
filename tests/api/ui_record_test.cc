// What the web UI is told of the record: files that may not run, lineage, models, deployments, datasets.
#include "api/fixture.h"
#include "base/hash.h"
#include "base/input.h"

namespace slipway::api {
namespace {

using UiFiles = ServerTest;
using UiModels = ServerTest;
using UiDeployments = ServerTest;
using UiDatasets = ServerTest;
using record::Deployment;
using record::DeploymentStatus;

TEST_F(UiFiles, WhatClientsLoggedIsShownButMayNotRun) {
  const std::string id = new_run();
  const auto put = [&](const std::string& path, const std::string& bytes) {
    EXPECT_EQ(ask("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/" + id + "/artifacts/" + path, bytes).status, 200);
  };
  put("report.HTML", "<script>1</script>");
  put("plot.svg", "<svg/>");
  put("noending", "<html>");
  const auto preview = [&](const std::string& path, net::Headers headers = {}) {
    return ask("GET", "/ajax-api/ui/preview?run_id=" + id + "&path=" + path, "", std::move(headers));
  };
  for (const auto& [path, type] : {std::pair("report.HTML", "text/html; charset=utf-8"), std::pair("plot.svg", "image/svg+xml"),
                                   std::pair("noending", "text/plain; charset=utf-8")}) {
    const Answer answer = preview(path);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.get("Content-Type"), type);
    EXPECT_TRUE(answer.headers.get("Content-Security-Policy").starts_with("sandbox; default-src 'none';")) << path;
    EXPECT_EQ(answer.headers.get("Content-Security-Policy").find("script"), std::string_view::npos);
    EXPECT_EQ(answer.headers.get("X-Content-Type-Options"), "nosniff");
  }
  const Answer part = preview("report.HTML", {{"Range", "bytes=0-7"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.text, "<script>");
  EXPECT_EQ(part.headers.get("Content-Range"), "bytes 0-7/18");
  EXPECT_EQ(preview("report.HTML", {{"Range", "bytes=99-"}}).status, 416);
  EXPECT_EQ(preview("report.HTML", {{"If-None-Match", std::string(part.headers.get("ETag"))}}).status, 304);
  EXPECT_EQ(preview("none").status, 404);
  EXPECT_EQ(preview("../../../slipway.db").status, 400);
  EXPECT_EQ(ask("GET", "/ajax-api/ui/preview?run_id=none&path=a").status, 404);
}

TEST_F(UiFiles, OnlyFilesThatTheRecordKnowsHaveAnAddress) {
  const record::Artifact card = store_->artifacts().put_bytes("# Card", "card", "README.md", {});
  const Answer answer = ask("GET", "/api/ui/blobs/" + card.digest);
  EXPECT_EQ(answer.text, "# Card");
  EXPECT_TRUE(answer.headers.get("Content-Security-Policy").starts_with("sandbox;"));
  EXPECT_EQ(ask("GET", "/api/ui/blobs/sha256:" + std::string(64, '0')).status, 404);
  EXPECT_EQ(ask("GET", "/api/ui/blobs/..%2Fslipway.db").status, 404);
}

TEST_F(UiModels, VersionsComeWithEvidenceAndAliasesWithTheirPast) {
  record::ModelVersion version;
  version.model = "m";
  version.run_id = new_run();
  version.metrics = {{"f1", {{"value", 0.9}, {"low", 0.8}, {"high", 0.95}, {"n", 50}}}};
  version.artifacts = {{"card", store_->artifacts().put_bytes("x", "card", "README.md", {}).digest}};
  store_->registry().create_version(version);
  store_->registry().create_version(version);
  for (const int to : {1, 2, 1}) {
    store_->registry().set_alias("m", "champion", to, -1);
  }
  const Json page = good(ask("GET", "/api/ui/models/m"));
  ASSERT_EQ(page["versions"].size(), 2U);
  EXPECT_EQ(page["versions"][0]["version"], 2);
  EXPECT_EQ(page["versions"][1]["metrics"]["f1"]["low"], 0.8);
  EXPECT_EQ(page["versions"][1]["artifacts"][0]["name"], "README.md");
  EXPECT_EQ(page["versions"][1]["aliases"], Json::array({"champion"}));
  ASSERT_EQ(page["aliases"][0]["history"].size(), 3U);
  EXPECT_EQ(page["aliases"][0]["history"][1]["version"], 2);
  EXPECT_EQ(fault(ask("GET", "/api/ui/models/none")).substr(0, 27), "404 RESOURCE_DOES_NOT_EXIST");

  const Json graph = good(ask("GET", "/api/ui/lineage?node=model:m/2"));
  const Json made = {{"from", "run:" + version.run_id}, {"to", "model:m/2"}, {"kind", "produced"}};
  EXPECT_NE(std::find(graph["edges"].begin(), graph["edges"].end(), made), graph["edges"].end()) << graph.dump();
  EXPECT_EQ(graph["cut"], false);
  EXPECT_EQ(ask("GET", "/api/ui/lineage").status, 400);
}

Deployment deployment(const std::string& address, DeploymentStatus status) {
  Deployment one;
  one.id = record::new_id();
  one.endpoint = "e-" + one.id.substr(0, 4);
  one.model = "models:/m@champion";
  one.status = status;
  one.address = address;
  one.started_ms = 1;
  one.meta = Json::object();
  return one;
}

TEST_F(UiDeployments, TellTheirNewestPredictions) {
  const Deployment one = deployment("http://127.0.0.1:1", DeploymentStatus::kReady);
  store_->events().put_deployment(one);
  const int64_t now = clock_.unix_ms();
  std::vector<record::Prediction> predictions;
  for (int i = 0; i < 70; ++i) {
    predictions.push_back({fmt::format("p-{:032}", i), now - 70 + i, one.id, "m/1", "text", i % 2 ? "a" : "b", 0.5, {}, 3, 100 + i});
  }
  predictions.push_back({fmt::format("p-{:032}", 99), now - int64_t{48} * 3'600'000, one.id, "m/1", "old", "a", 0.5, {}, 3, 9});
  store_->predictions().append(predictions);
  const Json page = good(ask("GET", "/api/ui/deployments/" + one.id));
  EXPECT_EQ(page["predictions"], 71);
  EXPECT_EQ(page["traffic"]["times"].size(), 70U);  // not the one of two days ago
  EXPECT_EQ(page["traffic"]["labels"], Json({{"a", 35}, {"b", 35}}));
  EXPECT_EQ(page["traffic"]["recent"].size(), 50U);
  EXPECT_EQ(page["traffic"]["recent"][0]["latency_us"], 169);
  EXPECT_EQ(good(ask("GET", "/api/ui/deployments"))["deployments"][0]["predictions"], 71);
  EXPECT_EQ(ask("GET", "/api/ui/deployments/none").status, 404);
}

TEST_F(UiDeployments, AreAskedOnThisMachineOnlyAndWhileTheyServe) {
  for (const auto& [address, status] : {std::pair("http://10.0.0.1:80", DeploymentStatus::kReady),
                                        std::pair("http://127.0.0.1.evil.example:80", DeploymentStatus::kReady),
                                        std::pair("https://127.0.0.1:1", DeploymentStatus::kReady),
                                        std::pair("http://127.0.0.1:1", DeploymentStatus::kStopped)}) {
    const Deployment one = deployment(address, status);
    store_->events().put_deployment(one);
    const Answer answer = ask("POST", "/api/ui/deployments/" + one.id + "/explain", R"({"text":"x"})");
    EXPECT_EQ(answer.status, 503) << address;
    EXPECT_NE(answer.text.find("slipway serve"), std::string::npos);
  }
}

TEST_F(UiDeployments, AreNotTakenForWhatElseMayBeAtTheirAddress) {
  // This server stands at the deployment's address: it has no such route, and says so in HTML.
  const Deployment one = deployment(server_->url(), DeploymentStatus::kReady);
  store_->events().put_deployment(one);
  EXPECT_EQ(ask("POST", "/api/ui/deployments/" + one.id + "/explain", R"({"text":"x"})").status, 503);
  EXPECT_EQ(ask("POST", "/api/ui/deployments/" + one.id + "/explain", "text=x",
                {{"Content-Type", "application/x-www-form-urlencoded"}}).status, 400);
}

// A dataset of one shard: "id:label:text" each.
std::string put_dataset(record::Store& store, const std::filesystem::path& folder, const std::vector<std::array<std::string, 3>>& rows) {
  std::filesystem::create_directories(folder);
  std::string lines;
  for (const auto& [id, label, text] : rows) {
    lines += base::dump_json({{"id", id}, {"text", text}, {"label", label}, {"source", "s"}, {"at", "f:1"}}) + "\n";
  }
  base::write_file_atomic(folder / "train-00000.jsonl.zst", base::zstd_compress(lines));
  const Json shard = {{"file", "train-00000.jsonl.zst"},
                      {"sha256", base::sha256_file(folder / "train-00000.jsonl.zst")},
                      {"rows", rows.size()}};
  const Json manifest = {{"format", "slipway-dataset/1"}, {"name", "reviews"}, {"rows", rows.size()}, {"labels", {"bad", "good"}},
                         {"splits", {{"train", {{"rows", rows.size()}, {"shards", Json::array({shard})}}}}},
                         {"sources", Json::array({{{"id", "s"}, {"files", {1, 2}}}})}};
  base::write_file_atomic(folder / "manifest.json", base::dump_json(manifest));
  store.artifacts().put_folder(folder, "dataset", "dataset", {});
  return "sha256:" + base::sha256_file(folder / "manifest.json");
}

TEST_F(UiDatasets, ShowRowsAndWhatChanged) {
  const std::string one = put_dataset(*store_, dir_.path() / "one", {{"1", "good", "a joy"}, {"2", "bad", "a bore"}, {"3", "bad", "stale joy"}});
  const std::string two = put_dataset(*store_, dir_.path() / "two", {{"1", "good", "a joy"}, {"2", "good", "a bore"}, {"4", "good", "new"}});
  EXPECT_EQ(good(ask("GET", "/api/ui/datasets"))["datasets"].size(), 2U);
  const Json page = good(ask("GET", "/api/ui/datasets/" + one));
  EXPECT_EQ(page["rows"], 3);
  EXPECT_FALSE(page["manifest"]["sources"][0].contains("files"));
  const auto texts = [&](const std::string& query) {
    const Json answer = good(ask("GET", "/api/ui/datasets/" + one + "/rows?" + query));
    std::string all;
    for (const Json& row : answer["rows"]) {
      all += row["text"].get<std::string>() + "; ";
    }
    return all + (answer["more"].get<bool>() ? "more" : "");
  };
  EXPECT_EQ(texts(""), "a joy; a bore; stale joy; ");
  EXPECT_EQ(texts("limit=2"), "a joy; a bore; more");
  EXPECT_EQ(texts("offset=2"), "stale joy; ");
  EXPECT_EQ(texts("text=joy&label=bad"), "stale joy; ");
  EXPECT_EQ(texts("text=joy&offset=1"), "stale joy; ");
  EXPECT_EQ(texts("split=test"), "");
  EXPECT_EQ(ask("GET", "/api/ui/datasets/" + one + "/rows?limit=-1").status, 400);
  EXPECT_EQ(ask("GET", "/api/ui/datasets/sha256:none").status, 404);
  const Json diff = good(ask("GET", "/api/ui/datasets/" + two + "/diff?from=" + one));
  EXPECT_EQ(diff["added"]["rows"], 1);
  EXPECT_EQ(diff["added"]["examples"][0]["text"], "new");
  EXPECT_EQ(diff["removed"]["examples"][0]["text"], "stale joy");
  EXPECT_EQ(diff["relabelled"]["rows"], 1);
  EXPECT_EQ(diff["moved"]["rows"], 0);
}

}  // namespace
}  // namespace slipway::api
