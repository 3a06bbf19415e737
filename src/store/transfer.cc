#include "store/transfer.h"

#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/input.h"
#include "store/core.h"
#include "store/postgres.h"
#include "store/roots.h"
#include "store/schema.h"
#include "store/store.h"
#include "store/stored_files.h"
#include "store/transfer_format.h"
#include "store/verify.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr size_t kMaxRowBytes = size_t{256} << 20;
constexpr int64_t kMaxFiles = 100'000'000;
constexpr int kProgressEvery = 64;  // blobs
constexpr const char* kMarker = "imported.json";

std::string columns_of(const Table& table) {
  std::string list;
  for (const Column& column : table.columns) {
    list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", column.name);
  }
  return list;
}

// One table to a file; what the manifest says of it.
TableEntry write_table(Database& database, const Table& table, const fs::path& path) {
  std::string select = fmt::format("SELECT {} FROM {}", columns_of(table), table.name);
  for (size_t i = 0; i < table.key.size(); ++i) {
    select += fmt::format("{}\"{}\"", i == 0 ? " ORDER BY " : ", ", table.key[i]);
  }
  base::AtomicFile file(path);
  base::Sha256 sha;
  TableEntry entry;
  Statement rows = database.prepare_once(select);
  while (rows.step()) {
    const std::string line = row_text(rows, table) + "\n";
    sha.update(line);
    file.write(line);
    ++entry.rows;
  }
  file.commit();
  entry.digest = "sha256:" + sha.hex();
  return entry;
}

int64_t sequence_of(Database& database, const Table& table) {
  Statement query = database.prepare_once(
      database.is_file() ? "SELECT seq FROM sqlite_sequence WHERE name = ?"
                         : "SELECT coalesce(last_value, 0) FROM pg_sequences WHERE schemaname = current_schema() AND "
                           "sequencename = ?");
  query.bind(database.is_file() ? table.name : fmt::format("{}_{}_seq", table.name, table.key.at(0)));
  return query.step() ? query.integer(0) : 0;
}

// An import under way.
class Import {
 public:
  Import(const fs::path& source, const fs::path& folder, const TransferOptions& options)
      : source_name_(source.string()),
        source_(open_export(source)),
        folder_(folder),
        options_(options),
        blobs_(folder / "blobs"),
        work_(folder / "work" / "import") {
    blobs_.use_index(chunks_);
  }

  TransferReport run() {
    read_manifest();
    if (fs::exists(folder_ / "slipway.db")) {
      return already();
    }
    base::make_dirs(folder_ / "blobs");
    fs::remove_all(work_);  // of an attempt that was interrupted; blobs are kept
    base::make_dirs(work_);
    const FileLock lock = blobs_.writing();  // what is put has no row yet
    ExportSource::Entry entry;
    for (int64_t files = 0; source_->next(entry); ++files) {
      if (files > kMaxFiles) {
        throw Error(Code::kInvalid, fmt::format("'{}' has more than {} files", source_name_, kMaxFiles));
      }
      entry.name.starts_with("tables/") ? take_table(entry) : take_blob(entry);
    }
    build();
    fs::remove_all(work_);
    return report_;
  }

 private:
  void read_manifest() {
    ExportSource::Entry entry;
    if (!source_->next(entry) || entry.name != kManifestName || entry.size > (size_t{4} << 20)) {
      throw Error(Code::kInvalid, fmt::format("'{}' is not an export: it does not begin with {}", source_name_, kManifestName));
    }
    std::string text;
    source_->read([&](std::string_view piece) { text += piece; });
    manifest_digest_ = base::digest_of(text);
    manifest_ = parse_manifest(text, source_name_);
    tables_ = exported_tables(manifest_.schema);
    for (const Table& table : tables_) {
      if (!manifest_.tables.contains(table.name)) {
        throw Error(Code::kInvalid, fmt::format("'{}' lacks the table '{}'", source_name_, table.name));
      }
    }
  }

  TransferReport already() {
    const fs::path marker = folder_ / kMarker;
    if (fs::exists(marker)) {
      const auto json = base::parse_json(base::read_file(marker, 1 << 20), marker.string());
      if (base::get<std::string>(json, "manifest", marker.string()) == manifest_digest_) {
        report_.already = true;
        return report_;
      }
    }
    throw Error(Code::kConflict, fmt::format("there is a store in '{}' already; import into a folder without one (--store)",
                                             folder_.string()));
  }

  void take_table(const ExportSource::Entry& entry) {
    const std::string name = fs::path(entry.name).stem().string();
    const auto told = manifest_.tables.find(name);
    if (told == manifest_.tables.end()) {
      throw Error(Code::kInvalid, fmt::format("'{}': the manifest does not tell of the table '{}'", source_name_, name));
    }
    base::AtomicFile file(work_ / (name + ".jsonl"));
    base::Sha256 sha;
    source_->read([&](std::string_view piece) {
      file.write(piece);
      sha.update(piece);
    });
    file.commit();
    if ("sha256:" + sha.hex() != told->second.digest) {
      throw Error(Code::kIntegrity, fmt::format("'{}': the table '{}' does not have the digest that the manifest tells; export "
                                                "again, or take another copy",
                                                source_name_, name));
    }
  }

  void take_blob(const ExportSource::Entry& entry) {
    const std::string digest = "sha256:" + entry.name.substr(entry.name.rfind('/') + 1);
    std::error_code none;
    ++report_.blobs;
    report_.bytes += entry.size;
    if (fs::file_size(blobs_.place(digest), none) == entry.size && !none) {
      ++report_.blobs_there;  // a blob is whole or absent
    } else {
      BlobWriter writer(blobs_);
      source_->read([&](std::string_view piece) { writer.write(piece); });
      if (const Blob blob = writer.commit(); blob.digest != digest) {
        throw Error(Code::kIntegrity, fmt::format("'{}': '{}' does not have the digest of its name", source_name_, entry.name));
      }
    }
    if (options_.progress && report_.blobs % kProgressEvery == 0) {
      options_.progress(report_.blobs, manifest_.blobs);
    }
  }

  void load_table(Database& database, const Table& table) {
    const fs::path path = work_ / (table.name + ".jsonl");
    if (!fs::exists(path)) {
      throw Error(Code::kIntegrity, fmt::format("'{}' lacks the file of the table '{}'", source_name_, table.name));
    }
    std::string marks;
    for (size_t i = 0; i < table.columns.size(); ++i) {
      marks += i == 0 ? "?" : ",?";
    }
    database.exec(fmt::format("DELETE FROM {}", table.name).c_str());  // what the schema begins with
    Statement insert =
        database.prepare_once(fmt::format("INSERT INTO {}({}) VALUES({})", table.name, columns_of(table), marks));
    base::LineReader lines(path, kMaxRowBytes);
    std::string_view line;
    int64_t rows = 0;
    while (lines.next(line)) {
      insert.bind_all(parse_row(line, table, fmt::format("{}: {}:{}", source_name_, table_file(table.name), ++rows)));
      insert.run();
    }
    if (rows != manifest_.tables.at(table.name).rows) {
      throw Error(Code::kIntegrity, fmt::format("'{}': the table '{}' has {} rows, the manifest tells {}", source_name_,
                                                table.name, rows, manifest_.tables.at(table.name).rows));
    }
    ++report_.tables;
    report_.rows += rows;
  }

  void build() {
    const fs::path path = work_ / "slipway.db";
    const base::SystemClock clock;
    {
      Database database(path, true, 10'000);
      migrate(database, migrations().first(static_cast<size_t>(manifest_.schema)), clock.unix_ms());
      database.exec("PRAGMA synchronous=OFF");  // synced as a whole below
      Transaction transaction(database);
      for (const Table& table : tables_) {
        load_table(database, table);
      }
      for (const auto& [name, highest] : manifest_.sequences) {
        database.prepare("DELETE FROM sqlite_sequence WHERE name = ?").bind(name).run();
        database.prepare("INSERT INTO sqlite_sequence(name, seq) VALUES(?, ?)").bind(name, highest).run();
      }
      const Named named = named_blobs(database, blobs_);
      if (!named.problems.empty()) {
        throw Error(Code::kIntegrity, fmt::format("'{}': {}", source_name_, named.problems.front()));
      }
      for (const std::string& digest : named.digests) {
        if (!blobs_.contains(digest)) {
          throw Error(Code::kIntegrity, fmt::format("'{}' lacks the blob {}: it is cut off, or was changed", source_name_, digest));
        }
      }
      transaction.commit();
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    }
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool synced = fd >= 0 && ::fsync(fd) == 0;
    ::close(fd);
    if (!synced) {
      throw Error(Code::kFailure, fmt::format("cannot sync '{}': {}", path.string(), base::errno_text(errno)));
    }
    base::write_file_atomic(folder_ / kMarker, base::dump_json_pretty({{"manifest", manifest_digest_},
                                                                       {"source", source_name_},
                                                                       {"imported_ms", clock.unix_ms()}}));
    fs::rename(path, folder_ / "slipway.db");
    base::sync_dir(folder_);
    StoreOptions there;
    there.create = false;
    static_cast<void>(open_store(folder_, there));  // what an older version wrote is brought to this one
    Database database(folder_ / "slipway.db", false, 10'000);
    Transaction transaction(database);
    chunks_->write(database);
    transaction.commit();
  }

  const std::string source_name_;
  const std::unique_ptr<ExportSource> source_;
  const fs::path folder_;
  const TransferOptions& options_;
  Blobs blobs_;
  const std::shared_ptr<GatheredChunks> chunks_ = std::make_shared<GatheredChunks>();
  const fs::path work_;
  Manifest manifest_;
  std::string manifest_digest_;
  std::vector<Table> tables_;
  TransferReport report_;
};

}  // namespace

TransferReport export_store(const fs::path& wanted, const fs::path& target, const TransferOptions& options,
                            const StoreOptions& store) {
  const fs::path folder = fs::absolute(wanted).lexically_normal();
  StoreOptions existing = store;
  existing.create = false;
  static_cast<void>(open_store(folder, existing));  // of this version from here on
  const Blobs blobs = blobs_of(folder, store);
  const auto sink = make_export_sink(fs::absolute(target).lexically_normal());
  const base::TempDir dir;
  const auto opened = open_existing(folder, store);
  Database& database = *opened;
  const FileLock lock = blobs.writing();  // nothing is collected meanwhile
  if (!database.is_file()) {
    lock_blobs(database, true);  // nor by another server; it goes with the connection
  }
  TransferReport report;
  Manifest manifest;
  Named named;
  {
    const ReadSnapshot snapshot(database);
    manifest.schema = static_cast<int>(migrations().size());
    manifest.created_ms = base::SystemClock().unix_ms();
    for (const Table& table : exported_tables(manifest.schema)) {
      const TableEntry entry = write_table(database, table, dir.path() / table.name);
      ++report.tables;
      report.rows += entry.rows;
      manifest.tables.emplace(table.name, entry);
      if (table.once) {
        manifest.sequences.emplace(table.name, sequence_of(database, table));
      }
    }
    named = named_blobs(database, blobs);
    report.sealed = std::atoll(database.scalar("SELECT count(*) FROM webhooks WHERE sealed = 1").c_str());
    report.plain = std::atoll(database.scalar("SELECT count(*) FROM webhooks WHERE sealed = 0 AND secret <> ''").c_str());
  }
  if (!named.problems.empty()) {
    throw Error(Code::kIntegrity, named.problems.front());
  }
  const StoredFiles files = list_files(blobs);
  const Kept kept = kept_files(blobs, files, named);
  std::map<std::string, uint64_t> sizes;
  for (const std::string& digest : named.digests) {
    const auto size = content_size(files, kept, digest);
    if (!size) {
      throw Error(Code::kIntegrity,
                  fmt::format("the blob {} is missing; 'slipway store verify' tells what is damaged", digest));
    }
    sizes.emplace(digest, *size);
    manifest.bytes += *size;
  }
  manifest.blobs = static_cast<int64_t>(sizes.size());
  sink->add_text(kManifestName, manifest_text(manifest));
  for (const auto& [table, entry] : manifest.tables) {
    sink->add(table_file(table), dir.path() / table);
  }
  for (const auto& [digest, size] : sizes) {
    if (sink->has(blob_file(digest), size)) {
      ++report.blobs_there;
    } else {
      sink->add(blob_file(digest), blobs.fetch(digest));
    }
    report.bytes += size;
    if (options.progress && ++report.blobs % kProgressEvery == 0) {
      options.progress(report.blobs, manifest.blobs);
    }
  }
  report.blobs = manifest.blobs;
  sink->commit();
  return report;
}

TransferReport import_store(const fs::path& source, const fs::path& wanted, const TransferOptions& options) {
  const fs::path folder = fs::absolute(wanted).lexically_normal();
  base::make_dirs(folder);
  const FileLock lock = FileLock::exclusive(folder / "import.lock");
  return Import(source, folder, options).run();
}

}  // namespace slipway::store
