#include "text/phone.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace slipway::text {
namespace {

bool digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool alnum(char c) noexcept { return digit(c) || letter(c); }

char at_or_nul(std::string_view text, size_t at) noexcept { return at < text.size() ? text[at] : '\0'; }
char before(std::string_view text, size_t at) noexcept { return at > 0 ? text[at - 1] : '\0'; }

}  // namespace

std::string ascii_word_before(std::string_view text, size_t at, size_t max_gap) {
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

namespace {

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
  const std::string word = ascii_word_before(text, at, 3);
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

}  // namespace

size_t phone_number_end(std::string_view text, size_t at) {
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


}  // namespace slipway::text
