#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "store/data_versions.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::Artifact;
using record::Json;

constexpr std::string_view kSelect = "SELECT digest, kind, name, size, created_ms, meta, folder FROM artifacts";

Artifact read_artifact(const Statement& row) {
  Artifact artifact;
  artifact.digest = row.text(0);
  artifact.kind = row.text(1);
  artifact.name = row.text(2);
  artifact.size = static_cast<uint64_t>(row.integer(3));
  artifact.created_ms = row.integer(4);
  artifact.meta = to_value(row.text(5));
  artifact.folder = row.integer(6) != 0;
  return artifact;
}

}  // namespace

// The row of a blob; the one that is there when there is one. The size of a folder is that of its files.
Artifact SqlArtifacts::keep(const Blob& blob, bool folder, const std::string& kind, const std::string& name,
                            const Json& meta) {
  if (const auto there = find(blob.digest); there && !folder) {
    return *there;
  }
  uint64_t size = blob.size;
  if (folder) {
    size = 0;
    for (const FolderEntry& entry : core_.blobs.read_listing(blob.digest)) {
      size += entry.size;
    }
  }
  return keep_artifact(core_, blob, folder, size, kind, name, meta);
}

Artifact keep_artifact(Core& core, const Blob& blob, bool folder, uint64_t size, const std::string& kind, const std::string& name,
                       const Json& meta) {
  const int64_t now = core.now();
  Artifact result;
  core.write([&](Database& database) {
    // A listing that was once put as plain bytes becomes a folder: garbage collection must keep its files.
    database
        .prepare(
            "INSERT INTO artifacts(digest, kind, name, size, created_ms, folder, meta) VALUES(?,?,?,?,?,?,?) "
            "ON CONFLICT(digest) DO UPDATE SET folder = 1, size = excluded.size "
            "WHERE excluded.folder = 1 AND artifacts.folder = 0")
        .bind(blob.digest, kind, name, size, now, folder ? 1 : 0, to_text(meta))
        .run();
    result = *find_row(database, kSelect, "digest", blob.digest, read_artifact);
  });
  return result;
}

Artifact SqlArtifacts::put_bytes(std::string_view bytes, const std::string& kind, const std::string& name,
                                 const Json& meta) {
  check_name(kind, "an artifact's kind");
  const PutLock lock = core_.putting();
  return keep(core_.blobs.put_bytes(bytes), false, kind, name, meta);
}

Artifact SqlArtifacts::put_file(const std::filesystem::path& path, const std::string& kind, const std::string& name,
                                const Json& meta) {
  check_name(kind, "an artifact's kind");
  const PutLock lock = core_.putting();
  return keep(core_.blobs.put_file(path), false, kind, name, meta);
}

Artifact SqlArtifacts::put_folder(const std::filesystem::path& path, const std::string& kind, const std::string& name,
                                  const Json& meta) {
  check_name(kind, "an artifact's kind");
  const PutLock lock = core_.putting();
  return keep(core_.blobs.put_folder(path), true, kind, name, meta);
}

std::optional<Artifact> SqlArtifacts::find(const std::string& digest) {
  return find_row(*core_.read(), kSelect, "digest", digest, read_artifact);
}

std::filesystem::path SqlArtifacts::path_of(const std::string& digest) {
  return core_.blobs.fetch(digest);
}

void SqlArtifacts::checkout(const std::string& digest, const std::filesystem::path& target, bool verify) {
  core_.blobs.checkout(digest, target, verify);
}

std::vector<Artifact> SqlArtifacts::list(const std::string& kind, int limit) {
  return list_rows(*core_.read(), kSelect, {"kind", kind}, "ORDER BY created_ms DESC, number DESC", limit,
                   read_artifact);
}

}  // namespace slipway::store
