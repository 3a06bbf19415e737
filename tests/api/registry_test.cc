// The model registry over HTTP, over the same versions and aliases as `slipway models`.
#include "api/fixture.h"

namespace slipway::api {
namespace {

class Registry : public ServerTest {
 protected:
  Answer patch(const std::string& path, const Json& body) {
    return ask("PATCH", "/api/2.0/mlflow/" + path, body.dump());
  }
  Answer erase(const std::string& path, const Json& body) {
    return ask("DELETE", "/api/2.0/mlflow/" + path, body.dump());
  }
  Json model(const std::string& name) { return good(get("registered-models/get?name=" + name))["registered_model"]; }
  Json new_version(const std::string& name, const Json& more = Json::object()) {
    Json request = {{"name", name}, {"source", "s3://bucket/model"}};
    request.update(more);
    return good(post("model-versions/create", request))["model_version"];
  }
  std::string found(const std::string& what, const std::string& filter, const std::string& more = "") {
    const Answer answer = get(what + "/search?filter=" + net::percent_encode(filter) + more);
    if (answer.status != 200) {
      return fault(answer);
    }
    std::string text;
    for (const auto& [list, items] : answer.body.items()) {
      if (items.is_array()) {
        for (const Json& item : items) {
          text += item["name"].get<std::string>() +
                  (item.contains("version") ? "/" + item["version"].get<std::string>() : "") + " ";
        }
      }
    }
    return text;
  }
};

TEST_F(Registry, ModelsLiveFromCreationToDeletion) {
  const Json tags = {{{"key", "task"}, {"value", "sentiment"}}};
  const Json made = good(
      post("registered-models/create", {{"name", "movies"}, {"description", "d"}, {"tags", tags}}))["registered_model"];
  EXPECT_EQ(made["name"], "movies");
  EXPECT_EQ(made["tags"], tags);
  EXPECT_EQ(fault(post("registered-models/create", {{"name", "movies"}})),
            "400 RESOURCE_ALREADY_EXISTS: Registered Model (name=movies) already exists.");
  EXPECT_EQ(fault(get("registered-models/get?name=none")),
            "404 RESOURCE_DOES_NOT_EXIST: Registered Model with name=none not found");
  EXPECT_EQ(good(patch("registered-models/update",
                       {{"name", "movies"}, {"description", "new"}}))["registered_model"]["description"],
            "new");
  good(post("registered-models/set-tag", {{"name", "movies"}, {"key", "k"}, {"value", "v"}}));
  good(erase("registered-models/delete-tag", {{"name", "movies"}, {"key", "task"}}));
  EXPECT_EQ(model("movies")["tags"], Json({{{"key", "k"}, {"value", "v"}}}));
  new_version("movies");
  good(post("registered-models/rename", {{"name", "movies"}, {"new_name", "films"}}));
  EXPECT_EQ(model("films")["latest_versions"][0]["name"], "films");
  EXPECT_EQ(get("registered-models/get?name=movies").status, 404);
  good(erase("registered-models/delete", {{"name", "films"}}));
  EXPECT_EQ(get("registered-models/get?name=films").status, 404);
  EXPECT_EQ(get("model-versions/get?name=films&version=1").status, 404);
  EXPECT_EQ(fault(post("registered-models/create", {{"name", "a/b"}})),
            "400 INVALID_PARAMETER_VALUE: Invalid model name 'a/b'. Names cannot contain '/' or ':'.");
}

TEST_F(Registry, VersionsHaveNumbersStagesTagsAndAliases) {
  good(post("registered-models/create", {{"name", "m"}}));
  EXPECT_EQ(fault(post("model-versions/create", {{"name", "none"}, {"source", "s3://b/x"}})),
            "404 RESOURCE_DOES_NOT_EXIST: Registered Model with name=none not found");
  const Json first = new_version("m", {{"description", "d"}, {"tags", {{{"key", "a"}, {"value", "b"}}}}});
  EXPECT_EQ(first["version"], "1");
  EXPECT_EQ(first["current_stage"], "None");
  EXPECT_EQ(first["status"], "READY");
  new_version("m");
  good(post("model-versions/transition-stage", {{"name", "m"}, {"version", "1"}, {"stage", "production"}}));
  good(post("model-versions/transition-stage",
            {{"name", "m"}, {"version", "2"}, {"stage", "Production"}, {"archive_existing_versions", true}}));
  EXPECT_EQ(good(get("model-versions/get?name=m&version=1"))["model_version"]["current_stage"], "Archived");
  EXPECT_EQ(good(post("registered-models/get-latest-versions",
                      {{"name", "m"}, {"stages", {"Production"}}}))["model_versions"][0]["version"],
            "2");
  EXPECT_TRUE(fault(post("model-versions/transition-stage", {{"name", "m"}, {"version", "1"}, {"stage", "Best"}}))
                  .starts_with("400 INVALID_PARAMETER_VALUE: Invalid Model Version stage: Best."));
  good(post("registered-models/alias", {{"name", "m"}, {"alias", "champion"}, {"version", "1"}}));
  EXPECT_EQ(good(get("registered-models/alias?name=m&alias=champion"))["model_version"]["aliases"], Json({"champion"}));
  EXPECT_EQ(good(get("registered-models/alias?name=m&alias=latest"))["model_version"]["version"], "2");
  EXPECT_EQ(model("m")["aliases"], Json({{{"alias", "champion"}, {"version", "1"}}}));
  EXPECT_EQ(fault(post("registered-models/alias", {{"name", "m"}, {"alias", "v2"}, {"version", "1"}})),
            "400 INVALID_PARAMETER_VALUE: Version alias name 'v2' is reserved.");
  EXPECT_EQ(fault(post("registered-models/alias", {{"name", "m"}, {"alias", "x"}, {"version", "9"}})),
            "404 RESOURCE_DOES_NOT_EXIST: Model Version (name=m, version=9) not found");
  // `slipway serve models:/m@champion` sees the same.
  EXPECT_EQ(store_->registry().resolve("models:/m@champion").version, 1);
  good(erase("registered-models/alias", {{"name", "m"}, {"alias", "champion"}}));
  EXPECT_EQ(fault(get("registered-models/alias?name=m&alias=champion")),
            "400 INVALID_PARAMETER_VALUE: Registered model alias champion not found.");
  good(post("model-versions/set-tag", {{"name", "m"}, {"version", "2"}, {"key", "k"}, {"value", "v"}}));
  good(patch("model-versions/update", {{"name", "m"}, {"version", "2"}, {"description", "second"}}));
  EXPECT_EQ(good(get("model-versions/get?name=m&version=2"))["model_version"]["tags"],
            Json({{{"key", "k"}, {"value", "v"}}}));
  good(erase("model-versions/delete-tag", {{"name", "m"}, {"version", "2"}, {"key", "k"}}));
  good(erase("model-versions/delete", {{"name", "m"}, {"version", "2"}}));
  EXPECT_EQ(new_version("m")["version"], "3");  // a number is never given twice
  EXPECT_EQ(fault(get("model-versions/get?name=m&version=x")),
            "400 INVALID_PARAMETER_VALUE: Parameter 'version' must be an integer, got 'x'.");
}

TEST_F(Registry, SourcesAreWhereTheyMayBe) {
  good(post("registered-models/create", {{"name", "m"}}));
  const std::string run = new_run();
  const std::string uri = "mlflow-artifacts:/0/" + run + "/artifacts";
  EXPECT_EQ(new_version("m", {{"source", uri + "/model"}, {"run_id", run}})["run_id"], run);
  EXPECT_EQ(new_version("m", {{"source", "runs:/" + run + "/model"}, {"run_id", run}})["version"], "2");
  EXPECT_EQ(good(get("model-versions/get-download-uri?name=m&version=2"))["artifact_uri"], uri + "/model");
  for (const char* source :
       {"/etc/passwd", "file:///etc", "relative", "mlflow-artifacts:/0/other/artifacts", "runs:/other/x", "s3://b/../x",
        "s3://b/%2e%2e/x", "s3://b/%252e%252e/x", "mlflow-artifacts:/..", "http://h/a/.."}) {
    EXPECT_TRUE(fault(post("model-versions/create", {{"name", "m"}, {"source", source}}))
                    .starts_with("400 INVALID_PARAMETER_VALUE: Invalid model version source: '"))
        << source;
  }
}

TEST_F(Registry, IsSearched) {
  for (const char* name : {"a", "b", "c"}) {
    good(post("registered-models/create", {{"name", name}}));
    new_version(name);
  }
  new_version("a", {{"tags", {{{"key", "t"}, {"value", "x"}}}}});
  good(post("registered-models/set-tag", {{"name", "a"}, {"key", "mlflow.prompt.is_prompt"}, {"value", "true"}}));
  EXPECT_EQ(found("registered-models", ""), "a b c ");
  EXPECT_EQ(found("registered-models", "name LIKE '%' AND tag.`mlflow.prompt.is_prompt` != 'true'"), "b c ");
  EXPECT_EQ(found("registered-models", "name IN ('a', 'c')", "&order_by=name%20DESC"), "c a ");
  EXPECT_EQ(found("registered-models", "", "&max_results=2"), "a b ");
  EXPECT_EQ(found("model-versions", "name = 'a'"), "a/2 a/1 ");
  EXPECT_EQ(found("model-versions", "tags.t = 'x'"), "a/2 ");
  EXPECT_EQ(found("model-versions", "version_number < 2", "&order_by=name%20DESC"), "c/1 b/1 a/1 ");
  EXPECT_EQ(found("model-versions", "source_path LIKE 's3:%' AND name IN ('b')"), "b/1 ");
  EXPECT_TRUE(
      found("registered-models", "stage = 'x'").starts_with("400 INVALID_PARAMETER_VALUE: Invalid attribute key"));
}

TEST_F(Registry, HasWhatAPipelineRegistered) {
  record::ModelVersion version;
  version.model = "sentiment";
  EXPECT_EQ(store_->registry().create_version(version).version, 1);
  store_->registry().set_alias("sentiment", "champion", 1, -1);
  EXPECT_EQ(model("sentiment")["aliases"][0]["alias"], "champion");
  EXPECT_EQ(new_version("sentiment")["version"], "2");
  EXPECT_EQ(store_->registry().create_version(version).version, 3);
  good(post("registered-models/rename", {{"name", "sentiment"}, {"new_name", "mood"}}));
  EXPECT_EQ(store_->registry().resolve("models:/mood@champion").version, 1);
}

}  // namespace
}  // namespace slipway::api
