#include "data/table_report.h"

#include <cmath>
#include <fmt/format.h>

#include "base/json.h"
#include "data/helpers.h"
#include "data/near_groups.h"
#include "data/table_compare.h"
#include "data/text_map.h"
#include "data/version_files.h"

namespace slipway::data {
namespace {

const std::vector<std::string> kWords = {"the", "film", "is", "a", "good", "story", "of", "love", "and", "time", "with", "an", "actor", "who", "plays",
                                         "well", "bad", "scene", "long", "short", "music", "light", "house", "river", "city", "night", "day", "war"};

struct Row {
  std::string text;
  std::string label;
  double score = 0;
  bool missing = false;
};

Row random_row(base::Rng& rng) {
  Row row;
  const uint64_t words = 5 + rng.below(20);
  for (uint64_t i = 0; i < words; ++i) {
    // Frequent words are more frequent, as words are.
    const auto at = static_cast<size_t>(static_cast<double>(kWords.size()) * rng.uniform() * rng.uniform());
    row.text += (i > 0 ? " " : "") + kWords[at];
  }
  row.label = rng.below(3) == 0 ? "neg" : "pos";
  row.score = rng.normal();
  row.missing = rng.below(50) == 0;
  return row;
}

std::string line(const Row& row, int64_t id) {
  Json json = {{"id", id}, {"text", row.text}, {"label", row.label}, {"score", row.score}, {"stars", std::round(row.score) + 3}};
  if (row.missing) {
    json["score"] = nullptr;
  }
  return base::dump_json(json) + "\n";
}

TestVersion rows_of(uint64_t seed, int rows, const std::function<void(Row&, int)>& change = {}) {
  base::Rng rng(seed);
  std::string lines;
  for (int i = 0; i < rows; ++i) {
    Row row = random_row(rng);
    if (change) {
      change(row, i);
    }
    lines += line(row, i);
  }
  return version_of({{"a.jsonl", lines}});
}

struct Scans {
  TestContext test{2};
  base::TempDir work;
  ScanOptions options;
  int folders = 0;

  TableScan scan(const TestVersion& version) {
    options.work = work.path() / fmt::format("scan-{}", folders++);
    options.memory_bytes = 1 << 20;
    return scan_table(version.files(), options, test.context);
  }
  TableComparison compare(const TestVersion& before, const TestVersion& after) {
    CompareOptions compare;
    compare.work = work.path() / fmt::format("compare-{}", folders++);
    return compare_tables(scan(before), scan(after), compare, test.context);
  }
};

std::string told(const TableComparison& comparison) {
  std::string all;
  for (const Finding& one : comparison.findings) {
    all += fmt::format("{} {} {} {}\n", name_of(one.severity), one.check, one.column, one.message);
  }
  return all;
}

const Finding* find(const TableComparison& comparison, const std::string& check, const std::string& column) {
  for (const Finding& one : comparison.findings) {
    if (one.check == check && one.column == column) {
      return &one;
    }
  }
  return nullptr;
}

TEST(TableScan, CountsExactlyInOnePass) {
  Scans scans;
  const TableScan scan = scans.scan(version_of({{"a.jsonl", "{\"text\":\"one two three\",\"label\":\"x\"}\n{\"text\":\"one two three\",\"label\":\"y\"}\n[]\n"},
                                                {"b.csv", "text,label\n\"mail me at bob@example.com please\",x\n,x\n"}}));
  EXPECT_EQ(scan.profile.rows, 4);
  EXPECT_EQ(scan.profile.broken, 1);
  EXPECT_EQ(scan.copies, 1);
  EXPECT_EQ(scan.texts.texts, 3);
  EXPECT_EQ(scan.texts.with_pii, 1);
  EXPECT_EQ(scan.texts.pii_at.at("EMAIL_ADDRESS"), "b.csv:2");
  EXPECT_EQ(scan.texts.ngrams[2].count("one two three"), 2U);
  EXPECT_EQ(scan.texts.ngrams[0].count("two"), 2U);
  EXPECT_EQ(scan.columns[*scan.text].missing.at, std::vector<std::string>{"b.csv:3"});
  EXPECT_EQ(scan.sample.size(), 4U);
}

TEST(TableScan, TheSampleIsTheBeginningOfALargerOneOnAnyNumberOfThreads) {
  const TestVersion version = rows_of(1, 500);
  std::vector<std::string> places[2];
  for (const int threads : {1, 3}) {
    TestContext test(threads);
    const base::TempDir work;
    ScanOptions options;
    options.work = work.path();
    options.sample = threads == 1 ? 100 : 200;
    for (const SampleRow& row : scan_table(version.files(), options, test.context).sample) {
      places[threads == 1 ? 0 : 1].push_back(row.at);
    }
  }
  ASSERT_EQ(places[0].size(), 100U);
  EXPECT_TRUE(std::equal(places[0].begin(), places[0].end(), places[1].begin()));
}

TEST(TableScan, AColumnThatIsNotThereIsNamedWithTheNearest) {
  Scans scans;
  scans.options.text = "txet";
  EXPECT_HAS(error_of(base::Code::kInvalid, [&] { scans.scan(rows_of(1, 10)); }), "text");
}

TEST(GrowingHistogram, CountsWhateverTheOrder) {
  GrowingHistogram histogram;
  base::Rng rng(3);
  for (int i = 0; i < 5000; ++i) {
    histogram.add(rng.normal() * (i < 2000 ? 1 : 50));
  }
  histogram.add(1e12);
  histogram.add(-3e7);
  histogram.finish();
  const Json json = histogram.to_json();
  uint64_t all = 0;
  double before = -INFINITY;
  for (const Json& bin : json["bins"]) {
    EXPECT_GE(bin["low"].get<double>(), before);
    before = bin["high"].get<double>() - 1e-3;
    all += bin["count"].get<uint64_t>();
  }
  EXPECT_EQ(all, 5002U);
  EXPECT_EQ(json["max"], 1e12);
  GrowingHistogram lengths;
  for (int i = 0; i < 100; ++i) {
    lengths.add(i % 7);
  }
  lengths.finish();
  EXPECT_EQ(lengths.to_json()["bins"].size(), 7U);  // whole numbers have bins of their own
}

// Equal data: none of many pairs of resamples gives an alarm more often than alpha says.
TEST(TableCompare, EqualDataGiveNoAlarm) {
  Scans scans;
  int alarms = 0;
  for (uint64_t i = 0; i < 20; ++i) {
    const TableComparison comparison = scans.compare(rows_of(2 * i, 600), rows_of(2 * i + 1, 400));
    EXPECT_GT(comparison.tests.size(), 10U);
    alarms += find(comparison, "rows", "") != nullptr ? static_cast<int>(comparison.findings.size()) - 1 : static_cast<int>(comparison.findings.size());
    EXPECT_LE(comparison.alpha_each, 0.01 / 10);
  }
  EXPECT_LE(alarms, 1);
}

TEST(TableCompare, FindsWhatMovedAndShowsRows) {
  Scans scans;
  const auto before = rows_of(1, 1000);
  const auto moved = scans.compare(before, rows_of(2, 1000, [](Row& row, int i) {
                                     row.score += 1;
                                     row.label = i % 10 == 0 ? "neutral" : row.label;
                                     row.text = i % 4 == 0 ? "das ist ein deutscher Satz über die Stadt und das Wetter " + std::to_string(i % 90) : row.text;
                                     row.text += i % 5 == 1 ? " ask alice@example.com" : "";
                                     row.missing = i % 8 == 0;
                                   }));
  ASSERT_NE(find(moved, "distribution", "score"), nullptr) << told(moved);
  EXPECT_EQ(find(moved, "distribution", "score")->severity, Severity::kError);
  EXPECT_EQ(find(moved, "distribution", "score")->rows.size(), 3U);
  ASSERT_NE(find(moved, "new_category", "label"), nullptr) << told(moved);
  EXPECT_EQ(find(moved, "new_category", "label")->severity, Severity::kError);
  EXPECT_HAS(find(moved, "new_category", "label")->rows[0]["at"].get<std::string>(), "a.jsonl:1");
  ASSERT_NE(find(moved, "language", "text"), nullptr) << told(moved);
  ASSERT_NE(find(moved, "words", "text"), nullptr) << told(moved);
  EXPECT_HAS(find(moved, "words", "text")->message, "das");
  ASSERT_NE(find(moved, "pii", "text"), nullptr) << told(moved);
  ASSERT_NE(find(moved, "missing", "score"), nullptr) << told(moved);
  EXPECT_EQ(find(moved, "missing", "score")->severity, Severity::kError);
  ASSERT_NE(find(moved, "near_duplicates", "text"), nullptr) << told(moved);
  EXPECT_EQ(moved.worst(), Severity::kError);
  // The worst first.
  for (size_t i = 1; i < moved.findings.size(); ++i) {
    EXPECT_GE(moved.findings[i - 1].severity, moved.findings[i].severity);
  }
}

TEST(TableCompare, SchemaRowsAndRanges) {
  Scans scans;
  std::string before;
  std::string after;
  for (int i = 0; i < 400; ++i) {
    before += fmt::format("{{\"a\":{},\"b\":\"x{}\",\"gone\":1,\"price\":{}}}\n", i, i, i % 37);
    if (i < 150) {
      after += fmt::format("{{\"a\":\"{}\",\"b\":\"x{}\",\"new\":1,\"price\":{}}}\n", i, i, i % 37 + (i % 10 == 0 ? 1000 : 0));
    }
  }
  const TableComparison comparison = scans.compare(version_of({{"a.jsonl", before}}), version_of({{"a.jsonl", after + "nothing\n"}}));
  const auto severity = [&](const char* check, const char* column) {
    const Finding* found = find(comparison, check, column);
    EXPECT_NE(found, nullptr) << check << "\n" << told(comparison);
    return found == nullptr ? "" : std::string(name_of(found->severity));
  };
  EXPECT_EQ(severity("column_removed", "gone"), "error");
  EXPECT_EQ(severity("column_added", "new"), "warning");
  EXPECT_EQ(severity("type_changed", "a"), "error");
  EXPECT_EQ(severity("rows", ""), "error");
  EXPECT_EQ(severity("broken_rows", ""), "error");
  EXPECT_EQ(severity("out_of_range", "price"), "error");
}

TEST(TableCompare, AVersionAgainstItselfHasNothing) {
  Scans scans;
  const auto version = rows_of(5, 300);
  EXPECT_EQ(told(scans.compare(version, version)), "");
  EXPECT_EQ(told(scans.compare(version_of({{"a.jsonl", ""}}), version_of({{"a.jsonl", ""}}))), "");
}

TEST(NearGroups, FindsThoseThatAreAlike) {
  TestContext test;
  const base::TempDir work;
  const std::vector<std::string_view> texts = {"the quick brown fox jumps over the lazy dog in the evening sun of the old town", "something else entirely, nothing to do with it",
                                               "the quick brown fox jumps over the lazy dog in the evening sun of the old town", "",
                                               "The quick brown fox jumps over the lazy dog, in the evening sun of the old town!", "short text here", "short text here"};
  const auto groups = near_groups(texts, 0.8, {work.path(), 1 << 20, &test.pool});
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0], (std::vector<size_t>{0, 2, 4}));
  EXPECT_EQ(groups[1], (std::vector<size_t>{5, 6}));
}

// Against the eigenvalues of a matrix made of known directions.
TEST(TextMap, PrincipalComponentsAreExact) {
  constexpr size_t kRows = 60;
  base::Rng rng(4);
  std::vector<float> values(kRows * 3);
  for (size_t i = 0; i < kRows; ++i) {
    const double u = rng.normal() * 10;
    const double v = rng.normal() * 3;
    values[i * 3] = static_cast<float>(u / std::sqrt(2) + 100);
    values[i * 3 + 1] = static_cast<float>(u / std::sqrt(2) - 50);
    values[i * 3 + 2] = static_cast<float>(v);
  }
  const PrincipalComponents pca = principal_components(dense_rows(values, 3), 2, 1);
  ASSERT_EQ(pca.count, 2U);
  // The third direction has nothing: the two explain all, and distances are kept.
  EXPECT_NEAR(pca.explained[0] + pca.explained[1], 1, 1e-9);
  for (size_t i = 1; i < kRows; ++i) {
    double wanted = 0;
    double found = 0;
    for (size_t d = 0; d < 3; ++d) {
      wanted += std::pow(static_cast<double>(values[i * 3 + d]) - static_cast<double>(values[d]), 2);
    }
    for (size_t d = 0; d < 2; ++d) {
      found += std::pow(pca.scores[i * 2 + d] - pca.scores[d], 2);
    }
    EXPECT_NEAR(std::sqrt(found), std::sqrt(wanted), 1e-4);
  }
}

TEST(TextMap, TsneAndClustersKeepGroupsTogether) {
  TestContext test;
  base::Rng rng(9);
  std::vector<double> x;
  for (int i = 0; i < 90; ++i) {
    for (int d = 0; d < 4; ++d) {
      x.push_back(rng.normal() * 0.3 + (d == i % 3 ? 8 : 0));
    }
  }
  const std::vector<int> clusters = k_means(x, 4, 3, 1);
  const std::vector<double> places = tsne(x, 4, 10, test.pool);
  for (size_t i = 3; i < 90; ++i) {
    EXPECT_EQ(clusters[i], clusters[i % 3]);
    double nearest = INFINITY;
    size_t neighbour = 0;
    for (size_t j = 0; j < 90; ++j) {
      const double far = std::hypot(places[i * 2] - places[j * 2], places[i * 2 + 1] - places[j * 2 + 1]);
      if (j != i && far < nearest) {
        nearest = far;
        neighbour = j;
      }
    }
    EXPECT_EQ(neighbour % 3, i % 3);
  }
  TestContext one(1);
  EXPECT_EQ(tsne(x, 4, 10, one.pool), places);
}

TEST(TableReport, FactsAreTheSameOnAnyNumberOfThreads) {
  const TestVersion version = rows_of(11, 300, [](Row& row, int i) { row.text += i % 10 == 0 ? " and so on and so on in the same old house by the river" : ""; });
  std::string facts[2];
  for (const int threads : {1, 3}) {
    TestContext test(threads);
    const base::TempDir work;
    ScanOptions scan;
    scan.work = work.path() / "scan";
    ReportOptions report;
    report.work = work.path() / "report";
    report.map = MapMethod::kPca;
    const TableScan scanned = scan_table(version.files(), scan, test.context);
    const Json json = report_facts(scanned, nullptr, nullptr, report, test.context);
    facts[threads == 1 ? 0 : 1] = base::dump_json(json);
    EXPECT_EQ(json["map"]["points"].size(), 300U);
    EXPECT_EQ(json["quality"]["presets"].size(), 3U);
    EXPECT_EQ(json["texts"]["words"]["count"], 300);
    EXPECT_FALSE(json.contains("comparison"));
  }
  EXPECT_EQ(facts[0], facts[1]);
}

}  // namespace
}  // namespace slipway::data
