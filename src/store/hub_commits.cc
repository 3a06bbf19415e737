#include <fmt/format.h>
#include <memory>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/path.h"
#include "record/tracking_stores.h"
#include "store/hub.h"
#include "store/hub_tree.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::HubCommit;
using record::HubCommitText;
using record::HubMissing;
using record::HubRef;

HubPlace place_of(Database& database, int64_t repo, const std::string& revision) {
  const auto place = find_hub_place(database, repo, revision);
  if (!place) {
    throw HubMissing(HubMissing::What::kRevision, fmt::format("there is no revision '{}'", revision));
  }
  return *place;
}

// A file as a draft has it.
struct Wanted {
  std::string digest;
  uint64_t size = 0;
  std::string oid;
  bool lfs = false;
};

class Draft final : public record::HubDraft {
 public:
  Draft(Core& core, int64_t repo) : core_(core), repo_(repo), lock_(new PutLock(core.putting())) {}

  void put(const std::string& path, std::string_view bytes) override {
    base::check_entry_path(path);
    const Blob blob = core_.blobs.put_bytes(bytes);
    steps_.push_back({Kind::kPut, path, {blob.digest, blob.size, base::git_blob_id(bytes), false}});
  }
  void put_lfs(const std::string& path, const std::string& digest, std::optional<uint64_t> size) override {
    base::check_entry_path(path);
    const auto there = core_.blobs.contains(digest) ? hub_blob_size(*core_.read(), digest) : std::nullopt;
    if (!there) {
      throw Error(Code::kInvalid, fmt::format("'{}': the content {} was not uploaded", path, digest));
    }
    if (size && *size != *there) {
      throw Error(Code::kInvalid, fmt::format("'{}' has {} bytes, not {}", path, *there, *size));
    }
    steps_.push_back({Kind::kPut, path, {digest, *there, base::git_blob_id(record::lfs_pointer(digest, *there)), true}});
  }
  void remove(const std::string& path) override { steps_.push_back({Kind::kRemove, path, {}}); }
  void remove_folder(const std::string& path) override {
    steps_.push_back({Kind::kRemoveFolder, path.ends_with('/') ? path.substr(0, path.size() - 1) : path, {}});
  }
  HubCommit commit(const std::string& branch, const HubCommitText& text) override;

 private:
  enum class Kind { kPut, kRemove, kRemoveFolder };
  struct Step {
    Kind kind;
    std::string path;
    Wanted file;
  };
  // path -> the file there now; nullopt: none.
  using Changes = std::map<std::string, std::optional<Wanted>>;
  Changes changes(Database& database, const std::vector<HubPlace>& chain) const;
  static void check_places(Database& database, const std::vector<HubPlace>& chain, const Changes& changes);

  Core& core_;
  const int64_t repo_;
  std::unique_ptr<PutLock> lock_;  // until it is committed
  std::vector<Step> steps_;
};

Draft::Changes Draft::changes(Database& database, const std::vector<HubPlace>& chain) const {
  Changes changes;
  const auto missing = [](const std::string& path) {
    return HubMissing(HubMissing::What::kEntry, fmt::format("there is no '{}' to delete", path));
  };
  for (const Step& step : steps_) {
    if (step.kind == Kind::kPut) {
      changes[step.path] = step.file;
      continue;
    }
    bool found = false;
    if (step.kind == Kind::kRemove) {
      const auto known = changes.find(step.path);
      found = known != changes.end() ? known->second.has_value() : find_hub_row(database, chain, step.path).has_value();
      changes[step.path] = std::nullopt;
    } else {
      const HubRange range(step.path);
      for (auto it = changes.lower_bound(range.begin); it != changes.end() && it->first < range.end; ++it) {
        found = found || it->second.has_value();
        it->second = std::nullopt;
      }
      HubWalk walk(database, chain, range.begin, range.end);
      while (const HubRow* row = walk.next()) {
        found = true;
        changes[row->path] = std::nullopt;
      }
    }
    if (!found) {
      throw missing(step.path);
    }
  }
  return changes;
}

// A path is a file or a folder, never both.
void Draft::check_places(Database& database, const std::vector<HubPlace>& chain, const Changes& changes) {
  const auto is_file = [&](const std::string& path) {
    const auto known = changes.find(path);
    return known != changes.end() ? known->second.has_value() : find_hub_row(database, chain, path).has_value();
  };
  std::set<std::string> good;
  for (const auto& [path, file] : changes) {
    if (!file) {
      continue;
    }
    for (size_t slash = path.rfind('/'); slash != std::string::npos && slash > 0; slash = path.rfind('/', slash - 1)) {
      const std::string folder = path.substr(0, slash);
      if (!good.insert(folder).second) {
        break;
      }
      if (is_file(folder)) {
        throw Error(Code::kInvalid, fmt::format("'{}' is a file, so there can be nothing below it", folder));
      }
    }
    HubWalk walk(database, chain, HubRange(path).begin, HubRange(path).end);
    while (const HubRow* row = walk.next()) {
      const auto known = changes.find(row->path);
      if (known == changes.end() || known->second) {
        throw Error(Code::kInvalid, fmt::format("'{}' is a folder", path));
      }
    }
  }
}

HubCommit Draft::commit(const std::string& branch, const HubCommitText& text) {
  HubCommit made{"", text.title, text.message, core_.now()};
  core_.write([&](Database& database) {
    Statement ref = database.prepare("SELECT line, depth, tag FROM hub_refs WHERE repo = ? AND name = ?");
    if (!ref.bind(repo_, branch).step() || ref.integer(2) != 0) {
      throw HubMissing(HubMissing::What::kRevision, fmt::format("there is no branch '{}'", branch));
    }
    const HubPlace head = {ref.integer(0), ref.integer(1)};
    const std::string parent = hub_commit_at(database, head).id;
    if (!text.parent.empty() && text.parent != parent) {
      throw record::HubStale(fmt::format("a commit happened since: '{}' is at {}, not at {}; read it and try again",
                                         branch, parent, text.parent));
    }
    const std::vector<HubPlace> chain = hub_chain(database, head);
    const Changes all = changes(database, chain);
    check_places(database, chain, all);
    HubPlace next = {head.line, head.depth + 1};
    Statement taken = database.prepare("SELECT 1 FROM hub_commits WHERE line = ? AND depth = ?");
    if (taken.bind(next.line, next.depth).step()) {  // the line went on without this branch
      database.prepare("INSERT INTO hub_lines(repo, base, base_depth) VALUES(?,?,?)")
          .bind(repo_, head.line, head.depth)
          .run();
      next = {database.last_insert_id(), 1};
    }
    Statement file = database.prepare(
        "INSERT INTO hub_files(line, path, depth, digest, size, oid, lfs) VALUES(?,?,?,?,?,?,?)");
    std::string told = text.title + '\n' + text.message;
    for (const auto& [path, wanted] : all) {
      const Wanted row = wanted.value_or(Wanted());
      file.bind(next.line, path, next.depth, wanted ? std::optional(row.digest) : std::nullopt, row.size, row.oid,
                row.lfs ? 1 : 0)
          .run();
      told += '\n' + path + '\n' + row.digest;
    }
    made.id = hub_commit_id(repo_, next.line, next.depth, parent, told, made.created_ms);
    database
        .prepare("INSERT INTO hub_commits(line, depth, repo, id, title, message, created_ms) VALUES(?,?,?,?,?,?,?)")
        .bind(next.line, next.depth, repo_, made.id, made.title, made.message, made.created_ms)
        .run();
    database.prepare("UPDATE hub_refs SET line = ?, depth = ? WHERE repo = ? AND name = ?")
        .bind(next.line, next.depth, repo_, branch)
        .run();
    database.prepare("UPDATE hub_repos SET updated_ms = ? WHERE number = ?").bind(made.created_ms, repo_).run();
    if (text.card && branch == record::kMainBranch) {
      database.prepare("UPDATE hub_repos SET card = ? WHERE number = ?").bind(to_text(*text.card), repo_).run();
      put_hub_tags(database, repo_, *text.card);
    }
  });
  lock_.reset();
  return made;
}

}  // namespace

std::string hub_commit_id(int64_t repo, int64_t line, int64_t depth, std::string_view parent, std::string_view text,
                          int64_t created_ms) {
  return base::sha256_hex(fmt::format("{} {} {} {} {}\n{}", repo, line, depth, parent, created_ms, text)).substr(0, 40);
}

std::optional<HubCommit> SqlHubRevisions::find(int64_t repo, const std::string& revision) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  const auto place = find_hub_place(*database, repo, revision);
  if (!place) {
    return std::nullopt;
  }
  return hub_commit_at(*database, *place);
}

std::unique_ptr<record::HubDraft> SqlHubRevisions::begin_commit(int64_t repo) {
  return std::make_unique<Draft>(core_, repo);
}

record::Page<HubCommit> SqlHubRevisions::history(int64_t repo, const std::string& commit, int64_t offset, int limit) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  record::Page<HubCommit> page;
  Statement query = database->prepare(
      "SELECT id, title, message, created_ms FROM hub_commits WHERE line = ? AND depth <= ? ORDER BY depth DESC");
  for (const HubPlace& place : hub_chain(*database, place_of(*database, repo, commit))) {
    query.bind(place.line, place.depth);
    while (query.step()) {
      if (offset-- > 0) {
        continue;
      }
      if (static_cast<int>(page.items.size()) == limit) {
        page.more = true;
        return page;
      }
      page.items.push_back(read_hub_commit(query));
    }
  }
  return page;
}

std::vector<HubRef> SqlHubRevisions::refs(int64_t repo) {
  const auto database = core_.read();
  Statement query = database->prepare(
      "SELECT r.name, r.tag, c.id, r.message FROM hub_refs r JOIN hub_commits c ON c.line = r.line AND "
      "c.depth = r.depth WHERE r.repo = ? ORDER BY r.name");
  query.bind(repo);
  std::vector<HubRef> refs;
  while (query.step()) {
    refs.push_back({query.text(0), query.integer(1) != 0, query.text(2), query.text(3)});
  }
  return refs;
}

void SqlHubRevisions::add_ref(int64_t repo, const HubRef& ref) {
  check_name(ref.name, "a branch's or tag's name");
  core_.write([&](Database& database) {
    const HubPlace place = place_of(database, repo, ref.commit);
    Statement taken = database.prepare("SELECT tag FROM hub_refs WHERE repo = ? AND name = ?");
    if (taken.bind(repo, ref.name).step()) {
      throw Error(Code::kConflict, fmt::format("there is a {} '{}' already",
                                               taken.integer(0) != 0 ? "tag" : "branch", ref.name));
    }
    database.prepare("INSERT INTO hub_refs(repo, name, tag, line, depth, message) VALUES(?,?,?,?,?,?)")
        .bind(repo, ref.name, ref.tag ? 1 : 0, place.line, place.depth, ref.message)
        .run();
  });
}

void SqlHubRevisions::remove_ref(int64_t repo, const std::string& name, bool tag) {
  core_.write([&](Database& database) {
    database.prepare("DELETE FROM hub_refs WHERE repo = ? AND name = ? AND tag = ?").bind(repo, name, tag ? 1 : 0).run();
    if (database.changes() == 0) {
      throw HubMissing(HubMissing::What::kRevision, fmt::format("there is no {} '{}'", tag ? "tag" : "branch", name));
    }
  });
}

}  // namespace slipway::store
