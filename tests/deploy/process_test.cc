#include "deploy/process.h"

#include <csignal>
#include <stdexcept>
#include <stop_token>
#include <sys/wait.h>
#include <unistd.h>

#include "serve/fixture.h"

namespace slipway::deploy {
namespace {

using serve::ServeTest;

class ProcessTest : public ServeTest {
 protected:
  ProcessOptions options(std::vector<std::string> arguments) const {
    ProcessOptions process;
    process.program = SLIPWAY_TEST_SERVER;
    process.arguments = std::move(arguments);
    process.log_file = dir_.path() / "logs" / "server.log";
    process.ready_file = dir_.path() / "ready.json";
    return process;
  }
  RunningProcess start_real() {
    point_alias(add_version(1));
    return start_process(
        options({store_folder().string(), "models:/tiny@champion", (dir_.path() / "ready.json").string()}),
        context_.context);
  }
};

TEST_F(ProcessTest, StartsFindsAndStopsAServer) {
  const RunningProcess running = start_real();
  EXPECT_NE(getsid(static_cast<pid_t>(running.pid)), getsid(0));
  const auto found = find_running(*store_, "tiny");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->id, running.deployment);
  EXPECT_EQ(found->address, running.url);
  EXPECT_EQ(net::HttpClient(running.url).post_json("/v1/classify", {{"inputs", "a"}}).status, 200);
  EXPECT_TRUE(stop_process(*store_, *found, std::chrono::seconds(20), context_.context));
  EXPECT_FALSE(find_running(*store_, "tiny").has_value());
  EXPECT_EQ(store_->events().find_deployment(running.deployment)->status, record::DeploymentStatus::kStopped);
  EXPECT_TRUE(stop_process(*store_, *found, std::chrono::seconds(1), context_.context));
}

TEST_F(ProcessTest, AKilledServerIsFoundStopped) {
  const RunningProcess running = start_real();
  kill(static_cast<pid_t>(running.pid), SIGKILL);
  waitpid(static_cast<pid_t>(running.pid), nullptr, 0);
  EXPECT_FALSE(find_running(*store_, "tiny").has_value());
  EXPECT_EQ(store_->events().find_deployment(running.deployment)->status, record::DeploymentStatus::kStopped);
}

TEST_F(ProcessTest, APidGivenAgainIsNotTheServer) {
  record::Deployment old;
  old.id = record::new_id();
  old.endpoint = "tiny";
  old.status = record::DeploymentStatus::kReady;
  old.pid = getpid();
  old.started_ms = 1'000'000;  // long before this process
  store_->events().put_deployment(old);
  EXPECT_FALSE(find_running(*store_, "tiny").has_value());
  EXPECT_TRUE(stop_process(*store_, old, std::chrono::seconds(1), context_.context));  // and we live on
}

TEST_F(ProcessTest, SaysWhyAServerDidNotStart) {
  try {
    start_process(options({"fail"}), context_.context);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_NE(std::string(error.what()).find("exit code 3"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("cannot find the model"), std::string::npos);
  }
  ProcessOptions silent = options({"silent"});
  silent.ready_timeout = std::chrono::milliseconds(50);
  try {
    start_process(silent, context_.context);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUnavailable);
  }
  ProcessOptions absent = options({});
  absent.program = "/no/such/program";
  EXPECT_THROW(start_process(absent, context_.context), base::Error);
}

// A child that ignores SIGTERM, and its record.
record::Deployment stubborn_child(record::Store& store) {
  record::Deployment deployment;
  deployment.id = record::new_id();
  deployment.endpoint = "tiny";
  deployment.status = record::DeploymentStatus::kReady;
  deployment.address = "http://127.0.0.1:1";  // nothing answers there
  deployment.started_ms = base::SystemClock().unix_ms();
  int ready[2];
  if (pipe(ready) != 0) {
    throw std::runtime_error("no pipe");
  }
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGTERM, SIG_IGN);
    if (write(ready[1], "x", 1) == 1) {
      alarm(60);  // never longer than the test
      pause();
    }
    _exit(0);
  }
  char byte = 0;
  EXPECT_EQ(read(ready[0], &byte, 1), 1);
  close(ready[0]);
  close(ready[1]);
  deployment.pid = child;
  store.events().put_deployment(deployment);
  return deployment;
}

TEST_F(ProcessTest, WhatDoesNotEndAtItsDeadlineIsKilled) {
  const record::Deployment deployment = stubborn_child(*store_);
  EXPECT_FALSE(stop_process(*store_, deployment, std::chrono::milliseconds(20), context_.context));
  EXPECT_EQ(kill(static_cast<pid_t>(deployment.pid), 0), -1);
  EXPECT_EQ(store_->events().find_deployment(deployment.id)->status, record::DeploymentStatus::kStopped);
  const auto stopped = store_->events().list("deploy_stopped", 0, 10);
  ASSERT_EQ(stopped.size(), 1U);
  EXPECT_EQ(stopped[0].subject, "deployment:" + deployment.id);
}

TEST_F(ProcessTest, AProcessThatDoesNotAnswerIsNotFoundButStaysOnRecord) {
  const record::Deployment deployment = stubborn_child(*store_);
  EXPECT_FALSE(find_running(*store_, "tiny").has_value());
  EXPECT_EQ(store_->events().find_deployment(deployment.id)->status, record::DeploymentStatus::kReady);
  stop_process(*store_, deployment, std::chrono::milliseconds(0), context_.context);
}

TEST_F(ProcessTest, OnlyTheEndpointAskedForIsFound) {
  start_champion();
  EXPECT_TRUE(find_running(*store_, "tiny").has_value());
  EXPECT_FALSE(find_running(*store_, "other").has_value());
}

TEST_F(ProcessTest, ARequestToStopEndsTheStart) {
  ProcessOptions silent = options({"silent"});
  std::stop_source stop;
  stop.request_stop();
  base::Context context = context_.context;
  context.stop = stop.get_token();
  try {
    start_process(silent, context);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kInterrupted);
  }
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);  // and no child is left
}

TEST_F(ProcessTest, AnOldReadyFileIsNotBelieved) {
  ProcessOptions failing = options({"fail"});
  base::write_file_atomic(failing.ready_file, R"({"pid":1,"url":"http://127.0.0.1:1","deployment":"old"})");
  EXPECT_THROW(start_process(failing, context_.context), base::Error);
  EXPECT_FALSE(std::filesystem::exists(failing.ready_file));
}

// Whoever reads the pipe sees its end when the lifeline goes, and a byte first when it was let go.
TEST(Lifeline, EndsWithItsOwnerUnlessReleased) {
  for (const bool released : {false, true}) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    {
      Lifeline first(ends[1]);
      Lifeline lifeline = std::move(first);
      if (released) {
        lifeline.release();
      }
    }
    char byte = 0;
    EXPECT_EQ(read(ends[0], &byte, 1), released ? 1 : 0);
    EXPECT_EQ(read(ends[0], &byte, 1), 0);
    close(ends[0]);
  }
  Lifeline none;
  none.release();
}

}  // namespace
}  // namespace slipway::deploy
