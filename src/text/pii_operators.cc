#include "text/pii_operators.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <memory>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/hash.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

constexpr size_t kBlock = 16;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string hex(const unsigned char* bytes, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) {
    fmt::format_to(std::back_inserter(out), "{:02x}", bytes[i]);
  }
  return out;
}

std::string sha512_hex(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha512(), nullptr) != 1) {
    throw base::Error(base::Code::kFailure, "SHA-512 is not available");
  }
  return hex(digest.data(), size);
}

const EVP_CIPHER* cipher_of(size_t key_size) {
  return key_size == 16 ? EVP_aes_128_cbc() : key_size == 24 ? EVP_aes_192_cbc() : key_size == 32 ? EVP_aes_256_cbc() : nullptr;
}

// AES-CBC with padding; nullopt when decryption finds the padding wrong.
std::optional<std::string> crypt(bool encrypt, std::string_view key, std::string_view vector, std::string_view input) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  std::string out(input.size() + kBlock, '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  int first = 0;
  int last = 0;
  const bool good =
      context &&
      EVP_CipherInit_ex(context.get(), cipher_of(key.size()), nullptr, bytes_of(key), bytes_of(vector), encrypt ? 1 : 0) == 1 &&
      EVP_CipherUpdate(context.get(), to, &first, bytes_of(input), static_cast<int>(input.size())) == 1 &&
      EVP_CipherFinal_ex(context.get(), to + first, &last) == 1;
  if (!good) {
    return std::nullopt;
  }
  out.resize(static_cast<size_t>(first + last));
  return out;
}

std::string keyed_digest(std::string_view key, std::string_view value) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(value), value.size(), digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

void swap_letters(std::string& text, std::string_view from, std::string_view to) {
  for (char& c : text) {
    const size_t at = from.find(c);
    c = at == std::string_view::npos ? c : to[at];
  }
}

std::string encrypt(std::string_view key, std::string_view value) {
  const std::string vector = keyed_digest(key, value).substr(0, kBlock);
  const auto hidden = crypt(true, key, vector, value);
  if (!hidden) {
    throw base::Error(base::Code::kFailure, "AES-CBC is not available");
  }
  std::string out = base::base64_encode(vector + *hidden);
  swap_letters(out, "+/", "-_");
  return out;
}

}  // namespace

void PiiOperatorOptions::describe(base::FieldTable& table) {
  table.add("mode", mode, "what stands for a finding", {"replace", "redact", "mask", "hash", "encrypt", "pseudonym", "keep"});
  table.add("replacement", replacement, "replace: this text in place of <TYPE>");
  table.add("mask_char", mask_char, "mask: the character");
  table.add("mask_count", mask_count, "mask: how many characters; 0: all", {0, 1e9});
  table.add("mask_from_end", mask_from_end, "mask: count from the end");
  table.add("hash", hash, "hash: the digest", {"sha256", "sha512"});
  table.add("salt", salt, "hash: at least 16 bytes after the value");
  table.add("key", key, "encrypt: 16, 24 or 32 bytes (better in SLIPWAY_KEY)");
  table.add("seed", seed, "pseudonym: another seed, other names");
}

PiiOperator::PiiOperator(PiiOperatorOptions options) : options_(std::move(options)) {
  const auto fail = [](const std::string& what) { throw base::Error(base::Code::kInvalid, what); };
  if (options_.mode == "encrypt" && cipher_of(options_.key.size()) == nullptr) {
    fail(fmt::format("--mode encrypt needs a --key of 16, 24 or 32 bytes (128, 192, 256 bits); this one has {}",
                     options_.key.size()));
  }
  if (options_.mode == "hash" && options_.salt.size() < 16) {
    fail("--mode hash needs a --salt of at least 16 bytes: without one, numbers can be found by trying all");
  }
  if (options_.mode == "mask" && count_code_points(options_.mask_char) != 1) {
    fail("--mask-char must be one character");
  }
}

void PiiOperator::apply(std::string_view type, std::string_view value, std::string& out) const {
  const std::string& mode = options_.mode;
  if (mode == "keep") {
    out += value;
  } else if (mode == "replace") {
    out += options_.replacement.empty() ? fmt::format("<{}>", type) : options_.replacement;
  } else if (mode == "hash") {
    const std::string salted = std::string(value) + options_.salt;
    out += options_.hash == "sha512" ? sha512_hex(salted) : base::sha256_hex(salted);
  } else if (mode == "encrypt") {
    out += encrypt(options_.key, value);
  } else if (mode == "pseudonym") {
    out += fmt::format("<{}_{}>", type, base::sha256_hex(fmt::format("{}\n{}\n{}", options_.seed, type, value)).substr(0, 8));
  } else if (mode == "mask") {
    const auto size = static_cast<int64_t>(count_code_points(value));
    const int64_t count = options_.mask_count == 0 ? size : std::min(size, options_.mask_count);
    const std::string_view head = prefix_code_points(value, static_cast<size_t>(options_.mask_from_end ? size - count : count));
    std::string stars;
    for (int64_t i = 0; i < count; ++i) {
      stars += options_.mask_char;
    }
    out += options_.mask_from_end ? std::string(head) + stars : stars + std::string(value.substr(head.size()));
  }
}

std::string PiiOperator::apply_all(std::string_view text, const std::vector<PiiFinding>& findings) const {
  std::string out;
  size_t done = 0;
  for (const PiiFinding& finding : findings) {
    if (finding.begin_byte < done) {
      continue;
    }
    out += text.substr(done, finding.begin_byte - done);
    apply(finding.type, text.substr(finding.begin_byte, finding.end_byte - finding.begin_byte), out);
    done = finding.end_byte;
  }
  out += text.substr(done);
  return out;
}

std::optional<std::string> pii_decrypt(std::string_view encrypted, std::string_view key) {
  std::string plain(encrypted);
  swap_letters(plain, "-_", "+/");
  const auto bytes = base::base64_decode(plain);
  if (!bytes || bytes->size() < 2 * kBlock || cipher_of(key.size()) == nullptr) {
    return std::nullopt;
  }
  return crypt(false, key, std::string_view(*bytes).substr(0, kBlock), std::string_view(*bytes).substr(kBlock));
}

}  // namespace slipway::text
