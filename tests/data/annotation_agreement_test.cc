#include "data/annotation_agreement.h"

#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <set>

#include "stats/gold.h"

namespace slipway::data {
namespace {

record::AnnotatedTask task(const std::string& key, const std::vector<std::pair<std::string, record::Answer>>& answers) {
  record::AnnotatedTask task;
  task.task.key = key;
  task.task.text = "text of " + key;
  for (const auto& [who, answer] : answers) {
    record::Annotation& annotation = task.annotations.emplace_back();
    annotation.annotator = who;
    annotation.answer = answer;
  }
  return task;
}

record::Answer classes(std::vector<std::string> names) {
  record::Answer answer;
  answer.classes = std::move(names);
  return answer;
}

record::Answer rated(int rating) {
  record::Answer answer;
  answer.rating = rating;
  return answer;
}

record::Answer spans(std::vector<record::Span> all) {
  record::Answer answer;
  answer.spans = std::move(all);
  return answer;
}

TEST(AnnotationAgreement, JoinsAnswersOfATaskFromSeveralFiles) {
  AgreementBuilder builder;
  builder.add(task("1", {{"zoe", classes({"a", "b"})}}));
  builder.add(task("2", {{"zoe", classes({"a"})}, {"ann", classes({"b"})}}));
  builder.add(task("1", {{"ann", classes({"b", "a"})}}));
  builder.add(task("3", {{"ann", classes({"b"})}}));
  record::AnnotatedTask skipped = task("3", {{"zoe", {}}});
  skipped.annotations[0].skipped = true;
  builder.add(skipped);
  const AgreementReport report = builder.report();
  EXPECT_EQ(report.tasks, 3);
  EXPECT_EQ(report.answers, 5);
  EXPECT_EQ(report.annotators, (std::vector<std::string>{"ann", "zoe"}));
  ASSERT_EQ(report.questions.size(), 1U);
  const QuestionAgreement& question = report.questions[0];
  EXPECT_EQ(question.items, 3);
  EXPECT_EQ(question.overall.raw.value, 0.5);  // {a, b} is one category, in any order
  EXPECT_EQ(question.overall.raw.n, 2);
  ASSERT_EQ(question.labels.size(), 2U);
  EXPECT_EQ(question.labels[0].label, "a");
  EXPECT_EQ(question.labels[0].used, 3);
  EXPECT_EQ(question.labels[0].agreement.raw.value, 0.5);
  ASSERT_EQ(question.pairs.size(), 1U);
  EXPECT_EQ(question.pairs[0].first, "ann");
  EXPECT_EQ(question.pairs[0].agreement.raw.n, 2);
  const base::Json json = to_json(report);
  EXPECT_EQ(json["questions"][0]["labels"][1]["label"], "b");
  EXPECT_FALSE(json.contains("spans"));
}

TEST(AnnotationAgreement, RatingsAreOrderedAndSpansCompared) {
  AgreementBuilder builder(true);
  for (int i = 1; i <= 10; ++i) {
    // The same text under other keys: --match text.
    record::AnnotatedTask one = task(std::to_string(i), {{"a", rated(i)}});
    record::AnnotatedTask two = task("other " + std::to_string(i), {{"b", rated(i == 10 ? 9 : i)}});
    two.task.text = one.task.text;
    builder.add(one);
    builder.add(two);
  }
  record::AnnotatedTask marked = task("s", {{"a", spans({{"1", 0, 4, "X"}, {"2", 5, 7, "Y"}})}, {"b", spans({{"9", 0, 4, "X"}, {"8", 5, 6, "Y"}})}});
  builder.add(marked);
  const AgreementReport report = builder.report();
  EXPECT_EQ(report.tasks, 11);
  ASSERT_EQ(report.questions.size(), 1U);
  EXPECT_EQ(report.questions[0].question, "rating");
  EXPECT_EQ(report.questions[0].overall.raw.value, 0.9);
  EXPECT_GT(report.questions[0].overall.alpha.value, 0.98);
  EXPECT_GT(report.questions[0].pairs[0].agreement.kappa.value, 0.98);
  ASSERT_EQ(report.places.size(), 1U);
  EXPECT_EQ(report.places[0].overall.agreement.exact.value, 0.5);
  EXPECT_EQ(report.places[0].overall.agreement.overlap.value, 1);
  EXPECT_EQ(report.places[0].overall.agreement.characters.value, 10.0 / 11);
  ASSERT_EQ(report.places[0].labels.size(), 2U);
  EXPECT_EQ(report.places[0].labels[0].agreement.exact.value, 1);
  EXPECT_EQ(to_json(report)["spans"]["labels"][1]["label"], "Y");
}

TEST(AnnotationAgreement, NothingIsNothing) {
  const AgreementReport report = AgreementBuilder().report();
  EXPECT_TRUE(report.questions.empty());
  EXPECT_TRUE(report.places.empty());
  EXPECT_TRUE(report.annotators.empty());
}

void expect_gold(const stats::Interval& got, const base::Json& want, const std::string& what) {
  if (want.is_null()) {
    EXPECT_TRUE(std::isnan(got.value)) << what;
  } else {
    EXPECT_TRUE(tests::close(got.value, want.get<double>())) << what;
  }
}

// What irrCAC, krippendorff and scikit-learn say of the same ratings, whatever question they answer.
class AgreementOfQuestions : public testing::Test {
 protected:
  using Say = std::function<record::Answer(int category)>;
  static AgreementReport of(const base::Json& one, record::Question question, const Say& say) {
    record::AnnotationScheme scheme;
    scheme.questions = {question};
    scheme.rating_max = 9;
    AgreementBuilder builder(scheme);
    for (size_t i = 0; i < one["ratings"].size(); ++i) {
      std::vector<std::pair<std::string, record::Answer>> answers;
      const base::Json& row = one["ratings"][i];
      for (size_t who = 0; who < row.size(); ++who) {
        if (!row[who].is_null()) {
          answers.emplace_back("annotator " + std::to_string(who), say(row[who].get<int>()));
        }
      }
      builder.add(task(std::to_string(i), answers));
    }
    stats::AgreementOptions quick;
    quick.bootstrap.resamples = 10;
    return builder.report(quick);
  }
  static void expect(const base::Json& one, record::Question question, const Say& say) {
    const bool ordinal = question == record::Question::kRating || question == record::Question::kChatReview;
    const std::string name(record::name_of(question));
    SCOPED_TRACE(name);
    const AgreementReport report = of(one, question, say);
    ASSERT_EQ(report.questions.size(), 1U);
    EXPECT_EQ(report.questions[0].question, name);
    const base::Json& want = one["expected"][ordinal ? "ordinal" : "nominal"];
    expect_gold(report.questions[0].overall.raw, one["expected"]["raw"], "raw");
    expect_gold(report.questions[0].overall.fleiss, want["fleiss"], "fleiss");
    expect_gold(report.questions[0].overall.alpha, want["alpha"], "alpha");
    expect_gold(report.questions[0].overall.gwet, want["gwet"], "gwet");
    const base::Json& pairs = one["expected"]["pairs"];
    ASSERT_EQ(report.questions[0].pairs.size(), pairs.size());
    for (size_t i = 0; i < pairs.size(); ++i) {
      expect_gold(report.questions[0].pairs[i].agreement.kappa, pairs[i][ordinal ? 6 : 4], "kappa");
    }
  }
};

TEST_F(AgreementOfQuestions, EachKindEqualsTheGold) {
  const base::Json cases = tests::gold_file(tests::source_dir() / "tests/gold/agreement.json")["agreement"];
  int compared = 0;
  for (const base::Json& one : cases) {
    SCOPED_TRACE(one["name"].get<std::string>());
    std::set<int> used;
    for (const base::Json& row : one["ratings"]) {
      for (const base::Json& rating : row) {
        if (!rating.is_null()) {
          used.insert(rating.get<int>());
        }
      }
    }
    if (used.size() != one["scale"].size()) {
      continue;  // the gold counts categories that nobody used
    }
    ++compared;
    const auto name = [](int category) { return std::string(1, static_cast<char>('a' + category)); };
    expect(one, record::Question::kClass, [&](int c) { return classes({name(c)}); });
    expect(one, record::Question::kClasses, [&](int c) { return c == 0 ? classes({}) : classes({"x", name(c)}); });
    expect(one, record::Question::kText, [&](int c) {
      record::Answer answer;
      answer.texts = {"first", name(c)};
      return answer;
    });
    expect(one, record::Question::kPreference, [&](int c) {
      record::Answer answer;
      answer.preferred = c - 1;
      return answer;
    });
    expect(one, record::Question::kRating, [&](int c) { return rated(c + 1); });
    expect(one, record::Question::kChatReview, [&](int c) {
      record::Answer answer;
      answer.message_ratings = {0, c + 1};  // the first message is the user's
      return answer;
    });
  }
  EXPECT_GE(compared, 5);
}

TEST(AnnotationAgreement, RelationsAreEqualThatJoinTheSamePlacesWithTheSameLabels) {
  const auto related = [](std::vector<record::Span> spans_of, std::vector<record::Relation> relations) {
    record::Answer answer = spans(std::move(spans_of));
    answer.relations = std::move(relations);
    return answer;
  };
  AgreementBuilder builder;
  // Ids are each answer's own. Of three and two, one is the same: the second ends elsewhere, the third's label is another, and what names no
  // span is none.
  builder.add(task("1", {{"a", related({{"1", 0, 4, "PER"}, {"2", 9, 12, "ORG"}, {"3", 20, 24, "ORG"}},
                                       {{"1", "2", "founded"}, {"1", "3", "founded"}, {"2", "3", "owns"}, {"1", "9", "owns"}})},
                         {"b", related({{"x", 9, 12, "ORG"}, {"y", 0, 4, "PER"}, {"z", 20, 25, "ORG"}}, {{"y", "x", "founded"}, {"y", "z", "founded"}})}}));
  const AgreementReport report = builder.report();
  ASSERT_EQ(report.places.size(), 2U);
  EXPECT_EQ(report.places[0].question, "spans");
  EXPECT_NEAR(report.places[0].overall.agreement.exact.value, 2.0 * 2 / 6, 1e-12);
  EXPECT_EQ(report.places[1].question, "relations");
  EXPECT_NEAR(report.places[1].overall.agreement.exact.value, 2.0 * 1 / 5, 1e-12);
  ASSERT_EQ(report.places[1].labels.size(), 2U);
  EXPECT_EQ(report.places[1].labels[0].first, "founded");
  EXPECT_NEAR(report.places[1].labels[0].agreement.exact.value, 2.0 * 1 / 4, 1e-12);
  EXPECT_EQ(report.places[1].labels[1].agreement.exact.value, 0);
  const base::Json json = to_json(report);
  EXPECT_FALSE(json["relations"].contains("overlap"));
  EXPECT_TRUE(json["spans"].contains("overlap"));
}

}  // namespace
}  // namespace slipway::data
