#include "text/tag_scheme.h"

#include <array>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::text {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"none", "iob1", "iob2", "bioes", "bmes"};

struct Tag {
  char place = 'O';
  std::string_view type;
};

Tag read_tag(std::string_view tag) noexcept {
  Tag out;
  if (tag.empty() || tag == "O") {
    return out;
  }
  out.place = tag[0] == 'M' ? 'I' : tag[0];
  if (tag.size() > 2 && tag[1] == '-') {
    out.type = tag.substr(2);
  }
  return out;
}

// conlleval's rules, with E and S as seqeval adds them.
bool ends(const Tag& before, const Tag& now) noexcept {
  if (before.place == 'O') {
    return false;
  }
  if (before.place == 'E' || before.place == 'S' || now.place == 'B' || now.place == 'S' || now.place == 'O') {
    return true;
  }
  return before.type != now.type;
}

bool begins(const Tag& before, const Tag& now) noexcept {
  if (now.place == 'O') {
    return false;
  }
  if (now.place == 'B' || now.place == 'S' || before.place == 'E' || before.place == 'S' || before.place == 'O') {
    return true;
  }
  return before.type != now.type;
}

}  // namespace

std::string_view scheme_name(TagScheme scheme) noexcept { return kNames[static_cast<size_t>(scheme)]; }

TagScheme parse_scheme(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) {
      return static_cast<TagScheme>(i);
    }
  }
  throw base::Error(base::Code::kInvalid, fmt::format("'{}' is no scheme of tags; there are {}", name, fmt::join(kNames, ", ")));
}

void spans_of_tags(std::span<const std::string_view> tags, std::vector<TagSpan>& spans) {
  spans.clear();
  Tag before;
  bool open = false;
  TagSpan span;
  for (size_t i = 0; i <= tags.size(); ++i) {
    const Tag now = i < tags.size() ? read_tag(tags[i]) : Tag();
    if (open && ends(before, now)) {
      span.end = i;
      spans.push_back(span);
      open = false;
    }
    if (begins(before, now)) {
      span = {i, i, now.type};
      open = true;
    }
    before = now;
  }
}

std::vector<std::string> tags_of_spans(std::span<const TagSpan> spans, size_t count, TagScheme scheme) {
  std::vector<std::string> tags(count, "O");
  const bool marks_ends = scheme == TagScheme::kBioes || scheme == TagScheme::kBmes;
  const TagSpan* last = nullptr;
  for (const TagSpan& span : spans) {
    SLIPWAY_CHECK(span.begin < span.end && span.end <= count && (last == nullptr || last->end <= span.begin));
    const bool touches = last != nullptr && last->end == span.begin && last->type == span.type;
    for (size_t i = span.begin; i < span.end; ++i) {
      char place = scheme == TagScheme::kBmes ? 'M' : 'I';
      if (marks_ends && span.end - span.begin == 1) {
        place = 'S';
      } else if (i == span.begin && (scheme != TagScheme::kIob1 || touches)) {
        place = 'B';
      } else if (marks_ends && i + 1 == span.end) {
        place = 'E';
      }
      tags[i] = span.type.empty() ? std::string(1, place) : fmt::format("{}-{}", place, span.type);
    }
    last = &span;
  }
  return tags;
}

void SchemeDetector::see(std::span<const std::string_view> tags) {
  Tag before;
  for (const std::string_view tag : tags) {
    const Tag now = read_tag(tag);
    middle_ |= now.place == 'I' && tag[0] == 'M';
    end_ |= now.place == 'E' || now.place == 'S';
    if (begins(before, now)) {
      begun_by_b_ += now.place == 'B' ? 1 : 0;
      begun_by_i_ += now.place == 'I' ? 1 : 0;
    }
    before = now;
  }
}

TagScheme SchemeDetector::scheme() const noexcept {
  if (middle_) {
    return TagScheme::kBmes;
  }
  if (end_) {
    return TagScheme::kBioes;
  }
  return begun_by_i_ > begun_by_b_ ? TagScheme::kIob1 : TagScheme::kIob2;
}

}  // namespace slipway::text
