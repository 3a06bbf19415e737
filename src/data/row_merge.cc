#include "data/row_merge.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <unordered_set>

#include "base/base64.h"
#include "base/error.h"
#include "base/file.h"
#include "data/row_places.h"
#include "data/spill.h"

namespace slipway::data {
namespace {

using record::FolderFile;

enum Side : size_t { kBase = 0, kOurs = 1, kTheirs = 2 };
constexpr size_t kSides = 3;
constexpr uint64_t kNone = UINT64_MAX;

// A row of theirs that comes to ours: in the place of `ours`, or new (kNone).
struct Coming {
  uint64_t theirs;
  uint64_t ours;
  bool operator<(const Coming& other) const noexcept { return theirs < other.theirs; }
};

// What becomes of a row of ours: its text lies in the file of patches, or it goes (`offset` kNone).
struct Patch {
  uint64_t ours;
  uint64_t offset;
  uint64_t size;
  bool operator<(const Patch& other) const noexcept { return ours < other.ours; }
};

using Files = std::map<std::string, const FolderFile*, std::less<>>;

Files by_path(const std::vector<FolderFile>& files) {
  Files all;
  for (const FolderFile& file : files) {
    all[file.path] = &file;
  }
  return all;
}

const FolderFile* find(const Files& files, std::string_view path) {
  const auto it = files.find(path);
  return it == files.end() ? nullptr : it->second;
}

bool same(const FolderFile* a, const FolderFile* b) {
  return (a == nullptr) == (b == nullptr) && (a == nullptr || a->digest == b->digest);
}

class Merger {
 public:
  Merger(const VersionFiles& base, const VersionFiles& ours, const VersionFiles& theirs, const MergeOptions& options, base::Context& context)
      : versions_{&base, &ours, &theirs},
        options_(options),
        context_(context),
        space_{options.work / "sort", options.memory_bytes, &context.pool},
        coming_(space_, "coming", options.memory_bytes / 4),
        patches_(space_, "patches", options.memory_bytes / 4) {
    for (const Side side : {kBase, kOurs, kTheirs}) {
      paths_[side] = by_path(versions_[side]->files);
    }
    rows_[kBase] = row_files_not_in(base.files, {&ours.files, &theirs.files});
    rows_[kOurs] = row_files_not_in(ours.files, {&base.files, &theirs.files});
    rows_[kTheirs] = row_files_not_in(theirs.files, {&base.files, &ours.files});
  }

  VersionMerge run() {
    merge_plain_files();
    decide_rows();
    tell_conflicts();
    if (merge_.conflicts == 0 || options_.prefer != Prefer::kNeither) {
      bring_rows();
      write_files();
    } else {
      merge_.kept.clear();
    }
    return std::move(merge_);
  }

 private:
  void merge_plain_files();
  void decide_rows();
  void decide(std::vector<SortedRow> (&group)[kSides]);
  void decide_one(const SortedRow* base, const SortedRow* ours, const SortedRow* theirs);
  void decide_many(std::vector<SortedRow> (&group)[kSides]);
  void take_theirs(const SortedRow* ours, const SortedRow* theirs);
  void tell_conflicts();
  void bring_rows();
  void write_files();
  std::string as_row_of(RowFileReader& from, const std::string& path);
  const std::vector<std::string>& columns_of(const std::string& path);
  std::filesystem::path bytes_of(const std::string& path) const;
  const std::string& schema_of(const std::string& path);

  struct Conflict {
    uint64_t places[kSides];
  };

  const VersionFiles* versions_[kSides];
  const MergeOptions& options_;
  base::Context& context_;
  SpillSpace space_;
  ExternalSorter<Coming> coming_;
  ExternalSorter<Patch> patches_;
  Files paths_[kSides];
  VersionFileList rows_[kSides];
  std::vector<Conflict> conflicts_;
  VersionMerge merge_;
  std::map<std::string, std::vector<std::string>> columns_;  // of files of ours
  std::map<std::string, std::string> schemas_;
  std::map<std::string, std::filesystem::path> added_;       // rows to add, by the path of their file
};

void Merger::merge_plain_files() {
  std::unordered_set<std::string> seen;
  for (const Files& files : paths_) {
    for (const auto& [path, unused] : files) {
      if (row_format(path) != RowFormat::kNone || !seen.insert(path).second) {
        continue;
      }
      const FolderFile* base = find(paths_[kBase], path);
      const FolderFile* ours = find(paths_[kOurs], path);
      const FolderFile* theirs = find(paths_[kTheirs], path);
      const FolderFile* result = ours;
      if (!same(ours, theirs) && !same(theirs, base)) {
        if (!same(ours, base)) {
          ++merge_.conflicts;
          const auto at = [&, &path = path](const FolderFile* file) { return file == nullptr ? std::string() : path; };
          if (static_cast<int64_t>(merge_.told.size()) < options_.conflicts) {
            merge_.told.push_back({"file", at(base), at(ours), at(theirs), {}, {}, {}});
          }
        }
        if (same(ours, base) || options_.prefer == Prefer::kTheirs) {
          result = theirs;
          ++merge_.files;
        }
      }
      if (result != nullptr) {
        merge_.kept.push_back(*result);
      }
    }
  }
}

void Merger::take_theirs(const SortedRow* ours, const SortedRow* theirs) {
  if (theirs == nullptr) {
    ++merge_.removed;
    patches_.add({ours->place, kNone, 0});
  } else {
    ++(ours == nullptr ? merge_.added : merge_.changed);
    coming_.add({theirs->place, ours == nullptr ? kNone : ours->place});
  }
}

void Merger::decide_one(const SortedRow* base, const SortedRow* ours, const SortedRow* theirs) {
  const auto alike = [](const SortedRow* a, const SortedRow* b) {
    return (a == nullptr) == (b == nullptr) && (a == nullptr || a->row == b->row);
  };
  if (alike(ours, theirs) || alike(theirs, base)) {
    return;
  }
  if (alike(ours, base)) {
    take_theirs(ours, theirs);
    return;
  }
  ++merge_.conflicts;
  if (static_cast<int64_t>(conflicts_.size()) < options_.conflicts) {
    const auto place = [](const SortedRow* row) { return row == nullptr ? kNone : row->place; };
    conflicts_.push_back({{place(base), place(ours), place(theirs)}});
  }
  if (options_.prefer == Prefer::kTheirs) {
    take_theirs(ours, theirs);
  }
}

// Rows of one key that some version has more than once: of each content as many as both sides together changed it to.
void Merger::decide_many(std::vector<SortedRow> (&group)[kSides]) {
  for (std::vector<SortedRow>& rows : group) {
    std::stable_sort(rows.begin(), rows.end(), [](const SortedRow& a, const SortedRow& b) { return a.row < b.row; });
  }
  size_t at[kSides] = {};
  while (true) {
    const Hash128* least = nullptr;
    for (const size_t side : {kBase, kOurs, kTheirs}) {
      if (at[side] < group[side].size() && (least == nullptr || group[side][at[side]].row < *least)) {
        least = &group[side][at[side]].row;
      }
    }
    if (least == nullptr) {
      return;
    }
    const Hash128 row = *least;
    int64_t count[kSides] = {};
    size_t first[kSides];
    for (const size_t side : {kBase, kOurs, kTheirs}) {
      first[side] = at[side];
      for (; at[side] < group[side].size() && group[side][at[side]].row == row; ++at[side]) {
        ++count[side];
      }
    }
    const int64_t wanted = std::max<int64_t>(0, count[kOurs] + count[kTheirs] - count[kBase]);
    for (int64_t i = wanted; i < count[kOurs]; ++i) {
      take_theirs(&group[kOurs][first[kOurs] + static_cast<size_t>(i)], nullptr);
    }
    for (int64_t i = count[kOurs]; i < wanted; ++i) {
      const auto from = std::min<int64_t>(i, count[kTheirs] - 1);
      take_theirs(nullptr, &group[kTheirs][first[kTheirs] + static_cast<size_t>(std::max<int64_t>(0, from))]);
    }
  }
}

void Merger::decide(std::vector<SortedRow> (&group)[kSides]) {
  if (std::all_of(std::begin(group), std::end(group), [](const auto& rows) { return rows.size() <= 1; })) {
    const auto one = [](const std::vector<SortedRow>& rows) { return rows.empty() ? nullptr : &rows[0]; };
    decide_one(one(group[kBase]), one(group[kOurs]), one(group[kTheirs]));
  } else {
    decide_many(group);
  }
}

void Merger::decide_rows() {
  ExternalSorter<SortedRow> sorter(space_, "rows", options_.memory_bytes / 2);
  const RowHasher hasher(options_.key);
  for (const Side side : {kBase, kOurs, kTheirs}) {
    hash_rows(*versions_[side], rows_[side], hasher, context_,
              [&](size_t file, uint64_t row, const RowHash& hash) { sorter.add({hash.key, hash.row, place_of(side, file, row)}); });
  }
  SortedStream<SortedRow> stream = sorter.finish();
  SortedRow entry{};
  std::vector<SortedRow> group[kSides];
  for (bool going = stream.next(entry); going;) {
    const Hash128 key = entry.key;
    for (std::vector<SortedRow>& rows : group) {
      rows.clear();
    }
    for (; going && entry.key == key; going = stream.next(entry)) {
      group[side_of(entry.place)].push_back(entry);
    }
    decide(group);
  }
  sorter.remove_runs();
}

void Merger::tell_conflicts() {
  std::sort(conflicts_.begin(), conflicts_.end(), [](const Conflict& a, const Conflict& b) {
    return std::min(a.places[kOurs], a.places[kTheirs]) < std::min(b.places[kOurs], b.places[kTheirs]);
  });
  std::unordered_map<uint64_t, PlacedRow> rows;
  for (const size_t side : {kBase, kOurs, kTheirs}) {
    std::vector<uint64_t> places;
    for (const Conflict& conflict : conflicts_) {
      if (conflict.places[side] != kNone) {
        places.push_back(conflict.places[side]);
      }
    }
    std::sort(places.begin(), places.end());
    rows.merge(read_rows(*versions_[side], rows_[side], places));
  }
  const auto row = [&](uint64_t place) { return place == kNone ? PlacedRow() : rows[place]; };
  for (const Conflict& conflict : conflicts_) {
    PlacedRow base = row(conflict.places[kBase]);
    PlacedRow ours = row(conflict.places[kOurs]);
    PlacedRow theirs = row(conflict.places[kTheirs]);
    merge_.told.push_back({"row", base.at, ours.at, theirs.at, std::move(base.json), std::move(ours.json), std::move(theirs.json)});
  }
  if (static_cast<int64_t>(merge_.told.size()) > options_.conflicts) {
    merge_.told.resize(static_cast<size_t>(options_.conflicts));
  }
}

const std::vector<std::string>& Merger::columns_of(const std::string& path) {
  const auto known = columns_.find(path);
  if (known != columns_.end()) {
    return known->second;
  }
  const RowFileReader reader(bytes_of(path), path);
  return columns_[path] = reader.columns();
}

// Ours' file, or theirs where ours has none.
std::filesystem::path Merger::bytes_of(const std::string& path) const {
  const size_t side = paths_[kOurs].contains(path) ? kOurs : kTheirs;
  return versions_[side]->place(*paths_[side].at(path));
}

const std::string& Merger::schema_of(const std::string& path) {
  const auto known = schemas_.find(path);
  return known != schemas_.end() ? known->second : schemas_[path] = RowFileReader(bytes_of(path), path).schema();
}

// The row at hand as a line of ours' file `path` (or of theirs, where ours has none).
std::string Merger::as_row_of(RowFileReader& from, const std::string& path) {
  const RowFormat format = row_format(path);
  const bool delimited = format == RowFormat::kCsv || format == RowFormat::kTsv;
  if (format == RowFormat::kParquet) {
    if (from.format() != format || schema_of(path) != from.schema()) {
      throw base::Error(base::Code::kInvalid, fmt::format("a row of theirs has not the schema of '{}' of ours; write that file with theirs and commit, then merge again", path));
    }
    return std::string(from.record());
  }
  if (!delimited) {
    return format == from.format() ? std::string(from.text()) : base::dump_json(from.json());
  }
  const std::vector<std::string>& columns = columns_of(path);
  if (columns == from.columns() && format == from.format()) {
    return std::string(from.text());
  }
  std::vector<std::string> fields(columns.size());
  const Json row = from.json();
  for (auto it = row.begin(); it != row.end(); ++it) {
    const auto at = std::find(columns.begin(), columns.end(), it.key());
    if (at == columns.end()) {
      throw base::Error(base::Code::kInvalid, fmt::format("a row of theirs has the column '{}', which '{}' of ours does not have; add the column there "
                                                          "and commit, then merge again", it.key(), path));
    }
    fields[static_cast<size_t>(at - columns.begin())] = it->is_string() ? it->get<std::string>() : base::dump_json(*it);
  }
  return delimited_line(fields, format);
}

// Reads the rows of theirs that come, in their order: those that replace one of ours into the file of patches, new ones beside it.
void Merger::bring_rows() {
  base::AtomicFile texts(options_.work / "texts");
  SortedStream<Coming> stream = coming_.finish();
  Coming coming{};
  bool going = stream.next(coming);
  while (going) {
    const size_t file = file_of(coming.theirs);
    const std::string& path = rows_[kTheirs][file]->path;
    RowFileReader reader(versions_[kTheirs]->place(*rows_[kTheirs][file]), path);
    std::unique_ptr<RowFileWriter> added;
    uint64_t number = 0;
    for (; going && file_of(coming.theirs) == file && reader.next(); ++number) {
      for (; going && file_of(coming.theirs) == file && row_of(coming.theirs) == number; going = stream.next(coming)) {
        if (coming.ours != kNone) {
          const std::string line = as_row_of(reader, rows_[kOurs][file_of(coming.ours)]->path);
          patches_.add({coming.ours, texts.size(), line.size()});
          texts.write(line);
          continue;
        }
        if (!added) {
          added_[path] = options_.work / fmt::format("added-{}", file);
          added = std::make_unique<RowFileWriter>(added_[path], "rows.jsonl");
        }
        // A text in quotes: a record of CSV may have several lines, one of Parquet is no text.
        added->write(base::dump_json(Json(base::base64_encode(as_row_of(reader, path)))));
      }
    }
    while (going && file_of(coming.theirs) == file) {
      going = stream.next(coming);
    }
    if (added) {
      added->finish();
    }
  }
  coming_.remove_runs();
  texts.commit();
}

void Merger::write_files() {
  SortedStream<Patch> patches = patches_.finish();
  const base::MappedFile texts(options_.work / "texts");
  Patch patch{};
  bool going = patches.next(patch);
  size_t number = 0;
  const auto target = [&] { return options_.work / fmt::format("file-{}", number++); };
  const auto add_rows = [&](RowFileWriter& writer, const std::string& path) {
    const auto it = added_.find(path);
    if (it == added_.end()) {
      return false;
    }
    RowFileReader reader(it->second, "rows.jsonl");
    while (reader.next()) {
      writer.write(base::base64_decode(base::parse_json(reader.text(), path, {kMaxRowFileRow * 6, 2}).get<std::string>()).value());
    }
    added_.erase(it);
    return true;
  };
  std::unordered_map<std::string_view, size_t> read;  // path -> index among the files of ours that were read
  for (size_t i = 0; i < rows_[kOurs].size(); ++i) {
    read[rows_[kOurs][i]->path] = i;
  }
  // In the order in which they were read, so that patches come in order; then those that only gain rows.
  std::vector<const FolderFile*> order(rows_[kOurs].begin(), rows_[kOurs].end());
  for (const auto& [path, file] : paths_[kOurs]) {
    if (row_format(path) != RowFormat::kNone && !read.contains(path)) {
      order.push_back(file);
    }
  }
  for (const FolderFile* file : order) {
    const auto index = read.find(file->path);
    const auto is_mine = [&] { return going && index != read.end() && file_of(patch.ours) == index->second; };
    if (!is_mine() && !added_.contains(file->path)) {
      merge_.kept.push_back(*file);
      continue;
    }
    base::check_stop(context_, "merging");
    const std::filesystem::path place = target();
    const std::filesystem::path ours = versions_[kOurs]->place(*file);
    RowFileWriter writer(place, file->path, ours);
    RowFileReader reader(ours, file->path);
    if (!reader.columns().empty()) {
      writer.write(delimited_line(reader.columns(), reader.format()));
    }
    int64_t left = 0;
    for (uint64_t row = 0; reader.next(); ++row) {
      if (!is_mine() || row_of(patch.ours) != row) {
        writer.write(reader.record());
        ++left;
        continue;
      }
      if (patch.offset != kNone) {
        writer.write(texts.bytes().substr(patch.offset, patch.size));
        ++left;
      }
      going = patches.next(patch);
    }
    const bool gained = add_rows(writer, file->path);
    if (left == 0 && !gained && !paths_[kTheirs].contains(file->path)) {
      continue;  // they removed it
    }
    writer.finish();
    merge_.written.push_back({file->path, place});
  }
  while (!added_.empty()) {
    const std::string path = added_.begin()->first;
    const std::filesystem::path place = target();
    RowFileWriter writer(place, path, bytes_of(path));
    const std::vector<std::string>& columns = columns_of(path);
    if (!columns.empty()) {
      writer.write(delimited_line(columns, row_format(path)));
    }
    add_rows(writer, path);
    writer.finish();
    merge_.written.push_back({path, place});
  }
  patches_.remove_runs();
}

}  // namespace

VersionMerge merge_versions(const VersionFiles& base, const VersionFiles& ours, const VersionFiles& theirs, const MergeOptions& options,
                            base::Context& context) {
  return Merger(base, ours, theirs, options, context).run();
}

Json VersionMerge::to_json() const {
  Json json = {{"added", added}, {"removed", removed}, {"changed", changed}, {"files", files}, {"conflicts", conflicts}, {"told", Json::array()}};
  for (const MergeConflict& one : told) {
    Json conflict = {{"what", one.what}};
    const auto add = [&](const char* side, const std::string& at, const Json& row) {
      if (!at.empty()) {
        conflict[side] = {{"at", at}};
        if (!row.is_null()) {
          conflict[side]["row"] = row;
        }
      }
    };
    add("base", one.base_at, one.base);
    add("ours", one.ours_at, one.ours);
    add("theirs", one.theirs_at, one.theirs);
    json["told"].push_back(std::move(conflict));
  }
  return json;
}

}  // namespace slipway::data
