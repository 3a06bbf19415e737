#include "data/row_diff.h"

#include <algorithm>
#include <queue>
#include <unordered_map>

#include "data/row_places.h"
#include "data/spill.h"

namespace slipway::data {
namespace {

using record::FolderFile;
using Files = VersionFileList;

using Entry = SortedRow;

// The examples of one kind with the lowest places.
class Examples {
 public:
  explicit Examples(int64_t limit) : limit_(static_cast<size_t>(limit)) {}
  void add(uint64_t before, uint64_t after) {
    if (limit_ == 0) {
      return;
    }
    const Pair pair{after == 0 ? before : after, before, after};
    if (kept_.size() < limit_) {
      kept_.push(pair);
    } else if (pair.order < kept_.top().order) {
      kept_.pop();
      kept_.push(pair);
    }
  }
  struct Pair {
    uint64_t order, before, after;  // places + 1, 0: none
    bool operator<(const Pair& other) const noexcept { return order < other.order; }
  };
  std::vector<Pair> sorted() {
    std::vector<Pair> all;
    for (; !kept_.empty(); kept_.pop()) {
      all.push_back(kept_.top());
    }
    std::reverse(all.begin(), all.end());
    return all;
  }

 private:
  size_t limit_;
  std::priority_queue<Pair> kept_;
};

class Comparison {
 public:
  Comparison(VersionDiff& diff, int64_t examples) : diff_(diff), added_(examples), removed_(examples), changed_(examples) {}

  // Rows of one key, those of before first.
  void take(std::vector<Entry>& before, std::vector<Entry>& after) {
    if (before.size() > 1 || after.size() > 1) {
      diff_.repeated_keys += static_cast<int64_t>((before.empty() ? 0 : before.size() - 1) + (after.empty() ? 0 : after.size() - 1));
      cancel(before, after);
    } else if (before.size() == 1 && after.size() == 1 && before[0].row == after[0].row) {
      ++diff_.unchanged;
      return;
    }
    const size_t pairs = std::min(before.size(), after.size());
    for (size_t i = 0; i < pairs; ++i) {
      ++diff_.changed;
      changed_.add(before[i].place + 1, after[i].place + 1);
    }
    for (size_t i = pairs; i < before.size(); ++i) {
      ++diff_.removed;
      removed_.add(before[i].place + 1, 0);
    }
    for (size_t i = pairs; i < after.size(); ++i) {
      ++diff_.added;
      added_.add(0, after[i].place + 1);
    }
  }

  std::vector<std::pair<const char*, Examples::Pair>> examples() {
    std::vector<std::pair<const char*, Examples::Pair>> all;
    for (auto& [name, kind] : {std::pair<const char*, Examples*>{"removed", &removed_}, {"changed", &changed_}, {"added", &added_}}) {
      for (const Examples::Pair& pair : kind->sorted()) {
        all.emplace_back(name, pair);
      }
    }
    return all;
  }

 private:
  // Takes out the rows that both have.
  void cancel(std::vector<Entry>& before, std::vector<Entry>& after) {
    const auto by_row = [](const Entry& a, const Entry& b) { return a.row != b.row ? a.row < b.row : a.place < b.place; };
    std::sort(before.begin(), before.end(), by_row);
    std::sort(after.begin(), after.end(), by_row);
    std::vector<Entry> left;
    std::vector<Entry> right;
    size_t b = 0;
    for (size_t a = 0; a < before.size() || b < after.size();) {
      if (b == after.size() || (a < before.size() && before[a].row < after[b].row)) {
        left.push_back(before[a++]);
      } else if (a == before.size() || after[b].row < before[a].row) {
        right.push_back(after[b++]);
      } else {
        ++diff_.unchanged;
        ++a;
        ++b;
      }
    }
    const auto by_place = [](const Entry& x, const Entry& y) { return x.place < y.place; };
    std::sort(left.begin(), left.end(), by_place);
    std::sort(right.begin(), right.end(), by_place);
    before = std::move(left);
    after = std::move(right);
  }

  VersionDiff& diff_;
  Examples added_;
  Examples removed_;
  Examples changed_;
};

// Rows of one content without a key may be millions: only their number and one place of each is kept.
struct Group {
  std::vector<Entry> rows;
  void add(const Entry& entry, bool keyless) {
    if (!keyless || rows.size() < kSame) {
      rows.push_back(entry);
    } else {
      ++more;
    }
  }
  static constexpr size_t kSame = 1024;
  int64_t more = 0;
};

void compare(SortedStream<Entry> stream, Comparison& comparison, VersionDiff& diff) {
  Entry entry{};
  bool going = stream.next(entry);
  Group sides[2];
  while (going) {
    const Hash128 key = entry.key;
    for (Group& side : sides) {
      side.rows.clear();
      side.more = 0;
    }
    for (; going && entry.key == key; going = stream.next(entry)) {
      sides[side_of(entry.place)].add(entry, entry.key == entry.row);
    }
    const int64_t both = std::min(sides[0].more, sides[1].more);
    diff.unchanged += both;
    diff.removed += sides[0].more - both;  // of more than a thousand equal rows
    diff.added += sides[1].more - both;
    comparison.take(sides[0].rows, sides[1].rows);
  }
}

std::vector<std::string> differing_fields(const Json& before, const Json& after) {
  std::vector<std::string> fields;
  if (!before.is_object() || !after.is_object()) {
    return fields;
  }
  for (auto it = before.begin(); it != before.end(); ++it) {
    const auto other = after.find(it.key());
    if (other == after.end() || *other != it.value()) {
      fields.push_back(it.key());
    }
  }
  for (auto it = after.begin(); it != after.end(); ++it) {
    if (!before.contains(it.key())) {
      fields.push_back(it.key());
    }
  }
  return fields;
}

}  // namespace

std::vector<FileChange> changed_files(const std::vector<FolderFile>& before, const std::vector<FolderFile>& after) {
  std::unordered_map<std::string_view, const FolderFile*> old;
  std::unordered_map<std::string_view, const FolderFile*> current;
  for (const FolderFile& file : before) {
    old[file.path] = &file;
  }
  for (const FolderFile& file : after) {
    current[file.path] = &file;
  }
  std::multimap<std::string_view, const FolderFile*> gone;  // by digest, in their order
  for (const FolderFile& file : before) {
    if (!current.contains(file.path)) {
      gone.emplace(file.digest, &file);
    }
  }
  std::vector<FileChange> changes;
  for (const FolderFile& file : after) {
    const auto it = old.find(file.path);
    if (it == old.end()) {
      const auto moved = gone.find(file.digest);
      const bool renamed = moved != gone.end();
      changes.push_back({file.path, renamed ? "renamed" : "added", renamed ? moved->second->path : "",
                         renamed ? static_cast<int64_t>(file.size) : 0, static_cast<int64_t>(file.size)});
      if (renamed) {
        gone.erase(moved);
      }
    } else if (it->second->digest != file.digest) {
      changes.push_back({file.path, "changed", "", static_cast<int64_t>(it->second->size), static_cast<int64_t>(file.size)});
    }
  }
  for (const auto& [digest, file] : gone) {
    changes.push_back({file->path, "removed", "", static_cast<int64_t>(file->size), 0});
  }
  std::sort(changes.begin(), changes.end(), [](const FileChange& a, const FileChange& b) { return a.path < b.path; });
  return changes;
}

VersionDiff diff_versions(const VersionFiles& before, const VersionFiles& after, const DiffOptions& options, base::Context& context) {
  VersionDiff diff;
  diff.files = changed_files(before.files, after.files);
  const Files sides[2] = {row_files_not_in(before.files, {&after.files}), row_files_not_in(after.files, {&before.files})};
  diff.same_files = static_cast<int64_t>(after.files.size()) -
                    std::count_if(diff.files.begin(), diff.files.end(), [](const FileChange& file) { return file.change == "added" || file.change == "changed"; });
  const RowHasher hasher(options.key);
  const SpillSpace space{options.work, options.memory_bytes, &context.pool};
  ExternalSorter<Entry> sorter(space, "rows", options.memory_bytes);
  for (const uint64_t side : {0, 1}) {
    int64_t& rows = side == 0 ? diff.before_rows : diff.after_rows;
    hash_rows(side == 0 ? before : after, sides[side], hasher, context, [&](size_t file, uint64_t row, const RowHash& hash) {
      ++rows;
      diff.broken += hash.broken ? 1 : 0;
      diff.without_key += !options.key.empty() && !hash.keyed ? 1 : 0;
      sorter.add({hash.key, hash.row, place_of(side, file, row)});
    });
  }
  Comparison comparison(diff, options.rows);
  compare(sorter.finish(), comparison, diff);
  sorter.remove_runs();
  if (options.key.empty()) {
    diff.repeated_keys = 0;  // equal rows are counted
  }

  const auto pairs = comparison.examples();
  std::vector<uint64_t> places[2];
  for (const auto& [kind, pair] : pairs) {
    if (pair.before != 0) {
      places[0].push_back(pair.before - 1);
    }
    if (pair.after != 0) {
      places[1].push_back(pair.after - 1);
    }
  }
  std::unordered_map<uint64_t, PlacedRow> rows[2];
  for (const int side : {0, 1}) {
    std::sort(places[side].begin(), places[side].end());
    rows[side] = read_rows(side == 0 ? before : after, sides[side], places[side]);
  }
  for (const auto& [kind, pair] : pairs) {
    RowChange change;
    change.change = kind;
    if (pair.before != 0) {
      PlacedRow& row = rows[0][pair.before - 1];
      change.before_at = row.at;
      change.before = row.json;
    }
    if (pair.after != 0) {
      PlacedRow& row = rows[1][pair.after - 1];
      change.after_at = row.at;
      change.after = row.json;
    }
    change.fields = differing_fields(change.before, change.after);
    for (const std::string& field : change.fields) {
      ++diff.fields[field];
    }
    diff.examples.push_back(std::move(change));
  }
  return diff;
}

Json VersionDiff::to_json() const {
  Json json = {{"added", added},           {"removed", removed},         {"changed", changed},
               {"unchanged", unchanged},   {"before_rows", before_rows}, {"after_rows", after_rows},
               {"same_files", same_files}, {"repeated_keys", repeated_keys}, {"without_key", without_key},
               {"broken", broken},         {"fields", fields},           {"files", Json::array()},
               {"rows", Json::array()}};
  for (const FileChange& file : files) {
    Json one = {{"path", file.path}, {"change", file.change}, {"before_bytes", file.before_bytes}, {"after_bytes", file.after_bytes}};
    if (!file.from.empty()) {
      one["from"] = file.from;
    }
    json["files"].push_back(std::move(one));
  }
  for (const RowChange& row : examples) {
    Json one = {{"change", row.change}};
    if (!row.before_at.empty()) {
      one["before_at"] = row.before_at;
      one["before"] = row.before;
    }
    if (!row.after_at.empty()) {
      one["after_at"] = row.after_at;
      one["after"] = row.after;
    }
    if (!row.fields.empty()) {
      one["fields"] = row.fields;
    }
    json["rows"].push_back(std::move(one));
  }
  return json;
}

}  // namespace slipway::data
