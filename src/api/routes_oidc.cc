// The two addresses of a login by an OpenID Connect issuer: where it begins, and where the browser comes back to.
#include <algorithm>
#include <fmt/format.h>

#include "api/credentials.h"
#include "api/oidc.h"
#include "api/routes.h"

namespace slipway::api {
namespace {

constexpr const char* kStateCookie = "slipway_oidc";

// Lax: the browser comes back from another site.
std::string state_cookie(const std::string& state) {
  return fmt::format("{}={}; Path=/api/slipway/oidc; HttpOnly; SameSite=Lax; Max-Age={}", kStateCookie, state,
                     state.empty() ? 0 : 600);
}

Oidc& configured(Oidc* oidc) {
  if (oidc == nullptr) {
    throw base::Error(base::Code::kNotFound, "this server has no OpenID Connect issuer (--oidc-issuer)");
  }
  return *oidc;
}

// Makes the account at the first login; what it may is what the issuer says now.
void admit_person(record::AccountStore& accounts, const Oidc::Person& person) {
  const auto all = accounts.read(-1);
  for (const record::Account& account : all->accounts) {
    if (account.name != person.name) {
      continue;
    }
    if (account.password != person.identity) {
      throw base::Error(base::Code::kNotAllowed,
                        fmt::format("the account '{}' is somebody else's: it was not made by this issuer for this person",
                                    person.name));
    }
    for (const record::Grant& grant : account.grants) {
      const bool stays = std::any_of(person.grants.begin(), person.grants.end(),
                                     [&](const record::Grant& now) { return now.project == grant.project; });
      if (!stays) {
        accounts.grant(person.name, {grant.project, Role::kNone});
      }
    }
    for (const record::Grant& grant : person.grants) {
      if (std::find(account.grants.begin(), account.grants.end(), grant) == account.grants.end()) {
        accounts.grant(person.name, grant);
      }
    }
    return;
  }
  accounts.add({person.name, person.identity, false, 0, 0, person.grants});
}

net::Response come_back(Oidc& oidc, Authority& authority, record::Store& store, const net::Request& request) {
  if (const std::string_view error = request.query_value("error"); !error.empty()) {
    throw base::Error(base::Code::kNotAllowed,
                      fmt::format("the issuer refused: {}", python_repr(error.substr(0, 200))));
  }
  const Oidc::Person person =
      oidc.finish(std::string(request.query_value("code")), std::string(request.query_value("state")),
                  cookie_value(request.headers.get("Cookie"), kStateCookie));
  record::AuditEntry entry = audit_entry(request, "login", person.name);
  entry.actor = person.name;
  entry.credential = "oidc";
  const auto change = store.audit().begin(std::move(entry));
  std::string secret;
  try {
    admit_person(store.accounts(), person);
    secret = authority.open_session(person.name);
  } catch (const std::exception& error) {
    change->end(error_word(error));
    throw;
  }
  change->end("ok");
  // Not a redirect: a browser that comes from another site would not send the new cookie along with it.
  net::Response response{200,
                         {{"Content-Type", "text/html; charset=utf-8"}, {"Cache-Control", "no-store"}},
                         "<!doctype html>\n<html lang=en>\n<title>Slipway</title>\n"
                         "<meta http-equiv=refresh content=\"0;url=/\">\n<p>You are logged in. <a href=\"/\">Go on</a></p>\n"};
  response.headers.add("Set-Cookie", authority.session_cookie(secret));
  response.headers.add("Set-Cookie", state_cookie(""));
  return response;
}

}  // namespace

void add_oidc_routes(Routes& routes, Oidc* oidc, Authority& authority, record::Store& store) {
  routes.add_at(
      "GET", "/api/slipway/oidc/login",
      [oidc](const net::Request&) {
        const Oidc::Begun begun = configured(oidc).begin();
        return net::Response{302,
                             {{"Location", begun.url}, {"Set-Cookie", state_cookie(begun.state)}, {"Cache-Control", "no-store"}},
                             ""};
      },
      for_everybody());
  routes.add_at(
      "GET", "/api/slipway/oidc/callback",
      [oidc, &authority, &store](const net::Request& request) {
        return come_back(configured(oidc), authority, store, request);
      },
      for_everybody());
}

}  // namespace slipway::api
