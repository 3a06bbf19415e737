#include "collect/robots.h"

#include <algorithm>
#include <charconv>

#include "collect/url.h"

namespace slipway::collect {
namespace {

constexpr size_t kMaxFile = size_t{512} << 10;
constexpr size_t kMaxPattern = 4096;    // a longer rule could fit no URL that is fetched
constexpr size_t kMaxSitemaps = 1000;
constexpr double kMaxDelay = 86'400;  // seconds

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) noexcept {
  const size_t begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view{} : text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

// The product token at the beginning: "Foo/1.2 (bar)" names "Foo".
std::string_view token_of(std::string_view text) noexcept {
  size_t end = 0;
  while (end < text.size() && ((lower(text[end]) >= 'a' && lower(text[end]) <= 'z') || text[end] == '-' || text[end] == '_')) {
    ++end;
  }
  return text.substr(0, end);
}

struct Line {
  std::string_view key, value;
};

// The next line that says something; false at the end.
bool next_line(std::string_view& rest, Line& line) {
  while (!rest.empty()) {
    const size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
    std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.size(), end + 1));
    text = text.substr(0, text.find('#'));
    const size_t colon = text.find(':');
    if (colon != std::string_view::npos) {
      line = {trimmed(text.substr(0, colon)), trimmed(text.substr(colon + 1))};
      return true;
    }
  }
  return false;
}

std::optional<double> seconds_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data() || !(value >= 0)) {
    return std::nullopt;
  }
  return std::min(value, kMaxDelay);
}

// How well a group's agent names ours: its length, 0 for "*", -1 for another's.
int specificity(std::string_view group, std::string_view agent) noexcept {
  if (group.starts_with('*')) {
    return 0;
  }
  const std::string_view token = token_of(group);
  return !token.empty() && token.size() <= agent.size() && same(token, agent.substr(0, token.size())) ? static_cast<int>(token.size()) : -1;
}

}  // namespace

Robots Robots::parse(std::string_view file, std::string_view agent) {
  if (file.size() > kMaxFile) {
    file = file.substr(0, file.find_last_of("\r\n", kMaxFile) == std::string_view::npos ? 0 : file.find_last_of("\r\n", kMaxFile));
  }
  file.remove_prefix(file.starts_with("\xEF\xBB\xBF") ? 3 : 0);
  Robots robots;
  int best = -1;       // of any group so far
  int current = -1;    // of the group that is being read
  bool naming = false;  // its agents are still being listed
  Line line;
  while (next_line(file, line)) {
    if (same(line.key, "user-agent") || same(line.key, "useragent")) {
      current = std::max(naming ? current : -1, specificity(line.value, agent));
      naming = true;
      if (current > best) {  // what fitted less does not count any more
        best = current;
        robots.rules_.clear();
        robots.delay_.reset();
      }
      continue;
    }
    if (same(line.key, "sitemap")) {
      if (robots.sitemaps_.size() < kMaxSitemaps && !line.value.empty()) {
        robots.sitemaps_.emplace_back(line.value);
      }
      continue;
    }
    const bool allow = same(line.key, "allow");
    const bool delay = same(line.key, "crawl-delay");
    if (!allow && !delay && !same(line.key, "disallow")) {
      continue;
    }
    naming = false;
    if (current < 0 || current != best) {
      continue;
    }
    if (delay) {
      robots.delay_ = robots.delay_ ? robots.delay_ : seconds_of(line.value);
    } else if (!line.value.empty() && line.value.size() <= kMaxPattern) {
      Rule rule{normal_escapes(line.value), allow, line.value.ends_with('$')};
      if (rule.to_end) {
        rule.pattern.pop_back();
      }
      robots.rules_.push_back(std::move(rule));
    }
  }
  const auto length = [](const Rule& rule) { return rule.pattern.size() + (rule.to_end ? 1 : 0); };
  std::stable_sort(robots.rules_.begin(), robots.rules_.end(), [&](const Rule& a, const Rule& b) {
    return length(a) != length(b) ? length(a) > length(b) : a.allow && !b.allow;
  });
  return robots;
}

Robots Robots::nothing_allowed() {
  Robots robots;
  robots.rules_.push_back({"/", false, false});
  return robots;
}

// Each part between two '*' is taken where it first occurs: what is then left for the rest is the most there can be.
bool Robots::fits(const Rule& rule, std::string_view target) noexcept {
  std::string_view pattern = rule.pattern;
  const size_t star = pattern.find('*');
  const std::string_view head = pattern.substr(0, star);
  if (!target.starts_with(head)) {
    return false;
  }
  target.remove_prefix(head.size());
  if (star == std::string_view::npos) {
    return !rule.to_end || target.empty();
  }
  pattern.remove_prefix(star + 1);
  for (;;) {
    const size_t next = pattern.find('*');
    const std::string_view part = pattern.substr(0, next);
    if (next == std::string_view::npos && rule.to_end) {
      return target.ends_with(part);
    }
    const size_t at = target.find(part);
    if (at == std::string_view::npos) {
      return false;
    }
    target.remove_prefix(at + part.size());
    if (next == std::string_view::npos) {
      return true;
    }
    pattern.remove_prefix(next + 1);
  }
}

bool Robots::allows(std::string_view target) const {
  if (target == "/robots.txt") {
    return true;
  }
  const std::string normal = normal_escapes(target, "*$");  // 2.2.3: in a rule they stand for themselves when escaped
  for (const Rule& rule : rules_) {
    if (fits(rule, normal)) {
      return rule.allow;
    }
  }
  return true;
}

std::string product_token(std::string_view user_agent) { return std::string(token_of(user_agent)); }

}  // namespace slipway::collect
