// SentencePiece's precompiled_charsmap: a double-array trie (as darts-clone writes it) from byte strings to their
// replacements. Every access is checked. Immutable: any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::text {

class CharsMap {
 public:
  struct Hit {
    size_t size;  // bytes matched
    std::string_view replacement;
  };
  CharsMap() = default;
  // `blob`: the size of the trie in bytes (little-endian), its units, and the replacements, each ended by a zero byte.
  // Throws Error(kInvalid).
  CharsMap(std::string_view blob, const std::string& source);

  bool empty() const noexcept { return units_.empty(); }
  // The longest key that `text` begins with (SentencePiece) or the shortest (Hugging Face).
  std::optional<Hit> find(std::string_view text, bool longest) const noexcept;
  // True when no key begins with this byte: then it stays as it is.
  bool keeps(unsigned char byte) const noexcept { return keeps_[byte]; }

 private:
  std::vector<uint32_t> units_;
  std::string replacements_;
  std::vector<bool> keeps_ = std::vector<bool>(256, true);
};

}  // namespace slipway::text
