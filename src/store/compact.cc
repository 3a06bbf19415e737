#include "store/compact.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

namespace slipway::store {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;
constexpr uint64_t kSmallBundle = uint64_t{4} << 20;
constexpr size_t kManyBundles = 16;

// Disjoint intervals of a blob, none touching the next: begin -> end.
class Intervals {
 public:
  void add(uint64_t begin, uint64_t end) {
    auto next = ends_.upper_bound(begin);
    if (next != ends_.begin() && std::prev(next)->second >= begin) {
      --next;
      begin = next->first;
    }
    while (next != ends_.end() && next->first <= end) {
      end = std::max(end, next->second);
      next = ends_.erase(next);
    }
    ends_.emplace(begin, end);
  }
  uint64_t bytes() const {
    uint64_t sum = 0;
    for (const auto& [begin, end] : ends_) {
      sum += end - begin;
    }
    return sum;
  }
  const std::map<uint64_t, uint64_t>& ends() const noexcept { return ends_; }

 private:
  std::map<uint64_t, uint64_t> ends_;
};

void add_ranges(const Recipe& recipe, uint32_t source, Intervals& needed) {
  for (const RecipeRange& range : recipe.ranges) {
    if (range.source == source) {
      needed.add(range.offset, range.offset + range.size);
    }
  }
}

// The intervals of the blob, one behind the other, as a blob; and where each begins there.
Blob copy_intervals(const Blobs& blobs, const std::filesystem::path& path, const Intervals& needed,
                    std::map<uint64_t, uint64_t>& places) {
  const File file(path, O_RDONLY);
  BlobWriter writer(blobs, Lasting::kNo);
  uint64_t written = 0;
  std::string piece;
  for (const auto& [begin, end] : needed.ends()) {
    places.emplace(begin, written);
    for (uint64_t at = begin; at < end; at += piece.size()) {
      piece.resize(std::min<uint64_t>(kPieceBytes, end - at));
      if (!file.read_at(at, piece, path)) {
        throw base::Error(base::Code::kIntegrity, fmt::format("the blob '{}' is damaged: it is cut off", path.string()));
      }
      writer.write(piece);
      written += piece.size();
    }
  }
  return writer.commit();
}

void index_blob(Database& database, const Blobs& blobs, const std::string& digest) {
  const auto path = blobs.whole(digest);
  const base::MappedFile map(path.value());
  std::vector<PlacedChunk> placed;
  uint64_t offset = 0;
  for (const Chunk& chunk : cut(map.bytes())) {
    placed.push_back({chunk, offset});
    offset += chunk.size;
  }
  Transaction transaction(database);
  add_chunks(database, digest, placed);
  transaction.commit();
}

}  // namespace

std::vector<Sparse> sparse_blobs(const StoredFiles& files, const Named& named, const Kept& kept, bool all) {
  struct Need {
    Intervals needed;
    std::vector<std::string> users;
  };
  std::map<std::string, Need> needs;
  for (const auto& [digest, recipe] : kept.recipes) {
    for (uint32_t i = 0; i < recipe.sources.size(); ++i) {
      if (!named.digests.contains(recipe.sources[i]) && !kept.bundles.contains(recipe.sources[i])) {
        Need& need = needs[recipe.sources[i]];
        add_ranges(recipe, i, need.needed);
        need.users.push_back(digest);
      }
    }
  }
  std::vector<Sparse> sparse;
  for (auto& [digest, need] : needs) {
    const auto file = files.whole.find(digest);
    if (const uint64_t live = need.needed.bytes(); file != files.whole.end() && live < (all ? file->second : file->second / 2)) {
      sparse.push_back({digest, file->second, live, std::move(need.users)});
    }
  }
  return sparse;
}

std::vector<Sparse> sparse_bundles(const StoredFiles& files, const Named& named, const Kept& kept, bool all, bool merge) {
  std::unordered_set<std::string> otherwise_needed;  // by recipes: such a one stays as it is
  for (const auto& [digest, recipe] : kept.recipes) {
    otherwise_needed.insert(recipe.sources.begin(), recipe.sources.end());
  }
  std::vector<Sparse> sparse;
  std::vector<Sparse> small;
  for (const auto& [digest, live] : kept.bundles) {
    const auto file = files.whole.find(digest);
    if (file == files.whole.end() || named.digests.contains(digest) || otherwise_needed.contains(digest)) {
      continue;
    }
    if (live < (all ? file->second : file->second / 2)) {
      sparse.push_back({digest, file->second, live, {}});
    } else if (live < kSmallBundle) {
      small.push_back({digest, file->second, live, {}});
    }
  }
  if (merge && small.size() > kManyBundles) {
    sparse.insert(sparse.end(), small.begin(), small.end());
  }
  return sparse;
}

void compact_bundles(const Blobs& blobs, const Named& named, std::span<const Sparse> bundles) {
  BundleWriter writer(blobs);
  for (const Sparse& old : bundles) {
    const auto path = blobs.whole(old.digest);
    if (!path) {
      continue;  // another collector was faster
    }
    const File file(*path, O_RDONLY);
    std::vector<BundledContent> contents;
    for (const auto& entry : blobs.bundles()->entries()) {
      for (size_t i = 0; entry->index.bundle() == old.digest && i < entry->index.size(); ++i) {
        contents.push_back(entry->index.at(i));
      }
    }
    std::sort(contents.begin(), contents.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
    for (const BundledContent& content : contents) {
      const auto place = blobs.bundled(content.digest);
      if (!named.digests.contains(content.digest) || blobs.whole(content.digest) || !place || place->bundle != old.digest) {
        continue;
      }
      std::string bytes(content.size, '\0');
      if (!file.read_at(content.offset, bytes, *path) || base::digest_of(bytes) != content.digest) {
        throw base::Error(base::Code::kIntegrity, fmt::format("the blob '{}' is damaged: it does not hold {} where its index says; restore it "
                                                              "from a copy", path->string(), content.digest));
      }
      writer.add({content.digest, bytes.size()}, std::move(bytes));
    }
  }
  writer.finish();
  for (const Sparse& old : bundles) {
    blobs.remove(old.digest);
  }
}

void compact(const Blobs& blobs, Database& database, const Sparse& sparse) {
  const auto path = blobs.whole(sparse.digest);
  if (!path) {
    return;  // another collector was faster
  }
  blobs.verify(sparse.digest);  // damage must not get a digest of its own
  // Read again: another collector, or this one for another blob, may have changed them since.
  std::vector<std::pair<std::string, Recipe>> users;
  Intervals needed;
  for (const std::string& digest : sparse.users) {
    auto recipe = blobs.read_recipe(digest);
    if (!recipe) {
      continue;
    }
    const auto source = std::find(recipe->sources.begin(), recipe->sources.end(), sparse.digest);
    if (source != recipe->sources.end()) {
      add_ranges(*recipe, static_cast<uint32_t>(source - recipe->sources.begin()), needed);
      users.emplace_back(digest, std::move(*recipe));
    }
  }
  if (!users.empty()) {
    std::map<uint64_t, uint64_t> places;
    const Blob packed = copy_intervals(blobs, *path, needed, places);
    for (const auto& [digest, recipe] : users) {
      if (digest == packed.digest) {
        blobs.remove_recipe(digest);  // it is whole now
        continue;
      }
      Recipe moved;
      for (const RecipeRange& range : recipe.ranges) {
        const std::string& source = recipe.sources[range.source];
        if (source == sparse.digest) {
          const auto& [begin, place] = *std::prev(places.upper_bound(range.offset));
          moved.add(moved.source_of(packed.digest), place + (range.offset - begin), range.size);
        } else {
          moved.add(moved.source_of(source), range.offset, range.size);
        }
      }
      blobs.replace_recipe(digest, moved);
    }
    index_blob(database, blobs, packed.digest);
  }
  blobs.remove(sparse.digest);
  forget_sources(database, std::span(&sparse.digest, 1));
}

}  // namespace slipway::store
