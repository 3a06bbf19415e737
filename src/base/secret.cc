#include "base/secret.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <optional>
#include <vector>

#include "base/error.h"

namespace slipway::base {
namespace {

constexpr size_t kSaltBytes = 16;
constexpr size_t kHashBytes = 32;
constexpr uint64_t kMaxMemory = uint64_t{256} << 20;  // what a hash may ask for
constexpr std::string_view kScheme = "$scrypt$";

std::string to_hex(const unsigned char* bytes, size_t size) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * size);
  for (size_t i = 0; i < size; ++i) {
    out += kDigits[bytes[i] >> 4];
    out += kDigits[bytes[i] & 15];
  }
  return out;
}

std::string scrypt_hex(std::string_view password, std::string_view salt, const PasswordCost& cost) {
  std::array<unsigned char, kHashBytes> key{};
  if (EVP_PBE_scrypt(password.data(), password.size(), reinterpret_cast<const unsigned char*>(salt.data()), salt.size(),
                     uint64_t{1} << cost.log_n, static_cast<uint64_t>(cost.r), static_cast<uint64_t>(cost.p),
                     kMaxMemory, key.data(), key.size()) != 1) {
    throw Error(Code::kUnavailable, "a password cannot be hashed: scrypt failed (no memory?)");
  }
  std::string hex = to_hex(key.data(), key.size());
  OPENSSL_cleanse(key.data(), key.size());
  return hex;
}

struct Parts {
  PasswordCost cost;
  std::string_view salt;
  std::string_view hash;
};

// "NAME=number" and the text that follows it; false when it is not there or not within [1, most].
bool take_number(std::string_view& text, std::string_view name, int most, int& out) {
  if (!text.starts_with(name)) {
    return false;
  }
  text.remove_prefix(name.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return error == std::errc() && out >= 1 && out <= most;
}

std::optional<Parts> parse(std::string_view text) {
  constexpr int kMaxLogN = 20;
  constexpr int kMaxR = 32;
  constexpr int kMaxP = 16;
  Parts parts;
  if (!text.starts_with(kScheme)) {
    return std::nullopt;
  }
  text.remove_prefix(kScheme.size());
  if (!take_number(text, "ln=", kMaxLogN, parts.cost.log_n) || !take_number(text, ",r=", kMaxR, parts.cost.r) ||
      !take_number(text, ",p=", kMaxP, parts.cost.p) || text.size() != 1 + 2 * kSaltBytes + 1 + 2 * kHashBytes ||
      text[0] != '$' || text[1 + 2 * kSaltBytes] != '$') {
    return std::nullopt;
  }
  parts.salt = text.substr(1, 2 * kSaltBytes);
  parts.hash = text.substr(2 + 2 * kSaltBytes);
  return parts;
}

}  // namespace

std::string random_hex(size_t bytes) {
  std::vector<unsigned char> out(bytes);
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) {
    throw Error(Code::kUnavailable, "the system gives no random numbers");
  }
  return to_hex(out.data(), out.size());
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string hmac_sha256(std::string_view key, std::string_view message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(message.data()),
           message.size(), out.data(), &size) == nullptr) {
    throw Error(Code::kUnavailable, "HMAC failed");
  }
  return {reinterpret_cast<const char*>(out.data()), size};
}

void check_password(std::string_view password) {
  if (password.size() < kMinPasswordBytes || password.size() > kMaxPasswordBytes) {
    throw Error(Code::kInvalid,
                fmt::format("a password has {} to {} bytes; this has {}", kMinPasswordBytes, kMaxPasswordBytes,
                            password.size()));
  }
  if (std::any_of(password.begin(), password.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
    throw Error(Code::kInvalid, "a password has no control characters; this has");
  }
}

std::string hash_password(std::string_view password, const PasswordCost& cost) {
  check_password(password);
  const std::string salt = random_hex(kSaltBytes);
  return fmt::format("{}ln={},r={},p={}${}${}", kScheme, cost.log_n, cost.r, cost.p, salt,
                     scrypt_hex(password, salt, cost));
}

bool verify_password(std::string_view password, std::string_view hash, const PasswordCost& none) {
  const std::optional<Parts> parts = password.size() <= kMaxPasswordBytes ? parse(hash) : std::nullopt;
  if (!parts) {
    scrypt_hex(password.substr(0, kMaxPasswordBytes), "no such salt", none);
    return false;
  }
  return equal_in_constant_time(scrypt_hex(password, parts->salt, parts->cost), parts->hash);
}

}  // namespace slipway::base
