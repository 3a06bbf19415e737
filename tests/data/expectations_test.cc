#include "data/expectations.h"

#include <cmath>
#include <fmt/format.h>

#include "base/json.h"
#include "data/helpers.h"
#include "data/profile.h"
#include "data/strptime.h"
#include "data/version_files.h"

namespace slipway::data {
namespace {

Json check(const TestVersion& table, const Json& expectations, uint64_t memory = 1 << 20) {
  TestContext test;
  base::TempDir work;
  ExpectOptions options;
  options.memory_bytes = memory;
  options.work = work.path() / "work";
  return check_expectations(table.files(), parse_expectations(expectations, "test"), options, test.context);
}

Json one(const TestVersion& table, const std::string& type, const Json& kwargs) {
  return check(table, Json::array({{{"type", type}, {"kwargs", kwargs}}}))["results"][0];
}

// Equal, numbers to 1e-9 of their size.
bool near(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) {
    return std::abs(a.get<double>() - b.get<double>()) <= 1e-9 * std::max(1.0, std::abs(b.get<double>()));
  }
  if (a.type() != b.type() || a.size() != b.size()) {
    return false;
  }
  if (a.is_array()) {
    return std::equal(a.begin(), a.end(), b.begin(), near);
  }
  if (a.is_object()) {
    for (auto it = a.begin(); it != a.end(); ++it) {
      if (!b.contains(it.key()) || !near(*it, b[it.key()])) {
        return false;
      }
    }
    return true;
  }
  return a == b;
}

// Gold of Great Expectations (tests/gold/make_expectations_gold.py), with so little memory that all is sorted on disk.
TEST(Expectations, EqualThoseOfGreatExpectations) {
  const Json gold = base::parse_json(base::read_file("tests/gold/expectations.json"), "gold");
  std::string rows;
  for (const Json& row : gold["rows"]) {
    rows += row.get<std::string>() + "\n";
  }
  const TestVersion table = version_of({{"a.jsonl", rows}});
  ASSERT_GT(gold["expectations"].size(), 40U);
  Json suite = Json::array();
  for (const Json& expectation : gold["expectations"]) {
    suite.push_back({{"type", expectation["type"]}, {"kwargs", expectation["kwargs"]}});
  }
  for (const uint64_t memory : {uint64_t{1} << 12U, uint64_t{1} << 26U}) {
    const Json report = check(table, suite, memory);
    for (size_t i = 0; i < suite.size(); ++i) {
      const Json& wanted = gold["expectations"][i];
      const Json& found = report["results"][i];
      EXPECT_EQ(found["success"], wanted["success"]) << wanted.dump() << "\n" << found.dump();
      for (auto it = wanted["result"].begin(); it != wanted["result"].end(); ++it) {
        const Json value = found["result"].value(it.key(), Json());
        EXPECT_TRUE(near(value, it.value())) << wanted["type"] << wanted["kwargs"] << " " << it.key() << ": " << value.dump() << " for " << it->dump();
      }
    }
  }
}

TEST(Expectations, NumbersOfCsvAreNumbersAndEmptyIsMissing) {
  const TestVersion table = version_of({{"a.csv", "id,x\n1,0.5\n02,\n3,abc\n"}});
  EXPECT_TRUE(one(table, "expect_column_values_to_be_in_set", {{"column", "id"}, {"value_set", {1, "02", 3}}})["success"].get<bool>());
  const Json x = one(table, "expect_column_values_to_be_between", {{"column", "x"}, {"max_value", 1}});
  EXPECT_EQ(x["result"]["missing_count"], 1);
  EXPECT_EQ(x["result"]["partial_unexpected_list"], Json::array({"abc"}));
  EXPECT_EQ(x["result"]["partial_unexpected_index_list"], Json::array({2}));
}

TEST(Expectations, LikePatternsAreSqls) {
  const TestVersion table = version_of({{"a.txt", "review 12\nreview é\nother\n"}});
  EXPECT_EQ(one(table, "expect_column_values_to_match_like_pattern", {{"column", "text"}, {"like_pattern", "review %"}})["result"]["unexpected_count"], 1);
  EXPECT_EQ(one(table, "expect_column_values_to_match_like_pattern", {{"column", "text"}, {"like_pattern", "review _"}})["result"]["unexpected_count"], 2);
  EXPECT_EQ(one(table, "expect_column_values_to_not_match_like_pattern", {{"column", "text"}, {"like_pattern", "%t%"}})["result"]["unexpected_count"], 1);
}

TEST(Expectations, AColumnThatIsNowhereFailsAndSaysSo) {
  const TestVersion table = version_of({{"a.jsonl", "{\"id\":1}\n"}});
  const Json result = one(table, "expect_column_values_to_not_be_null", {{"column", "none"}});
  EXPECT_FALSE(result["success"].get<bool>());
  EXPECT_HAS(result["exception_info"]["exception_message"].get<std::string>(), "\"none\" does not exist");
}

TEST(Expectations, LinesThatAreNoRowsFailTheSuite) {
  const TestVersion table = version_of({{"a.jsonl", "{\"id\":1}\n[]\n{\"id\":2\n"}});
  const Json report = check(table, Json::array({{{"type", "expect_table_row_count_to_equal"}, {"kwargs", {{"value", 1}}}}}));
  EXPECT_EQ(report["meta"]["broken_rows"], 2);
  EXPECT_FALSE(report["success"].get<bool>());
  EXPECT_TRUE(report["results"][0]["success"].get<bool>());
}

TEST(Expectations, SuitesThatCannotBeAreRefusedWithTheNearestName) {
  const auto refused = [](const Json& suite) { return error_of(base::Code::kInvalid, [&] { parse_expectations(suite, "s.yaml"); }); };
  EXPECT_HAS(refused({{"expectations", {{{"type", "expect_column_values_to_be_uniq"}}}}}), "expect_column_values_to_be_unique");
  EXPECT_HAS(refused(Json::array({{{"expect_column_values_to_be_between", {{"column", "a"}, {"max_vale", 1}}}}})), "needs 'min_value'");
  EXPECT_HAS(refused(Json::array({{{"expect_column_values_to_be_between", {{"column", "a"}, {"max_value", 1}, {"mostl", 1}}}}})), "'mostl'");
  EXPECT_HAS(refused(Json::array({{{"expect_column_values_to_not_be_null", {{"column", "a"}, {"mostly", 2}}}}})), "mostly");
  EXPECT_HAS(refused(Json::array({{{"expect_column_values_to_match_regex", {{"column", "a"}, {"regex", "("}}}}})), "regex");
  EXPECT_HAS(refused(Json::array({{{"expect_column_values_to_match_strftime_format", {{"column", "a"}, {"strftime_format", "%Q"}}}}})), "%Q");
  EXPECT_HAS(refused({{"name", "x"}}), "expectations");
  EXPECT_HAS(refused(7), "list");
  EXPECT_HAS(refused(Json::array({{{"expect_column_kl_divergence_to_be_less_than",
                                    {{"column", "a"}, {"threshold", 1}, {"partition_object", {{"values", {"x"}}, {"weights", {0.5}}}}}}}})), "sum to 1");
}

// Of scipy 1.17: chisquare, kstest, chi2_contingency.
TEST(Expectations, TestsEqualScipys) {
  std::string rows;
  for (int i = 0; i < 60; ++i) {
    rows += fmt::format("{{\"x\":{},\"c\":\"{}\",\"d\":\"{}\"}}\n", (i * 37 % 60) / 20.0 - 1.4, i % 7 < 3 ? "a" : i % 7 < 5 ? "b" : "c", i % 5 == 0 ? "p" : i % 2 == 0 ? "q" : "r");
  }
  const TestVersion table = version_of({{"a.jsonl", rows}});
  const auto value = [&](const std::string& type, const Json& kwargs) {
    const Json result = one(table, type, kwargs);
    return result["result"]["observed_value"].is_number() ? result["result"]["observed_value"].get<double>() : NAN;
  };
  const std::string chi2 = "expect_column_chisquare_test_p_value_to_be_greater_than";
  const std::string ks = "expect_column_parameterized_distribution_ks_test_p_value_to_be_greater_than";
  EXPECT_NEAR(value(chi2, {{"column", "c"}, {"partition_object", {{"values", {"a", "b", "c"}}, {"weights", {0.5, 0.25, 0.25}}}}}), 0.7285735725113931, 1e-9);
  EXPECT_EQ(value(chi2, {{"column", "c"}, {"partition_object", {{"values", {"a", "b"}}, {"weights", {0.5, 0.5}}}}}), 0);
  EXPECT_NEAR(value(chi2, {{"column", "c"}, {"tail_weight_holdout", 0.2}, {"partition_object", {{"values", {"a", "b"}}, {"weights", {0.5, 0.5}}}}}), 0.15335496684492844, 1e-9);
  EXPECT_NEAR(value(ks, {{"column", "x"}, {"distribution", "norm"}, {"params", {{"mean", 0}, {"std_dev", 1}}}}), 0.7989450896076038, 1e-8);
  EXPECT_NEAR(value(ks, {{"column", "x"}, {"distribution", "uniform"}, {"params", {-2, 4}}}), 0.12110534950589502, 1e-8);
  EXPECT_NEAR(value("expect_column_pair_cramers_phi_value_to_be_less_than", {{"column_A", "c"}, {"column_B", "d"}}), 0.05368585835276686, 1e-9);
}

TEST(Expectations, RowConditionsSayWhichRowsAreSeen) {
  const TestVersion table = version_of({{"a.csv", "id,x,name\n1,5,a\n2,,b\n3,7,c d\n4,9,a\n"}});
  const auto rows = [&](const Json& condition) {
    return one(table, "expect_column_values_to_not_be_null", {{"column", "id"}, {"row_condition", condition}})["result"]["element_count"].get<int>();
  };
  EXPECT_EQ(rows("x > 5"), 2);
  EXPECT_EQ(rows("x != 5"), 3);  // null is not 5
  EXPECT_EQ(rows("not (x > 5)"), 2);
  EXPECT_EQ(rows("x > 5 and name == 'a' or id == 2"), 2);
  EXPECT_EQ(rows("~(id in [1, 2]) & x.notnull()"), 2);
  EXPECT_EQ(rows("name not in ('a', \"b\")"), 1);
  EXPECT_EQ(rows("col(\"name\")==\"c d\""), 1);
  EXPECT_EQ(rows("`id` <= -1.5e0"), 0);
  EXPECT_EQ(rows("name > 3"), 0);  // unlike kinds
  EXPECT_EQ(rows({{"type", "nullity"}, {"column", {{"name", "x"}}}, {"is_null", true}}), 1);
  // The numbers of rows are the table's, whatever is passed over.
  const Json late = one(table, "expect_column_values_to_be_unique", {{"column", "name"}, {"row_condition", "id != 2"}});
  EXPECT_EQ(late["result"]["partial_unexpected_index_list"], Json::array({0, 3}));
  EXPECT_EQ(one(table, "expect_table_row_count_to_equal", {{"value", 2}, {"row_condition", "x > 5"}})["success"], true);
  const auto refused = [](const Json& condition) {
    return error_of(base::Code::kInvalid, [&] { parse_expectations(Json::array({{{"expect_column_to_exist", {{"column", "a"}, {"row_condition", condition}}}}}), "s.yaml"); });
  };
  EXPECT_HAS(refused("x >"), "wants a number, a text in quotes, True or False at character 4");
  EXPECT_HAS(refused("x > 1 y"), "an operator between comparisons");
  EXPECT_HAS(refused("x == 'a"), "closing quote");
  EXPECT_HAS(refused("x.mean() > 3"), "notNull()");
  EXPECT_HAS(refused(std::string(40, '(') + "x > 1"), "nested too deeply");
  EXPECT_HAS(refused({{"type", "xor"}, {"column", "a"}}), "comparison, nullity, and, or");
  EXPECT_HAS(refused({{"type", "comparison"}, {"column", "a"}, {"operator", "~"}, {"parameter", 1}}), "NOT_IN");
  EXPECT_HAS(refused(3), "row_condition");
}

TEST(Strptime, IsPythons) {
  EXPECT_TRUE(matches_strptime("2024-02-29 23:59:60.5 +01:30", "%Y-%m-%d %H:%M:%S.%f %z"));
  EXPECT_FALSE(matches_strptime("2023-02-29", "%Y-%m-%d"));
  EXPECT_TRUE(matches_strptime("Mon 3 MARCH 69 12 pm", "%a %d %B %y %I %p"));
  EXPECT_FALSE(matches_strptime("2024-1-1 ", "%Y-%m-%d"));
  EXPECT_FALSE(matches_strptime("24-1-1", "%Y-%m-%d"));
  EXPECT_TRUE(matches_strptime("100%", "%j%%"));
}

TEST(Profile, TellsTypesAndWhatFollowsHoldsForItsOwnTable) {
  std::string rows;
  for (int i = 0; i < 60; ++i) {
    rows += fmt::format("{{\"id\":{},\"text\":\"text é {}\",\"label\":\"{}\",\"score\":{}.5,\"mixed\":{},\"maybe\":{}}}\n", i, i, i % 3 == 0 ? "a" : "b", i,
                        i % 2 == 0 ? "1" : "\"x\"", i % 4 == 0 ? "null" : "true");
  }
  const TestVersion table = version_of({{"a.jsonl", rows}});
  TestContext test;
  const TableProfile profile = profile_table(table.files(), test.context);
  ASSERT_EQ(profile.columns.size(), 6U);
  EXPECT_EQ(profile.columns[0].type(), "integer");
  EXPECT_TRUE(profile.columns[0].unique());
  EXPECT_EQ(profile.columns[1].min_length, 8);
  EXPECT_TRUE(profile.columns[2].is_domain());
  EXPECT_EQ(profile.columns[2].top[0].second, 40);
  EXPECT_DOUBLE_EQ(profile.columns[3].mean, 30);
  EXPECT_EQ(profile.columns[4].type(), "mixed");
  EXPECT_EQ(profile.columns[5].missing, 15);
  const base::TempDir dir;
  base::write_file_atomic(dir.path() / "schema.yaml", schema_yaml(profile, "s"));
  const ExpectationSuite suite = read_expectations(dir.path() / "schema.yaml");
  EXPECT_EQ(to_json(suite), to_json(infer_expectations(profile, "s")));
  EXPECT_TRUE(check(table, to_json(suite))["success"].get<bool>());
}

}  // namespace
}  // namespace slipway::data
