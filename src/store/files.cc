#include <fmt/format.h>

#include "base/error.h"
#include "base/path.h"
#include "store/tables.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::TreeEntry;
using record::TreeFile;

// All paths below a folder lie in [begin, end): '0' is the character after '/', and nothing in UTF-8 sorts behind the last
// character (a path of the root that begins with it is not listed).
struct Below {
  explicit Below(const std::string& folder)
      : begin(folder.empty() ? "" : folder + "/"), end(folder.empty() ? "\xF4\x8F\xBF\xBF" : folder + "0") {}
  std::string begin;
  std::string end;
};

std::optional<TreeFile> find_file(Database& database, const std::string& path) {
  Statement query = database.prepare("SELECT path, digest, size, modified_ms FROM files WHERE path = ?");
  if (!query.bind(path).step()) {
    return std::nullopt;
  }
  return TreeFile{query.text(0), query.text(1), static_cast<uint64_t>(query.integer(2)), query.integer(3)};
}

bool is_folder(Database& database, const std::string& path) {
  const Below below(path);
  Statement query = database.prepare("SELECT 1 FROM files WHERE path >= ? AND path < ? LIMIT 1");
  return query.bind(below.begin, below.end).step();
}

// A path is a file or a folder, never both.
void check_place(Database& database, const std::string& path) {
  for (size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (find_file(database, path.substr(0, slash))) {
      throw Error(Code::kInvalid, fmt::format("'{}' is a file, so there can be nothing below it", path.substr(0, slash)));
    }
  }
  if (is_folder(database, path)) {
    throw Error(Code::kInvalid, fmt::format("'{}' is a folder", path));
  }
}

class TreeFileWriter final : public record::FileWriter {
 public:
  TreeFileWriter(Core& core, std::string path) : core_(core), path_(std::move(path)), blob_(core.blobs) {}
  void write(std::string_view bytes) override { blob_.write(bytes); }
  TreeFile commit() override {
    const PutLock lock = core_.putting();
    const Blob blob = blob_.commit();
    TreeFile file{path_, blob.digest, blob.size, core_.now()};
    core_.write([&](Database& database) {
      check_place(database, path_);
      database
          .prepare(
              "INSERT INTO files(path, digest, size, modified_ms) VALUES(?,?,?,?) ON CONFLICT(path) DO UPDATE SET "
              "digest = excluded.digest, size = excluded.size, modified_ms = excluded.modified_ms")
          .bind(file.path, file.digest, file.size, file.modified_ms)
          .run();
    });
    return file;
  }

 private:
  Core& core_;
  std::string path_;
  BlobWriter blob_;
};

}  // namespace

std::unique_ptr<record::FileWriter> SqlFiles::begin(const std::string& path) {
  base::check_entry_path(path);
  return std::make_unique<TreeFileWriter>(core_, path);
}

std::optional<TreeFile> SqlFiles::find(const std::string& path) { return find_file(*core_.read(), path); }

std::vector<TreeEntry> SqlFiles::list(const std::string& folder) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  const Below below(folder);
  std::vector<TreeEntry> entries;
  std::string from = below.begin;
  Statement query = database->prepare("SELECT path, size FROM files WHERE path >= ? AND path < ? ORDER BY path");
  query.bind(from, below.end);
  while (query.step()) {
    const std::string name = query.text(0).substr(below.begin.size());
    const size_t slash = name.find('/');
    if (slash == std::string::npos) {
      entries.push_back({name, false, static_cast<uint64_t>(query.integer(1))});
      continue;
    }
    entries.push_back({name.substr(0, slash), true, 0});
    from = Below(below.begin + entries.back().name).end;  // past all that lies in it
    query.bind(from, below.end);
  }
  // "a.txt" lies before the folder "a/…" in the tree's order, but "a" before "a.txt" in that of names.
  std::sort(entries.begin(), entries.end(), [](const TreeEntry& a, const TreeEntry& b) { return a.name < b.name; });
  return entries;
}

int64_t SqlFiles::remove(const std::string& path) {
  const Below below(path);
  int64_t removed = 0;
  core_.write([&](Database& database) {
    database.prepare("DELETE FROM files WHERE path = ?1 OR (path >= ?2 AND path < ?3)")
        .bind(path, below.begin, below.end)
        .run();
    removed = database.changes();
  });
  return removed;
}

std::filesystem::path SqlFiles::blob_of(const TreeFile& file) {
  try {
    return core_.blobs.fetch(file.digest);
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) {
      throw;
    }
    throw Error(Code::kIntegrity, fmt::format("the blob {} of '{}' is missing from the store", file.digest, file.path));
  }
}

}  // namespace slipway::store
