#include "text/html_scanner.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace slipway::text {
namespace {

constexpr uint8_t kSpace = 1;
constexpr uint8_t kNameEnd = 2;       // of a tag's name
constexpr uint8_t kAttributeEnd = 4;  // of an attribute's name

constexpr auto kKinds = [] {
  std::array<uint8_t, 256> kinds{};
  for (const char c : {' ', '\t', '\n', '\r', '\f'}) {
    kinds[static_cast<uint8_t>(c)] = kSpace | kNameEnd | kAttributeEnd;
  }
  kinds['/'] = kNameEnd | kAttributeEnd;
  kinds['>'] = kNameEnd | kAttributeEnd;
  kinds['='] = kAttributeEnd;
  return kinds;
}();

bool is(char c, uint8_t kind) noexcept { return (kKinds[static_cast<uint8_t>(c)] & kind) != 0; }

bool is_letter(char c) noexcept { return static_cast<unsigned char>((c | 0x20) - 'a') < 26; }

bool same(std::string_view a, std::string_view lower) noexcept {
  return a.size() == lower.size() && std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) {
           return x == y || (is_letter(x) && (x | 0x20) == y);
         });
}

// The first '<' at or after `at` that begins a tag, a comment or a declaration; the page's size when there is none.
size_t find_markup(std::string_view page, size_t at) noexcept {
  while (at + 1 < page.size()) {
    const void* found = std::memchr(page.data() + at, '<', page.size() - at - 1);
    if (found == nullptr) {
      break;
    }
    at = static_cast<size_t>(static_cast<const char*>(found) - page.data());
    const char c = page[at + 1];
    if (is_letter(c) || c == '!' || c == '?' || (c == '/' && at + 2 < page.size())) {
      return at;
    }
    ++at;
  }
  return page.size();
}

}  // namespace

HtmlToken HtmlScanner::next() {
  while (at_ < page_.size()) {
    const size_t markup = page_[at_] == '<' ? find_markup(page_, at_) : find_markup(page_, at_ + 1);
    if (markup > at_) {
      HtmlToken token;
      token.kind = HtmlToken::Kind::kText;
      token.text = page_.substr(at_, markup - at_);
      at_ = markup;
      return token;
    }
    const char c = page_[at_ + 1];
    if (is_letter(c)) {
      return start_tag(at_ + 1);
    }
    if (c == '/' && is_letter(page_[at_ + 2])) {
      return end_tag(at_ + 2);
    }
    at_ = skip_markup(at_);
  }
  return {};
}

HtmlToken HtmlScanner::start_tag(size_t name_begin) {
  size_t end = name_begin;
  while (end < page_.size() && !is(page_[end], kNameEnd)) {
    ++end;
  }
  HtmlToken token;
  token.kind = HtmlToken::Kind::kStart;
  token.name = page_.substr(name_begin, end - name_begin);
  token.info = tag_info(token.name);
  attributes_ = {};
  at_ = read_attributes(end, true, token.self_closing);
  if (token.info.is(tag_trait::kRaw) && !foreign_) {
    token.text = raw_content(token.name);
  }
  return token;
}

HtmlToken HtmlScanner::end_tag(size_t name_begin) {
  size_t end = name_begin;
  while (end < page_.size() && !is(page_[end], kNameEnd)) {
    ++end;
  }
  HtmlToken token;
  token.kind = HtmlToken::Kind::kEnd;
  token.name = page_.substr(name_begin, end - name_begin);
  token.info = tag_info(token.name);
  at_ = read_attributes(end, false, token.self_closing);
  return token;
}

size_t HtmlScanner::skip_markup(size_t at) const {
  if (page_.substr(at, 4) == "<!--") {
    if (page_.substr(at, 5) == "<!-->" || page_.substr(at, 6) == "<!--->") {
      return page_.find('>', at) + 1;
    }
    for (size_t dashes = page_.find("--", at + 4); dashes != std::string_view::npos;
         dashes = page_.find("--", dashes + 1)) {
      if (page_.substr(dashes, 3) == "-->") {
        return dashes + 3;
      }
      if (page_.substr(dashes, 4) == "--!>") {
        return dashes + 4;
      }
    }
    return page_.size();
  }
  if (page_.substr(at, 9) == "<![CDATA[" && foreign_) {
    const size_t end = page_.find("]]>", at);
    return end == std::string_view::npos ? page_.size() : end + 3;
  }
  const size_t end = page_.find('>', at);  // a declaration, or what the standard calls a bogus comment
  return end == std::string_view::npos ? page_.size() : end + 1;
}

size_t HtmlScanner::read_attributes(size_t at, bool keep, bool& self_closing) {
  while (at < page_.size()) {
    const char c = page_[at];
    if (c == '>') {
      return at + 1;
    }
    if (is(c, kSpace) || c == '/') {
      self_closing = c == '/' && at + 1 < page_.size() && page_[at + 1] == '>';
      ++at;
      continue;
    }
    const size_t name_begin = at++;  // a name may begin with '='
    while (at < page_.size() && !is(page_[at], kAttributeEnd)) {
      ++at;
    }
    const std::string_view name = page_.substr(name_begin, at - name_begin);
    while (at < page_.size() && is(page_[at], kSpace)) {
      ++at;
    }
    std::string_view value;
    if (at < page_.size() && page_[at] == '=') {
      ++at;
      while (at < page_.size() && is(page_[at], kSpace)) {
        ++at;
      }
      if (at < page_.size() && (page_[at] == '"' || page_[at] == '\'')) {
        const size_t end = std::min(page_.find(page_[at], at + 1), page_.size());
        value = page_.substr(at + 1, end - at - 1);
        at = std::min(end + 1, page_.size());
      } else {
        const size_t begin = at;
        while (at < page_.size() && page_[at] != '>' && !is(page_[at], kSpace)) {
          ++at;
        }
        value = page_.substr(begin, at - begin);
      }
    }
    if (keep) {
      keep_attribute(name, value);
    }
  }
  return page_.size();
}

void HtmlScanner::keep_attribute(std::string_view name, std::string_view value) {
  const auto take = [&](std::string_view wanted, std::string_view& field) {
    if (field.data() == nullptr && same(name, wanted)) {  // the first of two counts
      field = value.data() == nullptr ? std::string_view("") : value;
    }
  };
  switch (name.size()) {
    case 2: take("id", attributes_.id); break;
    case 3: take("rel", attributes_.relation); break;
    case 4:
      take("role", attributes_.role);
      take("name", attributes_.name);
      take("lang", attributes_.language);
      take("href", attributes_.reference);
      take("type", attributes_.type);
      break;
    case 5:
      take("class", attributes_.class_names);
      take("style", attributes_.style);
      break;
    case 6: attributes_.hidden = attributes_.hidden || same(name, "hidden"); break;
    case 7: take("content", attributes_.content); break;
    case 8:
      take("itemprop", attributes_.item_property);
      take("property", attributes_.property);
      take("datetime", attributes_.date_time);
      break;
    case 11: attributes_.hidden = attributes_.hidden || (same(name, "aria-hidden") && same(value, "true")); break;
    default: break;
  }
}

// From at_ to the end tag `name`, which is passed over. The page's rest when there is none.
std::string_view HtmlScanner::raw_content(std::string_view name) {
  const size_t begin = at_;
  for (size_t at = at_; at < page_.size(); ++at) {
    const void* found = std::memchr(page_.data() + at, '<', page_.size() - at);
    if (found == nullptr) {
      break;
    }
    at = static_cast<size_t>(static_cast<const char*>(found) - page_.data());
    if (at + 2 + name.size() >= page_.size() || page_[at + 1] != '/') {
      continue;
    }
    const std::string_view word = page_.substr(at + 2, name.size());
    const bool equal = std::equal(word.begin(), word.end(), name.begin(), [](char a, char b) {
      return a == b || (is_letter(a) && is_letter(b) && (a | 0x20) == (b | 0x20));
    });
    if (equal && is(page_[at + 2 + name.size()], kNameEnd)) {
      bool ignored = false;
      at_ = read_attributes(at + 2 + name.size(), false, ignored);
      return page_.substr(begin, at - begin);
    }
  }
  at_ = page_.size();
  return page_.substr(begin);
}

}  // namespace slipway::text
