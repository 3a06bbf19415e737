// Addresses that are not wanted, against datatrove's URLFilter (tests/gold/make_url_filter_gold.py), and filters beside the presets.
#include "data/url_filter.h"

#include "base/input.h"
#include "data/clean_corpus.h"
#include "data/helpers.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;

fs::path write_list(const fs::path& folder, const std::string& name, const base::Json& entries) {
  std::string lines;
  for (const base::Json& entry : entries) {
    lines += entry.get<std::string>() + "\n";
  }
  base::write_file_atomic(folder / name, lines);
  return folder / name;
}

TEST(UrlFilter, DecidesAsDatatrove) {
  const fs::path file = tests::source_dir() / "tests/gold/url_filter.json";
  const base::Json gold = base::parse_json(base::read_file(file), file.string());
  const base::Json& lists = gold.at("lists");
  base::TempDir folder;
  UrlFilterOptions all;
  all.domains = {write_list(folder.path(), "domains", lists.at("domains"))};
  all.urls = {write_list(folder.path(), "urls", lists.at("urls"))};
  all.banned_words = {write_list(folder.path(), "banned", lists.at("banned_words"))};
  all.soft_banned_words = {write_list(folder.path(), "soft", lists.at("soft_banned_words"))};
  all.banned_subwords = {write_list(folder.path(), "parts", lists.at("banned_subwords"))};
  UrlFilterOptions domains;
  domains.domains = all.domains;
  UrlFilterOptions soft;
  soft.soft_banned_words = all.soft_banned_words;
  soft.soft_word_threshold = 1;
  const UrlFilterOptions* const given[] = {&all, &domains, &soft};
  for (size_t i = 0; i < 3; ++i) {
    const UrlFilter filter(*given[i]);
    for (size_t j = 0; j < gold.at("urls").size(); ++j) {
      const std::string url = gold.at("urls").at(j).get<std::string>();
      EXPECT_EQ(filter.reason_for(url), gold.at("filters").at(i).at("reasons").at(j).get<std::string>()) << url << ' ' << i;
    }
  }
}

TEST(UrlFilter, ListsMayHaveBlankLinesAndBeCompressed) {
  base::TempDir folder;
  base::write_file_atomic(folder.path() / "words.zst", base::zstd_compress("\n# none\nCASINO\r\n"));
  UrlFilterOptions options;
  options.banned_words = {folder.path() / "words.zst"};
  const UrlFilter filter(options);
  EXPECT_EQ(filter.reason_for("http://a.org/casino/"), "hard_blacklisted");
  EXPECT_EQ(filter.reason_for("http://a.org/other/"), "");  // an empty entry would be an empty word
  options.urls = {folder.path() / "absent"};
  error_of(base::Code::kNotFound, [&] { UrlFilter{options}; });
}

TEST(DocumentFilter, FindsMembersOfLines) {
  const std::string line = R"( { "a" : "x\"y" , "metadata" : {"url":"u","n":[1,{"url":2}],"deep":{"k":-1.5e3}}, "metadata.id":7, "b":null,"a":"last" } )";
  EXPECT_EQ(json_text(line, "a"), "last");
  EXPECT_EQ(json_text(line, "metadata.url"), "u");
  EXPECT_EQ(json_number(line, "metadata.deep.k"), -1500.0);
  EXPECT_EQ(json_number(line, "metadata.id"), 7.0);
  EXPECT_EQ(json_member(line, "b"), "null");
  EXPECT_FALSE(json_number(line, "b"));
  EXPECT_FALSE(json_member(line, "metadata.none"));
  EXPECT_FALSE(json_text("{\"a\":3}", "a"));
  EXPECT_EQ(json_text("{\"a\":\"\\u00e4\\n\"}", "a"), "ä\n");
  for (size_t cut = 0; cut <= line.size(); ++cut) {  // broken lines do no harm
    json_member(std::string_view(line).substr(0, cut), "metadata.deep.k");
  }
}

TEST(DocumentFilter, LimitsAreReadAndKept) {
  const MemberLimit limit = parse_member_limit("metadata.score>=0.25", "--limit");
  EXPECT_EQ(limit.path, "metadata.score");
  EXPECT_EQ(limit.low, 0.25);
  for (const char* bad : {"", "a", "a<1", "<=1", "a<=", "a<=x", "a>=nan", "a=1"}) {
    EXPECT_HAS(error_of(base::Code::kInvalid, [&] { parse_member_limit(bad, "--limit"); }), "--limit");
  }
  const auto filter = make_member_filter({limit, parse_member_limit("toxicity<=0.5", "")});
  std::vector<NamedSignal> signals;
  EXPECT_TRUE(filter->judge(R"({"metadata":{"score":0.25},"toxicity":0.5})", "", signals).keep());
  EXPECT_TRUE(filter->judge("{}", "", signals).keep());
  const FilterVerdict low = filter->judge(R"({"metadata":{"score":0.1}})", "", signals);
  EXPECT_EQ(low.reason, "metadata.score_below_limit");
  EXPECT_EQ(low.value, 0.1);
  EXPECT_EQ(filter->judge(R"({"toxicity":1})", "", signals).reason, "toxicity_above_limit");
}

TEST(DocumentFilter, CleanUsesThemAndWritesTheirSignals) {
  base::TempDir folder;
  const std::string text = "one two three four";
  std::string lines;
  for (const char* more : {R"("url":"http://good.com/a")", R"("metadata":{"url":"http://casino.bad.com/"})", R"("url":"http://good.com/b","toxicity":0.9)", R"("n":1)"}) {
    lines += "{\"text\":\"" + text + "\"," + more + "}\n";
  }
  base::write_file_atomic(folder.path() / "in.jsonl", lines);
  base::write_file_atomic(folder.path() / "words", "casino\n");
  CorpusOptions options;
  options.inputs = {folder.path() / "in.jsonl"};
  options.out = folder.path() / "out";
  options.exclusions = folder.path() / "gone";
  options.compress = false;
  options.quality = quality_preset("gopher");
  options.quality.stages.clear();
  UrlFilterOptions urls;
  urls.banned_words = {folder.path() / "words"};
  options.filters = {make_member_filter({parse_member_limit("toxicity<=0.5", "")}), std::make_shared<UrlFilter>(urls)};
  TestContext test;
  const CorpusSummary summary = clean_corpus(options, test.context);
  EXPECT_EQ(summary.kept, 2U);
  EXPECT_EQ(summary.dropped.at("hard_blacklisted"), 1U);
  EXPECT_EQ(summary.dropped.at("toxicity_above_limit"), 1U);
  const std::string gone = base::read_file(folder.path() / "gone/part-00000.jsonl");
  EXPECT_HAS(gone, R"("filter_reason":"hard_blacklisted","filter_signal":"url_reason"})");
  EXPECT_HAS(gone, R"("filter_reason":"toxicity_above_limit","filter_signal":"toxicity","filter_value":0.9})");
  // The lists are part of what a run is.
  base::write_file_atomic(folder.path() / "words", "other\n");
  options.filters[1] = std::make_shared<UrlFilter>(urls);
  error_of(base::Code::kConflict, [&] { clean_corpus(options, test.context); });
}

}  // namespace
}  // namespace slipway::data
