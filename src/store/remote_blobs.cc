#include "store/remote_blobs.h"

#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <vector>

#include "base/error.h"
#include "base/hash.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

// An answer may still be read from a file that was asked for so long ago.
constexpr std::chrono::minutes kInUse{10};

struct CachedFile {
  fs::path path;
  uint64_t size = 0;
  fs::file_time_type used;
};

// The folder's blobs; its lock and files that are being written lie beside its folders "ab".
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

void RemoteBlobs::read(const std::string& digest, const std::function<void(std::string_view)>& sink) {
  const auto size = size_of(digest);
  if (!size) {
    throw Error(Code::kNotFound, fmt::format("the blob {} is missing from {}", digest, name()));
  }
  base::Sha256 sha;
  objects_->get(key_of(digest), 0, *size, [&](std::string_view piece) {
    sha.update(piece);
    sink(piece);
  });
  if (const std::string hex = sha.hex(); hex != digest.substr(kPrefix)) {
    throw Error(Code::kIntegrity, fmt::format("the blob {} in {} is damaged: its content has the digest sha256:{}; restore it "
                                              "from a copy, or remove it and run the step that made it again",
                                              digest, name(), hex));
  }
}

void RemoteBlobs::list(const std::function<void(const std::string& digest, uint64_t size)>& visit) {
  objects_->list([&](const std::string& key, uint64_t size) {
    const std::string digest = "sha256:" + key.substr(std::min(key.size(), size_t{3}));
    if (base::is_digest(digest) && key == key_of(digest)) {  // other keys are not ours
      visit(digest, size);
    }
  });
}

void RemoteBlobs::used(const fs::path& file, uint64_t added) {
  ::utimensat(AT_FDCWD, file.c_str(), nullptr, 0);  // a copy that has gone meanwhile is fetched again
  if (added == 0) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (held_) {
    *held_ += added;
  }
  if (!held_ || *held_ > cache_bytes_) {
    make_room();
  }
}

void RemoteBlobs::make_room() {
  std::vector<CachedFile> files = files_of(folder_);
  uint64_t held = 0;
  for (const CachedFile& file : files) {
    held += file.size;
  }
  std::sort(files.begin(), files.end(), [](const CachedFile& a, const CachedFile& b) { return a.used < b.used; });
  const auto recent = fs::file_time_type::clock::now() - kInUse;
  for (const CachedFile& file : files) {
    if (held <= cache_bytes_ || file.used > recent) {
      break;
    }
    std::error_code gone;
    fs::remove(file.path, gone);
    held -= file.size;
  }
  held_ = held;
}

}  // namespace slipway::store
