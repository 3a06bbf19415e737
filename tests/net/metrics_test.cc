#include "net/metrics.h"

#include <cmath>
#include <thread>

#include "support/support.h"

namespace slipway::net {
namespace {

TEST(Metrics, WritesTheTextFormat) {
  MetricRegistry registry;
  registry.counter("slipway_requests_total", "Requests.", {"route", "status"}, {"/a", "200"}).add(3);
  registry.gauge("slipway_load", "Load\nnow \\ then.").set(0.5);
  Histogram& histogram = registry.histogram("slipway_wait_seconds", "Wait.", {0.1, 1});
  histogram.observe(0.05);
  histogram.observe(0.1);
  histogram.observe(5);
  EXPECT_EQ(registry.expose(Exposition::kText),
            "# HELP slipway_load Load\\nnow \\\\ then.\n# TYPE slipway_load gauge\nslipway_load 0.5\n"
            "# HELP slipway_requests_total Requests.\n# TYPE slipway_requests_total counter\n"
            "slipway_requests_total{route=\"/a\",status=\"200\"} 3\n"
            "# HELP slipway_wait_seconds Wait.\n# TYPE slipway_wait_seconds histogram\n"
            "slipway_wait_seconds_bucket{le=\"0.1\"} 2\nslipway_wait_seconds_bucket{le=\"1.0\"} 2\n"
            "slipway_wait_seconds_bucket{le=\"+Inf\"} 3\nslipway_wait_seconds_sum 5.15\n"
            "slipway_wait_seconds_count 3\n");
}

TEST(Metrics, WritesOpenMetrics) {
  MetricRegistry registry;
  registry.counter("slipway_requests_total", "Requests.").add();
  registry.histogram("slipway_wait_seconds", "Wait.", {1}, {"kind"}, {"a\"b"}).observe(2);
  EXPECT_EQ(registry.expose(Exposition::kOpenMetrics),
            "# HELP slipway_requests Requests.\n# TYPE slipway_requests counter\nslipway_requests_total 1\n"
            "# HELP slipway_wait_seconds Wait.\n# TYPE slipway_wait_seconds histogram\n"
            "# UNIT slipway_wait_seconds seconds\n"
            "slipway_wait_seconds_bucket{kind=\"a\\\"b\",le=\"1.0\"} 0\n"
            "slipway_wait_seconds_bucket{kind=\"a\\\"b\",le=\"+Inf\"} 1\n"
            "slipway_wait_seconds_sum{kind=\"a\\\"b\"} 2\nslipway_wait_seconds_count{kind=\"a\\\"b\"} 1\n# EOF\n");
  EXPECT_NE(registry.response("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
                .headers.get("Content-Type")
                .find("openmetrics"),
            std::string::npos);
  // What Prometheus 2.42 sends, and who likes text more.
  const auto type = [&](const char* accept) { return std::string(registry.response(accept).headers.get("Content-Type")); };
  EXPECT_EQ(type("application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
                 "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"),
            "application/openmetrics-text; version=1.0.0; charset=utf-8");
  for (const char* accept : {"application/openmetrics-text;q=0.3, text/plain;q=0.9", "text/plain", "",
                             "application/openmetrics-text;q=0", "application/openmetrics-text; Q=0.0,text/plain"}) {
    EXPECT_EQ(type(accept), "text/plain; version=0.0.4; charset=utf-8") << accept;
  }
  EXPECT_EQ(registry.response("*/*").headers.get("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
}

TEST(Metrics, BoundsItsLabelSets) {
  MetricRegistry registry;
  for (int i = 0; i < 1000; ++i) {
    registry.counter("slipway_x_total", "X.", {"user"}, {std::to_string(i)}).add();
  }
  const std::string text = registry.expose(Exposition::kText);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2 + 257);
  EXPECT_NE(text.find("slipway_x_total{user=\"other\"} 744"), std::string::npos);
}

TEST(Metrics, RefusesMisuse) {
  MetricRegistry registry;
  registry.counter("slipway_x_total", "X.");
  EXPECT_THROW(registry.gauge("slipway_x_total", "X."), std::logic_error);
  EXPECT_THROW(registry.counter("slipway_x_total", "X.", {"a"}, {"b"}), std::logic_error);
  EXPECT_THROW(registry.counter("no_suffix", "X."), std::logic_error);
  EXPECT_THROW(registry.gauge("9bad", "X."), std::logic_error);
  EXPECT_THROW(registry.gauge("slipway_y", "X.", {"a"}, {}), std::logic_error);
}

TEST(Metrics, CountsFromManyThreads) {
  MetricRegistry registry;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&registry, t] {
      for (int i = 0; i < 1000; ++i) {
        registry.counter("slipway_n_total", "N.", {"t"}, {std::to_string(t % 2)}).add();
        registry.histogram("slipway_h", "H.", latency_bounds()).observe(0.003);
      }
    });
  }
  for (int i = 0; i < 10; ++i) {
    registry.expose(Exposition::kText);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(registry.counter("slipway_n_total", "N.", {"t"}, {"0"}).value(), 2000);
  EXPECT_EQ(registry.histogram("slipway_h", "H.", latency_bounds()).snapshot().cumulative.back(), 4000U);
}

TEST(Metrics, EstimatesQuantiles) {
  Histogram histogram({1, 2, 4});
  EXPECT_EQ(histogram.quantile(0.5), 0);
  for (int i = 0; i < 100; ++i) {
    histogram.observe(i < 50 ? 0.5 : 1.5);
  }
  EXPECT_NEAR(histogram.quantile(0.5), 1.0, 1e-9);
  EXPECT_NEAR(histogram.quantile(0.75), 1.5, 1e-9);
}

TEST(Metrics, SeveralRegistriesAreToldAsOne) {
  MetricRegistry server;
  MetricRegistry one;
  MetricRegistry two;
  server.counter("slipway_requests_total", "R.").add(7);
  one.counter("slipway_texts_total", "T.", {"kind"}, {"in"}).add(1);
  two.counter("slipway_texts_total", "T.", {"kind"}, {"in"}).add(2);
  two.histogram("slipway_seconds", "S.", {1}).observe(0.5);
  const std::vector<LabelledRegistry> all = {{&server}, {&one, {{"model", "a\"b"}}}, {&two, {{"model", "c"}}}};
  const std::string text = expose(all, Exposition::kText);
  EXPECT_EQ(text,
            "# HELP slipway_requests_total R.\n# TYPE slipway_requests_total counter\nslipway_requests_total 7\n"
            "# HELP slipway_seconds S.\n# TYPE slipway_seconds histogram\n"
            "slipway_seconds_bucket{model=\"c\",le=\"1.0\"} 1\nslipway_seconds_bucket{model=\"c\",le=\"+Inf\"} 1\n"
            "slipway_seconds_sum{model=\"c\"} 0.5\nslipway_seconds_count{model=\"c\"} 1\n"
            "# HELP slipway_texts_total T.\n# TYPE slipway_texts_total counter\n"
            "slipway_texts_total{model=\"a\\\"b\",kind=\"in\"} 1\nslipway_texts_total{model=\"c\",kind=\"in\"} 2\n");
  const std::string open = expose(all, Exposition::kOpenMetrics);
  EXPECT_EQ(open.find("# EOF\n"), open.size() - 6);
}

TEST(Metrics, TellsAboutTheProcess) {
  MetricRegistry registry;
  registry.add_process_metrics();
  const std::string text = registry.expose(Exposition::kText);
  EXPECT_NE(text.find("# TYPE process_cpu_seconds_total counter"), std::string::npos);
  const size_t at = text.find("\nprocess_resident_memory_bytes ");
  ASSERT_NE(at, std::string::npos);
  EXPECT_GT(std::stod(text.substr(at + 31)), 1e6);
}

}  // namespace
}  // namespace slipway::net
