// One answer out of several: by majority, by Dawid and Skene; and what rules say, joined by a label model.
#include "data/annotation_consensus.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"
#include "data/weak_suggestions.h"
#include "stats/gold.h"

namespace slipway::data {
namespace {

using record::Answer;
using record::Question;

record::AnnotationScheme scheme(std::vector<Question> questions) {
  record::AnnotationScheme made;
  made.questions = std::move(questions);
  made.classes = {{"a", "", ""}, {"b", "", ""}, {"c", "", ""}};
  made.spans = {{"X", "", ""}, {"Y", "", ""}};
  made.relations = {{"r", "", ""}};
  return made;
}

record::AnnotatedTask task(int key, const std::vector<std::pair<std::string, Answer>>& answers) {
  record::AnnotatedTask made;
  made.task.key = std::to_string(key);
  made.task.text = "0123456789";
  for (const auto& [who, answer] : answers) {
    record::Annotation& one = made.annotations.emplace_back();
    one.annotator = who;
    one.answer = answer;
    one.updated_ms = 5;
  }
  return made;
}

Answer of_class(const std::string& name) {
  Answer answer;
  answer.classes = {name};
  return answer;
}

const Answer& added(const Consensus& consensus, record::AnnotatedTask& one) {
  EXPECT_TRUE(consensus.add(one));
  EXPECT_TRUE(one.annotations[0].ground_truth);
  EXPECT_EQ(one.annotations[0].created_ms, 5);
  return one.annotations[0].answer;
}

TEST(Consensus, TheMajorityOfEachKind) {
  const Consensus consensus(scheme({Question::kClass, Question::kRating, Question::kText, Question::kSpans, Question::kRelations, Question::kChatReview}),
                            ConsensusKind::kMajority);
  Answer first = of_class("b");
  first.rating = 1;
  first.texts = {"yes"};
  first.spans = {{"1", 0, 2, "X"}, {"2", 4, 6, "Y"}, {"3", 7, 9, "X"}};
  first.relations = {{"1", "2", "r"}, {"2", "3", "r"}};
  first.message_ratings = {0, 5};
  Answer second = of_class("b");
  second.rating = 4;
  second.texts = {"no"};
  second.spans = {{"9", 4, 6, "Y"}, {"8", 0, 2, "X"}, {"7", 7, 8, "X"}};
  second.relations = {{"8", "9", "r"}};
  second.message_ratings = {0, 2};
  Answer third = of_class("a");
  third.rating = 5;
  third.texts = {"no"};
  third.message_ratings = {0, 3};
  record::AnnotatedTask one = task(1, {{"ann", first}, {"bob", second}, {"eve", third}});
  const Answer& answer = added(consensus, one);
  EXPECT_EQ(answer.classes, std::vector<std::string>{"b"});
  EXPECT_EQ(answer.rating, 4);
  EXPECT_EQ(answer.texts, std::vector<std::string>{"no"});
  ASSERT_EQ(answer.spans.size(), 2U);
  EXPECT_EQ(answer.spans[1].start, 4);
  ASSERT_EQ(answer.relations.size(), 1U);
  EXPECT_EQ(answer.relations[0].from, answer.spans[0].id);
  EXPECT_EQ(answer.message_ratings, (std::vector<int>{0, 3}));
  EXPECT_EQ(one.annotations[0].annotator, "consensus:majority");
  record::check(answer, scheme({Question::kClass, Question::kRating, Question::kText, Question::kSpans, Question::kRelations, Question::kChatReview}),
                [] {
                  record::Task checked;
                  checked.text = "0123456789";
                  checked.messages = {{"user", "a"}, {"assistant", "b"}};
                  return checked;
                }());
}

TEST(Consensus, OneAnswerOrADecisionNeedsNone) {
  const Consensus consensus(scheme({Question::kClass}), ConsensusKind::kMajority);
  record::AnnotatedTask single = task(1, {{"ann", of_class("a")}});
  EXPECT_FALSE(consensus.add(single));
  record::AnnotatedTask skipped = task(1, {{"ann", of_class("a")}, {"bob", {}}});
  skipped.annotations[1].skipped = true;
  EXPECT_FALSE(consensus.add(skipped));
  record::AnnotatedTask decided = task(1, {{"ann", of_class("a")}, {"bob", of_class("b")}, {"eve", of_class("b")}});
  decided.annotations[2].ground_truth = true;
  EXPECT_FALSE(consensus.add(decided));
  record::AnnotatedTask tie = task(1, {{"ann", of_class("c")}, {"bob", of_class("b")}});
  EXPECT_EQ(added(consensus, tie).classes, std::vector<std::string>{"b"});  // the scheme's first
  EXPECT_THROW(consensus_named("vote"), base::Error);
}

// Votes of the gold through the tasks: what crowd-kit's DawidSkene says, and the note tells how likely.
TEST(Consensus, DawidAndSkeneIsCrowdKits) {
  const base::Json cases = tests::gold_file(tests::source_dir() / "tests/gold/agreement.json")["weak"];
  for (const base::Json& one : cases) {
    VoteMatrix votes;
    votes.classes = one["classes"].get<int>();
    record::AnnotationScheme made = scheme({Question::kClass});
    made.classes.clear();
    for (int c = 0; c < votes.classes; ++c) {
      made.classes.push_back({fmt::format("class {}", c), "", ""});
    }
    Consensus consensus(made, ConsensusKind::kDawidSkene);
    std::vector<record::AnnotatedTask> tasks;
    for (size_t i = 0; i < one["votes"].size(); ++i) {
      const base::Json& row = one["votes"][i];
      std::vector<std::pair<std::string, Answer>> answers;
      votes.voters = static_cast<int>(row.size());
      for (size_t who = 0; who < row.size(); ++who) {
        const int vote = row[who].get<int>();
        votes.votes.push_back(vote);
        if (vote != kAbstain) {
          answers.emplace_back(fmt::format("p{}", who), of_class(fmt::format("class {}", vote)));
        }
      }
      ++votes.items;
      tasks.push_back(task(static_cast<int>(i), answers));
      consensus.see(tasks.back());
    }
    consensus.fit();
    const LabelModelResult want = fit_label_model(votes, LabelModelKind::kDawidSkene);
    int64_t compared = 0;
    for (size_t i = 0; i < tasks.size(); ++i) {
      if (!consensus.add(tasks[i])) {
        continue;
      }
      const double* p = &want.probabilities[i * static_cast<size_t>(votes.classes)];
      const double* best = std::max_element(p, p + votes.classes);
      EXPECT_EQ(tasks[i].annotations[0].note, fmt::format("probability {:.3f}", *best));
      EXPECT_NEAR(*best, p[std::stoi(tasks[i].annotations[0].answer.classes.at(0).substr(6))], 1e-9);
      ++compared;
    }
    EXPECT_GT(compared, 10);
  }
}

// Two careful people and three that answer at random: the majority errs more often than the model, which learns whom to believe.
TEST(Consensus, DawidAndSkeneLearnsWhomToBelieve) {
  base::Rng random(11, "annotators");
  const std::vector<std::string> names = {"a", "b", "c"};
  const record::AnnotationScheme made = scheme({Question::kClass});
  Consensus model(made, ConsensusKind::kDawidSkene);
  const Consensus majority(made, ConsensusKind::kMajority);
  std::vector<std::pair<std::string, record::AnnotatedTask>> tasks;
  for (int i = 0; i < 300; ++i) {
    const std::string& truth = names[random.below(3)];
    std::vector<std::pair<std::string, Answer>> answers;
    for (const char* who : {"ann", "bob", "cid", "dan", "eve"}) {
      const bool careful = who[0] < 'c';
      answers.emplace_back(who, of_class(careful && random.uniform() < 0.95 ? truth : names[random.below(3)]));
    }
    tasks.emplace_back(truth, task(i, answers));
    model.see(tasks.back().second);
  }
  model.fit();
  int by_model = 0;
  int by_majority = 0;
  for (const auto& [truth, one] : tasks) {
    record::AnnotatedTask a = one;
    record::AnnotatedTask b = one;
    by_model += added(model, a).classes[0] == truth ? 1 : 0;
    by_majority += added(majority, b).classes[0] == truth ? 1 : 0;
  }
  EXPECT_GT(by_model, 275);
  EXPECT_GT(by_model, by_majority);
}

TEST(Consensus, SeveralClassesAreQuestionsOfTheirOwn) {
  Consensus consensus(scheme({Question::kClasses}), ConsensusKind::kDawidSkene);
  Answer both;
  both.classes = {"a", "c"};
  std::vector<record::AnnotatedTask> tasks;
  for (int i = 0; i < 20; ++i) {
    tasks.push_back(task(i, {{"ann", i % 2 == 0 ? both : Answer()}, {"bob", i % 2 == 0 ? both : Answer()}, {"eve", both}}));
    consensus.see(tasks.back());
  }
  consensus.fit();
  EXPECT_EQ(added(consensus, tasks[0]).classes, both.classes);
  EXPECT_TRUE(added(consensus, tasks[1]).classes.empty());
}

record::AnnotationSettings ruled() {
  record::AnnotationSettings settings;
  settings.scheme = scheme({Question::kClass, Question::kSpans});
  settings.rules = {{"a", {"apple", "avocado"}, "", false, ""},
                    {"b", {}, "ban+ana", false, "fruit"},
                    {"c", {"cherry"}, "", false, "fruit"},
                    {"X", {"apple"}, "", false, ""}};
  return settings;
}

TEST(WeakSuggestions, RulesOfOneNameVoteTogetherAndSpansDoNot) {
  const ClassVoters voters(ruled());
  EXPECT_EQ(voters.names(), (std::vector<std::string>{"a (rule 1)", "fruit"}));
  EXPECT_EQ(voters.vote("An apple, a cherry and a banana"), (std::vector<int>{0, 1}));  // the first that matches
  EXPECT_EQ(voters.vote("cherry"), (std::vector<int>{kAbstain, 2}));
  EXPECT_EQ(voters.vote("pineapple"), (std::vector<int>{kAbstain, kAbstain}));
}

TEST(WeakSuggestions, TheModelLearnsFromTheTextsAndSuggestsWithItsProbability) {
  size_t at = 0;
  const std::vector<WeakLabeller::Text> texts = {{"apple", "a"}, {"apple avocado", ""}, {"banana", "b"}, {"cherry", "b"}, {"nothing", ""}, {"apple cherry", "a"}};
  const WeakLabeller labeller(ruled(), LabelModelKind::kGenerative, [&]() { return at < texts.size() ? std::optional(texts[at++]) : std::nullopt; });
  EXPECT_EQ(labeller.texts(), 6);
  EXPECT_NEAR(labeller.summary().voters[0].coverage, 0.5, 1e-12);
  EXPECT_NEAR(labeller.summary().voters[1].accuracy, 1.0 / 3, 1e-12);
  const auto made = labeller.suggest("an avocado");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->source, "weak:generative");
  EXPECT_EQ(made->answer.classes, std::vector<std::string>{"a"});
  EXPECT_GT(made->score, 0.5);
  EXPECT_LE(made->score, 1);
  EXPECT_FALSE(labeller.suggest("nothing"));
  const auto none = [] { return std::optional<WeakLabeller::Text>(); };
  EXPECT_THROW(WeakLabeller(ruled(), LabelModelKind::kGenerative, none), base::Error);
  record::AnnotationSettings without = ruled();
  without.rules.resize(0);
  EXPECT_THROW(WeakLabeller(without, LabelModelKind::kMajority, none), base::Error);
}

}  // namespace
}  // namespace slipway::data
