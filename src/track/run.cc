// include/slipway/run.h over a spool and a thread that delivers it.
#include "slipway/run.h"

#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <fmt/format.h>
#include <mutex>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "track/delivery.h"
#include "track/spool_root.h"

namespace slipway {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kMaxValueBytes = size_t{16} << 10;
constexpr milliseconds kFirstDelay{200};   // after a failure; doubled up to
constexpr milliseconds kLastDelay{30'000};
constexpr milliseconds kPrepareInterval{1000};  // between syncs of the spool
constexpr milliseconds kWriterWait{10'000};     // for another process that logs to the same spool

bool good_key(std::string_view key) noexcept { return !key.empty() && key.size() <= track::kMaxKeyBytes; }

}  // namespace

struct Run::Impl {
  Impl(const RunOptions& options_in, track::OpenedSpool spool_in)
      : options(options_in),
        spool(std::move(spool_in)),
        writer(spool.folder, {options.max_spool_bytes, options.segment_bytes}),
        exceptions(std::uncaught_exceptions()) {
    thread = std::thread([this] { loop(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    wake.notify_all();
    thread.join();
    if (delivery && delivery->complete() && delivery->state().position >= writer.end()) {
      std::error_code ignored;
      fs::remove_all(spool.folder, ignored);
    }
  }

  bool append(const track::Frame& frame, bool last_word = false) noexcept {
    if (ended.load(std::memory_order_relaxed) && !last_word) {
      return false;
    }
    return writer.append(frame, last_word);
  }

  bool refuse(const char* why) noexcept {
    refused.fetch_add(1, std::memory_order_relaxed);
    refusal.store(why, std::memory_order_relaxed);
    return false;
  }

  // One attempt to send all that is there. True: it went well.
  bool send_all() {
    try {
      if (!delivery) {
        delivery = track::Delivery::begin(spool.folder, track::make_target(track::target_options(spool.uri)));
      }
      if (!delivery) {
        throw Error(Code::kUnavailable, fmt::format("another process is sending the spool '{}'", spool.folder.string()));
      }
      bool more = true;
      while (more && !must_stop()) {
        more = delivery->step(false);
        publish("");
        writer.forget_before(delivery->state().position.segment);
      }
      return true;
    } catch (const track::Later& later) {
      not_before = steady_clock::now() + later.delay();
      publish(later.what());
    } catch (const std::exception& failure) {
      publish(failure.what());
    }
    return false;
  }

  bool must_stop() {
    const std::lock_guard lock(mutex);
    return stop;
  }

  void publish(const std::string& problem) {
    {
      const std::lock_guard lock(mutex);
      error = problem;
      if (delivery) {
        state = delivery->state();
      }
    }
    changed.notify_all();
  }

  void loop() {
    milliseconds delay{0};
    auto prepared = steady_clock::now() - kPrepareInterval;
    while (true) {
      if (steady_clock::now() - prepared >= kPrepareInterval || delay.count() == 0) {
        writer.prepare();
        prepared = steady_clock::now();
      }
      delay = send_all() ? milliseconds(0) : std::clamp(delay * 2, kFirstDelay, kLastDelay);
      const auto until = std::max(steady_clock::now() + (delay.count() > 0 ? delay : options.send_interval), not_before);
      std::unique_lock lock(mutex);
      while (!stop && !hurry && steady_clock::now() < until) {
        wake.wait_until(lock, std::min(until, steady_clock::now() + kPrepareInterval));
        if (!stop && !hurry && steady_clock::now() < until) {
          lock.unlock();
          writer.prepare();
          lock.lock();
        }
      }
      hurry = false;
      if (stop) {
        return;
      }
    }
  }

  bool flush(milliseconds timeout) {
    const track::Position end = writer.end();
    const auto deadline = steady_clock::now() + timeout;
    std::unique_lock lock(mutex);
    hurry = true;
    wake.notify_all();
    return changed.wait_until(lock, deadline, [&] { return state.position >= end; });
  }

  const RunOptions options;
  const track::OpenedSpool spool;
  track::SpoolWriter writer;
  const int exceptions;  // under way when the Run was made
  std::atomic<bool> ended{false};
  std::atomic<bool> detached{false};
  std::atomic<uint64_t> refused{0};
  std::atomic<const char*> refusal{""};

  // Of the thread.
  std::unique_ptr<track::Delivery> delivery;
  steady_clock::time_point not_before{};

  std::mutex mutex;  // guards what follows
  std::condition_variable wake;
  std::condition_variable changed;
  bool stop = false;
  bool hurry = false;
  track::SentState state;
  std::string error;
  std::thread thread;
};

Run::Run(const RunOptions& options) {
  track::SpoolInfo info;
  info.experiment = options.experiment;
  info.name = options.name;
  info.tags = options.tags;
  impl_ = std::make_unique<Impl>(
      options, track::open_spool(track::spool_root(options.spool), options.tracking_uri, options.resume, info, kWriterWait));
}

Run::~Run() {
  try {
    if (!impl_->detached && !impl_->ended) {
      finish(std::uncaught_exceptions() > impl_->exceptions ? RunEnd::kFailed : RunEnd::kFinished,
             impl_->options.finish_timeout);
    } else {
      impl_->flush(impl_->ended ? milliseconds(0) : impl_->options.finish_timeout);
    }
  } catch (...) {  // what was logged stays in the spool
  }
}

bool Run::log_metric(std::string_view key, double value, int64_t step, int64_t time_ms) noexcept {
  if (!good_key(key)) {
    return impl_->refuse("a metric's key must have 1 to 250 bytes");
  }
  return impl_->append(track::MetricFrame{key, value, step, time_ms != 0 ? time_ms : base::SystemClock().unix_ms()});
}

bool Run::log_param(std::string_view key, std::string_view value) noexcept {
  if (!good_key(key) || value.size() > kMaxValueBytes) {
    return impl_->refuse("a parameter's key must have 1 to 250 bytes, its value at most 16384");
  }
  return impl_->append(track::PairFrame{false, key, value});
}

bool Run::set_tag(std::string_view key, std::string_view value) noexcept {
  if (!good_key(key) || value.size() > kMaxValueBytes) {
    return impl_->refuse("a tag's key must have 1 to 250 bytes, its value at most 16384");
  }
  return impl_->append(track::PairFrame{true, key, value});
}

bool Run::log_bytes(std::string_view path, std::string_view bytes) noexcept {
  if (path.empty() || path.size() > track::kMaxPathBytes) {
    return impl_->refuse("an artifact's path must have 1 to 4096 bytes");
  }
  if (bytes.size() > impl_->options.segment_bytes / 2) {
    return impl_->refuse("an artifact of more than half a segment is logged as a file, with log_artifact");
  }
  return impl_->append(track::BytesFrame{path, bytes});
}

bool Run::log_artifact(const fs::path& file, std::string_view folder) {
  const fs::path source = fs::absolute(file).lexically_normal();
  struct stat info {};
  if (::stat(source.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    throw Error(Code::kNotFound, fmt::format("'{}' is not a file; a folder's files are logged one by one", source.string()));
  }
  const std::string path = (folder.empty() ? "" : std::string(folder) + "/") + source.filename().string();
  if (static_cast<uint64_t>(info.st_size) <= impl_->options.segment_bytes / 2) {
    return log_bytes(path, base::read_file(source, impl_->options.segment_bytes / 2));
  }
  if (path.size() > track::kMaxPathBytes || source.string().size() > track::kMaxPathBytes) {
    return impl_->refuse("an artifact's path must have 1 to 4096 bytes");
  }
  const std::string link = "file-" + record::new_id();
  const bool linked = ::link(source.c_str(), (impl_->spool.folder / link).c_str()) == 0;
  const std::string kept = linked ? link : source.string();
  return impl_->append(track::FileFrame{path, kept, static_cast<uint64_t>(info.st_size),
                                        int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec});
}

bool Run::flush(milliseconds timeout) { return impl_->flush(timeout); }

bool Run::finish(RunEnd end, milliseconds timeout) {
  if (impl_->ended.exchange(true)) {
    throw Error(Code::kInvalid, "the run was finished already");
  }
  if (!impl_->append(track::EndFrame{static_cast<uint8_t>(end), base::SystemClock().unix_ms()}, true)) {
    return false;
  }
  return flush(timeout);
}

void Run::detach() noexcept { impl_->detached = true; }

const std::string& Run::id() const noexcept { return impl_->spool.id; }

std::string Run::run_id() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->state.run_id;
}

RunCounts Run::counts() const {
  RunCounts counts;
  counts.logged = impl_->writer.logged();
  counts.dropped = impl_->writer.dropped();
  counts.refused = impl_->refused;
  const std::lock_guard lock(impl_->mutex);
  counts.sent = impl_->state.sent;
  counts.refused += impl_->state.refused;
  counts.damaged = impl_->state.damaged;
  counts.error = !impl_->error.empty() ? impl_->error : !impl_->state.error.empty() ? impl_->state.error : impl_->refusal.load();
  return counts;
}

}  // namespace slipway
