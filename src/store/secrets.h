// Secrets of the record that must be told again (those of webhooks, which sign with them), sealed for the disk: AES-256-GCM under
// a key in a file of its own, so that a copy of the rows alone tells none. docs/formats/store.md. Any thread.
#pragma once

#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::store {

class Secrets {
 public:
  // Nothing is read before it is needed. The file holds 64 hex digits.
  explicit Secrets(std::filesystem::path key_file) : key_file_(std::move(key_file)) {}

  // "v1:KEY:BASE64": the beginning of the key's SHA-256, then nonce, ciphertext, tag. `place` ("webhook:ID") is authenticated
  // with it: sealed text that is moved elsewhere does not open. Makes the key (mode 0600) when there is none. Throws
  // Error(kUnavailable, kNotAllowed, kInvalid) naming the file.
  std::string seal(std::string_view text, std::string_view place);
  // Throws Error(kIntegrity): the key is not there, is another one, or the text was altered. Each says so, and what to do.
  std::string open(std::string_view sealed, std::string_view place);

 private:
  struct Key {
    std::string bytes;  // 32
    std::string name;   // 8 hex digits
  };
  Key read_key() const;  // of the file; throws kNotFound when there is none
  Key key(bool make);
  void make_key() const;

  const std::filesystem::path key_file_;
  std::mutex mutex_;  // guards known_
  Key known_;         // its name "" before the first use
};

}  // namespace slipway::store
