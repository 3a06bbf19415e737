#include "api/json_writer.h"

#include <gtest/gtest.h>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

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
