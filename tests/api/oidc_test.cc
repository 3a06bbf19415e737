// Logging in by an issuer, which a server of this test plays.
#include "api/oidc.h"

#include <map>

#include "api/secured.h"
#include "api/test_issuer.h"

namespace slipway::api {
namespace {

using Fields = std::map<std::string, std::string>;

Fields fields_of(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  EXPECT_TRUE(net::parse_query(text, pairs)) << text;
  return {pairs.begin(), pairs.end()};
}

// Gives out codes, and an ID token for a code to whoever shows the verifier of the challenge that it was asked with.
class Issuer {
 public:
  Issuer() {
    net::Router router;
    router.add("GET", "/realm/.well-known/openid-configuration", [this](const net::Request&, const net::Responder& responder) {
      responder.send(net::json_response({{"issuer", url()},
                                         {"authorization_endpoint", url() + "/authorize?realm=1"},
                                         {"token_endpoint", url() + "/token"},
                                         {"jwks_uri", url() + "/keys"}}));
    });
    router.add("GET", "/realm/keys", [this](const net::Request&, const net::Responder& responder) {
      ++key_reads;
      responder.send(net::json_response({{"keys", {published.jwk()}}}));
    });
    router.add("POST", "/realm/token", [this](const net::Request& request, const net::Responder& responder) {
      responder.send(token(fields_of(request.body)));
    });
    server_ = std::make_unique<net::HttpServer>(net::ServerOptions(), std::move(router), log_);
    server_->start();
  }
  std::string url() const { return server_->url() + "/realm"; }
  // As the person whose browser was sent to `address` agrees: the query to come back with.
  std::string agree(const std::string& address) {
    EXPECT_TRUE(address.starts_with(url() + "/authorize?realm=1&")) << address;
    asked = fields_of(address.substr(address.find('?') + 1));
    EXPECT_EQ(asked["response_type"], "code");
    EXPECT_EQ(asked["code_challenge_method"], "S256");
    EXPECT_EQ(asked["client_id"], "record");
    open_code = "code-" + asked["state"].substr(0, 8);
    return "?code=" + open_code + "&state=" + asked["state"];
  }

  TestKey published = TestKey::ec("k1");
  const TestKey* signing = &published;
  Json twist = Json::object();  // claims that differ from good ones
  Fields asked;
  std::string open_code;
  std::atomic<int> key_reads{0};

 private:
  net::Response token(Fields form) {
    std::string challenge;
    const std::string hex = base::sha256_hex(form["code_verifier"]);
    for (size_t i = 0; i < hex.size(); i += 2) {
      challenge += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    if (form["grant_type"] != "authorization_code" || form["code"].empty() || form["code"] != open_code ||
        form["redirect_uri"] != asked["redirect_uri"] || form["client_secret"] != "the secret" ||
        encode_base64url(challenge) != asked["code_challenge"]) {
      return net::json_response({{"error", "invalid_grant"}}, 400);
    }
    open_code.clear();
    const int64_t now = base::SystemClock().unix_ms() / 1000;
    Json claims = {{"iss", url()},
                   {"aud", "record"},
                   {"sub", "42"},
                   {"nonce", asked["nonce"]},
                   {"iat", now},
                   {"exp", now + 300},
                   {"preferred_username", "Kim"},
                   {"groups", {"ml-team", "readers"}}};
    claims.update(twist);
    return net::json_response({{"access_token", "x"}, {"token_type", "Bearer"}, {"id_token", signing->sign(claims)}});
  }

  base::Log log_;
  std::unique_ptr<net::HttpServer> server_;
};

class OidcTest : public SecuredTest {
 protected:
  OidcTest() { serve_with({"ml-team=editor:sentiment", "readers=viewer:*", "bosses=admin:*"}); }
  void serve_with(const std::vector<std::string>& roles) {
    TrackingServerOptions options;
    options.oidc.issuer = issuer_.url();
    options.oidc.client_id = "record";
    options.oidc.client_secret = "the secret";
    options.oidc.public_url = "http://127.0.0.1:5000/";
    options.oidc.roles = roles;
    serve(options);
  }
  struct Start {
    std::string url;
    std::string cookie;
  };
  Start begin() {
    const Answer answer = ask("GET", "/api/slipway/oidc/login");
    EXPECT_EQ(answer.status, 302) << answer.text;
    const std::string set(answer.headers.get("Set-Cookie"));
    EXPECT_NE(set.find("HttpOnly; SameSite=Lax"), std::string::npos) << set;
    return {std::string(answer.headers.get("Location")), set.substr(0, set.find(';'))};
  }
  Answer come_back(const std::string& query, const std::string& cookie) {
    return ask("GET", "/api/slipway/oidc/callback" + query, "", {{"Cookie", cookie}});
  }
  Answer login() {
    const Start start = begin();
    return come_back(issuer_.agree(start.url), start.cookie);
  }
  std::string session_of(const Answer& answer) {
    EXPECT_EQ(answer.status, 200) << answer.text;
    const std::string set(answer.headers.get("Set-Cookie"));
    return set.substr(0, set.find(';'));
  }
  Json who(const std::string& cookie) { return good(ask("GET", "/api/slipway/session", "", {{"Cookie", cookie}})); }

  Issuer issuer_;
};

TEST_F(OidcTest, LogsInWhoTheIssuerKnows) {
  const std::string cookie = session_of(login());
  EXPECT_EQ(issuer_.asked["redirect_uri"], "http://127.0.0.1:5000/api/slipway/oidc/callback");
  const Json kim = who(cookie);
  EXPECT_EQ(kim["account"], "kim");
  EXPECT_EQ(kim["roles"], Json::parse(R"([{"project":"*","role":"viewer"},{"project":"sentiment","role":"editor"}])"));
  EXPECT_EQ(store_->audit().newest(1).at(0).credential, "oidc");
  // What the issuer says now is what counts.
  issuer_.twist = {{"groups", "bosses"}};
  EXPECT_EQ(who(session_of(login()))["roles"], Json::parse(R"([{"project":"*","role":"admin"}])"));
  EXPECT_EQ(who(cookie)["roles"], Json::parse(R"([{"project":"*","role":"admin"}])"));
  issuer_.twist = {{"groups", {"nobody of note"}}};
  EXPECT_EQ(login().status, 403);
  // No password opens the account.
  EXPECT_EQ(ask("POST", "/api/slipway/login", R"({"username": "kim", "password": "42"})").status, 401);
}

TEST_F(OidcTest, RefusesTokensThatAreNotForThisLogin) {
  const TestKey forged = TestKey::ec("k1");
  const std::vector<Json> twists = {{{"iss", "https://evil.example"}}, {{"aud", "other"}},     {{"nonce", "other"}},
                                    {{"exp", 1}},                      {{"sub", ""}},          {{"preferred_username", "../x"}},
                                    {{"preferred_username", nullptr}}, {{"preferred_username", ""}}};
  for (const Json& twist : twists) {
    issuer_.twist = twist;
    const Answer answer = login();
    EXPECT_EQ(answer.status, 403) << twist.dump() << answer.text;
    EXPECT_FALSE(answer.headers.has("Set-Cookie"));
  }
  issuer_.twist = Json::object();
  issuer_.signing = &forged;
  EXPECT_EQ(login().status, 403);
  issuer_.signing = &issuer_.published;
  session_of(login());
}

TEST_F(OidcTest, ACodeIsForTheBrowserThatBegan) {
  const Start start = begin();
  const std::string query = issuer_.agree(start.url);
  EXPECT_EQ(come_back(query, "").status, 403);  // another browser: a login that somebody else began
  EXPECT_EQ(come_back(query, "slipway_oidc=" + std::string(64, '0')).status, 403);
  EXPECT_EQ(come_back("?code=x&state=", "slipway_oidc=").status, 403);
  EXPECT_EQ(come_back("?error=access_denied", start.cookie).status, 403);
  session_of(come_back(query, start.cookie));
  EXPECT_EQ(come_back(query, start.cookie).status, 403);  // good once
  const Start other = begin();
  issuer_.agree(other.url);
  EXPECT_EQ(come_back("?code=guessed&state=" + issuer_.asked["state"], other.cookie).status, 403);
}

TEST_F(OidcTest, TakesOverNobodysAccount) {
  add("kim", {{"*", Role::kAdmin}});
  EXPECT_EQ(login().status, 403);
  issuer_.twist = {{"preferred_username", "lee"}};
  session_of(login());
  issuer_.twist = {{"preferred_username", "lee"}, {"sub", "43"}};  // another person who calls himself lee
  EXPECT_EQ(login().status, 403);
}

TEST_F(OidcTest, WithoutAnIssuerThereIsNoDoor) {
  serve({});
  EXPECT_EQ(ask("GET", "/api/slipway/oidc/login").status, 404);
  EXPECT_EQ(ask("GET", "/api/slipway/oidc/callback?code=x&state=y").status, 404);
  EXPECT_EQ(good(ask("GET", "/api/slipway/session"))["oidc"], false);
}

TEST(OidcOptions, SayWhatDoesNotFit) {
  const base::SystemClock clock;
  OidcOptions good;
  good.issuer = "https://id.example";
  good.client_id = "record";
  good.public_url = "https://record.example";
  good.roles = {"a=b=editor:team:x"};
  EXPECT_NO_THROW(Oidc(good, clock));
  EXPECT_EQ(grants_of({{"groups", "a=b"}}, good), (std::vector<record::Grant>{{"team:x", Role::kEditor}}));
  const std::vector<std::function<void(OidcOptions&)>> breaks = {
      [](OidcOptions& o) { o.issuer = "http://id.example"; }, [](OidcOptions& o) { o.issuer = "id.example"; },
      [](OidcOptions& o) { o.issuer = "https://user@id.example"; }, [](OidcOptions& o) { o.client_id = ""; },
      [](OidcOptions& o) { o.public_url = ""; }, [](OidcOptions& o) { o.public_url = "http://record.example"; },
      [](OidcOptions& o) { o.roles = {}; }, [](OidcOptions& o) { o.roles = {"a=boss:*"}; },
      [](OidcOptions& o) { o.roles = {"a"}; }, [](OidcOptions& o) { o.roles = {"=editor:*"}; }, [](OidcOptions& o) { o.roles = {"a=editor:"}; }};
  for (size_t i = 0; i < breaks.size(); ++i) {
    OidcOptions bad = good;
    breaks[i](bad);
    EXPECT_THROW(Oidc(bad, clock), base::Error) << i;
  }
}

}  // namespace
}  // namespace slipway::api
