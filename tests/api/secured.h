// A tracking server with accounts: each role everywhere, and "ann", who is admin of the project "mine" alone.
#pragma once

#include <map>

#include "api/fixture.h"
#include "record/accounts.h"

namespace slipway::api {

class SecuredTest : public ServerTest {
 protected:
  SecuredTest() {
    server_.reset();
    for (const char* role : {"viewer", "editor", "approver", "admin"}) {
      add(role, {{"*", record::role_named(role)}});
    }
    add("ann", {{"mine", Role::kAdmin}});
    serve({});
  }
  void add(const std::string& name, std::vector<record::Grant> grants, const std::string& password = {}) {
    store_->accounts().add({name, password, password.empty(), 0, 0, std::move(grants)});
    tokens_[name] = token(name);
  }
  std::string token(const std::string& account, Role role = Role::kAdmin, const std::string& project = "*",
                    int64_t expires_ms = 0) {
    record::NewToken made = record::make_token();
    made.token.account = account;
    made.token.role = role;
    made.token.project = project;
    made.token.expires_ms = expires_ms;
    store_->accounts().add_token(made.token);
    return made.secret;
  }
  void serve(const TrackingServerOptions& options) {
    server_.reset();
    server_ = std::make_unique<TrackingServer>(options, *store_, context_);
    server_->start();
  }
  // As `who`, an account; "" nobody.
  Answer as(const std::string& who, const std::string& method, const std::string& path, const std::string& body = {},
            net::Headers headers = {}) {
    if (!who.empty()) {
      headers.set("Authorization", "Bearer " + tokens_.at(who));
    }
    return ask(method, path, body, std::move(headers));
  }
  Answer post_as(const std::string& who, const std::string& path, const Json& body) {
    return as(who, "POST", "/api/2.0/mlflow/" + path, body.dump());
  }
  std::string experiment(const std::string& name, const std::string& who = "admin") {
    return good(post_as(who, "experiments/create", {{"name", name}}))["experiment_id"].get<std::string>();
  }
  std::string run_in(const std::string& experiment_id, const std::string& who = "admin") {
    const Json made = good(post_as(who, "runs/create", {{"experiment_id", experiment_id}, {"start_time", 1}}));
    return made["run"]["info"]["run_id"].get<std::string>();
  }

  std::map<std::string, std::string> tokens_;
};

}  // namespace slipway::api
