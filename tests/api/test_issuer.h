// An OpenID Connect issuer for tests: keys that it makes, tokens that it signs, and a server that plays its part.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdexcept>

#include "api/jwt.h"
#include "base/hash.h"
#include "net/server.h"

namespace slipway::api {

class TestKey {
 public:
  static TestKey rsa(std::string id) { return {std::move(id), "RS256", EVP_RSA_gen(2048)}; }
  static TestKey ec(std::string id) { return {std::move(id), "ES256", EVP_EC_gen("P-256")}; }

  Json jwk() const {
    Json key = {{"kid", id_}, {"use", "sig"}, {"alg", algorithm_}};
    if (algorithm_ == "RS256") {
      key["kty"] = "RSA";
      key["n"] = number(OSSL_PKEY_PARAM_RSA_N, 0);
      key["e"] = number(OSSL_PKEY_PARAM_RSA_E, 0);
    } else {
      key["kty"] = "EC";
      key["crv"] = "P-256";
      key["x"] = number(OSSL_PKEY_PARAM_EC_PUB_X, 32);
      key["y"] = number(OSSL_PKEY_PARAM_EC_PUB_Y, 32);
    }
    return key;
  }
  std::string sign(const Json& claims, const Json& more_header = Json::object()) const {
    Json header = {{"alg", algorithm_}, {"kid", id_}};
    header.update(more_header);
    const std::string text = encode_base64url(header.dump()) + "." + encode_base64url(claims.dump());
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    std::array<unsigned char, 1024> out{};
    size_t size = out.size();
    if (EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context, out.data(), &size, reinterpret_cast<const unsigned char*>(text.data()), text.size()) != 1) {
      throw std::runtime_error("cannot sign");
    }
    EVP_MD_CTX_free(context);
    std::string signature(reinterpret_cast<const char*>(out.data()), size);
    if (algorithm_ == "ES256") {
      signature = raw_of(signature);
    }
    return text + "." + encode_base64url(signature);
  }

 private:
  TestKey(std::string id, std::string algorithm, EVP_PKEY* key)
      : id_(std::move(id)), algorithm_(std::move(algorithm)), key_(key, EVP_PKEY_free) {}
  std::string number(const char* name, int width) const {
    BIGNUM* value = nullptr;
    if (EVP_PKEY_get_bn_param(key_.get(), name, &value) != 1) {
      throw std::runtime_error("no such number in the key");
    }
    std::string bytes(static_cast<size_t>(width > 0 ? width : BN_num_bytes(value)), '\0');
    BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    BN_free(value);
    return encode_base64url(bytes);
  }
  static std::string raw_of(const std::string& der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
    std::string raw(64, '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), reinterpret_cast<unsigned char*>(raw.data()), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), reinterpret_cast<unsigned char*>(raw.data()) + 32, 32);
    ECDSA_SIG_free(signature);
    return raw;
  }

  std::string id_;
  std::string algorithm_;
  std::shared_ptr<EVP_PKEY> key_;
};

}  // namespace slipway::api
