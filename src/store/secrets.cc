#include "store/secrets.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/secret.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr size_t kKeyBytes = 32;
constexpr size_t kNonceBytes = 12;  // NIST SP 800-38D: random ones are good for 2^32 secrets under a key
constexpr size_t kTagBytes = 16;
constexpr size_t kKeyName = 8;  // digits of the key's SHA-256: to tell which key, not to prove it
constexpr std::string_view kVersion = "v1:";
constexpr std::string_view kHex = "0123456789abcdef";

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
Cipher new_cipher() {
  Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  if (!cipher) {
    throw Error(Code::kUnavailable, "no memory for a cipher");
  }
  return cipher;
}

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

void check(bool good, const char* what) {
  if (!good) {
    throw Error(Code::kFailure, fmt::format("OpenSSL could not {}", what));
  }
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(kHex.find(hex[i]) * 16 + kHex.find(hex[i + 1]));
  }
  return bytes;
}

}  // namespace

Secrets::Key Secrets::read_key() const {
  struct stat status {};
  if (::stat(key_file_.c_str(), &status) != 0) {
    throw Error(errno == ENOENT ? Code::kNotFound : Code::kNotAllowed,
                fmt::format("the key of secrets '{}' cannot be read: {}", key_file_.string(), base::errno_text(errno)));
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw Error(Code::kNotAllowed, fmt::format("others may read the key of secrets '{0}': chmod 600 '{0}'", key_file_.string()));
  }
  std::string text = base::read_file(key_file_, 1024);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.pop_back();
  }
  if (text.size() != 2 * kKeyBytes || text.find_first_not_of(kHex) != std::string::npos) {
    throw Error(Code::kInvalid, fmt::format("'{}' is no key of secrets: one is {} hex digits", key_file_.string(), 2 * kKeyBytes));
  }
  return {from_hex(text), base::sha256_hex(from_hex(text)).substr(0, kKeyName)};
}

// Whole under its name or not there: of two processes that make it at once, one's is both's.
void Secrets::make_key() const {
  const fs::path temporary = fmt::format("{}.{}", key_file_.string(), base::random_hex(8));
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const std::string text = base::random_hex(kKeyBytes) + "\n";
  const bool written = file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
  const int problem = errno;
  if (file >= 0) {
    ::close(file);
  }
  const bool linked = written && (::link(temporary.c_str(), key_file_.c_str()) == 0 || errno == EEXIST);
  const int link_problem = errno;
  ::unlink(temporary.c_str());
  if (!linked) {
    throw Error(Code::kUnavailable, fmt::format("the key of secrets '{}' cannot be made: {}", key_file_.string(),
                                                base::errno_text(written ? link_problem : problem)));
  }
  base::sync_dir(key_file_.parent_path());
}

Secrets::Key Secrets::key(bool make) {
  const std::lock_guard lock(mutex_);
  if (known_.name.empty()) {
    if (make && !fs::exists(key_file_)) {
      make_key();
    }
    known_ = read_key();
  }
  return known_;
}

std::string Secrets::seal(std::string_view text, std::string_view place) {
  const Key with = key(true);
  std::string nonce(kNonceBytes, '\0');
  check(RAND_bytes(bytes_of(nonce), kNonceBytes) == 1, "make random bytes");
  std::string sealed(text.size(), '\0');
  std::string tag(kTagBytes, '\0');
  int length = 0;
  const Cipher cipher = new_cipher();
  check(EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(std::string_view(with.bytes)), bytes_of(std::string_view(nonce))) == 1 &&
            EVP_EncryptUpdate(cipher.get(), nullptr, &length, bytes_of(place), static_cast<int>(place.size())) == 1 &&
            EVP_EncryptUpdate(cipher.get(), bytes_of(sealed), &length, bytes_of(text), static_cast<int>(text.size())) == 1 &&
            EVP_EncryptFinal_ex(cipher.get(), bytes_of(tag), &length) == 1 &&
            EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()) == 1,
        "seal a secret");
  return fmt::format("{}{}:{}", kVersion, with.name, base::base64_encode(nonce + sealed + tag));
}

std::string Secrets::open(std::string_view sealed, std::string_view place) {
  const size_t colon = sealed.find(':', kVersion.size());
  const auto bytes = sealed.starts_with(kVersion) && colon == kVersion.size() + kKeyName ? base::base64_decode(sealed.substr(colon + 1))
                                                                                          : std::nullopt;
  if (!bytes || bytes->size() < kNonceBytes + kTagBytes) {
    throw Error(Code::kIntegrity, fmt::format("the secret of {} is damaged: give it a new one", place));
  }
  const std::string_view name = sealed.substr(kVersion.size(), kKeyName);
  Key with;
  try {
    with = key(false);
  } catch (const Error& error) {
    throw Error(Code::kIntegrity, fmt::format("the secret of {} was sealed under key {}, and {}; bring that file back (--secrets-key names "
                                              "it), or give it a new secret",
                                              place, name, error.what()));
  }
  if (with.name != name) {
    throw Error(Code::kIntegrity, fmt::format("the secret of {} was sealed under key {}, but '{}' holds {}: bring the right file back, or "
                                              "give it a new secret",
                                              place, name, key_file_.string(), with.name));
  }
  const size_t size = bytes->size() - kNonceBytes - kTagBytes;
  std::string text(size, '\0');
  std::string tag = bytes->substr(kNonceBytes + size);
  int length = 0;
  const Cipher cipher = new_cipher();
  check(EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(std::string_view(with.bytes)), bytes_of(std::string_view(*bytes))) == 1 &&
            EVP_DecryptUpdate(cipher.get(), nullptr, &length, bytes_of(place), static_cast<int>(place.size())) == 1 &&
            EVP_DecryptUpdate(cipher.get(), bytes_of(text), &length, bytes_of(*bytes) + kNonceBytes, static_cast<int>(size)) == 1 &&
            EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1,
        "open a secret");
  if (EVP_DecryptFinal_ex(cipher.get(), bytes_of(tag), &length) != 1) {
    throw Error(Code::kIntegrity, fmt::format("the secret of {} was altered: give it a new one", place));
  }
  return text;
}

}  // namespace slipway::store
