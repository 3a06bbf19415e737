#include "deploy/process.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <signal.h>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "net/client.h"

extern char** environ;  // NOLINT: POSIX's

namespace slipway::deploy {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kPoll{10};
constexpr milliseconds kHealthTimeout{1'000};
constexpr size_t kLogTail = 2'000;         // bytes of the log quoted in an error
constexpr int64_t kStartSlackMs = 2'000;   // a process starts before its deployment's record; clocks have ticks
constexpr int kDeploymentsLookedAt = 200;  // newest records among which a running one is sought

// Fields of /proc/PID/stat from the 3rd on (proc(5)); empty when there is no such process.
std::vector<std::string> process_stat(int64_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  std::getline(file, line);
  const size_t close = line.rfind(')');
  std::vector<std::string> fields;
  if (close != std::string::npos) {
    std::istringstream rest(line.substr(close + 1));
    for (std::string field; rest >> field;) {
      fields.push_back(field);
    }
  }
  return fields;
}

int64_t boot_ms() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    if (word == "btime") {
      int64_t seconds = 0;
      file >> seconds;
      return seconds * 1000;
    }
  }
  return 0;
}

// Is the process that made the record still there? A pid is given again: one that started after the record is
// another's. A zombie has ended.
bool is_alive(const record::Deployment& deployment) {
  const std::vector<std::string> stat = process_stat(deployment.pid);
  constexpr size_t kStartTime = 22 - 3;
  if (deployment.pid <= 0 || stat.size() <= kStartTime || stat[0] == "Z" || stat[0] == "X") {
    return false;
  }
  const int64_t started_ms = boot_ms() + std::stoll(stat[kStartTime]) * 1000 / sysconf(_SC_CLK_TCK);
  return started_ms <= deployment.started_ms + kStartSlackMs;
}

bool is_healthy(const std::string& url) {
  try {
    net::HttpClient client(url, {.connect_timeout = kHealthTimeout, .timeout = kHealthTimeout});
    return client.get("/health").status == 200;
  } catch (const Error&) {
    return false;
  }
}

void mark_stopped(record::Store& store, record::Deployment deployment) {
  deployment.status = record::DeploymentStatus::kStopped;
  deployment.ended_ms = base::SystemClock().unix_ms();
  store.events().put_deployment(deployment);
  store.events().append("deploy_stopped", "deployment:" + deployment.id, {{"reason", "the process had ended"}});
}

// Owns the C structures of posix_spawn.
class Spawn {
 public:
  Spawn() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~Spawn() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;

  // A session of its own, signals as a fresh process has them, output to the log, `input` (-1: nothing) to read.
  void set_up(const ProcessOptions& options, int input) {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (input < 0) {
      posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    } else {
      posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    }
    const std::string log = fs::absolute(options.log_file).string();
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
    if (!options.directory.empty()) {
      posix_spawn_file_actions_addchdir_np(&actions_, options.directory.c_str());
    }
  }

  pid_t run(const std::string& program, const std::vector<std::string>& arguments) {
    std::vector<char*> argv = {const_cast<char*>(program.c_str())};
    for (const std::string& argument : arguments) {
      argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    pid_t pid = 0;
    const int failed = posix_spawn(&pid, program.c_str(), &actions_, &attributes_, argv.data(), environ);
    if (failed != 0) {
      throw Error(Code::kFailure, fmt::format("cannot start {}: {}", program, base::errno_text(failed)));
    }
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

// What the log got since `begin`, at most its last kLogTail bytes.
std::string log_tail(const fs::path& path, uint64_t begin) {
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(begin));
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (text.size() > kLogTail) {
    text = "…" + text.substr(text.size() - kLogTail);
  }
  return text.empty() ? "it wrote nothing to its log" : "its log ends with:\n" + text;
}

void end_child(pid_t pid) {
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

// Gone, as its parent (then it is reaped) or as anybody.
bool has_gone(const record::Deployment& deployment) {
  const auto pid = static_cast<pid_t>(deployment.pid);
  return waitpid(pid, nullptr, WNOHANG) == pid || !is_alive(deployment);
}

bool wait_until_gone(const record::Deployment& deployment, milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!has_gone(deployment)) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return false;
    }
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

std::string exit_text(int status) {
  return WIFSIGNALED(status) ? fmt::format("was ended by signal {}", WTERMSIG(status))
                             : fmt::format("ended with exit code {}", WEXITSTATUS(status));
}

}  // namespace

Lifeline::~Lifeline() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

void Lifeline::release() noexcept {
  if (fd_ >= 0) {
    [[maybe_unused]] const ssize_t written = ::write(fd_, "k", 1);  // it fails only when the process has ended
  }
}

RunningProcess start_process(const ProcessOptions& options, base::Context& context) {
  const std::string program =
      options.program.empty() ? fs::read_symlink("/proc/self/exe").string() : options.program.string();
  base::make_dirs(fs::absolute(options.log_file).parent_path());
  base::make_dirs(fs::absolute(options.ready_file).parent_path());
  std::error_code ignored;
  fs::remove(options.ready_file, ignored);
  const uintmax_t log_size = fs::file_size(options.log_file, ignored);
  const uint64_t log_begin = ignored ? 0 : static_cast<uint64_t>(log_size);
  int ends[2] = {-1, -1};
  if (options.tied && pipe2(ends, O_CLOEXEC) != 0) {
    throw Error(Code::kFailure, "cannot make a pipe: " + base::errno_text(errno));
  }
  const Lifeline reading_end(ends[0]);
  Lifeline lifeline(ends[1]);
  Spawn spawn;
  spawn.set_up(options, ends[0]);
  const pid_t pid = spawn.run(program, options.arguments);
  const auto deadline = std::chrono::steady_clock::now() + options.ready_timeout;
  for (;;) {
    int status = 0;
    if (waitpid(pid, &status, WNOHANG) == pid) {
      throw Error(Code::kFailure,
                  fmt::format("the server {}; {}", exit_text(status), log_tail(options.log_file, log_begin)));
    }
    if (fs::exists(options.ready_file)) {
      const base::Json ready = base::parse_json(base::read_file(options.ready_file), options.ready_file.string());
      RunningProcess running{pid,
                             base::get<std::string>(ready, "url", "the ready file"),
                             base::get<std::string>(ready, "deployment", "the ready file"),
                             {}};
      if (is_healthy(running.url)) {
        running.lifeline = std::move(lifeline);
        return running;
      }
    }
    if (context.stop.stop_requested() || std::chrono::steady_clock::now() >= deadline) {
      end_child(pid);
      base::check_stop(context, "starting the server");
      throw Error(Code::kUnavailable,
                  fmt::format("the server was not ready after {} ms and was stopped; {}", options.ready_timeout.count(),
                              log_tail(options.log_file, log_begin)));
    }
    std::this_thread::sleep_for(kPoll);
  }
}

std::optional<record::Deployment> find_running(record::Store& store, const std::string& endpoint) {
  for (const record::Deployment& deployment : store.events().list_deployments(kDeploymentsLookedAt)) {
    if (deployment.endpoint != endpoint || deployment.status == record::DeploymentStatus::kStopped) {
      continue;
    }
    if (!is_alive(deployment)) {
      mark_stopped(store, deployment);
    } else if (deployment.status == record::DeploymentStatus::kReady && is_healthy(deployment.address)) {
      return deployment;
    }
  }
  return std::nullopt;
}

bool stop_process(record::Store& store, const record::Deployment& deployment, milliseconds deadline,
                  base::Context& context) {
  bool clean = true;
  if (is_alive(deployment)) {
    const auto pid = static_cast<pid_t>(deployment.pid);
    if (kill(pid, SIGTERM) != 0 && errno == EPERM) {
      throw Error(Code::kNotAllowed, fmt::format("process {} belongs to another user", pid));
    }
    clean = wait_until_gone(deployment, deadline);
    if (!clean) {
      context.log.warning("the server did not drain in time and is killed", {{"pid", deployment.pid}});
      kill(pid, SIGKILL);
      wait_until_gone(deployment, kHealthTimeout * 5);
    }
  }
  const auto now = store.events().find_deployment(deployment.id);
  if (now && now->status != record::DeploymentStatus::kStopped) {
    mark_stopped(store, *now);
  }
  return clean;
}

}  // namespace slipway::deploy
