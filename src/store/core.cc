#include "store/core.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "store/audit.h"
#include "store/postgres.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;

constexpr size_t kIdleReaders = 4;     // more are closed: a connection holds up to 8 MB of pages
constexpr size_t kChunksTogether = 1 << 14;  // in one transaction: a gigabyte's
constexpr size_t kMaxNameBytes = 250;  // fits a file name with an ending
// Less than what parse_json accepts: what is written can be read.
constexpr size_t kMaxJsonBytes = size_t{32} << 20;
constexpr int kMaxJsonDepth = 100;

// Chunks' places in the rows. A hint that is lost in a power failure costs nothing but sharing: no write waits for the disk.
class RowChunks final : public ChunkIndex {
 public:
  explicit RowChunks(Core& core) : core_(core) {}
  FoundChunks find(std::span<const Chunk> chunks) override { return find_chunks(*core_.read(), chunks); }
  bool is_source(const std::string& digest) override { return is_chunk_source(*core_.read(), digest); }
  void add(const std::string& source, std::span<const PlacedChunk> chunks) override {
    for (size_t begin = 0; begin < chunks.size(); begin += kChunksTogether) {
      core_.writer.write(false, [&](Database& database) {
        add_chunks(database, source, chunks.subspan(begin, std::min(kChunksTogether, chunks.size() - begin)));
      });
    }
  }

 private:
  Core& core_;
};

bool deeper_than(const record::Json& json, int depth) {
  if (!json.is_structured()) {
    return false;
  }
  return depth == 0 ||
         std::any_of(json.begin(), json.end(), [&](const auto& item) { return deeper_than(item, depth - 1); });
}

}  // namespace

Readers::Lease Readers::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto database = std::move(idle_.back());
      idle_.pop_back();
      return {*this, std::move(database)};
    }
  }
  return {*this, place_.open(false)};
}

void Readers::give_back(std::unique_ptr<Database> database) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kIdleReaders && !database->in_transaction() && database->usable()) {
    idle_.push_back(std::move(database));
  }
}

std::unique_ptr<Database> DatabasePlace::open(bool create) const {
  if (url.empty()) {
    return std::make_unique<Database>(path, create, busy_timeout_ms);
  }
  return open_postgres({.url = url, .lock_timeout_ms = busy_timeout_ms});
}

Blobs blobs_of(const std::filesystem::path& folder, const StoreOptions& options) {
  std::filesystem::path place = folder / "blobs";
  std::shared_ptr<RemoteBlobs> remote;
  if (options.objects) {
    remote = std::make_shared<RemoteBlobs>(options.objects);
  }
  return Blobs(std::move(place), std::move(remote), static_cast<uint64_t>(options.blob_cache_bytes));
}

PutLock::~PutLock() {
  if (server_) {
    unlock_blobs(**server_, true);
  }
}

PutLock Core::putting() {
  FileLock file = blobs.writing();
  std::optional<Readers::Lease> server;
  if (on_server) {
    server.emplace(readers.take());
    lock_blobs(**server, true);
  }
  return {std::move(file), std::move(server)};
}

Core::Core(std::filesystem::path folder_in, const StoreOptions& options, DatabasePlace place,
           std::unique_ptr<Database> database)
    : folder(std::move(folder_in)),
      clock(options.clock != nullptr ? options.clock : &system_clock),
      blobs(blobs_of(folder, options)),
      secrets(options.secrets_key.empty() ? folder / "secrets.key" : options.secrets_key),
      on_server(!place.url.empty()),
      readers(std::move(place)),
      writer(std::move(database)) {
  blobs.use_index(std::make_shared<RowChunks>(*this));
}

void Core::write(const Writer::Work& work) {
  PendingChange* change = pending_change();
  if (change == nullptr || change->core != this || change->written) {
    writer.write(true, work);
    return;
  }
  writer.write(true, [&](Database& database) {
    work(database);
    append_audit(database, change->entry);
  });
  change->written = true;
}

std::string to_text(const record::Json& json) {
  if (deeper_than(json, kMaxJsonDepth)) {
    throw Error(Code::kInvalid, fmt::format("a record's JSON may be nested {} deep, not more", kMaxJsonDepth));
  }
  std::string text = base::dump_json(json);
  if (text.size() > kMaxJsonBytes) {
    throw Error(Code::kInvalid, fmt::format("a record's JSON may have {} bytes, this has {}; put it as an artifact",
                                            kMaxJsonBytes, text.size()));
  }
  return text;
}

record::Json to_value(const std::string& text) {
  try {
    return base::parse_json(text, "a record of the store");
  } catch (const Error& error) {
    throw Error(Code::kIntegrity, error.what());
  }
}

std::map<std::string, std::string> to_map(const std::string& text) {
  try {
    return to_value(text).get<std::map<std::string, std::string>>();
  } catch (const nlohmann::json::exception& error) {
    throw Error(Code::kIntegrity, fmt::format("a record of the store is not a map of texts: {}", error.what()));
  }
}

void check_name(std::string_view name, std::string_view what, std::string_view forbidden) {
  const auto bad = [&](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (name.empty() || name.size() > kMaxNameBytes || std::any_of(name.begin(), name.end(), bad) ||
      name.find_first_of(forbidden) != std::string_view::npos) {
    throw Error(Code::kInvalid, fmt::format("'{}' cannot be {}: it needs 1 to {} bytes without control characters{}{}",
                                            name.substr(0, kMaxNameBytes), what, kMaxNameBytes,
                                            forbidden.empty() ? "" : " and without any of ", forbidden));
  }
}

int64_t sql_limit(int limit) { return std::max(limit, 0); }

}  // namespace slipway::store
