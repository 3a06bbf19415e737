#include <cerrno>
#include <charconv>
#include <csignal>
#include <fmt/format.h>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/hash.h"
#include "store/blobs.h"
#include "store/core.h"
#include "store/postgres.h"
#include "store/store.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr int kBusyTimeoutMs = 10000;
constexpr size_t kMaxProblems = 1000;  // told; a damaged disk would make many

std::unique_ptr<Database> open_existing(const fs::path& folder, const StoreOptions& options) {
  const fs::path path = folder / "slipway.db";
  if (!fs::exists(options.database_url.empty() ? path : folder / "blobs")) {
    throw Error(Code::kNotFound, fmt::format("there is no store in '{}'", folder.string()));
  }
  return DatabasePlace{path, options.database_url, kBusyTimeoutMs}.open(false);
}

// A database of an older version may be without it.
bool has_table(Database& database, const std::string& name) {
  return !database.is_file() ||
         !database.scalar(fmt::format("SELECT 1 FROM sqlite_master WHERE name = '{}'", name).c_str()).empty();
}

// Every blob: digest -> size; files that are none go to `others`.
std::unordered_map<std::string, uint64_t> list_blobs(const Blobs& blobs, std::vector<fs::path>& others) {
  std::unordered_map<std::string, uint64_t> found;
  blobs.list([&](const std::string& digest, uint64_t size) { found.emplace(digest, size); },
             [&](const fs::path& file) { others.push_back(file); });
  return found;
}

struct Named {
  std::unordered_set<std::string> digests;
  int64_t artifacts = 0;
  std::vector<std::string> problems;
};

// All that rows, and the listings they name, say is there.
Named named_blobs(Database& database, const Blobs& blobs) {
  Named named;
  Statement query = database.prepare("SELECT digest, folder FROM artifacts");
  while (query.step()) {
    const std::string digest = query.text(0);
    ++named.artifacts;
    named.digests.insert(digest);
    if (query.integer(1) == 0) {
      continue;
    }
    try {
      for (const FolderEntry& entry : blobs.read_listing(digest)) {
        named.digests.insert(entry.digest);
      }
    } catch (const Error& error) {
      named.problems.emplace_back(error.what());
    }
  }
  for (const std::string table : {"files", "hub_files", "hub_uploads"}) {
    if (has_table(database, table)) {
      Statement files = database.prepare(fmt::format("SELECT digest FROM {} WHERE digest IS NOT NULL", table));
      while (files.step()) {
        named.digests.insert(files.text(0));
      }
    }
  }
  return named;
}

// A file that a killed process left: "tmp-…" (of a put, and none is under way), or "up-PID-…" of a process that has gone.
bool is_leftover(const std::string& name) {
  if (!name.starts_with("up-")) {
    return name.starts_with("tmp-");
  }
  pid_t process = 0;
  std::from_chars(name.data() + 3, name.data() + name.size(), process);
  return process <= 0 || (::kill(process, 0) != 0 && errno == ESRCH);
}

}  // namespace

VerifyReport verify_store(const fs::path& wanted, const StoreOptions& options) {
  const fs::path folder = fs::absolute(wanted).lexically_normal();
  VerifyReport report;
  const Blobs blobs = blobs_of(folder, options);
  const auto problem = [&](const std::string& text) {
    if (report.problems.size() < kMaxProblems) {
      report.problems.push_back(text);
    }
  };
  Named named;
  try {
    const auto database = open_existing(folder, options);
    if (database->is_file()) {  // a server checks its own pages
      Statement check = database->prepare("PRAGMA integrity_check(100)");
      while (check.step()) {
        if (const std::string text = check.text(0); text != "ok") {
          problem("the database is damaged: " + text);
        }
      }
    }
    named = named_blobs(*database, blobs);
  } catch (const Error& error) {
    if (error.code() != Code::kIntegrity) {
      throw;
    }
    problem(error.what());
  }
  report.artifacts = named.artifacts;
  for (const std::string& text : named.problems) {
    problem(text);
  }
  std::vector<fs::path> others;
  const auto found = list_blobs(blobs, others);
  for (const std::string& digest : named.digests) {
    if (!found.contains(digest)) {
      problem(fmt::format("the blob {} is missing", digest));
    }
  }
  for (const auto& [digest, size] : found) {
    ++report.blobs;
    report.bytes += size;
    try {
      blobs.verify(digest);
    } catch (const Error& error) {
      problem(error.what());
    }
  }
  return report;
}

GarbageReport collect_garbage(const fs::path& wanted, bool dry_run, const StoreOptions& options) {
  const fs::path folder = fs::absolute(wanted).lexically_normal();
  const Blobs blobs = blobs_of(folder, options);
  const auto database = open_existing(folder, options);
  const FileLock lock = blobs.collecting();  // no put is under way: all rows of finished ones are committed
  if (!database->is_file()) {
    lock_blobs(*database, false);  // nor by another server; it goes with the connection
  }
  const Named named = named_blobs(*database, blobs);
  if (!named.problems.empty()) {
    // The files of a listing that cannot be read would look like garbage.
    throw Error(Code::kIntegrity, fmt::format("nothing was removed: {}", named.problems.front()));
  }
  GarbageReport report;
  std::vector<fs::path> others;
  for (const auto& [digest, size] : list_blobs(blobs, others)) {
    if (named.digests.contains(digest)) {
      continue;
    }
    ++report.blobs;
    report.bytes += size;
    if (!dry_run) {
      blobs.remove(digest);
    }
  }
  for (const fs::path& path : others) {
    if (path.parent_path() == blobs.folder() && is_leftover(path.filename().string())) {
      ++report.leftovers;
      if (!dry_run) {
        fs::remove(path);
      }
    }
  }
  return report;
}

}  // namespace slipway::store
