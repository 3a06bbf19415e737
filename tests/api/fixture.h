// A tracking server on a free port over a fresh store, and short ways to ask it.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "api/tracking_server.h"
#include "base/file.h"
#include "net/client.h"
#include "store/store.h"
#include "support/postgres.h"

namespace slipway::api {

using base::Json;

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() { start(); }
  void start() {
    store_ = store::open_store(dir_.path() / "record", {.database_url = database_});
    server_ = std::make_unique<TrackingServer>(options_, *store_, context_);
    server_->start();
  }
  void restart() {
    server_.reset();
    store_.reset();
    start();
  }

  struct Answer {
    int status = 0;
    Json body;
    std::string text;
    net::Headers headers;
  };
  Answer ask(const std::string& method, const std::string& path, const std::string& body = {},
             net::Headers headers = {}) {
    if (!body.empty() && !headers.has("Content-Type")) {
      headers.add("Content-Type", "application/json");
    }
    const net::Response response = net::HttpClient(server_->url()).request(method, path, body, headers);
    Answer answer{response.status, {}, response.body, response.headers};
    if (std::string_view(response.headers.get("Content-Type")).starts_with("application/json")) {
      answer.body = Json::parse(response.body);
    }
    return answer;
  }
  // Under /api/2.0/mlflow.
  Answer post(const std::string& path, const Json& body) { return ask("POST", "/api/2.0/mlflow/" + path, body.dump()); }
  Answer get(const std::string& path) { return ask("GET", "/api/2.0/mlflow/" + path); }
  // The answer must be good.
  Json good(const Answer& answer) {
    EXPECT_EQ(answer.status, 200) << answer.text;
    return answer.body;
  }
  // "400 INVALID_PARAMETER_VALUE: message".
  std::string fault(const Answer& answer) {
    return answer.body.is_object() && answer.body.contains("error_code")
               ? fmt::format("{} {}: {}", answer.status, answer.body["error_code"].get<std::string>(),
                             answer.body["message"].get<std::string>())
               : fmt::format("{} {}", answer.status, answer.text);
  }

  std::string new_run(const Json& more = Json::object(), const std::string& experiment = "0") {
    Json request = {{"experiment_id", experiment}, {"start_time", 1}};
    request.update(more);
    return good(post("runs/create", request))["run"]["info"]["run_id"].get<std::string>();
  }

  TrackingServerOptions options_;
  base::TempDir dir_;
  std::string database_ = tests::fresh_database();
  base::SystemClock clock_;
  base::Log log_;
  base::Pool pool_{1};
  base::SilentProgress progress_;
  base::Context context_{pool_, log_, clock_, progress_, {}};
  std::unique_ptr<record::Store> store_;
  std::unique_ptr<TrackingServer> server_;
};

}  // namespace slipway::api
