#include "store/data_checkout.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>
#include <unistd.h>
#include <unordered_set>

#include "base/error.h"
#include "base/file.h"
#include "base/pool.h"
#include "store/data_versions.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using record::FileStamp;
using record::FolderFile;

constexpr size_t kNamed = 5;  // files that a refusal names

// The folder where files are written before they are renamed; gone with this. Those of processes that died go, too.
class Staging {
 public:
  explicit Staging(const fs::path& target) : folder_(target / (kCheckoutPrefix + std::to_string(::getpid()))) {
    for (const fs::directory_entry& entry : fs::directory_iterator(target)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(kCheckoutPrefix)) {
        pid_t process = 0;
        std::from_chars(name.data() + std::char_traits<char>::length(kCheckoutPrefix), name.data() + name.size(), process);
        if (process <= 0 || process == ::getpid() || (::kill(process, 0) != 0 && errno == ESRCH)) {
          fs::remove_all(entry.path());
        }
      }
    }
    base::make_dirs(folder_);
  }
  ~Staging() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  fs::path file(int64_t number) const { return folder_ / std::to_string(number); }

 private:
  fs::path folder_;
};

// What is at the place of each file of a version.
struct Plan {
  std::vector<const FolderFile*> missing;
  std::vector<const FolderFile*> differing;
  std::vector<fs::path> in_the_way;  // not files of the version: a folder, a link, a file where a folder has to be
  std::vector<fs::path> extra;       // files that the version does not have
  std::vector<FileStamp> fresh;      // of files that were read
};

bool holds(const fs::path& file, const FolderFile& wanted, std::span<const FileStamp> known, std::vector<FileStamp>& fresh) {
  FileStamp stamp = stamp_of(file);
  if (stamp.size != wanted.size) {
    return false;
  }
  stamp.digest = wanted.digest;
  if (std::find(known.begin(), known.end(), stamp) != known.end()) {
    return true;
  }
  const File open(file, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  if (hash_open_file(open, file).digest != wanted.digest) {
    return false;
  }
  if (is_settled(stamp)) {
    fresh.push_back(std::move(stamp));
  }
  return true;
}

// Whether all folders above `file` are folders, or can be made; else what is in the way.
bool check_parents(const fs::path& target, const fs::path& file, std::set<fs::path>& good, Plan& plan) {
  std::vector<fs::path> parents;
  for (fs::path folder = file.parent_path(); folder != target && !good.contains(folder); folder = folder.parent_path()) {
    parents.push_back(folder);
  }
  for (auto it = parents.rbegin(); it != parents.rend(); ++it) {
    const fs::file_status status = fs::symlink_status(*it);
    if (fs::exists(status) && !fs::is_directory(status)) {
      plan.in_the_way.push_back(*it);
      return false;
    }
    good.insert(*it);
  }
  return true;
}

Plan make_plan(const std::vector<FolderFile>& files, const fs::path& target, SqlSteps& stamps, bool look_for_extra) {
  Plan plan;
  std::set<fs::path> good;
  for (const FolderFile& wanted : files) {
    const fs::path file = target / wanted.path;
    const bool reachable = check_parents(target, file, good, plan);
    const fs::file_status status = reachable ? fs::symlink_status(file) : fs::file_status(fs::file_type::not_found);
    if (!fs::exists(status)) {
      plan.missing.push_back(&wanted);
    } else if (!fs::is_regular_file(status)) {
      plan.in_the_way.push_back(file);
      plan.missing.push_back(&wanted);
    } else if (!holds(file, wanted, stamps.stamps(std::vector<std::string>{file.string()}), plan.fresh)) {
      plan.differing.push_back(&wanted);
    }
  }
  if (look_for_extra) {
    std::unordered_set<std::string> wanted;
    for (const FolderFile& file : files) {
      wanted.insert(file.path);
    }
    for (fs::recursive_directory_iterator it(target), end; it != end; ++it) {
      const std::string name = it->path().filename().string();
      if (name.starts_with(kCheckoutPrefix) || name == ".git" || fs::exists(it->path() / "slipway.db")) {
        it.disable_recursion_pending();
      } else if (!it->is_directory() && !wanted.contains(it->path().lexically_relative(target).string())) {
        plan.extra.push_back(it->path());
      }
    }
  }
  return plan;
}

void refuse_differing(const Plan& plan, const fs::path& target) {
  std::vector<std::string> names;
  for (const fs::path& path : plan.in_the_way) {
    names.push_back(path.lexically_relative(target).string());
  }
  for (const FolderFile* file : plan.differing) {
    names.push_back(file->path);
  }
  if (names.empty()) {
    return;
  }
  const size_t all = names.size();
  names.resize(std::min(all, kNamed));
  throw Error(Code::kConflict, fmt::format("'{}' has other content at {}{}; nothing was changed: --force replaces it, or commit it first",
                                           target.string(), fmt::join(names, ", "),
                                           all > names.size() ? fmt::format(" and {} more", all - names.size()) : ""));
}

}  // namespace

record::CheckoutCounts SqlDataTrees::checkout(const std::string& digest, const fs::path& wanted, const record::CheckoutOptions& options) {
  fs::path target = fs::absolute(wanted).lexically_normal();
  if (target.filename().empty()) {
    target = target.parent_path();
  }
  if (fs::exists(fs::symlink_status(target)) && !fs::is_directory(target)) {
    throw Error(Code::kConflict, fmt::format("'{}' is a file; name a folder", target.string()));
  }
  if (options.verify) {
    core_.blobs.verify(digest);
  }
  const std::vector<FolderFile> files = core_.blobs.read_listing(digest);
  for (const FolderFile& file : files) {  // before anything is written
    if (!core_.blobs.has(file.digest, file.size)) {
      throw Error(Code::kNotFound, fmt::format("the blob {} of '{}' is missing from the store or damaged; nothing was changed: 'slipway "
                                               "store verify' tells what else is", file.digest, file.path));
    }
  }
  base::make_dirs(target);
  const bool empty = fs::is_empty(target);
  Plan plan;
  if (empty) {
    for (const FolderFile& file : files) {
      plan.missing.push_back(&file);
    }
  } else {
    plan = make_plan(files, target, stamps_, options.force);
  }
  if (!options.force) {
    refuse_differing(plan, target);
  }
  record::CheckoutCounts counts;
  counts.files = static_cast<int64_t>(files.size());
  for (const fs::path& path : plan.in_the_way) {
    fs::remove_all(path);
  }
  for (const fs::path& path : plan.extra) {
    if (fs::exists(fs::symlink_status(path))) {
      fs::remove(path);
      ++counts.removed;
    }
  }
  std::vector<const FolderFile*> writes = std::move(plan.missing);
  writes.insert(writes.end(), plan.differing.begin(), plan.differing.end());
  std::set<fs::path> folders;
  for (const FolderFile* file : writes) {
    const fs::path folder = (target / file->path).parent_path();
    if (folders.insert(folder).second) {
      base::make_dirs(folder);
    }
  }
  const Staging staging(target);
  std::vector<FileStamp> stamps(writes.size());
  base::Pool pool;
  pool.parallel_for(static_cast<int64_t>(writes.size()), [&](int64_t i) {
    const FolderFile& file = *writes[static_cast<size_t>(i)];
    if (options.verify) {
      core_.blobs.verify(file.digest);
    }
    const fs::path temporary = staging.file(i);
    const fs::path place = target / file.path;
    core_.blobs.write_out(file.digest, temporary);
    if (::rename(temporary.c_str(), place.c_str()) != 0) {
      fail_file("create", place, errno);
    }
    stamps[static_cast<size_t>(i)] = stamp_of(place);
    stamps[static_cast<size_t>(i)].digest = file.digest;
  });
  for (const FolderFile* file : writes) {
    counts.written_bytes += file->size;
  }
  counts.written = static_cast<int64_t>(writes.size());
  // What was written this moment is not settled; a change by anybody else in the same tick is told from it by the inode at least when
  // the file is replaced, and by the size when it grows. What edits in place within the tick is not seen: so they are left out.
  std::erase_if(stamps, [](const FileStamp& stamp) { return !is_settled(stamp); });
  stamps.insert(stamps.end(), plan.fresh.begin(), plan.fresh.end());
  stamps_.put_stamps(stamps);
  return counts;
}

}  // namespace slipway::store
