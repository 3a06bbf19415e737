#include <fmt/format.h>

#include "base/error.h"
#include "store/hub.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::HubMissing;
using record::HubRepo;

constexpr std::string_view kSelect = "SELECT number, type, name, hidden, card, created_ms, updated_ms FROM hub_repos";

HubRepo read_repo(const Statement& row) {
  return {row.integer(0), row.text(1), row.text(2), row.integer(3) != 0, to_value(row.text(4)), row.integer(5),
          row.integer(6)};
}

std::optional<HubRepo> find_repo(Database& database, const std::string& type, const std::string& name) {
  Statement query = database.prepare(fmt::format("{} WHERE type = ? AND name = ?", kSelect));
  if (!query.bind(type, name).step()) {
    return std::nullopt;
  }
  return read_repo(query);
}

void check_free(Database& database, const std::string& type, const std::string& name) {
  if (find_repo(database, type, name)) {
    throw Error(Code::kConflict, fmt::format("there is a {} repository '{}' already", type, name));
  }
}

// A pattern of GLOB that is `text` itself.
std::string literal(std::string_view text) {
  std::string pattern;
  for (const char c : text) {
    pattern += c == '*' || c == '?' || c == '[' ? fmt::format("[{}]", c) : std::string(1, c);
  }
  return pattern;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

}  // namespace

void put_hub_tags(Database& database, int64_t repo, const record::Json& card) {
  database.prepare("DELETE FROM hub_tags WHERE repo = ?").bind(repo).run();
  const auto tags = card.is_object() ? card.find("tags") : card.end();
  if (!card.is_object() || tags == card.end()) {
    return;
  }
  for (const record::Json& tag : *tags) {
    if (tag.is_string()) {
      database.prepare("INSERT OR IGNORE INTO hub_tags(repo, tag) VALUES(?, ?)").bind(repo, tag.get<std::string>()).run();
    }
  }
}

HubRepo SqlHubRepos::create(const HubRepo& repo) {
  check_name(repo.name, "a repository's name");
  HubRepo made = repo;
  made.created_ms = made.updated_ms = core_.now();
  core_.write([&](Database& database) {
    check_free(database, made.type, made.name);
    database
        .prepare("INSERT INTO hub_repos(type, name, hidden, card, created_ms, updated_ms) VALUES(?,?,?,?,?,?)")
        .bind(made.type, made.name, made.hidden ? 1 : 0, to_text(made.card), made.created_ms, made.updated_ms)
        .run();
    made.number = database.last_insert_id();
    database.prepare("INSERT INTO hub_lines(repo, base, base_depth) VALUES(?, 0, 0)").bind(made.number).run();
    const int64_t line = database.last_insert_id();
    const std::string title = "initial commit";
    database
        .prepare("INSERT INTO hub_commits(line, depth, repo, id, title, message, created_ms) VALUES(?, 1, ?, ?, ?, '', ?)")
        .bind(line, made.number, hub_commit_id(made.number, line, 1, "", title, made.created_ms), title,
              made.created_ms)
        .run();
    database.prepare("INSERT INTO hub_refs(repo, name, tag, line, depth, message) VALUES(?, ?, 0, ?, 1, '')")
        .bind(made.number, record::kMainBranch, line)
        .run();
  });
  return made;
}

std::optional<HubRepo> SqlHubRepos::find(const std::string& type, const std::string& name) {
  return find_repo(*core_.read(), type, name);
}

void SqlHubRepos::change(int64_t repo, const record::HubRepoChange& change) {
  if (change.name) {
    check_name(*change.name, "a repository's name");
  }
  const int64_t now = core_.now();
  core_.write([&](Database& database) {
    Statement query = database.prepare(fmt::format("{} WHERE number = ?", kSelect));
    if (!query.bind(repo).step()) {
      throw HubMissing(HubMissing::What::kRepo, "the repository is gone");
    }
    HubRepo row = read_repo(query);
    if (change.name && *change.name != row.name) {
      check_free(database, row.type, *change.name);
      row.name = *change.name;
    }
    database.prepare("UPDATE hub_repos SET name = ?, hidden = ?, updated_ms = ? WHERE number = ?")
        .bind(row.name, change.hidden.value_or(row.hidden) ? 1 : 0, now, repo)
        .run();
  });
}

void SqlHubRepos::remove(int64_t repo) {
  core_.write([&](Database& database) {
    database.prepare("DELETE FROM hub_files WHERE line IN (SELECT number FROM hub_lines WHERE repo = ?)")
        .bind(repo)
        .run();
    for (const char* table : {"hub_commits", "hub_lines", "hub_refs", "hub_tags"}) {
      database.prepare(fmt::format("DELETE FROM {} WHERE repo = ?", table)).bind(repo).run();
    }
    database.prepare("DELETE FROM hub_repos WHERE number = ?").bind(repo).run();
  });
}

record::Page<HubRepo> SqlHubRepos::search(const record::HubSearch& search) {
  const int64_t limit = sql_limit(search.limit);
  std::string sql = fmt::format("{} WHERE type = ?", kSelect);
  std::vector<Value> values = {search.type};
  if (!search.author.empty()) {
    sql += " AND name GLOB ?";
    values.emplace_back(literal(search.author) + "/*");
  }
  if (!search.text.empty()) {
    sql += " AND lower(name) GLOB ?";
    values.emplace_back("*" + literal(lower(search.text)) + "*");
  }
  for (const std::string& tag : search.tags) {
    sql += " AND EXISTS(SELECT 1 FROM hub_tags WHERE repo = number AND tag = ?)";
    values.emplace_back(tag);
  }
  sql += search.by_update ? " ORDER BY updated_ms DESC, name" : " ORDER BY name";
  sql += " LIMIT ? OFFSET ?";
  values.emplace_back(limit + 1);
  values.emplace_back(search.offset);
  const auto database = core_.read();
  Statement query = database->prepare_once(sql);
  query.bind_all(values);
  record::Page<HubRepo> page;
  while (query.step()) {
    if (static_cast<int64_t>(page.items.size()) == limit) {
      page.more = true;
      break;
    }
    page.items.push_back(read_repo(query));
  }
  return page;
}

}  // namespace slipway::store
