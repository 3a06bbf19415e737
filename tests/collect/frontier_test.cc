#include "collect/frontier.h"

#include <fstream>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"

namespace slipway::collect {
namespace {

class FrontierTest : public testing::Test {
 protected:
  static Url url(std::string_view text) { return *parse_url(text); }
  std::filesystem::path log() const { return dir_.path() / "crawl.log"; }
  void append(const std::string& text) { std::ofstream(log(), std::ios::app | std::ios::binary) << text; }
  // A round with /1 visited, which led to /2 and /3.
  void begin() {
    Scope scope({});
    Frontier frontier(dir_.path(), scope);
    frontier.begin_round("2026-01-01T00:00:00Z");
    frontier.add_seeds({url("http://a/1")});
    const auto turn = frontier.hosts().take(0);
    frontier.page(turn->item, {{"s", 200}, {"t", "2026-01-01T00:00:01Z"}, {"e", "\"x\""}, {"m", ""}, {"g", "sha1:X"}},
                  {{url("http://a/2"), 1}, {url("http://a/3"), 1}, {url("http://b/"), 1}, {url("http://a/2"), 1}});
    frontier.hosts().done(turn->host, 0);
    EXPECT_EQ(frontier.refused().at("other host"), 1U);
  }
  base::TempDir dir_;
};

TEST_F(FrontierTest, GoesOnWhereItWas) {
  begin();
  append("{\"k\":\"page\",\"i\":1,\"s\":200");  // killed in the middle of a line
  Scope scope({});
  Frontier frontier(dir_.path(), scope);
  EXPECT_TRUE(frontier.resumed());
  EXPECT_EQ(frontier.known(), 3U);
  EXPECT_EQ(frontier.visited(), 1U);
  EXPECT_EQ(frontier.hosts().waiting(), 2U);
  const auto turn = frontier.hosts().take(0);
  EXPECT_EQ(frontier.entry(turn->item).url, "http://a/2");
  frontier.page(turn->item, {{"s", 404}}, {{url("http://a/1"), 2}});
  EXPECT_EQ(frontier.hosts().waiting(), 1U);  // /1 was visited in this round
}

TEST_F(FrontierTest, ADamagedLineInTheMiddleIsTold) {
  begin();
  append("{\"k\":\"pa\n{\"k\":\"end\"}\n");
  Scope scope({});
  try {
    Frontier frontier(dir_.path(), scope);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kIntegrity);
    EXPECT_NE(std::string(error.what()).find("line 5"), std::string::npos) << error.what();
  }
}

TEST_F(FrontierTest, WhatTheArchiveLostIsForgotten) {
  begin();
  append("{\"k\":\"page\",\"i\":1,\"s\":200,\"w\":1,\"o\":0,\"n\":5000}\n{\"k\":\"page\",\"i\":2,\"s\":200}\n");
  std::ofstream(dir_.path() / "crawl-00001.warc.gz.open") << "short";
  Scope scope({});
  Frontier frontier(dir_.path(), scope);
  EXPECT_EQ(frontier.visited(), 1U);
  EXPECT_EQ(frontier.hosts().waiting(), 2U);
  EXPECT_EQ(frontier.last_place().file, 0U);
}

TEST_F(FrontierTest, AnUnchangedPageLeadsWhereItLed) {
  begin();
  append("{\"k\":\"end\"}\n");
  {
    Scope scope({});
    Frontier frontier(dir_.path(), scope);
    const auto visit = frontier.last_visit(0);
    ASSERT_TRUE(visit);
    EXPECT_EQ(visit->etag, "\"x\"");
    EXPECT_EQ(visit->digest, "sha1:X");
    frontier.begin_round("2026-01-02T00:00:00Z");
    frontier.add_seeds({url("http://a/1")});
    const auto turn = frontier.hosts().take(0);
    EXPECT_EQ(turn->item, 0U);
    frontier.page(0, {{"s", 304}, {"g", "sha1:X"}}, {}, true);
    EXPECT_EQ(frontier.hosts().waiting(), 2U);
  }
  Scope scope({});
  Frontier again(dir_.path(), scope);
  EXPECT_EQ(again.hosts().waiting(), 2U);
  EXPECT_EQ(again.entry(1).depth, 1);
}

TEST_F(FrontierTest, TwoProcessesAreOneTooMany) {
  Scope scope({});
  Frontier frontier(dir_.path(), scope);
  try {
    Frontier second(dir_.path(), scope);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kConflict);
  }
}

}  // namespace
}  // namespace slipway::collect
