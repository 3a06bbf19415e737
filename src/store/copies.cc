#include "store/copies.h"

#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <sys/stat.h>
#include <vector>

namespace slipway::store {
namespace {

namespace fs = std::filesystem;

// An answer may still be read from a file that was asked for so long ago.
constexpr std::chrono::minutes kInUse{10};

struct CachedFile {
  fs::path path;
  uint64_t size = 0;
  fs::file_time_type used;
};

// What else may lie in the folder is not two deep.
std::vector<CachedFile> files_of(const fs::path& folder) {
  std::vector<CachedFile> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;
    if (it.depth() == 1 && it->is_regular_file(gone) && !gone) {
      CachedFile file{it->path(), it->file_size(gone), it->last_write_time(gone)};
      if (!gone) {
        files.push_back(std::move(file));
      }
    }
  }
  return files;
}

}  // namespace

void Copies::used(const fs::path& file, uint64_t added) {
  ::utimensat(AT_FDCWD, file.c_str(), nullptr, 0);  // a copy that has gone meanwhile is fetched again
  if (added == 0) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (held_) {
    *held_ += added;
  }
  if (!held_ || *held_ > limit_bytes_) {
    make_room();
  }
}

void Copies::make_room() {
  std::vector<CachedFile> files = files_of(folder_);
  uint64_t held = 0;
  for (const CachedFile& file : files) {
    held += file.size;
  }
  std::sort(files.begin(), files.end(), [](const CachedFile& a, const CachedFile& b) { return a.used < b.used; });
  const auto recent = fs::file_time_type::clock::now() - kInUse;
  for (const CachedFile& file : files) {
    if (held <= limit_bytes_ || file.used > recent) {
      break;
    }
    std::error_code gone;
    fs::remove(file.path, gone);
    held -= file.size;
  }
  held_ = held;
}

}  // namespace slipway::store
