#include "train/launcher.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

extern char** environ;

namespace slipway::train {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;

constexpr double kStopPatienceSeconds = 120;  // a worker that was told to stop finishes a step and writes its state
constexpr size_t kMaxLineBytes = size_t{1} << 20;  // of an event; longer ones are cut
constexpr size_t kErrorLinesKept = 20;
constexpr int kPollMs = 250;  // only until a worker's own children are noticed; events wake at once

// A file descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const noexcept { return fd_; }
  void reset() noexcept {
    if (fd_ >= 0) {
      ::close(fd_);
    }
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

std::pair<Fd, Fd> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw Error(Code::kFailure, "cannot make a pipe: " + base::errno_text(errno));
  }
  return {Fd(ends[0]), Fd(ends[1])};
}

// Whole lines out of a pipe's bytes.
class Lines {
 public:
  // False at the end of the pipe. Calls `line` for each line that became whole.
  bool read_some(int fd, const std::function<void(std::string_view)>& line) {
    std::array<char, 65536> bytes;
    const ssize_t n = ::read(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) {
      return true;
    }
    if (n <= 0) {
      if (!partial_.empty()) {
        line(std::exchange(partial_, {}));
      }
      return false;
    }
    std::string_view rest(bytes.data(), static_cast<size_t>(n));
    for (size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      append(rest.substr(0, end));
      line(std::exchange(partial_, {}));
      rest.remove_prefix(end + 1);
    }
    append(rest);
    return true;
  }

 private:
  void append(std::string_view text) {
    partial_.append(text.substr(0, kMaxLineBytes - std::min(kMaxLineBytes, partial_.size())));
  }
  std::string partial_;
};

// A child process and the reading ends of its standard output and error. The destructor ends it: SIGTERM, patience,
// SIGKILL; it is always waited for, so that no zombie stays.
class Child {
 public:
  Child(const fs::path& program, const std::vector<std::string>& args) {
    auto [out_read, out_write] = make_pipe();
    auto [error_read, error_write] = make_pipe();
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out_write.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, error_write.get(), STDERR_FILENO);
    // Signals as a fresh program expects them, whatever this thread blocks or ignores.
    sigset_t none;
    sigset_t defaults;
    ::sigemptyset(&none);
    ::sigemptyset(&defaults);
    for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGHUP}) {
      ::sigaddset(&defaults, signal);
    }
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &defaults);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::vector<std::string> texts = {program.string()};
    texts.insert(texts.end(), args.begin(), args.end());
    std::vector<char*> pointers;
    for (std::string& text : texts) {
      pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    const int failed = ::posix_spawn(&pid_, program.c_str(), &actions, &attributes, pointers.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (failed != 0) {
      pid_ = -1;
      throw Error(Code::kFailure, fmt::format("cannot start {}: {}", program.string(), base::errno_text(failed)));
    }
    out_ = std::move(out_read);
    error_ = std::move(error_read);
  }

  ~Child() {
    if (pid_ < 0) {
      return;
    }
    terminate();
    const double until = base::monotonic_seconds() + kStopPatienceSeconds;
    while (pid_ >= 0 && base::monotonic_seconds() < until) {
      drain();
      try_wait();
    }
    if (pid_ >= 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int out() const noexcept { return out_.get(); }
  int error() const noexcept { return error_.get(); }
  void terminate() const noexcept { signal(SIGTERM); }
  void kill() const noexcept { signal(SIGKILL); }

  // The status of waitpid.
  int wait() noexcept {
    while (pid_ >= 0 && ::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status_;
  }
  // Whether it has ended; does not wait.
  bool exited() noexcept {
    try_wait();
    return pid_ < 0;
  }

 private:
  void signal(int number) const noexcept {
    if (pid_ > 0) {
      ::kill(pid_, number);
    }
  }
  void try_wait() noexcept {
    if (pid_ > 0 && ::waitpid(pid_, &status_, WNOHANG) != 0) {
      pid_ = -1;
    }
  }
  // Lets a child that still writes go on, and waits a moment.
  void drain() noexcept {
    std::array<pollfd, 2> fds = {pollfd{out_.get(), POLLIN, 0}, pollfd{error_.get(), POLLIN, 0}};
    if (::poll(fds.data(), fds.size(), 20) <= 0) {
      return;
    }
    std::array<char, 4096> bytes;
    for (const auto& [fd, end] : {std::pair{fds[0], &out_}, std::pair{fds[1], &error_}}) {
      if (fd.revents != 0 && ::read(fd.fd, bytes.data(), bytes.size()) <= 0) {
        end->reset();
      }
    }
  }

  pid_t pid_ = -1;
  int status_ = 0;
  Fd out_, error_;
};

Code code_from_name(const std::string& name) {
  for (const Code code : {Code::kFailure, Code::kInvalid, Code::kNotFound, Code::kNotAllowed, Code::kConflict,
                          Code::kGate, Code::kUnavailable, Code::kIntegrity, Code::kInterrupted}) {
    if (name == base::code_name(code)) {
      return code;
    }
  }
  return Code::kFailure;
}

// Listens to one worker until it ends.
class Session {
 public:
  Session(Child& child, base::Context& context, const std::function<void(const Json&)>& on_event)
      : child_(child), context_(context), on_event_(on_event), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  // Returns the last "done" event; throws what the worker failed with.
  Json run() {
    const std::stop_callback callback(context_.stop, [this] {
      const uint64_t one = 1;
      [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
    });
    bool out_open = true;
    bool error_open = true;
    double kill_at = 0;
    while (out_open || error_open) {
      std::array<pollfd, 3> fds = {pollfd{out_open ? child_.out() : -1, POLLIN, 0},
                                   pollfd{error_open ? child_.error() : -1, POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0}};
      const int ready = ::poll(fds.data(), fds.size(), kPollMs);
      if (ready < 0 && errno != EINTR) {
        throw Error(Code::kFailure, "cannot wait for the training worker: " + base::errno_text(errno));
      }
      if (ready == 0 && child_.exited()) {
        break;  // something it started still holds the pipes
      }
      if (fds[2].revents != 0) {
        uint64_t count = 0;
        [[maybe_unused]] const ssize_t read = ::read(wake_.get(), &count, sizeof count);
        child_.terminate();
        kill_at = base::monotonic_seconds() + kStopPatienceSeconds;
      }
      if (kill_at > 0 && base::monotonic_seconds() > kill_at) {
        child_.kill();
      }
      if (fds[0].revents != 0) {
        out_open = out_.read_some(child_.out(), [this](std::string_view line) { on_line(line); });
      }
      if (fds[1].revents != 0) {
        error_open = error_.read_some(child_.error(), [this](std::string_view line) { on_error_line(line); });
      }
    }
    return finish(child_.wait());
  }

 private:
  void on_line(std::string_view line) {
    Json event;
    try {
      event = base::parse_json(line, "the training worker's output");
    } catch (const Error&) {
      on_error_line(line);  // not ours: a library printed it
      return;
    }
    const std::string kind = event.is_object() ? event.value("event", "") : "";
    if (kind == "done") {
      done_ = event;
    } else if (kind == "error") {
      failure_ = event;
    } else if (kind == "warning") {
      context_.log.warning(event.value("message", ""));
    } else if (kind == "start") {
      total_ = event.value("steps", int64_t{0});
      context_.progress.start("train", total_, "steps");
    } else if (kind == "step") {
      context_.progress.update(
          event.value("step", int64_t{0}),
          fmt::format("loss {:.4f}, {:.0f} texts/s", event.value("loss", 0.0), event.value("samples_per_second", 0.0)));
    }
    if (on_event_) {
      on_event_(event);
    }
  }

  void on_error_line(std::string_view line) {
    context_.log.debug("slipway-train", {{"line", line}});
    error_lines_.emplace_back(line.substr(0, 500));
    if (error_lines_.size() > kErrorLinesKept) {
      error_lines_.pop_front();
    }
  }

  Json finish(int status) {
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && !done_.is_null()) {
      context_.progress.finish(fmt::format("{} steps, {:.0f} texts/s", done_.value("step", int64_t{0}),
                                           done_.value("samples_per_second", 0.0)));
      return done_;
    }
    context_.progress.finish("stopped");
    if (!failure_.is_null()) {
      throw Error(code_from_name(failure_.value("code", "")), failure_.value("message", "training failed"));
    }
    // Before it watches signals itself (libtorch loads for seconds), a worker just dies of them.
    const bool told_to_end = WIFSIGNALED(status) && (WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGINT);
    if (told_to_end || context_.stop.stop_requested()) {
      throw Error(Code::kInterrupted, "training was interrupted; start it again to go on from its checkpoint");
    }
    const std::string how =
        WIFSIGNALED(status)
            ? fmt::format("was ended by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)))
            : fmt::format("ended with exit code {} without saying why", WEXITSTATUS(status));
    const std::string hint = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
                                 ? " The system may have run out of memory: a smaller 'batch_size' needs less."
                                 : "";
    throw Error(Code::kFailure,
                fmt::format("the training worker {}.{} Its last words: {}", how, hint,
                            error_lines_.empty() ? "(none)" : fmt::format("{}", fmt::join(error_lines_, " | "))));
  }

  Child& child_;
  base::Context& context_;
  const std::function<void(const Json&)>& on_event_;
  Fd wake_;
  Lines out_, error_;
  std::deque<std::string> error_lines_;
  int64_t total_ = 0;
  Json done_, failure_;
};

TrainResult result_of(const Json& done) {
  const std::string source = "the training worker's 'done' event";
  TrainResult result;
  result.done = done;
  result.steps = base::get<int64_t>(done, "step", source);
  result.train_loss = base::get<double>(done, "train_loss", source);
  result.has_validation = done.contains("accuracy");
  result.validation_loss = base::get_or<double>(done, "loss", 0.0, source);
  result.validation_accuracy = base::get_or<double>(done, "accuracy", 0.0, source);
  result.best_epoch = base::get<int>(done, "best_epoch", source);
  result.seconds = base::get<double>(done, "seconds", source);
  result.samples_per_second = base::get<double>(done, "samples_per_second", source);
  result.first_step_seconds = base::get<double>(done, "first_step_seconds", source);
  result.peak_rss_bytes = base::get<int64_t>(done, "peak_rss_bytes", source);
  result.output = base::get<std::string>(done, "output", source);
  return result;
}

}  // namespace

fs::path find_worker(const fs::path& override_path) {
  fs::path path = override_path;
  if (path.empty()) {
    std::error_code error;
    path = fs::read_symlink("/proc/self/exe", error).parent_path() / "slipway-train";
  }
  if (::access(path.c_str(), X_OK) != 0) {
    throw Error(
        Code::kNotFound,
        fmt::format("the training worker {} is not there or not executable; build it with -DSLIPWAY_TORCH=ON or name "
                    "it in SLIPWAY_TRAIN",
                    path.string()));
  }
  return path;
}

namespace {

// The job file, in the run's own folder: a launcher that is killed leaves nothing elsewhere, and the next one
// overwrites it. Gone when this one has its answer.
class JobFile {
 public:
  explicit JobFile(const Job& job) : path_(job.checkpoint / "job.json") {
    base::make_dirs(job.checkpoint);
    base::write_file_atomic(path_, base::dump_json_pretty(job_to_json(job)));
  }
  ~JobFile() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  JobFile(const JobFile&) = delete;
  JobFile& operator=(const JobFile&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

TrainResult run_worker(const Job& job, base::Context& context, const std::function<void(const Json&)>& on_event,
                       const fs::path& worker) {
  base::check_stop(context, "training");
  const JobFile file(job);
  Child child(worker, {file.path().string(), "--parent", std::to_string(::getpid())});
  return result_of(Session(child, context, on_event).run());
}

Json check_worker(base::Context& context, const fs::path& worker) {
  Child child(worker, {"--check"});
  Json answer;
  Lines out;
  while (out.read_some(child.out(),
                       [&](std::string_view line) { answer = base::parse_json(line, worker.string() + " --check"); })) {
    base::check_stop(context, "the check of slipway-train");
  }
  child.wait();
  if (!answer.is_object()) {
    throw Error(Code::kFailure, worker.string() + " --check gave no answer; run it by hand to see why");
  }
  return answer;
}

}  // namespace slipway::train
