#include "text/html_head.h"

#include <algorithm>
#include <fmt/format.h>

#include "text/html.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

constexpr size_t kLongestValue = 500;       // of an author; a title has as many characters as it has
constexpr size_t kMaxLinkedData = 1 << 20;  // bytes of one JSON-LD script that are looked at

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  return lower;
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_date_name(std::string_view name) {
  return is_one_of(name, {"date",
                          "pubdate",
                          "publishdate",
                          "publish-date",
                          "publish_date",
                          "published",
                          "dc.date",
                          "dc.date.issued",
                          "dcterms.created",
                          "dcterms.issued",
                          "dc.date.created",
                          "sailthru.date",
                          "parsely-pub-date",
                          "article.published",
                          "published-date",
                          "publication_date",
                          "citation_publication_date",
                          "originalpublicationdate",
                          "cxenseparse:recs:publishtime",
                          "timestamp",
                          "article_date_original",
                          "article-publish-date",
                          "ptime",
                          "displaydate",
                          "created"});
}

// The value of the first "key": "…" of a JSON text, as it stands there. Objects are looked into: the author's {"name":
// "…"}.
std::string_view json_text(std::string_view json, std::string_view key) {
  for (size_t at = json.find(key); at != std::string_view::npos; at = json.find(key, at + 1)) {
    if (at == 0 || json[at - 1] != '"' || at + key.size() >= json.size() || json[at + key.size()] != '"') {
      continue;
    }
    size_t value = at + key.size() + 1;
    while (value < json.size() && (json[value] == ' ' || json[value] == ':' || json[value] == '\n' ||
                                   json[value] == '\t' || json[value] == '\r')) {
      ++value;
    }
    if (value < json.size() && json[value] == '"') {
      const size_t end = json.find('"', value + 1);
      return end == std::string_view::npos ? std::string_view() : json.substr(value + 1, end - value - 1);
    }
    if (value < json.size() && (json[value] == '{' || json[value] == '[')) {
      return json_text(json.substr(value, std::min<size_t>(json.size() - value, 600)), "name");
    }
  }
  return {};
}

int number(std::string_view digits) {
  int value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') {
      return -1;
    }
    value = value * 10 + (c - '0');
  }
  return digits.empty() ? -1 : value;
}

std::string date_of(int year, int month, int day) {
  constexpr int kDays[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1970 || year > 2100 || month < 1 || month > 12 || day < 1 || day > kDays[month - 1]) {
    return {};
  }
  return fmt::format("{:04}-{:02}-{:02}", year, month, day);
}

int month_named(std::string_view word) {
  constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                          "jul", "aug", "sep", "oct", "nov", "dec"};
  if (word.size() < 3) {
    return -1;
  }
  const std::string lower = ascii_lower(word.substr(0, 3));
  const auto* found = std::find(std::begin(kMonths), std::end(kMonths), lower);
  return found == std::end(kMonths) ? -1 : static_cast<int>(found - std::begin(kMonths)) + 1;
}

}  // namespace

std::string plain_line(std::string_view html) {
  const std::string text = unescape_entities(html);
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const Decoded d = decode_at(text, at);
    if (d.code <= U' ' || is_whitespace(d.code)) {
      if (!out.empty() && out.back() != ' ') {
        out += ' ';
      }
    } else {
      out.append(text, at, d.size);
    }
    at += d.size;
  }
  if (!out.empty() && out.back() == ' ') {
    out.pop_back();
  }
  return out;
}

std::string iso_date(std::string_view text) {
  while (!text.empty() && text.front() == ' ') {
    text.remove_prefix(1);
  }
  // 2019-11-20, 2019/11/20, 2019.11.20, 20191120: what follows is the time of day.
  if (text.size() >= 8 && number(text.substr(0, 4)) > 0) {
    const char separator = text[4];
    if (number(text.substr(0, 8)) > 0) {
      return date_of(number(text.substr(0, 4)), number(text.substr(4, 2)), number(text.substr(6, 2)));
    }
    if (text.size() >= 10 && (separator == '-' || separator == '/' || separator == '.') && text[7] == separator) {
      return date_of(number(text.substr(0, 4)), number(text.substr(5, 2)), number(text.substr(8, 2)));
    }
    return {};
  }
  // Words and numbers: a month's name, a day, a year, in any order.
  int year = -1;
  int month = -1;
  int day = -1;
  for (size_t at = 0; at < text.size() && at < 80;) {
    const auto kind = [&](size_t i) {
      const char c = text[i];
      return c >= '0' && c <= '9' ? 1 : ((c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? 2 : 0);
    };
    size_t end = at + 1;
    while (kind(at) != 0 && end < text.size() && kind(end) == kind(at)) {
      ++end;
    }
    const std::string_view word = text.substr(at, end - at);
    if (kind(at) == 1 && word.size() == 4 && year < 0) {
      year = number(word);
    } else if (kind(at) == 1 && word.size() <= 2 && day < 0) {
      day = number(word);
    } else if (kind(at) == 2 && month < 0) {
      month = month_named(word);
    }
    at = end;
  }
  return year > 0 && month > 0 && day > 0 ? date_of(year, month, day) : std::string();
}

void HtmlHead::keep(Found& found, Source source, std::string_view value) {
  if (found[source].empty() && !value.empty() && value.size() <= kLongestValue) {
    found[source] = value;
  }
}

void HtmlHead::see(const HtmlToken& token, const TagAttributes& a) {
  switch (token.info.tag) {
    case Tag::kTitle:
      if (title_.empty()) {
        title_ = plain_line(token.text);
      }
      return;
    case Tag::kHtml:
      if (language_.empty()) {
        language_ = ascii_lower(a.language);
      }
      return;
    case Tag::kMeta: see_meta(a); return;
    case Tag::kScript:
      if (a.type.find("ld+json") != std::string_view::npos) {
        see_linked_data(token.text.substr(0, kMaxLinkedData));
      }
      return;
    case Tag::kTime:
      if (a.item_property == "datePublished") {
        keep(date_, kMicrodata, iso_date(a.date_time));
      } else {
        keep(date_, kMarked, iso_date(a.date_time));
      }
      return;
    default:
      if (!a.item_property.empty() && a.item_property == "datePublished") {
        keep(date_, kMicrodata, iso_date(a.content.empty() ? a.date_time : a.content));
      }
  }
}

void HtmlHead::see_meta(const TagAttributes& a) {
  if (a.content.empty()) {
    return;
  }
  if (a.property == "og:title") {
    if (open_graph_title_.empty()) {
      open_graph_title_ = plain_line(a.content);
    }
    return;
  }
  const std::string property = ascii_lower(a.property);
  const std::string name = ascii_lower(a.name);
  if (property == "article:published_time" || property == "og:article:published_time" ||
      name == "article:published_time") {
    keep(date_, kOpenGraph, iso_date(a.content));
  } else if (a.item_property == "datePublished" || a.item_property == "dateCreated") {
    keep(date_, kMicrodata, iso_date(a.content));
  } else if (is_date_name(name) || is_date_name(property)) {
    keep(date_, kNamed, iso_date(a.content));
  } else if (is_one_of(name, {"author", "byl", "dc.creator", "sailthru.author", "parsely-author", "citation_author",
                              "article:author"}) ||
             property == "author") {
    keep(author_, kNamed, plain_line(a.content));
  } else if (property == "article:author" && a.content.find("://") == std::string_view::npos) {
    keep(author_, kOpenGraph, plain_line(a.content));
  }
}

void HtmlHead::see_linked_data(std::string_view json) {
  keep(date_, kLinkedData, iso_date(json_text(json, "datePublished")));
  const std::string_view author = json_text(json, "author");
  if (author.find("\\u") == std::string_view::npos && author.find("://") == std::string_view::npos) {
    keep(author_, kLinkedData, plain_line(author));
  }
}

void HtmlHead::move_to(HtmlPage& page) {
  const auto best = [](Found& found) {
    const auto at = std::find_if(found.begin(), found.end(), [](const std::string& value) { return !value.empty(); });
    return at == found.end() ? std::string() : std::move(*at);
  };
  page.title = std::move(title_);
  page.open_graph_title = std::move(open_graph_title_);
  page.language = std::move(language_);
  page.date = best(date_);
  page.author = best(author_);
}

}  // namespace slipway::text
