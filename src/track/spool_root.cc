#include "track/spool_root.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "record/record.h"
#include "track/delivery.h"

namespace slipway::track {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

std::string variable(const char* name, const char* fallback) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : fallback;
}

// An id names a folder: nothing else may.
bool is_id(const std::string& text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

store::FileLock lock_writer(const fs::path& folder, std::chrono::milliseconds wait) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  while (true) {
    if (auto lock = store::FileLock::try_exclusive(folder / "writer.lock")) {
      return *std::move(lock);
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      throw Error(Code::kConflict, fmt::format("another process logs to the spool '{}'", folder.string()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

uint64_t count_left(const fs::path& folder, Position position) {
  SpoolReader reader(folder, position);
  uint64_t count = 0;
  while (reader.next(true)) {
    ++count;
  }
  return count;
}

void sync_one(const fs::path& folder, const SyncOptions& options, SyncResult& result) {
  const auto writer_lock = store::FileLock::try_exclusive(folder / "writer.lock");
  if (!writer_lock) {
    result.state = "in use";
    return;
  }
  const SpoolInfo info = read_info(folder);
  result.uri = options.uri.empty() ? info.tracking_uri : options.uri;
  SentState state = read_state(folder);
  const uint64_t sent_before = state.sent;
  const auto tell = [&] {
    result.run_id = state.run_id;
    result.sent = state.sent - sent_before;
    result.left = count_left(folder, state.position);
    result.dropped = state.dropped + dropped_in_segments(folder);
    result.refused = state.refused;
    result.damaged = state.damaged;
    result.error = state.error;
  };
  result.state = "waiting";
  if (options.dry_run) {
    tell();
    return;
  }
  if (options.mark_killed && !state.ended && !info.transient) {
    SpoolWriter writer(folder, {});
    writer.append(EndFrame{2, base::SystemClock().unix_ms()}, true);
  }
  const auto delivery = Delivery::begin(folder, make_target(target_options(result.uri)));
  if (!delivery) {
    result.state = "in use";
    return;
  }
  try {
    while (delivery->step(true)) {
    }
  } catch (const std::exception& error) {
    state = delivery->state();
    tell();
    result.error = error.what();
    return;
  }
  state = delivery->state();
  tell();
  result.state = delivery->complete() ? "sent" : "open";
  if (delivery->complete()) {
    fs::remove_all(folder);
  }
}

}  // namespace

fs::path spool_root(const fs::path& wanted) {
  return fs::absolute(wanted.empty() ? fs::path(variable("SLIPWAY_SPOOL", ".slipway/spool")) : wanted).lexically_normal();
}

OpenedSpool open_spool(const fs::path& root, const std::string& uri, const std::string& resume, SpoolInfo info,
                       std::chrono::milliseconds wait) {
  if (is_id(resume) && fs::exists(root / resume / "run.json")) {
    store::FileLock lock = lock_writer(root / resume, wait);
    const SpoolInfo there = read_info(root / resume);
    return {root / resume, resume, uri.empty() ? there.tracking_uri : uri, std::move(lock)};
  }
  info.id = record::new_id();
  info.run_id = resume;
  info.transient = !resume.empty();
  const std::string address = target_options(uri).uri;
  info.tracking_uri = without_credentials(address);
  if (info.experiment.empty()) {
    info.experiment = variable("MLFLOW_EXPERIMENT_NAME", record::kDefaultExperiment);
  }
  info.user = info.user.empty() ? variable("USER", "") : info.user;
  info.started_ms = base::SystemClock().unix_ms();
  const fs::path folder = root / info.id;
  base::make_dirs(folder);
  fs::permissions(folder, fs::perms::owner_all);  // what is logged is nobody else's business
  store::FileLock lock = lock_writer(folder, wait);
  write_info(folder, info);
  return {folder, info.id, address, std::move(lock)};
}

std::vector<SyncResult> sync_spools(const fs::path& root, const SyncOptions& options) {
  std::vector<std::pair<fs::file_time_type, fs::path>> folders;
  std::error_code nothing;
  for (const auto& entry : fs::directory_iterator(root, nothing)) {
    const std::string id = entry.path().filename().string();
    if (is_id(id) && (options.id.empty() || options.id == id) && fs::exists(entry.path() / "run.json")) {
      folders.emplace_back(fs::last_write_time(entry.path() / "run.json"), entry.path());
    }
  }
  if (!options.id.empty() && folders.empty()) {
    throw Error(Code::kNotFound, fmt::format("there is no spool {} in '{}'", options.id, root.string()));
  }
  std::sort(folders.begin(), folders.end());
  std::vector<SyncResult> results;
  for (const auto& [time, folder] : folders) {
    SyncResult& result = results.emplace_back();
    result.id = folder.filename().string();
    try {
      sync_one(folder, options, result);
    } catch (const std::exception& error) {
      result.state = "waiting";
      result.error = error.what();
    }
  }
  return results;
}

}  // namespace slipway::track
