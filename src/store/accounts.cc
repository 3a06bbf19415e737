#include <fmt/format.h>
#include <map>

#include "base/error.h"
#include "store/tables.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::Account;
using record::Grant;
using record::Token;

// Everything that decides about a request has changed: whoever keeps a copy reads it again.
void touch(Database& database) { database.exec("UPDATE access_version SET version = version + 1"); }

void must_exist(const Database& database, const std::string& name) {
  if (database.changes() == 0) {
    throw Error(Code::kNotFound, fmt::format("there is no account '{}'; `slipway users list` tells those there are", name));
  }
}

void put_grant(Database& database, const std::string& name, const Grant& grant) {
  check_name(grant.project, "a project");
  if (grant.role == record::Role::kNone) {
    database.prepare("DELETE FROM grants WHERE account = ? AND project = ?").bind(name, grant.project).run();
    return;
  }
  database
      .prepare("INSERT INTO grants(account, project, role) VALUES(?,?,?) "
               "ON CONFLICT(account, project) DO UPDATE SET role = excluded.role")
      .bind(name, grant.project, std::string(record::name_of(grant.role)))
      .run();
}

bool exists(Database& database, const std::string& name) {
  return database.prepare("SELECT 1 FROM accounts WHERE name = ?").bind(name).step();
}

}  // namespace

std::optional<record::Accounts> SqlAccounts::read(int64_t known) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  record::Accounts all;
  {
    Statement version = database->prepare("SELECT version FROM access_version");

    version.step();
    all.version = version.integer(0);
  }
  if (all.version == known) {
    return std::nullopt;
  }
  std::map<std::string, std::vector<Grant>> grants;
  Statement each_grant = database->prepare("SELECT account, project, role FROM grants ORDER BY account, project");

  while (each_grant.step()) {
    grants[each_grant.text(0)].push_back({each_grant.text(1), record::role_named(each_grant.text(2))});
  }
  Statement each = database->prepare("SELECT name, password, service, created_ms, changed_ms FROM accounts ORDER BY name");

  while (each.step()) {
    const std::string name = each.text(0);
    all.accounts.push_back({name, each.text(1), each.integer(2) != 0, each.integer(3), each.integer(4), grants[name]});
  }
  Statement each_token = database->prepare(
      "SELECT id, digest, account, name, kind, role, project, created_ms, expires_ms, used_ms FROM tokens "
      "ORDER BY created_ms DESC, id");

  while (each_token.step()) {
    all.tokens.push_back({each_token.text(0), each_token.text(1), each_token.text(2), each_token.text(3),
                          record::token_kind_named(each_token.text(4)), record::role_named(each_token.text(5)),
                          each_token.text(6), each_token.integer(7), each_token.integer(8), each_token.integer(9)});
  }
  return all;
}

void SqlAccounts::add(const Account& account) {
  record::check_account_name(account.name);
  core_.write([&](Database& database) {
    if (exists(database, account.name)) {
      throw Error(Code::kConflict,
                  fmt::format("the account '{}' is there already; `slipway users grant` changes what it may", account.name));
    }
    database.prepare("INSERT INTO accounts(name, password, service, created_ms, changed_ms) VALUES(?,?,?,?,?)")
        .bind(account.name, account.password, account.service ? 1 : 0, core_.now(), core_.now())
        .run();
    for (const Grant& grant : account.grants) {
      put_grant(database, account.name, grant);
    }
    touch(database);
  });
}

void SqlAccounts::remove(const std::string& name) {
  core_.write([&](Database& database) {
    database.prepare("DELETE FROM accounts WHERE name = ?").bind(name).run();
    must_exist(database, name);
    database.prepare("DELETE FROM grants WHERE account = ?").bind(name).run();
    database.prepare("DELETE FROM tokens WHERE account = ?").bind(name).run();
    touch(database);
  });
}

void SqlAccounts::set_password(const std::string& name, const std::string& hash) {
  core_.write([&](Database& database) {
    database.prepare("UPDATE accounts SET password = ?, changed_ms = ? WHERE name = ?").bind(hash, core_.now(), name).run();
    must_exist(database, name);
    database.prepare("DELETE FROM tokens WHERE account = ? AND kind = 'session'").bind(name).run();
    touch(database);
  });
}

void SqlAccounts::grant(const std::string& name, const Grant& grant) {
  core_.write([&](Database& database) {
    database.prepare("UPDATE accounts SET changed_ms = ? WHERE name = ?").bind(core_.now(), name).run();
    must_exist(database, name);
    put_grant(database, name, grant);
    touch(database);
  });
}

void SqlAccounts::add_token(const Token& token) {
  check_name(token.project, "a project");
  core_.write([&](Database& database) {
    if (!exists(database, token.account)) {
      throw Error(Code::kNotFound, fmt::format("there is no account '{}'; `slipway users add` makes one", token.account));
    }
    database
        .prepare("INSERT INTO tokens(id, digest, account, name, kind, role, project, created_ms, expires_ms, used_ms) "
                 "VALUES(?,?,?,?,?,?,?,?,?,0)")
        .bind(token.id, token.digest, token.account, token.name, std::string(record::name_of(token.kind)),
              std::string(record::name_of(token.role)), token.project, core_.now(), token.expires_ms)
        .run();
    // Sessions that are over are of no use to anybody.
    database.prepare("DELETE FROM tokens WHERE kind = 'session' AND expires_ms < ?").bind(core_.now()).run();
    touch(database);
  });
}

void SqlAccounts::remove_token(const std::string& id) {
  core_.write([&](Database& database) {
    database.prepare("DELETE FROM tokens WHERE id = ?").bind(id).run();
    if (database.changes() == 0) {
      throw Error(Code::kNotFound, fmt::format("there is no token '{}'; `slipway tokens list` tells those there are", id));
    }
    touch(database);
  });
}

void SqlAccounts::mark_used(const std::vector<std::pair<std::string, int64_t>>& used) {
  core_.writer.write(false, [&](Database& database) {
    for (const auto& [id, time_ms] : used) {
      database.prepare("UPDATE tokens SET used_ms = ? WHERE id = ? AND used_ms < ?").bind(time_ms, id, time_ms).run();
    }
  });
}

}  // namespace slipway::store
