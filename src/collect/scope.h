// Which addresses a crawl takes: those it was asked for, and none that lead into a trap. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "collect/url.h"

namespace slipway::collect {

struct ScopeOptions {
  std::string reach = "host";          // "host": the seeds' hosts; "domain": and those below them; "any"
  std::vector<std::string> domains;    // these and what is below them, too
  std::vector<std::string> exclude_domains;
  std::vector<std::string> include;    // RE2 patterns; where there are any, an address must match one (seeds need not)
  std::vector<std::string> exclude;
  int depth = 5;                       // links from a seed
  uint64_t max_urls_per_host = 100'000;
  int max_queries = 500;               // addresses that differ in their query only
  int max_calendar = 1000;             // addresses of one shape that have a date in them
};

class Scope {
 public:
  // Throws Error(kInvalid) for a pattern that is none, naming it.
  explicit Scope(ScopeOptions options);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // Its host is in scope from now on.
  void add_seed(const Url& url);
  // Why an address at `depth` is not taken; "" when it is. Pure.
  std::string_view refuse(const Url& url, int depth) const;
  // Counts an address that is taken; false, and not counted, when its host, its path or its shape has had enough of them, with why.
  bool count(const Url& url, std::string_view& reason);

 private:
  struct Patterns;
  const ScopeOptions options_;
  std::unique_ptr<Patterns> patterns_;
  std::unordered_set<std::string> hosts_;
  std::unordered_map<std::string, uint64_t> of_host_;
  std::unordered_map<uint64_t, int> of_group_;  // by a hash of what the addresses have in common
};

// Does the path look like one that a broken link made longer and longer: more than 20 segments, one of them more than three times, or
// the last ones repeated ("/a/b/a/b/a/b")?
bool repeats_itself(std::string_view path);

// What the addresses of a calendar have in common: digits replaced by one '0' a run. "" when no date is in it (a year 1900..2199 and
// a month, as YYYY/MM, YYYY-MM, YYYYMM or parameters year and month).
std::string calendar_shape(const Url& url);

}  // namespace slipway::collect
