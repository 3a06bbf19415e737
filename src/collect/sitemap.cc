#include "collect/sitemap.h"

#include <algorithm>

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
bool add(std::string url, Sitemap& map) {
  if (map.urls.size() == kMaxSitemapUrls) {
    map.cut = true;
    return false;
  }
  if (!url.empty() && url.size() <= kMaxUrlBytes) {
    map.urls.push_back(std::move(url));
  }
  return true;
}

void read_text(std::string_view bytes, Sitemap& map) {
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::string_view line = trimmed(bytes.substr(0, end));
    bytes.remove_prefix(std::min(bytes.size(), end + 1));
    if ((line.starts_with("http://") || line.starts_with("https://")) && !add(std::string(line), map)) {
      return;
    }
  }
}

}  // namespace

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
  const std::string wanted = std::string(prefix_of(root)) + "loc";
  bool inside = false;
  std::string url;
  for (Scanner::Token token = scanner.next(); token.kind != Scanner::Kind::kEndOfFile; token = scanner.next()) {
    if (token.kind == Scanner::Kind::kStart || token.kind == Scanner::Kind::kEnd) {
      const bool ends = inside && token.kind == Scanner::Kind::kEnd && token.text == wanted;
      if (ends && !add(std::string(trimmed(url)), map)) {
        return map;
      }
      inside = token.kind == Scanner::Kind::kStart && token.text == wanted;
      url.clear();
    } else if (inside && url.size() <= kMaxUrlBytes) {
      const std::string_view piece = token.text.substr(0, 2 * kMaxUrlBytes);
      url += token.kind == Scanner::Kind::kData ? std::string(piece) : text::unescape_entities(piece);
    }
  }
  return map;
}

}  // namespace slipway::collect
