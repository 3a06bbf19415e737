// Who sent a request, once that is known: an account and what its credential lets it do. Immutable; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"
#include "record/accounts.h"

namespace slipway::api {

using record::Role;

class Caller final : public net::Identity {
 public:
  Caller() = default;  // nobody: has no role anywhere
  Caller(std::string account_in, std::string credential_in, std::vector<record::Grant> grants_in)
      : account(std::move(account_in)), credential(std::move(credential_in)), grants(std::move(grants_in)) {}

  const std::string account;     // "" for nobody
  const std::string credential;  // a token's id, or "password"
  const std::vector<record::Grant> grants{};

  Role role_for(std::string_view name) const noexcept;  // in the projects that cover a record of that name
  Role everywhere() const noexcept;                     // in "*"
  Role best() const noexcept;                           // the highest anywhere
};

// What is left of an account's grants under a token that is held to a role and a project.
std::vector<record::Grant> narrowed(const std::vector<record::Grant>& grants, Role role, std::string_view project);

// Null on a server that asks for no accounts: then everybody may everything.
const Caller* caller_of(const net::Request& request) noexcept;
// May the caller read a record of that name?
bool may_see(const net::Request& request, std::string_view name) noexcept;

}  // namespace slipway::api
