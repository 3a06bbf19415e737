// Secrets: random ones from the system's generator, passwords kept as a memory-hard hash, comparison in constant time.
// Nothing here logs or tells a secret. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace slipway::base {

// 2 * `bytes` lower-case hex digits from the operating system's generator. Throws Error(kUnavailable).
std::string random_hex(size_t bytes);

// Takes as long wherever they differ; texts of different lengths differ at once.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

// HMAC-SHA-256, 32 raw bytes.
std::string hmac_sha256(std::string_view key, std::string_view message);

// scrypt (RFC 7914): 2^log_n blocks of 128 * r bytes, p times. The defaults are one of the settings that OWASP's password
// storage cheat sheet gives as its minimum: 32 MiB and about a third of a second.
struct PasswordCost {
  int log_n = 15;
  int r = 8;
  int p = 3;
};

constexpr size_t kMinPasswordBytes = 12;
constexpr size_t kMaxPasswordBytes = 1024;
// Throws Error(kInvalid) for one that is too short, too long, or holds a control character; it is not told.
void check_password(std::string_view password);

// "$scrypt$ln=15,r=8,p=3$SALT$HASH", a salt of 16 random bytes, hash of 32, in hex. Throws as check_password.
std::string hash_password(std::string_view password, const PasswordCost& cost = {});
// False also for a hash that is none (""), after as long as `none` takes: time does not tell whether an account exists.
bool verify_password(std::string_view password, std::string_view hash, const PasswordCost& none = {});

}  // namespace slipway::base
