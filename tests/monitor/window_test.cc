#include "monitor/window.h"

#include <atomic>

#include "base/error.h"
#include "monitor/traffic.h"
#include "support/support.h"

namespace slipway::monitor {
namespace {

using tests::made_up;

class MemoryEvents final : public record::EventLog {
 public:
  record::Event append(const std::string& kind, const std::string& subject, const record::Json& data) override {
    const std::lock_guard lock(mutex_);
    if (full) {
      throw base::Error(base::Code::kUnavailable, "the store is full");
    }
    events.push_back({static_cast<int64_t>(events.size()) + 1, 0, kind, subject, data});
    return events.back();
  }
  std::vector<record::Event> list(const std::string&, int64_t, int) override { return events; }
  std::vector<record::Event> newest(const std::string&, int) override { return events; }
  void put_deployment(const record::Deployment&) override {}
  std::optional<record::Deployment> find_deployment(const std::string&) override { return std::nullopt; }
  std::vector<record::Deployment> list_deployments(int) override { return {}; }
  std::vector<record::Event> events;
  bool full = false;

 private:
  std::mutex mutex_;
};

struct Bench {
  base::Pool pool{2};
  base::Log log;
  base::FixedClock clock{1'000'000};
  base::SilentProgress progress;
  base::Context context{pool, log, clock, progress, {}};
  MemoryEvents events;
  std::shared_ptr<const ReferenceSketch> sketch;
  Bench() {
    const auto rows = made_up(400, {}, 1);
    sketch =
        std::make_shared<const ReferenceSketch>(build_sketch(rows, {"negative", "positive"}, {.max_embeddings = 150}));
  }
  static MonitorOptions options(int window) {
    MonitorOptions o;
    o.window = window;
    return o;
  }
};

void feed(WindowMonitor& monitor, std::vector<Observation> rows) {
  for (auto& row : rows) {
    monitor.add(std::move(row));
  }
}

TEST(Window, ADriftIsOneAlertHoweverLongItLasts) {
  Bench b;
  WindowMonitor monitor(b.sketch, Bench::options(100), b.context, &b.events, "deployment:d1");
  std::vector<std::string> heard;
  monitor.on_alert([&](const Alert& alert, const WindowReport& report) {
    heard.push_back((alert.state == Alert::State::kOpen ? "open " : "resolved ") + std::to_string(report.number));
  });
  feed(monitor, made_up(100, {}, 2));
  feed(monitor, made_up(300, {.length_scale = 2.5, .word_tilt = 0.5}, 3));
  auto reports = monitor.process();
  ASSERT_EQ(reports.size(), 4U);
  EXPECT_FALSE(reports[0].drift);
  EXPECT_TRUE(reports[1].drift && reports[2].drift && reports[3].drift);
  EXPECT_EQ(monitor.open_alerts().size(), 1U);
  EXPECT_EQ(monitor.open_alerts()[0].windows, 3);
  feed(monitor, made_up(200, {}, 4));
  monitor.process();
  EXPECT_EQ(heard, (std::vector<std::string>{"open 2", "resolved 6"}));
  EXPECT_TRUE(monitor.open_alerts().empty());
  ASSERT_EQ(b.events.events.size(), 2U);
  EXPECT_EQ(b.events.events[0].kind, "drift_detected");
  EXPECT_EQ(b.events.events[0].subject, "deployment:d1");
  EXPECT_TRUE(b.events.events[0].data["evidence"]["drift"].get<bool>());
  EXPECT_FALSE(b.events.events[0].data["evidence"]["words"].empty());
  EXPECT_EQ(b.events.events[1].kind, "drift_resolved");
  EXPECT_EQ(monitor.recent(2)[0].number, 6);
}

TEST(Window, NamesTheWordsAndTextsThatMoved) {
  Bench b;
  auto rows = made_up(100, {}, 5);
  for (int i = 0; i < 40; ++i) {
    rows[i].text += "election senate vote";
  }
  rows[7].text = "election election senate senate vote vote";
  for (float& x : rows[7].embedding) {
    x += 3;
  }
  MonitorOptions options = Bench::options(100);
  options.tests = {"psi", "js"};
  const WindowJudge judge(b.sketch, options, &b.pool);
  const WindowReport report = judge.judge(rows);
  std::vector<std::string> words;
  for (const auto& w : report.words) {
    words.push_back(w.word);
  }
  for (const char* word : {"election", "senate", "vote"}) {
    EXPECT_NE(std::find(words.begin(), words.end(), word), words.end()) << word;
  }
  EXPECT_GT(report.words[0].z, 5);
  EXPECT_EQ(report.examples.size(), 5U);

  auto plain = rows;  // without embeddings the words choose the examples
  for (auto& row : plain) {
    row.embedding.clear();
  }
  WindowReport by_words = judge.judge(plain);
  by_words.drift = true;
  EXPECT_EQ(by_words.examples[0].prediction_id, "p-7");
  EXPECT_NE(summary(by_words).find("+election"), std::string::npos) << summary(by_words);
}

TEST(Window, ReportsGroupsLatencyAndErrors) {
  Bench b;
  auto rows = made_up(100, {}, 6);
  for (int i = 0; i < 30; ++i) {
    rows[i].text += i < 20 ? " she" : " he";
    rows[i].scores = i < 20 ? std::vector<float>{0.9F, 0.1F} : std::vector<float>{0.1F, 0.9F};
  }
  for (int i = 90; i < 100; ++i) {
    rows[i].error = true;
    rows[i].scores.clear();
  }
  const WindowJudge judge(b.sketch, Bench::options(100), &b.pool);
  const WindowReport report = judge.judge(rows);
  ASSERT_EQ(report.groups.size(), 2U);
  EXPECT_EQ(report.groups[0].group, "gender:female");
  EXPECT_EQ(report.groups[0].rate.value, 0);
  EXPECT_EQ(report.groups[0].rate.n, 20);
  EXPECT_EQ(report.groups[1].rate.value, 1);
  EXPECT_EQ(report.groups[1].label, "positive");
  EXPECT_NEAR(report.latency_p50_ms, 5.5, 0.3);
  EXPECT_DOUBLE_EQ(report.error_rate.value, 0.1);
  const auto json = base::parse_json(base::dump_json(to_json(report)), "report");
  EXPECT_EQ(json["tests"].size(), 5U);
  EXPECT_EQ(json["groups"][0]["rate"]["n"], 20);
}

TEST(Window, ErrorsAndLatencyHaveAlertsOfTheirOwn) {
  Bench b;
  MonitorOptions options = Bench::options(50);
  options.max_error_rate = 0.2;
  options.max_latency_p95_ms = 100;
  options.open_after = 2;
  WindowMonitor monitor(b.sketch, options, b.context, &b.events);
  auto rows = made_up(100, {}, 7);
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].latency_ms = 500;
    rows[i].error = i % 3 == 0;
  }
  feed(monitor, rows);
  const auto reports = monitor.process();
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_TRUE(reports[0].alerts.empty());
  ASSERT_EQ(reports[1].alerts.size(), 2U);
  EXPECT_EQ(reports[1].alerts[0].key, "errors");
  EXPECT_EQ(reports[1].alerts[1].key, "latency");
  EXPECT_EQ(b.events.events.at(0).kind, "alert_opened");
}

TEST(Window, SlidesByItsStep) {
  Bench b;
  MonitorOptions options = Bench::options(60);
  options.step = 20;
  options.tests = {"psi"};
  WindowMonitor monitor(b.sketch, options, b.context);
  int full = 0;
  for (auto& row : made_up(120, {}, 8)) {
    full += monitor.add(std::move(row)) ? 1 : 0;
  }
  EXPECT_EQ(full, 4);  // at 60, 80, 100, 120
  EXPECT_EQ(monitor.process().size(), 4U);
}

TEST(Window, FlushJudgesWhatIsThere) {
  Bench b;
  WindowMonitor monitor(b.sketch, Bench::options(200), b.context);
  feed(monitor, made_up(150, {}, 9));
  EXPECT_TRUE(monitor.process().empty());
  EXPECT_TRUE(monitor.flush(151).empty());
  const auto reports = monitor.flush(100);
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].n, 150);
  EXPECT_FALSE(reports[0].tests.empty());
  EXPECT_TRUE(monitor.flush(1).empty());
}

TEST(Window, DropsTheOldestWhenNobodyProcesses) {
  Bench b;
  MonitorOptions options = Bench::options(20);
  options.max_pending = 2;
  options.tests = {"psi"};
  WindowMonitor monitor(b.sketch, options, b.context);
  feed(monitor, made_up(100, {}, 10));
  EXPECT_EQ(monitor.dropped_windows(), 3);
  EXPECT_EQ(monitor.observed(), 100);
  EXPECT_EQ(monitor.process().size(), 2U);
}

TEST(Window, ThreadsFeedOneMonitor) {
  Bench b;
  MonitorOptions options = Bench::options(50);
  options.tests = {"psi", "js"};
  options.max_pending = 100;
  WindowMonitor monitor(b.sketch, options, b.context, &b.events);
  std::atomic<int> windows{0};
  monitor.on_window([&](const WindowReport& report) { windows += report.n == 50 ? 1 : 0; });
  monitor.start();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] { feed(monitor, made_up(100, {}, 20 + t)); });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  monitor.stop();
  EXPECT_EQ(windows, 8);
  EXPECT_EQ(monitor.observed(), 400);
}

TEST(Window, AFullStoreDoesNotEndTheWatch) {
  Bench b;
  b.events.full = true;
  WindowMonitor monitor(b.sketch, Bench::options(100), b.context, &b.events);
  feed(monitor, made_up(100, {.length_scale = 3}, 3));
  const auto reports = monitor.process();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].alerts.size(), 1U);
}

TEST(Window, NumbersAreThresholdsForDistances) {
  Bench b;
  MonitorOptions options = Bench::options(100);
  options.threshold = "0.25";
  const WindowJudge judge(b.sketch, options, &b.pool);
  for (const TestScore& t : judge.scores(made_up(100, {}, 2))) {
    EXPECT_EQ(t.threshold == 0.25, t.test != "mmd");
  }
  options.threshold = "much";
  EXPECT_THROW(WindowJudge(b.sketch, options), base::Error);
  base::FieldTable table;
  options.describe(table);
  EXPECT_THROW(table.apply({{"windows", 5}}, "slipway.yaml"), base::Error);
}

TEST(Window, LongTextsAreCutBetweenCharacters) {
  Bench b;
  MonitorOptions options = Bench::options(20);
  options.tests = {"psi"};
  options.examples = 20;
  WindowMonitor monitor(b.sketch, options, b.context);
  auto rows = made_up(20, {}, 2);
  rows[0].text.clear();
  for (int i = 0; i < 5000; ++i) {
    rows[0].text += "好";
  }
  feed(monitor, rows);
  const auto reports = monitor.process();
  for (const auto& example : reports.at(0).examples) {
    EXPECT_EQ(example.text.find("\xEF\xBF\xBD"), std::string::npos);
  }
  EXPECT_GT(reports[0].languages.at("zh"), 0);
}

TEST(Alerts, OpenAndResolveAfterAsManyWindowsAsAsked) {
  AlertBook book({.open_after = 2, .resolve_after = 3});
  EXPECT_FALSE(book.update("drift", true, {}, 1));
  EXPECT_FALSE(book.update("drift", false, {}, 2));  // the row of firing windows is broken
  EXPECT_FALSE(book.update("drift", true, {}, 3));
  const auto opened = book.update("drift", true, {{"n", 1}}, 4);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->opened_ms, 4);
  EXPECT_FALSE(book.update("drift", true, {}, 5));
  EXPECT_FALSE(book.update("drift", false, {}, 6));
  EXPECT_FALSE(book.update("drift", false, {}, 7));
  const auto over = book.update("drift", false, {}, 8);
  ASSERT_TRUE(over);
  EXPECT_EQ(over->id, opened->id);
  EXPECT_EQ(over->windows, 3);
  EXPECT_EQ(to_json(*over)["state"], "resolved");
  EXPECT_TRUE(book.open().empty());
}

}  // namespace
}  // namespace slipway::monitor
