// Files named by the SHA-256 of their content, under blobs/ab/abcdef…: written once under a temporary name, hashed
// while written, synced, made read-only, renamed. Never half of one, never changed. Any thread, several processes.
//
// Their place may be an object store instead (remote_blobs.h): then a blob is put there before it is acknowledged, and the
// folder holds copies of those that were put or read lately.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "store/lock.h"
#include "store/remote_blobs.h"

namespace slipway::store {

struct Blob {
  std::string digest;  // "sha256:…"
  uint64_t size = 0;
};

// One file of a folder artifact.
struct FolderEntry {
  std::string path;  // relative, "a/b.txt"
  std::string digest;
  uint64_t size = 0;
};

class Blobs {
 public:
  explicit Blobs(std::filesystem::path folder, std::shared_ptr<RemoteBlobs> remote = nullptr)
      : folder_(std::move(folder)), remote_(std::move(remote)) {}

  // Hold it from before a put until the row that names the blob is committed: garbage collection waits for it.
  FileLock writing() const { return FileLock::shared(folder_ / "lock"); }
  FileLock collecting() const { return FileLock::exclusive(folder_ / "lock"); }

  // Durable on return. put_folder stores each file, then the listing as a blob, whose digest is returned. Symbolic
  // links and special files are refused (kInvalid).
  Blob put_bytes(std::string_view bytes);
  Blob put_file(const std::filesystem::path& path);
  Blob put_folder(const std::filesystem::path& path);

  // Where the blob can be read, for ten minutes at least when its place is elsewhere; it is copied here first then. Throws
  // kNotFound, kIntegrity, kInvalid, kUnavailable.
  std::filesystem::path fetch(const std::string& digest) const;
  // Every blob; `other`: files of the folder that are none.
  void list(const std::function<void(const std::string& digest, uint64_t size)>& visit,
            const std::function<void(const std::filesystem::path& file)>& other) const;
  void remove(const std::string& digest) const;
  // The blob's place in the folder, whether or not it is there. Throws kInvalid for a text that is not a digest: no other text ever
  // becomes a part of a path.
  std::filesystem::path place(const std::string& digest) const;
  bool contains(const std::string& digest) const;
  // The entries of a listing. Throws kInvalid when the blob is not one, kIntegrity when it names a path that leaves its
  // folder, kNotFound.
  std::vector<FolderEntry> read_listing(const std::string& digest) const;
  // Writes the files of a listing under `target`, which must not exist or be an empty folder (kConflict). Files share
  // the blobs' blocks where the file system can clone, are hard links (read-only) where the user cannot write through
  // the mode, else copies. `verify`: throws kIntegrity, leaving no `target`, when a blob does not have its digest.
  void checkout(const std::string& digest, const std::filesystem::path& target, bool verify) const;
  // Throws kIntegrity or kNotFound, naming the blob. Reads all of it.
  void verify(const std::string& digest) const;

  const std::filesystem::path& folder() const noexcept { return folder_; }

 private:
  friend class BlobWriter;
  using Folders = std::set<std::filesystem::path>;
  Blob put_file(const std::filesystem::path& path, bool follow, Folders& touched);
  Blob put_bytes(std::string_view bytes, Folders& touched);
  void keep(const std::filesystem::path& temporary, const Blob& blob, Folders& touched) const;
  void place_file(const std::filesystem::path& temporary, const std::string& digest, Folders& touched) const;
  // Whether the blob is there, whole as far as its size tells.
  bool has(const std::string& digest, uint64_t size) const;
  static void sync(const Folders& touched);

  std::filesystem::path folder_;
  std::shared_ptr<RemoteBlobs> remote_;  // null: the folder is their place
};

// A blob whose content comes piece by piece, over minutes perhaps: hashed while it is written, gone when it is dropped
// before commit(), which is to be called under Blobs::writing(). Until then it does not hold up garbage collection, which
// leaves it alone as long as this process runs. One thread at a time.
class BlobWriter {
 public:
  explicit BlobWriter(const Blobs& blobs);  // borrowed
  ~BlobWriter();
  BlobWriter(const BlobWriter&) = delete;
  BlobWriter& operator=(const BlobWriter&) = delete;
  void write(std::string_view bytes);
  // Durable on return. Once.
  Blob commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The canonical bytes of a listing: sorted by path. Throws kInvalid for a bad or repeated path, or one inside a file.
std::string listing_bytes(std::vector<FolderEntry> entries);
std::vector<FolderEntry> parse_listing(std::string_view bytes, std::string_view source);

}  // namespace slipway::store
