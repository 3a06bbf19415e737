// The elements of HTML that extraction treats in a way of their own. Constant; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace slipway::text {

enum class Tag : uint8_t {
  kOther,
  kA,
  kArticle,
  kAside,
  kBlockquote,
  kBody,
  kBr,
  kCaption,
  kDd,
  kDiv,
  kDt,
  kFigcaption,
  kFigure,
  kFooter,
  kH1,
  kH2,
  kH3,
  kH4,
  kH5,
  kH6,
  kHead,
  kHeader,
  kHr,
  kHtml,
  kImg,
  kLi,
  kLink,
  kMain,
  kMeta,
  kNav,
  kOl,
  kOption,
  kP,
  kPre,
  kScript,
  kSection,
  kSelect,
  kSpan,
  kSvg,
  kTable,
  kTbody,
  kTd,
  kTextarea,
  kTh,
  kTime,
  kTitle,
  kTr,
  kUl
};

// What an element is to the reader of a page; several at once.
namespace tag_trait {
constexpr uint8_t kInline = 1;    // part of the line it stands in
constexpr uint8_t kVoid = 2;      // has no content and no end tag
constexpr uint8_t kRaw = 4;       // its content is no markup: up to its end tag
constexpr uint8_t kUnseen = 8;    // its content is not text of the page
constexpr uint8_t kAround = 16;   // stands around the main text
constexpr uint8_t kClosesP = 32;  // ends an open paragraph
}  // namespace tag_trait

struct TagInfo {
  Tag tag = Tag::kOther;
  uint8_t traits = 0;
  bool is(uint8_t trait) const noexcept { return (traits & trait) != 0; }
};

// By name, any case. Unknown elements are inline, as browsers show them. O(1).
TagInfo tag_info(std::string_view name) noexcept;

constexpr bool is_heading(Tag tag) noexcept { return tag >= Tag::kH1 && tag <= Tag::kH6; }

}  // namespace slipway::text
