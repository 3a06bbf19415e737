// Private to the room: what an export is made of (docs/formats/export.md): its manifest, its rows as lines, and the two forms it
// comes in, a folder and a tar file through zstd. One thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "record/record.h"
#include "store/database.h"

namespace slipway::store {

constexpr const char* kManifestName = "manifest.json";

struct Column {
  std::string name;
  std::string type;  // "INTEGER", "REAL", "TEXT", "BLOB"
};
struct Table {
  std::string name;
  std::vector<Column> columns;
  std::vector<std::string> key;  // columns of the primary key, in its order
  bool once = false;             // gives no number twice: the highest ever given is told too
};
// The tables of a schema's version that an export has: all but `migrations` and `file_stamps`, which are about this place.
std::vector<Table> exported_tables(int version);

struct TableEntry {
  int64_t rows = 0;
  std::string digest;  // of the file
};
struct Manifest {
  int schema = 0;
  int64_t created_ms = 0;
  std::map<std::string, TableEntry> tables;
  std::map<std::string, int64_t> sequences;  // the highest number ever given, of tables that give none twice
  int64_t blobs = 0;
  uint64_t bytes = 0;
};
std::string manifest_text(const Manifest& manifest);
// Throws kInvalid, naming `source`.
Manifest parse_manifest(std::string_view text, const std::string& source);

// A row as a line: a JSON array in the order of the columns.
std::string row_text(const Statement& row, const Table& table);
// The values to bind; throws kInvalid, naming `source`.
std::vector<Value> parse_row(std::string_view line, const Table& table, const std::string& source);

// Takes the files of an export, the manifest first.
class ExportSink {
 public:
  virtual ~ExportSink() = default;
  // Whether a file of that name and size is there from an earlier attempt.
  virtual bool has(const std::string& name, uint64_t size) const = 0;
  virtual void add(const std::string& name, const std::filesystem::path& content) = 0;
  virtual void add_text(const std::string& name, std::string_view content) = 0;
  // Durable on return.
  virtual void commit() = 0;
};
std::unique_ptr<ExportSink> make_export_sink(const std::filesystem::path& target);

// Gives the files of an export in order, the manifest first.
class ExportSource {
 public:
  virtual ~ExportSource() = default;
  struct Entry {
    std::string name;
    uint64_t size = 0;
  };
  // The next file; false at the end. Throws kInvalid for what cannot be in an export, kIntegrity for a damaged file.
  virtual bool next(Entry& entry) = 0;
  // The content of that file, piece by piece; at most once.
  virtual void read(const std::function<void(std::string_view)>& piece) = 0;
};
std::unique_ptr<ExportSource> open_export(const std::filesystem::path& source);

// "manifest.json", "tables/NAME.jsonl", "blobs/ab/<64 hex digits>": nothing else is a file of an export.
bool is_export_name(std::string_view name) noexcept;
std::string table_file(const std::string& table);
std::string blob_file(const std::string& digest);

}  // namespace slipway::store
