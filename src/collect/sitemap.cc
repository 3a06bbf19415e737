#include "collect/sitemap.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

#include "collect/url.h"
#include "text/html.h"

namespace slipway::collect {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view text) noexcept {
  const size_t begin = text.find_first_not_of(kBlanks);
  return begin == std::string_view::npos ? std::string_view{} : text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// The tags and texts of XML, one after the other, without a check that they fit each other.
class Scanner {
 public:
  enum class Kind { kText, kData, kStart, kEnd, kEndOfFile };
  struct Token {
    Kind kind = Kind::kEndOfFile;
    std::string_view text;  // of text (references not replaced) and CDATA; the name of a tag with its prefix
  };
  explicit Scanner(std::string_view bytes) : rest_(bytes) {}

  Token next() {
    while (!rest_.empty()) {
      if (rest_.front() != '<') {
        return {Kind::kText, take(rest_.find('<'))};
      }
      if (rest_.starts_with("<!--")) {
        skip_behind("-->");
      } else if (rest_.starts_with("<![CDATA[")) {
        rest_.remove_prefix(9);
        const std::string_view data = take(rest_.find("]]>"));
        rest_.remove_prefix(std::min<size_t>(3, rest_.size()));
        return {Kind::kData, data};
      } else if (rest_.starts_with("<?")) {
        skip_behind("?>");
      } else if (rest_.starts_with("<!")) {
        skip_behind(">");
      } else {
        return tag();
      }
    }
    return {};
  }

 private:
  std::string_view take(size_t n) {
    const std::string_view taken = rest_.substr(0, n);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  void skip_behind(std::string_view mark) {
    const size_t at = rest_.find(mark);
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + mark.size());
  }
  Token tag() {
    rest_.remove_prefix(1);
    const Kind kind = rest_.starts_with('/') ? Kind::kEnd : Kind::kStart;
    rest_.remove_prefix(kind == Kind::kEnd ? 1 : 0);
    std::string_view name = take(rest_.find('>'));
    rest_.remove_prefix(std::min<size_t>(1, rest_.size()));
    name = name.substr(0, name.find_first_of(" \t\r\n/"));
    return {kind, name};
  }

  std::string_view rest_;
};

std::string_view local_name(std::string_view name) { return name.substr(name.rfind(':') + 1); }
std::string_view prefix_of(std::string_view name) { return name.substr(0, name.size() - local_name(name).size()); }

// The first tag; what stands before it is skipped.
std::string_view root_of(Scanner& scanner) {
  for (int i = 0; i < 1000; ++i) {
    const Scanner::Token token = scanner.next();
    if (token.kind == Scanner::Kind::kStart) {
      return token.text;
    }
    if (token.kind == Scanner::Kind::kEndOfFile || !trimmed(token.text).empty()) {
      return {};
    }
  }
  return {};
}

std::string_view without_mark(std::string_view bytes) {
  bytes.remove_prefix(bytes.starts_with("\xEF\xBB\xBF") ? 3 : 0);
  return bytes;
}

// False: full.
bool add(std::string url, int64_t modified, Sitemap& map) {
  if (map.urls.size() == kMaxSitemapUrls) {
    map.cut = true;
    return false;
  }
  if (!url.empty() && url.size() <= kMaxUrlBytes) {
    map.urls.push_back(std::move(url));
    map.modified.push_back(modified);
  }
  return true;
}

void read_text(std::string_view bytes, Sitemap& map) {
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::string_view line = trimmed(bytes.substr(0, end));
    bytes.remove_prefix(std::min(bytes.size(), end + 1));
    if ((line.starts_with("http://") || line.starts_with("https://")) && !add(std::string(line), 0, map)) {
      return;
    }
  }
}

// The digits at `at`, as many as are to be there; -1 when they are not.
int digits(std::string_view text, size_t at, size_t n) {
  int value = -1;
  if (at + n <= text.size() && text.substr(at, n).find_first_not_of("0123456789") == std::string_view::npos) {
    std::from_chars(text.data() + at, text.data() + at + n, value);
  }
  return value;
}

// The clock of a date, from its T on, as seconds of the day that it ends at, in UTC; nothing for what is none.
std::optional<int64_t> end_of_clock(std::string_view text) {
  const int hour = digits(text, 1, 2);
  const int minute = digits(text, 4, 2);
  if (text[0] != 'T' || text.size() < 6 || hour < 0 || hour > 24 || text[3] != ':' || minute < 0 || minute > 59) {
    return std::nullopt;
  }
  int64_t end = int64_t{hour} * 3600 + int64_t{minute} * 60 + 59;
  size_t at = 6;
  if (at < text.size() && text[at] == ':') {
    const int second = digits(text, at + 1, 2);
    if (second < 0) {
      return std::nullopt;
    }
    end += second - 59;
    at = text.find_first_not_of("0123456789.", at + 1);
  }
  const std::string_view zone = at < text.size() ? text.substr(at) : "Z";
  if (zone == "Z") {
    return end;
  }
  const int zone_hour = digits(zone, 1, 2);
  const int zone_minute = zone.size() == 6 && zone[3] == ':' ? digits(zone, 4, 2) : -1;
  if ((zone[0] != '+' && zone[0] != '-') || zone_hour < 0 || zone_minute < 0) {
    return std::nullopt;
  }
  const int64_t offset = int64_t{zone_hour} * 3600 + int64_t{zone_minute} * 60;
  return zone[0] == '+' ? end - offset : end + offset;
}

}  // namespace

int64_t time_of_lastmod(std::string_view text) {
  text = trimmed(text);
  const int year = digits(text, 0, 4);
  const bool has_month = text.size() > 4;
  const bool has_day = text.size() > 7;
  const int month = has_month ? (text[4] == '-' ? digits(text, 5, 2) : -1) : 1;
  const int day = has_day ? (text[7] == '-' ? digits(text, 8, 2) : -1) : 1;
  using std::chrono::sys_days;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(std::max(month, 0))),
                                         std::chrono::day(static_cast<unsigned>(std::max(day, 0)))};
  if (year < 1970 || !date.ok()) {
    return 0;
  }
  constexpr int64_t kDay = 86'400;
  const auto begins = [](const std::chrono::year_month_day& of) { return int64_t{sys_days(of).time_since_epoch().count()} * kDay; };
  if (text.size() > 10) {
    const std::optional<int64_t> clock = end_of_clock(text.substr(10));
    return clock ? begins(date) + *clock : 0;
  }
  return has_day     ? begins(date) + kDay - 1
         : has_month ? begins(date + std::chrono::months(1)) - 1
                     : begins(date + std::chrono::years(1)) - 1;
}

bool looks_like_sitemap(std::string_view bytes) {
  Scanner scanner(without_mark(bytes));
  const std::string_view root = local_name(root_of(scanner));
  return root == "urlset" || root == "sitemapindex";
}

Sitemap parse_sitemap(std::string_view bytes) {
  Sitemap map;
  if (bytes.size() > kMaxSitemapBytes) {
    bytes = bytes.substr(0, kMaxSitemapBytes);
    map.cut = true;
  }
  bytes = without_mark(bytes);
  Scanner scanner(bytes);
  const std::string_view root = root_of(scanner);
  map.index = local_name(root) == "sitemapindex";
  if (!map.index && local_name(root) != "urlset") {
    read_text(bytes, map);
    return map;
  }
  // Of the extensions for images and videos, <image:loc> is no page.
  const std::string prefix(prefix_of(root));
  const std::string wanted = prefix + "loc";
  const std::string dated = prefix + "lastmod";
  bool inside = false;
  size_t entry = 0;       // its first address: an entry has its date before or behind it
  int64_t modified = 0;
  std::string url;
  for (Scanner::Token token = scanner.next(); token.kind != Scanner::Kind::kEndOfFile; token = scanner.next()) {
    if (token.kind == Scanner::Kind::kStart || token.kind == Scanner::Kind::kEnd) {
      const bool ends = inside && token.kind == Scanner::Kind::kEnd;
      if (ends && token.text == wanted && !add(std::string(trimmed(url)), modified, map)) {
        return map;
      }
      if (ends && token.text == dated) {
        modified = time_of_lastmod(url);
        if (map.urls.size() > entry) {
          map.modified.back() = modified;
        }
      }
      if (token.kind == Scanner::Kind::kStart && (token.text == prefix + "url" || token.text == prefix + "sitemap")) {
        entry = map.urls.size();
        modified = 0;
      }
      inside = token.kind == Scanner::Kind::kStart && (token.text == wanted || token.text == dated);
      url.clear();
    } else if (inside && url.size() <= kMaxUrlBytes) {
      const std::string_view piece = token.text.substr(0, 2 * kMaxUrlBytes);
      url += token.kind == Scanner::Kind::kData ? std::string(piece) : text::unescape_entities(piece);
    }
  }
  return map;
}

}  // namespace slipway::collect
