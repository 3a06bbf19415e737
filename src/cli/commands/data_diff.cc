// slipway data diff | merge: versions of datasets compared and joined, row by row.
#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <ostream>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "cli/app.h"
#include "cli/byte_size.h"
#include "cli/commands/factories.h"
#include "cli/data_version.h"
#include "cli/local_change.h"
#include "cli/progress.h"
#include "data/row_merge.h"

namespace slipway::cli {
namespace {

using base::Code;
using base::Error;
using base::Json;

constexpr size_t kShownValue = 60;
constexpr size_t kShownFiles = 20;

std::string shown(const Json& value) {
  std::string text = base::dump_json(value);
  if (text.size() > kShownValue) {
    size_t cut = kShownValue;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80) {
      --cut;
    }
    text = text.substr(0, cut) + "…";
  }
  return text;
}

// What names a row for people: its key, or all of it.
std::string named(const Json& row, const std::vector<std::string>& key) {
  if (!row.is_object() || key.empty()) {
    return shown(row);
  }
  std::vector<std::string> parts;
  for (const std::string& field : key) {
    const auto value = row.find(field);
    parts.push_back(fmt::format("{}={}", field, value == row.end() ? "?" : shown(*value)));
  }
  return fmt::format("{}", fmt::join(parts, " "));
}

class DataDiffCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data diff", "what differs between two versions of a dataset, row by row",
            "Rows of JSON Lines, CSV, TSV and text files (also .gz, .zst) and Parquet are added, removed or changed by their key: --key, or that of\n"
            "the commit, or without one their content. The order of rows, of members and the names of files make no difference.\n"
            "Files that both versions have are not read; rows are compared in --memory, the rest is sorted on disk.",
            "slipway data diff reviews@v1.0 reviews\nslipway data diff reviews ./corpus --key id --rows 100 --json"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("A", before_, "NAME, NAME@REVISION, an id, a digest, or a path on the disk");
    parameters.positional("B", after_, "likewise");
    parameters.flags.add("key", key_, "fields that name a row, comma-separated");
    parameters.flags.add("rows", options_.rows, "how many rows of each kind to show", {0, 1e6});
    parameters.flags.add("memory", memory_, "bound for comparing, whatever the size");
  }
  int run(App& app) override {
    const NamedVersion before = find_version(app, before_, true);
    const NamedVersion after = find_version(app, after_, true);
    options_.key = key_of(key_, after.commit ? after.commit : before.commit);
    options_.memory_bytes = parse_byte_size(memory_, "memory");
    std::optional<WorkFolder> work;
    std::optional<base::TempDir> temporary;
    if (before.digest.empty() && after.digest.empty()) {
      options_.work = temporary.emplace().path();  // two paths: there may be no store
    } else {
      options_.work = work.emplace(app.store()).path();
    }
    base::Context context = app.context();
    const data::VersionDiff diff = data::diff_versions(before.files, after.files, options_, context);
    if (app.json()) {
      Json json = diff.to_json();
      json["before"] = before.commit ? Json(before.commit->id) : Json(before.shown());
      json["after"] = after.commit ? Json(after.commit->id) : Json(after.shown());
      json["key"] = options_.key;
      app.print_json(json);
    } else {
      print(app.out(), diff, before, after);
    }
    return 0;
  }

 private:
  void print(std::ostream& out, const data::VersionDiff& diff, const NamedVersion& before, const NamedVersion& after) const {
    out << fmt::format("{} -> {}\n", before.shown(), after.shown());
    if (diff.empty()) {
      out << "the same\n";
      return;
    }
    for (size_t i = 0; i < diff.files.size() && i < kShownFiles; ++i) {
      const data::FileChange& file = diff.files[i];
      out << fmt::format("{:8} {}{}\n", file.change, file.path, file.from.empty() ? "" : " from " + file.from);
    }
    if (diff.files.size() > kShownFiles) {
      out << fmt::format("… and {} files more\n", diff.files.size() - kShownFiles);
    }
    const auto count = [](int64_t number) { return human_count(number, ""); };
    out << fmt::format("{} rows added, {} removed, {} changed, {} unchanged in the files that differ\n", count(diff.added), count(diff.removed),
                       count(diff.changed), count(diff.unchanged));
    if (diff.repeated_keys > 0) {
      out << fmt::format("{} rows repeat a key of their version: paired in their order\n", count(diff.repeated_keys));
    }
    if (diff.without_key > 0) {
      out << fmt::format("{} rows without {}: compared by content\n", count(diff.without_key), fmt::join(options_.key, ", "));
    }
    for (const data::RowChange& row : diff.examples) {
      if (row.change == "added") {
        out << fmt::format("+ {}  {}\n", row.after_at, shown(row.after));
      } else if (row.change == "removed") {
        out << fmt::format("- {}  {}\n", row.before_at, shown(row.before));
      } else {
        out << fmt::format("~ {}  {}\n", row.after_at, named(row.after, options_.key));
        for (const std::string& field : row.fields) {
          const auto value = [&](const Json& from) { return from.contains(field) ? shown(from.at(field)) : std::string("(none)"); };
          out << fmt::format("    {}: {} -> {}\n", field, value(row.before), value(row.after));
        }
      }
    }
  }

  std::string before_;
  std::string after_;
  std::string memory_ = "256MB";
  std::vector<std::string> key_;
  data::DiffOptions options_;
};

// All that `id` came from, itself included, nearest first.
std::vector<std::string> ancestors(record::DataCommits& commits, const std::string& id) {
  std::vector<std::string> order;
  std::set<std::string> seen = {id};
  for (std::deque<std::string> queue = {id}; !queue.empty(); queue.pop_front()) {
    order.push_back(queue.front());
    if (const auto commit = commits.find("", queue.front())) {
      for (const std::string& parent : commit->parents) {
        if (seen.insert(parent).second) {
          queue.push_back(parent);
        }
      }
    }
  }
  return order;
}

class DataMergeCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data merge", "bring what changed on one branch of a dataset to another, row by row",
            "Three-way: what B did to a row since the base is done to A's, and the outcome is committed on A's branch. A row that both\n"
            "changed, or one removed and the other changed, is a conflict: it is told, nothing is committed and the exit code is 5,\n"
            "unless --ours (A) or --theirs (B) says who is right. Files that have no rows are merged as wholes.",
            "slipway data merge reviews@main reviews@experiment --key id\nslipway data merge reviews@main reviews@fix --theirs"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("A", ours_, "NAME@BRANCH: what is changed");
    parameters.positional("B", theirs_, "NAME@REVISION: what is brought");
    parameters.flags.add("base", base_, "what both came from; default: the nearest commit that both have");
    parameters.flags.add("key", key_, "fields that name a row, comma-separated");
    parameters.flags.add("ours", prefer_ours_, "A wins conflicts");
    parameters.flags.add("theirs", prefer_theirs_, "B wins conflicts");
    parameters.flags.add("message", message_, "why");
    parameters.flags.add("conflicts", options_.conflicts, "how many to tell in full", {0, 1e6});
    parameters.flags.add("dry_run", dry_run_, "tell what would be, commit nothing");
    parameters.flags.add("memory", memory_, "bound for comparing, whatever the size");
  }
  int run(App& app) override {
    if (prefer_ours_ && prefer_theirs_) {
      throw Error(Code::kInvalid, "--ours and --theirs: one of them");
    }
    const NamedVersion ours = find_version(app, ours_);
    const NamedVersion theirs = find_version(app, theirs_);
    if (!ours.commit || !theirs.commit || ours.branch.empty()) {
      throw Error(Code::kInvalid, fmt::format("'{}' is no branch: A is NAME@BRANCH, B a version", ours.commit && !ours.branch.empty() ? theirs_ : ours_));
    }
    record::DataCommits& commits = app.store().data().commits();
    const std::vector<std::string> before = ancestors(commits, ours.commit->id);
    if (std::find(before.begin(), before.end(), theirs.commit->id) != before.end()) {
      return finish(app, {}, std::nullopt, fmt::format("nothing to merge: {} has {} already\n", ours_, theirs_));
    }
    const NamedVersion base = find_version(app, base_.empty() ? common(app, before, *theirs.commit) : base_);
    options_.key = key_of(key_, ours.commit);
    options_.prefer = prefer_ours_ ? data::Prefer::kOurs : prefer_theirs_ ? data::Prefer::kTheirs : data::Prefer::kNeither;
    options_.memory_bytes = parse_byte_size(memory_, "memory");
    const WorkFolder work(app.store());
    options_.work = work.path();
    base::Context context = app.context();
    const data::VersionMerge merge = data::merge_versions(base.files, ours.files, theirs.files, options_, context);
    if (merge.conflicts > 0 && options_.prefer == data::Prefer::kNeither) {
      finish(app, merge, std::nullopt, "");
      return base::exit_code(Code::kConflict);
    }
    if (dry_run_) {
      return finish(app, merge, std::nullopt, "");
    }
    return finish(app, merge, commit(app, merge, ours, theirs), "");
  }

 private:
  std::string common(App& app, const std::vector<std::string>& before, const record::DataCommit& theirs) const {
    const std::set<std::string> known(before.begin(), before.end());
    for (const std::string& id : ancestors(app.store().data().commits(), theirs.id)) {
      if (known.contains(id)) {
        return id;
      }
    }
    throw Error(Code::kInvalid, fmt::format("{} and {} have no commit in common: name what both came from by --base", ours_, theirs_));
  }

  record::DataCommit commit(App& app, const data::VersionMerge& merge, const NamedVersion& ours, const NamedVersion& theirs) const {
    record::PutCounts counts;
    const record::Artifact artifact =
        app.store().data().trees().put(merge.written, merge.kept, ours.commit->dataset, {{"dataset", ours.commit->dataset}}, counts);
    record::DataCommit commit;
    commit.dataset = ours.commit->dataset;
    commit.digest = artifact.digest;
    commit.parents = {ours.commit->id, theirs.commit->id};
    commit.message = message_.empty() ? fmt::format("merge {}", theirs_) : message_;
    commit.author = local_person();
    commit.meta = {{"files", counts.files}, {"bytes", counts.bytes}};
    if (!options_.key.empty()) {
      commit.meta["key"] = options_.key;
    }
    return *commit_version(app.store(), std::move(commit), ours.branch);
  }

  int finish(App& app, const data::VersionMerge& merge, const std::optional<record::DataCommit>& made, const std::string& line) const {
    if (app.json()) {
      Json json = merge.to_json();
      json["committed"] = made.has_value();
      if (made) {
        json["commit"] = to_json(*made);
      }
      app.print_json(json);
      return 0;
    }
    if (!line.empty()) {
      app.out() << line;
      return 0;
    }
    for (const data::MergeConflict& one : merge.told) {
      app.out() << fmt::format("conflict: {}\n", one.what == "file" ? "file" : named(one.ours.is_null() ? one.theirs : one.ours, options_.key));
      const auto side = [&](const char* name, const std::string& at, const Json& row) {
        app.out() << fmt::format("    {:6} {}{}\n", name, at.empty() ? "(none)" : at, row.is_null() ? "" : "  " + shown(row));
      };
      side("base", one.base_at, one.base);
      side("ours", one.ours_at, one.ours);
      side("theirs", one.theirs_at, one.theirs);
    }
    app.out() << fmt::format("{} rows added, {} removed, {} changed, {} files; {} conflicts{}\n", merge.added, merge.removed, merge.changed, merge.files,
                             merge.conflicts, merge.conflicts > 0 && options_.prefer != data::Prefer::kNeither ? ", decided" : "");
    if (made) {
      app.out() << fmt::format("{} is {}\n", ours_, short_id(made->id));
    } else if (merge.conflicts > 0) {
      app.out() << "nothing was committed: --ours or --theirs decides, or change the rows on one side\n";
    }
    return 0;
  }

  std::string ours_;
  std::string theirs_;
  std::string base_;
  std::string message_;
  std::string memory_ = "256MB";
  std::vector<std::string> key_;
  bool prefer_ours_ = false;
  bool prefer_theirs_ = false;
  bool dry_run_ = false;
  data::MergeOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_data_diff() { return std::make_unique<DataDiffCommand>(); }
std::unique_ptr<Command> make_data_merge() { return std::make_unique<DataMergeCommand>(); }

}  // namespace slipway::cli
