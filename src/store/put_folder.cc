// A folder into the store. Small files are put together, many in one file with one sync: to create a file costs more than its bytes.
#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/path.h"
#include "base/pool.h"
#include "store/blobs.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr int kMaxFolderDepth = 64;
constexpr size_t kSmallFile = size_t{64} << 10;  // read into memory: hashed and written from there
constexpr size_t kFilesTogether = 512;           // at most 32 MiB in memory

void walk_folder(const fs::path& folder, const std::string& prefix, int depth, const std::function<bool(const fs::path&)>& skip,
                 std::vector<FolderSource>& files) {
  if (depth > kMaxFolderDepth) {
    throw Error(Code::kInvalid, fmt::format("'{}' lies more than {} folders deep", folder.string(), kMaxFolderDepth));
  }
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (skip && skip(it->path())) {
      continue;
    }
    const std::string name = prefix + it->path().filename().string();
    base::check_entry_path(name);
    const fs::file_status status = it->symlink_status();
    if (fs::is_directory(status)) {
      walk_folder(it->path(), name + "/", depth + 1, skip, files);
    } else if (fs::is_regular_file(status)) {
      files.push_back({name, it->path()});
    } else {
      throw Error(Code::kInvalid,
                  fmt::format("'{}' is {}; an artifact holds only files and folders", it->path().string(),
                              fs::is_symlink(status) ? "a symbolic link" : "a special file"));
    }
  }
  if (error) {
    fail_file("list", folder, error.value());
  }
}

// All of a small file; nullopt: it is none, or not small.
std::optional<std::string> read_small(const fs::path& path) {
  const File file(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  const struct stat info = file.info(path);
  if (!S_ISREG(info.st_mode) || info.st_size > static_cast<off_t>(kSmallFile)) {
    return std::nullopt;
  }
  std::string bytes(static_cast<size_t>(info.st_size) + 1, '\0');  // one more: it may be growing
  size_t size = 0;
  std::string piece = bytes;
  while (const size_t got = file.read(piece, path)) {
    if (size + got >= bytes.size()) {
      return std::nullopt;
    }
    std::copy_n(piece.data(), got, bytes.data() + size);
    size += got;
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace

std::vector<FolderSource> Blobs::walk(const fs::path& folder, const std::string& prefix,
                                      const std::function<bool(const fs::path&)>& skip) {
  std::vector<FolderSource> files;
  walk_folder(folder, prefix, 0, skip, files);
  return files;
}

void Blobs::put_batch(std::span<const FolderSource> files, std::vector<FolderEntry>& entries, base::Pool& pool, BundleWriter& bundle,
                      Folders& touched) {
  struct Small {
    std::optional<std::string> bytes;  // none: it is not small
    Blob blob;
    bool there = false;
  };
  std::vector<Small> small(files.size());
  pool.parallel_for(static_cast<int64_t>(files.size()), [&](int64_t i) {
    Small& file = small[static_cast<size_t>(i)];
    file.bytes = read_small(files[static_cast<size_t>(i)].file);
    if (file.bytes) {
      file.blob = {base::digest_of(*file.bytes), file.bytes->size()};
      file.there = has(file.blob.digest, file.blob.size);
    }
  });
  for (size_t i = 0; i < files.size(); ++i) {
    Small& file = small[i];
    if (!file.bytes) {
      file.blob = put_file(files[i].file, false, true, touched);
    } else if (file.there) {  // whoever put it may not have synced its name yet
      touched.insert(bundled(file.blob.digest) ? bundles_->folder() : place(file.blob.digest).parent_path());
    } else if (file.bytes->empty() || bundled(file.blob.digest)) {  // in one that was cut off: what is whole is found first
      put_bytes(*file.bytes, touched);
    } else {
      bundle.add(file.blob, std::move(*file.bytes));
    }
    entries.push_back({files[i].path, file.blob.digest, file.blob.size});
  }
}

std::vector<FolderEntry> Blobs::put_files(std::span<const FolderSource> files) {
  Folders touched;
  std::vector<FolderEntry> entries;
  entries.reserve(files.size());
  if (remote_ || files.size() < BundleWriter::kLeastContents) {
    for (const FolderSource& file : files) {
      Blob blob = put_file(file.file, false, !remote_, touched);
      entries.push_back({file.path, std::move(blob.digest), blob.size});
    }
    sync(touched);
    return entries;
  }
  base::Pool pool;
  BundleWriter bundle(*this);
  for (size_t begin = 0; begin < files.size(); begin += kFilesTogether) {
    put_batch(files.subspan(begin, std::min(kFilesTogether, files.size() - begin)), entries, pool, bundle, touched);
  }
  bundle.finish();
  sync(touched);
  return entries;
}

Blob Blobs::put_listing(std::vector<FolderEntry> entries) { return put_bytes(listing_bytes(std::move(entries))); }

Blob Blobs::put_folder(const fs::path& path) {
  if (!fs::is_directory(path)) {
    throw Error(fs::exists(path) ? Code::kInvalid : Code::kNotFound,
                fmt::format("'{}' is not a folder", path.string()));
  }
  return put_listing(put_files(walk(path, "")));
}

}  // namespace slipway::store
