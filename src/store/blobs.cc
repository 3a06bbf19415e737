#include "store/blobs.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
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

constexpr size_t kMaxListingBytes = size_t{256} << 20;
constexpr const char* kRecipe = ".recipe";

}  // namespace

Blobs::Blobs(fs::path folder, std::shared_ptr<RemoteBlobs> remote, uint64_t copy_bytes)
    : folder_(std::move(folder)),
      remote_(std::move(remote)),
      copies_(std::make_shared<Copies>(remote_ ? folder_ : folder_ / "copies", copy_bytes)),
      bundles_(std::make_shared<Bundles>(folder_)) {}

fs::path Blobs::place(const std::string& digest) const {
  if (!base::is_digest(digest)) {
    throw Error(Code::kInvalid,
                fmt::format("'{}' is not a digest; one looks like sha256: and 64 hex digits", digest.substr(0, 100)));
  }
  const std::string hex = digest.substr(7);
  return folder_ / hex.substr(0, 2) / hex;
}

fs::path Blobs::recipe_place(const std::string& digest) const { return place(digest) += kRecipe; }

// Where a content that is not whole here can be read. Of objects, the copies are the folder itself.
fs::path Blobs::copy_place(const std::string& digest) const {
  return copies_->folder() / fs::relative(place(digest), folder_);
}

std::optional<uint64_t> Blobs::whole_size(const std::string& digest) const {
  return remote_ ? remote_->size_of(digest) : size_in_folder(place(digest));
}

bool Blobs::contains(const std::string& digest) const {
  return size_in_folder(place(digest)) || (remote_ && remote_->size_of(digest)) || read_recipe(digest);
}

bool Blobs::has(const std::string& digest, uint64_t size) const {
  if (whole_size(digest) == size) {
    return true;
  }
  if (size < kMinSharedBytes) {
    const auto place = bundled(digest);
    return place && place->size == size && whole_size(place->bundle).value_or(0) >= place->offset + size;
  }
  try {
    const auto recipe = read_recipe(digest);
    if (!recipe || recipe->size != size) {
      return false;
    }
    const std::vector<uint64_t> ends = recipe->ends();
    for (size_t i = 0; i < ends.size(); ++i) {
      if (whole_size(recipe->sources[i]).value_or(0) < ends[i]) {
        return false;
      }
    }
    return true;
  } catch (const Error& error) {
    if (error.code() != Code::kIntegrity) {
      throw;
    }
    return false;  // it is written again
  }
}

std::optional<fs::path> Blobs::whole(const std::string& digest) const {
  const fs::path path = place(digest);
  if (!remote_) {
    return size_in_folder(path) ? std::optional(path) : std::nullopt;
  }
  if (size_in_folder(path)) {
    copies_->used(path, 0);
    return path;
  }
  if (!remote_->size_of(digest)) {
    return std::nullopt;
  }
  const Temporary temporary(folder_, "up");
  uint64_t size = 0;
  remote_->read(digest, [&](std::string_view piece) {
    temporary.write(piece);
    size += piece.size();
  });
  temporary.seal();
  Folders touched;
  place_file(temporary.path(), path, touched);
  copies_->used(path, size);
  return path;
}

fs::path Blobs::fetch(const std::string& digest) const {
  if (const auto path = whole(digest)) {
    return *path;
  }
  const fs::path copy = copy_place(digest);
  if (size_in_folder(copy) && contains(digest)) {
    copies_->used(copy, 0);
    return copy;
  }
  const Temporary temporary(folder_, "up");
  uint64_t size = 0;
  assemble(digest, [&](std::string_view piece) {
    temporary.write(piece);
    size += piece.size();
  });
  temporary.seal();  // a copy, too, is whole or absent
  base::make_dirs(copies_->folder());
  Folders touched;
  place_file(temporary.path(), copy, touched);
  copies_->used(copy, size);
  return copy;
}

void Blobs::list(const Visit& visit, const Visit& recipe, const std::function<void(const fs::path& file)>& other) const {
  if (remote_) {
    remote_->list(visit, recipe);
  }
  for (fs::recursive_directory_iterator entry(folder_), end; entry != end; ++entry) {
    if (!remote_ && (entry->path() == copies_->folder() || entry->path() == bundles_->folder())) {
      entry.disable_recursion_pending();
    }
    if (!entry->is_regular_file()) {
      continue;
    }
    const bool is_recipe = entry->path().extension() == kRecipe;
    const std::string digest = "sha256:" + (is_recipe ? entry->path().stem() : entry->path().filename()).string();
    if (!base::is_digest(digest) || (is_recipe ? recipe_place(digest) : place(digest)) != entry->path()) {
      if (entry->path() != folder_ / "lock") {
        other(entry->path());
      }
    } else if (!remote_) {
      (is_recipe ? recipe : visit)(digest, entry->file_size());
    }
  }
}

void Blobs::remove(const std::string& digest) const {
  if (remote_) {
    remote_->remove(digest);
  }
  bundles_->remove(digest);  // first: an index never names what is not there
  std::error_code copy_gone;
  fs::remove(place(digest), copy_gone);
  if (copy_gone && !remote_) {
    fail_file("remove", place(digest), copy_gone.value());
  }
}

void Blobs::remove_recipe(const std::string& digest) const {
  std::error_code gone;
  if (remote_) {
    remote_->remove_recipe(digest);
  } else if (fs::remove(recipe_place(digest), gone); gone) {
    fail_file("remove", recipe_place(digest), gone.value());
  }
  if (!whole_size(digest)) {
    fs::remove(copy_place(digest), gone);
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
void Blobs::keep_whole(const Temporary& temporary, const Blob& blob, Folders& touched) const {
  temporary.seal();
  if (remote_) {
    remote_->put(blob.digest, temporary.path());
  }
  place_file(temporary.path(), place(blob.digest), touched);
  if (remote_) {
    copies_->used(place(blob.digest), blob.size);
  }
}

void Blobs::place_file(const fs::path& temporary, const fs::path& target, Folders& touched) const {
  const fs::path folder = target.parent_path();
  if (::mkdir(folder.c_str(), 0755) == 0) {
    touched.insert(folder.parent_path());
  } else if (errno != EEXIST) {
    fail_file("create the folder", folder, errno);
  }
  if (::rename(temporary.c_str(), target.c_str()) != 0) {
    fail_file("keep", target, errno);
  }
  touched.insert(folder);
}

Blob Blobs::put_bytes(std::string_view bytes, Folders& touched) {
  const Blob blob{base::digest_of(bytes), bytes.size()};
  if (has(blob.digest, blob.size)) {
    touched.insert(place(blob.digest).parent_path());  // whoever put it may not have synced its name yet
  } else {
    const Temporary temporary(folder_);
    temporary.write(bytes);
    keep(temporary, blob, Lasting::kYes, touched);
  }
  return blob;
}

Blob Blobs::put_file(const fs::path& path, bool follow, bool likely_new, Folders& touched) {
  // O_NONBLOCK: opening a pipe would wait for its writer.
  const File source(path, O_RDONLY | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW));
  if (!S_ISREG(source.info(path).st_mode)) {
    throw Error(Code::kInvalid,
                fmt::format("'{}' is not a file; a folder is stored as a folder artifact", path.string()));
  }
  if (!likely_new) {
    const Blob known = hash_open_file(source, path);
    if (has(known.digest, known.size)) {
      touched.insert(place(known.digest).parent_path());
      return known;
    }
  }
  const Temporary temporary(folder_);
  // Its digest is taken from what is copied: the file may be changing.
  const Blob blob = copy_and_hash(source, path, temporary.file(), temporary.path());
  if (likely_new && has(blob.digest, blob.size)) {
    touched.insert(place(blob.digest).parent_path());
    return blob;
  }
  keep(temporary, blob, Lasting::kYes, touched);
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
  Blob blob = put_file(path, true, false, touched);
  sync(touched);
  return blob;
}

struct BlobWriter::State {
  State(const Blobs& blobs_in, Lasting lasting_in)
      : blobs(blobs_in), lasting(lasting_in), temporary(blobs.folder(), "up") {}
  const Blobs& blobs;
  const Lasting lasting;
  Temporary temporary;
  base::Sha256 sha;
  uint64_t size = 0;
};

BlobWriter::BlobWriter(const Blobs& blobs, Lasting lasting) : state_(std::make_unique<State>(blobs, lasting)) {}
BlobWriter::~BlobWriter() = default;

void BlobWriter::write(std::string_view bytes) {
  state_->temporary.write(bytes);
  state_->sha.update(bytes);
  state_->size += bytes.size();
}

Blob BlobWriter::commit() {
  const Blob blob{"sha256:" + state_->sha.hex(), state_->size};
  Blobs::Folders touched;
  const bool there = state_->lasting == Lasting::kYes ? state_->blobs.has(blob.digest, blob.size)
                                                      : state_->blobs.whole_size(blob.digest) == blob.size;
  if (there) {
    touched.insert(state_->blobs.place(blob.digest).parent_path());  // whoever put it may not have synced its name yet
  } else {
    state_->blobs.keep(state_->temporary, blob, state_->lasting, touched);
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
  const auto ignore = [](std::string_view) {};
  if (!whole_size(digest)) {
    if (!read_recipe(digest)) {
      throw Error(Code::kNotFound, fmt::format("the blob {} is missing from the store", digest));
    }
    assemble(digest, ignore);
    return;
  }
  if (remote_) {
    remote_->read(digest, ignore);
    return;
  }
  const fs::path path = place(digest);
  const File file(path, O_RDONLY);
  const Blob found = hash_open_file(file, path);
  if (found.digest != digest) {
    throw Error(Code::kIntegrity,
                fmt::format("the blob '{}' is damaged: its content has the digest {}; restore it from a "
                            "copy, or remove it and run the step that made it again",
                            path.string(), found.digest));
  }
}

void Blobs::write_out(const std::string& digest, const fs::path& file) const {
  if (remote_ || whole(digest)) {
    place_copy(fetch(digest), file);
    return;
  }
  const File target(file, O_WRONLY | O_CREAT | O_EXCL, 0644);
  assemble(digest, [&](std::string_view piece) { target.write(piece, file); });
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
      write_out(entry.digest, file);
    }
    if (::rename(building.c_str(), target.c_str()) != 0) {
      fail_file("create", target, errno);
    }
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(building, ignored);
    throw;
  }
}

}  // namespace slipway::store
