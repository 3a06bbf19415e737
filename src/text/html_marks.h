// What the names of an element's classes and its id say about it. The lists are words that themes of many sites share.
// Constant; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace slipway::text {

namespace html_mark {
constexpr uint8_t kAround = 1;   // menus, sharing, comments, advertisements, ...: not the main text
constexpr uint8_t kContent = 2;  // the main text stands inside
constexpr uint8_t kAside = 4;    // belongs to the text, but is not it: captions, bylines, teasers, notices
}  // namespace html_mark

// The marks of a class or id attribute: its words, split at spaces, '-', '_', ':' and where lower case meets upper case
// ("entry-content", "articleBody").
uint8_t html_marks(std::string_view attribute) noexcept;

}  // namespace slipway::text
