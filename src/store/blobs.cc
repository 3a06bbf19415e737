#include "store/blobs.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <optional>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/path.h"
#include "record/record.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr size_t kPieceBytes = size_t{1} << 20;
constexpr size_t kMaxListingBytes = size_t{256} << 20;
constexpr int kMaxFolderDepth = 64;

[[noreturn]] void fail(const char* what, const fs::path& path, int number) {
  Code code = Code::kFailure;
  const char* advice = "";
  if (number == ENOSPC || number == EDQUOT || number == EFBIG) {
    code = Code::kUnavailable;
    advice = "; free some space and run the same command again, nothing was lost";
  } else if (number == ENOENT || number == ENOTDIR) {
    code = Code::kNotFound;
  } else if (number == EACCES || number == EPERM) {
    code = Code::kNotAllowed;
  } else if (number == ELOOP) {
    code = Code::kInvalid;
    advice = "; symbolic links are not followed into an artifact, put the file itself there";
  }
  throw Error(code, fmt::format("cannot {} '{}': {}{}", what, path.string(), base::errno_text(number), advice));
}

// An open file, closed by the destructor.
class File {
 public:
  File(const fs::path& path, int flags, mode_t mode = 0) : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {
    if (fd_ < 0) {
      fail((flags & O_CREAT) != 0 ? "create" : "open", path, errno);
    }
  }
  ~File() { ::close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const noexcept { return fd_; }

  struct stat info(const fs::path& path) const {
    struct stat result {};
    if (::fstat(fd_, &result) != 0) {
      fail("read", path, errno);
    }
    return result;
  }
  size_t read(std::string& piece, const fs::path& path) const {
    while (true) {
      const ssize_t got = ::read(fd_, piece.data(), piece.size());
      if (got >= 0) {
        return static_cast<size_t>(got);
      }
      if (errno != EINTR) {
        fail("read", path, errno);
      }
    }
  }
  void write(std::string_view bytes, const fs::path& path) const {
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) {
        continue;
      }
      if (written < 0) {
        fail("write", path, errno);
      }
      bytes.remove_prefix(static_cast<size_t>(written));
    }
  }

 private:
  int fd_;
};

// A file under a temporary name in the blob folder; removed unless it was renamed.
class Temporary {
 public:
  explicit Temporary(const fs::path& folder, const char* kind = "tmp")
      : path_(folder / fmt::format("{}-{}-{}", kind, ::getpid(), record::new_id())),
        file_(path_, O_RDWR | O_CREAT | O_EXCL, 0600) {}
  ~Temporary() { ::unlink(path_.c_str()); }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  const fs::path& path() const noexcept { return path_; }
  const File& file() const noexcept { return file_; }
  void protect() const {
    if (::fchmod(file_.fd(), 0444) != 0) {
      fail("protect", path_, errno);
    }
  }
  // On the disk, and read-only.
  void seal() const {
    protect();
    if (::fsync(file_.fd()) != 0) {
      fail("sync", path_, errno);
    }
  }

 private:
  fs::path path_;
  File file_;
};

Blob hash_open_file(const File& file, const fs::path& path) {
  base::Sha256 sha;
  std::string piece(kPieceBytes, '\0');
  uint64_t size = 0;
  while (const size_t got = file.read(piece, path)) {
    sha.update({piece.data(), got});
    size += got;
  }
  return {"sha256:" + sha.hex(), size};
}

// Copies and hashes what is copied. Where the file system can share blocks, only the hashing reads.
Blob copy_and_hash(const File& from, const fs::path& from_path, const File& to, const fs::path& to_path) {
  if (::ioctl(to.fd(), FICLONE, from.fd()) == 0) {
    return hash_open_file(to, to_path);
  }
  base::Sha256 sha;
  std::string piece(kPieceBytes, '\0');
  uint64_t size = 0;
  ::lseek(from.fd(), 0, SEEK_SET);
  while (const size_t got = from.read(piece, from_path)) {
    sha.update({piece.data(), got});
    to.write({piece.data(), got}, to_path);
    size += got;
  }
  return {"sha256:" + sha.hex(), size};
}

// Makes `to` hold what the blob `from` holds, in a way that writing to `to` cannot change the blob: shares blocks; or
// links, when the mode 0444 binds this user; or copies.
void place_copy(const fs::path& from, const fs::path& to) {
  const File source(from, O_RDONLY);
  {
    const File target(to, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (::ioctl(target.fd(), FICLONE, source.fd()) == 0) {
      return;
    }
  }
  if (::geteuid() != 0) {  // root writes through any mode
    ::unlink(to.c_str());
    if (::link(from.c_str(), to.c_str()) == 0) {
      return;
    }
  }
  const File target(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  std::string piece(kPieceBytes, '\0');
  while (const size_t got = source.read(piece, from)) {
    target.write({piece.data(), got}, to);
  }
}

std::optional<uint64_t> size_in_folder(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return std::nullopt;
  }
  return static_cast<uint64_t>(info.st_size);
}

// Regular files below `folder`, relative, in no order. Throws for anything but files and folders.
void walk(const fs::path& folder, const std::string& prefix, int depth, std::vector<std::string>& files) {
  if (depth > kMaxFolderDepth) {
    throw Error(Code::kInvalid, fmt::format("'{}' lies more than {} folders deep", folder.string(), kMaxFolderDepth));
  }
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = prefix + it->path().filename().string();
    base::check_entry_path(name);
    const fs::file_status status = it->symlink_status();
    if (fs::is_directory(status)) {
      walk(it->path(), name + "/", depth + 1, files);
    } else if (fs::is_regular_file(status)) {
      files.push_back(name);
    } else {
      throw Error(Code::kInvalid,
                  fmt::format("'{}' is {}; an artifact holds only files and folders", it->path().string(),
                              fs::is_symlink(status) ? "a symbolic link" : "a special file"));
    }
  }
  if (error) {
    fail("list", folder, error.value());
  }
}

}  // namespace

fs::path Blobs::place(const std::string& digest) const {
  if (!base::is_digest(digest)) {
    throw Error(Code::kInvalid,
                fmt::format("'{}' is not a digest; one looks like sha256: and 64 hex digits", digest.substr(0, 100)));
  }
  const std::string hex = digest.substr(7);
  return folder_ / hex.substr(0, 2) / hex;
}

bool Blobs::contains(const std::string& digest) const {
  return size_in_folder(place(digest)).has_value() || (remote_ && remote_->size_of(digest));
}

bool Blobs::has(const std::string& digest, uint64_t size) const {
  return (remote_ ? remote_->size_of(digest) : size_in_folder(place(digest))) == size;
}

fs::path Blobs::fetch(const std::string& digest) const {
  const fs::path path = place(digest);
  const auto here = size_in_folder(path);
  if (!remote_) {
    if (!here) {
      throw Error(Code::kNotFound, fmt::format("the store has no blob {}", digest));
    }
    return path;
  }
  if (!here) {
    const Temporary temporary(folder_);
    uint64_t size = 0;
    remote_->read(digest, [&](std::string_view piece) {
      temporary.file().write(piece, temporary.path());
      size += piece.size();
    });
    temporary.protect();
    Folders touched;
    place_file(temporary.path(), digest, touched);
    remote_->used(path, size);
  } else {
    remote_->used(path, 0);
  }
  return path;
}

void Blobs::list(const std::function<void(const std::string& digest, uint64_t size)>& visit,
                 const std::function<void(const fs::path& file)>& other) const {
  if (remote_) {
    remote_->list(visit);
  }
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    if (!entry.is_regular_file()) {
      continue;
    }
    const std::string digest = "sha256:" + entry.path().filename().string();
    if (!base::is_digest(digest) || place(digest) != entry.path()) {
      if (entry.path() != folder_ / "lock") {
        other(entry.path());
      }
    } else if (!remote_) {
      visit(digest, entry.file_size());
    }
  }
}

void Blobs::remove(const std::string& digest) const {
  if (remote_) {
    remote_->remove(digest);
  }
  std::error_code copy_gone;
  fs::remove(place(digest), copy_gone);
  if (copy_gone && !remote_) {
    fail("remove", place(digest), copy_gone.value());
  }
}

void Blobs::sync(const Folders& touched) {
  for (const fs::path& folder : touched) {
    std::error_code error;
    if (!fs::exists(folder, error)) {
      continue;  // a blob that is elsewhere only
    }
    base::sync_dir(folder);
  }
}

// Acknowledged by who called, once the folders are synced: elsewhere first, then here.
void Blobs::keep(const fs::path& temporary, const Blob& blob, Folders& touched) const {
  if (remote_) {
    remote_->put(blob.digest, temporary);
  }
  place_file(temporary, blob.digest, touched);
  if (remote_) {
    remote_->used(place(blob.digest), blob.size);
  }
}

void Blobs::place_file(const fs::path& temporary, const std::string& digest, Folders& touched) const {
  const fs::path target = place(digest);
  const fs::path folder = target.parent_path();
  if (::mkdir(folder.c_str(), 0755) == 0) {
    touched.insert(folder_);
  } else if (errno != EEXIST) {
    fail("create the folder", folder, errno);
  }
  if (::rename(temporary.c_str(), target.c_str()) != 0) {
    fail("keep", target, errno);
  }
  touched.insert(folder);
}

Blob Blobs::put_bytes(std::string_view bytes, Folders& touched) {
  const Blob blob{base::digest_of(bytes), bytes.size()};
  if (has(blob.digest, blob.size)) {
    touched.insert(place(blob.digest).parent_path());  // whoever put it may not have synced its name yet
  } else {
    const Temporary temporary(folder_);
    temporary.file().write(bytes, temporary.path());
    temporary.seal();
    keep(temporary.path(), blob, touched);
  }
  return blob;
}

Blob Blobs::put_file(const fs::path& path, bool follow, Folders& touched) {
  // O_NONBLOCK: opening a pipe would wait for its writer.
  const File source(path, O_RDONLY | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW));
  if (!S_ISREG(source.info(path).st_mode)) {
    throw Error(Code::kInvalid,
                fmt::format("'{}' is not a file; a folder is stored as a folder artifact", path.string()));
  }
  const Blob known = hash_open_file(source, path);
  if (has(known.digest, known.size)) {
    touched.insert(place(known.digest).parent_path());
    return known;
  }
  const Temporary temporary(folder_);
  // Its digest is taken again from what is copied: the file may be changing.
  const Blob blob = copy_and_hash(source, path, temporary.file(), temporary.path());
  temporary.seal();
  keep(temporary.path(), blob, touched);
  return blob;
}

Blob Blobs::put_bytes(std::string_view bytes) {
  Folders touched;
  Blob blob = put_bytes(bytes, touched);
  sync(touched);
  return blob;
}

Blob Blobs::put_file(const fs::path& path) {
  Folders touched;
  Blob blob = put_file(path, true, touched);
  sync(touched);
  return blob;
}

Blob Blobs::put_folder(const fs::path& path) {
  if (!fs::is_directory(path)) {
    throw Error(fs::exists(path) ? Code::kInvalid : Code::kNotFound,
                fmt::format("'{}' is not a folder", path.string()));
  }
  std::vector<std::string> files;
  walk(path, "", 0, files);
  Folders touched;
  std::vector<FolderEntry> entries;
  entries.reserve(files.size());
  for (std::string& file : files) {
    Blob blob = put_file(path / file, false, touched);
    entries.push_back({std::move(file), std::move(blob.digest), blob.size});
  }
  Blob listing = put_bytes(listing_bytes(std::move(entries)), touched);
  sync(touched);
  return listing;
}

struct BlobWriter::State {
  explicit State(const Blobs& blobs_in) : blobs(blobs_in), temporary(blobs.folder(), "up") {}
  const Blobs& blobs;
  Temporary temporary;
  base::Sha256 sha;
  uint64_t size = 0;
};

BlobWriter::BlobWriter(const Blobs& blobs) : state_(std::make_unique<State>(blobs)) {}
BlobWriter::~BlobWriter() = default;

void BlobWriter::write(std::string_view bytes) {
  state_->temporary.file().write(bytes, state_->temporary.path());
  state_->sha.update(bytes);
  state_->size += bytes.size();
}

Blob BlobWriter::commit() {
  const Blob blob{"sha256:" + state_->sha.hex(), state_->size};
  Blobs::Folders touched;
  if (state_->blobs.has(blob.digest, blob.size)) {
    touched.insert(state_->blobs.place(blob.digest).parent_path());  // whoever put it may not have synced its name yet
  } else {
    state_->temporary.seal();
    state_->blobs.keep(state_->temporary.path(), blob, touched);
  }
  Blobs::sync(touched);
  return blob;
}

std::vector<FolderEntry> Blobs::read_listing(const std::string& digest) const {
  if (!contains(digest)) {
    throw Error(Code::kNotFound, fmt::format("the store has no artifact {}", digest));
  }
  const fs::path path = fetch(digest);
  {
    const File file(path, O_RDONLY);
    std::string head(16, '\0');
    head.resize(file.read(head, path));
    if (!head.starts_with("{\"files\":[")) {
      throw Error(Code::kInvalid, fmt::format("artifact {} is a single file, not a folder: read it in place", digest));
    }
  }
  return parse_listing(base::read_file(path, kMaxListingBytes), "artifact " + digest);
}

void Blobs::verify(const std::string& digest) const {
  if (remote_) {
    remote_->read(digest, [](std::string_view) {});
    return;
  }
  const fs::path path = place(digest);
  if (!contains(digest)) {
    throw Error(Code::kNotFound, fmt::format("the blob {} is missing from the store", digest));
  }
  const File file(path, O_RDONLY);
  const Blob found = hash_open_file(file, path);
  if (found.digest != digest) {
    throw Error(Code::kIntegrity,
                fmt::format("the blob '{}' is damaged: its content has the digest {}; restore it from a "
                            "copy, or remove it and run the step that made it again",
                            path.string(), found.digest));
  }
}

void Blobs::checkout(const std::string& digest, const fs::path& wanted, bool verify_all) const {
  fs::path target = fs::absolute(wanted).lexically_normal();
  if (target.filename().empty()) {
    target = target.parent_path();  // "folder/"
  }
  const std::vector<FolderEntry> entries = read_listing(digest);
  if (fs::exists(fs::symlink_status(target)) && !(fs::is_directory(target) && fs::is_empty(target))) {
    throw Error(Code::kConflict, fmt::format("'{}' is there already; name a folder that is not", target.string()));
  }
  if (verify_all) {
    verify(digest);
  }
  const fs::path parent = target.parent_path();
  base::make_dirs(parent);
  const fs::path building = parent / fmt::format(".{}.{}.tmp", target.filename().string(), record::new_id());
  base::make_dirs(building);
  try {
    for (const FolderEntry& entry : entries) {
      if (verify_all) {
        verify(entry.digest);
      }
      if (!has(entry.digest, entry.size)) {
        throw Error(contains(entry.digest) ? Code::kIntegrity : Code::kNotFound,
                    fmt::format("the blob {} of '{}' is {}", entry.digest, entry.path,
                                contains(entry.digest) ? "damaged: its size is wrong" : "missing from the store"));
      }
      const fs::path file = building / entry.path;
      if (file.parent_path() != building) {
        base::make_dirs(file.parent_path());
      }
      place_copy(fetch(entry.digest), file);
    }
    if (::rename(building.c_str(), target.c_str()) != 0) {
      fail("create", target, errno);
    }
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(building, ignored);
    throw;
  }
}

}  // namespace slipway::store
