// The little of XML that S3's answers need: elements by name, without attributes that matter, none inside its like.
#include <array>

#include "store/s3.h"

namespace slipway::store {
namespace {

constexpr size_t kMaxText = size_t{64} << 10;

struct Element {
  std::string_view inside;
  size_t end = 0;  // behind it
};

std::string tag(std::string_view name, const char* begin) { return begin + std::string(name); }

std::optional<Element> next_element(std::string_view xml, std::string_view name, size_t from) {
  const std::string open = tag(name, "<");
  const std::string close = tag(name, "</") + ">";
  for (size_t at = xml.find(open, from); at != std::string_view::npos; at = xml.find(open, at + 1)) {
    const size_t behind = at + open.size();
    if (behind >= xml.size() || (xml[behind] != '>' && xml[behind] != ' ')) {
      continue;  // a longer name
    }
    const size_t begin = xml.find('>', behind);
    const size_t end = begin == std::string_view::npos ? begin : xml.find(close, begin);
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    return Element{xml.substr(begin + 1, end - begin - 1), end + close.size()};
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string_view> xml_elements(std::string_view xml, std::string_view name) {
  std::vector<std::string_view> found;
  size_t from = 0;
  while (const auto element = next_element(xml, name, from)) {
    found.push_back(element->inside);
    from = element->end;
  }
  return found;
}

std::string xml_text(std::string_view xml, std::string_view name) {
  const auto element = next_element(xml, name, 0);
  if (!element || element->inside.size() > kMaxText) {
    return {};
  }
  static constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
      {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};
  std::string text;
  for (size_t i = 0; i < element->inside.size();) {
    bool entity = false;
    for (const auto& [word, character] : kEntities) {
      if (element->inside.substr(i).starts_with(word)) {
        text += character;
        i += word.size();
        entity = true;
        break;
      }
    }
    if (!entity) {
      text += element->inside[i++];
    }
  }
  return text;
}

}  // namespace slipway::store
