// What keys, values and paths may be, to the letter.
#include "api/limits.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace slipway::api {
namespace {

template <class Action>
std::string refusal(Action&& action) {
  try {
    action();
  } catch (const ApiError& error) {
    EXPECT_EQ(error.word(), "INVALID_PARAMETER_VALUE");
    return error.what();
  }
  return "accepted";
}

std::string key_refusal(const std::string& key) {
  record::KeyValue tag{key, "v"};
  return refusal([&] { check_run_tag(tag); });
}

TEST(Limits, KeysAreNamesThatCouldBeFiles) {
  for (const char* good : {"a", "train/loss", "a b", "a:b", "a.b-c_d", "\xC3\xA4", "a..b"}) {
    EXPECT_EQ(key_refusal(good), "accepted") << good;
  }
  EXPECT_EQ(
      key_refusal("a,b"),
      "Invalid value \"a,b\" for parameter 'key' supplied: Names may only contain alphanumerics, underscores (_), "
      "dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).");
  EXPECT_EQ(
      key_refusal("a//b"),
      "Invalid value \"a//b\" for parameter 'key' supplied: Names may be treated as files in certain cases, and must "
      "not resolve to other names when treated as such. This name would resolve to 'a/b'");
  for (const char* bad :
       {"../a", "..a", "a/../b", "./a", "a/", "/a", ".", "..", "//a", "a/.", "a\nb", "a\\b", "a\"b"}) {
    EXPECT_NE(key_refusal(bad), "accepted") << bad;
  }
  EXPECT_EQ(key_refusal(std::string(250, 'k')), "accepted");
  EXPECT_EQ(key_refusal(std::string(251, 'k')), "'key' exceeds the maximum length of 250 characters");
}

TEST(Limits, LongValuesAreCutAtACharacter) {
  std::string value;
  for (int i = 0; i < 8001; ++i) {
    value += "\xC3\xA4";
  }
  record::KeyValue tag{"k", value};
  check_run_tag(tag);
  EXPECT_EQ(tag.value, value.substr(0, 16'000));
  record::KeyValue param{"k", std::string(6001, 'x')};
  check_param(param);
  EXPECT_EQ(param.value.size(), 6000U);
}

TEST(Limits, MetricsAreFiniteOrNaN) {
  BatchMetric point{"m", std::numeric_limits<double>::infinity(), 0, 0};
  check_metric(point);
  EXPECT_EQ(point.value, 1.7976931348623157e+308);
  point.value = std::nan("");
  check_metric(point);
  EXPECT_TRUE(std::isnan(point.value));
  point.time_ms = -1;
  EXPECT_TRUE(
      refusal([&] { check_metric(point); }).starts_with("Invalid value -1 for parameter 'timestamp' supplied: "));
}

TEST(Limits, BatchesHaveSizes) {
  LogBatch batch;
  batch.metrics.assign(1001, {"m", 1, 0, 0});
  EXPECT_EQ(
      refusal([&] { check_batch(batch); }),
      "A batch logging request can contain at most 1000 metrics. Got 1001 metrics. Please split up metrics across "
      "multiple requests and try again.");
  batch.metrics.assign(901, {"m", 1, 0, 0});
  batch.params.assign(100, {"p", "v"});
  EXPECT_EQ(refusal([&] { check_batch(batch); }),
            "A batch logging request can contain at most 1000 metrics, params, and tags. Got 1001 metrics, params, and "
            "tags. Please split up metrics, params, and tags across multiple requests and try again.");
  batch.metrics.clear();
  batch.params.assign(2, {"p", "v"});
  EXPECT_EQ(
      refusal([&] { check_batch(batch); }),
      "Duplicate parameter keys have been submitted: ['p']. Please ensure the request contains only one param value "
      "per param key.");
  batch.params = {{"p", "v"}, {"bad,key", "v"}};
  EXPECT_TRUE(
      refusal([&] { check_batch(batch); }).starts_with("Invalid value \"bad,key\" for parameter 'params[1].key'"));
}

TEST(Limits, ExperimentNames) {
  EXPECT_EQ(refusal([] { check_experiment_name("  "); }), "Invalid experiment name: '  '");
  EXPECT_EQ(refusal([] { check_experiment_name(std::string(501, 'x')); }),
            "'name' exceeds the maximum length of 500 characters");
  EXPECT_EQ(refusal([] { check_experiment_name(std::string(500, 'x')); }), "accepted");
}

TEST(SafePath, KeepsWhatIsBelow) {
  EXPECT_EQ(safe_path(""), "");
  EXPECT_EQ(safe_path("a/b.txt"), "a/b.txt");
  EXPECT_EQ(safe_path("a//b/./c/"), "a/b/c");
  EXPECT_EQ(safe_path("..a/b..c/..."), "..a/b..c/...");
  EXPECT_EQ(safe_path("100%"), "100%");
  EXPECT_EQ(safe_path("a%20b"), "a b");
}

// Every way that we know to say "up" or "from the root", in every place: none leads out.
TEST(SafePath, RefusesEveryEscape) {
  const std::vector<std::string> ups = {
      "..",   "%2e%2e", "%2E%2E",   "%252e%252e", ".%2e",    "%2e.",          "%25252e%25252e", "..%2f..", "%2e%2e%2f",
      "..\\", "..%5c",  "%5c..%5c", "..%00",      "..%0a/x", "%2e%2e/%2e%2e", "..%c0%af/..",    "..#",     "..%23"};
  const std::vector<std::string> places = {"{}", "{}/etc/passwd", "a/{}", "a/{}/b", "a/b/c/{}/{}/{}/x", "./{}", "{}/"};
  int tried = 0;
  for (const std::string& up : ups) {
    for (const std::string& place : places) {
      const std::string path = fmt::format(fmt::runtime(place), up, up, up);
      EXPECT_EQ(refusal([&] { safe_path(path); }), "Invalid path") << path;
      ++tried;
    }
  }
  for (const char* path :
       {"/etc/passwd", "//etc/passwd", "%2fetc/passwd", "%252fetc", "C:/x", "c:\\x", "C%3a/x", "\\\\host\\share",
        "file:///etc/passwd", "file:/x", "a\\b", "a#b", "a%23b", "a\nb", "a%0ab", "a%00b", "\x7F"}) {
    EXPECT_EQ(refusal([&] { safe_path(path); }), "Invalid path") << path;
    ++tried;
  }
  EXPECT_GE(tried, 140);
}

}  // namespace
}  // namespace slipway::api
