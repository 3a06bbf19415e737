#include "text/mask.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <vector>

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

// The lower-case ASCII word before `at`, past at most `max_gap` spaces and punctuation.
std::string word_before(std::string_view text, size_t at, size_t max_gap) {
  size_t end = at;
  while (end > 0 && at - end < max_gap && !alnum(text[end - 1]) && static_cast<unsigned char>(text[end - 1]) < 0x80) {
    --end;
  }
  size_t begin = end;
  while (begin > 0 && end - begin < 12 && letter(text[begin - 1])) {
    --begin;
  }
  std::string word(text.substr(begin, end - begin));
  std::transform(word.begin(), word.end(), word.begin(), [](char c) { return static_cast<char>(c | 0x20); });
  return word;
}

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
  const std::string word = word_before(text, at, 2);
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

// ---- telephone numbers
// -----------------------------------------------------------------------------------------------

// Digits in groups, as written: "(030) 123-45" is groups 3, 3, 2.
struct Grouped {
  static constexpr size_t kMaxGroups = 8;
  std::array<size_t, kMaxGroups> sizes{};
  std::array<size_t, kMaxGroups> begins{};
  std::array<size_t, kMaxGroups> ends{};
  std::array<char, kMaxGroups> separators{};  // before the group: ' ', '-', '.', '/', ')' ; 0 for the first
  size_t count = 0;
  size_t digits = 0;
  bool plus = false;
  bool bracket = false;  // the first group, or the one after the country code, stood in brackets
};

// Reads groups of digits from `at` (a '+', '(' or digit), separated by one of " -./" or brackets with a space.
Grouped read_groups(std::string_view text, size_t at) {
  Grouped g;
  size_t i = at;
  char separator = 0;
  if (at_or_nul(text, i) == '+') {
    g.plus = true;
    ++i;
  }
  while (g.count < Grouped::kMaxGroups) {
    const bool open = at_or_nul(text, i) == '(';
    if (open) {
      ++i;
    }
    const size_t begin = i;
    while (i < text.size() && digit(text[i]) && i - begin < 16) {
      ++i;
    }
    if (i == begin || (open && at_or_nul(text, i) != ')')) {
      break;
    }
    g.begins[g.count] = begin;
    g.ends[g.count] = open ? i + 1 : i;
    g.sizes[g.count] = i - begin;
    g.separators[g.count] = separator;
    g.digits += i - begin;
    ++g.count;
    if (open) {
      g.bracket = true;
      ++i;
      separator = ')';
      if (at_or_nul(text, i) == ' ' || at_or_nul(text, i) == '-') {
        ++i;
      }
      continue;
    }
    const char c = at_or_nul(text, i);
    if (c != ' ' && c != '-' && c != '.' && c != '/' && c != '(') {
      break;
    }
    separator = c;
    if (c != '(') {
      ++i;
    }
  }
  return g;
}

bool after_phone_word(std::string_view text, size_t at) {
  constexpr std::string_view kWords[] = {"tel",  "telephone", "phone",   "call",     "fax", "mobile",
                                         "cell", "ph",        "hotline", "whatsapp", "dial"};
  constexpr std::string_view kChinese[] = {"电话", "手机", "致电", "热线", "传真", "联系方式", "手机号", "座机"};
  const std::string word = word_before(text, at, 3);
  if (std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords)) {
    return true;
  }
  size_t end = at;
  constexpr std::string_view kWideColon = "：";
  while (end > 0 && at - end < 4 && (text[end - 1] == ' ' || text[end - 1] == ':')) {
    --end;
  }
  if (text.substr(0, end).ends_with(kWideColon)) {
    end -= kWideColon.size();
  }
  return std::any_of(std::begin(kChinese), std::end(kChinese),
                     [&](std::string_view w) { return text.substr(0, end).ends_with(w); });
}

// The end of the first `count` groups when nothing that belongs to a longer number follows; else 0.
size_t groups_end(std::string_view text, const Grouped& g, size_t count) {
  const size_t end = g.ends[count - 1];
  const char right = at_or_nul(text, end);
  const char next = at_or_nul(text, end + 1);
  if (alnum(right) || right == '_' || right == '%' ||
      ((right == '-' || right == '.' || right == '/' || right == ',') && digit(next))) {
    return 0;
  }
  return end;
}

// [1] 3-3-4 digits from group `first`, as North America writes them.
size_t north_american_end(std::string_view text, const Grouped& g, size_t first) {
  if (g.count < first + 3 || g.sizes[first] != 3 || g.sizes[first + 1] != 3 || g.sizes[first + 2] != 4) {
    return 0;
  }
  const char s1 = g.separators[first + 1];
  const char s2 = g.separators[first + 2];
  const bool spaced = s1 == ' ' && s2 == ' ';
  if (spaced && (text[g.begins[first]] < '2' || text[g.begins[first + 1]] < '2')) {
    return 0;
  }
  const bool good = spaced || (s1 == '-' && s2 == '-') || (s1 == '.' && s2 == '.') ||
                    (s1 == ')' && (s2 == '-' || s2 == ' ' || s2 == '.')) || (s1 == ' ' && s2 == '-');
  return good ? groups_end(text, g, first + 3) : 0;
}

// 1[3-9] and nine digits, whole or as 3-4-4; or a Chinese land line 0xx-xxxxxxxx.
size_t chinese_end(std::string_view text, const Grouped& g) {
  const char c0 = text[g.begins[0]];
  const char c1 = at_or_nul(text, g.begins[0] + 1);
  if (c0 == '1' && c1 >= '3' && c1 <= '9') {
    if (g.sizes[0] == 11) {
      return groups_end(text, g, 1);
    }
    if (g.count >= 3 && g.sizes[0] == 3 && g.sizes[1] == 4 && g.sizes[2] == 4 && g.separators[1] == g.separators[2] &&
        (g.separators[1] == '-' || g.separators[1] == ' ')) {
      return groups_end(text, g, 3);
    }
  }
  const bool area = c0 == '0' && c1 != '0' && (g.sizes[0] == 3 || g.sizes[0] == 4);
  if (area && g.count >= 2 && (g.separators[1] == '-' || g.separators[1] == ')') &&
      (g.sizes[1] == 7 || g.sizes[1] == 8)) {
    return groups_end(text, g, 2);
  }
  return 0;
}

size_t phone_end(std::string_view text, size_t at) {
  const char left = before(text, at);
  if (alnum(left) || (left != '\0' && std::strchr("_.-+/$=#&%@,", left) != nullptr &&
                      !(left == '-' && text[at] == '+') && !(left == '/' && text[at] == '+'))) {
    return 0;
  }
  const Grouped g = read_groups(text, at);
  if (g.count == 0) {
    return 0;
  }
  constexpr size_t kMaxDigits = 15;  // E.164
  // As many groups as fit one number: "+49 30 123456 2024" could take a year with it, but not more than E.164 allows.
  if (g.plus || (g.sizes[0] >= 2 && text.substr(g.begins[0], 2) == "00" && g.count > 1)) {
    size_t digits = 0;
    size_t count = 0;
    while (count < g.count && digits + g.sizes[count] <= kMaxDigits) {
      digits += g.sizes[count++];
    }
    const bool country = g.plus ? text[g.begins[0]] != '0' : g.sizes[0] <= 5;
    if (country && digits >= (g.plus ? 8U : 10U)) {
      return groups_end(text, g, count);
    }
    return 0;
  }
  if (const size_t end = north_american_end(text, g, 0); end != 0) {
    return end;
  }
  if (g.sizes[0] == 1 && text[g.begins[0]] == '1') {
    if (const size_t end = north_american_end(text, g, 1); end != 0) {
      return end;
    }
  }
  if (const size_t end = chinese_end(text, g); end != 0) {
    return end;
  }
  if (g.digits >= 7 && g.digits <= 13 && after_phone_word(text, at)) {
    return groups_end(text, g, g.count);
  }
  return 0;
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
      end = phone_end(text, at);
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
