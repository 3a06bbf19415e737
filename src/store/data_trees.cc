// Files of datasets into the store: those that did not change since they were last read are not read again.
#include <algorithm>
#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>
#include <unordered_map>

#include "base/error.h"
#include "base/path.h"
#include "store/data_checkout.h"
#include "store/data_versions.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using record::FileStamp;
using record::FolderFile;

// A file that changes twice within a tick of the file system's clock keeps its times. The coarsest in use (FAT) ticks every 2 s.
constexpr int64_t kSettleNs = 2'000'000'000;
constexpr int kStampsTogether = 10'000;

int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

// Digests known of files below `folder`, by path.
void add_stamps_below(Database& database, const std::string& folder, std::unordered_map<std::string, FileStamp>& stamps) {
  std::string from = folder + "/";
  const std::string end = folder + "0";  // the character after '/'
  Statement query = database.prepare(
      "SELECT path, size, mtime_ns, ctime_ns, inode, digest FROM file_stamps WHERE path > ? AND path < ? ORDER BY path LIMIT ?");
  for (int rows = kStampsTogether; rows == kStampsTogether;) {
    rows = 0;
    query.bind(from, end, kStampsTogether);
    while (query.step()) {
      FileStamp stamp{query.text(0), static_cast<uint64_t>(query.integer(1)), query.integer(2), query.integer(3),
                      static_cast<uint64_t>(query.integer(4)), query.text(5)};
      from = stamp.path;
      stamps.emplace(stamp.path, std::move(stamp));
      ++rows;
    }
  }
}

fs::path absolute_place(const fs::path& place) {
  fs::path path = fs::absolute(place).lexically_normal();
  return path.filename().empty() ? path.parent_path() : path;  // "folder/"
}

}  // namespace

FileStamp stamp_of(const fs::path& file) {
  struct stat info {};
  if (::lstat(file.c_str(), &info) != 0) {
    fail_file("read", file, errno);
  }
  return {file.string(), static_cast<uint64_t>(info.st_size), nanoseconds(info.st_mtim), nanoseconds(info.st_ctim), info.st_ino, ""};
}

bool is_settled(const FileStamp& stamp) noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::max(stamp.mtime_ns, stamp.ctime_ns) + kSettleNs <= nanoseconds(now);
}

record::Artifact SqlDataTrees::put(std::span<const record::DataSource> sources, std::span<const FolderFile> kept, const std::string& name,
                                   const record::Json& meta, record::PutCounts& counts) {
  std::vector<FolderSource> found;
  std::unordered_map<std::string, FileStamp> known;
  const fs::path store = fs::weakly_canonical(core_.folder);
  const auto skip = [&](const fs::path& path) {
    const std::string file = path.filename().string();
    return file == ".git" || file.starts_with(kCheckoutPrefix) ||
           (file == store.filename() && fs::is_directory(path) && fs::weakly_canonical(path) == store);
  };
  for (const record::DataSource& source : sources) {
    const fs::path place = absolute_place(source.place);
    if (fs::is_directory(fs::symlink_status(place))) {
      std::vector<FolderSource> files = Blobs::walk(place, source.path.empty() ? "" : source.path + "/", skip);
      found.insert(found.end(), std::make_move_iterator(files.begin()), std::make_move_iterator(files.end()));
      add_stamps_below(*core_.read(), place.string(), known);
    } else if (!fs::exists(fs::symlink_status(place))) {
      throw Error(Code::kNotFound, fmt::format("there is no '{}'", place.string()));
    } else {
      base::check_entry_path(source.path);
      found.push_back({source.path, place});
      for (FileStamp& stamp : stamps_.stamps(std::vector<std::string>{place.string()})) {
        known.emplace(stamp.path, std::move(stamp));
      }
    }
  }
  const PutLock lock = core_.putting();
  std::vector<FolderFile> entries(kept.begin(), kept.end());
  std::vector<FolderSource> unknown;
  std::vector<FileStamp> before;
  for (FolderSource& file : found) {
    FileStamp stamp = stamp_of(file.file);
    if (const auto it = known.find(stamp.path); it != known.end()) {
      stamp.digest = it->second.digest;
      if (stamp == it->second && core_.blobs.has(stamp.digest, stamp.size)) {
        entries.push_back({std::move(file.path), std::move(stamp.digest), stamp.size});
        continue;
      }
    }
    unknown.push_back(std::move(file));
    before.push_back(std::move(stamp));
  }
  const std::vector<FolderFile> put = core_.blobs.put_files(unknown);
  std::vector<FileStamp> fresh;
  for (size_t i = 0; i < put.size(); ++i) {
    counts.hashed_bytes += put[i].size;
    FileStamp after = stamp_of(unknown[i].file);
    before[i].digest.clear();
    if (after == before[i] && is_settled(after)) {
      after.digest = put[i].digest;
      fresh.push_back(std::move(after));
    }
  }
  entries.insert(entries.end(), put.begin(), put.end());
  counts.files = static_cast<int64_t>(entries.size());
  counts.hashed = static_cast<int64_t>(put.size());
  counts.bytes = 0;
  for (const FolderFile& file : entries) {
    counts.bytes += file.size;
  }
  const record::Artifact artifact =
      keep_artifact(core_, core_.blobs.put_listing(std::move(entries)), true, counts.bytes, "dataset", name, meta);
  stamps_.put_stamps(fresh);
  return artifact;
}

std::vector<FolderFile> SqlDataTrees::files(const std::string& digest) { return core_.blobs.read_listing(digest); }

}  // namespace slipway::store
