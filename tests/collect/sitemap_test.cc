#include "collect/sitemap.h"

#include <gtest/gtest.h>

namespace slipway::collect {
namespace {

using Urls = std::vector<std::string>;

TEST(Sitemap, ListsPages) {
  const Sitemap map = parse_sitemap(
      "\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<!-- <loc>no</loc> --><urlset xmlns=\"x\" xmlns:image=\"y\"><url><loc>\n http://a/?x=1&amp;y </loc>"
      "<lastmod>2026-01-01</lastmod><image:image><image:loc>http://a/i.png</image:loc></image:image></url>"
      "<url><loc><![CDATA[http://a/<b>]]></loc></url><url><loc></loc></url></urlset>");
  EXPECT_FALSE(map.index);
  EXPECT_EQ(map.urls, (Urls{"http://a/?x=1&y", "http://a/<b>"}));
}

TEST(Sitemap, SaysWhenPagesWereChanged) {
  const Sitemap map = parse_sitemap(
      "<urlset><url><loc>http://a/1</loc><lastmod>1970-01-02T00:00:00Z</lastmod></url><url><lastmod>1970-01-03</lastmod><loc>http://a/2</loc></url>"
      "<url><loc>http://a/3</loc></url><url><loc>http://a/4</loc><lastmod>soon</lastmod></url></urlset>");
  EXPECT_EQ(map.modified, (std::vector<int64_t>{86'400, 3 * 86'400 - 1, 0, 0}));
}

TEST(Sitemap, DatesEndWhereTheySay) {
  EXPECT_EQ(time_of_lastmod("1970"), 365 * 86'400 - 1);
  EXPECT_EQ(time_of_lastmod("1970-12"), 365 * 86'400 - 1);
  EXPECT_EQ(time_of_lastmod("2026-04-01"), 1'775'087'999);
  EXPECT_EQ(time_of_lastmod("2026-04-01T10:00+02:00"), 1'775'030'459);
  EXPECT_EQ(time_of_lastmod("2026-04-01T10:00:05.25Z"), 1'775'037'605);
  EXPECT_EQ(time_of_lastmod("2026-04-01T10:00:05-0130"), 0);
  for (const char* none : {"", "soon", "2026-13", "2026-02-30", "2026-04-01T", "2026-04-01 10:00", "2026-04-01T10:00:0", "1969-01-01", "2026-04-01T10:00X"}) {
    EXPECT_EQ(time_of_lastmod(none), 0) << none;
  }
}

TEST(Sitemap, ListsSitemapsWithAPrefix) {
  const Sitemap map = parse_sitemap("<s:sitemapindex><s:sitemap><s:loc>http://a/1</s:loc></s:sitemap><loc>http://no</loc></s:sitemapindex>");
  EXPECT_TRUE(map.index);
  EXPECT_EQ(map.urls, Urls{"http://a/1"});
}

TEST(Sitemap, IsPlainTextToo) {
  EXPECT_EQ(parse_sitemap("http://a/1\r\n# no\nhttps://a/2").urls, (Urls{"http://a/1", "https://a/2"}));
}

TEST(Sitemap, KeepsToFiftyThousand) {
  std::string bytes = "<urlset>";
  for (int i = 0; i < 50'010; ++i) {
    bytes += "<url><loc>http://a/" + std::to_string(i) + "</loc></url>";
  }
  const Sitemap map = parse_sitemap(bytes);
  EXPECT_EQ(map.urls.size(), kMaxSitemapUrls);
  EXPECT_TRUE(map.cut);
}

TEST(Sitemap, WhatIsBrokenEnds) {
  EXPECT_EQ(parse_sitemap("<urlset><url><loc>http://a/1</loc><url><loc>http://a/2").urls, Urls{"http://a/1"});
  EXPECT_TRUE(parse_sitemap("<urlset").urls.empty());
  EXPECT_TRUE(parse_sitemap("<urlset><loc>" + std::string(10'000, 'a') + "</loc></urlset>").urls.empty());
  EXPECT_TRUE(looks_like_sitemap("<?xml?>\n<urlset>"));
  EXPECT_FALSE(looks_like_sitemap("<html><urlset>"));
  EXPECT_FALSE(looks_like_sitemap("text <urlset>"));
}

}  // namespace
}  // namespace slipway::collect
