// What is put in place of personal data: Presidio's operators, and pseudonyms that stay the same for the same value. A
// function of the value, the type and the options alone, so the same on any number of threads. Immutable: any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "text/pii.h"

namespace slipway::text {

struct PiiOperatorOptions {
  std::string mode = "replace";  // replace, redact, mask, hash, encrypt, pseudonym, keep
  std::string replacement = {};  // replace: with this in place of <TYPE>
  std::string mask_char = "*";   // mask: one character
  int64_t mask_count = 0;        // mask: so many characters; 0: all
  bool mask_from_end = false;
  std::string hash = "sha256";  // or sha512: of the value's bytes and then the salt's
  std::string salt = {};        // hash: at least 16 bytes, as short values can be found by trial
  std::string key = {};         // encrypt: 16, 24 or 32 bytes
  uint64_t seed = 0;            // pseudonym: <TYPE_8 hex digits>
  void describe(base::FieldTable& table);
};

class PiiOperator {
 public:
  // Throws Error(kInvalid) for options that do not go together.
  explicit PiiOperator(PiiOperatorOptions options);

  // Appends what stands for the value to `out`. encrypt: URL-safe base64 of an initialisation vector and AES-CBC with
  // PKCS #7 padding, which Presidio's decrypt reads; the vector is a keyed digest of the value, so that equal values look
  // equal (they can be told to be so).
  void apply(std::string_view type, std::string_view value, std::string& out) const;
  // The text with all findings (in order, not overlapping) replaced.
  std::string apply_all(std::string_view text, const std::vector<PiiFinding>& findings) const;

 private:
  PiiOperatorOptions options_;
};

// What encrypt made, turned back; nullopt when the key or the text is not right.
std::optional<std::string> pii_decrypt(std::string_view encrypted, std::string_view key);

}  // namespace slipway::text
