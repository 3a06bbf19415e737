#include <array>
#include <optional>

#include "text/english_words.h"
#include "text/unicode.h"
#include "text/web_chars.h"

// spaCy's URL rule is one regular expression: [protocol://][user@](IPv4 | labels . top-level)[:port][/path]. Everything
// in it that could backtrack is decided by where the host begins, so each possible beginning is tried once.

namespace slipway::text {
namespace {

bool is_host_char(char32_t c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c >= 0xA1 && c <= 0xFFFF);
}

// The classes of the character at `at`, and its size; 0 and 1 at the end.
struct Seen {
  char32_t code = 0;
  uint32_t classes = 0;
  uint32_t size = 1;
};
Seen look(std::string_view text, size_t at) noexcept {
  if (at >= text.size()) {
    return {};
  }
  const Decoded d = decode_at(text, at);
  return {d.code, WebChars::get()(d.code), d.size};
}

// [:port][/path] to the end.
bool matches_rest(std::string_view text, size_t at) noexcept {
  if (at < text.size() && text[at] == ':') {
    size_t end = at + 1;
    int digits = 0;
    for (Seen c = look(text, end); (c.classes & kWebDigit) != 0; c = look(text, end)) {
      end += c.size;
      ++digits;
    }
    if (digits >= 2 && digits <= 5) {
      at = end;
    }
  }
  return at == text.size() || text[at] == '/' || text[at] == '?' || text[at] == '#';
}

struct Octet {
  std::array<char32_t, 3> digits{};  // ASCII value where the rule compares, else any digit
  int count = 0;
};

// A run of one to three digits; nothing for longer ones.
std::optional<Octet> read_octet(std::string_view text, size_t& at) noexcept {
  Octet octet;
  for (Seen c = look(text, at); (c.classes & kWebDigit) != 0; c = look(text, at)) {
    if (octet.count == 3) {
      return std::nullopt;
    }
    octet.digits[static_cast<size_t>(octet.count++)] = c.code;
    at += c.size;
  }
  return octet.count == 0 ? std::nullopt : std::optional<Octet>(octet);
}

bool between(char32_t c, char low, char high) noexcept {
  return c >= static_cast<char32_t>(low) && c <= static_cast<char32_t>(high);
}
bool is_number(const Octet& octet, std::string_view digits) noexcept {
  if (static_cast<size_t>(octet.count) != digits.size()) {
    return false;
  }
  for (size_t i = 0; i < digits.size(); ++i) {
    if (octet.digits[i] != static_cast<char32_t>(digits[i])) {
      return false;
    }
  }
  return true;
}

// Three digits that begin with 1, or with 2 and stay at or below 2`tens``ones` (tens below `tens` take any last digit).
bool is_large(const Octet& octet, char tens, char ones) noexcept {
  if (octet.count != 3) {
    return false;
  }
  if (octet.digits[0] == '1') {
    return true;
  }
  return octet.digits[0] == '2' &&
         ((between(octet.digits[1], '0', static_cast<char>(tens - 1))) ||
          (octet.digits[1] == static_cast<char32_t>(tens) && between(octet.digits[2], '0', ones)));
}
bool is_small(const Octet& octet) noexcept { return octet.count < 3 && between(octet.digits[0], '1', '9'); }

bool is_private(const std::array<Octet, 4>& octets) noexcept {
  const Octet& second = octets[1];
  if (is_number(octets[0], "10") || is_number(octets[0], "127")) {
    return true;
  }
  if ((is_number(octets[0], "169") && is_number(second, "254")) ||
      (is_number(octets[0], "192") && is_number(second, "168"))) {
    return true;
  }
  return is_number(octets[0], "172") && second.count == 2 &&
         ((second.digits[0] == '1' && between(second.digits[1], '6', '9')) || second.digits[0] == '2' ||
          (second.digits[0] == '3' && between(second.digits[1], '0', '1')));
}

bool matches_ip(std::string_view text, size_t at) noexcept {
  std::array<Octet, 4> octets;
  for (size_t i = 0; i < 4; ++i) {
    const std::optional<Octet> octet = read_octet(text, at);
    if (!octet.has_value()) {
      return false;
    }
    octets[i] = *octet;
    if (i < 3) {
      if (at >= text.size() || text[at] != '.') {
        return false;
      }
      ++at;
    }
  }
  const auto middle = [](const Octet& octet) { return octet.count < 3 || is_large(octet, '5', '5'); };
  return (is_small(octets[0]) || is_large(octets[0], '2', '3')) && middle(octets[1]) && middle(octets[2]) &&
         (is_small(octets[3]) || is_large(octets[3], '5', '4')) && !is_private(octets) && matches_rest(text, at);
}

bool matches_domain(std::string_view text, size_t at) noexcept {
  bool labels = false;
  while (true) {
    size_t end = at;
    int length = 0;
    bool first_host = false;
    bool last_host = false;
    for (Seen c = look(text, end); end < text.size() && (is_host_char(c.code) || c.code == '_' || c.code == '-');
         c = look(text, end)) {
      last_host = is_host_char(c.code);
      first_host = length == 0 ? last_host : first_host;
      ++length;
      end += c.size;
    }
    const bool label = length >= 1 && length <= 64 && first_host && last_host && end < text.size() && text[end] == '.';
    if (!label) {
      break;
    }
    labels = true;
    at = end + 1;
  }
  int length = 0;
  for (Seen c = look(text, at); (c.classes & kWebLowerLetter) != 0 && length < 64; c = look(text, at)) {
    ++length;
    at += c.size;
  }
  return labels && length >= 2 && length <= 63 && matches_rest(text, at);
}

bool matches_host(std::string_view text, size_t at) noexcept {
  return matches_ip(text, at) || matches_domain(text, at);
}

// Where the host begins after "[\w+-.]{2,}://"; 0 when there is no protocol.
size_t after_protocol(std::string_view text) noexcept {
  int length = 0;
  for (size_t at = 0; at < text.size();) {
    const Seen c = look(text, at);
    if (c.code == ':') {
      return length >= 2 && text.substr(at, 3) == "://" ? at + 3 : 0;
    }
    if ((c.classes & kWebWord) == 0 && c.code != '+' && c.code != '-' && c.code != '.') {
      return 0;
    }
    ++length;
    at += c.size;
  }
  return 0;
}

}  // namespace

bool is_web_address(std::string_view text) {
  if (text.find('.') == std::string_view::npos) {
    return false;
  }
  if (matches_host(text, 0)) {
    return true;
  }
  const size_t protocol = after_protocol(text);
  if (protocol != 0 && matches_host(text, protocol)) {
    return true;
  }
  for (size_t at = text.find('@', 1); at != std::string_view::npos; at = text.find('@', at + 1)) {
    if (matches_host(text, at + 1)) {
      return true;
    }
  }
  return false;
}

}  // namespace slipway::text
