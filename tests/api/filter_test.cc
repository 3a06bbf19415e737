// The search language: what is understood, and the literal texts of what is not.
#include "api/filter.h"

#include <gtest/gtest.h>
#include <random>

#include "api/errors.h"
#include "api/page_token.h"

namespace slipway::api {
namespace {

using record::Comparator;
using record::Condition;
using record::Entity;

std::vector<Condition> parse(std::string_view filter, const Grammar& grammar = run_grammar()) {
  return parse_filter(filter, grammar);
}

std::string refusal(std::string_view filter, const Grammar& grammar = run_grammar()) {
  try {
    parse(filter, grammar);
  } catch (const ApiError& error) {
    EXPECT_EQ(error.word(), "INVALID_PARAMETER_VALUE");
    EXPECT_EQ(error.status(), 400);
    return error.what();
  }
  return "accepted";
}

std::string order_refusal(const std::vector<std::string>& clauses, const Grammar& grammar = run_grammar()) {
  try {
    parse_order(clauses, grammar);
  } catch (const ApiError& error) {
    return std::string(error.word()) + ": " + error.what();
  }
  return "accepted";
}

TEST(Filter, ReadsEveryKindOfComparison) {
  const auto conditions = parse(
      "metrics.acc >= -1.5e1 and params.lr = '0.1' AND tags.\"a b\" LIKE 'x%' AND tag.`c.d` ilike \"Y_\" AND "
      "attributes.start_time > 5 AND run_id IN ('a', \"b\") AND dataset.name NOT IN ('d') AND params.q IS NOT NULL AND "
      "tags.z is null");
  ASSERT_EQ(conditions.size(), 9U);
  EXPECT_EQ(conditions[0].entity, Entity::kMetric);
  EXPECT_EQ(conditions[0].comparator, Comparator::kGreaterEqual);
  EXPECT_EQ(std::get<double>(conditions[0].value), -15.0);
  EXPECT_EQ(std::get<std::string>(conditions[1].value), "0.1");
  EXPECT_EQ(conditions[2].key, "a b");
  EXPECT_EQ(conditions[2].comparator, Comparator::kLike);
  EXPECT_EQ(conditions[3].key, "c.d");
  EXPECT_EQ(conditions[3].comparator, Comparator::kILike);
  EXPECT_EQ(std::get<std::string>(conditions[3].value), "Y_");
  EXPECT_EQ(std::get<int64_t>(conditions[4].value), 5);
  EXPECT_EQ(std::get<std::vector<std::string>>(conditions[5].value), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(conditions[6].comparator, Comparator::kNotIn);
  EXPECT_EQ(conditions[7].comparator, Comparator::kIsNotNull);
  EXPECT_EQ(conditions[8].comparator, Comparator::kIsNull);
}

TEST(Filter, SplitsAtTheFirstDotAndKnowsAliases) {
  EXPECT_EQ(parse("tags.a.b.c = 'x'")[0].key, "a.b.c");
  EXPECT_EQ(parse("Created > 1")[0].key, "start_time");
  EXPECT_EQ(parse("attr.`Run Name` = 'x'")[0].key, "run_name");
  for (const char* text : {"param.p = 'x'", "params.p = 'x'", "parameter.p = 'x'", "parameters.p = 'x'"}) {
    EXPECT_EQ(parse(text)[0].entity, Entity::kParam);
  }
  EXPECT_EQ(parse("run.status = 'FINISHED'")[0].key, "status");
}

TEST(Filter, AcceptsNothingAndLooseAnds) {
  EXPECT_TRUE(parse("").empty());
  EXPECT_TRUE(parse("  \n").empty());
  EXPECT_EQ(parse("metrics.a > 1 AND ").size(), 1U);
  EXPECT_EQ(parse("metrics.a>1 and metrics.a<2").size(), 2U);
  EXPECT_EQ(std::get<std::string>(parse("params.p = 'it''s'")[0].value), "it''s");
  EXPECT_EQ(std::get<double>(parse("metrics.a = 1e3")[0].value), 1000.0);
}

TEST(Filter, SaysWhatIsWrongInMlflowsWords) {
  EXPECT_EQ(refusal("metrics.a > 1 OR metrics.b > 1"), "Invalid clause(s) in filter string: 'OR'");
  EXPECT_EQ(refusal("(metrics.a > 1)"), "Invalid clause(s) in filter string: '(metrics.a > 1)'");
  EXPECT_EQ(refusal("NOT metrics.a > 1"), "Invalid clause(s) in filter string: 'NOT'");
  EXPECT_EQ(refusal("status IN ('FINISHED')"),
            "Only ['run_id'] attributes support comparison with a list of quoted string values.");
  EXPECT_EQ(refusal("start_time > '5'"), "Expected numeric value type for numeric attribute: start_time. Found '5'");
  EXPECT_EQ(refusal("metrics.a > 'x'"), "Expected numeric value type for metric. Found 'x'");
  EXPECT_EQ(refusal("params.p = 5"), "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 5");
  EXPECT_EQ(refusal("tags.p = 5"), "Expected a quoted string value for tag (e.g. 'my-value'). Got value 5");
  EXPECT_EQ(refusal("status = 5"), "Expected a quoted string value for attributes. Got value 5");
  EXPECT_EQ(refusal("params.p = abc"),
            "Parameter value is either not quoted or unidentified quote types used for string value abc. Use either "
            "single or double quotes.");
  EXPECT_EQ(refusal("metrics.a == 1"), "Invalid comparator '==' not one of '{'!=', '<', '<=', '=', '>', '>='}");
  EXPECT_EQ(refusal("metrics.a <> 1"), "Invalid comparator '<>' not one of '{'!=', '<', '<=', '=', '>', '>='}");
  EXPECT_EQ(refusal("params.a > '1'"),
            "Invalid comparator '>' not one of '{'!=', '=', 'ILIKE', 'IS NOT NULL', 'IS NULL', 'LIKE'}'");
  EXPECT_EQ(refusal("x.a = 1"),
            "Invalid entity type 'x'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']");
  EXPECT_TRUE(refusal("colour = 'red'").starts_with("Invalid attribute key 'colour' specified. Valid keys are '{"));
  EXPECT_EQ(refusal("dataset.size = '1'"),
            "Invalid dataset key 'size' specified. Valid keys are '{'context', 'digest', 'name'}'");
  EXPECT_EQ(refusal("metrics.a IS NULL"),
            "IS NULL / IS NOT NULL is only supported for tags and params, not for 'metric' 'a'");
  EXPECT_EQ(
      refusal("metrics.a > 1; metrics.b > 1"),
      "Search filter contained multiple expression 'metrics.a > 1; metrics.b > 1'. Provide AND-ed expression list.");
  EXPECT_EQ(refusal("run_id IN ()"),
            "While parsing a list in the query, expected a non-empty list of string values, but got empty list");
  EXPECT_EQ(refusal("run_id IN ('a' 'b')"),
            "While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list.");
  EXPECT_EQ(
      refusal("run_id IN (1)"),
      "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type "
      "in list: (1)");
  EXPECT_EQ(refusal("'a' = 'b'"), "Invalid comparison clause. Expected 'Identifier' found ''a''");
  EXPECT_NE(refusal("run_id IN 'a'"), "accepted");
  EXPECT_NE(refusal("run_id = ('a')"), "accepted");
  EXPECT_NE(refusal("metrics.a"), "accepted");
  EXPECT_NE(refusal("metrics.a >"), "accepted");
  EXPECT_NE(refusal("params.p = 'open"), "accepted");
}

TEST(Filter, ExperimentsHaveARulebookOfTheirOwn) {
  const Grammar& grammar = experiment_grammar();
  EXPECT_EQ(parse("name LIKE 'a%' AND tags.k = 'v' AND creation_time >= 5", grammar).size(), 3U);
  EXPECT_EQ(std::get<int64_t>(parse("experiment_id = '3'", grammar)[0].value), 3);
  EXPECT_EQ(refusal("metrics.a > 1", grammar),
            "Invalid entity type 'metrics'. Valid entity types are ('attribute', 'attributes', 'tag', 'tags')");
  EXPECT_EQ(refusal("name > 'a'", grammar), "Invalid comparator for string attribute: >");
  EXPECT_EQ(refusal("experiment_id = 'x'", grammar),
            "Invalid experiment ID 'x'. Experiment ID must be a valid integer.");
  EXPECT_EQ(refusal("experiment_id LIKE '1'", grammar), "Invalid comparator for experiment_id: LIKE");
  EXPECT_EQ(refusal("creation_time > 1.5", grammar), "Invalid value for numeric attribute 'creation_time': '1.5'");
  EXPECT_EQ(refusal("name = 'a' OR name = 'b'", grammar), "Invalid clause(s) in filter string: OR");
}

TEST(Order, ReadsFieldAndDirection) {
  const std::vector<std::string> clauses = {"metrics.acc DESC", "params.`a b`", "attribute.start_time asc",
                                            "tags.\"x.y\""};
  const auto order = parse_order(clauses, run_grammar());
  ASSERT_EQ(order.size(), 4U);
  EXPECT_FALSE(order[0].ascending);
  EXPECT_EQ(order[1].key, "a b");
  EXPECT_TRUE(order[2].ascending);
  EXPECT_EQ(order[2].key, "start_time");
  EXPECT_EQ(order[3].key, "x.y");
}

TEST(Order, SaysWhatIsWrong) {
  EXPECT_EQ(order_refusal({"metrics.a foo"}),
            "INVALID_PARAMETER_VALUE: Invalid ordering key in order_by clause 'metrics.a foo'.");
  EXPECT_EQ(order_refusal({"metrics.a DESC x"}),
            "INVALID_PARAMETER_VALUE: Invalid order_by clause 'metrics.a DESC x'. Could not be parsed.");
  EXPECT_EQ(order_refusal({""}), "INVALID_PARAMETER_VALUE: Invalid order_by clause ''. Could not be parsed.");
  EXPECT_EQ(order_refusal({"metrics.a", "metric.a DESC"}),
            "INTERNAL_ERROR: `order_by` contains duplicate fields: ['metrics.a', 'metric.a DESC']");
  EXPECT_NE(order_refusal({"tags.a"}, experiment_grammar()), "accepted");
}

TEST(PageToken, GoesThereAndBack) {
  EXPECT_EQ(page_token(1000), "eyJvZmZzZXQiOiAxMDAwfQ==");
  for (const int64_t offset : {1, 2, 3, 10, 1000, 123456789}) {
    EXPECT_EQ(page_offset(page_token(offset)), offset);
  }
  EXPECT_EQ(page_offset(""), 0);
  const auto place = page_place(page_token(7, {-5, "ab\"c"}));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->started_ms, -5);
  EXPECT_EQ(place->id, "ab\"c");
  EXPECT_EQ(page_offset(page_token(7, *place)), 7);
  EXPECT_FALSE(page_place(page_token(7)));
  EXPECT_FALSE(page_place(""));
  EXPECT_THROW(page_place("eyJvZmZzZXQiOiAxLCAic3RhcnRfdGltZSI6ICJhIiwgInJ1bl9pZCI6IDF9"), ApiError);  // "a" and 1
  const auto refusal_of = [](const std::string& token) {
    try {
      page_offset(token);
    } catch (const ApiError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(refusal_of("!"), "Invalid page token, could not base64-decode");
  EXPECT_EQ(refusal_of("YWJj"), "Invalid page token, decoded value=b'abc'");
  EXPECT_EQ(refusal_of("e30="), "Invalid page token, parsed value={}");
}

// Whatever the bytes, a filter is understood or refused; nothing else is thrown.
TEST(Filter, EndsWithConditionsOrARefusalForAnyBytes) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::vector<std::string> pieces = {"metrics.a", " ",     "=",    "'",    "\"",       "`",  "(",
                                           ")",         " AND ", " IN ", "NOT",  "1",        ".",  "e",
                                           "-",         ";",     "IS",   "NULL", "LIKE '%'", "\\", "\xC3",
                                           "params.p",  "'x'",   "\n",   "run",  "<>",       ",",  "dataset.name"};
  for (int i = 0; i < 20'000; ++i) {
    std::string filter;
    for (uint32_t n = random() % 12; n > 0; --n) {
      filter += pieces[random() % pieces.size()];
    }
    for (const Grammar* grammar : {&run_grammar(), &experiment_grammar()}) {
      try {
        parse_filter(filter, *grammar);
      } catch (const ApiError&) {
      }
      try {
        parse_order(std::vector<std::string>{filter}, *grammar);
      } catch (const ApiError&) {
      }
    }
  }
}

}  // namespace
}  // namespace slipway::api
