#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/compact.h"
#include "store/core.h"
#include "store/postgres.h"
#include "store/roots.h"
#include "store/store.h"
#include "store/stored_files.h"
#include "store/verify.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr size_t kRunsTogether = 50;  // in one transaction: a writer of the server waits no longer than it takes

// A file that a killed process left: "tmp-…" (of a put, and none is under way), or "up-PID-…" of a process that has gone.
bool is_leftover(const std::string& name) {
  if (!name.starts_with("up-")) {
    return name.starts_with("tmp-");
  }
  pid_t process = 0;
  std::from_chars(name.data() + 3, name.data() + name.size(), process);
  return process <= 0 || (::kill(process, 0) != 0 && errno == ESRCH);
}

struct DoomedRun {
  int64_t number = 0;
  int64_t experiment = 0;
  std::string id;
  std::string folder() const { return fmt::format("{}/{}/", experiment, id); }
};

// A registered version, which may be served, tells what it came from.
constexpr const char* kVersionNamesRun = "EXISTS (SELECT 1 FROM model_versions v WHERE v.run_id = runs.id)";

// Deletes rows of experiments and runs whose time is over.
class RowCollector {
 public:
  RowCollector(Database& database, int64_t before_ms) : database_(database), before_ms_(before_ms) {}

  void count(GarbageReport& report) {
    runs_ = doomed_runs();
    report.runs = static_cast<int64_t>(runs_.size());
    report.experiments = static_cast<int64_t>(doomed_experiments().size());
    Statement kept = database_.prepare_once(
        fmt::format("SELECT count(*) FROM runs WHERE deleted = 1 AND deleted_ms <= ? AND {}", kVersionNamesRun));
    kept.bind(before_ms_).step();
    report.kept_runs = kept.integer(0);
  }

  std::unordered_set<std::string> folders() const {
    std::unordered_set<std::string> folders;
    for (const DoomedRun& run : runs_) {
      folders.insert(run.folder());
    }
    return folders;
  }

  void remove() {
    for (size_t begin = 0; begin < runs_.size(); begin += kRunsTogether) {
      Transaction transaction(database_);
      for (size_t i = begin; i < std::min(begin + kRunsTogether, runs_.size()); ++i) {
        remove_run(runs_[i]);
      }
      transaction.commit();
    }
    Transaction transaction(database_);
    for (const int64_t experiment : doomed_experiments()) {
      remove_owned("experiments", "number = ?", experiment);
      remove_files(fmt::format("{}/", experiment));
      database_.prepare("DELETE FROM experiments WHERE number = ?").bind(experiment).run();
    }
    transaction.commit();
  }

 private:
  std::vector<DoomedRun> doomed_runs() {
    std::vector<DoomedRun> runs;
    Statement query = database_.prepare_once(
        fmt::format("SELECT number, experiment, id FROM runs WHERE deleted = 1 AND deleted_ms <= ? AND NOT {} ORDER BY number",
                    kVersionNamesRun));
    query.bind(before_ms_);
    while (query.step()) {
      runs.push_back({query.integer(0), query.integer(1), query.text(2)});
    }
    return runs;
  }

  // Those with no run that stays; never "Default".
  std::vector<int64_t> doomed_experiments() {
    std::vector<int64_t> numbers;
    Statement query = database_.prepare_once(fmt::format(
        "SELECT number FROM experiments e WHERE deleted = 1 AND deleted_ms <= ?1 AND number <> 0 AND NOT EXISTS (SELECT 1 FROM "
        "runs WHERE experiment = e.number AND NOT (deleted = 1 AND deleted_ms <= ?2 AND NOT {})) ORDER BY number",
        kVersionNamesRun));
    query.bind(before_ms_, before_ms_);
    while (query.step()) {
      numbers.push_back(query.integer(0));
    }
    return numbers;
  }

  // Rows that belong to those of `owner` that `condition` (with one parameter) names, and what belongs to them in turn.
  void remove_owned(const std::string& owner, const std::string& condition, int64_t value) {
    for (const OwnedRows& rows : owned_rows()) {
      if (owner != rows.owner) {
        continue;
      }
      const std::string theirs = fmt::format("{} IN (SELECT number FROM {} WHERE {})", rows.column, owner, condition);
      remove_owned(rows.table, theirs, value);
      database_.prepare(fmt::format("DELETE FROM {} WHERE {}", rows.table, theirs)).bind(value).run();
    }
  }

  void remove_files(const std::string& folder) {
    std::string end = folder;
    end.back() = '0';  // the character after '/'
    database_.prepare("DELETE FROM files WHERE path >= ? AND path < ?").bind(folder, end).run();
  }

  void remove_run(const DoomedRun& run) {
    // It may have been restored meanwhile.
    Statement still = database_.prepare_once(fmt::format(
        "SELECT 1 FROM runs WHERE number = ? AND deleted = 1 AND deleted_ms <= ? AND NOT {}", kVersionNamesRun));
    if (!still.bind(run.number, before_ms_).step()) {
      return;
    }
    remove_owned("runs", "number = ?", run.number);
    remove_files(run.folder());
    const std::string node = "run:" + run.id;
    database_.prepare("DELETE FROM edges WHERE source = ?").bind(node).run();
    database_.prepare("DELETE FROM edges WHERE target = ?").bind(node).run();
    database_.prepare("DELETE FROM runs WHERE number = ?").bind(run.number).run();
  }

  Database& database_;
  const int64_t before_ms_;
  std::vector<DoomedRun> runs_;
};

// The files of listings are found by reading them: those that cannot be read would make garbage of what they name.
Named whole_names(Database& database, const Blobs& blobs, const std::unordered_set<std::string>& without) {
  Named named = named_blobs(database, blobs, without);
  if (!named.problems.empty()) {
    throw Error(Code::kIntegrity, fmt::format("nothing was removed: {}", named.problems.front()));
  }
  return named;
}

Kept whole_kept(const Blobs& blobs, const StoredFiles& files, const Named& named, const Kept& known) {
  try {
    return kept_files(blobs, files, named, known);
  } catch (const Error& error) {
    throw error.code() == Code::kIntegrity ? Error(Code::kIntegrity, fmt::format("nothing was removed: {}", error.what())) : error;
  }
}

// A bundle whose index is damaged looks like garbage: it stays as long as a content is missing that it may hold.
void refuse_lost(const Blobs& blobs, const StoredFiles& files, const Named& named) {
  if (!files.bundles->damaged().empty() &&
      !std::all_of(named.digests.begin(), named.digests.end(), [&](const std::string& digest) { return blobs.contains(digest); })) {
    throw Error(Code::kIntegrity, fmt::format("nothing was removed: {}", files.bundles->damaged().front().why));
  }
}

// Counts what nothing needs, and removes it.
void remove_unneeded(Database& database, const Blobs& blobs, const StoredFiles& files, const Kept& kept, bool dry_run,
                     GarbageReport& report) {
  std::vector<std::string> gone;
  for (const auto& [digest, size] : files.recipes) {  // before what they are made of
    if (!kept.recipes.contains(digest)) {
      ++report.blobs;
      report.bytes += size;
      if (!dry_run) {
        blobs.remove_recipe(digest);
      }
    }
  }
  for (const auto& [digest, size] : files.whole) {
    if (!kept.whole.contains(digest)) {
      ++report.blobs;
      report.bytes += size;
      if (!dry_run) {
        blobs.remove(digest);
        gone.push_back(digest);
      }
    }
  }
  for (const BundleSet::Damaged& damaged : files.bundles->damaged()) {  // what it named was put again
    if (!dry_run) {
      fs::remove(damaged.file);
    }
  }
  for (const auto& entry : files.bundles->entries()) {  // one that a collector left that was killed
    const std::string& bundle = entry->index.bundle();
    if (!dry_run && !files.whole.contains(bundle) && !kept.whole.contains(bundle) && !blobs.whole(bundle)) {
      blobs.remove(bundle);
    }
  }
  forget_sources(database, gone);
}

void collect_blobs(Database& database, const Blobs& blobs, const std::unordered_set<std::string>& without, const GarbageOptions& garbage,
                   GarbageReport& report) {
  const bool dry_run = garbage.dry_run;
  // The folders are walked, and recipes read, before the lock is taken, for that takes long and puts wait for the lock.
  const StoredFiles files = list_files(blobs);
  Named named = whole_names(database, blobs, without);
  Kept kept = whole_kept(blobs, files, named, {});
  const FileLock lock = blobs.collecting();  // no put is under way: all rows of finished ones are committed
  if (!database.is_file()) {
    lock_blobs(database, false);  // nor by another server; it goes with the connection
  }
  named = whole_names(database, blobs, without);
  kept = whole_kept(blobs, files, named, kept);
  refuse_lost(blobs, files, named);
  remove_unneeded(database, blobs, files, kept, dry_run, report);
  for (const Sparse& sparse : sparse_blobs(files, named, kept, garbage.every_byte)) {
    ++report.sparse;
    report.sparse_bytes += sparse.size - sparse.live;
    if (!dry_run) {
      compact(blobs, database, sparse);
    }
  }
  const std::vector<Sparse> bundles = sparse_bundles(files, named, kept, garbage.every_byte, true);
  for (const Sparse& bundle : bundles) {
    if (bundle.live < bundle.size) {
      ++report.sparse;
      report.sparse_bytes += bundle.size - bundle.live;
    }
  }
  if (!dry_run) {
    compact_bundles(blobs, named, bundles);
  }
  for (const fs::path& path : files.others) {
    std::error_code gone;
    const uint64_t size = fs::file_size(path, gone);
    if (!gone && path.parent_path() == blobs.folder() && is_leftover(path.filename().string())) {
      ++report.leftovers;
      report.leftover_bytes += size;
      if (!dry_run) {
        fs::remove(path);
      }
    }
  }
}

}  // namespace

GarbageReport collect_garbage(const fs::path& wanted, const GarbageOptions& garbage, const StoreOptions& options) {
  const fs::path folder = fs::absolute(wanted).lexically_normal();
  const Blobs blobs = blobs_of(folder, options);
  GarbageReport report;
  std::unordered_set<std::string> without;
  if (garbage.retention_ms) {
    StoreOptions there = options;
    there.create = false;
    static_cast<void>(open_store(folder, there));  // of the newest version from here on
    const auto database = open_existing(folder, options);
    const base::SystemClock system;
    const int64_t now = (options.clock != nullptr ? *options.clock : system).unix_ms();
    RowCollector rows(*database, now - *garbage.retention_ms);
    rows.count(report);
    without = rows.folders();
    if (!garbage.dry_run) {
      rows.remove();  // committed before any blob goes
      without.clear();
    }
  }
  const auto database = open_existing(folder, options);
  collect_blobs(*database, blobs, without, garbage, report);
  return report;
}

}  // namespace slipway::store
