// Small contents, many in one file: a bundle is a blob of contents one behind the other, and an index beside the blobs,
// bundles/….index, says which lies where in it. docs/formats/store.md has the bytes, docs/decisions/0010-small-files-in-bundles.md why.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/file.h"
#include "store/blob_file.h"

namespace slipway::store {

class Blobs;
class BlobWriter;

struct BundledContent {
  std::string digest;
  uint64_t offset = 0;
  uint32_t size = 0;  // not 0
};

// The bytes of the index of a bundle; each digest once.
std::string bundle_index_bytes(const std::string& bundle, std::vector<BundledContent> contents);

// An index whose bytes are elsewhere. Immutable.
class BundleIndex {
 public:
  // Throws kIntegrity, naming `name`, for bytes that bundle_index_bytes() did not write. O(contents).
  BundleIndex(std::string_view bytes, std::string_view name);
  const std::string& bundle() const noexcept { return bundle_; }
  size_t size() const noexcept { return count_; }
  BundledContent at(size_t number) const;
  // `raw`: the 32 bytes of a digest. Two or so memory accesses whatever the size.
  std::optional<BundledContent> find(std::string_view raw) const;

 private:
  std::string bundle_;
  std::string_view entries_;
  size_t count_ = 0;
  int shift_ = 63;
  std::vector<uint32_t> starts_;  // of the entries whose first bits say so
};

struct BundlePlace {
  std::string bundle;
  uint64_t offset = 0;
  uint64_t size = 0;
};

// The indexes that a folder had at one moment.
class BundleSet {
 public:
  struct Entry {
    std::filesystem::path path;
    uint64_t inode;
    int64_t changed_ns;
    base::MappedFile file;
    BundleIndex index;
  };
  std::optional<BundlePlace> find(const std::string& digest) const;
  const std::vector<std::shared_ptr<const Entry>>& entries() const noexcept { return entries_; }
  // Indexes that could not be read, and what is wrong with each: their contents are not found.
  struct Damaged {
    std::filesystem::path file;
    std::string why;
  };
  const std::vector<Damaged>& damaged() const noexcept { return damaged_; }

 private:
  friend class Bundles;
  std::vector<std::shared_ptr<const Entry>> entries_;  // by name
  std::vector<Damaged> damaged_;
};

// The indexes of a blob folder. Any thread, several processes: what others add or remove is seen.
class Bundles {
 public:
  explicit Bundles(const std::filesystem::path& blobs) : blobs_(blobs), folder_(blobs / "bundles") {}
  const std::filesystem::path& folder() const noexcept { return folder_; }
  std::shared_ptr<const BundleSet> now() const;
  // Durable on return; the bundle must be.
  void add(const std::string& bundle, std::vector<BundledContent> contents) const;
  // Only what tells of its contents.
  void remove(const std::string& bundle) const;

 private:
  const std::filesystem::path blobs_;
  const std::filesystem::path folder_;
  mutable std::mutex mutex_;  // guards what follows
  mutable std::shared_ptr<const BundleSet> set_;
  mutable int64_t changed_ns_ = -1;  // when the folder changed last, as far as set_ knows
  mutable bool settled_ = false;     // a later change has another time
};

// Puts small contents together: a bundle is kept once it is large enough, and at the end; too few for one are kept each by itself.
class BundleWriter {
 public:
  // Below, a sync of each costs little, and an index more to look into would cost every search.
  static constexpr size_t kLeastContents = 32;

  explicit BundleWriter(const Blobs& blobs);  // borrowed
  ~BundleWriter();
  BundleWriter(const BundleWriter&) = delete;
  BundleWriter& operator=(const BundleWriter&) = delete;
  // What was added lasts once finish() has returned. `blob` is that of the bytes, of which there are some.
  void add(const Blob& blob, std::string bytes);
  void finish();

 private:
  void append(const Blob& blob, std::string_view bytes);
  void keep_bundle();

  const Blobs& blobs_;
  std::vector<std::pair<Blob, std::string>> few_;
  std::unordered_set<std::string> there_;  // digests in few_ or the open bundle
  std::unique_ptr<BlobWriter> writer_;     // null: none is open
  std::string buffer_;                     // of it, not yet written
  uint64_t size_ = 0;
  std::vector<BundledContent> contents_;
};

}  // namespace slipway::store
