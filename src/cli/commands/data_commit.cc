// slipway data commit | log | branch | tag: versions of datasets and their names.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <ostream>
#include <set>

#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/data_version.h"
#include "cli/local_change.h"
#include "cli/progress.h"
#include "cli/table.h"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using base::Json;

constexpr int kAllCommits = 1'000'000;

std::string bytes_text(uint64_t bytes) { return human_count(static_cast<int64_t>(bytes), "bytes"); }

// One folder is the version; several paths lie in it under their own names.
std::vector<record::DataSource> sources_of(const std::vector<std::string>& paths) {
  std::vector<record::DataSource> sources;
  for (const std::string& text : paths) {
    fs::path path = fs::absolute(text).lexically_normal();
    if (path.filename().empty()) {
      path = path.parent_path();
    }
    const bool all = paths.size() == 1 && fs::is_directory(fs::symlink_status(path));
    sources.push_back({all ? "" : path.filename().string(), path});
  }
  return sources;
}

class DataCommitCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data commit", "keep files as a version of a dataset",
            "The version has the files of PATH: those of one folder as they lie in it, several files and folders by their names.\n"
            "It shares bytes with all that the store has: of a large file that changed, only the parts that are new are kept.\n"
            "Files whose size, times and inode are those of the last time are not read again. --key names the fields that tell\n"
            "one row from another, for diff and merge; later commits inherit it. Nothing is committed when nothing changed.",
            "slipway data commit corpus/ --name reviews --key id --message 'second crawl'\n"
            "slipway data log reviews"};
  }
  void describe(Parameters& parameters) override {
    parameters.positionals_of("PATH", paths_, "a folder, or files and folders");
    parameters.flags.add("name", name_, "of the dataset");
    parameters.flags.add("message", message_, "why");
    parameters.flags.add("key", key_, "fields that name a row, comma-separated");
    parameters.flags.add("branch", branch_, "to commit to; a new one goes on from main");
  }
  int run(App& app) override {
    if (name_.empty()) {
      throw Error(Code::kInvalid, "--name is missing: the dataset's name");
    }
    record::Store& store = app.store({}, true);
    record::PutCounts counts;
    app.progress().start("commit", 0, "files");
    const record::Artifact artifact = store.data().trees().put(sources_of(paths_), {}, name_, {{"dataset", name_}}, counts);
    app.progress().finish("");
    if (counts.files == 0) {
      throw Error(Code::kInvalid, "there are no files to commit");
    }
    const auto head = store.data().commits().find(name_, branch_);
    record::DataCommit commit;
    commit.dataset = name_;
    commit.digest = artifact.digest;
    commit.message = message_;
    commit.author = local_person();
    commit.meta = {{"files", counts.files}, {"bytes", counts.bytes}};
    if (const std::vector<std::string> key = key_of(key_, head ? head : store.data().commits().find(name_, record::kMainDataBranch)); !key.empty()) {
      commit.meta["key"] = key;
    }
    const auto made = commit_version(store, commit, branch_);
    if (app.json()) {
      Json json = to_json(made ? *made : *head);
      json["committed"] = made.has_value();
      json["branch"] = branch_;
      json["hashed"] = counts.hashed;
      json["hashed_bytes"] = counts.hashed_bytes;
      app.print_json(json);
    } else if (!made) {
      app.out() << fmt::format("nothing changed: {}@{} is at {}\n", name_, branch_, short_id(head->id));
    } else {
      app.out() << fmt::format("{}@{} is {}: {} files, {}; {} read, {}\n", name_, branch_, short_id(made->id), human_count(counts.files, ""),
                               bytes_text(counts.bytes), human_count(counts.hashed, ""), bytes_text(counts.hashed_bytes));
    }
    return 0;
  }

 private:
  std::vector<std::string> paths_;
  std::vector<std::string> key_;
  std::string name_;
  std::string message_;
  std::string branch_ = record::kMainDataBranch;
};

class DataLogCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data log", "the versions of a dataset, newest first, or the datasets there are", "", "slipway data log\nslipway data log reviews@experiment --limit 5"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("VERSION", version_, "NAME, NAME@REVISION or an id; none: all datasets", false);
    parameters.flags.add("limit", limit_, "at most this many", {1, 1e6});
  }
  int run(App& app) override {
    return version_.empty() ? list_datasets(app) : list_commits(app);
  }

 private:
  int list_datasets(App& app) const {
    record::DataCommits& commits = app.store().data().commits();
    Table table({"DATASET", "BRANCH", "VERSION", "FILES", "SIZE", "CHANGED"});
    for (const record::DataRef& ref : commits.refs("")) {
      const auto commit = commits.find("", ref.id);
      if (!commit) {
        continue;
      }
      if (app.json()) {
        app.print_json({{"dataset", ref.dataset}, {"name", ref.name}, {"tag", ref.tag}, {"id", ref.id}, {"changed_ms", ref.changed_ms}});
      } else {
        table.row({ref.dataset, ref.tag ? ref.name + " (tag)" : ref.name, short_id(ref.id), human_count(commit->meta.value("files", int64_t{0}), ""),
                   bytes_text(commit->meta.value("bytes", uint64_t{0})), when(ref.changed_ms)});
      }
    }
    if (!app.json()) {
      table.print(app.out(), app.color_out());
    }
    return 0;
  }

  int list_commits(App& app) const {
    const record::DataCommit head = find_commit(app, version_);
    record::DataCommits& commits = app.store().data().commits();
    std::map<std::string, std::vector<std::string>> names;
    for (const record::DataRef& ref : commits.refs(head.dataset)) {
      names[ref.id].push_back(ref.tag ? "tag " + ref.name : ref.name);
    }
    std::set<std::string> reachable = {head.id};
    int shown = 0;
    for (const record::DataCommit& commit : commits.list(head.dataset, kAllCommits)) {  // children come before parents
      if (!reachable.contains(commit.id)) {
        continue;
      }
      reachable.insert(commit.parents.begin(), commit.parents.end());
      if (shown++ == limit_) {
        break;
      }
      print(app, commit, names[commit.id]);
    }
    return 0;
  }

  static void print(App& app, const record::DataCommit& commit, const std::vector<std::string>& names) {
    if (app.json()) {
      Json json = to_json(commit);
      json["refs"] = names;
      app.print_json(json);
      return;
    }
    app.out() << fmt::format("{}{}  {}  {}  {} files, {}{}\n", short_id(commit.id), names.empty() ? "" : fmt::format(" ({})", fmt::join(names, ", ")),
                             when(commit.created_ms), commit.author, human_count(commit.meta.value("files", int64_t{0}), ""),
                             bytes_text(commit.meta.value("bytes", uint64_t{0})), commit.parents.size() > 1 ? "  merge" : "");
    if (!commit.message.empty()) {
      app.out() << "    " << commit.message << '\n';
    }
    if (const auto marks = commit.meta.find("forgotten"); marks != commit.meta.end()) {
      app.out() << fmt::format("    {} times a document was forgotten here\n", marks->size());
    }
  }

  std::string version_;
  int limit_ = 50;
};

// `slipway data branch` and `slipway data tag` differ in a word.
class DataRefCommand final : public Command {
 public:
  explicit DataRefCommand(bool tag) : tag_(tag), word_(tag ? "tag" : "branch") {}
  CommandInfo info() const override {
    return {"data " + word_, fmt::format("name a version of a dataset by a {}, or list them", word_),
            tag_ ? "A tag stays where it is until it is removed." : "A branch moves with 'slipway data commit --branch' and 'slipway data merge'.",
            tag_ ? "slipway data tag reviews@main v1.0\nslipway data tag reviews" : "slipway data branch reviews@3f2a1c experiment\nslipway data branch reviews experiment --delete"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("VERSION", version_, "NAME or NAME@REVISION");
    parameters.positional("NAME", name_, fmt::format("of the {}; none: list", word_), false);
    parameters.flags.add("delete", delete_, "remove the name; the versions stay");
  }
  int run(App& app) override {
    record::DataCommits& commits = app.store().data().commits();
    const std::string dataset = split_version(version_).dataset;
    if (name_.empty()) {
      static_cast<void>(find_commit(app, version_));
      for (const record::DataRef& ref : commits.refs(dataset)) {
        if (ref.tag == tag_) {
          app.json() ? app.print_json({{"name", ref.name}, {"id", ref.id}, {"changed_ms", ref.changed_ms}})
                     : static_cast<void>(app.out() << fmt::format("{}  {}\n", short_id(ref.id), ref.name));
        }
      }
      return 0;
    }
    if (delete_) {
      commits.remove_ref(dataset, name_, tag_);
      return 0;
    }
    const record::DataCommit commit = find_commit(app, version_);
    const auto there = commits.find(commit.dataset, name_);
    if (!tag_ && there && there->id != commit.id) {
      throw Error(Code::kConflict, fmt::format("'{}' has a branch '{}' already, at {}; --delete removes it", commit.dataset, name_, short_id(there->id)));
    }
    commits.set_ref({commit.dataset, name_, tag_, commit.id, 0});
    if (app.json()) {
      app.print_json({{"dataset", commit.dataset}, {"name", name_}, {"id", commit.id}});
    } else {
      app.out() << fmt::format("{}@{} is {}\n", commit.dataset, name_, short_id(commit.id));
    }
    return 0;
  }

 private:
  const bool tag_;
  const std::string word_;
  std::string version_;
  std::string name_;
  bool delete_ = false;
};

class DataCheckoutCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"data checkout", "lay a version of a dataset out in a folder",
            "Files that are there as they should be stay. Other content is not replaced: it is named, and nothing is changed, unless\n"
            "--force, which also removes files that the version does not have. Blocks are shared where the file system can; where it\n"
            "cannot and you may not write to the store's files, the files are links to them, read-only. A checkout that was killed\n"
            "goes on when it is started again.",
            "slipway data checkout reviews@v1.0 --out reviews"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("VERSION", version_, "NAME, NAME@REVISION, an id or a digest");
    parameters.flags.add("out", out_, "folder");
    parameters.flags.add("force", options_.force, "replace what differs and remove what the version does not have");
    parameters.flags.add("verify", options_.verify, "hold every content to its digest");
  }
  int run(App& app) override {
    if (out_.empty()) {
      throw Error(Code::kInvalid, "--out is missing: the folder");
    }
    const NamedVersion version = find_version(app, version_);
    app.progress().start("checkout", 0, "files");
    const record::CheckoutCounts counts = app.store().data().trees().checkout(version.digest, out_, options_);
    app.progress().finish("");
    if (app.json()) {
      app.print_json({{"digest", version.digest}, {"path", out_}, {"files", counts.files}, {"written", counts.written}, {"removed", counts.removed},
                      {"written_bytes", counts.written_bytes}});
    } else {
      app.out() << fmt::format("{}: {}, {} files; {} written, {}{}\n", out_, version.shown(), human_count(counts.files, ""), human_count(counts.written, ""),
                               bytes_text(counts.written_bytes), counts.removed > 0 ? fmt::format("; {} removed", counts.removed) : "");
    }
    return 0;
  }

 private:
  std::string version_;
  std::string out_;
  record::CheckoutOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_data_commit() { return std::make_unique<DataCommitCommand>(); }
std::unique_ptr<Command> make_data_log() { return std::make_unique<DataLogCommand>(); }
std::unique_ptr<Command> make_data_branch() { return std::make_unique<DataRefCommand>(false); }
std::unique_ptr<Command> make_data_tag() { return std::make_unique<DataRefCommand>(true); }
std::unique_ptr<Command> make_data_checkout() { return std::make_unique<DataCheckoutCommand>(); }

}  // namespace slipway::cli
