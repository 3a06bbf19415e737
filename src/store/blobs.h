// Files named by the SHA-256 of their content, under blobs/ab/abcdef…: written once under a temporary name, hashed
// while written, synced, made read-only, renamed. Never half of one, never changed. Any thread, several processes.
//
// A large content that is much like others is kept as a recipe, blobs/ab/abcdef….recipe: ranges of whole blobs, some of which hold only
// what was new (packs). Reading it makes a copy. recipe.h, chunker.h, docs/decisions/0007-versions-share-bytes.md.
//
// Small contents of a folder lie together: a blob that is many of them one behind the other, and an index (bundles.h).
//
// Their place may be an object store instead (remote_blobs.h): then a blob is put there before it is acknowledged, and the
// folder holds copies of those that were put or read lately.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "record/data_versions.h"
#include "store/blob_file.h"
#include "store/bundles.h"
#include "store/chunk_index.h"
#include "store/copies.h"
#include "store/lock.h"
#include "store/recipe.h"
#include "store/remote_blobs.h"

namespace slipway::base {
class Pool;
}

namespace slipway::store {

// One file of a folder artifact.
using FolderEntry = record::FolderFile;

// A file that becomes one.
struct FolderSource {
  std::string path;
  std::filesystem::path file;
};

// What a content must have for its chunks to be looked at: below, a file of its own costs less than it could save.
constexpr uint64_t kMinSharedBytes = uint64_t{1} << 20;
constexpr uint64_t kDefaultCopyBytes = uint64_t{10} << 30;

// Whether a blob stays. One that is made to be copied into another (a part of an upload) is kept whole, and nothing is shared with it.
enum class Lasting { kNo, kYes };

class Blobs {
 public:
  // `copy_bytes`: what copies may take that are made for reading, of blobs that lie elsewhere or are recipes.
  explicit Blobs(std::filesystem::path folder, std::shared_ptr<RemoteBlobs> remote = nullptr,
                 uint64_t copy_bytes = kDefaultCopyBytes);
  // Where chunks are looked for; without one each content is kept whole. Before the first put.
  void use_index(std::shared_ptr<ChunkIndex> index) { index_ = std::move(index); }

  // Hold it from before a put until the row that names the blob is committed: garbage collection waits for it.
  FileLock writing() const { return FileLock::shared(folder_ / "lock"); }
  FileLock collecting() const { return FileLock::exclusive(folder_ / "lock"); }

  // Durable on return. put_folder stores each file, then the listing as a blob, whose digest is returned. Symbolic
  // links and special files are refused (kInvalid).
  Blob put_bytes(std::string_view bytes);
  Blob put_file(const std::filesystem::path& path);
  Blob put_folder(const std::filesystem::path& path);
  // Several files, the small ones together, in their order; and a listing of blobs that are there.
  std::vector<FolderEntry> put_files(std::span<const FolderSource> files);
  Blob put_listing(std::vector<FolderEntry> entries);
  // Regular files below `folder`, in no order, as `prefix` + their place in it. Folders and files of which `skip` says so are passed
  // over; throws kInvalid for anything but files and folders.
  static std::vector<FolderSource> walk(const std::filesystem::path& folder, const std::string& prefix,
                                        const std::function<bool(const std::filesystem::path& path)>& skip = {});

  // Where the blob can be read, for ten minutes at least when that is a copy; it is made first then. Throws
  // kNotFound, kIntegrity, kInvalid, kUnavailable.
  std::filesystem::path fetch(const std::string& digest) const;
  // The same of a blob that is kept whole, here or elsewhere; nullopt: there is none, or only a recipe.
  std::optional<std::filesystem::path> whole(const std::string& digest) const;
  // Its recipe, whether or not it is kept whole too; that of a content in a bundle says where it lies. nullopt: none. Throws kIntegrity.
  std::optional<Recipe> read_recipe(const std::string& digest) const;
  // Where it lies in a bundle, whether or not it is kept whole too.
  std::optional<BundlePlace> bundled(const std::string& digest) const;
  std::shared_ptr<const BundleSet> bundles() const { return bundles_->now(); }
  // Of a bundle that is on the disk. Durable on return.
  void add_bundle(const std::string& bundle, std::vector<BundledContent> contents) const { bundles_->add(bundle, std::move(contents)); }
  // All of a content that is a recipe, in pieces; what is given is only to be believed once this returns. Throws kNotFound, kIntegrity.
  void assemble(const std::string& digest, const std::function<void(std::string_view)>& sink) const;
  // Every whole blob and every recipe, with the size of its file or object; `other`: files of the folder that are neither.
  using Visit = std::function<void(const std::string& digest, uint64_t size)>;
  void list(const Visit& visit, const Visit& recipe,
            const std::function<void(const std::filesystem::path& file)>& other) const;
  void remove(const std::string& digest) const;         // what is kept whole, and its index when it is a bundle
  void remove_recipe(const std::string& digest) const;  // and its copy
  // Puts another recipe in the place of one, when what it was made of is to go. Durable on return.
  void replace_recipe(const std::string& digest, const Recipe& recipe) const;
  // Its place in the folder when it is whole, whether or not it is there. Throws kInvalid for a text that is not a digest: no other text ever
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
  // One blob as a new file, in the same way.
  void write_out(const std::string& digest, const std::filesystem::path& file) const;
  // Whether the blob is there, whole as far as sizes tell.
  bool has(const std::string& digest, uint64_t size) const;
  // Throws kIntegrity or kNotFound, naming the blob. Reads all of it.
  void verify(const std::string& digest) const;

  const std::filesystem::path& folder() const noexcept { return folder_; }

 private:
  friend class BlobWriter;
  using Folders = std::set<std::filesystem::path>;
  // `likely_new`: copied and hashed in one go, not hashed before.
  Blob put_file(const std::filesystem::path& path, bool follow, bool likely_new, Folders& touched);
  Blob put_bytes(std::string_view bytes, Folders& touched);
  // On the disk once `bundle` is finished and `touched` synced.
  void put_batch(std::span<const FolderSource> files, std::vector<FolderEntry>& entries, base::Pool& pool, BundleWriter& bundle,
                 Folders& touched);
  // What was written and hashed: whole, or as a recipe. Durable once `touched` is synced.
  void keep(const Temporary& temporary, const Blob& blob, Lasting lasting, Folders& touched) const;
  void keep_whole(const Temporary& temporary, const Blob& blob, Folders& touched) const;
  void keep_recipe(const std::string& digest, const Recipe& recipe, Folders& touched) const;
  // False: too little of it is known, or it is not to be a recipe.
  bool keep_shared(std::string_view bytes, const Blob& blob, std::span<const Chunk> chunks, Folders& touched) const;
  void place_file(const std::filesystem::path& temporary, const std::filesystem::path& target, Folders& touched) const;
  std::filesystem::path recipe_place(const std::string& digest) const;
  std::filesystem::path copy_place(const std::string& digest) const;
  std::optional<uint64_t> whole_size(const std::string& digest) const;
  static void sync(const Folders& touched);

  std::filesystem::path folder_;
  std::shared_ptr<RemoteBlobs> remote_;  // null: the folder is their place
  std::shared_ptr<Copies> copies_;
  std::shared_ptr<Bundles> bundles_;     // none is ever there when the blobs lie elsewhere
  std::shared_ptr<ChunkIndex> index_;    // null: nothing is shared
};

// A blob whose content comes piece by piece, over minutes perhaps: hashed while it is written, gone when it is dropped
// before commit(), which is to be called under Blobs::writing(). Until then it does not hold up garbage collection, which
// leaves it alone as long as this process runs. One thread at a time.
class BlobWriter {
 public:
  explicit BlobWriter(const Blobs& blobs, Lasting lasting = Lasting::kYes);  // borrowed
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
