#include "api/jwt.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/secret.h"

namespace slipway::api {
namespace {

constexpr size_t kMaxToken = size_t{16} << 10;
constexpr size_t kMaxKeys = 100;
constexpr size_t kMinRsaBytes = 256;   // 2048 bits
constexpr size_t kMaxRsaBytes = 1024;  // a verification of 8192 bits takes about a millisecond
constexpr size_t kMaxExponentBytes = 8;
constexpr size_t kP256Bytes = 32;
constexpr int64_t kLeewayS = 60;  // clocks differ

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using Bignum = std::unique_ptr<BIGNUM, Freer<BN_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, Freer<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freer<OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using PublicKey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, Freer<ECDSA_SIG_free>>;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// A text of the object, or "".
std::string text_at(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

PublicKey make_key(const char* kind, OSSL_PARAM_BLD* builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return PublicKey(key);
}

PublicKey rsa_key(const Json& jwk) {
  const auto n = decode_base64url(text_at(jwk, "n"));
  const auto e = decode_base64url(text_at(jwk, "e"));
  if (!n || !e || n->size() < kMinRsaBytes || n->size() > kMaxRsaBytes || e->empty() || e->size() > kMaxExponentBytes) {
    return nullptr;
  }
  const Bignum modulus(BN_bin2bn(bytes_of(*n), static_cast<int>(n->size()), nullptr));
  const Bignum exponent(BN_bin2bn(bytes_of(*e), static_cast<int>(e->size()), nullptr));
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!modulus || !exponent || !builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return nullptr;
  }
  return make_key("RSA", builder.get());
}

PublicKey p256_key(const Json& jwk) {
  const auto x = decode_base64url(text_at(jwk, "x"));
  const auto y = decode_base64url(text_at(jwk, "y"));
  if (text_at(jwk, "crv") != "P-256" || !x || !y || x->size() != kP256Bytes || y->size() != kP256Bytes) {
    return nullptr;
  }
  const std::string point = "\x04" + *x + *y;  // uncompressed (SEC 1, 2.3.3)
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
    return nullptr;
  }
  return make_key("EC", builder.get());
}

// The DER form of r and s, 32 bytes each (RFC 7518, 3.4); "" when it is none.
std::string der_of(std::string_view raw) {
  if (raw.size() != 2 * kP256Bytes) {
    return {};
  }
  const EcSignature signature(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes_of(raw), kP256Bytes, nullptr);
  BIGNUM* s = BN_bin2bn(bytes_of(raw.substr(kP256Bytes)), kP256Bytes, nullptr);
  if (!signature || ECDSA_SIG_set0(signature.get(), r, s) != 1) {  // owns both from here on
    BN_free(r);
    BN_free(s);
    return {};
  }
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  std::string out(reinterpret_cast<const char*>(der), size > 0 ? static_cast<size_t>(size) : 0);
  OPENSSL_free(der);
  return out;
}

bool is_signed_by(EVP_PKEY* key, std::string_view text, std::string_view signature) {
  const DigestContext context(EVP_MD_CTX_new());
  return context && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text), text.size()) == 1;
}

std::optional<Json> object_of(std::string_view encoded) {
  const auto text = decode_base64url(encoded);
  if (!text) {
    return std::nullopt;
  }
  try {
    Json json = base::parse_json(*text, "a token");
    return json.is_object() ? std::optional(std::move(json)) : std::nullopt;
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

}  // namespace

std::string encode_base64url(std::string_view bytes) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) {
      out += kDigits[(bits >> (count - 6)) & 63U];
    }
  }
  if (count > 0) {
    out += kDigits[(bits << (6 - count)) & 63U];
  }
  return out;
}

std::optional<std::string> decode_base64url(std::string_view text) {
  std::string standard;
  standard.reserve(text.size());
  for (const char c : text) {
    if (c == '+' || c == '/' || c == '=') {
      return std::nullopt;
    }
    standard += c == '-' ? '+' : c == '_' ? '/' : c;
  }
  return base::base64_decode(standard);
}

std::optional<Jwt> parse_jwt(std::string_view token) {
  const size_t first = token.find('.');
  const size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (token.size() > kMaxToken || second == std::string_view::npos ||
      token.find('.', second + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  auto header = object_of(token.substr(0, first));
  auto claims = object_of(token.substr(first + 1, second - first - 1));
  auto signature = decode_base64url(token.substr(second + 1));
  if (!header || !claims || !signature) {
    return std::nullopt;
  }
  return Jwt{std::move(*header), std::move(*claims), std::string(token.substr(0, second)), std::move(*signature)};
}

struct KeySet::Key {
  std::string id;
  std::string algorithm;
  PublicKey key;
};

KeySet::KeySet(const Json& document) {
  const auto keys = document.is_object() ? document.find("keys") : document.end();
  if (!document.is_object() || keys == document.end() || !keys->is_array() || keys->size() > kMaxKeys) {
    throw base::Error(base::Code::kInvalid, "the issuer's keys are no JWKS document");
  }
  for (const Json& jwk : *keys) {
    if (!jwk.is_object() || (jwk.contains("use") && text_at(jwk, "use") != "sig")) {
      continue;
    }
    const std::string kind = text_at(jwk, "kty");
    const char* algorithm = kind == "RSA" ? "RS256" : kind == "EC" ? "ES256" : "";
    PublicKey key = kind == "RSA" ? rsa_key(jwk) : kind == "EC" ? p256_key(jwk) : nullptr;
    if (key && (!jwk.contains("alg") || text_at(jwk, "alg") == algorithm)) {
      keys_.push_back(std::make_unique<Key>(Key{text_at(jwk, "kid"), algorithm, std::move(key)}));
    }
  }
}

KeySet::~KeySet() = default;
KeySet::KeySet(KeySet&&) noexcept = default;
KeySet& KeySet::operator=(KeySet&&) noexcept = default;
size_t KeySet::size() const noexcept { return keys_.size(); }

bool KeySet::verify(const Jwt& token) const {
  const std::string algorithm = text_at(token.header, "alg");
  if (token.header.contains("crit") || (algorithm != "RS256" && algorithm != "ES256")) {
    return false;
  }
  const std::string id = text_at(token.header, "kid");
  const std::string signature = algorithm == "ES256" ? der_of(token.signature) : token.signature;
  return !signature.empty() && std::any_of(keys_.begin(), keys_.end(), [&](const std::unique_ptr<Key>& key) {
    return key->algorithm == algorithm && (id.empty() || key->id == id) &&
           is_signed_by(key->key.get(), token.signed_text, signature);
  });
}

std::string claims_problem(const Json& claims, const ExpectedClaims& expected) {
  const auto number = [&](const char* name) -> std::optional<double> {
    const auto found = claims.find(name);
    return found != claims.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
  };
  if (text_at(claims, "iss") != expected.issuer) {
    return "it is of another issuer";
  }
  const auto audience = claims.find("aud");
  const bool one = audience != claims.end() && audience->is_string() && audience->get<std::string>() == expected.audience;
  const bool among = audience != claims.end() && audience->is_array() &&
                     std::any_of(audience->begin(), audience->end(), [&](const Json& name) { return name == expected.audience; });
  if (!one && !among) {
    return "it is for another client";
  }
  if ((among && audience->size() > 1 && !claims.contains("azp")) ||
      (claims.contains("azp") && text_at(claims, "azp") != expected.audience)) {
    return "it was made for another client";
  }
  const auto expires = number("exp");
  const auto issued = number("iat");
  const auto now = static_cast<double>(expected.now_s);
  if (!expires || *expires + kLeewayS < now) {
    return "it has expired";
  }
  if (!issued || *issued - kLeewayS > now) {
    return "it is of the future";
  }
  if (const auto not_before = number("nbf"); not_before && *not_before - kLeewayS > now) {
    return "it is of the future";
  }
  if (expected.nonce.empty() || !base::equal_in_constant_time(text_at(claims, "nonce"), expected.nonce)) {
    return "it answers another login";
  }
  return text_at(claims, "sub").empty() ? "it names nobody" : "";
}

}  // namespace slipway::api
