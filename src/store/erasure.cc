#include "store/erasure.h"

#include <array>
#include <fmt/format.h>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "record/hub.h"
#include "store/core_owner.h"

namespace slipway::store {
namespace {

// A column of texts: its table, the table's key and what it belongs to.
struct TextColumn {
  const char* table;
  const char* column;
  const char* key;    // of the row, beside `owner`
  const char* owner;  // column with the number of a trace or evaluation set
  bool of_eval;
};

constexpr std::array kTextColumns = {
    TextColumn{"traces", "request", "number", "number", false},      TextColumn{"traces", "response", "number", "number", false},
    TextColumn{"spans", "content", "number", "trace", false},        TextColumn{"trace_tags", "value", "key", "trace", false},
    TextColumn{"trace_metadata", "value", "key", "trace", false},    TextColumn{"assessments", "value", "number", "trace", false},
    TextColumn{"assessments", "shown", "number", "trace", false},    TextColumn{"assessments", "body", "number", "trace", false},
    TextColumn{"eval_records", "inputs", "number", "dataset", true}, TextColumn{"eval_records", "content", "number", "dataset", true},
};

struct Change {
  std::string key;
  int64_t owner = 0;
  std::string text;
};

// The texts of one column that change, by the key of their row.
std::vector<Change> changes_of(Database& database, const TextColumn& column, const RewriteText& rewrite) {
  std::vector<Change> changes;
  const std::string owner = column.of_eval ? "eval_datasets" : "traces";
  Statement query = database.prepare(fmt::format("SELECT CAST(t.{0} AS TEXT), t.{1}, o.{2}, t.{3} FROM {4} t JOIN {5} o ON o.number = t.{1} ORDER BY t.{1}, t.{0}", column.key, column.owner,
                                                 column.of_eval ? "name" : "id", column.column, column.table, owner));
  while (query.step()) {
    if (query.is_null(3)) {
      continue;
    }
    const std::string text = query.text(3);
    if (text.empty()) {
      continue;
    }
    if (auto other = rewrite({column.table, column.column, query.text(2)}, text)) {
      changes.push_back({query.text(0), query.integer(1), std::move(*other)});
    }
  }
  return changes;
}

}  // namespace

Core& core_of(record::Store& store) {
  auto* owner = dynamic_cast<CoreOwner*>(&store);
  if (owner == nullptr) {
    throw base::Error(base::Code::kInvalid, "this store's tables cannot be reached");
  }
  return owner->core();
}

std::vector<NamedContent> named_contents(record::Store& store) {
  const auto database = core_of(store).read();
  std::vector<NamedContent> all;
  Statement hub = database->prepare(
      "SELECT 'hub ' || r.type || ' ' || r.name, f.path, f.digest, f.size, count(*) FROM hub_files f JOIN hub_lines l ON l.number = f.line JOIN hub_repos r ON r.number = l.repo "
      "WHERE f.digest IS NOT NULL GROUP BY r.type, r.name, f.path, f.digest, f.size ORDER BY 1, 2, 3");
  while (hub.step()) {
    all.push_back({hub.text(0), hub.text(1), hub.text(2), static_cast<uint64_t>(hub.integer(3)), hub.integer(4)});
  }
  Statement files = database->prepare("SELECT path, digest, size FROM files ORDER BY path");
  while (files.step()) {
    all.push_back({"files", files.text(0), files.text(1), static_cast<uint64_t>(files.integer(2)), 0});
  }
  return all;
}

int64_t replace_content(record::Store& store, const std::string& digest, const std::filesystem::path& file) {
  Core& core = core_of(store);
  const PutLock lock = core.putting();
  BlobWriter writer(core.blobs);
  std::string content;  // git's name of a small file is of its bytes, of a large one of its pointer's
  constexpr uint64_t kMaxPlain = uint64_t{1} << 30U;
  const uint64_t size = std::filesystem::file_size(file);
  std::ifstream input(file, std::ios::binary);
  std::string piece(size_t{1} << 20U, '\0');
  while (input.read(piece.data(), static_cast<std::streamsize>(piece.size())) || input.gcount() > 0) {
    const std::string_view got(piece.data(), static_cast<size_t>(input.gcount()));
    writer.write(got);
    if (size <= kMaxPlain) {
      content += got;
    }
  }
  const Blob blob = writer.commit();
  const std::string plain = base::git_blob_id(content);
  const std::string pointer = base::git_blob_id(record::lfs_pointer(blob.digest, blob.size));
  const auto bytes = static_cast<int64_t>(blob.size);
  int64_t changed = 0;
  core.write([&](Database& tables) {
    changed = 0;
    // A file that is no longer small enough for its bytes is one of a pointer.
    const std::string& of_plain = size <= kMaxPlain ? plain : pointer;
    for (const int lfs : {0, 1}) {
      tables.prepare("UPDATE hub_files SET digest = ?, size = ?, oid = ? WHERE digest = ? AND lfs = ?").bind(blob.digest, bytes, lfs == 1 ? pointer : of_plain, digest, lfs).run();
      changed += tables.changes();
    }
    tables.prepare("UPDATE files SET digest = ?, size = ? WHERE digest = ?").bind(blob.digest, bytes, digest).run();
    changed += tables.changes();
    tables.prepare("DELETE FROM hub_upload_names WHERE digest = ?").bind(digest).run();
    tables.prepare("DELETE FROM hub_uploads WHERE digest = ?").bind(digest).run();
  });
  return changed;
}

int64_t rewrite_texts(record::Store& store, const RewriteText& rewrite) {
  Core& core = core_of(store);
  int64_t changed = 0;
  for (const TextColumn& column : kTextColumns) {
    const std::vector<Change> changes = changes_of(*core.read(), column, rewrite);
    if (changes.empty()) {
      continue;
    }
    core.write([&](Database& database) {
      if (database.is_file()) {
        database.exec("PRAGMA secure_delete=ON");  // bytes that are no longer part of a row are overwritten with zeros
      }
      Statement update = database.prepare(
          fmt::format("UPDATE {0} SET {1} = ? WHERE CAST({2} AS TEXT) = ? AND {3} = ?", column.table, column.column, column.key, column.owner));
      for (const Change& change : changes) {
        update.bind(change.text, change.key, change.owner).run();
      }
    });
    changed += static_cast<int64_t>(changes.size());
  }
  if (changed > 0) {
    if (const auto database = core.read(); database->is_file()) {
      database->exec("PRAGMA wal_checkpoint(TRUNCATE)");  // the log held the rows as they were; a busy one goes with the next checkpoint
    }
  }
  return changed;
}

}  // namespace slipway::store
