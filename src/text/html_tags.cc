#include "text/html_tags.h"

#include <array>

namespace slipway::text {
namespace {

using namespace tag_trait;  // NOLINT: the traits' own file

struct Row {
  std::string_view name;
  TagInfo info;
};

constexpr Row kRows[] = {
    {"a", {Tag::kA, kInline}},
    {"abbr", {Tag::kOther, kInline}},
    {"address", {Tag::kOther, kClosesP}},
    {"area", {Tag::kOther, kVoid | kInline}},
    {"article", {Tag::kArticle, kClosesP}},
    {"aside", {Tag::kAside, kAround | kClosesP}},
    {"audio", {Tag::kOther, kUnseen | kInline}},
    {"b", {Tag::kOther, kInline}},
    {"base", {Tag::kOther, kVoid | kInline}},
    {"blockquote", {Tag::kBlockquote, kClosesP}},
    {"body", {Tag::kBody, 0}},
    {"br", {Tag::kBr, kVoid | kInline}},
    {"button", {Tag::kOther, kAround}},
    {"canvas", {Tag::kOther, kUnseen | kInline}},
    {"caption", {Tag::kCaption, 0}},
    {"center", {Tag::kDiv, kClosesP}},
    {"col", {Tag::kOther, kVoid}},
    {"dd", {Tag::kDd, kClosesP}},
    {"details", {Tag::kDiv, kClosesP}},
    {"dialog", {Tag::kAside, kAround | kClosesP}},
    {"div", {Tag::kDiv, kClosesP}},
    {"dl", {Tag::kUl, kClosesP}},
    {"dt", {Tag::kDt, kClosesP}},
    {"embed", {Tag::kOther, kVoid | kUnseen | kInline}},
    {"fieldset", {Tag::kDiv, kClosesP}},
    {"figcaption", {Tag::kFigcaption, kAround | kClosesP}},
    {"figure", {Tag::kFigure, kClosesP}},
    {"footer", {Tag::kFooter, kAround | kClosesP}},
    {"form", {Tag::kDiv, kClosesP}},
    {"h1", {Tag::kH1, kClosesP}},
    {"h2", {Tag::kH2, kClosesP}},
    {"h3", {Tag::kH3, kClosesP}},
    {"h4", {Tag::kH4, kClosesP}},
    {"h5", {Tag::kH5, kClosesP}},
    {"h6", {Tag::kH6, kClosesP}},
    {"head", {Tag::kHead, kUnseen}},
    {"header", {Tag::kHeader, kAround | kClosesP}},
    {"hgroup", {Tag::kDiv, kClosesP}},
    {"hr", {Tag::kHr, kVoid | kClosesP}},
    {"html", {Tag::kHtml, 0}},
    {"iframe", {Tag::kOther, kRaw | kUnseen | kInline}},
    {"img", {Tag::kImg, kVoid | kInline}},
    {"input", {Tag::kOther, kVoid | kInline}},
    {"label", {Tag::kOther, kAround | kInline}},
    {"li", {Tag::kLi, kClosesP}},
    {"link", {Tag::kLink, kVoid | kInline}},
    {"main", {Tag::kMain, kClosesP}},
    {"math", {Tag::kOther, kUnseen | kInline}},
    {"menu", {Tag::kNav, kAround | kClosesP}},
    {"meta", {Tag::kMeta, kVoid | kInline}},
    {"nav", {Tag::kNav, kAround | kClosesP}},
    {"noembed", {Tag::kOther, kRaw | kUnseen | kInline}},
    {"noframes", {Tag::kOther, kRaw | kUnseen}},
    {"noscript", {Tag::kOther, kRaw | kUnseen | kInline}},
    {"object", {Tag::kOther, kUnseen | kInline}},
    {"ol", {Tag::kOl, kClosesP}},
    {"optgroup", {Tag::kOption, 0}},
    {"option", {Tag::kOption, 0}},
    {"p", {Tag::kP, kClosesP}},
    {"param", {Tag::kOther, kVoid | kInline}},
    {"pre", {Tag::kPre, kClosesP}},
    {"script", {Tag::kScript, kRaw | kUnseen | kInline}},
    {"search", {Tag::kNav, kAround | kClosesP}},
    {"section", {Tag::kSection, kClosesP}},
    {"select", {Tag::kSelect, kAround}},
    {"source", {Tag::kOther, kVoid | kInline}},
    {"span", {Tag::kSpan, kInline}},
    {"style", {Tag::kOther, kRaw | kUnseen | kInline}},
    {"summary", {Tag::kDiv, kClosesP}},
    {"svg", {Tag::kSvg, kUnseen | kInline}},
    {"table", {Tag::kTable, kClosesP}},
    {"tbody", {Tag::kTbody, 0}},
    {"td", {Tag::kTd, 0}},
    {"template", {Tag::kOther, kUnseen}},
    {"textarea", {Tag::kTextarea, kRaw | kAround}},
    {"tfoot", {Tag::kTbody, 0}},
    {"th", {Tag::kTh, 0}},
    {"thead", {Tag::kTbody, 0}},
    {"time", {Tag::kTime, kInline}},
    {"title", {Tag::kTitle, kRaw | kUnseen}},
    {"tr", {Tag::kTr, 0}},
    {"track", {Tag::kOther, kVoid | kInline}},
    {"ul", {Tag::kUl, kClosesP}},
    {"video", {Tag::kOther, kUnseen | kInline}},
    {"wbr", {Tag::kOther, kVoid | kInline}},
    {"xmp", {Tag::kPre, kRaw | kClosesP}},
};

// FNV-1a of the name in lower case, 32 bits; kSlots is the smallest power of two that leaves most slots free.
constexpr size_t kSlots = 512;
constexpr size_t kLongestName = 10;  // blockquote, figcaption

constexpr uint32_t hash_of(std::string_view name) noexcept {
  uint32_t hash = 2166136261U;
  for (const char c : name) {
    hash = (hash ^ static_cast<uint8_t>(c >= 'A' && c <= 'Z' ? c + 32 : c)) * 16777619U;
  }
  return hash ^ (hash >> 15);
}

constexpr auto kTable = [] {
  std::array<uint8_t, kSlots> table{};  // row + 1, 0: free
  for (size_t row = 0; row < std::size(kRows); ++row) {
    size_t slot = hash_of(kRows[row].name) % kSlots;
    while (table[slot] != 0) {
      slot = (slot + 1) % kSlots;
    }
    table[slot] = static_cast<uint8_t>(row + 1);
  }
  return table;
}();

constexpr bool same_name(std::string_view name, std::string_view lower) noexcept {
  if (name.size() != lower.size()) {
    return false;
  }
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != lower[i]) {
      return false;
    }
  }
  return true;
}

}  // namespace

TagInfo tag_info(std::string_view name) noexcept {
  if (name.size() <= kLongestName) {
    for (size_t slot = hash_of(name) % kSlots; kTable[slot] != 0; slot = (slot + 1) % kSlots) {
      const Row& row = kRows[kTable[slot] - 1U];
      if (same_name(name, row.name)) {
        return row.info;
      }
    }
  }
  return {Tag::kOther, kInline};
}

}  // namespace slipway::text
