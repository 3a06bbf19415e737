#include "store/compact.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>

#include "base/error.h"
#include "base/file.h"

namespace slipway::store {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;

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
      if (!named.digests.contains(recipe.sources[i])) {
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
