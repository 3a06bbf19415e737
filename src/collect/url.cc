#include "collect/url.h"

#include <algorithm>
#include <array>
#include <arpa/inet.h>
#include <charconv>
#include <idn2.h>
#include <vector>

#include "base/shared_library.h"

namespace slipway::collect {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

bool is_alnum(char c) noexcept { return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z'); }
bool is_unreserved(char c) noexcept { return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~'; }

// What may stand in a path or a query unescaped besides unreserved characters: RFC 3986's reserved ones, and those that servers see
// unescaped in practice.
bool may_stand(char c) noexcept {
  constexpr std::string_view kReserved = ":/?@!$&'()*+,;=[]|";
  return is_unreserved(c) || kReserved.find(c) != std::string_view::npos;
}

void append_escape(unsigned char c, std::string& out) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  out += '%';
  out += kDigits[c >> 4];
  out += kDigits[c & 15];
}

// As browsers read an address: blanks and controls around it are not part of it, nor are line breaks and tabs in it.
std::string cleaned(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') {
    text.remove_prefix(1);
  }
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') {
    text.remove_suffix(1);
  }
  std::string out;
  out.reserve(text.size());
  std::copy_if(text.begin(), text.end(), std::back_inserter(out), [](char c) { return c != '\n' && c != '\r' && c != '\t'; });
  return out;
}

// RFC 3986, 5.2.4.
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> kept;
  bool folder = false;
  path.remove_prefix(path.starts_with('/') ? 1 : 0);
  for (bool more = true; more;) {
    const size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    more = slash != std::string_view::npos;
    folder = segment == "." || segment == "..";
    if (segment == "..") {
      if (!kept.empty()) {
        kept.pop_back();
      }
    } else if (segment != ".") {
      kept.push_back(segment);
    }
    path.remove_prefix(more ? slash + 1 : path.size());
  }
  std::string out;
  for (const std::string_view segment : kept) {
    out.append("/").append(segment);
  }
  if (folder || out.empty()) {
    out += '/';
  }
  return out;
}

// Parameters that say where a reader came from or who he is, and not what is shown.
bool only_tracks(std::string_view name) {
  constexpr std::array<std::string_view, 18> kNames = {"gclid",     "fbclid", "msclkid", "dclid", "yclid",      "gbraid", "wbraid",
                                                       "igshid",    "mc_cid", "mc_eid",  "_ga",   "_gl",        "twclid", "ttclid",
                                                       "phpsessid", "cfid",   "cftoken", "jsessionid"};
  const std::string key = lowered(name);
  return key.starts_with("utm_") || key.starts_with("aspsessionid") || std::find(kNames.begin(), kNames.end(), key) != kNames.end();
}

std::vector<std::string_view> parameters_of(std::string_view query) {
  std::vector<std::string_view> all;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    if (end > 0) {
      all.push_back(query.substr(0, end));
    }
    query.remove_prefix(std::min(query.size(), end + 1));
  }
  return all;
}

std::string joined(const std::vector<std::string_view>& parameters) {
  std::string out;
  for (const std::string_view parameter : parameters) {
    out += out.empty() ? '?' : '&';
    out += parameter;
  }
  return out;
}

std::string canonical_query(std::string_view query) {
  const std::string normal = normal_escapes(query);
  std::vector<std::string_view> kept = parameters_of(normal);
  std::erase_if(kept, [](std::string_view parameter) { return only_tracks(parameter.substr(0, parameter.find('='))); });
  return joined(kept);
}

// "/a;jsessionid=1F/b" without the session, however many it has.
std::string without_session(std::string path) {
  constexpr std::string_view kSession = ";jsessionid=";
  std::string small = lowered(path);
  for (size_t at = small.find(kSession); at != std::string::npos; at = small.find(kSession, at)) {
    const size_t size = std::min(path.find('/', at), path.size()) - at;
    path.erase(at, size);
    small.erase(at, size);
  }
  return path;
}

std::optional<std::string> punycode(const std::string& host) {
  static const base::SharedLibrary kLibrary({"libidn2.so.0", "names of hosts beyond ASCII", "libidn2-0", "2.0"});
  struct Functions {
    decltype(&::idn2_lookup_u8) lookup;
    decltype(&::idn2_free) release;
  };
  static const Functions kFunctions = [] {
    Functions functions{};
    kLibrary.find("idn2_lookup_u8", functions.lookup);
    kLibrary.find("idn2_free", functions.release);
    return functions;
  }();
  uint8_t* out = nullptr;
  const auto* bytes = reinterpret_cast<const uint8_t*>(host.c_str());  // NOLINT: the library's type for UTF-8
  if (kFunctions.lookup(bytes, &out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK || out == nullptr) {
    return std::nullopt;
  }
  std::string ascii(reinterpret_cast<const char*>(out));  // NOLINT
  kFunctions.release(out);
  return ascii;
}

std::optional<std::string> canonical_host(std::string_view text) {
  if (text.starts_with('[')) {
    in6_addr address{};
    std::array<char, INET6_ADDRSTRLEN> printed{};
    if (text.size() < 4 || !text.ends_with(']') ||
        inet_pton(AF_INET6, std::string(text.substr(1, text.size() - 2)).c_str(), &address) != 1) {
      return std::nullopt;
    }
    inet_ntop(AF_INET6, &address, printed.data(), printed.size());
    return "[" + std::string(printed.data()) + "]";
  }
  std::string host;
  bool ascii = true;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      c = static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    }
    ascii = ascii && static_cast<unsigned char>(c) < 0x80;
    host += lower(c);
  }
  if (!ascii) {
    std::optional<std::string> encoded = host.find('\0') == std::string::npos ? punycode(host) : std::nullopt;
    if (!encoded) {
      return std::nullopt;
    }
    host = lowered(*encoded);
  }
  if (host.ends_with('.')) {
    host.pop_back();
  }
  const bool sane = !host.empty() && host.size() <= 253 && host.front() != '.' && host.back() != '.' && host.find("..") == std::string::npos &&
                    std::all_of(host.begin(), host.end(), [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
  return sane ? std::optional(host) : std::nullopt;
}

bool read_port(std::string_view text, const std::string& scheme, uint16_t& port) {
  if (text.empty()) {
    return true;  // "host:" is the default port
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    return false;
  }
  port = port == (scheme == "https" ? 443 : 80) ? 0 : port;
  return true;
}

// `rest` begins behind "//".
std::optional<Url> with_authority(std::string scheme, std::string_view rest) {
  const size_t end = std::min(rest.find_first_of("/\\?"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  if (authority.find('@') != std::string_view::npos) {
    return std::nullopt;
  }
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  Url url;
  url.scheme = std::move(scheme);
  std::optional<std::string> host = canonical_host(authority.substr(0, colon));
  if (!host || (colon != std::string_view::npos && !read_port(authority.substr(colon + 1), url.scheme, url.port))) {
    return std::nullopt;
  }
  url.host = std::move(*host);
  rest.remove_prefix(end);
  url.path = rest.substr(0, rest.find('?'));
  url.query = rest.substr(std::min(url.path.size(), rest.size()));
  return url;
}

// Path and query as they stand to their canonical form.
std::optional<Url> finished(Url url) {
  std::replace(url.path.begin(), url.path.end(), '\\', '/');
  url.path = without_dots(without_session(normal_escapes(url.path)));  // "..;jsessionid=1" is ".."
  url.query = canonical_query(url.query.empty() ? std::string_view{} : std::string_view(url.query).substr(1));
  return url.text().size() <= kMaxUrlBytes ? std::optional(std::move(url)) : std::nullopt;
}

// The length of the scheme at the beginning ("mailto" of "mailto:x"), 0 without one.
size_t scheme_length(std::string_view text) noexcept {
  const size_t colon = text.find(':');
  const bool scheme = colon != std::string_view::npos && colon > 0 && !(text[0] >= '0' && text[0] <= '9') &&
                      std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon),
                                  [](char c) { return is_alnum(c) || c == '+' || c == '-' || c == '.'; });
  return scheme ? colon : 0;
}

}  // namespace

std::string normal_escapes(std::string_view text, std::string_view also) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      const auto byte = static_cast<unsigned char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      if (is_unreserved(static_cast<char>(byte))) {
        out += static_cast<char>(byte);
      } else {
        append_escape(byte, out);
      }
      i += 2;
    } else if (may_stand(c) && also.find(c) == std::string_view::npos) {
      out += c;
    } else {
      append_escape(static_cast<unsigned char>(c), out);
    }
  }
  return out;
}

std::string Url::authority() const { return port == 0 ? host : host + ":" + std::to_string(port); }

std::optional<Url> parse_url(std::string_view text) {
  if (text.size() > 4 * kMaxUrlBytes) {
    return std::nullopt;
  }
  std::string clean = cleaned(text);
  clean.resize(std::min(clean.find('#'), clean.size()));
  const size_t colon = scheme_length(clean);
  const std::string scheme = lowered(std::string_view(clean).substr(0, colon));
  if (scheme != "http" && scheme != "https") {
    return std::nullopt;
  }
  std::string_view rest = std::string_view(clean).substr(colon + 1);
  if (rest.size() < 2 || (rest[0] != '/' && rest[0] != '\\') || (rest[1] != '/' && rest[1] != '\\')) {
    return std::nullopt;
  }
  std::optional<Url> url = with_authority(scheme, rest.substr(2));
  return url ? finished(std::move(*url)) : std::nullopt;
}

std::optional<Url> resolve_url(const Url& base, std::string_view reference) {
  if (reference.size() > 4 * kMaxUrlBytes) {
    return std::nullopt;
  }
  std::string clean = cleaned(reference);
  clean.resize(std::min(clean.find('#'), clean.size()));
  if (scheme_length(clean) > 0) {
    return parse_url(clean);
  }
  if (clean.size() >= 2 && (clean[0] == '/' || clean[0] == '\\') && (clean[1] == '/' || clean[1] == '\\')) {
    std::optional<Url> url = with_authority(base.scheme, std::string_view(clean).substr(2));
    return url ? finished(std::move(*url)) : std::nullopt;
  }
  Url url = base;
  if (clean.empty()) {
    return url;
  }
  const size_t question = std::min(clean.find('?'), clean.size());
  const std::string_view path = std::string_view(clean).substr(0, question);
  url.query = clean.substr(question);
  if (path.starts_with('/') || path.starts_with('\\')) {
    url.path = path;
  } else if (!path.empty()) {
    url.path.resize(url.path.rfind('/') + 1);
    url.path += path;
  }
  return finished(std::move(url));
}

std::string url_key(const Url& url) {
  if (url.query.empty()) {
    return url.text();
  }
  std::vector<std::string_view> parameters = parameters_of(std::string_view(url.query).substr(1));
  std::sort(parameters.begin(), parameters.end());
  return url.origin() + url.path + joined(parameters);
}

}  // namespace slipway::collect
