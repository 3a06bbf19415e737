// Who is asking: what a page needs to log in, to log out, and to know what it may show. docs/guide/security.md.
#include <fmt/format.h>

#include "api/credentials.h"
#include "api/routes.h"
#include "base/secret.h"

namespace slipway::api {
namespace {

struct Login {
  std::string username;
  std::string password;
};

}  // namespace

template <>
struct Table<Login> {
  static constexpr std::array kFields = {field<&Login::username>("username", kRequired),
                                         field<&Login::password>("password", kRequired)};
};

namespace {

Json roles_of(const Caller& caller) {
  Json roles = Json::array();
  for (const record::Grant& grant : caller.grants) {
    roles.push_back({{"project", grant.project}, {"role", record::name_of(grant.role)}});
  }
  return roles;
}

net::Response session_of(bool oidc, const Authority& authority, const net::Request& request) {
  Json answer = {{"accounts", authority.active()}, {"account", nullptr}, {"roles", Json::array()},
                 {"csrf_token", nullptr}, {"oidc", oidc}};
  if (!authority.active()) {
    answer["roles"] = {{{"project", record::name_of_everything()}, {"role", record::name_of(Role::kAdmin)}}};
  } else if (const Caller* caller = caller_of(request); caller != nullptr && !caller->account.empty()) {
    answer["account"] = caller->account;
    answer["roles"] = roles_of(*caller);
    const Credentials shown = credentials_of(request);
    if (shown.kind == Credentials::Kind::kSession) {
      answer["csrf_token"] = Authority::csrf_token(shown.secret);
    }
  }
  net::Response response = net::json_response(answer);
  response.headers.set("Cache-Control", "no-store");
  return response;
}

net::Response login(Authority& authority, record::Store& store, const net::Request& request) {
  const auto asked = parse_request<Login>(request);
  if (!authority.active()) {
    throw ApiError("BAD_REQUEST", "this server asks for no accounts");
  }
  authority.check_password(asked.username, asked.password, request.peer);
  record::AuditEntry entry = audit_entry(request, "login", asked.username);
  entry.actor = asked.username;
  entry.credential = "password";
  const auto change = store.audit().begin(std::move(entry));
  const std::string secret = authority.open_session(asked.username);
  change->end("ok");
  net::Response response =
      net::json_response({{"account", asked.username}, {"csrf_token", Authority::csrf_token(secret)}});
  response.headers.set("Set-Cookie", authority.session_cookie(secret));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

// For browsers: without it the pages could only be used by those who put a token into a header.
net::Response login_page() {
  const std::string nonce = base::random_hex(16);
  net::Response response{200, {{"Content-Type", "text/html; charset=utf-8"}, {"Cache-Control", "no-store"}}, ""};
  response.headers.set("Content-Security-Policy",
                       fmt::format("default-src 'none'; connect-src 'self'; script-src 'nonce-{}'; base-uri 'none'; "
                                   "form-action 'none'; frame-ancestors 'none'",
                                   nonce));
  response.body = fmt::format(R"(<!doctype html>
<html lang=en>
<meta name=viewport content="width=device-width">
<title>Slipway: log in</title>
<h1>Log in</h1>
<form id=f>
<p><label>Account <input name=username autocomplete=username autofocus required></label>
<p><label>Password <input name=password type=password autocomplete=current-password required></label>
<p><button>Log in</button> <span id=m role=alert></span>
</form>
<p><a id=o hidden href="/api/slipway/oidc/login">Log in by your organisation</a>
<script nonce="{}">
fetch("/api/slipway/session").then(r => r.json()).then(s => {{ document.getElementById("o").hidden = !s.oidc; }});
document.getElementById("f").addEventListener("submit", async event => {{
  event.preventDefault();
  const body = JSON.stringify(Object.fromEntries(new FormData(event.target)));
  const answer = await fetch("/api/slipway/login", {{method: "POST", headers: {{"Content-Type": "application/json"}}, body}});
  if (answer.ok) {{ location.replace("/"); return; }}
  document.getElementById("m").textContent = (await answer.json()).message;
}});
</script>
)",
                              nonce);
  return response;
}

net::Response logout(Authority& authority, record::Store& store, const net::Request& request) {
  const Caller* caller = caller_of(request);
  const Credentials shown = credentials_of(request);
  if (caller == nullptr || shown.kind != Credentials::Kind::kSession || caller->account.empty() ||
      !base::equal_in_constant_time(request.headers.get("X-CSRF-Token"), Authority::csrf_token(shown.secret))) {
    throw ApiError("UNAUTHENTICATED", "there is no session to end, or its X-CSRF-Token was not sent");
  }
  const auto change = store.audit().begin(audit_entry(request, "logout", caller->account));
  authority.close_session(*caller);
  change->end("ok");
  net::Response response = net::json_response(Json::object());
  response.headers.set("Set-Cookie", authority.session_cookie(""));
  return response;
}

}  // namespace

void add_session_routes(Routes& routes, bool oidc, Authority& authority, record::Store& store) {
  routes.add_at(
      "GET", "/api/slipway/session",
      [oidc, &authority](const net::Request& request) { return session_of(oidc, authority, request); },
      for_everybody());
  routes.add_at("GET", "/login", [](const net::Request&) { return login_page(); }, for_everybody());
  routes.add_at(
      "POST", "/api/slipway/login", [&](const net::Request& request) { return login(authority, store, request); },
      for_everybody());
  routes.add_at(
      "POST", "/api/slipway/logout", [&](const net::Request& request) { return logout(authority, store, request); },
      for_everybody());
}

}  // namespace slipway::api
