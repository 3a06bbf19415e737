#include "evaluate/evaluate.h"

#include "base/error.h"
#include "fake.h"
#include "support/support.h"

namespace slipway::evaluate {
namespace {

using tests::FakePredictor;
using tests::QuietContext;

// Says "b" for texts that hold a 'b', surely for long texts and hardly for short ones.
FakePredictor letter_model() {
  return {
      {"a", "b"}, [](const std::string& text) {
        const float sure = text.size() > 3 ? 4.0F : 0.5F;
        return text.find('b') != std::string::npos ? std::vector<float>{-sure, sure} : std::vector<float>{sure, -sure};
      }};
}

Rows letter_rows() {
  Rows rows;
  for (int i = 0; i < 40; ++i) {
    const bool b = i % 2 == 0;
    std::string text = b ? "b" : "a";
    for (int k = 0; k < i; ++k) {
      text += " x";
    }
    rows.texts.push_back(text);
    rows.truth.push_back(i % 10 == 9 ? 1 : b ? 1 : 0);  // 4 of 40 are wrong
    rows.sources.push_back(i < 10 ? "first" : "second");
  }
  return rows;
}

TEST(Evaluate, CountsAndNamesEachMeasure) {
  QuietContext quiet;
  FakePredictor model = letter_model();
  const Report report = evaluate(model, letter_rows(), {}, quiet.context);
  EXPECT_EQ(report.n, 40);
  EXPECT_DOUBLE_EQ(report.measures.at("accuracy").value, 0.9);
  EXPECT_EQ(report.measures.at("accuracy").n, 40);
  EXPECT_LT(report.measures.at("accuracy").low, 0.9);
  EXPECT_GT(report.measures.at("accuracy").high, 0.9);
  EXPECT_DOUBLE_EQ(report.measures.at("recall.a").value, 1.0);
  EXPECT_DOUBLE_EQ(report.measures.at("precision.b").value, 1.0);
  EXPECT_DOUBLE_EQ(report.measures.at("recall.b").value, 20.0 / 24.0);
  EXPECT_EQ(report.confusion.at(1, 0), 4);
  EXPECT_EQ(report.confusion.at(0, 1), 0);
  for (const auto& [name, interval] : report.measures) {
    const auto known = known_measures(report.labels);
    EXPECT_NE(std::find(known.begin(), known.end(), name), known.end()) << name;
  }
}

TEST(Evaluate, SlicesByLengthAndSourceAndCoversAllRows) {
  QuietContext quiet;
  FakePredictor model = letter_model();
  const Report report = evaluate(model, letter_rows(), {}, quiet.context);
  std::map<std::string, int64_t> rows;
  for (const Slice& slice : report.slices) {
    rows[slice.by] += slice.n;
    EXPECT_EQ(slice.accuracy.n, slice.n);
  }
  EXPECT_EQ(rows["length"], 40);
  EXPECT_EQ(rows["source"], 40);
  EXPECT_EQ(report.slices.front().name, "1-8 words");
  EXPECT_EQ(report.slices.back().name, "second");
}

TEST(Evaluate, TheSameSeedGivesTheSameReport) {
  QuietContext quiet;
  FakePredictor model = letter_model();
  const auto once = to_json(evaluate(model, letter_rows(), {.seed = 3}, quiet.context));
  EXPECT_EQ(once, to_json(evaluate(model, letter_rows(), {.seed = 3}, quiet.context)));
  EXPECT_NE(once, to_json(evaluate(model, letter_rows(), {.seed = 4}, quiet.context)));
}

TEST(Evaluate, CalibrationBinsHoldEveryRow) {
  QuietContext quiet;
  FakePredictor model = letter_model();
  const Report report = evaluate(model, letter_rows(), {}, quiet.context);
  int64_t n = 0;
  for (const auto& bin : report.calibration) {
    n += bin.n;
  }
  EXPECT_EQ(n, 40);
}

TEST(Evaluate, RefusesWhatCannotBeScored) {
  QuietContext quiet;
  FakePredictor model = letter_model();
  FakePredictor headless({}, [](const std::string&) { return std::vector<float>{}; });
  EXPECT_THROW(evaluate(model, {}, {}, quiet.context), base::Error);
  EXPECT_THROW(evaluate(headless, letter_rows(), {}, quiet.context), base::Error);
  Rows rows = letter_rows();
  rows.truth[3] = 2;
  EXPECT_THROW(evaluate(model, rows, {}, quiet.context), base::Error);
  EXPECT_THROW(evaluate(model, letter_rows(), {.slices = {"colour"}}, quiet.context), base::Error);
}

TEST(Evaluate, StopsWhenAsked) {
  QuietContext quiet;
  FakePredictor model = letter_model();
  quiet.stop.request_stop();
  try {
    evaluate(model, letter_rows(), {}, quiet.context);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kInterrupted);
  }
}

}  // namespace
}  // namespace slipway::evaluate
