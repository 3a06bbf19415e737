#include "base/hash.h"

#include <openssl/evp.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <fstream>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"

namespace slipway::base {

namespace {

std::string finish_hex(EVP_MD_CTX* context) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  EVP_DigestFinal_ex(context, out.data(), &size);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(size_t{2} * size, '0');
  for (unsigned int i = 0; i < size; ++i) {
    text[2 * i] = kDigits[out[i] >> 4];
    text[2 * i + 1] = kDigits[out[i] & 15];
  }
  return text;
}

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (state_->context == nullptr || EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) != 1) {
    throw Error(Code::kFailure, "the cryptography library offers no SHA-256");
  }
}

Sha256::~Sha256() { EVP_MD_CTX_free(state_->context); }

void Sha256::update(std::string_view bytes) { EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()); }

std::string Sha256::hex() { return finish_hex(state_->context); }

std::string git_blob_id(std::string_view bytes) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (context == nullptr || EVP_DigestInit_ex(context.get(), EVP_sha1(), nullptr) != 1) {
    throw Error(Code::kFailure, "the cryptography library offers no SHA-1");
  }
  const std::string head = fmt::format("blob {}", bytes.size());
  EVP_DigestUpdate(context.get(), head.c_str(), head.size() + 1);  // with its NUL
  EVP_DigestUpdate(context.get(), bytes.data(), bytes.size());
  return finish_hex(context.get());
}

std::string sha1_base32(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) {
    throw Error(Code::kFailure, "the cryptography library offers no SHA-1");
  }
  static constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string text;
  for (unsigned int bit = 0; bit < size * 8; bit += 5) {  // 160 bits: 32 letters without a rest
    const unsigned int two = static_cast<unsigned int>(digest[bit / 8]) << 8 | digest[bit / 8 + 1];
    text += kLetters[(two >> (11 - bit % 8)) & 31];
  }
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 sha;
  sha.update(bytes);
  return sha.hex();
}

std::string sha256_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw Error(Code::kNotFound, fmt::format("cannot open '{}' to take its digest", path.string()));
  }
  Sha256 sha;
  std::vector<char> buffer(1 << 20);
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || file.gcount() > 0) {
    sha.update({buffer.data(), static_cast<size_t>(file.gcount())});
  }
  if (file.bad()) {
    throw Error(Code::kFailure, fmt::format("cannot read '{}'", path.string()));
  }
  return sha.hex();
}

std::string digest_of(std::string_view bytes) { return "sha256:" + sha256_hex(bytes); }

bool is_digest(std::string_view text) noexcept {
  if (text.size() != 71 || !text.starts_with("sha256:")) {
    return false;
  }
  return text.find_first_not_of("0123456789abcdef", 7) == std::string_view::npos;
}

std::string merkle_root(std::span<const std::string> leaves) {
  if (leaves.empty()) {
    return sha256_hex("");
  }
  std::vector<std::string> level(leaves.begin(), leaves.end());
  while (level.size() > 1) {
    std::vector<std::string> next;
    next.reserve((level.size() + 1) / 2);
    for (size_t i = 0; i + 1 < level.size(); i += 2) {
      next.push_back(sha256_hex(level[i] + level[i + 1]));
    }
    if (level.size() % 2 == 1) {
      next.push_back(level.back());
    }
    level = std::move(next);
  }
  return level.front();
}

uint64_t xxh64(std::string_view bytes, uint64_t seed) noexcept { return XXH64(bytes.data(), bytes.size(), seed); }

}  // namespace slipway::base
