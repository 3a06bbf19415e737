#include "text/html_marks.h"

#include <array>

namespace slipway::text {
namespace {

constexpr uint32_t kSeed = 2166136261U;

constexpr uint32_t step(uint32_t hash, char c) noexcept {
  return (hash ^ static_cast<uint8_t>(c >= 'A' && c <= 'Z' ? c + 32 : c)) * 16777619U;
}

constexpr uint32_t hash_of(std::string_view word) noexcept {
  uint32_t hash = kSeed;
  for (const char c : word) {
    hash = step(hash, c);
  }
  return hash;
}

constexpr std::string_view kAroundWords[] = {"nav",
                                             "navbar",
                                             "navigation",
                                             "menu",
                                             "menus",
                                             "sidebar",
                                             "footer",
                                             "comment",
                                             "comments",
                                             "share",
                                             "sharing",
                                             "sharedaddy",
                                             "social",
                                             "related",
                                             "breadcrumb",
                                             "breadcrumbs",
                                             "cookie",
                                             "cookies",
                                             "banner",
                                             "advert",
                                             "adverts",
                                             "advertisement",
                                             "advertising",
                                             "ads",
                                             "adsense",
                                             "promo",
                                             "promos",
                                             "promotion",
                                             "newsletter",
                                             "newsletters",
                                             "subscribe",
                                             "subscription",
                                             "signup",
                                             "popup",
                                             "modal",
                                             "widget",
                                             "widgets",
                                             "toolbar",
                                             "pagination",
                                             "pager",
                                             "disqus",
                                             "recommended",
                                             "recommendations",
                                             "recommend",
                                             "trending",
                                             "sponsored",
                                             "sponsor",
                                             "outbrain",
                                             "taboola",
                                             "masthead",
                                             "copyright",
                                             "disclaimer",
                                             "skip",
                                             "login",
                                             "signin",
                                             "register",
                                             "respond",
                                             "reply",
                                             "replies",
                                             "popular",
                                             "overlay",
                                             "carousel",
                                             "slideshow",
                                             "gallery",
                                             "lightbox",
                                             "consent",
                                             "gdpr",
                                             "offcanvas",
                                             "topbar",
                                             "colophon",
                                             "aside",
                                             "latest",
                                             "mostread",
                                             "readmore",
                                             "morefrom",
                                             "ticker",
                                             "shoutbox",
                                             "donate",
                                             "donation",
                                             "rail",
                                             "zergnet",
                                             "revcontent",
                                             "follow",
                                             "followus",
                                             "addthis",
                                             "sharethis",
                                             "feedback",
                                             "poll",
                                             "survey",
                                             "upsell",
                                             "nextpost",
                                             "prevpost",
                                             "backlinks",
                                             "trackbacks",
                                             "pingbacks"};

constexpr std::string_view kContentWords[] = {"articlebody", "articlecontent", "articletext", "entrycontent",
                                              "postcontent", "posttext",       "storybody",   "storycontent",
                                              "storytext",   "bodytext",       "postbody",    "newsbody"};

constexpr std::string_view kAsideWords[] = {
    "caption",   "captions",  "figcaption", "byline",     "author",   "authors",   "bio",         "dateline",
    "timestamp", "published", "pubdate",    "postmeta",   "metadata", "credit",    "credits",     "teaser",
    "teasers",   "tags",      "tagcloud",   "tag",        "print",    "printonly", "noprint",     "rating",
    "ratings",   "kicker",    "category",   "categories", "breaking", "toc",       "imagecredit", "photocredit",
    "posted",    "postinfo",  "updated",    "standfirst"};

struct Slot {
  uint32_t hash = 0;
  uint8_t marks = 0;
};
constexpr size_t kSlots = 1024;

constexpr auto kTable = [] {
  std::array<Slot, kSlots> table{};
  const auto put = [&](std::string_view word, uint8_t marks) {
    const uint32_t hash = hash_of(word);
    size_t slot = hash % kSlots;
    while (table[slot].marks != 0 && table[slot].hash != hash) {
      slot = (slot + 1) % kSlots;
    }
    table[slot] = {hash, marks};
  };
  for (const std::string_view word : kAroundWords) {
    put(word, html_mark::kAround);
  }
  for (const std::string_view word : kContentWords) {
    put(word, html_mark::kContent);
  }
  for (const std::string_view word : kAsideWords) {
    put(word, html_mark::kAside);
  }
  return table;
}();

uint8_t marks_of(uint32_t hash) noexcept {
  for (size_t slot = hash % kSlots; kTable[slot].marks != 0; slot = (slot + 1) % kSlots) {
    if (kTable[slot].hash == hash) {
      return kTable[slot].marks;
    }
  }
  return 0;
}

bool is_separator(char c) noexcept {
  return c == ' ' || c == '-' || c == '_' || c == '\t' || c == '\n' || c == '\r' || c == ':' || c == '/' || c == '.';
}
bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }

}  // namespace

uint8_t html_marks(std::string_view attribute) noexcept {
  uint8_t marks = 0;
  uint32_t word = kSeed;  // since the last separator or change of case
  uint32_t pair = kSeed;  // the two last words of one name, joined: "entry-content"
  bool empty = true;
  for (size_t i = 0; i <= attribute.size(); ++i) {
    const bool end = i == attribute.size() || is_separator(attribute[i]);
    const bool hump = !end && i > 0 && is_upper(attribute[i]) && is_lower(attribute[i - 1]);
    if ((end || hump) && !empty) {
      marks = static_cast<uint8_t>(marks | marks_of(word) | marks_of(pair));
      pair = word;
      word = kSeed;
      empty = true;
    }
    if (end) {
      if (i < attribute.size() && attribute[i] <= ' ') {
        pair = kSeed;
      }
      continue;
    }
    word = step(word, attribute[i]);
    pair = step(pair, attribute[i]);
    empty = false;
  }
  return marks;
}

}  // namespace slipway::text
