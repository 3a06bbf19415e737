#include "data/annotation_agreement.h"

#include <cmath>
#include <gtest/gtest.h>

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
  ASSERT_EQ(report.spans.size(), 1U);
  EXPECT_EQ(report.spans[0].agreement.exact.value, 0.5);
  EXPECT_EQ(report.spans[0].agreement.overlap.value, 1);
  EXPECT_EQ(report.spans[0].agreement.characters.value, 10.0 / 11);
  ASSERT_EQ(report.span_labels.size(), 2U);
  EXPECT_EQ(report.span_labels[0].agreement.exact.value, 1);
  EXPECT_EQ(to_json(report)["spans"]["labels"][1]["label"], "Y");
}

TEST(AnnotationAgreement, NothingIsNothing) {
  const AgreementReport report = AgreementBuilder().report();
  EXPECT_TRUE(report.questions.empty());
  EXPECT_TRUE(report.annotators.empty());
}

}  // namespace
}  // namespace slipway::data
