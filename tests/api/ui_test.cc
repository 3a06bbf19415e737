// What the web UI is given: its pages, and its questions about runs.
#include <cmath>
#include <random>

#include "api/downsample.h"
#include "api/fixture.h"
#include "api/ui_files.h"
#include "net/encoding.h"

namespace slipway::api {
namespace {

using UiPages = ServerTest;
using UiRuns = ServerTest;

std::string packed(const std::string& text) { return net::encode_body("gzip", text); }

struct Assets {
  std::string page = packed("<!doctype html>page");
  std::string script = packed("let a");
  std::vector<UiAsset> list{{"app-1234.js", "text/javascript", "aa", script, 5},
                            {"index.html", "text/html; charset=utf-8", "bb", page, 19}};
};

net::Request request(net::Headers headers = {}) {
  net::Request one;
  one.method = "GET";
  one.headers = std::move(headers);
  return one;
}

TEST_F(UiPages, ThePageIsAtTheRootAndUnderDeepLinks) {
  const Answer root = ask("GET", "/");
  EXPECT_EQ(root.status, 200);
  EXPECT_TRUE(root.headers.get("Content-Type").starts_with("text/html"));
  EXPECT_NE(root.text.find("Slipway"), std::string::npos);
  EXPECT_EQ(ask("GET", "/ui/runs/abc").text, root.text);
  EXPECT_EQ(ask("GET", "/ui/models/a%20b?v=3").text, root.text);
  EXPECT_EQ(ask("GET", "/ui/assets/no-such.js").status, 404);
  EXPECT_EQ(ask("GET", "/other").status, 404);
  EXPECT_EQ(ask("POST", "/ui/runs").status, 405);
}

TEST_F(UiPages, EveryAssetIsServedAsItWasPacked) {
  for (const UiAsset& asset : ui_assets()) {
    if (asset.name == "index.html") {
      continue;
    }
    const Answer answer = ask("GET", "/ui/assets/" + std::string(asset.name), "", {{"Accept-Encoding", "gzip"}});
    EXPECT_EQ(answer.status, 200) << asset.name;
    EXPECT_NE(answer.headers.get("Cache-Control").find("immutable"), std::string_view::npos);
  }
}

TEST_F(UiPages, WithoutAssetsThePageSaysHowToBuildThem) {
  const net::Response page = ui_page(request(), {});
  EXPECT_EQ(page.status, 200);
  EXPECT_NE(page.body.find("tools/setup web"), std::string::npos);
}

TEST_F(UiPages, ComeCompressedOrPlainAsTheClientAccepts) {
  const Assets assets;
  const net::Response plain = ui_page(request(), assets.list);
  EXPECT_EQ(plain.body, "<!doctype html>page");
  EXPECT_EQ(plain.headers.get("ETag"), "\"bb\"");
  EXPECT_FALSE(plain.headers.has("Content-Encoding"));
  const net::Response gzip = ui_page(request({{"Accept-Encoding", "br, gzip"}}), assets.list);
  EXPECT_EQ(gzip.body, assets.page);
  EXPECT_EQ(gzip.headers.get("ETag"), "\"bb-gzip\"");
  EXPECT_EQ(gzip.headers.get("Content-Encoding"), "gzip");
  EXPECT_EQ(gzip.headers.get("Cache-Control"), "no-cache");
  EXPECT_EQ(ui_page(request({{"Accept-Encoding", "gzip;q=0"}}), assets.list).body, plain.body);
}

TEST_F(UiPages, AreNotSentAgainToOneWhoHasThem) {
  const Assets assets;
  const net::Response same = ui_page(request({{"If-None-Match", "\"x\", \"bb\""}}), assets.list);
  EXPECT_EQ(same.status, 304);
  EXPECT_TRUE(same.body.empty());
  EXPECT_EQ(same.headers.get("ETag"), "\"bb\"");
  // The compressed one is another representation.
  EXPECT_EQ(ui_page(request({{"If-None-Match", "\"bb\""}, {"Accept-Encoding", "gzip"}}), assets.list).status, 200);
}

TEST_F(UiPages, AllowNothingFromElsewhere) {
  const Assets assets;
  for (const net::Response& response :
       {ui_page(request(), assets.list), ui_file(request(), assets.list, "app-1234.js")}) {
    EXPECT_TRUE(response.headers.get("Content-Security-Policy").starts_with("default-src 'self';"));
    EXPECT_EQ(response.headers.get("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(response.headers.get("Content-Security-Policy").find("unsafe"), std::string_view::npos);
  }
  EXPECT_EQ(ui_file(request(), assets.list, "../index.html").status, 404);
}

TEST_F(UiRuns, AreCountedAsTheyAreFound) {
  for (int i = 0; i < 12; ++i) {
    const std::string id = new_run();
    post("runs/log-parameter", {{"run_id", id}, {"key", "lr"}, {"value", i % 3 == 0 ? "0.1" : "0.2"}});
    post("runs/log-metric", {{"run_id", id}, {"key", "acc"}, {"value", i / 10.0}, {"timestamp", 1}});
  }
  const auto count = [&](const std::string& filter) {
    const Json body = {{"experiment_ids", {"0"}}, {"filter", filter}};
    return good(ask("POST", "/ajax-api/ui/runs/count", body.dump()))["runs"].get<int>();
  };
  EXPECT_EQ(count(""), 12);
  EXPECT_EQ(count("params.lr = '0.1'"), 4);
  EXPECT_EQ(count("metrics.acc > 0.45 AND params.lr = '0.2'"), 5);
  EXPECT_EQ(count("params.lr IS NULL"), 0);
  EXPECT_EQ(good(ask("POST", "/api/ui/runs/count", "{}"))["runs"], 0);
  EXPECT_EQ(fault(ask("POST", "/api/ui/runs/count", R"({"experiment_ids":["0"],"filter":"acc >"})")).substr(0, 27),
            "400 INVALID_PARAMETER_VALUE");
}

TEST_F(UiRuns, AWindowIsTheSearchFromThereOn) {
  for (int i = 0; i < 7; ++i) {
    new_run({{"run_name", "r" + std::to_string(i)}, {"start_time", i + 1}});
  }
  const auto names = [&](const Json& body) {
    std::string text;
    const Json answer = good(ask("POST", "/api/ui/runs/window", body.dump()));
    for (const Json& run : answer["runs"]) {
      text += run["info"]["run_name"].get<std::string>() + " ";
    }
    return text;
  };
  EXPECT_EQ(names({{"experiment_ids", {"0"}}, {"offset", 2}, {"max_results", 3}}), "r4 r3 r2 ");
  EXPECT_EQ(names({{"experiment_ids", {"0"}}, {"order_by", {"attributes.start_time ASC"}}, {"offset", 5}}), "r5 r6 ");
  EXPECT_EQ(names({{"experiment_ids", {"0"}}, {"offset", 99}}), "");
  EXPECT_EQ(ask("POST", "/api/ui/runs/window", R"({"experiment_ids":["0"],"max_results":1001})").status, 400);
}

TEST_F(UiRuns, FallIntoGroups) {
  for (int i = 0; i < 9; ++i) {
    const std::string id = new_run({{"start_time", 100 + i}, {"user_id", i < 2 ? "ada" : "lin"}});
    if (i != 8) {
      post("runs/log-parameter", {{"run_id", id}, {"key", "lr"}, {"value", i < 5 ? "0.1" : "0.2"}});
    }
  }
  const auto groups = [&](const std::string& by, int most = 100) {
    const Json body = {{"experiment_ids", {"0"}}, {"by", by}, {"max_results", most}};
    std::string text;
    const Json answer = good(ask("POST", "/api/ui/runs/groups", body.dump()));
    for (const Json& group : answer["groups"]) {
      text += fmt::format("{}:{}@{} ", group.contains("value") ? group["value"].get<std::string>() : "-",
                          group["runs"].get<int>(), group["newest_start_time"].get<int>());
    }
    return text + (answer["more"].get<bool>() ? "more" : "");
  };
  EXPECT_EQ(groups("params.lr"), "0.1:5@104 0.2:3@107 -:1@108 ");
  EXPECT_EQ(groups("params.lr", 1), "0.1:5@104 more");
  EXPECT_EQ(groups("attributes.user_id"), "lin:7@108 ada:2@101 ");
  EXPECT_EQ(groups("tags.none"), "-:9@108 ");
  EXPECT_EQ(ask("POST", "/api/ui/runs/groups", R"({"experiment_ids":["0"],"by":"metrics.acc"})").status, 400);
}

TEST_F(UiRuns, CurvesKeepEndsPeaksAndWhatIsNotFinite) {
  const std::string id = new_run();
  Json metrics = Json::array();
  for (int step = 0; step < 900; ++step) {
    const double value = step == 433 ? 50.0 : std::sin(step / 90.0);
    metrics.push_back({{"key", "loss"}, {"value", value}, {"timestamp", 1000 + step}, {"step", step}});
  }
  metrics.push_back({{"key", "loss"}, {"value", "NaN"}, {"timestamp", 5000}, {"step", 900}});
  good(post("runs/log-batch", {{"run_id", id}, {"metrics", metrics}}));
  const Json body = {{"run_ids", {id}}, {"keys", {"loss", "none"}}, {"points", 60}};
  const Json curves = good(ask("POST", "/api/ui/curves", body.dump()))["curves"];
  ASSERT_EQ(curves.size(), 1U);
  const Json& curve = curves[0];
  EXPECT_EQ(curve["total"], 901);
  EXPECT_EQ(curve["not_finite"], 1);
  EXPECT_EQ(curve["steps"].size(), 60U);
  EXPECT_EQ(curve["steps"].front(), 0);
  EXPECT_EQ(curve["steps"].back(), 899);
  EXPECT_NE(std::find(curve["steps"].begin(), curve["steps"].end(), Json(433)), curve["steps"].end());
  EXPECT_EQ(curve["times"].back(), 1899);
}

TEST(Downsample, KeepsTheEndsAndAtMostSoMany) {
  std::mt19937 random(3);
  std::normal_distribution<double> noise;
  for (const size_t count : {0U, 1U, 2U, 3U, 10U, 11U, 1000U, 4097U}) {
    std::vector<double> x(count);
    std::vector<double> y(count);
    for (size_t i = 0; i < count; ++i) {
      x[i] = static_cast<double>(i / 2);  // pairs at one x
      y[i] = noise(random);
    }
    for (const size_t keep : {3U, 10U, 500U}) {
      const std::vector<size_t> kept = largest_triangles(x, y, keep);
      ASSERT_EQ(kept.size(), std::min(count, keep));
      for (size_t i = 1; i < kept.size(); ++i) {
        ASSERT_LT(kept[i - 1], kept[i]);
      }
      if (count > 0) {
        EXPECT_EQ(kept.front(), 0U);
        EXPECT_EQ(kept.back(), count - 1);
      }
    }
  }
}

TEST(Downsample, FindsTheOnePeak) {
  std::vector<double> x(10'000);
  std::vector<double> y(10'000, 1.0);
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<double>(i);
  }
  y[7777] = 1e300;
  const std::vector<size_t> kept = largest_triangles(x, y, 100);
  EXPECT_NE(std::find(kept.begin(), kept.end(), 7777U), kept.end());
}

}  // namespace
}  // namespace slipway::api
