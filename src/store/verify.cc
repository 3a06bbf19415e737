#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "store/core.h"
#include "store/roots.h"
#include "store/store.h"
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

// Every blob: digest -> size; files that are none go to `others`.
std::unordered_map<std::string, uint64_t> list_blobs(const Blobs& blobs, std::vector<fs::path>& others) {
  std::unordered_map<std::string, uint64_t> found;
  blobs.list([&](const std::string& digest, uint64_t size) { found.emplace(digest, size); },
             [&](const fs::path& file) { others.push_back(file); });
  return found;
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

}  // namespace slipway::store
