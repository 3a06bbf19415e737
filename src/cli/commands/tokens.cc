// slipway tokens create | list | revoke: secrets that stand for an account.
#include <algorithm>
#include <fmt/format.h>
#include <ostream>

#include "base/clock.h"
#include "base/error.h"
#include "cli/app.h"
#include "cli/commands/factories.h"
#include "cli/local_change.h"
#include "cli/table.h"

namespace slipway::cli {
namespace {

constexpr int64_t kMsPerDay = 86'400'000;

base::Json to_json(const record::Token& token) {
  return {{"id", token.id},
          {"account", token.account},
          {"name", token.name},
          {"kind", record::name_of(token.kind)},
          {"role", record::name_of(token.role)},
          {"project", token.project},
          {"created_ms", token.created_ms},
          {"expires_ms", token.expires_ms},
          {"used_ms", token.used_ms}};
}

class CreateCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"tokens create", "make a token of an account; it is shown once",
            "It may what its account may, within --role and --project. The record keeps its digest only.",
            "export MLFLOW_TRACKING_TOKEN=$(slipway tokens create ci --role editor --days 30)"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("ACCOUNT", account_, "whose; `slipway users add` makes one");
    parameters.flags.add("name", name_, "what it is for");
    parameters.flags.add("role", role_, "it may no more than this", {"viewer", "editor", "approver", "admin"});
    parameters.flags.add("project", project_, "and only there");
    parameters.flags.add("days", days_, "it is good for so long; 0: until it is revoked", {0, 3650});
  }
  int run(App& app) override {
    record::Store& store = app.store();
    const auto all = store.accounts().read(-1);
    const auto owner = std::find_if(all->accounts.begin(), all->accounts.end(),
                                    [&](const record::Account& account) { return account.name == account_; });
    record::NewToken made = record::make_token();
    made.token.account = account_;
    made.token.name = name_;
    made.token.kind = owner != all->accounts.end() && owner->service ? record::TokenKind::kService
                                                                     : record::TokenKind::kPersonal;
    made.token.role = record::role_named(role_);
    made.token.project = project_;
    made.token.expires_ms = days_ == 0 ? 0 : base::SystemClock().unix_ms() + days_ * kMsPerDay;
    change_locally(store, "tokens create", made.token.id + " of " + account_, [&] { store.accounts().add_token(made.token); });
    if (app.json()) {
      base::Json json = to_json(made.token);
      json["token"] = made.secret;
      app.print_json(json);
    } else {
      app.out() << made.secret << '\n';
      if (!app.options().quiet) {
        app.err() << "this is shown once; keep it as a password\n";
      }
    }
    return 0;
  }

 private:
  std::string account_;
  std::string name_;
  std::string role_ = "admin";
  std::string project_ = "*";
  int64_t days_ = 90;
};

class ListCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"tokens list", "the tokens of the record, newest first", "Sessions of the pages are tokens too.",
            "slipway tokens list --account ci"};
  }
  void describe(Parameters& parameters) override { parameters.flags.add("account", account_, "only of this one"); }
  int run(App& app) override {
    Table table({"ID", "ACCOUNT", "NAME", "KIND", "MAY", "MADE", "EXPIRES", "USED"});
    const auto all = app.store().accounts().read(-1);
    for (const record::Token& token : all->tokens) {
      if (!account_.empty() && token.account != account_) {
        continue;
      }
      if (app.json()) {
        app.print_json(to_json(token));
        continue;
      }
      table.row({token.id, token.account, token.name, std::string(record::name_of(token.kind)),
                 fmt::format("{} of {}", record::name_of(token.role), token.project), when(token.created_ms),
                 token.expires_ms == 0 ? "never" : base::iso8601(token.expires_ms),
                 token.used_ms == 0 ? "never" : when(token.used_ms)});
    }
    if (!app.json()) {
      table.print(app.out(), app.color_out());
    }
    return 0;
  }

 private:
  std::string account_;
};

class RevokeCommand final : public Command {
 public:
  CommandInfo info() const override {
    return {"tokens revoke", "end a token", "A running server knows within a second.", "slipway tokens revoke slw_1a2b3c4d"};
  }
  void describe(Parameters& parameters) override {
    parameters.positional("ID", id_, "its beginning, as `slipway tokens list` tells it");
  }
  int run(App& app) override {
    record::Store& store = app.store();
    if (record::is_token(id_)) {
      id_ = id_.substr(0, id_.rfind('_'));  // somebody pasted the whole
    }
    change_locally(store, "tokens revoke", id_, [&] { store.accounts().remove_token(id_); });
    app.out() << fmt::format("token '{}' revoked\n", id_);
    return 0;
  }

 private:
  std::string id_;
};

}  // namespace

std::unique_ptr<Command> make_tokens_create() { return std::make_unique<CreateCommand>(); }
std::unique_ptr<Command> make_tokens_list() { return std::make_unique<ListCommand>(); }
std::unique_ptr<Command> make_tokens_revoke() { return std::make_unique<RevokeCommand>(); }

}  // namespace slipway::cli
