#include "collect/page_links.h"

#include <algorithm>
#include <unordered_set>

#include "text/html.h"
#include "text/html_scanner.h"

namespace slipway::collect {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

// Calls `see` with each word of a list between commas and blanks.
template <class See>
void each_word(std::string_view list, const See& see) {
  constexpr std::string_view kBetween = ", \t\r\n";
  while (true) {
    const size_t begin = list.find_first_not_of(kBetween);
    if (begin == std::string_view::npos) {
      return;
    }
    list.remove_prefix(begin);
    const std::string_view word = list.substr(0, list.find_first_of(kBetween));
    see(word);
    list.remove_prefix(word.size());
  }
}

bool has_word(std::string_view list, std::string_view wanted) {
  bool found = false;
  each_word(list, [&](std::string_view word) { found = found || same(word, wanted); });
  return found;
}

// "5; url='/next'" -> "/next".
std::string_view refresh_target(std::string_view content) {
  std::string_view rest = content.substr(std::min(content.find(';'), content.size()));
  for (size_t at = 0; at + 4 <= rest.size(); ++at) {
    if (same(rest.substr(at, 4), "url=")) {
      rest.remove_prefix(at + 4);
      const bool quoted = rest.starts_with('"') || rest.starts_with('\'');
      return quoted ? rest.substr(1, rest.find(rest.front(), 1) - 1) : rest;
    }
  }
  return {};
}

class Collector {
 public:
  Collector(const Url& url, std::string_view agent) : base_(url), agent_(agent) {}

  void see(std::string_view name, const text::TagAttributes& tag) {
    if (same(name, "a") || same(name, "area")) {
      add(tag.reference, tag.relation);
    } else if (same(name, "base")) {
      if (!based_ && !tag.reference.empty()) {
        based_ = true;
        base_ = resolved(tag.reference).value_or(base_);
      }
    } else if (same(name, "link")) {
      if (has_word(tag.relation, "canonical")) {
        page.canonical = page.canonical ? page.canonical : resolved(tag.reference);
      } else if (has_word(tag.relation, "next") || has_word(tag.relation, "prev") ||
                 (has_word(tag.relation, "alternate") && (tag.type.empty() || tag.type.find("html") != std::string_view::npos))) {
        add(tag.reference, tag.relation);
      }
    } else if (same(name, "meta")) {
      see_meta(tag);
    }
  }

  PageLinks page;

 private:
  void see_meta(const text::TagAttributes& tag) {
    if (same(tag.name, "robots") || (!agent_.empty() && same(tag.name, agent_))) {
      page.wishes.add(tag.content);
    } else if (same(tag.name, "tdm-reservation")) {
      page.wishes.no_ai = page.wishes.no_ai || tag.content == "1";
    } else if (tag.name.empty() && tag.property.empty()) {  // http-equiv
      add(refresh_target(tag.content), {});
    }
  }
  std::optional<Url> resolved(std::string_view reference) const {
    return resolve_url(base_, text::unescape_entities(reference.substr(0, 4 * kMaxUrlBytes)));
  }
  void add(std::string_view reference, std::string_view relation) {
    if (reference.empty() || reference.starts_with('#') || page.links.size() == kMaxLinks || has_word(relation, "nofollow")) {
      return;
    }
    std::optional<Url> url = resolved(reference);
    if (url && seen_.insert(url->text()).second) {
      page.links.push_back(std::move(*url));
    }
  }

  Url base_;
  std::string_view agent_;
  bool based_ = false;
  std::unordered_set<std::string> seen_;
};

}  // namespace

void RobotsWishes::add(std::string_view list) {
  each_word(list, [&](std::string_view word) {
    const bool none = same(word, "none");
    no_index = no_index || none || same(word, "noindex");
    no_follow = no_follow || none || same(word, "nofollow");
    no_ai = no_ai || same(word, "noai");
  });
}

void RobotsWishes::add_header(std::string_view value, std::string_view agent) {
  const size_t colon = value.find(':');
  const std::string_view named = value.substr(0, colon);
  // "unavailable_after: 25 Jun 2030" has a colon and names no agent.
  if (colon != std::string_view::npos && named.find(',') == std::string_view::npos) {
    if (!same(named, agent)) {
      return;
    }
    value.remove_prefix(colon + 1);
  }
  add(value);
}

PageLinks links_of(std::string_view html, const Url& url, std::string_view agent) {
  Collector collector(url, agent);
  text::HtmlScanner scanner(html);
  for (text::HtmlToken token = scanner.next(); token.kind != text::HtmlToken::Kind::kEndOfPage; token = scanner.next()) {
    if (token.kind == text::HtmlToken::Kind::kStart) {
      collector.see(token.name, scanner.attributes());
    }
  }
  return std::move(collector.page);
}

}  // namespace slipway::collect
