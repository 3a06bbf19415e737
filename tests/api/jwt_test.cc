// Tokens of an issuer: what is read, and that nothing but its own keys signs for it.
#include "api/jwt.h"

#include <fmt/format.h>

#include "api/test_issuer.h"
#include "base/error.h"
#include "support/support.h"

namespace slipway::api {
namespace {

const Json kClaims = {{"iss", "https://id.example"}, {"aud", "record"}, {"sub", "42"}, {"nonce", "n"},
                      {"iat", 1'000'000},            {"exp", 1'000'300}};
const ExpectedClaims kExpected{"https://id.example", "record", "n", 1'000'100};

Json jwks(const std::vector<const TestKey*>& keys) {
  Json document = {{"keys", Json::array()}};
  for (const TestKey* key : keys) {
    document["keys"].push_back(key->jwk());
  }
  return document;
}

TEST(Base64Url, GoesThereAndBack) {
  for (size_t size = 0; size < 300; ++size) {
    std::string bytes;
    for (size_t i = 0; i < size; ++i) {
      bytes += static_cast<char>(i * 37 + size);
    }
    const std::string text = encode_base64url(bytes);
    EXPECT_EQ(text.find_first_of("+/="), std::string::npos);
    EXPECT_EQ(decode_base64url(text), bytes);
  }
  EXPECT_EQ(encode_base64url("\xFB\xFF"), "-_8");
  for (const char* bad : {"a", "a+b=", "ab/d", "a b", "\xFF\xFF"}) {
    EXPECT_FALSE(decode_base64url(bad)) << bad;
  }
}

TEST(Jwt, IsVerifiedByTheKeyThatSignedIt) {
  const TestKey rsa = TestKey::rsa("r1");
  const TestKey other_rsa = TestKey::rsa("r1");
  const TestKey ec = TestKey::ec("e1");
  const KeySet keys(jwks({&rsa, &ec}));
  EXPECT_EQ(keys.size(), 2U);
  for (const TestKey* key : {&rsa, &ec}) {
    const std::string token = key->sign(kClaims);
    const auto parsed = parse_jwt(token);
    ASSERT_TRUE(parsed);
    EXPECT_TRUE(keys.verify(*parsed));
    EXPECT_EQ(claims_problem(parsed->claims, kExpected), "");
    EXPECT_FALSE(KeySet(jwks({&other_rsa})).verify(*parsed));
    EXPECT_FALSE(KeySet(jwks({})).verify(*parsed));
  }
}

// Every byte of a token, altered: none is let through.
TEST(Jwt, AlteredOnesAreRefused) {
  const TestKey ec = TestKey::ec("e1");
  const KeySet keys(jwks({&ec}));
  const std::string token = ec.sign(kClaims);
  int parsed_ones = 0;
  for (size_t i = 0; i < token.size(); ++i) {
    for (const char c : {'A', 'z', '.', '!'}) {
      std::string altered = token;
      if (altered[i] == c) {
        continue;
      }
      altered[i] = c;
      const auto parsed = parse_jwt(altered);
      parsed_ones += parsed ? 1 : 0;
      // The last digit of a part may hold bits that are not of its bytes: the same token in other letters.
      const auto same = parse_jwt(token);
      EXPECT_TRUE(!parsed || !keys.verify(*parsed) ||
                  (parsed->signed_text == same->signed_text && parsed->signature == same->signature))
          << i << " " << c;
    }
  }
  EXPECT_GT(parsed_ones, 50);
}

TEST(Jwt, NoTokenChoosesHowItIsChecked) {
  const TestKey rsa = TestKey::rsa("r1");
  const TestKey ec = TestKey::ec("e1");
  const KeySet keys(jwks({&rsa, &ec}));
  const auto refused = [&](const std::string& token) {
    const auto parsed = parse_jwt(token);
    return !parsed || !keys.verify(*parsed);
  };
  const std::string claims = encode_base64url(kClaims.dump());
  for (const char* header :
       {R"({"alg":"none"})", R"({"alg":"None","kid":"r1"})", R"({"kid":"r1"})", R"({"alg":"HS256","kid":"r1"})"}) {
    EXPECT_TRUE(refused(encode_base64url(header) + "." + claims + ".")) << header;
    EXPECT_TRUE(refused(encode_base64url(header) + "." + claims + "." + encode_base64url("x"))) << header;
  }
  EXPECT_TRUE(refused(rsa.sign(kClaims, {{"kid", "e1"}})));    // the name of another kind of key
  EXPECT_TRUE(refused(rsa.sign(kClaims, {{"kid", "none"}})));  // of no key
  EXPECT_TRUE(refused(rsa.sign(kClaims, {{"alg", "ES256"}})));
  EXPECT_TRUE(refused(rsa.sign(kClaims, {{"alg", "PS256"}})));
  EXPECT_TRUE(refused(rsa.sign(kClaims, {{"crit", {"x"}}})));
  EXPECT_FALSE(refused(rsa.sign(kClaims, {{"typ", "JWT"}})));
  for (const std::string& text : {std::string(), std::string("."), std::string(".."), std::string("a.b"), std::string("a.b.c.d"),
                                  "W10." + claims + ".x", std::string(20'000, 'a'), std::string("e30.W10.e30")}) {
    EXPECT_FALSE(parse_jwt(text)) << text.substr(0, 50);
  }
}

TEST(Jwt, ClaimsAreHeldToWhatWasAskedFor) {
  struct Case {
    Json change;
    const char* problem;
  };
  const std::vector<Case> cases = {
      {{{"iss", "https://id.example/"}}, "it is of another issuer"},
      {{{"aud", "other"}}, "it is for another client"},
      {{{"aud", {"other"}}}, "it is for another client"},
      {{{"aud", {{"record", 1}}}}, "it is for another client"},
      {{{"aud", {"record", "other"}}}, "it was made for another client"},
      {{{"azp", "other"}}, "it was made for another client"},
      {{{"exp", 1'000'000}}, "it has expired"},
      {{{"exp", "never"}}, "it has expired"},
      {{{"iat", 1'000'200}}, "it is of the future"},
      {{{"iat", nullptr}}, "it is of the future"},
      {{{"nbf", 1'000'200}}, "it is of the future"},
      {{{"nonce", "m"}}, "it answers another login"},
      {{{"nonce", nullptr}}, "it answers another login"},
      {{{"sub", ""}}, "it names nobody"},
      {{{"aud", {"record"}}}, ""},
      {{{"aud", {"record", "other"}}, {"azp", "record"}}, ""},
      {{{"iat", 1'000'150}, {"exp", 1'000'050}}, ""},  // clocks differ by a minute
  };
  for (const Case& c : cases) {
    Json claims = kClaims;
    claims.update(c.change);
    EXPECT_EQ(claims_problem(claims, kExpected), c.problem) << c.change.dump();
  }
  ExpectedClaims no_nonce = kExpected;
  no_nonce.nonce = "";
  Json claims = kClaims;
  claims["nonce"] = "";
  EXPECT_EQ(claims_problem(claims, no_nonce), "it answers another login");
}

TEST(KeySet, LeavesOutWhatItDoesNotKnow) {
  const TestKey rsa = TestKey::rsa("r1");
  Json short_key = rsa.jwk();
  short_key["n"] = encode_base64url(std::string(128, '\x7F'));  // 1024 bits
  Json encryption = rsa.jwk();
  encryption["use"] = "enc";
  Json other = rsa.jwk();
  other["alg"] = "RS512";
  Json off_curve = TestKey::ec("e").jwk();
  off_curve["y"] = off_curve["x"];
  const Json document = {{"keys", {short_key, encryption, other, off_curve, {{"kty", "oct"}, {"k", "AAAA"}}, "text", nullptr,
                                   {{"kty", "EC"}, {"crv", "P-521"}}}}};
  EXPECT_EQ(KeySet(document).size(), 0U);
  for (const Json& none : {Json(), Json::array(), Json::object(), Json{{"keys", 1}}}) {
    EXPECT_THROW(KeySet{none}, base::Error) << none.dump();
  }
}

}  // namespace
}  // namespace slipway::api
