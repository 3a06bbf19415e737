// Charts are judged by where things are drawn: positions are read back from the markup.
#include "govern/charts.h"

#include <algorithm>
#include <limits>
#include <regex>
#include <string>
#include <vector>

#include "support/support.h"

namespace slipway::govern::charts {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The numbers that `pattern`'s first group matches, in order.
std::vector<double> numbers(const std::string& markup, const std::string& pattern) {
  std::vector<double> found;
  const std::regex regex(pattern);
  for (std::sregex_iterator it(markup.begin(), markup.end(), regex), end; it != end; ++it) {
    found.push_back(std::stod((*it)[1]));
  }
  return found;
}

size_t count(const std::string& markup, const std::string& part) {
  size_t found = 0;
  for (size_t at = markup.find(part); at != std::string::npos; at = markup.find(part, at + part.size())) {
    ++found;
  }
  return found;
}

std::string plain(double value) { return html::number(value); }

TEST(Bars, AreInProportionToTheLargest) {
  const std::string markup =
      bars("c", {{"a", 2, "", ""}, {"b", 8, "note", "warn"}, {"c", kNan, "", ""}, {"d", -4, "", ""}}, plain);
  EXPECT_EQ(numbers(markup, "width:([0-9.]+)%"), (std::vector<double>{25, 100, 0, 0}));
  EXPECT_NE(markup.find("<i class=\"warn\""), std::string::npos);
  EXPECT_NE(markup.find("8 <small>note</small>"), std::string::npos);
}

TEST(Bars, AllZeroHasNoWidth) {
  EXPECT_EQ(numbers(bars("c", {{"a", 0, "", ""}}, plain), "width:([0-9.]+)%"), std::vector<double>{0});
}

TEST(Bars, LabelsAreText) {
  const std::string markup = bars("<c>", {{"<b>&", 1, "<i>", ""}}, plain);
  EXPECT_EQ(markup.find("<b>&"), std::string::npos);
  EXPECT_EQ(count(markup, "&lt;"), 3U);
}

TEST(Intervals, StandOnOneAxis) {
  IntervalOptions options;
  options.low = 0;
  options.high = 1;
  options.reference = 0.5;
  const std::string markup =
      intervals("c", {{"a", {0.25, 0.1, 0.4, 10}, "", ""}, {"b", {0.75, kNan, kNan, 3}, "", ""}}, options);
  EXPECT_EQ(numbers(markup, "<u style=\"left:([0-9.]+)%"), (std::vector<double>{25, 75}));
  EXPECT_EQ(numbers(markup, "<i style=\"left:([0-9.]+)%"), std::vector<double>{10});  // the second has no interval
  EXPECT_EQ(numbers(markup, ";width:([0-9.]+)%"), std::vector<double>{30});
  EXPECT_EQ(numbers(markup, "<b style=\"left:([0-9.]+)%"), (std::vector<double>{50, 50}));
}

TEST(Intervals, TheAxisGrowsToHoldWhatIsOutside) {
  IntervalOptions options;
  options.low = 0;
  options.high = 1;
  const std::string markup = intervals("c", {{"a", {3, 2, 4, 10}, "", ""}}, options);
  EXPECT_EQ(numbers(markup, "<u style=\"left:([0-9.]+)%"), std::vector<double>{75});
}

TEST(Intervals, WithoutANumberSayNotMeasured) {
  EXPECT_NE(intervals("c", {{"a", {kNan, kNan, kNan, kNan}, "", ""}}, {}).find("Not measured"), std::string::npos);
  EXPECT_NE(intervals("c", {}, {}).find("Not measured"), std::string::npos);
}

TEST(Intervals, SignsAndNotesAreShownWhenAskedFor) {
  IntervalOptions options;
  options.with_sign = true;
  options.note_head = "p";
  const std::string markup = intervals("c", {{"a", {-0.02, -0.05, 0.01, 1234}, "0.2", "neg"}}, options);
  for (const char* text : {"−0.020", "−0.050 – +0.010", "1,234", ">p</th>", ">0.2</td>", "<tr class=\"neg\">"}) {
    EXPECT_NE(markup.find(text), std::string::npos) << text;
  }
}

TEST(Lines, RiseWithTheirValues) {
  const std::string markup = lines("t", {{"loss", "s1", {{0, 1}, {1, 3}, {2, 2}}, true, {false, true, false}}}, {});
  const auto xs = numbers(markup, "cx=\"([0-9.]+)\"");
  const auto ys = numbers(markup, "cy=\"([0-9.]+)\"");
  ASSERT_EQ(xs.size(), 3U);
  EXPECT_NEAR(xs[1] - xs[0], xs[2] - xs[1], 0.11);
  EXPECT_GT(ys[0], ys[2]);  // SVG counts downwards
  EXPECT_GT(ys[2], ys[1]);
  EXPECT_EQ(count(markup, "dot alarm"), 1U);
}

TEST(Lines, LeaveOutWhatIsNoNumber) {
  const std::string markup =
      lines("t",
            {{"a", "s1", {{0, 1}, {1, kNan}, {kNan, 2}, {3, 4}}, true, {true, true, false, false}},
             {"gone", "s2", {{0, kNan}}, true, {}}},
            {});
  EXPECT_EQ(count(markup, "<circle"), 2U);
  EXPECT_EQ(count(markup, "dot alarm"), 1U);  // the alarm of the point that is left out goes with it
  EXPECT_EQ(markup.find("gone"), std::string::npos);
  EXPECT_NE(lines("t", {{"gone", "s2", {{0, kNan}}, true, {}}}, {}).find("Not measured"), std::string::npos);
}

TEST(Lines, LongCurvesAreThinnedToMeans) {
  Series series{"a", "s1", {}, true, {}};
  for (int i = 0; i < 40'000; ++i) {
    series.points.emplace_back(i, i % 2);  // means of even pieces are flat
  }
  const std::string markup = lines("t", {series}, {});
  EXPECT_EQ(count(markup, "<circle"), 0U);
  const auto heights = numbers(markup, "[ML][0-9.]+ ([0-9.]+)");
  ASSERT_EQ(heights.size(), 400U);
  EXPECT_EQ(*std::min_element(heights.begin(), heights.end()), *std::max_element(heights.begin(), heights.end()));
}

TEST(Lines, TheThresholdIsOnTheDrawing) {
  LineOptions options;
  options.threshold = 10;
  const std::string markup = lines("t", {{"a", "s1", {{0, 1}, {1, 2}}, false, {}}}, options);
  const auto at = numbers(markup, "class=\"limit\"[^>]* y1=\"([0-9.]+)\"");
  ASSERT_EQ(at.size(), 1U);
  EXPECT_GE(at[0], 0);
  EXPECT_LT(at[0], numbers(markup, "[ML][0-9.]+ ([0-9.]+)")[1]);  // above the curve
  EXPECT_NE(markup.find("key limit"), std::string::npos);
}

TEST(Lines, OnePointIsEnough) {
  const std::string markup = lines("t", {{"a", "s1", {{5, 5}}, true, {}}}, {});
  EXPECT_EQ(count(markup, "<circle"), 1U);
  EXPECT_EQ(markup.find("nan"), std::string::npos);
  EXPECT_EQ(markup.find("inf"), std::string::npos);
}

TEST(Histogram, ColumnsAreAsHighAsTheirCounts) {
  const std::string markup = histogram("t", {{0, 1, 10}, {1, 2, 40}, {2, 3, 0}}, "tokens");
  const auto heights = numbers(markup, "class=\"column\"[^>]* height=\"([0-9.]+)\"");
  ASSERT_EQ(heights.size(), 3U);
  EXPECT_NEAR(heights[1] / heights[0], 4, 0.05);
  EXPECT_EQ(heights[2], 0);
  EXPECT_NE(histogram("t", {}, "x").find("Not measured"), std::string::npos);
  EXPECT_EQ(histogram("t", {{1, 1, 0}}, "x").find("nan"), std::string::npos);
}

TEST(Calibration, APerfectModelLiesOnTheDiagonal) {
  const std::string markup = calibration({{0.6, 0.6, 50}, {0.9, 0.9, 200}});
  const auto xs = numbers(markup, "cx=\"([0-9.]+)\"");
  const auto ys = numbers(markup, "cy=\"([0-9.]+)\"");
  ASSERT_EQ(xs.size(), 2U);
  for (size_t i = 0; i < xs.size(); ++i) {
    EXPECT_NEAR(xs[i] + ys[i], 340, 0.11);  // the square's side
  }
  const auto radii = numbers(markup, " r=\"([0-9.]+)\"");
  EXPECT_LT(radii[0], radii[1]);
}

TEST(Calibration, FewRowsHaveLongWhiskers) {
  const auto length = [](const CalibrationPoint& point) {
    const std::string markup = calibration({point});
    return numbers(markup, "whisker[^>]* y1=\"([0-9.]+)\"").at(0) -
           numbers(markup, "whisker[^>]* y2=\"([0-9.]+)\"").at(0);
  };
  EXPECT_GT(length({0.7, 0.7, 5}), 3 * length({0.7, 0.7, 100}));
  EXPECT_GT(length({0.99, 1, 5}), 20);  // five of five is not certainty
}

TEST(Calibration, SkipsPointsThatCannotBe) {
  EXPECT_EQ(count(calibration({{0.5, 0.5, 0}, {1.5, 0.5, 3}, {0.5, -1, 3}, {kNan, 0.5, 3}}), "<circle"), 0U);
}

TEST(Graph, ArrowsLeadToTheRight) {
  const std::string markup =
      graph("t", {{"a", "", "file"}, {"b", "", "run"}, {"c", "", "model"}}, {{0, 1}, {1, 2}, {0, 2}});
  const auto lefts = numbers(markup, "<rect x=\"([0-9.]+)\"");
  ASSERT_EQ(lefts.size(), 3U);
  EXPECT_LT(lefts[0], lefts[1]);
  EXPECT_LT(lefts[1], lefts[2]);
  EXPECT_EQ(count(markup, "class=\"edge\""), 3U);
}

TEST(Graph, ASourceStandsBeforeItsFirstUse) {
  // a -> b -> c, and d used only by c.
  const auto lefts =
      numbers(graph("t", {{"a", "", ""}, {"b", "", ""}, {"c", "", ""}, {"d", "", ""}}, {{0, 1}, {1, 2}, {3, 2}}),
              "<rect x=\"([0-9.]+)\"");
  EXPECT_EQ(lefts[3], lefts[1]);
}

TEST(Graph, CyclesAreCutAndEdgesDrawnOnce) {
  const std::string markup = graph("t", {{"a", "", ""}, {"b", "", ""}}, {{0, 1}, {1, 0}, {0, 1}, {0, 0}});
  EXPECT_EQ(count(markup, "class=\"edge\""), 1U);
  EXPECT_EQ(count(graph("t", {}, {}), "<rect"), 0U);
}

}  // namespace
}  // namespace slipway::govern::charts
