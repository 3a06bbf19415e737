#include "base/ignore.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace slipway::base {
namespace {

constexpr std::string_view kSpecial = "*?[\\";
constexpr std::string_view kMark = "\xEF\xBB\xBF";  // of UTF-8, before the first line

// Without the spaces at the end that no backslash keeps; tabs stay.
std::string_view without_spaces(std::string_view line) {
  size_t end = 0;  // after the last that is no such space
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
      end = i + 1;
    } else if (line[i] != ' ') {
      end = i + 1;
    }
  }
  return line.substr(0, end);
}

// "[:alpha:]" and its like, of ASCII whatever the locale; false for a name that is none.
bool add_class(std::string_view name, std::bitset<256>& set) {
  const auto between = [](int c, int low, int high) { return c >= low && c <= high; };
  for (int c = 0; c < 128; ++c) {
    const bool upper = between(c, 'A', 'Z');
    const bool lower = between(c, 'a', 'z');
    const bool digit = between(c, '0', '9');
    const bool graphic = between(c, 0x21, 0x7E);
    bool in = false;
    if (name == "alpha") {
      in = upper || lower;
    } else if (name == "alnum") {
      in = upper || lower || digit;
    } else if (name == "digit") {
      in = digit;
    } else if (name == "upper") {
      in = upper;
    } else if (name == "lower") {
      in = lower;
    } else if (name == "xdigit") {
      in = digit || between(c, 'A', 'F') || between(c, 'a', 'f');
    } else if (name == "space") {
      in = c == ' ' || c == '\t' || c == '\n' || c == '\r';  // git's
    } else if (name == "blank") {
      in = c == ' ' || c == '\t';
    } else if (name == "punct") {
      in = graphic && !upper && !lower && !digit;
    } else if (name == "graph") {
      in = graphic;
    } else if (name == "print") {
      in = graphic || c == ' ';
    } else if (name == "cntrl") {
      in = c < 0x20 || c == 0x7F;
    } else {
      return false;
    }
    if (in) {
      set.set(static_cast<size_t>(c));
    }
  }
  return true;
}

// A set in brackets; `at` is behind the opening one, afterwards behind the closing one. None when it is broken.
std::optional<std::bitset<256>> read_set(std::string_view pattern, size_t& at) {
  std::bitset<256> set;
  const bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
  at += negated ? 1 : 0;
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(pattern[i]); };
  unsigned before = 0;  // what a '-' goes on from; 0 nothing
  for (bool first = true;; first = false) {
    if (at >= pattern.size()) {
      return std::nullopt;
    }
    if (pattern[at] == ']' && !first) {
      ++at;
      break;
    }
    if (pattern[at] == '-' && before != 0 && at + 1 < pattern.size() && pattern[at + 1] != ']') {
      at += pattern[at + 1] == '\\' ? 2 : 1;
      if (at >= pattern.size()) {
        return std::nullopt;
      }
      for (unsigned c = before; c <= byte(at); ++c) {
        set.set(c);
      }
      before = 0;
      ++at;
      continue;
    }
    if (pattern.substr(at).starts_with("[:")) {
      const size_t end = pattern.find(']', at + 2);
      if (end == std::string_view::npos) {
        return std::nullopt;
      }
      if (end > at + 2 && pattern[end - 1] == ':') {
        if (!add_class(pattern.substr(at + 2, end - at - 3), set)) {
          return std::nullopt;
        }
        before = 0;
        at = end + 1;
        continue;
      }
    } else if (pattern[at] == '\\' && ++at >= pattern.size()) {
      return std::nullopt;
    }
    before = byte(at);
    set.set(before);
    ++at;
  }
  return negated ? ~set : set;
}

}  // namespace

// False for a pattern that fits nothing. In a whole path '/' is met only by itself and by two asterisks.
bool IgnoreRules::parse(std::string_view pattern, bool whole_path, std::vector<Token>& tokens) {
  using Kind = Token::Kind;
  for (size_t at = 0; at < pattern.size();) {
    const char c = pattern[at];
    if (c == '*') {
      const size_t begin = at;
      at = std::min(pattern.find_first_not_of('*', at), pattern.size());
      const bool opens = begin == 0 || pattern[begin - 1] == '/';
      const bool closes = at == pattern.size() || pattern[at] == '/' || pattern.substr(at).starts_with("\\/");
      const bool folders = at - begin > 1 && opens && closes;
      if (!whole_path || (folders && (at == pattern.size() || pattern[at] == '\\'))) {
        tokens.push_back({Kind::kStars, 0, {}});
      } else if (folders) {
        tokens.push_back({Kind::kFolders, 0, {}});  // "**/": none or more folders
        ++at;
      } else {
        tokens.push_back({Kind::kStar, 0, {}});
      }
    } else if (c == '?') {
      tokens.push_back({Kind::kAny, 0, {}});
      ++at;
    } else if (c == '[') {
      auto set = read_set(pattern, ++at);
      if (!set) {
        return false;
      }
      if (whole_path) {
        set->reset('/');
      }
      tokens.push_back({Kind::kSet, 0, *set});
    } else {
      at += c == '\\' ? 1 : 0;
      if (at >= pattern.size()) {
        return false;
      }
      tokens.push_back({Kind::kByte, static_cast<unsigned char>(pattern[at]), {}});
      ++at;
    }
  }
  return true;
}

// Walks the text once with all places of the pattern that it may have come to: no pattern makes this take longer than the product of
// both lengths.
bool IgnoreRules::fits(const std::vector<Token>& tokens, std::string_view text) {
  using Kind = Token::Kind;
  std::vector<char> here(tokens.size() + 1, 0);
  std::vector<char> next(tokens.size() + 1, 0);
  // What may be passed without a byte.
  const auto reach = [&](std::vector<char>& places) {
    for (size_t i = 0; i < tokens.size(); ++i) {
      const Kind kind = tokens[i].kind;
      if (places[i] == 1 && (kind == Kind::kStar || kind == Kind::kStars || kind == Kind::kFolders)) {
        places[i + 1] = 1;
      }
    }
  };
  here[0] = 1;
  reach(here);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    std::fill(next.begin(), next.end(), 0);
    bool any = false;
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (here[i] == 0) {
        continue;
      }
      const Token& token = tokens[i];
      switch (token.kind) {
        case Kind::kByte: next[i + 1] |= static_cast<char>(token.byte == byte); break;
        case Kind::kAny: next[i + 1] |= static_cast<char>(byte != '/'); break;
        case Kind::kSet: next[i + 1] |= static_cast<char>(token.set.test(byte)); break;
        case Kind::kStar: next[i] |= static_cast<char>(byte != '/'); break;
        case Kind::kStars: next[i] = 1; break;
        case Kind::kFolders:
          // Within a folder's name it stays (2); behind a '/' it may end.
          next[i] = byte == '/' ? 1 : std::max<char>(next[i], 2);
          break;
      }
      any = any || next[i] != 0 || next[i + 1] != 0;
    }
    if (!any) {
      return false;
    }
    reach(next);
    std::swap(here, next);
  }
  return here[tokens.size()] != 0;
}

void IgnoreRules::add(std::string_view folder, std::string_view text) {
  if (text.starts_with(kMark)) {
    text.remove_prefix(kMark.size());
  }
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with('#')) {
      continue;
    }
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    line = without_spaces(line);
    Rule rule;
    if (line.starts_with('!')) {
      rule.negated = true;
      line.remove_prefix(1);
    }
    if (line.ends_with('/')) {
      rule.only_folders = true;
      line.remove_suffix(1);
    }
    if (line.empty()) {
      continue;
    }
    rule.name_only = line.find('/') == std::string_view::npos;
    if (line.starts_with('/')) {
      line.remove_prefix(1);
    }
    const size_t plain = std::min(line.find_first_of(kSpecial), line.size());
    rule.start = line.substr(0, plain);
    if (!parse(line.substr(plain), !rule.name_only, rule.tokens)) {
      continue;
    }
    rule.folder = folder.empty() ? "" : std::string(folder) + "/";
    rules_.push_back(std::move(rule));
  }
}

bool IgnoreRules::fits(const Rule& rule, std::string_view path, bool is_folder) {
  if ((rule.only_folders && !is_folder) || !path.starts_with(rule.folder)) {
    return false;
  }
  path.remove_prefix(rule.folder.size());
  if (rule.name_only) {
    path.remove_prefix(path.rfind('/') + 1);
  }
  if (!path.starts_with(rule.start)) {
    return false;
  }
  path.remove_prefix(rule.start.size());
  return rule.tokens.empty() ? path.empty() : fits(rule.tokens, path);
}

bool IgnoreRules::matches(std::string_view path, bool is_folder) const {
  const auto last = std::find_if(rules_.rbegin(), rules_.rend(), [&](const Rule& rule) { return fits(rule, path, is_folder); });
  return last != rules_.rend() && !last->negated;
}

bool IgnoreRules::ignores(std::string_view path, std::unordered_map<std::string, bool>& folders) const {
  for (size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    const auto [folder, is_new] = folders.try_emplace(std::string(path.substr(0, slash)), false);
    if (is_new) {
      folder->second = matches(folder->first, true);
    }
    if (folder->second) {
      return true;
    }
  }
  return matches(path, false);
}

}  // namespace slipway::base
