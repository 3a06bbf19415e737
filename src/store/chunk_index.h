// Where a chunk may be found: hints, by its XXH64. A row that is wrong, old or lost costs some sharing and nothing else, for what it
// names is compared byte by byte before anything is built upon it. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/chunker.h"
#include "store/database.h"

namespace slipway::store {

struct ChunkPlace {
  int32_t source = -1;  // of FoundChunks::sources; -1: nowhere
  uint64_t offset = 0;
};

struct FoundChunks {
  std::vector<std::string> sources;  // digests of whole blobs
  std::vector<ChunkPlace> places;    // of each chunk that was asked for
};

struct PlacedChunk {
  Chunk chunk;
  uint64_t offset = 0;  // in the blob
};

class ChunkIndex {
 public:
  virtual ~ChunkIndex() = default;
  virtual FoundChunks find(std::span<const Chunk> chunks) = 0;
  // Whether chunks of that blob are known: recipes may be built upon it.
  virtual bool is_source(const std::string& digest) = 0;
  // A later place of a chunk takes that of an earlier one.
  virtual void add(const std::string& source, std::span<const PlacedChunk> chunks) = 0;
};

// The rows of `chunks` and `chunk_sources`. Inside a transaction of a writer.
void add_chunks(Database& database, const std::string& source, std::span<const PlacedChunk> chunks);
// Sources that are gone, with their chunks, in a transaction. O(chunks). A store of a version without these tables has none.
void forget_sources(Database& database, std::span<const std::string> digests);
FoundChunks find_chunks(Database& database, std::span<const Chunk> chunks);
bool is_chunk_source(Database& database, const std::string& digest);

// For a store whose rows are being made: kept here, and written when its tables are there.
class GatheredChunks final : public ChunkIndex {
 public:
  FoundChunks find(std::span<const Chunk> chunks) override;
  bool is_source(const std::string& digest) override;
  void add(const std::string& source, std::span<const PlacedChunk> chunks) override;
  void write(Database& database);

 private:
  struct Row {
    uint32_t size = 0;
    uint32_t source = 0;
    uint64_t offset = 0;
  };
  std::mutex mutex_;  // guards what follows
  std::map<std::string, uint32_t> numbers_;
  std::vector<std::string> sources_;
  std::unordered_map<uint64_t, Row> rows_;
};

}  // namespace slipway::store
