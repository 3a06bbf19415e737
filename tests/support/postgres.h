// A real PostgreSQL for tests: a server in a temporary folder, on a socket there and nowhere else, started when it is first
// asked for and stopped with the process. Tests run on it when $SLIPWAY_TEST_STORE is "postgresql", each in a schema of its own.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "store/postgres.h"

namespace slipway::tests {

class PostgresServer {
 public:
  // The one of this process; null where there is no server to start.
  static PostgresServer* shared() {
    static const std::filesystem::path programs = find_programs();
    static std::unique_ptr<PostgresServer> server = programs.empty() ? nullptr : std::make_unique<PostgresServer>(programs);
    return server.get();
  }

  explicit PostgresServer(const std::filesystem::path& programs) : programs_(programs) {
    if (::geteuid() == 0) {
      user_ = ::getpwnam("postgres");
      user_ = user_ != nullptr ? user_ : ::getpwnam("nobody");
      if (::chown(folder_.path().c_str(), user_->pw_uid, user_->pw_gid) != 0) {
        throw std::runtime_error("cannot give the folder away");
      }
    }
    const std::string data = (folder_.path() / "data").string();
    const pid_t made = spawn({(programs_ / "initdb").string(), "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E",
                              "UTF8", "--locale=C"});
    int status = 0;
    ::waitpid(made, &status, 0);
    if (status != 0) {
      throw std::runtime_error("initdb failed");
    }
    start();
  }
  ~PostgresServer() { stop(SIGINT); }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  void start() {
    const std::string folder = folder_.path().string();
    pid_ = spawn({(programs_ / "postgres").string(), "-D", folder + "/data", "-k", folder, "-c", "listen_addresses=", "-c",
                  "fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=32MB", "-c", "autovacuum=off"});
    constexpr int kTries = 1500;
    for (int i = 0; i < kTries; ++i) {
      try {
        store::open_postgres({.url = url("")})->scalar("SELECT 1");
        return;
      } catch (const base::Error&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    }
    throw std::runtime_error("the PostgreSQL server does not answer");
  }
  // SIGINT: connections are cut; SIGQUIT: as if it had crashed.
  void stop(int signal) {
    ::kill(pid_, signal);
    ::waitpid(pid_, nullptr, 0);
  }

  std::string url(const std::string& schema) const {
    return fmt::format("postgresql://postgres@/postgres?host={}{}", folder_.path().string(),
                       schema.empty() ? "" : "&options=-csearch_path%3D" + schema);
  }
  std::string fresh_schema() {
    const std::string schema = fmt::format("test{}", ++schemas_);
    store::open_postgres({.url = url("")})->exec(("CREATE SCHEMA " + schema).c_str());
    return url(schema);
  }

 private:
  static std::filesystem::path find_programs() {
    namespace fs = std::filesystem;
    if (const char* named = std::getenv("SLIPWAY_TEST_POSTGRES")) {
      return named;
    }
    std::vector<fs::path> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", error)) {
      if (fs::exists(entry.path() / "bin" / "initdb")) {
        found.push_back(entry.path() / "bin");
      }
    }
    return found.empty() ? fs::path() : *std::max_element(found.begin(), found.end());
  }

  // It refuses to run as root; it dies with this process.
  pid_t spawn(const std::vector<std::string>& command) const {
    std::vector<char*> words;
    for (const std::string& word : command) {
      words.push_back(const_cast<char*>(word.c_str()));  // NOLINT: execv's form
    }
    words.push_back(nullptr);
    const std::string log = (folder_.path() / "log").string();
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child != 0) {
      return child;
    }
    if (user_ != nullptr && (::setgroups(0, nullptr) != 0 || ::setgid(user_->pw_gid) != 0 || ::setuid(user_->pw_uid) != 0)) {
      ::_exit(126);
    }
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (::getppid() != parent || ::chdir("/") != 0 || ::freopen(log.c_str(), "a", stdout) == nullptr ||
        ::dup2(1, 2) < 0) {
      ::_exit(126);
    }
    ::execv(words[0], words.data());
    ::_exit(127);
  }

  std::filesystem::path programs_;
  base::TempDir folder_;
  const passwd* user_ = nullptr;
  pid_t pid_ = 0;
  int schemas_ = 0;
};

// The address of a fresh, empty database for one test; empty: the tests run on SQLite.
inline std::string fresh_database() {
  const char* wanted = std::getenv("SLIPWAY_TEST_STORE");
  if (wanted == nullptr || std::string_view(wanted) != "postgresql") {
    return {};
  }
  PostgresServer* server = PostgresServer::shared();
  if (server == nullptr) {
    fmt::print("skipped: no PostgreSQL server\n");
    std::exit(77);
  }
  return server->fresh_schema();
}

}  // namespace slipway::tests
