// JSON Web Tokens as an OpenID Connect issuer signs them (RFC 7519, RFC 7515): read, and held to the issuer's keys (RFC 7517).
// RS256 and ES256 alone: no token chooses how it is checked. For bytes of strangers. Pure; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace slipway::api {

using base::Json;

struct Jwt {
  Json header;
  Json claims;
  std::string signed_text;  // what the signature is of
  std::string signature;    // raw bytes
};
// Three parts of base64url, of which two are JSON objects; 16 KiB at most. Nothing is checked yet.
std::optional<Jwt> parse_jwt(std::string_view token);

// base64url without padding (RFC 4648, 5).
std::string encode_base64url(std::string_view bytes);
std::optional<std::string> decode_base64url(std::string_view text);

// The public keys of an issuer. Keys of kinds that are not understood are left out.
class KeySet {
 public:
  // The JWKS document; throws Error(kInvalid) when it has no "keys".
  explicit KeySet(const Json& document);
  ~KeySet();
  KeySet(KeySet&&) noexcept;
  KeySet& operator=(KeySet&&) noexcept;
  size_t size() const noexcept;
  // By a key of the token's `kid` (or any, when it has none) and of its algorithm.
  bool verify(const Jwt& token) const;

 private:
  struct Key;
  std::vector<std::unique_ptr<Key>> keys_;
};

struct ExpectedClaims {
  std::string issuer;
  std::string audience;  // our client_id
  std::string nonce;
  int64_t now_s = 0;
};
// Why the claims of a verified ID token are not what was asked for (OpenID Connect Core, 3.1.3.7); "" when they are.
std::string claims_problem(const Json& claims, const ExpectedClaims& expected);

}  // namespace slipway::api
