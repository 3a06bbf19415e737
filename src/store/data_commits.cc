// Commits of datasets, their branches and tags.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "store/data_versions.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::DataCommit;
using record::DataRef;
using record::Json;

constexpr std::string_view kSelect = "SELECT id, dataset, digest, parents, message, author, created_ms, meta FROM data_commits";
constexpr size_t kMinPrefix = 4;
constexpr size_t kIdDigits = 64;
constexpr int kMaxBack = 1'000'000;
constexpr int kAllRefs = 1'000'000;

DataCommit read_commit(const Statement& row) {
  DataCommit commit;
  commit.id = row.text(0);
  commit.dataset = row.text(1);
  commit.digest = row.text(2);
  const Json parents = to_value(row.text(3));
  for (const Json& parent : parents) {
    commit.parents.push_back(parent.get<std::string>());
  }
  commit.message = row.text(4);
  commit.author = row.text(5);
  commit.created_ms = row.integer(6);
  commit.meta = to_value(row.text(7));
  return commit;
}

DataRef read_ref(const Statement& row) { return {row.text(0), row.text(1), row.integer(2) != 0, row.text(3), row.integer(4)}; }

std::optional<DataRef> find_ref(Database& database, const std::string& dataset, const std::string& name) {
  Statement query = database.prepare("SELECT dataset, name, tag, id, changed_ms FROM data_refs WHERE dataset = ? AND name = ?");
  return query.bind(dataset, name).step() ? std::optional(read_ref(query)) : std::nullopt;
}

// A name may not look like what else a revision may be, nor break "NAME@REVISION".
void check_ref_name(const std::string& name) {
  check_name(name, "a branch's or tag's name", "@~:^ ");
  const bool hex = name.size() >= kMinPrefix && name.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (hex) {
    throw Error(Code::kInvalid, fmt::format("'{}' cannot be told from an id: a branch's or tag's name has another character than 0-9 and a-f",
                                            name));
  }
}

void put_ref(Database& database, const DataRef& ref) {
  database
      .prepare(
          "INSERT INTO data_refs(dataset, name, tag, id, changed_ms) VALUES(?,?,?,?,?) ON CONFLICT(dataset, name) DO UPDATE SET "
          "id = excluded.id, changed_ms = excluded.changed_ms")
      .bind(ref.dataset, ref.name, ref.tag ? 1 : 0, ref.id, ref.changed_ms)
      .run();
}

std::optional<DataCommit> find_id(Database& database, const std::string& dataset, const std::string& text) {
  if (text.size() < kMinPrefix || text.size() > kIdDigits || text.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return std::nullopt;
  }
  Statement query = database.prepare(fmt::format("{} WHERE id >= ? AND id < ? ORDER BY id LIMIT 20", kSelect));
  query.bind(text, text + 'g');  // the character after the last digit
  std::optional<DataCommit> found;
  while (query.step()) {
    DataCommit commit = read_commit(query);
    if (!dataset.empty() && commit.dataset != dataset) {
      continue;
    }
    if (found) {
      throw Error(Code::kConflict, fmt::format("'{}' is the beginning of several ids: {} of '{}' and {} of '{}'; write more of it", text,
                                               found->id.substr(0, 16), found->dataset, commit.id.substr(0, 16), commit.dataset));
    }
    found = std::move(commit);
  }
  return found;
}

}  // namespace

DataCommit SqlDataCommits::commit(DataCommit commit, const std::string& branch) {
  check_name(commit.dataset, "a dataset's name", "@~:");
  check_ref_name(branch);
  commit.created_ms = core_.now();
  const Json told = {{"dataset", commit.dataset}, {"digest", commit.digest},         {"parents", commit.parents}, {"message", commit.message},
                     {"author", commit.author},   {"created_ms", commit.created_ms}, {"meta", commit.meta}};
  commit.id = base::sha256_hex(base::canonical_json(told));
  core_.write([&](Database& database) {
    const auto head = find_ref(database, commit.dataset, branch);
    if (head && head->tag) {
      throw Error(Code::kConflict, fmt::format("'{}' is a tag of '{}': commit to a branch", branch, commit.dataset));
    }
    const std::string expected = commit.parents.empty() ? "" : commit.parents.front();
    if (head && head->id != expected) {
      throw Error(Code::kConflict, fmt::format("the branch '{}' of '{}' is at {} by now, not at {}; run the same command again", branch,
                                               commit.dataset, head->id.substr(0, 12), expected.empty() ? "its beginning" : expected.substr(0, 12)));
    }
    // The same commit in the same millisecond is one commit.
    database
        .prepare("INSERT OR IGNORE INTO data_commits(id, dataset, digest, parents, message, author, created_ms, meta) VALUES(?,?,?,?,?,?,?,?)")
        .bind(commit.id, commit.dataset, commit.digest, to_text(Json(commit.parents)), commit.message, commit.author, commit.created_ms,
              to_text(commit.meta))
        .run();
    put_ref(database, {commit.dataset, branch, false, commit.id, commit.created_ms});
  });
  return commit;
}

std::optional<DataCommit> SqlDataCommits::find(const std::string& dataset, const std::string& revision) {
  const size_t tilde = revision.find('~');
  const std::string name = revision.substr(0, tilde);
  int back = 0;
  if (tilde != std::string::npos) {
    const char* const end = revision.data() + revision.size();
    const auto parsed = std::from_chars(revision.data() + tilde + 1, end, back);
    if (parsed.ec != std::errc() || parsed.ptr != end || back < 0 || back > kMaxBack) {
      throw Error(Code::kInvalid, fmt::format("'{}': write ~ and how many commits before", revision));
    }
  }
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  std::optional<DataCommit> commit;
  if (const auto ref = dataset.empty() ? std::nullopt : find_ref(*database, dataset, name)) {
    commit = find_row(*database, kSelect, "id", ref->id, read_commit);
  } else {
    commit = find_id(*database, dataset, name);
  }
  for (; commit && back > 0; --back) {
    commit = commit->parents.empty() ? std::nullopt : find_row(*database, kSelect, "id", commit->parents.front(), read_commit);
  }
  return commit;
}

std::vector<DataCommit> SqlDataCommits::list(const std::string& dataset, int limit) {
  return list_rows(*core_.read(), kSelect, {"dataset", dataset}, "ORDER BY number DESC", limit, read_commit);
}

std::vector<DataRef> SqlDataCommits::refs(const std::string& dataset) {
  return list_rows(*core_.read(), "SELECT dataset, name, tag, id, changed_ms FROM data_refs", {"dataset", dataset}, "ORDER BY dataset, name",
                   kAllRefs, read_ref);
}

void SqlDataCommits::set_ref(const DataRef& wanted) {
  check_ref_name(wanted.name);
  DataRef ref = wanted;
  ref.changed_ms = core_.now();
  core_.write([&](Database& database) {
    if (!find_row(database, fmt::format("{}", kSelect), "id", ref.id, read_commit)) {
      throw Error(Code::kNotFound, fmt::format("there is no commit {}", ref.id));
    }
    const auto there = find_ref(database, ref.dataset, ref.name);
    if (there && (there->tag != ref.tag || (ref.tag && there->id != ref.id))) {
      throw Error(Code::kConflict, fmt::format("'{}' has a {} '{}' already, at {}; remove it first", ref.dataset, there->tag ? "tag" : "branch",
                                               ref.name, there->id.substr(0, 12)));
    }
    put_ref(database, ref);
  });
}

void SqlDataCommits::remove_ref(const std::string& dataset, const std::string& name, bool tag) {
  core_.write([&](Database& database) {
    database.prepare("DELETE FROM data_refs WHERE dataset = ? AND name = ? AND tag = ?").bind(dataset, name, tag ? 1 : 0).run();
    if (database.changes() == 0) {
      throw Error(Code::kNotFound, fmt::format("'{}' has no {} '{}'", dataset, tag ? "tag" : "branch", name));
    }
  });
}

int64_t SqlDataCommits::rewrite(const std::string& old, const std::string& digest, const Json& mark) {
  int64_t changed = 0;
  core_.write([&](Database& database) {
    changed = 0;
    std::vector<DataCommit> commits;
    {
      Statement query = database.prepare(fmt::format("{} WHERE digest = ?", kSelect));
      query.bind(old);
      while (query.step()) {
        commits.push_back(read_commit(query));
      }
    }
    for (DataCommit& commit : commits) {
      Json& marks = commit.meta["forgotten"];
      if (!marks.is_array()) {
        marks = Json::array();
      }
      marks.push_back(mark);
      database.prepare("UPDATE data_commits SET digest = ?, meta = ? WHERE id = ?").bind(digest, to_text(commit.meta), commit.id).run();
      ++changed;
    }
    database.prepare("DELETE FROM artifacts WHERE digest = ?").bind(old).run();
    // A step's result that is no longer there would be found, and not read.
    database.prepare("DELETE FROM steps WHERE outputs LIKE ?").bind("%" + old + "%").run();
    database.prepare("INSERT OR IGNORE INTO edges(source, target, kind) VALUES(?, ?, 'rewritten')")
        .bind("artifact:" + old, "artifact:" + digest)
        .run();
  });
  return changed;
}

}  // namespace slipway::store
