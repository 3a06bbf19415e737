#include "collect/page_links.h"

#include <gtest/gtest.h>

namespace slipway::collect {
namespace {

std::vector<std::string> links(std::string_view html) {
  std::vector<std::string> all;
  for (const Url& url : links_of(html, *parse_url("http://a/b/c"), "slipway").links) {
    all.push_back(url.text());
  }
  return all;
}

TEST(PageLinks, InOrderWithoutRepeats) {
  EXPECT_EQ(links("<a href=x>1</a><A HREF='x#y'>2</A><area href=\"/z?a=1&amp;b=2\"><a href='mailto:q'><a href=#here><a>"
                  "<script>'<a href=no>'</script><!-- <a href=no> --><link rel=next href=n><link rel=stylesheet href=s.css>"),
            (std::vector<std::string>{"http://a/b/x", "http://a/z?a=1&b=2", "http://a/b/n"}));
}

TEST(PageLinks, TheFirstBaseCounts) {
  EXPECT_EQ(links("<base href='//o.example/d/'><base href=/no/><a href=x>"), std::vector<std::string>{"http://o.example/d/x"});
}

TEST(PageLinks, NoFollowOfOneLinkAndRefreshes) {
  EXPECT_EQ(links("<a rel='external NoFollow' href=x><meta http-equiv=refresh content=\"3; URL='/r'\">"),
            std::vector<std::string>{"http://a/r"});
}

TEST(PageLinks, CanonicalAndWishes) {
  const PageLinks page = links_of("<link rel=canonical href=/real><meta name=ROBOTS content='NoIndex,follow'><meta name=Slipway content=nofollow>"
                                  "<meta name=otherbot content=noai>",
                                  *parse_url("http://a/b"), "slipway");
  EXPECT_EQ(page.canonical->text(), "http://a/real");
  EXPECT_TRUE(page.wishes.no_index && page.wishes.no_follow && !page.wishes.no_ai);
}

TEST(PageLinks, WishesOfHeaders) {
  RobotsWishes wishes;
  wishes.add_header("otherbot: none", "slipway");
  EXPECT_FALSE(wishes.no_index || wishes.no_follow);
  wishes.add_header("slipway: noindex", "slipway");
  EXPECT_TRUE(wishes.no_index && !wishes.no_follow);
  wishes.add_header("noai, unavailable_after: 25 Jun 2030", "slipway");
  EXPECT_TRUE(wishes.no_ai);
}

// A page made to be slow: every attribute and tag is looked at once, however many and however deep.
TEST(PageLinks, APageBombCostsItsBytes) {
  std::string html;
  for (int i = 0; i < 200'000; ++i) {
    html += "<div><a href=/" + std::to_string(i) + ">";
  }
  html += "<a " + std::string(1'000'000, 'x') + "=1 href=" + std::string(1'000'000, 'y') + ">";
  EXPECT_EQ(links(html).size(), kMaxLinks);
}

}  // namespace
}  // namespace slipway::collect
