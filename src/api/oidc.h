// Logging in by an OpenID Connect issuer (OpenID Connect Core 1.0: authorisation code, with PKCE of RFC 7636): where the
// browser is sent, and what is made of the code it comes back with. Calls the issuer, which blocks: on workers. Any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fields.h"
#include "base/json.h"
#include "record/accounts.h"

namespace slipway::api {

struct OidcOptions {
  std::string issuer;         // "https://id.example/realm"; empty: nobody logs in this way
  std::string client_id;
  std::string client_secret;  // SLIPWAY_OIDC_CLIENT_SECRET; "" for a public client
  std::string public_url;     // of this server: "https://record.example"; the issuer sends browsers back there
  std::string name_claim = "preferred_username";  // the account's name
  std::string roles_claim = "groups";             // a text or a list of them
  std::vector<std::string> roles;                 // "GROUP=ROLE:PROJECT": what a value of it may
  std::string ca_file;                            // PEM authorities of the issuer; empty: the system's
  void describe(base::FieldTable& table);
};

// Of the roles that the values of a claim stand for, the highest for each project.
std::vector<record::Grant> grants_of(const base::Json& claims, const OidcOptions& options);

class Oidc {
 public:
  // Throws Error(kInvalid) for options that do not fit together. Does not call the issuer yet.
  Oidc(OidcOptions options, const base::Clock& clock);
  ~Oidc();
  Oidc(const Oidc&) = delete;
  Oidc& operator=(const Oidc&) = delete;

  struct Begun {
    std::string url;    // where the browser is to go
    std::string state;  // to be kept in a cookie of that browser
  };
  // Throws Error(kUnavailable) when the issuer does not answer or too many logins are under way.
  Begun begin();

  struct Person {
    std::string name;                   // a name that an account may have
    std::string identity;               // issuer and subject: who it is for ever
    std::vector<record::Grant> grants;  // not empty
  };
  // `state` as it came back, `cookie` as it was kept. A code is good once. Throws Error(kNotAllowed) saying what does not
  // fit, kUnavailable.
  Person finish(const std::string& code, const std::string& state, std::string_view cookie);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::api
