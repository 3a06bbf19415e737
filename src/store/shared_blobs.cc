// Contents as recipes: what of a new content the store has already, and how it is read again.
#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <numeric>
#include <unordered_map>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "store/blobs.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

// A content of which less is known is kept whole: to read a recipe costs a copy, which a smaller share does not pay.
constexpr uint64_t kLeastKnownPart = 4;  // a quarter
constexpr size_t kPieceBytes = size_t{1} << 20;
constexpr int kReadings = 3;  // garbage collection may put another recipe in the place of one between its reading and the opening

// Where the chunks of a content are, each compared byte by byte.
struct Known {
  std::vector<std::string> sources;
  std::vector<ChunkPlace> places;  // of each chunk
  uint64_t bytes = 0;
};

// The numbers of the sources that offer most, best first.
std::vector<size_t> best_sources(const FoundChunks& found, std::span<const Chunk> chunks) {
  std::vector<uint64_t> offered(found.sources.size());
  for (size_t i = 0; i < chunks.size(); ++i) {
    if (found.places[i].source >= 0) {
      offered[static_cast<size_t>(found.places[i].source)] += chunks[i].size;
    }
  }
  std::vector<size_t> order(offered.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return offered[a] > offered[b]; });
  order.resize(std::min(order.size(), kMaxRecipeSources - 1));  // one is left for what is new
  const uint64_t all = std::accumulate(order.begin(), order.end(), uint64_t{0}, [&](uint64_t sum, size_t i) { return sum + offered[i]; });
  const uint64_t size = std::accumulate(chunks.begin(), chunks.end(), uint64_t{0}, [](uint64_t sum, const Chunk& chunk) { return sum + chunk.size; });
  return all >= size / kLeastKnownPart ? order : std::vector<size_t>();
}

Known find_known(const Blobs& blobs, ChunkIndex& index, std::string_view bytes, std::span<const Chunk> chunks) {
  FoundChunks found = index.find(chunks);
  struct Source {
    fs::path path;
    std::unique_ptr<File> file;
  };
  std::vector<Source> open(found.sources.size());
  for (const size_t i : best_sources(found, chunks)) {
    if (const auto path = blobs.whole(found.sources[i])) {  // else it was collected since
      open[i] = {*path, std::make_unique<File>(*path, O_RDONLY)};
    }
  }
  Known known{std::move(found.sources), std::move(found.places), 0};
  std::string piece;
  for (size_t i = 0, at = 0; i < chunks.size(); at += chunks[i++].size) {
    ChunkPlace& place = known.places[i];
    if (place.source < 0) {
      continue;
    }
    const Source& source = open[static_cast<size_t>(place.source)];
    piece.resize(chunks[i].size);
    if (source.file && source.file->read_at(place.offset, piece, source.path) && bytes.substr(at, piece.size()) == piece) {
      known.bytes += piece.size();
    } else {
      place.source = -1;
    }
  }
  return known;
}

// Chunks that are nowhere yet, one behind the other in a file.
class Pack {
 public:
  explicit Pack(const fs::path& folder) : temporary_(folder) {}
  // Where the chunk lies; one that is here twice is written once.
  uint64_t add(const Chunk& chunk, std::string_view bytes) {
    const auto there = places_.find(chunk.hash);
    if (there != places_.end() && there->second.second == bytes) {
      return there->second.first;
    }
    const uint64_t offset = size_;
    temporary_.write(bytes);
    sha_.update(bytes);
    size_ += bytes.size();
    places_.insert_or_assign(chunk.hash, std::pair(offset, bytes));
    placed_.push_back({chunk, offset});
    return offset;
  }
  Blob finish() { return {"sha256:" + sha_.hex(), size_}; }
  const Temporary& temporary() const noexcept { return temporary_; }
  std::span<const PlacedChunk> placed() const noexcept { return placed_; }

 private:
  Temporary temporary_;
  base::Sha256 sha_;
  uint64_t size_ = 0;
  std::unordered_map<uint64_t, std::pair<uint64_t, std::string_view>> places_;
  std::vector<PlacedChunk> placed_;
};

}  // namespace

void Blobs::keep(const Temporary& temporary, const Blob& blob, Lasting lasting, Folders& touched) const {
  if (!index_ || lasting == Lasting::kNo || blob.size < kMinSharedBytes) {
    keep_whole(temporary, blob, touched);
    return;
  }
  const base::MappedFile map(temporary.path());
  const std::vector<Chunk> chunks = cut(map.bytes());
  if (keep_shared(map.bytes(), blob, chunks, touched)) {
    return;
  }
  keep_whole(temporary, blob, touched);
  std::vector<PlacedChunk> placed;
  placed.reserve(chunks.size());
  uint64_t offset = 0;
  for (const Chunk& chunk : chunks) {
    placed.push_back({chunk, offset});
    offset += chunk.size;
  }
  index_->add(blob.digest, placed);
}

bool Blobs::keep_shared(std::string_view bytes, const Blob& blob, std::span<const Chunk> chunks, Folders& touched) const {
  if (index_->is_source(blob.digest) || whole_size(blob.digest)) {
    return false;  // recipes need it whole and it was lost, or what is there is damaged
  }
  const Known known = find_known(*this, *index_, bytes, chunks);
  if (known.bytes < blob.size / kLeastKnownPart) {
    return false;
  }
  const std::string unnamed;  // what is new: its digest is known at its end
  Recipe recipe;
  std::optional<Pack> pack;
  for (size_t i = 0, at = 0; i < chunks.size(); at += chunks[i++].size) {
    const ChunkPlace& place = known.places[i];
    if (place.source >= 0) {
      recipe.add(recipe.source_of(known.sources[static_cast<size_t>(place.source)]), place.offset, chunks[i].size);
      continue;
    }
    if (!pack) {
      pack.emplace(folder_);
    }
    const uint64_t offset = pack->add(chunks[i], bytes.substr(at, chunks[i].size));
    recipe.add(recipe.source_of(unnamed), offset, chunks[i].size);
  }
  if (pack) {
    const Blob packed = pack->finish();
    if (std::count(recipe.sources.begin(), recipe.sources.end(), packed.digest) != 0) {
      return false;  // what is new is all of a source: nothing that a put of ours leads to
    }
    Folders its_folder;
    if (whole_size(packed.digest) == packed.size) {
      its_folder.insert(place(packed.digest).parent_path());
    } else {
      keep_whole(pack->temporary(), packed, its_folder);
    }
    sync(its_folder);  // on the disk before a recipe names it
    recipe.sources[recipe.source_of(unnamed)] = packed.digest;
    keep_recipe(blob.digest, recipe, touched);
    index_->add(packed.digest, pack->placed());
  } else {
    keep_recipe(blob.digest, recipe, touched);
  }
  return true;
}

void Blobs::keep_recipe(const std::string& digest, const Recipe& recipe, Folders& touched) const {
  const std::string bytes = recipe_bytes(recipe);
  const Temporary temporary(folder_);
  temporary.write(bytes);
  temporary.seal();
  if (remote_) {
    remote_->put_recipe(digest, temporary.path(), base::sha256_hex(bytes));
  } else {
    place_file(temporary.path(), recipe_place(digest), touched);
  }
}

void Blobs::replace_recipe(const std::string& digest, const Recipe& recipe) const {
  Folders touched;
  keep_recipe(digest, recipe, touched);
  sync(touched);
}

std::optional<Recipe> Blobs::read_recipe(const std::string& digest) const {
  if (remote_) {
    const auto bytes = remote_->recipe(digest, kMaxRecipeBytes);
    return bytes ? std::optional(parse_recipe(*bytes, digest)) : std::nullopt;
  }
  const fs::path path = recipe_place(digest);
  const auto size = size_in_folder(path);
  if (!size) {
    const auto there = bundled(digest);
    return there ? std::optional(Recipe{there->size, {there->bundle}, {{0, there->offset, there->size}}}) : std::nullopt;
  }
  if (*size > kMaxRecipeBytes) {
    return parse_recipe("", path.string());  // throws
  }
  return parse_recipe(base::read_file(path, kMaxRecipeBytes), path.string());
}

std::optional<BundlePlace> Blobs::bundled(const std::string& digest) const { return bundles_->now()->find(digest); }

namespace {

struct OpenRecipe {
  Recipe recipe;
  std::vector<fs::path> paths;                 // of the sources
  std::vector<std::unique_ptr<File>> files;
};

// Opens all sources, so that they stay readable whatever is removed from now on.
OpenRecipe open_recipe(const Blobs& blobs, const std::string& digest) {
  for (int reading = 1;; ++reading) {
    auto recipe = blobs.read_recipe(digest);
    if (!recipe) {
      throw Error(Code::kNotFound, fmt::format("the store has no blob {}", digest));
    }
    OpenRecipe open{std::move(*recipe), {}, {}};
    std::string missing;
    for (const std::string& source : open.recipe.sources) {
      const auto path = blobs.whole(source);
      if (!path) {
        missing = source;
        break;
      }
      try {
        open.files.push_back(std::make_unique<File>(*path, O_RDONLY));
      } catch (const Error& error) {
        if (error.code() != Code::kNotFound) {
          throw;
        }
        missing = source;
        break;
      }
      open.paths.push_back(*path);
    }
    if (missing.empty()) {
      return open;
    }
    if (reading == kReadings || blobs.read_recipe(digest) == open.recipe) {
      throw Error(Code::kIntegrity, fmt::format("the blob {} is made of {}, which is missing from the store; restore it from a copy, or put "
                                                "the content again",
                                                digest, missing));
    }
  }
}

}  // namespace

void Blobs::assemble(const std::string& digest, const std::function<void(std::string_view)>& sink) const {
  const OpenRecipe open = open_recipe(*this, digest);
  base::Sha256 sha;
  std::string piece;
  for (const RecipeRange& range : open.recipe.ranges) {
    for (uint64_t done = 0; done < range.size; done += piece.size()) {
      piece.resize(std::min<uint64_t>(kPieceBytes, range.size - done));
      if (!open.files[range.source]->read_at(range.offset + done, piece, open.paths[range.source])) {
        throw Error(Code::kIntegrity, fmt::format("the blob {} is made of {}, which is damaged: it is cut off; restore that from a copy",
                                                  digest, open.recipe.sources[range.source]));
      }
      sha.update(piece);
      sink(piece);
    }
  }
  if (const std::string found = "sha256:" + sha.hex(); found != digest) {
    throw Error(Code::kIntegrity,
                fmt::format("the blob {} is damaged: what it is made of has the digest {}; 'slipway store verify' tells which of its parts "
                            "changed; restore that from a copy, or put the content again",
                            digest, found));
  }
}

}  // namespace slipway::store
