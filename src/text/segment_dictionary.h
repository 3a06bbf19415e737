// The dictionary and the hidden Markov model that Chinese word segmentation looks words up in, in a compact form that is
// mapped from a file (docs/formats/segment-dictionary.md). Immutable: any thread. `build_segment_dictionary` makes that
// form from jieba's text files, which Debian's python3-jieba brings; they are not part of this program.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace slipway::text {

class SegmentDictionary {
 public:
  // Maps the file. Throws Error(kNotFound) or, for one that is damaged or of another version, Error(kIntegrity).
  static std::shared_ptr<const SegmentDictionary> open(const std::filesystem::path& file);
  // From bytes in memory, which are copied. The same errors, naming `source`.
  static std::shared_ptr<const SegmentDictionary> from_bytes(std::string_view bytes, std::string_view source);

  static constexpr uint32_t kRoot = 0;
  static constexpr uint32_t kNone = ~uint32_t{0};
  // The number of the character in the trie; 0 when no word has it.
  uint16_t char_id(char32_t c) const noexcept { return c < ids_.size() ? ids_[c] : 0; }
  // The node after one more character, or kNone.
  uint32_t step(uint32_t node, uint16_t id) const noexcept {
    const uint32_t next = nodes_[node].base + id;
    return id != 0 && next < nodes_.size() && nodes_[next].parent == node ? next : kNone;
  }
  // The same without a branch, also for node == kNone: many in a row then wait for memory together.
  uint32_t step_apart(uint32_t node, uint16_t id) const noexcept {
    const uint32_t from = node == kNone ? kRoot : node;
    const uint32_t next = nodes_[from].base + id;
    const bool inside = next < nodes_.size();
    const uint32_t parent = nodes_[inside ? next : kRoot].parent;
    const bool good = (node != kNone) & (id != 0) & inside & (parent == from);
    return good ? next : kNone;
  }
  // 0: only a prefix of words; else 1 + the index of its frequency.
  uint32_t value(uint32_t node) const noexcept { return nodes_[node].value; }

  // Distinct frequencies of words, and the sum over all words.
  std::span<const uint64_t> frequencies() const noexcept { return frequencies_; }
  uint64_t total() const noexcept { return total_; }
  // Of all that it holds: models remember which dictionary they were trained with.
  uint64_t digest() const noexcept { return digest_; }

  // The states of the model: begin, middle, end of a word, a word of one character.
  enum State : int { kBegin, kMiddle, kEnd, kSingle };
  bool has_hmm() const noexcept { return !emissions_.empty(); }
  // Logarithms. A state that cannot be, a character that was never seen: kImpossible.
  static constexpr double kImpossible = -3.14e100;
  double start(int state) const noexcept { return start_[static_cast<size_t>(state)]; }
  double transition(int from, int to) const noexcept { return transitions_[static_cast<size_t>(from * 4 + to)]; }
  // Of the four states for an ideograph in [kFirstHan, kLastHan].
  const double* emission(char32_t c) const noexcept { return &emissions_[size_t{4} * (c - kFirstHan)]; }
  static constexpr char32_t kFirstHan = 0x4E00;
  static constexpr char32_t kLastHan = 0x9FD5;  // where jieba's expressions end

 private:
  struct Node {
    uint32_t base;
    uint32_t parent;
    uint32_t value;
  };
  SegmentDictionary() = default;
  void read(std::string_view bytes, std::string_view source);

  base::MappedFile file_;
  std::vector<uint64_t> copy_;  // words, so that what is read from it is aligned
  std::vector<uint16_t> ids_;
  std::span<const Node> nodes_;
  std::span<const uint64_t> frequencies_;
  uint64_t total_ = 0;
  uint64_t digest_ = 0;
  std::array<double, 4> start_{};
  std::array<double, 16> transitions_{};
  std::span<const double> emissions_;
};

struct SegmentDictionarySources {
  std::filesystem::path words;  // dict.txt: "WORD FREQUENCY [TAG]" a line
  std::filesystem::path hmm;    // the folder of prob_start.py, prob_trans.py and prob_emit.py; empty: no model
};

// The bytes of the compact form. Throws Error(kNotFound) for a missing file and Error(kInvalid) naming file and line. About a
// second for 350,000 words.
std::string build_segment_dictionary(const SegmentDictionarySources& sources);

// The compact form of `sources` from `folder`, built there when it is missing or the sources have changed
// since. An empty folder: built in memory each time.
std::shared_ptr<const SegmentDictionary> cached_segment_dictionary(const SegmentDictionarySources& sources,
                                                                   const std::filesystem::path& folder);

}  // namespace slipway::text
