#include "collect/robots.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"

namespace slipway::collect {
namespace {

// Protego 0.7 takes the group whose agent is anywhere in ours, RFC 9309 (and we) one at its beginning; no case here depends on it.
TEST(Robots, DecidesAsProtegoDoes) {
  const base::Json gold = base::parse_json(base::read_file("tests/gold/robots.json"), "robots.json");
  size_t decisions = 0;
  for (const base::Json& one : gold.at("cases")) {
    const std::string label = one.at("name").get<std::string>() + " for " + one.at("agent").get<std::string>();
    const Robots robots = Robots::parse(one.at("file").get<std::string>(), one.at("agent").get<std::string>());
    for (const auto& [path, allowed] : one.at("allowed").items()) {
      EXPECT_EQ(robots.allows(path), allowed.get<bool>()) << label << ": " << path;
      ++decisions;
    }
    const base::Json& delay = one.at("crawl_delay");
    EXPECT_EQ(robots.crawl_delay(), delay.is_null() ? std::nullopt : std::optional(delay.get<double>())) << label;
    EXPECT_EQ(robots.sitemaps(), one.at("sitemaps").get<std::vector<std::string>>()) << label;
  }
  EXPECT_GT(decisions, 1500U);
}

TEST(Robots, TakesTheGroupThatNamesUsLongest) {
  const std::string file = "User-agent: example\nDisallow: /a\n\nUser-agent: example-news\nDisallow: /b\n\nUser-agent: *\nDisallow: /c\n";
  EXPECT_TRUE(Robots::parse(file, "Example-News").allows("/a"));
  EXPECT_FALSE(Robots::parse(file, "Example-News").allows("/b"));
  EXPECT_FALSE(Robots::parse(file, "example-images").allows("/a"));
  EXPECT_FALSE(Robots::parse(file, "exam").allows("/c"));  // longer than ours is another's
}

TEST(Robots, EscapedStarsStandForThemselves) {
  const Robots robots = Robots::parse("User-agent: *\nDisallow: /with-a-%2A.html\nDisallow: /price-%24$\n", "slipway");
  EXPECT_FALSE(robots.allows("/with-a-*.html"));
  EXPECT_FALSE(robots.allows("/with-a-%2a.html"));
  EXPECT_TRUE(robots.allows("/with-a-b.html"));
  EXPECT_FALSE(robots.allows("/price-$"));
  EXPECT_TRUE(robots.allows("/price-$1"));
}

TEST(Robots, ReadsHalfAMegabyteAndWholeLinesOnly) {
  std::string file = "User-agent: *\nDisallow: /early\n";
  while (file.size() < (500U << 10)) {
    file += "# nothing but a long comment that fills the file up to the limit, line after line\n";
  }
  file += "Disallow: /within\n";
  const size_t within = file.size();
  file += std::string((512U << 10) - within - 20, '#') + "\nDisallow: /cut-in-the-middle\nDisallow: /\n";
  const Robots robots = Robots::parse(file, "slipway");
  EXPECT_FALSE(robots.allows("/early"));
  EXPECT_FALSE(robots.allows("/within"));
  EXPECT_TRUE(robots.allows("/cu"));
  EXPECT_TRUE(robots.allows("/else"));
}

TEST(Robots, AByteOrderMarkIsNotPartOfTheFirstLine) {
  EXPECT_FALSE(Robots::parse("\xEF\xBB\xBFUser-agent: *\nDisallow: /a\n", "slipway").allows("/a"));
}

TEST(Robots, ItselfIsAlwaysAllowed) {
  EXPECT_TRUE(Robots::parse("User-agent: *\nDisallow: /", "slipway").allows("/robots.txt"));
  EXPECT_FALSE(Robots::nothing_allowed().allows("/"));
  EXPECT_TRUE(Robots().allows("/anything"));
}

TEST(Robots, DelaysThatAreNoNumberAreNone) {
  EXPECT_FALSE(Robots::parse("User-agent: *\nCrawl-delay: soon", "x").crawl_delay());
  EXPECT_FALSE(Robots::parse("User-agent: *\nCrawl-delay: -1", "x").crawl_delay());
  EXPECT_FALSE(Robots::parse("User-agent: *\nCrawl-delay: nan", "x").crawl_delay());
  EXPECT_EQ(Robots::parse("User-agent: *\nCrawl-delay: 1e9", "x").crawl_delay(), 86'400);
}

TEST(Robots, ProductTokens) {
  EXPECT_EQ(product_token("Slip-way/0.1 (+https://x)"), "Slip-way");
  EXPECT_EQ(product_token("0day"), "");
}

}  // namespace
}  // namespace slipway::collect
