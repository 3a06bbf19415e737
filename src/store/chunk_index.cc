#include "store/chunk_index.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>

namespace slipway::store {
namespace {

constexpr size_t kAskedTogether = 64;  // in one statement: a server is asked over a socket

int64_t key_of(uint64_t hash) { return static_cast<int64_t>(hash); }

// The chunks' hashes, and which chunks have them.
std::unordered_map<uint64_t, std::vector<size_t>> by_hash(std::span<const Chunk> chunks) {
  std::unordered_map<uint64_t, std::vector<size_t>> asked;
  for (size_t i = 0; i < chunks.size(); ++i) {
    asked[chunks[i].hash].push_back(i);
  }
  return asked;
}

class Sources {
 public:
  explicit Sources(FoundChunks& found) : found_(found) {}
  int32_t number(const std::string& digest) {
    const auto [place, added] = numbers_.emplace(digest, static_cast<int32_t>(found_.sources.size()));
    if (added) {
      found_.sources.push_back(digest);
    }
    return place->second;
  }

 private:
  FoundChunks& found_;
  std::unordered_map<std::string, int32_t> numbers_;
};

}  // namespace

FoundChunks find_chunks(Database& database, std::span<const Chunk> chunks) {
  FoundChunks found;
  found.places.resize(chunks.size());
  Sources sources(found);
  const auto asked = by_hash(chunks);
  std::string marks = "?";
  for (size_t i = 1; i < kAskedTogether; ++i) {
    marks += ",?";
  }
  Statement query = database.prepare(fmt::format(
      "SELECT c.hash, c.place, c.size, s.digest FROM chunks c JOIN chunk_sources s ON s.number = c.source WHERE c.hash IN ({})", marks));
  for (auto next = asked.begin(); next != asked.end();) {
    std::vector<Value> hashes;
    for (; next != asked.end() && hashes.size() < kAskedTogether; ++next) {
      hashes.emplace_back(key_of(next->first));
    }
    hashes.resize(kAskedTogether, hashes.back());
    query.bind_all(hashes);
    while (query.step()) {
      const int32_t source = sources.number(query.text(3));
      for (const size_t i : asked.at(static_cast<uint64_t>(query.integer(0)))) {
        if (static_cast<int64_t>(chunks[i].size) == query.integer(2)) {
          found.places[i] = {source, static_cast<uint64_t>(query.integer(1))};
        }
      }
    }
  }
  return found;
}

bool is_chunk_source(Database& database, const std::string& digest) {
  Statement query = database.prepare("SELECT 1 FROM chunk_sources WHERE digest = ?");
  return query.bind(digest).step();
}

void add_chunks(Database& database, const std::string& source, std::span<const PlacedChunk> chunks) {
  database.prepare("INSERT OR IGNORE INTO chunk_sources(digest) VALUES(?)").bind(source).run();
  int64_t number = 0;
  {
    Statement query = database.prepare("SELECT number FROM chunk_sources WHERE digest = ?");
    query.bind(source).step();
    number = query.integer(0);
  }
  Statement insert = database.prepare(
      "INSERT INTO chunks(hash, source, place, size) VALUES(?,?,?,?) ON CONFLICT(hash) DO UPDATE SET source = excluded.source, "
      "place = excluded.place, size = excluded.size");
  for (const PlacedChunk& placed : chunks) {
    insert.bind(key_of(placed.chunk.hash), number, placed.offset, int64_t{placed.chunk.size}).run();
  }
}

void forget_sources(Database& database, std::span<const std::string> digests) {
  if (digests.empty() ||
      (database.is_file() && database.scalar("SELECT 1 FROM sqlite_master WHERE name = 'chunk_sources'").empty())) {
    return;
  }
  Transaction transaction(database);
  int64_t forgotten = 0;
  for (const std::string& digest : digests) {
    database.prepare("DELETE FROM chunk_sources WHERE digest = ?").bind(digest).run();
    forgotten += database.changes();
  }
  if (forgotten > 0) {
    database.prepare("DELETE FROM chunks WHERE source NOT IN (SELECT number FROM chunk_sources)").run();
  }
  transaction.commit();
}

FoundChunks GatheredChunks::find(std::span<const Chunk> chunks) {
  const std::lock_guard lock(mutex_);
  FoundChunks found;
  Sources sources(found);
  for (const Chunk& chunk : chunks) {
    const auto row = rows_.find(chunk.hash);
    found.places.push_back(row == rows_.end() || row->second.size != chunk.size
                               ? ChunkPlace{}
                               : ChunkPlace{sources.number(sources_[row->second.source]), row->second.offset});
  }
  return found;
}

bool GatheredChunks::is_source(const std::string& digest) {
  const std::lock_guard lock(mutex_);
  return numbers_.contains(digest);
}

void GatheredChunks::add(const std::string& source, std::span<const PlacedChunk> chunks) {
  const std::lock_guard lock(mutex_);
  const auto [number, added] = numbers_.emplace(source, static_cast<uint32_t>(sources_.size()));
  if (added) {
    sources_.push_back(source);
  }
  for (const PlacedChunk& placed : chunks) {
    rows_[placed.chunk.hash] = {placed.chunk.size, number->second, placed.offset};
  }
}

void GatheredChunks::write(Database& database) {
  const std::lock_guard lock(mutex_);
  std::vector<std::vector<PlacedChunk>> of_source(sources_.size());
  for (const auto& [hash, row] : rows_) {
    of_source[row.source].push_back({{hash, row.size}, row.offset});
  }
  for (size_t i = 0; i < sources_.size(); ++i) {
    add_chunks(database, sources_[i], of_source[i]);
  }
}

}  // namespace slipway::store
