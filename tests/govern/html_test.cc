#include "govern/html.h"

#include <cmath>
#include <limits>
#include <string>

#include "support/support.h"

namespace slipway::govern::html {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Numbers, RoundIntoTheNextUnit) {
  EXPECT_EQ(bytes(999), "999 B");
  EXPECT_EQ(bytes(999.6), "1.0 kB");
  EXPECT_EQ(bytes(999'400), "999 kB");
  EXPECT_EQ(bytes(999'600), "1.0 MB");
  EXPECT_EQ(bytes(99'950), "100.0 kB");
  EXPECT_EQ(bytes(5e17), "500000 TB");
  EXPECT_EQ(bytes(0), "0 B");
  EXPECT_EQ(seconds(0.0009994), "999 µs");
  EXPECT_EQ(seconds(0.0009996), "1 ms");
  EXPECT_EQ(seconds(0.9996), "1.0 s");
  EXPECT_EQ(seconds(59.94), "59.9 s");
  EXPECT_EQ(seconds(59.96), "1 min 0 s");
  EXPECT_EQ(seconds(3599.4), "59 min 59 s");
  EXPECT_EQ(seconds(3599.6), "1 h 0 min");
  EXPECT_EQ(seconds(90'000), "25 h 0 min");
}

TEST(Numbers, CountsAreGroupedFromTheRight) {
  EXPECT_EQ(count(0), "0");
  EXPECT_EQ(count(-0.4), "0");
  EXPECT_EQ(count(999), "999");
  EXPECT_EQ(count(1000), "1,000");
  EXPECT_EQ(count(-1e6), "−1,000,000");
  EXPECT_EQ(count(1e16), "1e+16");
}

TEST(Numbers, WhatIsNotFiniteIsADash) {
  for (const double value : {kNan, kInfinity, -kInfinity}) {
    for (const std::string& text : {number(value), fixed(value, 2), signed_fixed(value, 2), count(value),
                                    percent(value), bytes(value), seconds(value)}) {
      EXPECT_EQ(text, "–");
    }
  }
}

TEST(Facts, PathsThatLeadNowhereAreNull) {
  const Json facts = {{"a", {{"b", 1}, {"text", "x"}, {"none", nullptr}}}, {"list", {1, 2}}, {"empty", Json::object()}};
  EXPECT_EQ(at(facts, "a.b"), 1);
  for (const char* path : {"a.c", "c", "a.b.c", "list.0", "a.none", ".", "a..b"}) {
    EXPECT_TRUE(at(facts, path).is_null()) << path;
    EXPECT_FALSE(has(facts, path)) << path;
  }
  EXPECT_EQ(at(facts, ""), facts);
  EXPECT_TRUE(has(facts, "list"));
  EXPECT_FALSE(has(facts, "empty"));
  EXPECT_TRUE(std::isnan(number_at(facts, "a.text")));
  EXPECT_EQ(number_at(facts, "a.b"), 1);
}

TEST(Facts, EveryScalarHasAText) {
  EXPECT_EQ(text_of("x"), "x");
  EXPECT_EQ(text_of(12'345), "12345");
  EXPECT_EQ(text_of(0.25), "0.25");
  EXPECT_EQ(text_of(true), "yes");
  EXPECT_EQ(text_of(false), "no");
  EXPECT_EQ(text_of(nullptr, "none"), "none");
  EXPECT_EQ(text_of(Json::array({1}), "none"), "none");
}

TEST(CodePoints, TakeByCharactersNotBytes) {
  CodePoints walk("aé中😀z");
  EXPECT_EQ(walk.take(2), "aé");
  EXPECT_EQ(walk.take(2), "");  // there already
  EXPECT_EQ(walk.take(4), "中😀");
  EXPECT_EQ(walk.take(1), "");  // never back
  EXPECT_EQ(walk.take(1e9), "z");
  EXPECT_EQ(walk.take(2e9), "");
}

TEST(CodePoints, BrokenBytesCountOneEach) {
  CodePoints walk("\xff\xe4\xb8z");
  EXPECT_EQ(walk.take(1), "\xff");
  EXPECT_EQ(walk.take(3), "\xe4\xb8");
  EXPECT_EQ(walk.take(4), "z");
}

TEST(Estimates, ComeFromNumbersAndObjects) {
  const Estimate bare = estimate_of(0.5);
  EXPECT_TRUE(bare.known());
  EXPECT_FALSE(bare.has_interval());
  EXPECT_EQ(interval(bare, 3), "–");
  const Estimate whole = estimate_of({{"value", 0.5}, {"low", 0.4}, {"high", 0.6}, {"n", 9}});
  EXPECT_TRUE(whole.has_interval());
  EXPECT_EQ(interval(whole, 2), "0.40 – 0.60");
  EXPECT_EQ(percent_interval(whole), "40.0 – 60.0%");
  EXPECT_FALSE(estimate_of({{"value", nullptr}, {"low", 0.4}, {"high", 0.6}}).known());
  EXPECT_FALSE(estimate_of({{"value", nullptr}, {"low", 0.4}, {"high", 0.6}}).has_interval());
  EXPECT_FALSE(estimate_at(Json::object(), "a.b").known());
}

TEST(Tables, HaveAHeadOnlyWhenItSaysSomething) {
  const std::string with = table("c<", {"a", "<b>"}, {row({"x", "1"})}, 1);
  EXPECT_NE(with.find("<caption>c&lt;</caption><thead>"), std::string::npos);
  EXPECT_NE(with.find("<th scope=\"col\" class=\"r\">&lt;b&gt;</th>"), std::string::npos);
  EXPECT_NE(with.find("<th scope=\"row\">x</th><td>1</td>"), std::string::npos);
  const std::string without = table("", {"", ""}, {row({"x", "1"})});
  EXPECT_EQ(without.find("<thead>"), std::string::npos);
  EXPECT_EQ(without.find("<caption>"), std::string::npos);
}

TEST(Code, KeepsTheWholeTextInItsTitleWhenCut) {
  EXPECT_EQ(code("sha256:ab"), "<code>sha256:ab</code>");
  EXPECT_EQ(code("abc\"d", 3), "<code title=\"abc&quot;d\">abc…</code>");
}

}  // namespace
}  // namespace slipway::govern::html
