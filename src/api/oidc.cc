#include "api/oidc.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <mutex>
#include <unordered_map>

#include "api/jwt.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/secret.h"
#include "net/client.h"

namespace slipway::api {
namespace {

using base::Code;
using base::Error;

constexpr size_t kMaxLogins = 1000;           // under way at a time
constexpr int64_t kLoginMs = 10 * 60'000;     // to type a password there
constexpr int64_t kKeysMs = 60 * 60'000;      // for which an issuer's keys are believed
constexpr int64_t kKeysAgainMs = 10'000;      // not more often for an unknown key
constexpr size_t kSecretBytes = 32;
constexpr size_t kMaxAnswer = size_t{1} << 20;
constexpr size_t kMaxValues = 1000;  // of the claim of roles
constexpr std::chrono::milliseconds kPatience{10'000};

// "https://host:1/path?x" as what connects and what is asked for.
struct Address {
  std::string origin;
  std::string target;
};

bool is_this_machine(std::string_view host) {
  return host == "127.0.0.1" || host == "localhost" || host == "[::1]";
}

// What the issuer names is https, or of this machine.
Address address_of(const std::string& url) {
  const size_t scheme = url.find("://");
  const size_t path = scheme == std::string::npos ? scheme : url.find('/', scheme + 3);
  Address address{url.substr(0, path), path == std::string::npos ? "/" : url.substr(path)};
  const std::string authority = scheme == std::string::npos ? "" : address.origin.substr(scheme + 3);
  const std::string host = authority.substr(0, authority.starts_with("[") ? authority.find(']') + 1 : authority.find(':'));
  if (host.empty() || authority.find('@') != std::string::npos ||
      !(url.starts_with("https://") || (url.starts_with("http://") && is_this_machine(host)))) {
    throw Error(Code::kInvalid, fmt::format("'{}' cannot be an address of an OpenID Connect issuer: it needs https://", url));
  }
  return address;
}

std::string text_at(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string sha256_bytes(std::string_view text) {
  const std::string hex = base::sha256_hex(text);
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

std::string form_of(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string form;
  for (const auto& [name, value] : fields) {
    form += (form.empty() ? "" : "&") + name + "=" + net::percent_encode(value);
  }
  return form;
}

struct RoleRule {
  std::string value;
  record::Grant grant;
};

RoleRule role_rule(const std::string& text) {
  const size_t equals = text.rfind('=');
  const size_t colon = equals == std::string::npos ? equals : text.find(':', equals);
  if (colon == std::string::npos || equals == 0 || colon + 1 == text.size()) {
    throw Error(Code::kInvalid, fmt::format("--oidc-roles: '{}' is not GROUP=ROLE:PROJECT, such as 'ml-team=editor:*'", text));
  }
  return {text.substr(0, equals),
          {text.substr(colon + 1), record::role_named(text.substr(equals + 1, colon - equals - 1))}};
}

[[noreturn]] void refuse(const std::string& why) {
  throw Error(Code::kNotAllowed, "the login did not succeed: " + why);
}

}  // namespace

void OidcOptions::describe(base::FieldTable& table) {
  table.add("oidc_issuer", issuer, "OpenID Connect issuer that people log in by, as https://…");
  table.add("oidc_client_id", client_id, "name of this server at the issuer");
  table.add("oidc_name_claim", name_claim, "claim with the account's name");
  table.add("oidc_roles_claim", roles_claim, "claim with groups or roles");
  table.add("oidc_roles", roles, "GROUP=ROLE:PROJECT,…: what a value of that claim may");
  table.add("oidc_ca", ca_file, "PEM file of the authorities of the issuer; default: the system's");
  table.add("public_url", public_url, "address of this server for browsers, to which the issuer sends them back");
}

std::vector<record::Grant> grants_of(const Json& claims, const OidcOptions& options) {
  std::vector<std::string> values;
  if (const auto found = claims.find(options.roles_claim); found != claims.end()) {
    if (found->is_string()) {
      values.push_back(found->get<std::string>());
    } else if (found->is_array() && found->size() <= kMaxValues) {
      for (const Json& value : *found) {
        if (value.is_string()) {
          values.push_back(value.get<std::string>());
        }
      }
    }
  }
  std::map<std::string, record::Role> highest;
  for (const std::string& text : options.roles) {
    const RoleRule rule = role_rule(text);
    if (std::find(values.begin(), values.end(), rule.value) != values.end()) {
      record::Role& role = highest[rule.grant.project];
      role = std::max(role, rule.grant.role);
    }
  }
  std::vector<record::Grant> grants;
  for (const auto& [project, role] : highest) {
    grants.push_back({project, role});
  }
  return grants;
}

struct Oidc::Impl {
  struct Login {
    std::string verifier;
    std::string nonce;
    int64_t expires_ms = 0;
  };
  struct Issuer {
    std::string authorization;
    std::string token;
    std::string keys;
  };

  Impl(OidcOptions options_in, const base::Clock& clock_in) : options(std::move(options_in)), clock(clock_in) {}

  net::Response call(const std::string& method, const std::string& url, const std::string& body = {},
                     const net::Headers& headers = {}) const;
  Json call_json(const std::string& method, const std::string& url, const std::string& body = {},
                 const net::Headers& headers = {}) const;
  Issuer issuer();
  bool verified(const Jwt& token);
  std::string redirect_uri() const { return options.public_url + "/api/slipway/oidc/callback"; }

  const OidcOptions options;
  const base::Clock& clock;
  std::mutex mutex;  // guards what follows
  std::unordered_map<std::string, Login> logins;  // by state
  std::optional<Issuer> known;
  std::shared_ptr<const KeySet> keys;
  int64_t keys_ms = 0;
};

net::Response Oidc::Impl::call(const std::string& method, const std::string& url, const std::string& body,
                               const net::Headers& headers) const {
  const Address address = address_of(url);
  net::ClientOptions client;
  client.ca_file = options.ca_file;
  client.timeout = kPatience;
  client.max_body_bytes = kMaxAnswer;
  return net::HttpClient(address.origin, client).request(method, address.target, body, headers);
}

Json Oidc::Impl::call_json(const std::string& method, const std::string& url, const std::string& body,
                           const net::Headers& headers) const {
  const net::Response response = call(method, url, body, headers);
  if (response.status != 200) {
    throw Error(Code::kUnavailable, fmt::format("the issuer answered {} with status {}", url, response.status));
  }
  Json json = base::parse_json(response.body, url);
  if (!json.is_object()) {
    throw Error(Code::kUnavailable, fmt::format("the issuer answered {} with no JSON object", url));
  }
  return json;
}

// What it says of itself (OpenID Connect Discovery 1.0), asked once.
Oidc::Impl::Issuer Oidc::Impl::issuer() {
  {
    const std::lock_guard lock(mutex);
    if (known) {
      return *known;
    }
  }
  const Json document = call_json("GET", options.issuer + "/.well-known/openid-configuration");
  if (text_at(document, "issuer") != options.issuer) {
    throw Error(Code::kUnavailable, fmt::format("the issuer calls itself '{}', not '{}': give --oidc-issuer as it says",
                                                text_at(document, "issuer"), options.issuer));
  }
  Issuer found{text_at(document, "authorization_endpoint"), text_at(document, "token_endpoint"),
               text_at(document, "jwks_uri")};
  for (const std::string* url : {&found.authorization, &found.token, &found.keys}) {
    address_of(*url);
  }
  const std::lock_guard lock(mutex);
  known = found;
  return found;
}

// Keys are read again each hour, and for a token that none of them signed: an issuer changes them.
bool Oidc::Impl::verified(const Jwt& token) {
  const std::string url = issuer().keys;
  const auto read = [&] {
    auto fresh = std::make_shared<const KeySet>(call_json("GET", url));
    const std::lock_guard lock(mutex);
    keys = fresh;
    keys_ms = clock.unix_ms();
    return fresh;
  };
  std::shared_ptr<const KeySet> now;
  int64_t age = 0;
  {
    const std::lock_guard lock(mutex);
    now = keys;
    age = clock.unix_ms() - keys_ms;
  }
  const bool fresh = now == nullptr || age > kKeysMs;
  if (fresh) {
    now = read();
  }
  return now->verify(token) || (!fresh && age > kKeysAgainMs && read()->verify(token));
}

Oidc::Oidc(OidcOptions options, const base::Clock& clock) {
  address_of(options.issuer);
  if (options.client_id.empty() || options.public_url.empty() || options.roles.empty()) {
    throw Error(Code::kInvalid, "--oidc-issuer needs --oidc-client-id, --public-url and --oidc-roles");
  }
  for (const std::string& text : options.roles) {
    role_rule(text);
  }
  while (options.public_url.ends_with('/')) {
    options.public_url.pop_back();
  }
  address_of(options.public_url);
  impl_ = std::make_unique<Impl>(std::move(options), clock);
}

Oidc::~Oidc() = default;

Oidc::Begun Oidc::begin() {
  const Impl::Issuer issuer = impl_->issuer();
  const std::string state = base::random_hex(kSecretBytes);
  Impl::Login login{base::random_hex(kSecretBytes), base::random_hex(kSecretBytes), impl_->clock.unix_ms() + kLoginMs};
  const std::string query = form_of({{"response_type", "code"},
                                     {"client_id", impl_->options.client_id},
                                     {"redirect_uri", impl_->redirect_uri()},
                                     {"scope", "openid profile email"},
                                     {"state", state},
                                     {"nonce", login.nonce},
                                     {"code_challenge", encode_base64url(sha256_bytes(login.verifier))},
                                     {"code_challenge_method", "S256"}});
  const std::lock_guard lock(impl_->mutex);
  std::erase_if(impl_->logins, [now = impl_->clock.unix_ms()](const auto& entry) { return entry.second.expires_ms < now; });
  if (impl_->logins.size() >= kMaxLogins) {
    throw Error(Code::kUnavailable, "too many logins are under way; try again in a minute");
  }
  impl_->logins.emplace(state, std::move(login));
  const char* joint = issuer.authorization.find('?') == std::string::npos ? "?" : "&";
  return {issuer.authorization + joint + query, state};
}

Oidc::Person Oidc::finish(const std::string& code, const std::string& state, std::string_view cookie) {
  Impl::Login login;
  {
    const std::lock_guard lock(impl_->mutex);
    const auto found = impl_->logins.find(state);
    if (state.empty() || !base::equal_in_constant_time(state, cookie) || found == impl_->logins.end() ||
        found->second.expires_ms < impl_->clock.unix_ms()) {
      refuse("it was not begun in this browser, or ended already; begin again");
    }
    login = found->second;
    impl_->logins.erase(found);  // good once
  }
  const OidcOptions& options = impl_->options;
  std::vector<std::pair<std::string, std::string>> form = {{"grant_type", "authorization_code"},
                                                           {"code", code},
                                                           {"redirect_uri", impl_->redirect_uri()},
                                                           {"client_id", options.client_id},
                                                           {"code_verifier", login.verifier}};
  if (!options.client_secret.empty()) {
    form.emplace_back("client_secret", options.client_secret);
  }
  const net::Response answer = impl_->call("POST", impl_->issuer().token, form_of(form),
                                           {{"Content-Type", "application/x-www-form-urlencoded"}});
  if (answer.status != 200) {
    refuse(fmt::format("the issuer did not take the code (status {})", answer.status));
  }
  const auto token = parse_jwt(text_at(base::parse_json(answer.body, "the issuer's answer"), "id_token"));
  if (!token || !impl_->verified(*token)) {
    refuse("the issuer's ID token is not signed by its keys");
  }
  const std::string problem = claims_problem(
      token->claims, {options.issuer, options.client_id, login.nonce, impl_->clock.unix_ms() / 1000});
  if (!problem.empty()) {
    refuse("the issuer's ID token does not fit: " + problem);
  }
  Person person;
  person.name = text_at(token->claims, options.name_claim.c_str());
  std::transform(person.name.begin(), person.name.end(), person.name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  try {
    record::check_account_name(person.name);
  } catch (const Error& error) {
    refuse(fmt::format("the claim '{}': {}", options.name_claim, error.what()));
  }
  person.identity = fmt::format("oidc:{} {}", options.issuer, text_at(token->claims, "sub"));
  person.grants = grants_of(token->claims, options);
  if (person.grants.empty()) {
    refuse(fmt::format("nothing in the claim '{}' stands for a role here; ask an admin", options.roles_claim));
  }
  return person;
}

}  // namespace slipway::api
