// A folder into the store. Small files are written many at a time and put on the disk by one sync of the file system, not each by its
// own: a million small ones cost little more than as many bytes in large ones.
#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/path.h"
#include "base/pool.h"
#include "record/record.h"
#include "store/blobs.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr int kMaxFolderDepth = 64;
constexpr size_t kSmallFile = size_t{64} << 10;  // read into memory: hashed and written from there
constexpr size_t kFilesTogether = 4096;          // at most 256 MiB that wait for one sync
constexpr size_t kWorthwhile = 32;               // fewer are synced one by one: others' writes would be waited for too

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

// A file that was written and waits for the sync of its batch; gone with this unless it was renamed.
struct Waiting {
  Blob blob;
  fs::path temporary;  // empty: the blob was there, or the file is not small
  bool small = false;
  Waiting() = default;
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() {
    if (!temporary.empty()) {
      ::unlink(temporary.c_str());
    }
  }
};

void write_waiting(const fs::path& folder, std::string_view bytes, Waiting& file) {
  const fs::path path = folder / fmt::format("tmp-{}-{}", ::getpid(), record::new_id());
  const File out(path, O_WRONLY | O_CREAT | O_EXCL, 0444);
  file.temporary = path;
  out.write(bytes, path);
}

// All that was written to the file system of the folder. Tells of errors since `disk` was opened (Linux 5.8).
void sync_disk(const File& disk, const fs::path& folder) {
  if (::syncfs(disk.fd()) != 0) {
    fail_file("sync", folder, errno);
  }
}

}  // namespace

std::vector<FolderSource> Blobs::walk(const fs::path& folder, const std::string& prefix,
                                      const std::function<bool(const fs::path&)>& skip) {
  std::vector<FolderSource> files;
  walk_folder(folder, prefix, 0, skip, files);
  return files;
}

void Blobs::put_batch(std::span<const FolderSource> files, std::vector<FolderEntry>& entries, base::Pool& pool, const File& disk,
                      Folders& touched) {
  std::vector<Waiting> waiting(files.size());
  pool.parallel_for(static_cast<int64_t>(files.size()), [&](int64_t i) {
    Waiting& file = waiting[static_cast<size_t>(i)];
    if (const auto bytes = read_small(files[static_cast<size_t>(i)].file)) {
      file.small = true;
      file.blob = {base::digest_of(*bytes), bytes->size()};
      if (!has(file.blob.digest, file.blob.size)) {
        write_waiting(folder_, *bytes, file);
      }
    }
  });
  sync_disk(disk, folder_);
  for (size_t i = 0; i < files.size(); ++i) {
    Waiting& file = waiting[i];
    if (!file.small) {
      file.blob = put_file(files[i].file, false, true, touched);
    } else if (file.temporary.empty()) {
      touched.insert(place(file.blob.digest).parent_path());  // whoever put it may not have synced its name yet
    } else {
      place_file(file.temporary, place(file.blob.digest), touched);
      file.temporary.clear();
    }
    entries.push_back({files[i].path, file.blob.digest, file.blob.size});
  }
}

std::vector<FolderEntry> Blobs::put_files(std::span<const FolderSource> files) {
  Folders touched;
  std::vector<FolderEntry> entries;
  entries.reserve(files.size());
  if (remote_ || files.size() < kWorthwhile) {  // what goes elsewhere is not waited for by many
    for (const FolderSource& file : files) {
      Blob blob = put_file(file.file, false, !remote_, touched);
      entries.push_back({file.path, std::move(blob.digest), blob.size});
    }
    sync(touched);
    return entries;
  }
  const File disk(folder_, O_RDONLY | O_DIRECTORY);
  base::Pool pool;
  for (size_t begin = 0; begin < files.size(); begin += kFilesTogether) {
    put_batch(files.subspan(begin, std::min(kFilesTogether, files.size() - begin)), entries, pool, disk, touched);
  }
  sync_disk(disk, folder_);  // names: of up to 256 folders
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
