#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>

#include "base/error.h"
#include "base/hash.h"
#include "store/core.h"
#include "store/roots.h"
#include "store/store.h"
#include "store/stored_files.h"
#include "store/verify.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr int kBusyTimeoutMs = 10000;
constexpr size_t kMaxProblems = 1000;  // told; a damaged disk would make many

}  // namespace

std::unique_ptr<Database> open_existing(const fs::path& folder, const StoreOptions& options) {
  const fs::path path = folder / "slipway.db";
  if (!fs::exists(options.database_url.empty() ? path : folder / "blobs")) {
    throw Error(Code::kNotFound, fmt::format("there is no store in '{}'", folder.string()));
  }
  return DatabasePlace{path, options.database_url, kBusyTimeoutMs}.open(false);
}

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
  const StoredFiles files = list_files(blobs);
  for (const std::string& digest : named.digests) {
    if (!files.whole.contains(digest) && !files.recipes.contains(digest) && !files.bundles->find(digest)) {
      problem(fmt::format("the blob {} is missing", digest));
    }
  }
  const auto check = [&](const std::string& digest, uint64_t size) {
    ++report.blobs;
    report.bytes += size;
    try {
      blobs.verify(digest);
    } catch (const Error& error) {
      problem(error.what());
    }
  };
  std::unordered_set<std::string> bundles;
  for (const auto& entry : files.bundles->entries()) {
    bundles.insert(entry->index.bundle());
  }
  for (const auto& [digest, size] : files.whole) {
    if (bundles.contains(digest) && !named.digests.contains(digest)) {  // what of it is named is checked below
      ++report.blobs;
      report.bytes += size;
    } else {
      check(digest, size);
    }
  }
  for (const auto& [digest, size] : files.recipes) {
    if (!files.whole.contains(digest)) {
      check(digest, size);
    }
  }
  for (const BundleSet::Damaged& damaged : files.bundles->damaged()) {
    problem(damaged.why);
  }
  for (const auto& entry : files.bundles->entries()) {
    for (size_t i = 0; i < entry->index.size(); ++i) {
      const BundledContent content = entry->index.at(i);
      if (named.digests.contains(content.digest) && !files.whole.contains(content.digest)) {
        check(content.digest, 0);  // its bytes were counted with the bundle's
      }
    }
  }
  return report;
}

StoreStats store_stats(const fs::path& wanted, const StoreOptions& options) {
  const fs::path folder = fs::absolute(wanted).lexically_normal();
  const Blobs blobs = blobs_of(folder, options);
  const auto database = open_existing(folder, options);
  const StoredFiles files = list_files(blobs);
  const Named named = named_blobs(*database, blobs);
  const Kept kept = kept_files(blobs, files, named);
  StoreStats stats;
  for (const std::string& digest : named.digests) {
    if (const auto size = content_size(files, kept, digest)) {
      ++stats.contents;
      stats.content_bytes += *size;
    }
  }
  for (const auto& entry : files.bundles->entries()) {
    ++stats.bundles;
    stats.bundled += static_cast<int64_t>(entry->index.size());
  }
  stats.recipes = static_cast<int64_t>(kept.recipes.size());
  for (const auto& [digest, size] : files.whole) {
    (kept.whole.contains(digest) ? stats.kept_bytes : stats.garbage_bytes) += size;
    stats.packs += kept.whole.contains(digest) && !named.digests.contains(digest) && !kept.bundles.contains(digest) ? 1 : 0;
  }
  for (const auto& [digest, size] : files.recipes) {
    (kept.recipes.contains(digest) ? stats.kept_bytes : stats.garbage_bytes) += size;
  }
  stats.shared_bytes = stats.content_bytes - std::min(stats.content_bytes, stats.kept_bytes);
  return stats;
}

}  // namespace slipway::store
