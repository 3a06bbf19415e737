// The promise on real text: movie snippets as the reference and as unchanged traffic; New York Times sentences and
// tweets as another domain.
#include <fstream>

#include "monitor/simulate.h"
#include "monitor/traffic.h"
#include "support/support.h"

namespace slipway::monitor {
namespace {

// Rows "id<TAB>rating<TAB>text", in a seeded order.
std::vector<Observation> rated_rows(const std::filesystem::path& path, uint64_t seed) {
  std::vector<Observation> rows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find('\t');
    const size_t second = line.find('\t', first + 1);
    if (second != std::string::npos) {
      rows.push_back(tests::rated(line.substr(second + 1), std::strtod(line.c_str() + first + 1, nullptr)));
    }
  }
  base::Rng rng(seed);
  rng.shuffle(std::span(rows));
  return rows;
}

TEST(RealText, MoviesRaiseNoAlarmAndOtherDomainsAlwaysDo) {
  const auto folder = tests::cached("vader");
  if (!folder) {
    GTEST_SKIP() << "skipped: the rated sentences are not in the cache";
  }
  const auto movies = rated_rows(*folder / "movieReviewSnippets_GroundTruth.txt", 1);
  const auto news = rated_rows(*folder / "nytEditorialSnippets_GroundTruth.txt", 2);
  const auto tweets = rated_rows(*folder / "tweets_GroundTruth.txt", 3);
  ASSERT_GT(movies.size(), 10000U);
  for (const size_t rows : {size_t{500}, size_t{1000}}) {
    const auto sketch = build_sketch(std::span(movies).first(rows), {"negative", "positive"});
    MonitorOptions options;
    options.window = 500;
    const WindowJudge judge(std::make_shared<const ReferenceSketch>(sketch), options);
    const Simulation same = simulate(judge, std::span(movies).subspan(rows), 500, 50, 7);
    EXPECT_LE(same.alarms, 2) << base::dump_json(to_json(same));  // 5 % of 50
    for (const auto& [name, other] : {std::pair{"news", &news}, std::pair{"tweets", &tweets}}) {
      const Simulation drifted = simulate(judge, *other, 500, 10, 7);
      EXPECT_EQ(drifted.alarms, 10) << name << base::dump_json(to_json(drifted));
    }
  }
}

}  // namespace
}  // namespace slipway::monitor
