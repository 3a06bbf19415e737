// Addresses of web pages: taken apart, resolved against the page they stand on (RFC 3986, 5), and brought to one form, so that a page
// has one name: lower-case scheme and host, punycode, no default port, no dot segments, escapes only where they are needed, no
// fragment, no parameters that only track or name a session. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::collect {

inline constexpr size_t kMaxUrlBytes = 2048;  // longer ones are traps or broken (sitemaps.org's limit, too)

struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case, ASCII; an IPv6 address in brackets
  uint16_t port = 0;   // 0: the scheme's own
  std::string path;    // begins with '/'
  std::string query;   // with its '?', or ""

  std::string authority() const;                                      // "example.org:8080"
  std::string origin() const { return scheme + "://" + authority(); }
  std::string target() const { return path + query; }                 // of a request
  std::string text() const { return origin() + path + query; }
};

// An absolute http or https address in canonical form. Nothing for other schemes, names and passwords in it, no host, a host that
// cannot be, or more than kMaxUrlBytes.
std::optional<Url> parse_url(std::string_view text);

// What `reference` means on a page at `base`, likewise.
std::optional<Url> resolve_url(const Url& base, std::string_view reference);

// What two addresses of one page have in common: the address with its parameters sorted.
std::string url_key(const Url& url);

// RFC 3986, 6.2.2: escapes in upper case, none of unreserved characters, others where a byte may not stand. What else is escaped:
// `also`.
std::string normal_escapes(std::string_view text, std::string_view also = {});

}  // namespace slipway::collect
