#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "record/tracking_stores.h"
#include "store/hub.h"
#include "store/hub_tree.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::HubEntry;
using record::HubFile;
using record::HubMissing;
using record::HubPage;

// What was uploaded and is no file may go after that: long enough for a client that remembers blocks it has sent.
constexpr int64_t kKeepUploadsMs = int64_t{14} * 24 * 3600 * 1000;

void keep_upload(Database& database, const std::string& digest, uint64_t size, int64_t now_ms) {
  database
      .prepare(
          "INSERT INTO hub_uploads(digest, size, time_ms) VALUES(?,?,?) ON CONFLICT(digest) DO UPDATE SET "
          "time_ms = excluded.time_ms")
      .bind(digest, size, now_ms)
      .run();
  const int64_t oldest = now_ms - kKeepUploadsMs;
  database
      .prepare("DELETE FROM hub_upload_names WHERE digest IN (SELECT digest FROM hub_uploads WHERE time_ms < ?)")
      .bind(oldest)
      .run();
  database.prepare("DELETE FROM hub_uploads WHERE time_ms < ?").bind(oldest).run();
}

class UploadWriter final : public record::FileWriter {
 public:
  UploadWriter(Core& core, Lasting lasting) : core_(core), blob_(core.blobs, lasting) {}
  void write(std::string_view bytes) override { blob_.write(bytes); }
  record::TreeFile commit() override {
    const PutLock lock = core_.putting();
    const Blob blob = blob_.commit();
    const int64_t now = core_.now();
    core_.write([&](Database& database) { keep_upload(database, blob.digest, blob.size, now); });
    return {"", blob.digest, blob.size, now};
  }

 private:
  Core& core_;
  BlobWriter blob_;
};

// The commit after which nothing in [begin, end) changed.
HubPlace last_change(Database& database, const std::vector<HubPlace>& chain, const HubRange& range) {
  Statement query =
      database.prepare("SELECT max(depth) FROM hub_files WHERE line = ? AND path >= ? AND path < ? AND depth <= ?");
  for (const HubPlace& place : chain) {
    if (query.bind(place.line, range.begin, range.end, place.depth).step() && !query.is_null(0)) {
      return {place.line, query.integer(0)};
    }
  }
  return chain.back();
}

HubFile file_of(Database& database, const HubRow& row, bool commits) {
  HubFile file{row.path, row.digest.value_or(""), row.size, row.oid, row.lfs, {}};
  if (commits) {
    file.commit = hub_commit_at(database, row.written);
  }
  return file;
}

std::vector<HubPlace> chain_of(Database& database, int64_t repo, const std::string& commit) {
  const auto place = find_hub_place(database, repo, commit);
  if (!place) {
    throw HubMissing(HubMissing::What::kRevision, fmt::format("there is no revision '{}'", commit));
  }
  return hub_chain(database, *place);
}

// One page of a listing being gathered.
class Lister {
 public:
  Lister(Database& database, std::vector<HubPlace> chain, const record::HubListing& listing)
      : database_(database), chain_(std::move(chain)), listing_(listing), range_(listing.folder) {}

  HubPage run() {
    given_ = listing_.from;
    HubWalk walk(database_, chain_, std::max(range_.begin, start()), range_.end);
    while (const HubRow* row = walk.next()) {
      const auto outer = new_folder(row->path);
      if (static_cast<int>(page_.entries.size()) >= listing_.limit) {
        page_.next = given_;
        break;
      }
      if (outer && !listing_.recursive) {
        add_folder(*outer);
        walk.skip_to(start());
        continue;
      }
      for (auto folder = outer; folder; folder = new_folder(row->path)) {
        add_folder(*folder);
      }
      page_.entries.push_back({false, file_of(database_, *row, listing_.commits)});
      given_ = row->path;
    }
    return std::move(page_);
  }

 private:
  // Where the paths after `given_` begin.
  std::string start() const {
    if (!given_.ends_with('/')) {
      return given_.empty() ? "" : given_ + '\x01';  // no path has a control character
    }
    return listing_.recursive ? given_ : HubRange(given_.substr(0, given_.size() - 1)).end;
  }
  // The outermost folder of `path`, below the listed one, that was not given yet.
  std::optional<std::string> new_folder(const std::string& path) const {
    size_t slash = path.find('/', range_.begin.size());
    while (slash != std::string::npos) {
      const std::string folder = path.substr(0, slash);
      if (!given_.starts_with(folder + "/")) {
        return folder;
      }
      slash = path.find('/', slash + 1);
    }
    return std::nullopt;
  }
  void add_folder(const std::string& folder) {
    HubEntry entry{true, {}};
    entry.file.path = folder;
    if (listing_.commits) {
      entry.file.commit = hub_commit_at(database_, last_change(database_, chain_, HubRange(folder)));
    }
    page_.entries.push_back(std::move(entry));
    given_ = folder + "/";
  }
  Database& database_;
  const std::vector<HubPlace> chain_;
  const record::HubListing& listing_;
  const HubRange range_;
  std::string given_;  // the last path that was given; of a folder with a '/' at its end
  HubPage page_;
};

}  // namespace

std::optional<uint64_t> hub_blob_size(Database& database, const std::string& digest) {
  for (const char* sql : {"SELECT size FROM hub_uploads WHERE digest = ?",
                          "SELECT size FROM hub_files WHERE digest = ? LIMIT 1"}) {
    Statement query = database.prepare(sql);
    if (query.bind(digest).step()) {
      return static_cast<uint64_t>(query.integer(0));
    }
  }
  return std::nullopt;
}

std::optional<HubFile> SqlHubFiles::find(int64_t repo, const std::string& commit, const std::string& path) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  const auto row = find_hub_row(*database, chain_of(*database, repo, commit), path);
  if (!row) {
    return std::nullopt;
  }
  return file_of(*database, *row, true);
}

HubPage SqlHubFiles::list(int64_t repo, const std::string& commit, const record::HubListing& listing) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  return Lister(*database, chain_of(*database, repo, commit), listing).run();
}

std::unique_ptr<record::FileWriter> SqlHubFiles::begin_upload(bool part) {
  return std::make_unique<UploadWriter>(core_, part ? Lasting::kNo : Lasting::kYes);
}

std::optional<uint64_t> SqlHubFiles::find_upload(const std::string& digest) {
  if (!base::is_digest(digest)) {
    return std::nullopt;
  }
  const PutLock lock = core_.putting();
  if (!hub_blob_size(*core_.read(), digest) || !core_.blobs.contains(digest)) {
    return std::nullopt;
  }
  std::optional<uint64_t> size;
  const int64_t now = core_.now();
  core_.write([&](Database& database) {
    size = hub_blob_size(database, digest);
    if (size) {
      keep_upload(database, digest, *size, now);
    }
  });
  return size;
}

std::optional<uint64_t> SqlHubFiles::content_of(int64_t repo, const std::string& digest) {
  const auto database = core_.read();
  Statement query = database->prepare(
      "SELECT f.size FROM hub_files f JOIN hub_lines l ON l.number = f.line WHERE f.digest = ? AND f.lfs <> 0 AND l.repo = ? LIMIT 1");
  if (!query.bind(digest, repo).step()) {
    return std::nullopt;
  }
  return static_cast<uint64_t>(query.integer(0));
}

std::filesystem::path SqlHubFiles::blob_of(const std::string& digest) {
  return core_.blobs.fetch(digest);
}

void SqlHubFiles::name_upload(const std::string& name, const std::string& digest) {
  check_name(name, "an upload's name");
  core_.write([&](Database& database) {
    database.prepare("INSERT OR IGNORE INTO hub_upload_names(name, digest) VALUES(?, ?)").bind(name, digest).run();
  });
}

std::optional<std::string> SqlHubFiles::find_named(const std::string& name) {
  const auto database = core_.read();
  Statement query = database->prepare("SELECT digest FROM hub_upload_names WHERE name = ?");
  if (!query.bind(name).step()) {
    return std::nullopt;
  }
  return query.text(0);
}

}  // namespace slipway::store
