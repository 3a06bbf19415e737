#include "collect/scope.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace slipway::collect {
namespace {

Url url(std::string_view text) { return *parse_url(text); }

TEST(Scope, ReachesHostsDomainsOrAll) {
  ScopeOptions options;
  options.domains = {"Extra.example"};
  options.exclude_domains = {"no.extra.example"};
  Scope host(options);
  host.add_seed(url("http://www.a.example/"));
  EXPECT_EQ(host.refuse(url("http://www.a.example/x"), 1), "");
  EXPECT_EQ(host.refuse(url("http://a.example/x"), 1), "other host");
  EXPECT_EQ(host.refuse(url("http://deep.extra.example/"), 1), "");
  EXPECT_EQ(host.refuse(url("http://no.extra.example/"), 1), "excluded domain");
  EXPECT_EQ(host.refuse(url("http://notextra.example/"), 1), "other host");
  EXPECT_EQ(host.refuse(url("http://www.a.example/"), 6), "depth");
  options.reach = "domain";
  Scope domain(options);
  domain.add_seed(url("http://www.a.example/"));
  EXPECT_EQ(domain.refuse(url("http://b.a.example/"), 1), "");
  EXPECT_EQ(domain.refuse(url("http://aa.example/"), 1), "other host");
}

TEST(Scope, PatternsOfAddresses) {
  ScopeOptions options;
  options.include = {"/docs/", "\\.html$"};
  options.exclude = {"print=1"};
  Scope scope(options);
  scope.add_seed(url("http://a/"));
  EXPECT_EQ(scope.refuse(url("http://a/"), 0), "");
  EXPECT_EQ(scope.refuse(url("http://a/x"), 1), "not included");
  EXPECT_EQ(scope.refuse(url("http://a/docs/x"), 1), "");
  EXPECT_EQ(scope.refuse(url("http://a/docs/x?print=1"), 1), "excluded");
  options.exclude = {"("};
  EXPECT_THROW(Scope{options}, base::Error);
}

TEST(Scope, PathsThatGrowOnThemselves) {
  EXPECT_FALSE(repeats_itself("/a/b/a/c/a/d"));
  EXPECT_TRUE(repeats_itself("/a/b/a/c/a/d/a"));
  EXPECT_TRUE(repeats_itself("/x/a/b/a/b/a/b"));
  EXPECT_TRUE(repeats_itself("/a/a/a"));
  EXPECT_FALSE(repeats_itself("/a/a"));
  EXPECT_FALSE(repeats_itself("/"));
  EXPECT_TRUE(repeats_itself("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21"));
}

TEST(Scope, QueriesAndCalendarsHaveAnEnd) {
  ScopeOptions options;
  options.max_queries = 2;
  options.max_calendar = 3;
  Scope scope(options);
  std::string_view reason;
  EXPECT_TRUE(scope.count(url("http://a/s?q=1"), reason));
  EXPECT_TRUE(scope.count(url("http://a/s?q=2"), reason));
  EXPECT_FALSE(scope.count(url("http://a/s?q=3"), reason));
  EXPECT_EQ(reason, "enough queries of the path");
  EXPECT_TRUE(scope.count(url("http://a/t?q=3"), reason));
  EXPECT_TRUE(scope.count(url("http://a/cal/2024/01"), reason));
  EXPECT_TRUE(scope.count(url("http://a/cal/2024/02"), reason));
  EXPECT_TRUE(scope.count(url("http://a/cal/2031/12"), reason));
  EXPECT_FALSE(scope.count(url("http://a/cal/2031/11"), reason));
  EXPECT_EQ(reason, "enough of the calendar");
  EXPECT_TRUE(scope.count(url("http://a/news/2031/11"), reason));
}

TEST(Scope, ShapesOfCalendars) {
  EXPECT_EQ(calendar_shape(url("http://a/c/2024-03-17/x2")), "http://a/c/0-0-0/x0");
  EXPECT_EQ(calendar_shape(url("http://a/c?year=24&month=3")), "http://a/c?year=0&month=0");
  EXPECT_EQ(calendar_shape(url("http://a/article-1984")), "");
  EXPECT_EQ(calendar_shape(url("http://a/id/20249999")), "");
}

TEST(Scope, HostsHaveAnEnd) {
  ScopeOptions options;
  options.max_urls_per_host = 1;
  Scope scope(options);
  std::string_view reason;
  EXPECT_TRUE(scope.count(url("http://a/1"), reason));
  EXPECT_FALSE(scope.count(url("http://a/2"), reason));
  EXPECT_TRUE(scope.count(url("http://b/1"), reason));
}

}  // namespace
}  // namespace slipway::collect
