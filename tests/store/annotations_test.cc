// Annotation projects: who is given what, what is kept of answers, and that nothing that was said is lost.
#include "record/annotation_stores.h"

#include <fmt/format.h>
#include <map>
#include <random>
#include <set>

#include "store/fixture.h"

namespace slipway::store {
namespace {

using base::Code;
using record::Answer;
using record::TaskState;

class Annotation : public StoreTest {
 protected:
  record::AnnotationProjects& projects() { return store_->annotations().projects(); }
  record::AnnotationTasks& tasks() { return store_->annotations().tasks(); }
  record::AnnotationAnswers& answers() { return store_->annotations().answers(); }
  static record::AnnotationSettings settings(int overlap = 1) {
    record::AnnotationSettings made;
    made.scheme.questions = {record::Question::kClass, record::Question::kSpans};
    made.scheme.classes = {{"good", "", ""}, {"bad", "", ""}};
    made.scheme.spans = {{"WHO", "", ""}};
    made.overlap = overlap;
    return made;
  }
  static std::vector<record::AnnotatedTask> texts(int count, const std::string& text = "a text of ") {
    std::vector<record::AnnotatedTask> made(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) {
      made[static_cast<size_t>(i)].task.key = fmt::format("k{}", i);
      made[static_cast<size_t>(i)].task.text = fmt::format("{}{}", text, i);
    }
    return made;
  }
  int64_t project(int overlap, int count) {
    const int64_t id = projects().create("p", settings(overlap)).id;
    tasks().add(id, texts(count), "importer");
    return id;
  }
  static Answer label(const std::string& name) {
    Answer answer;
    answer.classes = {name};
    return answer;
  }
  record::SavedAnswer say(int64_t id, int64_t task, const std::string& who, const std::string& what, int64_t revision = 0) {
    record::SaveAnswer save;
    save.annotator = who;
    save.answer = label(what);
    save.revision = revision;
    save.seconds = 2;
    return answers().save(id, task, save);
  }
  record::AnnotationCounts counts() { return projects().find("p")->counts; }
  record::AnnotatorProgress person(int64_t id, const std::string& who) {
    for (const auto& one : answers().progress(id)) {
      if (one.annotator == who) {
        return one;
      }
    }
    return {};
  }
};

TEST_F(Annotation, AProjectIsMadeOnceAndItsSettingsChangeFromTheRevisionThatWasSeen) {
  const auto made = projects().create("team/p", settings());
  EXPECT_EQ(made.revision, 1);
  EXPECT_EQ(error_of([&] { projects().create("team/p", settings()); }).code(), Code::kConflict);
  EXPECT_EQ(projects().find("team/p")->settings, settings());
  EXPECT_FALSE(projects().find("none"));
  EXPECT_EQ(projects().change("team/p", settings(3), 1).revision, 2);
  EXPECT_EQ(error_of([&] { projects().change("team/p", settings(2), 1); }).code(), Code::kConflict);
  reopen();
  EXPECT_EQ(projects().list().at(0).settings.overlap, 3);
}

TEST_F(Annotation, TasksWithAKnownKeyAreLeftAlone) {
  const int64_t id = project(1, 3);
  const auto again = tasks().add(id, texts(5, "other "), "importer");
  EXPECT_EQ(again.tasks, 2);
  EXPECT_EQ(again.known, 3);
  EXPECT_EQ(counts().tasks(), 5);
  EXPECT_EQ(tasks().list(id, {}).rows.at(0).text, "a text of 0");
}

TEST_F(Annotation, EachTaskGoesToAsManyAnnotatorsAsWantedAndToNoneTwice) {
  const int64_t id = project(2, 3);
  std::map<int64_t, std::set<std::string>> given;
  for (const std::string who : {"ann", "bob", "cyd"}) {
    while (const auto task = tasks().next(id, who, 0)) {
      EXPECT_TRUE(given[*task].insert(who).second) << who;
      say(id, *task, who, "good");
    }
  }
  ASSERT_EQ(given.size(), 3);
  for (const auto& [task, people] : given) {
    EXPECT_EQ(people.size(), 2) << task;
  }
  EXPECT_EQ(counts().answered, 3);
  EXPECT_EQ(counts().annotations, 6);
  EXPECT_EQ(person(id, "cyd").annotations, 0);
}

TEST_F(Annotation, ATaskIsKeptForItsAnnotatorUntilTheTimeIsOver) {
  const int64_t id = project(1, 2);
  const int64_t first = *tasks().next(id, "ann", 0);
  EXPECT_EQ(*tasks().next(id, "ann", 0), first);
  const int64_t second = *tasks().next(id, "bob", 0);
  EXPECT_NE(second, first);
  EXPECT_FALSE(tasks().next(id, "cyd", 0));
  clock_.advance(31 * 60000);
  EXPECT_TRUE(tasks().next(id, "cyd", 0));
}

TEST_F(Annotation, ATaskThatWasPutOffComesAgainAfterAllOthers) {
  const int64_t id = project(1, 3);
  const int64_t first = *tasks().next(id, "ann", 0);
  std::vector<int64_t> seen;
  int64_t task = *tasks().next(id, "ann", first);
  for (;; task = *tasks().next(id, "ann", 0)) {
    seen.push_back(task);
    say(id, task, "ann", "good");
    if (seen.size() == 3) {
      break;
    }
  }
  EXPECT_EQ(seen.back(), first);
  EXPECT_FALSE(tasks().next(id, "ann", 0));
}

TEST_F(Annotation, AnAnswerIsChangedOnlyFromTheRevisionThatWasSeen) {
  const int64_t id = project(1, 1);
  const int64_t task = *tasks().next(id, "ann", 0);
  EXPECT_EQ(say(id, task, "ann", "good").kept.revision, 1);
  EXPECT_EQ(error_of([&] { say(id, task, "ann", "bad"); }).code(), Code::kConflict);
  EXPECT_EQ(say(id, task, "ann", "bad", 1).kept.revision, 2);
  EXPECT_EQ(error_of([&] { say(id, task, "ann", "ugly", 2); }).code(), Code::kInvalid);
  EXPECT_EQ(error_of([&] { say(id, task + 100, "ann", "bad"); }).code(), Code::kNotFound);
  EXPECT_EQ(counts().annotations, 1);
  reopen();
  EXPECT_EQ(tasks().get(id, task).annotations.at(0).annotation.answer, label("bad"));
}

TEST_F(Annotation, UndoBringsBackWhatWasThereAndTheHistoryKeepsBoth) {
  const int64_t id = project(1, 2);
  const int64_t task = *tasks().next(id, "ann", 0);
  say(id, task, "ann", "good");
  say(id, task, "ann", "bad", 1);
  EXPECT_EQ(answers().undo(id, "ann"), task);
  EXPECT_EQ(tasks().get(id, task).annotations.at(0).annotation.answer, label("good"));
  EXPECT_EQ(answers().undo(id, "ann"), task);
  EXPECT_TRUE(tasks().get(id, task).annotations.empty());
  EXPECT_EQ(tasks().get(id, task).state, TaskState::kNew);
  EXPECT_FALSE(answers().undo(id, "ann"));
  EXPECT_EQ(counts().annotations, 0);
  EXPECT_EQ(counts().fresh, 2);
  EXPECT_EQ(person(id, "ann").annotations, 0);
  std::vector<std::string> actions;
  for (const auto& change : answers().history(id, task)) {
    actions.push_back(change.action);
  }
  EXPECT_EQ(actions, (std::vector<std::string>{"answered", "changed", "undone", "undone"}));
  EXPECT_TRUE(answers().history(id, task).back().removed);
}

TEST_F(Annotation, AReviewerDecidesAndWhoWasRightIsCounted) {
  const int64_t id = project(2, 1);
  const int64_t task = *tasks().next(id, "ann", 0);
  const auto good = say(id, task, "ann", "good");
  EXPECT_TRUE(tasks().to_review(id, {}, 10).empty());
  EXPECT_EQ(say(id, task, "bob", "bad").state, TaskState::kAnswered);
  const auto queue = tasks().to_review(id, {}, 10);
  ASSERT_EQ(queue.size(), 1);
  EXPECT_DOUBLE_EQ(*queue[0].agreement, 0.5);  // the same (no) spans, other classes
  EXPECT_EQ(queue[0].annotators, (std::vector<std::string>{"ann", "bob"}));
  record::Decide decision;
  decision.who = "eve";
  decision.accept = good.kept.annotation.id;
  EXPECT_EQ(answers().decide(id, task, decision).state, TaskState::kReviewed);
  EXPECT_TRUE(tasks().to_review(id, {}, 10).empty());
  EXPECT_TRUE(tasks().get(id, task).annotations.at(0).annotation.ground_truth);
  EXPECT_EQ(person(id, "ann").accepted, 1);
  EXPECT_EQ(person(id, "bob").reviewed, 1);
  EXPECT_EQ(person(id, "bob").accepted, 0);
  EXPECT_EQ(error_of([&] { answers().decide(id, task, decision); }).code(), Code::kConflict);
  decision.revision = 1;
  decision.accept = 0;
  decision.answer = label("bad");
  decision.who = "fay";
  answers().decide(id, task, decision);
  EXPECT_EQ(person(id, "bob").accepted, 1);
  EXPECT_EQ(person(id, "ann").accepted, 0);
  EXPECT_EQ(error_of([&] { answers().undo(id, "eve"); }).code(), Code::kConflict);
  EXPECT_EQ(answers().undo(id, "fay"), task);
  EXPECT_EQ(person(id, "ann").accepted, 1);
  EXPECT_EQ(counts().reviewed, 1);
}

TEST_F(Annotation, TasksAreFoundByStateLabelAnnotatorAndText) {
  const int64_t id = project(2, 30);
  int64_t first = 0;
  for (const auto& row : tasks().list(id, {}).rows) {
    if (row.id % 3 == 0) {
      say(id, row.id, "ann", row.id % 2 == 0 ? "good" : "bad");
    }
    first = first == 0 ? row.id : first;
  }
  const auto ids = [&](record::TaskQuery query) {
    std::vector<int64_t> found;
    query.limit = 4;
    for (;;) {
      const auto page = tasks().list(id, query);
      for (const auto& row : page.rows) {
        found.push_back(row.id);
      }
      if (!page.next) {
        return found;
      }
      query.after = *page.next;
    }
  };
  record::TaskQuery query;
  EXPECT_EQ(ids(query).size(), 30);
  query.state = TaskState::kBegun;
  EXPECT_EQ(ids(query).size(), 10);
  query.label = "good";
  EXPECT_EQ(ids(query).size(), 5);
  query.annotator = "ann";
  EXPECT_EQ(ids(query).size(), 5);
  query.annotator = "bob";
  EXPECT_TRUE(ids(query).empty());
  query = {};
  query.text = "of 7";
  EXPECT_EQ(ids(query), (std::vector<int64_t>{first + 7}));
  query.annotator = "ann";
  query.label = "bad";
  query.text = "";
  EXPECT_EQ(ids(query).size(), 5);
}

TEST_F(Annotation, ImportedAnswersAndSuggestionsComeWithTheirTask) {
  const int64_t id = projects().create("p", settings()).id;
  auto made = texts(1);
  made[0].annotations.resize(1);
  made[0].annotations[0].annotator = "ann";
  made[0].annotations[0].answer = label("good");
  made[0].suggestions.push_back({"m@1", 0.75, label("bad")});
  const auto added = tasks().add(id, made, "importer");
  EXPECT_EQ(added.annotations, 1);
  const auto kept = tasks().read(id, {}).at(0);
  EXPECT_EQ(kept.state, TaskState::kAnswered);
  EXPECT_EQ(kept.suggestions.at(0).score, 0.75);
  EXPECT_EQ(answers().history(id, kept.task.id).at(0).action, "imported");
  made[0].task.key = "other";
  made[0].annotations[0].answer = label("ugly");
  EXPECT_EQ(error_of([&] { tasks().add(id, made, "importer"); }).code(), Code::kInvalid);
  EXPECT_EQ(counts().tasks(), 1);
}

TEST_F(Annotation, AnotherOverlapChangesStates) {
  const int64_t id = project(1, 2);
  say(id, *tasks().next(id, "ann", 0), "ann", "good");
  EXPECT_EQ(counts().answered, 1);
  projects().change("p", settings(2), 1);
  EXPECT_EQ(counts().answered, 0);
  EXPECT_EQ(counts().begun, 1);
  EXPECT_TRUE(tasks().next(id, "bob", 0));
}

TEST_F(Annotation, HigherPrioritiesComeFirst) {
  const int64_t id = project(1, 4);
  const auto rows = tasks().list(id, {}).rows;
  const std::vector<std::pair<int64_t, double>> order = {{rows[2].id, 0.9}, {rows[0].id, 0.5}};
  tasks().set_priorities(id, order);
  std::vector<int64_t> seen;
  while (const auto task = tasks().next(id, "ann", 0)) {
    seen.push_back(*task);
    say(id, *task, "ann", "good");
  }
  EXPECT_EQ(seen, (std::vector<int64_t>{rows[2].id, rows[0].id, rows[1].id, rows[3].id}));
}

TEST_F(Annotation, AProjectGoesWithAllThatIsInIt) {
  const int64_t id = project(1, 2);
  say(id, *tasks().next(id, "ann", 0), "ann", "good");
  projects().remove("p");
  EXPECT_EQ(error_of([&] { projects().remove("p"); }).code(), Code::kNotFound);
  for (const char* table : {"annotation_projects", "annotation_counts", "annotation_tasks", "annotations", "annotation_history",
                            "annotation_labels", "annotation_suggestions", "annotation_keeps", "annotation_people"}) {
    EXPECT_EQ(database()->scalar(fmt::format("SELECT count(*) FROM {}", table).c_str()), "0") << table;
  }
}

// What is kept beside the rows is what counting them gives, after any changes.
TEST_F(Annotation, SumsAreWhatCountingGives) {
  const int64_t id = project(2, 12);
  const uint64_t seed = 20260131;
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const std::vector<std::string> people = {"ann", "bob", "cyd"};
  const auto rows = tasks().list(id, {}).rows;
  for (int i = 0; i < 60; ++i) {
    const std::string& who = people[random() % people.size()];
    const int64_t task = rows[random() % rows.size()].id;
    try {
      switch (random() % 4) {
        case 0: answers().undo(id, who); break;
        case 1: {
          const auto kept = tasks().get(id, task).annotations;
          record::Decide decision{who, 0, label("bad"), "", kept.empty() || !kept[0].annotation.ground_truth ? 0 : kept[0].revision};
          answers().decide(id, task, decision);
          break;
        }
        default: {
          int64_t revision = 0;
          for (const auto& one : tasks().get(id, task).annotations) {
            revision = !one.annotation.ground_truth && one.annotation.annotator == who ? one.revision : revision;
          }
          say(id, task, who, random() % 2 == 0 ? "good" : "bad", revision);
        }
      }
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), Code::kConflict) << error.what();  // an undo of what others changed since
    }
  }
  int64_t states[4] = {};
  std::map<std::string, int64_t> own;
  for (const auto& kept : tasks().read(id, {})) {
    states[static_cast<size_t>(kept.state)] += 1;
    for (const auto& one : kept.annotations) {
      own[one.annotation.annotator] += one.annotation.ground_truth ? 0 : 1;
    }
  }
  const auto sums = counts();
  EXPECT_EQ(sums.fresh, states[0]);
  EXPECT_EQ(sums.begun, states[1]);
  EXPECT_EQ(sums.answered, states[2]);
  EXPECT_EQ(sums.reviewed, states[3]);
  EXPECT_EQ(sums.annotations, own["ann"] + own["bob"] + own["cyd"]);
  for (const std::string& who : people) {
    EXPECT_EQ(person(id, who).annotations, own[who]) << who;
    EXPECT_NEAR(person(id, who).seconds, 2.0 * static_cast<double>(own[who]), 1e-6) << who;
  }
}

}  // namespace
}  // namespace slipway::store
