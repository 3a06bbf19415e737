// Spans as tags of tokens and back: IOB1, IOB2 (BIO), BIOES, BMES. What is a span in a sequence of tags that breaks the rules
// is decided as conlleval and seqeval decide it. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::text {

struct TagSpan {
  size_t begin = 0;  // tokens
  size_t end = 0;
  std::string_view type;  // a view of the tag; empty for tags without one ("B")
  bool operator==(const TagSpan&) const = default;
};

// Stored in model files.
enum class TagScheme : uint8_t {
  kNone = 0,   // tags that say nothing of spans (parts of speech)
  kIob1 = 1,   // B- only where a span follows one of the same type
  kIob2 = 2,   // B- at the begin, I- inside
  kBioes = 3,  // and E- at the end, S- for a span of one token
  kBmes = 4,   // the same with M- inside
};

// "none", "iob1", "iob2", "bioes", "bmes".
std::string_view scheme_name(TagScheme scheme) noexcept;
// Throws Error(kInvalid) for any other name.
TagScheme parse_scheme(std::string_view name);

// Replaces `spans` by those of the tags, in order. M- counts as I-.
void spans_of_tags(std::span<const std::string_view> tags, std::vector<TagSpan>& spans);

// The tags of `count` tokens with these spans, which are in order, do not overlap and end at `count` or before.
std::vector<std::string> tags_of_spans(std::span<const TagSpan> spans, size_t count, TagScheme scheme);

// Which scheme tagged sentences are in: show it all of them.
class SchemeDetector {
 public:
  void see(std::span<const std::string_view> tags);
  TagScheme scheme() const noexcept;

 private:
  bool middle_ = false;
  bool end_ = false;
  uint64_t begun_by_b_ = 0;
  uint64_t begun_by_i_ = 0;
};

}  // namespace slipway::text
