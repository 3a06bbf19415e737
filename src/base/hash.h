// Digests: SHA-256 names artifacts (as "sha256:" + 64 hex digits), XXH64 is for tables and seeds, never for trust.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace slipway::base {

// Incremental SHA-256. One thread at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::string_view bytes);
  // 64 lower-case hex digits; the object must not be used afterwards.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// 64 lower-case hex digits of the bytes, or of a file's content (read in 1 MiB pieces).
std::string sha256_hex(std::string_view bytes);
std::string sha256_file(const std::filesystem::path& path);

// "sha256:" + hex; is_digest accepts exactly ^sha256:[0-9a-f]{64}$.
std::string digest_of(std::string_view bytes);
bool is_digest(std::string_view text) noexcept;

// What git calls a file: the SHA-1 (40 hex digits) of "blob SIZE", a NUL and the bytes. A name, never for trust.
std::string git_blob_id(std::string_view bytes);

// The SHA-1 of the bytes in base32 (RFC 4648, 6; 32 letters), as web archives name payloads. A name, never for trust.
std::string sha1_base32(std::string_view bytes);

// The Merkle root over leaf digests in order: a node is SHA-256 of its children's hex texts joined; an odd leaf moves up
// unchanged; the root of nothing is the SHA-256 of "". Returns 64 hex digits.
std::string merkle_root(std::span<const std::string> leaves);

uint64_t xxh64(std::string_view bytes, uint64_t seed = 0) noexcept;

}  // namespace slipway::base
