#include "monitor/calibration.h"

#include <map>

#include "base/error.h"
#include "monitor/features.h"
#include "monitor/simulate.h"
#include "monitor/traffic.h"
#include "stats/drift.h"
#include "support/support.h"

namespace slipway::monitor {
namespace {

using tests::Domain;
using tests::made_up;

const std::vector<std::string> kLabels = {"negative", "positive"};

// The promise itself: a reference of `rows` rows is drawn, then windows of fresh traffic; alarms are counted over
// several references.
struct Outcome {
  int windows = 0;
  int alarms = 0;
  int worst = 0;  // alarms of the worst reference
};

Outcome unchanged(int rows, int window, int references, int windows_each) {
  Outcome outcome;
  for (int r = 0; r < references; ++r) {
    const auto sketch = build_sketch(made_up(rows, {}, 100 + r), kLabels);
    const auto traffic = made_up(window * windows_each, {}, 9000 + r);
    const Simulation s = simulate(sketch, traffic, window, windows_each, 1);
    outcome.windows += s.windows;
    outcome.alarms += s.alarms;
    outcome.worst = std::max(outcome.worst, s.alarms);
  }
  return outcome;
}

TEST(Calibration, FalseAlarmsAreRareWithSmallReferences) {
  // 12 references x 25 windows each; wished 2 %, bound 5 %. 300 windows at 5 % would give 15; at 3 % 9, and three
  // standard deviations more.
  for (const auto& [rows, window] : {std::pair{300, 500}, std::pair{600, 200}}) {
    const Outcome o = unchanged(rows, window, 8, 25);
    EXPECT_LE(o.alarms, 10) << rows << " rows, windows of " << window;
    EXPECT_LE(o.worst, 5) << rows << " rows, windows of " << window;
  }
}

TEST(Calibration, EachKindOfChangeIsFound) {
  const auto sketch = build_sketch(made_up(600, {}, 1), kLabels);
  const std::map<std::string, Domain> changes = {{"psi length", {.length_scale = 1.6}},
                                                 {"js words", {.word_tilt = 0.35}},
                                                 {"psi label", {.positive = 0.85}},
                                                 {"mmd embedding", {.embedding_shift = 0.4}}};
  for (const auto& [test, domain] : changes) {
    const Simulation s = simulate(sketch, made_up(2000, domain, 2), 400, 5, 1);
    EXPECT_EQ(s.alarms, 5) << test;
    EXPECT_EQ(s.alarms_by_test.at(test), 5) << test;
  }
}

TEST(Calibration, BoundsHoldInItsOwnSimulation) {
  const auto sketch = build_sketch(made_up(300, {}, 3), kLabels);
  const Calibration c = calibrate(sketch, 300);
  EXPECT_LE(c.family_rate, 0.02);
  EXPECT_LE(c.worst_rate, 0.05);
  EXPECT_EQ(c.tests.size(), 5U);
  for (const TestNull& test : c.tests) {
    EXPECT_GE(test.p_value(-1), 0.999);
    EXPECT_LE(test.p_value(test.threshold), 0.021) << test.name.column;
    EXPECT_TRUE(std::is_sorted(test.null.begin(), test.null.end()));
  }
}

TEST(Calibration, ScoresAreTheDistancesOfRoomStats) {
  const auto a = build_sketch(made_up(300, {}, 5), kLabels);
  const auto b = made_up(150, {.length_scale = 1.2, .word_tilt = 0.1}, 6);
  const Vocabulary vocabulary = make_vocabulary(a);
  std::vector<const ReferenceRow*> reference;
  for (const auto& row : a.rows) {
    reference.push_back(&row);
  }
  std::vector<ReferenceRow> reduced;
  for (const auto& row : b) {
    reduced.push_back(reduce(row, words_of(row.text), vocabulary, 2));
  }
  std::vector<const ReferenceRow*> window;
  for (const auto& row : reduced) {
    window.push_back(&row);
  }
  const Columns x = make_columns(reference, 2, a.vocabulary.size());
  const Columns y = make_columns(window, 2, a.vocabulary.size());
  const Baseline baseline(x);
  const auto edges = stats::quantile_edges(x.lengths);
  EXPECT_NEAR(
      baseline.score({"psi", "length"}, y),
      stats::distance(stats::Distance::kPsi, stats::bin_counts(x.lengths, edges), stats::bin_counts(y.lengths, edges)),
      1e-12);
  std::vector<double> p;
  std::vector<double> q;
  double rest_p = x.all_words;
  double rest_q = y.all_words;
  for (size_t w = 0; w < kFrequentWords && x.words[w] >= kFrequentCount; ++w) {  // the vocabulary is by falling count
    p.push_back(x.words[w]);
    q.push_back(y.words[w]);
    rest_p -= p.back();
    rest_q -= q.back();
  }
  p.push_back(rest_p);
  q.push_back(rest_q);
  EXPECT_NEAR(baseline.score({"js", "words"}, y), stats::distance(stats::Distance::kJs, p, q), 1e-12);
}

TEST(Calibration, DoesNotDependOnThreads) {
  const auto sketch = build_sketch(made_up(120, {}, 3), kLabels);
  const CalibrationOptions options{.references = 20, .windows = 30};
  base::Pool pool(3);
  const Calibration alone = calibrate(sketch, 60, options);
  const Calibration shared = calibrate(sketch, 60, options, &pool);
  for (size_t t = 0; t < alone.tests.size(); ++t) {
    EXPECT_EQ(alone.tests[t].threshold, shared.tests[t].threshold);
    EXPECT_EQ(alone.tests[t].null, shared.tests[t].null);
  }
  EXPECT_EQ(to_json(alone), to_json(shared));
}

TEST(Calibration, SmallerWindowsGetHigherThresholds) {
  const auto sketch = build_sketch(made_up(300, {}, 3), kLabels);
  const CalibrationOptions options{.references = 40, .windows = 60};
  const Calibration small = calibrate(sketch, 50, options);
  const Calibration large = calibrate(sketch, 400, options);
  for (size_t t = 0; t < small.tests.size(); ++t) {
    EXPECT_GT(small.tests[t].threshold, large.tests[t].threshold) << small.tests[t].name.column;
  }
}

TEST(Calibration, AColumnThatNeverVariedDoesNotAlarmOnOneRow) {
  auto rows = made_up(300, {}, 4, 0);
  for (auto& row : rows) {
    row.tokens = 128;
    row.scores = {0.1F, 0.9F};
  }
  const auto sketch = build_sketch(rows, kLabels);
  MonitorOptions options;
  options.window = 200;
  const WindowJudge judge(std::make_shared<const ReferenceSketch>(sketch), options);
  auto window = std::vector<Observation>(rows.begin(), rows.begin() + 200);
  window[0].scores = {0.9F, 0.1F};
  window[1].tokens = 60;
  for (const TestScore& t : judge.scores(window)) {
    EXPECT_FALSE(t.alarm) << t.test << " " << t.column;
  }
  for (int i = 0; i < 60; ++i) {
    window[i].tokens = 60;
    window[i].scores = {0.9F, 0.1F};
  }
  int alarms = 0;
  for (const TestScore& t : judge.scores(window)) {
    alarms += t.alarm ? 1 : 0;
  }
  EXPECT_EQ(alarms, 3);
}

TEST(Calibration, SaysWhatItCannotDo) {
  const auto sketch = build_sketch(made_up(100, {}, 3), kLabels);
  EXPECT_THROW(calibrate(sketch, 5), base::Error);
  try {
    calibrate(sketch, 100, {.tests = {"pis"}});
    FAIL();
  } catch (const base::Error& e) {
    EXPECT_NE(std::string(e.what()).find("psi"), std::string::npos) << e.what();
  }
  EXPECT_THROW(simulate(sketch, made_up(50, {}, 1), 100, 2, 1), base::Error);
}

}  // namespace
}  // namespace slipway::monitor
