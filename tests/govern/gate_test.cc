#include "govern/gate.h"

#include <cmath>

#include "base/error.h"
#include "support/support.h"

namespace slipway::govern {
namespace {

using base::Error;
using base::Json;

const Json kCandidate = Json::parse(R"({"accuracy": {"value": 0.9, "low": 0.88, "high": 0.92, "n": 800},
  "f1": {"value": 0.89, "low": 0.84, "high": 0.93, "n": 800}, "bias": {"flip_rate": 0.03, "text": "x"},
  "latency_p50_ms": 4, "broken": {"value": null, "n": 3}, "recall": {"负面": {"value": 0.8}, "not-good": {"value": 0.7}}})");

GateResult check(const std::string& gate, const Measures* champion = nullptr) {
  return Gate::parse(gate).evaluate(measures_from_json(kCandidate), champion);
}

TEST(Gate, ComparesAMetricWithANumber) {
  const GateResult result = check("accuracy >= 0.85");
  EXPECT_TRUE(result.passed);
  EXPECT_EQ(result.reason, "0.9 >= 0.85");
  EXPECT_EQ(result.interval.n, 800);
  EXPECT_TRUE(result.certain);
  EXPECT_FALSE(check("accuracy >= 0.95").passed);
  EXPECT_TRUE(check("accuracy >= 0.95").certain);
  EXPECT_TRUE(check("f1 >= 0.85").passed);
  EXPECT_FALSE(check("f1 >= 0.85").certain);  // 0.85 is inside the interval
}

TEST(Gate, CalculatesWithPrecedence) {
  EXPECT_TRUE(check("1 + 2 * 3 == 7").passed);
  EXPECT_TRUE(check("(1 + 2) * 3 == 9").passed);
  EXPECT_TRUE(check("10 - 4 - 3 == 3").passed);
  EXPECT_TRUE(check("8 / 4 / 2 == 1").passed);
  EXPECT_TRUE(check("-2 * -3 == 6").passed);
  EXPECT_TRUE(check("--1 == 1").passed);
  EXPECT_TRUE(check("bias.flip_rate <= 5%").passed);
  EXPECT_TRUE(check("latency_p50_ms < 2 * 2.5").passed);
  EXPECT_TRUE(check("1e-3 < 2.5e-2").passed);
  EXPECT_TRUE(check("accuracy != f1").passed);
  EXPECT_TRUE(check("recall.负面 > 0.5").passed);
  EXPECT_TRUE(check("`recall.not-good` > 0.5").passed);
}

TEST(Gate, TheIntervalIsOnlyThatOfALoneMetric) {
  EXPECT_EQ(check("accuracy - f1 > 0").interval.n, 0);
  EXPECT_EQ(check("-accuracy < 0").interval.n, 0);
  EXPECT_EQ(check("accuracy > f1 - 1 * 2").interval.n, 800);
  EXPECT_EQ(check("accuracy > -1").interval.n, 800);
  EXPECT_EQ(check("accuracy * 2 > 1").interval.n, 0);
  EXPECT_EQ(check("accuracy * (2 + 1) > 1").interval.n, 0);
}

TEST(Gate, ComparesWithTheChampion) {
  const Measures champion = measures_from_json(Json::parse(R"({"f1": {"value": 0.9}})"));
  const GateResult without = check("f1 >= champion.f1 - 0.005");
  EXPECT_TRUE(without.passed);
  EXPECT_NE(without.reason.find("no champion"), std::string::npos);
  EXPECT_FALSE(check("f1 >= champion.f1 - 0.005", &champion).passed);
  EXPECT_TRUE(check("f1 >= champion.f1 - 0.05", &champion).passed);
  EXPECT_NE(check("accuracy >= champion.accuracy", &champion).reason.find("the champion has no metric 'accuracy'"),
            std::string::npos);
  EXPECT_FALSE(check("f11 >= champion.f1").passed);  // a wrong name is not excused by there being no champion
}

TEST(Gate, MissingAndUndefinedMetricsFail) {
  const GateResult typo = check("acuracy >= 0.8");
  EXPECT_FALSE(typo.passed);
  EXPECT_NE(typo.reason.find("did you mean 'accuracy'?"), std::string::npos) << typo.reason;
  EXPECT_FALSE(check("broken <= 1").passed);
  EXPECT_FALSE(check("broken != 1").passed);
  EXPECT_FALSE(check("accuracy / 0 > 1").passed);
  EXPECT_NE(check("accuracy / 0 > 1").reason.find("undefined"), std::string::npos);
  EXPECT_FALSE(check("bias.text > 1").passed);
}

TEST(Gate, NamesCanBeCheckedBeforeAnyWork) {
  const std::vector<std::string> known = {"accuracy", "f1"};
  EXPECT_NO_THROW(Gate::parse("accuracy > champion.f1").check_names(known));
  EXPECT_THROW(Gate::parse("acuracy > 0").check_names(known), Error);
  EXPECT_EQ(Gate::parse("a + a > champion.b").metrics(), (std::vector<std::string>{"a", "champion.b"}));
}

TEST(Gate, NonsenseIsRefusedWithItsPlace) {
  for (const std::string text : {"", " ", "accuracy", "accuracy >=", ">= 1", "accuracy > 1 > 2", "accuracy => 1",
                                 "(1 > 2)", "(accuracy > 1", "accuracy > )", "a b > 1", "1..2 > 1", "`a > 1", "`` > 1",
                                 "a > 1;", "a & b > 1", "1e999 > 1", "a > \xc2", "a = 1"}) {
    if (text == "a > \xc2") {
      EXPECT_NO_THROW(Gate::parse(text));  // a name of any bytes; it will not be found
      continue;
    }
    EXPECT_THROW(Gate::parse(text), Error) << text;
  }
  try {
    Gate::parse("accuracy ~ 1");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("character 10"), std::string::npos) << error.what();
  }
}

TEST(Gate, LimitsHold) {
  EXPECT_NO_THROW(Gate::parse(std::string(30, '(') + "1" + std::string(30, ')') + " > 0"));
  EXPECT_THROW(Gate::parse(std::string(40, '(') + "1" + std::string(40, ')') + " > 0"), Error);
  EXPECT_THROW(Gate::parse(std::string(2000, ' ')), Error);
  std::string many = "1";
  for (int i = 0; i < 250; ++i) {
    many += "+1";
  }
  EXPECT_THROW(Gate::parse(many + ">1"), Error);
}

TEST(Gate, ListsGoToJson) {
  const std::vector<std::string> gates = {"accuracy >= 0.85", "nothing > 1"};
  const std::vector<GateResult> results = check_gates(gates, measures_from_json(kCandidate), nullptr);
  EXPECT_FALSE(all_passed(results));
  EXPECT_TRUE(all_passed({results.data(), 1}));
  EXPECT_EQ(to_json(results[0])["interval"]["n"], 800);
  EXPECT_TRUE(to_json(results[1])["left"].is_null());
}

}  // namespace
}  // namespace slipway::govern
