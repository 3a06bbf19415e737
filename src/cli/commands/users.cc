// slipway users add | list | remove | passwd | grant: the accounts of a record.
#include <algorithm>
#include <fmt/format.h>
#include <ostream>

#include "base/error.h"
#include "base/secret.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/local_change.h"
#include "cli/table.h"

namespace slipway::cli {
namespace {

using record::Grant;
using record::Role;

std::string grants_text(const std::vector<Grant>& grants) {
  std::string text;
  for (const Grant& grant : grants) {
    text += fmt::format("{}{} of {}", text.empty() ? "" : ", ", record::name_of(grant.role), grant.project);
  }
  return text.empty() ? "-" : text;
}

base::Json to_json(const record::Account& account) {
  base::Json grants = base::Json::array();
  for (const Grant& grant : account.grants) {
    grants.push_back({{"project", grant.project}, {"role", record::name_of(grant.role)}});
  }
  return {{"name", account.name},
          {"service", account.service},
          {"password", account.password.starts_with("$")},
          {"grants", grants},
          {"created_ms", account.created_ms}};
}

class AddCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"users add", "make an account of the record",
            "Its password is asked for, or read from standard input; a service has none and uses tokens. Once there is an\n"
            "account, `slipway server` asks for one. Roles: viewer, editor, approver, admin; a project is an experiment,\n"
            "model or repository of that name and all whose names go on with '/' or '.'; '*' is all.",
            "slipway users add ann --admin\n"
            "slipway users add bob --role editor --project sentiment < password.txt\n"
            "slipway users add ci --service --role editor"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("NAME", name_, "a-z 0-9 . _ - @");
    parameters.flags.add("admin", admin_, "admin of everything");
    parameters.flags.add("role", role_, "what it may", {"viewer", "editor", "approver", "admin"});
    parameters.flags.add("project", project_, "where");
    parameters.flags.add("service", service_, "a program: no password");
  }
  int run(App& app) override {
    record::Account account;
    account.name = name_;
    account.service = service_;
    record::check_account_name(name_);
    if (!service_) {
      account.password = base::hash_password(new_password(app, name_));
    }
    account.grants = {admin_ ? Grant{std::string(record::name_of_everything()), Role::kAdmin}
                             : Grant{project_, record::role_named(role_)}};
    record::Store& store = app.store({}, true);
    change_locally(store, "users add", name_ + ": " + grants_text(account.grants), [&] { store.accounts().add(account); });
    if (app.json()) {
      app.print_json(to_json(account));
    } else {
      app.out() << fmt::format("account '{}': {}\n", name_, grants_text(account.grants));
    }
    return 0;
  }

 private:
  std::string name_;
  std::string role_ = "viewer";
  std::string project_ = "*";
  bool admin_ = false;
  bool service_ = false;
};

class ListCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"users list", "the accounts of the record and what they may", "", "slipway users list"};
  }
  void describe(Parameters&) override {}
  int run(App& app) override {
    Table table({"NAME", "ROLES", "MADE", "LOGS IN BY"});
    const auto all = app.store().accounts().read(-1);
    for (const record::Account& account : all->accounts) {
      if (app.json()) {
        app.print_json(to_json(account));
      } else {
        table.row({account.name, grants_text(account.grants), when(account.created_ms),
                   account.service ? "token (a service)" : account.password.starts_with("$") ? "password, token" : "OpenID Connect, token"});
      }
    }
    if (!app.json()) {
      table.print(app.out(), app.color_out());
    }
    return 0;
  }
};

class RemoveCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"users remove", "remove an account, its tokens and its roles", "A running server knows within a second.",
            "slipway users remove bob"};
  }
  void describe(Parameters& parameters) override { parameters.positional("NAME", name_, "the account"); }
  int run(App& app) override {
    record::Store& store = app.store();
    change_locally(store, "users remove", name_, [&] { store.accounts().remove(name_); });
    app.out() << fmt::format("account '{}' removed\n", name_);
    return 0;
  }

 private:
  std::string name_;
};

class PasswdCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"users passwd", "another password for an account",
            "It is asked for, or read from standard input. Sessions of the pages end; tokens stay.",
            "slipway users passwd ann"};
  }
  void describe(Parameters& parameters) override { parameters.positional("NAME", name_, "the account"); }
  int run(App& app) override {
    record::Store& store = app.store();
    const std::string hash = base::hash_password(new_password(app, name_));
    change_locally(store, "users passwd", name_, [&] { store.accounts().set_password(name_, hash); });
    app.out() << fmt::format("password of '{}' changed\n", name_);
    return 0;
  }

 private:
  std::string name_;
};

class GrantCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"users grant", "give an account a role in a project, or take it away",
            "One role for each project; the highest that covers a record counts.",
            "slipway users grant bob approver --project sentiment\nslipway users grant bob none --project sentiment"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("NAME", name_, "the account");
    parameters.positional("ROLE", role_, "viewer, editor, approver, admin, or none");
    parameters.flags.add("project", project_, "where; '*' is everywhere");
  }
  int run(App& app) override {
    record::Store& store = app.store();
    const Role role = role_ == record::name_of(Role::kNone) ? Role::kNone : record::role_named(role_);
    const std::string what = fmt::format("{} of {}", role_, project_);
    change_locally(store, "users grant", name_ + ": " + what, [&] { store.accounts().grant(name_, {project_, role}); });
    app.out() << fmt::format("account '{}': {}\n", name_, what);
    return 0;
  }

 private:
  std::string name_;
  std::string role_;
  std::string project_ = "*";
};

}  // namespace

std::unique_ptr<Command> make_users_add() { return std::make_unique<AddCommand>(); }
std::unique_ptr<Command> make_users_list() { return std::make_unique<ListCommand>(); }
std::unique_ptr<Command> make_users_remove() { return std::make_unique<RemoveCommand>(); }
std::unique_ptr<Command> make_users_passwd() { return std::make_unique<PasswdCommand>(); }
std::unique_ptr<Command> make_users_grant() { return std::make_unique<GrantCommand>(); }

}  // namespace slipway::cli
