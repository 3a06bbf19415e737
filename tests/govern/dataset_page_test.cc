#include "govern/dataset_page.h"

#include "base/error.h"
#include "support/support.h"

namespace slipway::govern {
namespace {

using base::Json;

Json facts() {
  Json bins = Json::array({{{"low", 0}, {"high", 5}, {"count", 3}}, {{"low", 5}, {"high", 10}, {"count", 1}}});
  Json lengths = {{"count", 4}, {"mean", 4.5}, {"min", 1}, {"max", 9}, {"p5", 1}, {"p50", 4}, {"p95", 9}, {"bins", bins}};
  return {{"name", "reviews"},
          {"rows", 4},
          {"copies", 1},
          {"columns", Json::array({{{"name", "<b>col</b>"}, {"type", "string"}, {"present", 4}, {"missing", 0}, {"distinct", 2}, {"distinct_exact", true},
                                    {"top", Json::array({{{"value", "<script>alert(1)</script>"}, {"rows", 3}}})}}})},
          {"texts", {{"rows", 4}, {"words", lengths}, {"characters", lengths}, {"languages", Json::array({{{"language", "en"}, {"rows", 4}}})},
                     {"ngrams", Json::array({Json::array({{{"ngram", "a & b"}, {"count", 2}}})})}, {"personal_data", {{"rows", 0}, {"types", Json::array()}}}}},
          {"near_duplicates", {{"sample", 4}, {"clusters", 1}, {"rows", 2}, {"largest", Json::array({{{"rows", 2}, {"examples", Json::array({{{"at", "a:1"}, {"text", "<i>x"}}})}}})}}},
          {"map", {{"method", "pca"}, {"features", "tf-idf"}, {"explained", {0.5, 0.2}}, {"clusters", {"one", "two"}},
                   {"points", Json::array({{{"x", 0}, {"y", 1}, {"at", "a:1"}, {"text", "\"quoted\" <x>"}, {"label", "pos"}, {"language", "en"}, {"cluster", 0}, {"near", -1}},
                                           {{"x", 1}, {"y", 0}, {"at", "a:2"}, {"text", "two"}, {"label", "neg"}, {"language", "en"}, {"cluster", 1}, {"near", 0}}})}}},
          {"comparison", {{"rows_before", 3}, {"counts", {{"error", 1}, {"warning", 0}, {"info", 0}}},
                          {"findings", Json::array({{{"severity", "error"}, {"check", "missing"}, {"column", "x"}, {"message", "<img src=x>"}, {"before", 0.1}, {"after", 0.5}, {"test", "chi2"},
                                                     {"value", 9.0}, {"threshold", 7.0}, {"p", 1e-5}, {"rows", Json::array({{{"at", "f:9"}}})}}})}}}};
}

TEST(DatasetPage, EscapesAllTextsAndAsksNobody) {
  const std::string page = render_dataset_page(facts());
  for (const char* part : {"<b>col</b>", "<script>alert", "<img src", "<i>x", "\"quoted\" <x>", "http:", "https:", "src=\"", "href=\"http"}) {
    EXPECT_EQ(page.find(part), std::string::npos) << part;
  }
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;alert"), std::string::npos);
  EXPECT_NE(page.find("errors: 1"), std::string::npos);
  EXPECT_NE(page.find("缺失值"), std::string::npos);
  EXPECT_EQ(page, render_dataset_page(facts()));
}

TEST(DatasetPage, WhatIsAbsentOrOfAnotherTypeIsLeftOut) {
  const std::string empty = render_dataset_page(Json::object());
  EXPECT_EQ(empty.find("<section"), std::string::npos);
  Json wrong = facts();
  for (const char* key : {"columns", "texts", "near_duplicates", "map", "comparison", "quality", "rows", "copies", "name"}) {
    for (const Json& value : {Json(7), Json("x"), Json(nullptr), Json::array({1, "x", nullptr}), Json::object({{"points", {1, 2}}, {"findings", 3}, {"ngrams", {1}}})}) {
      wrong[key] = value;
      EXPECT_NE(render_dataset_page(wrong).find("</html>"), std::string::npos);
    }
    wrong = facts();
  }
  EXPECT_THROW(render_dataset_page(Json::array()), base::Error);
}

}  // namespace
}  // namespace slipway::govern
