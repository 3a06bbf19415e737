#include "text/mask.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <vector>

#include "text/phone.h"

namespace slipway::text {
namespace {

bool digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool alnum(char c) noexcept { return digit(c) || letter(c); }
bool hex(char c) noexcept { return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

enum class What : uint8_t { kEmail, kPhone, kIp };

struct Hit {
  size_t begin;
  size_t end;
  What what;
};

char at_or_nul(std::string_view text, size_t at) noexcept { return at < text.size() ? text[at] : '\0'; }
char before(std::string_view text, size_t at) noexcept { return at > 0 ? text[at - 1] : '\0'; }

// ---- e-mail
// ----------------------------------------------------------------------------------------------------------

bool local_char(char c) noexcept { return alnum(c) || c == '.' || c == '_' || c == '%' || c == '+' || c == '-'; }

// The end of the domain that starts at `at`, or 0: labels joined by dots, the last of at least two letters.
size_t domain_end(std::string_view text, size_t at) noexcept {
  constexpr size_t kMaxDomain = 255;
  size_t end = at;
  size_t good = 0;
  for (int labels = 0; end < text.size() && end - at < kMaxDomain; ++labels) {
    const size_t label = end;
    bool letters = true;
    while (end < text.size() && (alnum(text[end]) || text[end] == '-') && end - label < 64) {
      letters = letters && letter(text[end]);
      ++end;
    }
    if (end == label || text[label] == '-' || text[end - 1] == '-') {
      break;
    }
    if (labels > 0 && letters && end - label >= 2) {
      good = end;
    }
    if (at_or_nul(text, end) != '.') {
      break;
    }
    ++end;
  }
  return good;
}

void find_emails(std::string_view text, std::vector<Hit>& hits) {
  constexpr size_t kMaxLocal = 64;
  size_t done = 0;
  for (size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', std::max(at + 1, done))) {
    size_t begin = at;
    while (begin > done && at - begin < kMaxLocal && local_char(text[begin - 1])) {
      --begin;
    }
    while (begin < at && !alnum(text[begin])) {
      ++begin;
    }
    const size_t end = begin < at && text[at - 1] != '.' ? domain_end(text, at + 1) : 0;
    if (end != 0) {
      hits.push_back({begin, end, What::kEmail});
      done = end;
    }
  }
}

// ---- IP addresses
// ----------------------------------------------------------------------------------------------------

size_t ipv4_end(std::string_view text, size_t at) {
  const char left = before(text, at);
  if (alnum(left) || left == '.' || left == '_' || left == '-') {
    return 0;
  }
  size_t end = at;
  for (int octet = 0; octet < 4; ++octet) {
    if (octet > 0) {
      if (at_or_nul(text, end) != '.') {
        return 0;
      }
      ++end;
    }
    const size_t begin = end;
    int value = 0;
    while (end < text.size() && digit(text[end]) && end - begin < 4) {
      value = value * 10 + (text[end] - '0');
      ++end;
    }
    if (end == begin || value > 255 || (text[begin] == '0' && end - begin > 1)) {
      return 0;
    }
  }
  const char right = at_or_nul(text, end);
  if (alnum(right) || right == '_' || ((right == '.' || right == '-') && alnum(at_or_nul(text, end + 1)))) {
    return 0;
  }
  const std::string word = ascii_word_before(text, at, 2);
  const bool version = word == "version" || word == "ver" || word == "v" || word == "release" || word == "build";
  return version ? 0 : end;
}

size_t ipv6_end(std::string_view text, size_t at) {
  constexpr size_t kLongest = 45;
  const char left = before(text, at);
  if (alnum(left) || left == ':' || left == '.' || left == '_') {
    return 0;
  }
  size_t end = at;
  while (end < text.size() && (hex(text[end]) || text[end] == ':' || text[end] == '.') && end - at <= kLongest) {
    ++end;
  }
  while (end > at && text[end - 1] == '.') {
    --end;
  }
  if (end - at > 2 && text[end - 1] == ':' && text[end - 2] != ':') {
    --end;  // "the address 2001:db8::1: it ..."
  }
  const char right = at_or_nul(text, end);
  if (end - at < 4 || end - at > kLongest || alnum(right) || right == '_') {
    return 0;
  }
  std::array<char, kLongest + 1> copy{};
  text.copy(copy.data(), end - at, at);
  in6_addr address{};
  if (inet_pton(AF_INET6, copy.data(), &address) != 1) {
    return 0;
  }
  int groups = 0;
  for (size_t i = at; i < end; ++i) {
    groups += hex(text[i]) && (i == at || text[i - 1] == ':') ? 1 : 0;
  }
  return groups >= 3 ? end : 0;
}

}  // namespace

void MaskOptions::describe(base::FieldTable& table) {
  table.add("email", email, "mask e-mail addresses as [EMAIL]");
  table.add("phone", phone, "mask telephone numbers as [PHONE]");
  table.add("ip", ip, "mask IPv4 and IPv6 addresses as [IP]");
}

std::string mask_pii(std::string_view text, const MaskOptions& options, MaskCounts& counts) {
  std::vector<Hit> emails;
  if (options.email) {
    find_emails(text, emails);
  }
  std::string out;
  size_t done = 0;
  size_t next_email = 0;
  const auto replace = [&](size_t begin, size_t end, std::string_view with) {
    out.append(text, done, begin - done);
    out += with;
    done = end;
  };
  for (size_t at = 0; at < text.size();) {
    if (next_email < emails.size() && at == emails[next_email].begin) {
      replace(at, emails[next_email].end, "[EMAIL]");
      ++counts.email;
      at = emails[next_email++].end;
      continue;
    }
    const char c = text[at];
    const bool starts_digit = digit(c);
    size_t end = 0;
    What what = What::kPhone;
    if (options.ip && starts_digit) {
      end = ipv4_end(text, at);
      what = What::kIp;
    }
    if (end == 0 && options.ip && (hex(c) || (c == ':' && at_or_nul(text, at + 1) == ':'))) {
      end = ipv6_end(text, at);
      what = What::kIp;
    }
    if (end == 0 && options.phone && (starts_digit || c == '+' || c == '(')) {
      end = phone_number_end(text, at);
      what = What::kPhone;
    }
    // A number never takes in the start of an address that was found.
    if (end != 0 && next_email < emails.size() && end > emails[next_email].begin) {
      end = 0;
    }
    if (end != 0) {
      replace(at, end, what == What::kIp ? "[IP]" : "[PHONE]");
      ++(what == What::kIp ? counts.ip : counts.phone);
      at = end;
    } else {
      ++at;
    }
  }
  out.append(text, done, text.size() - done);
  return out;
}

}  // namespace slipway::text
