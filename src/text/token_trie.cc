#include "text/token_trie.h"

#include <algorithm>

namespace slipway::text {
namespace {

constexpr size_t kMaxBytes = 1024;  // of a token; longer ones are never allowed

}  // namespace

TokenTrie::TokenTrie(const Tokenizer& tokenizer) : vocab_size_(tokenizer.vocab_size()) {
  bytes_.resize(static_cast<size_t>(vocab_size_));
  for (int32_t id = 0; id < vocab_size_; ++id) {
    if (tokenizer.is_special(id)) {
      continue;
    }
    std::string bytes = tokenizer.token_bytes(id);
    if (!bytes.empty() && bytes.size() <= kMaxBytes) {
      bytes_[static_cast<size_t>(id)] = std::move(bytes);
      ids_.push_back(id);
    }
  }
  std::sort(ids_.begin(), ids_.end(), [&](int32_t a, int32_t b) {
    const int order = bytes_of(a).compare(bytes_of(b));
    return order != 0 ? order < 0 : a < b;
  });
  nodes_.emplace_back();
  std::vector<uint32_t> open = {kRoot};  // the nodes on the way to the last one
  for (uint32_t i = 0; i < ids_.size(); ++i) {
    const std::string& bytes = bytes_of(ids_[i]);
    size_t common = 0;
    if (i > 0) {
      const std::string& before = bytes_of(ids_[i - 1]);
      common = static_cast<size_t>(std::mismatch(bytes.begin(), bytes.end(), before.begin(), before.end()).first -
                                   bytes.begin());
    }
    for (; open.size() > common + 1; open.pop_back()) {
      nodes_[open.back()].end = static_cast<uint32_t>(nodes_.size());
    }
    while (open.size() <= bytes.size()) {
      Node node;
      node.token = i;
      node.depth = static_cast<uint16_t>(open.size());
      node.byte = static_cast<uint8_t>(bytes[open.size() - 1]);
      open.push_back(static_cast<uint32_t>(nodes_.size()));
      nodes_.push_back(node);
    }
  }
  for (const uint32_t node : open) {
    nodes_[node].end = static_cast<uint32_t>(nodes_.size());
  }
  const auto spaced = std::find_if(ids_.begin(), ids_.end(), [&](int32_t id) {
    const std::string& bytes = bytes_of(id);
    return bytes.size() >= 2 && bytes[0] == ' ' && bytes[1] > ' ';
  });
  if (spaced != ids_.end() && tokenizer.decode(std::span(&*spaced, 1), false) == bytes_of(*spaced).substr(1)) {
    for (uint32_t node = 1; node < nodes_.size() && dropped_space_ == kRoot; node = nodes_[node].end) {
      dropped_space_ = nodes_[node].byte == ' ' ? node : kRoot;
    }
  }
}

}  // namespace slipway::text
