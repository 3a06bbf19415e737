#include "collect/scope.h"

#include <algorithm>
#include <fmt/format.h>
#include <re2/re2.h>

#include "base/error.h"
#include "base/hash.h"

namespace slipway::collect {
namespace {

using base::Code;
using base::Error;

std::string lowered(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

bool below(std::string_view host, std::string_view domain) {
  return host == domain || (host.size() > domain.size() && host.ends_with(domain) && host[host.size() - domain.size() - 1] == '.');
}

bool below_any(std::string_view host, const std::vector<std::string>& domains) {
  return std::any_of(domains.begin(), domains.end(), [&](const std::string& domain) { return below(host, domain); });
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// A year, perhaps a mark, and a month at text[at].
bool date_at(std::string_view text, size_t at) {
  const auto number = [&](size_t from, size_t n) {
    int value = 0;
    for (size_t i = from; i < from + n; ++i) {
      if (i >= text.size() || !is_digit(text[i])) {
        return -1;
      }
      value = value * 10 + (text[i] - '0');
    }
    return value;
  };
  const int year = number(at, 4);
  if (year < 1900 || year > 2199) {
    return false;
  }
  const bool mark = at + 4 < text.size() && (text[at + 4] == '/' || text[at + 4] == '-' || text[at + 4] == '_' || text[at + 4] == '.');
  const size_t from = at + (mark ? 5 : 4);
  const int two = number(from, 2);
  const int month = two < 0 && mark ? number(from, 1) : two;  // "2024/3"
  return month >= 1 && month <= 12;
}

bool has_date(std::string_view text) {
  for (size_t at = 0; at + 5 < text.size(); ++at) {
    if (is_digit(text[at]) && (at == 0 || !is_digit(text[at - 1])) && date_at(text, at)) {
      return true;
    }
  }
  return false;
}

}  // namespace

struct Scope::Patterns {
  std::vector<std::unique_ptr<RE2>> include;
  std::vector<std::unique_ptr<RE2>> exclude;

  static void compile(const std::vector<std::string>& sources, std::vector<std::unique_ptr<RE2>>& out) {
    for (const std::string& source : sources) {
      RE2::Options options;
      options.set_log_errors(false);
      out.push_back(std::make_unique<RE2>(source, options));
      if (!out.back()->ok()) {
        throw Error(Code::kInvalid, fmt::format("'{}' is no pattern of addresses: {}", source, out.back()->error()));
      }
    }
  }
  static bool any(const std::vector<std::unique_ptr<RE2>>& patterns, const std::string& text) {
    return std::any_of(patterns.begin(), patterns.end(), [&](const auto& pattern) { return RE2::PartialMatch(text, *pattern); });
  }
};

Scope::Scope(ScopeOptions options)
    : options_([&] {
        for (auto* list : {&options.domains, &options.exclude_domains}) {
          std::transform(list->begin(), list->end(), list->begin(), lowered);
        }
        return std::move(options);
      }()),
      patterns_(std::make_unique<Patterns>()) {
  Patterns::compile(options_.include, patterns_->include);
  Patterns::compile(options_.exclude, patterns_->exclude);
}

Scope::~Scope() = default;

void Scope::add_seed(const Url& url) {
  hosts_.insert(options_.reach == "domain" && url.host.starts_with("www.") ? url.host.substr(4) : url.host);
}

std::string_view Scope::refuse(const Url& url, int depth) const {
  if (below_any(url.host, options_.exclude_domains)) {
    return "excluded domain";
  }
  if (depth > options_.depth) {
    return "depth";
  }
  const bool reached = options_.reach == "any" || below_any(url.host, options_.domains) || hosts_.count(url.host) > 0 ||
                       (options_.reach == "domain" &&
                        std::any_of(hosts_.begin(), hosts_.end(), [&](const std::string& host) { return below(url.host, host); }));
  if (!reached) {
    return "other host";
  }
  if (repeats_itself(url.path)) {
    return "path repeats itself";
  }
  const std::string text = url.text();
  if (Patterns::any(patterns_->exclude, text)) {
    return "excluded";
  }
  if (depth > 0 && !patterns_->include.empty() && !Patterns::any(patterns_->include, text)) {
    return "not included";
  }
  return {};
}

bool Scope::count(const Url& url, std::string_view& reason) {
  uint64_t& host = of_host_[url.host];
  int* query = url.query.empty() ? nullptr : &of_group_[base::xxh64(url.origin() + url.path, 1)];
  if (host >= options_.max_urls_per_host) {
    reason = "enough of the host";
    return false;
  }
  if (query != nullptr && *query >= options_.max_queries) {
    reason = "enough queries of the path";
    return false;
  }
  if (const std::string shape = calendar_shape(url); !shape.empty()) {
    int& dates = of_group_[base::xxh64(shape, 2)];
    if (dates >= options_.max_calendar) {
      reason = "enough of the calendar";
      return false;
    }
    ++dates;
  }
  if (query != nullptr) {
    ++*query;
  }
  ++host;
  return true;
}

bool repeats_itself(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    const size_t end = std::min(path.find('/'), path.size());
    if (end > 0) {
      segments.push_back(path.substr(0, end));
    }
    path.remove_prefix(end);
  }
  if (segments.size() > 20) {
    return true;
  }
  for (const std::string_view segment : segments) {
    if (std::count(segments.begin(), segments.end(), segment) > 3) {
      return true;
    }
  }
  // The same one to six segments three times in a row, at the end.
  for (size_t n = 1; 3 * n <= segments.size(); ++n) {
    const auto end = segments.end();
    const auto step = static_cast<std::ptrdiff_t>(n);
    if (std::equal(end - step, end, end - 2 * step) && std::equal(end - step, end, end - 3 * step)) {
      return true;
    }
  }
  return false;
}

std::string calendar_shape(const Url& url) {
  const std::string target = url.target();
  const std::string query = lowered(url.query);
  const bool named = query.find("year=") != std::string::npos && query.find("month=") != std::string::npos;
  if (!named && !has_date(target)) {
    return {};
  }
  std::string shape = url.origin();
  for (size_t i = 0; i < target.size(); ++i) {
    if (!is_digit(target[i])) {
      shape += target[i];
    } else if (i == 0 || !is_digit(target[i - 1])) {
      shape += '0';
    }
  }
  return shape;
}

}  // namespace slipway::collect
