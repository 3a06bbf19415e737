// robots.txt as RFC 9309 says it, with Crawl-delay and Sitemap: who may fetch what. Of any bytes; never fails. Immutable once parsed:
// any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::collect {

class Robots {
 public:
  // Everything is allowed.
  Robots() = default;

  // Of the file's first 512 KiB (RFC 9309, 2.5: at least 500), whole lines. The rules are those of the groups whose agent is the
  // longest beginning of `agent` ("examplebot" of "ExampleBot-News"; case is ignored), else those of "*", else none. `agent` is a
  // product token: letters, '-' and '_'.
  static Robots parse(std::string_view file, std::string_view agent);
  // 2.3.1.4: the file could not be had because its server failed.
  static Robots nothing_allowed();

  // May `target` ("/path?query") be fetched? The longest rule that fits it decides, Allow where two are as long; escapes are compared
  // in one form; /robots.txt itself always may.
  bool allows(std::string_view target) const;
  // Seconds between two requests, where the group says so.
  std::optional<double> crawl_delay() const noexcept { return delay_; }
  // Of the whole file, as written, in order.
  const std::vector<std::string>& sitemaps() const noexcept { return sitemaps_; }

 private:
  struct Rule {
    std::string pattern;  // escapes in one form, without the '$'
    bool allow = false;
    bool to_end = false;
  };
  static bool fits(const Rule& rule, std::string_view target) noexcept;

  std::vector<Rule> rules_;  // longest first, Allow before Disallow
  std::optional<double> delay_;
  std::vector<std::string> sitemaps_;
};

// The product token of a User-Agent header: "slipway" of "slipway/0.1 (+https://example.org)".
std::string product_token(std::string_view user_agent);

}  // namespace slipway::collect
