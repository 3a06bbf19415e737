// The bytes of all tokens of a vocabulary as a trie in preorder: what lies below a node follows it, so that a walk
// which leaves out what cannot match reads forwards (as in guidance-ai's toktrie; ByteTrie answers which keys begin a
// text, and would have to try 256 bytes at each node here). Special tokens, and tokens without bytes, are not in it.
// Constant once built: any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "text/tokenizer.h"

namespace slipway::text {

class TokenTrie {
 public:
  struct Node {
    uint32_t end = 0;    // one past the last node below this one
    uint32_t token = 0;  // the first of ids() that ends here or below
    uint16_t depth = 0;  // bytes
    uint8_t byte = 0;    // the last of them
  };
  // Copies what it needs. About 100 ns a token.
  explicit TokenTrie(const Tokenizer& tokenizer);

  static constexpr uint32_t kRoot = 0;
  std::span<const Node> nodes() const noexcept { return nodes_; }
  // Those that end at the node.
  std::span<const int32_t> ids_at(uint32_t node) const noexcept {
    const uint32_t end = node + 1 < nodes_.size() ? nodes_[node + 1].token : static_cast<uint32_t>(ids_.size());
    return std::span(ids_).subspan(nodes_[node].token, end - nodes_[node].token);
  }
  // Where the tokens that begin with a space lie, if a text loses the space that its first token begins with (as
  // SentencePiece decodes); kRoot if it does not.
  uint32_t dropped_space() const noexcept { return dropped_space_; }
  // One more than the largest id that the tokenizer has.
  int vocab_size() const noexcept { return vocab_size_; }
  size_t count() const noexcept { return ids_.size(); }
  const std::string& bytes_of(int32_t id) const noexcept { return bytes_[static_cast<size_t>(id)]; }  // empty: none

 private:
  int vocab_size_ = 0;
  uint32_t dropped_space_ = kRoot;
  std::vector<std::string> bytes_;  // by id
  std::vector<int32_t> ids_;        // sorted by bytes, so in the order of the nodes
  std::vector<Node> nodes_;
};

}  // namespace slipway::text
