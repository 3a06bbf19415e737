#include "data/row_places.h"

#include <algorithm>
#include <fmt/format.h>

namespace slipway::data {
namespace {

using record::FolderFile;
using Files = VersionFileList;

constexpr size_t kBatchBytes = size_t{4} << 20;

}  // namespace

void hash_rows(const VersionFiles& version, const Files& files, const RowHasher& hasher, base::Context& context, const TakeHash& take) {
  std::vector<std::string> lines;
  std::vector<RowHash> hashes;
  for (size_t file = 0; file < files.size(); ++file) {
    RowFileReader reader(version.place(*files[file]), files[file]->path);
    uint64_t first = 0;
    size_t used = 0;
    size_t bytes = 0;
    const bool json = reader.format() != RowFormat::kText;
    const auto flush = [&] {
      base::check_stop(context, "reading rows");
      hashes.resize(used);
      context.pool.parallel_chunks(static_cast<int64_t>(used), 64, [&](int64_t begin, int64_t end) {
        for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
          hashes[i] = json ? hasher.of_json(lines[i]) : hasher.of_line(lines[i]);
        }
      });
      for (size_t i = 0; i < used; ++i) {
        take(file, first + i, hashes[i]);
      }
      first += used;
      used = bytes = 0;
    };
    while (reader.next()) {
      if (!reader.columns().empty()) {
        take(file, first++, hasher.of_fields(reader.columns(), reader.fields()));
        continue;
      }
      if (used == lines.size()) {
        lines.emplace_back();
      }
      lines[used++].assign(reader.text());
      bytes += reader.text().size() + 1;
      if (bytes >= kBatchBytes) {
        flush();
      }
    }
    flush();
  }
}

Files row_files_not_in(const std::vector<FolderFile>& files, const std::vector<const std::vector<FolderFile>*>& others) {
  // Of equal contents as many go as every other version has.
  std::unordered_map<std::string, int64_t> shared;
  for (size_t i = 0; i < others.size(); ++i) {
    std::unordered_map<std::string, int64_t> theirs;
    for (const FolderFile& file : *others[i]) {
      ++theirs[file.digest];
    }
    if (i == 0) {
      shared = std::move(theirs);
      continue;
    }
    for (auto& [digest, count] : shared) {
      const auto it = theirs.find(digest);
      count = it == theirs.end() ? 0 : std::min(count, it->second);
    }
  }
  Files left;
  for (const FolderFile& file : files) {
    if (const auto it = shared.find(file.digest); it != shared.end() && it->second > 0) {
      --it->second;
    } else if (row_format(file.path) != RowFormat::kNone) {
      left.push_back(&file);
    }
  }
  return left;
}

std::unordered_map<uint64_t, PlacedRow> read_rows(const VersionFiles& version, const Files& files, const std::vector<uint64_t>& places) {
  std::unordered_map<uint64_t, PlacedRow> rows;
  for (size_t i = 0; i < places.size();) {
    const uint64_t file = file_of(places[i]);
    RowFileReader reader(version.place(*files[file]), files[file]->path);
    for (uint64_t row = 0; i < places.size() && file_of(places[i]) == file && reader.next(); ++row) {
      if (row != row_of(places[i])) {
        continue;
      }
      Json json = reader.json();
      if (json.is_null()) {
        json = std::string(reader.text());
      }
      rows[places[i++]] = {fmt::format("{}:{}", files[file]->path, reader.line()), std::move(json)};
    }
    while (i < places.size() && file_of(places[i]) == file) {
      ++i;  // the file became shorter while it was read
    }
  }
  return rows;
}

}  // namespace slipway::data
