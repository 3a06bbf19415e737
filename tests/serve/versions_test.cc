// Versions that change under load, drains, and a server that is killed: nothing acknowledged is lost.
#include <atomic>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include "serve/fixture.h"

namespace slipway::serve {
namespace {

using base::Json;

// Clients that classify until told to stop, or until the server refuses them.
class Load {
 public:
  Load(const std::string& url, int threads) {
    for (int t = 0; t < threads; ++t) {
      threads_.emplace_back([this, url] { run(url); });
    }
  }
  ~Load() { stop(); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void stop() {
    stopping_ = true;
    for (std::thread& thread : threads_) {
      thread.join();
    }
    threads_.clear();
  }
  void wait_for(int answered) const {
    const int goal = answered_ + answered;
    while (answered_ < goal && failed_ == 0) {
      std::this_thread::yield();
    }
  }
  int answered() const { return answered_; }
  int failed() const { return failed_; }
  // Requests that were sent and got no answer: their clients cannot know whether they were served.
  int cut() const { return cut_; }
  bool saw(int version) const { return (versions_ & (1U << version)) != 0; }
  std::vector<std::string> acknowledged() {
    const std::lock_guard lock(mutex_);
    return ids_;
  }

 private:
  void run(const std::string& url) {
    net::HttpClient client(url);
    while (!stopping_) {
      try {
        const net::Response response = client.post_json("/v1/classify", {{"inputs", "a very good film"}});
        if (response.status == 503) {
          return;  // draining, said so
        }
        if (response.status != 200) {
          ++failed_;
          return;
        }
        const Json body = base::parse_json(response.body, "answer");
        versions_ |= 1U << body["version"].get<int>();
        {
          const std::lock_guard lock(mutex_);
          ids_.push_back(body["predictions"][0]["id"].get<std::string>());
        }
        ++answered_;
      } catch (const net::NoAnswer& gone) {
        cut_ += gone.sent() ? 1 : 0;
        return;
      }
    }
  }

  std::atomic<bool> stopping_{false};
  std::atomic<int> answered_{0};
  std::atomic<int> failed_{0};
  std::atomic<int> cut_{0};
  std::atomic<unsigned> versions_{0};
  std::mutex mutex_;
  std::vector<std::string> ids_;
  std::vector<std::thread> threads_;
};

TEST_F(ServeTest, FollowsTheAliasUnderLoadWithoutAFailure) {
  const int first = add_version(1);
  const int second = add_version(2);
  point_alias(first);
  ServeOptions options;
  options.follow_alias_ms = 5;
  EncoderServer& server = start("models:/tiny@champion", options);
  Load load(server.url(), 3);
  load.wait_for(20);
  for (int round = 0; round < 4; ++round) {
    const int target = round % 2 == 0 ? second : first;
    point_alias(target);
    while (server.serving() != "tiny/" + std::to_string(target)) {
      std::this_thread::yield();
    }
    load.wait_for(20);
  }
  load.stop();
  EXPECT_EQ(load.failed(), 0);
  EXPECT_TRUE(load.saw(first) && load.saw(second));
  EXPECT_EQ(store_->predictions().count(server.deployment_id()), load.answered());
  EXPECT_EQ(store_->events().list("traffic_changed", 0, 100).size(), 4U);
}

TEST_F(ServeTest, SplitsTrafficByRequestId) {
  const int first = add_version(1);
  const int second = add_version(2);
  EncoderServer& server = start("models:/tiny/" + std::to_string(first));
  net::HttpClient http = client();
  const net::Response set = http.post_json("/v1/deployment/canary",
                                           {{"reference", "models:/tiny/" + std::to_string(second)}, {"percent", 30}});
  ASSERT_EQ(set.status, 200) << set.body;
  int canary = 0;
  for (int i = 0; i < 300; ++i) {
    const net::Response response =
        http.request("POST", "/v1/classify", R"({"inputs":"a"})", {{"X-Request-Id", "request-" + std::to_string(i)}});
    canary += base::parse_json(response.body, "b")["version"] == second ? 1 : 0;
  }
  // 300 draws of 0.3: mean 90, standard deviation 7.9; five of them.
  EXPECT_NEAR(canary, 90, 40);
  const Json deployment = get("/v1/deployment?latencies=true");
  ASSERT_EQ(deployment["traffic"].size(), 2U);
  EXPECT_EQ(deployment["traffic"][1]["requests"], canary);
  EXPECT_EQ(deployment["traffic"][1]["percent"], 30.0);
  EXPECT_EQ(deployment["traffic"][1]["latencies_ms"].size(), static_cast<size_t>(canary));
  // The same id always meets the same version.
  const auto version_of = [&](const std::string& id) {
    return base::parse_json(http.request("POST", "/v1/classify", R"({"inputs":"a"})", {{"X-Request-Id", id}}).body,
                            "b")["version"];
  };
  EXPECT_EQ(version_of("request-7"), version_of("request-7"));
  server.rollback();
  EXPECT_EQ(get("/v1/deployment")["traffic"].size(), 1U);
  EXPECT_EQ(store_->events().list("rollback", 0, 10).size(), 1U);
  const auto edges = store_->lineage().walk("model:tiny/" + std::to_string(second), record::Direction::kForward, 10);
  ASSERT_FALSE(edges.empty());
  EXPECT_EQ(edges[0].to, "deployment:" + server.deployment_id());
}

TEST_F(ServeTest, RollbackMovesTheAliasBackAtOnce) {
  const int first = add_version(1);
  const int second = add_version(2);
  point_alias(first);
  point_alias(second);
  ServeOptions options;
  options.follow_alias_ms = 0;
  EncoderServer& server = start("models:/tiny@champion", options);
  EXPECT_EQ(server.serving(), "tiny/2");
  const Json answer = post("/v1/deployment/rollback", Json::object());
  EXPECT_EQ(answer["traffic"][0]["version"], first);
  EXPECT_EQ(store_->registry().find_alias("tiny", "champion")->version, first);
  EXPECT_EQ(post("/v1/classify", {{"inputs", "a"}})["version"], first);
}

TEST_F(ServeTest, AdminRoutesRefuseWhatTheyShould) {
  start_champion();
  post("/v1/deployment/canary", Json::object(), 400);
  post("/v1/deployment/canary", {{"percent", 10}}, 400);
  post("/v1/deployment/canary", {{"percent", 101}, {"reference", "models:/tiny/1"}}, 400);
  post("/v1/deployment/canary", {{"percent", 10}, {"reference", "models:/tiny/9"}}, 404);
  post("/v1/deployment/canary", {{"percent", 10}, {"reference", "models:/tiny/1"}}, 409);
  post("/v1/deployment/rollback", Json::object(), 409);
  net::HttpClient http = client();
  for (const char* header : {"Origin", "X-Forwarded-For"}) {
    EXPECT_EQ(http.request("POST", "/v1/deployment/rollback", "", {{header, "x"}}).status, 403) << header;
  }
}

TEST_F(ServeTest, DrainsUnderLoadWithoutCuttingARequest) {
  EncoderServer& server = start_champion();
  Load load(server.url(), 4);
  load.wait_for(40);
  EXPECT_EQ(server.drain(), 0);
  load.stop();
  EXPECT_EQ(load.failed(), 0);
  EXPECT_EQ(load.cut(), 0);
  EXPECT_EQ(store_->predictions().count(server.deployment_id()), load.answered());
  const auto deployment = store_->events().find_deployment(server.deployment_id());
  ASSERT_TRUE(deployment.has_value());
  EXPECT_EQ(deployment->status, record::DeploymentStatus::kStopped);
  EXPECT_GT(deployment->ended_ms, 0);
}

TEST_F(ServeTest, IsADeploymentInTheRecords) {
  EncoderServer& server = start_champion();
  const auto deployment = store_->events().find_deployment("tiny");
  ASSERT_TRUE(deployment.has_value());
  EXPECT_EQ(deployment->id, server.deployment_id());
  EXPECT_EQ(deployment->status, record::DeploymentStatus::kReady);
  EXPECT_EQ(deployment->address, server.url());
  EXPECT_EQ(deployment->pid, getpid());
  EXPECT_EQ(deployment->meta["traffic"][0]["version"], 1);
  EXPECT_EQ(store_->events().list("deploy_started", 0, 10).size(), 1U);
  EXPECT_EQ(store_->events().list("deploy_ready", 0, 10).size(), 1U);
}

TEST_F(ServeTest, AKilledServerLosesNothingItAnswered) {
  point_alias(add_version(1));
  store_.reset();
  const std::filesystem::path ready = dir_.path() / "ready.json";
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    execl(SLIPWAY_TEST_SERVER, SLIPWAY_TEST_SERVER, store_folder().c_str(), "models:/tiny@champion", ready.c_str(),
          nullptr);
    _exit(127);
  }
  while (!std::filesystem::exists(ready)) {
    ASSERT_EQ(waitpid(child, nullptr, WNOHANG), 0) << "the server ended";
    std::this_thread::yield();
  }
  Load load(base::parse_json(base::read_file(ready), "ready file")["url"].get<std::string>(), 4);
  load.wait_for(200);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  load.stop();
  store_ = store::open_store(store_folder());
  const std::vector<std::string> acknowledged = load.acknowledged();
  EXPECT_GE(acknowledged.size(), 200U);
  for (const std::string& id : acknowledged) {
    EXPECT_TRUE(store_->predictions().find(id).has_value()) << id;
  }
}

}  // namespace
}  // namespace slipway::serve
