#include "api/json_writer.h"

#include <array>
#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "api/render.h"

namespace slipway::api {
namespace {

TEST(JsonWriter, LooksLikeProtobufsPrinter) {
  JsonWriter out;
  out.begin_object();
  out.begin_object("run");
  out.field("name", "a \"b\"\n\x01");
  out.field("step", int64_t{9007199254740993});
  out.begin_array("list");
  out.begin_object();
  out.field("on", true);
  out.end_object();
  out.begin_object();
  out.end_object();
  out.end_array();
  out.begin_object("inputs");
  out.end_object();
  out.end_object();
  out.end_object();
  EXPECT_EQ(out.take(), R"({
  "run": {
    "name": "a \"b\"\n\u0001",
    "step": 9007199254740993,
    "list": [
      {
        "on": true
      },
      {}
    ],
    "inputs": {}
  }
})");
  out.begin_object();
  out.end_object();
  EXPECT_EQ(out.take(), "{}");
}

TEST(JsonWriter, WritesDoublesAsPythonDoes) {
  const auto text = [](double value) {
    JsonWriter out;
    out.begin_object();
    out.field("v", value);
    out.end_object();
    const std::string all = out.take();
    return all.substr(9, all.size() - 11);
  };
  EXPECT_EQ(text(1), "1.0");
  EXPECT_EQ(text(0.1), "0.1");
  EXPECT_EQ(text(-0.0), "-0.0");
  EXPECT_EQ(text(1e-5), "1e-05");
  EXPECT_EQ(text(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
  EXPECT_EQ(text(std::nan("")), "\"NaN\"");
  EXPECT_EQ(text(-std::numeric_limits<double>::infinity()), "\"-Infinity\"");
}

TEST(JsonWriter, EveryDoubleIsTheShortestThatComesBack) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const auto check = [](double value) {
    std::array<char, kDoubleBytes> shown{};
    char* const end = write_double(shown.data(), value);
    const std::string text(shown.data(), end);
    std::string wanted = fmt::format("{}", value);
    if (wanted.find_first_of(".e") == std::string::npos) {
      wanted += ".0";
    }
    EXPECT_EQ(text, wanted);
  };
  for (int i = 0; i < 20000; ++i) {
    const double any = std::bit_cast<double>(random());
    if (std::isfinite(any)) {
      check(any);
    }
    check(static_cast<double>(static_cast<int64_t>(random())) / static_cast<double>(uint64_t{1} << random() % 64));
    check(static_cast<double>(random() % 1000) / 1000);
  }
  for (const double edge : {1e15, 1e15 - 1, 1e15 + 2, 1e16, 9.999e15, -1e15, -7.0, 0.5, 1e-4, 1e-5, 5e-324}) {
    check(edge);
  }
}

TEST(JsonWriter, PointsOfAMetricLookLikeOtherElements) {
  const std::vector<record::MetricSample> points = {{1700000000000, 3, 0.25}, {0, -1, std::nan("")}};
  JsonWriter out;
  out.begin_object();
  out.begin_array("metrics");
  write_metrics(out, "a \"b\"", points, "r");
  out.end_array();
  out.end_object();
  EXPECT_EQ(out.take(), R"({
  "metrics": [
    {
      "key": "a \"b\"",
      "value": 0.25,
      "timestamp": 1700000000000,
      "step": 3,
      "run_id": "r"
    },
    {
      "key": "a \"b\"",
      "value": "NaN",
      "timestamp": 0,
      "step": -1,
      "run_id": "r"
    }
  ]
})");
}

TEST(JsonWriter, EveryTextComesBack) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 2000; ++i) {
    std::string value;
    for (uint32_t n = random() % 30; n > 0; --n) {
      value += random() % 4 == 0 ? std::string("\xE4\xBD\xA0") : std::string(1, static_cast<char>(random() % 128));
    }
    JsonWriter out;
    out.begin_object();
    out.field("v", value);
    out.end_object();
    EXPECT_EQ(nlohmann::json::parse(out.take())["v"].get<std::string>(), value);
  }
}

}  // namespace
}  // namespace slipway::api
