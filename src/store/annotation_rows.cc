#include "store/annotation_rows.h"

#include <fmt/format.h>
#include <optional>

#include "base/error.h"
#include "store/core.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::Annotation;
using record::AnnotationCounts;
using record::AnnotatorProgress;
using record::KeptAnnotation;
using record::TaskState;

void count(AnnotationCounts& counts, TaskState state, int64_t by) {
  switch (state) {
    case TaskState::kNew: counts.fresh += by; break;
    case TaskState::kBegun: counts.begun += by; break;
    case TaskState::kAnswered: counts.answered += by; break;
    case TaskState::kReviewed: counts.reviewed += by; break;
  }
}

void add_labels(const record::Answer& answer, std::set<std::string>& labels) {
  labels.insert(answer.classes.begin(), answer.classes.end());
  for (const record::Span& span : answer.spans) {
    labels.insert(span.label);
  }
  for (const record::Relation& relation : answer.relations) {
    labels.insert(relation.label);
  }
}

void add_person(Database& database, int64_t project, const AnnotatorProgress& more, int64_t now_ms) {
  database
      .prepare(
          "INSERT INTO annotation_people(project, annotator, annotations, skipped, seconds, last_ms, decided, reviewed, accepted, at_priority, "
          "at_task) VALUES(?,?,?,?,?,?,?,?,?,?,0) ON CONFLICT(project, annotator) DO UPDATE SET annotations = annotation_people.annotations + "
          "excluded.annotations, skipped = annotation_people.skipped + excluded.skipped, seconds = annotation_people.seconds + excluded.seconds, "
          "last_ms = max(annotation_people.last_ms, excluded.last_ms), decided = annotation_people.decided + excluded.decided, reviewed = "
          "annotation_people.reviewed + excluded.reviewed, accepted = annotation_people.accepted + excluded.accepted")
      .bind(project, more.annotator, more.annotations, more.skipped, more.seconds, now_ms, more.decided, more.reviewed, more.accepted, kFirst)
      .run();
}

}  // namespace

std::shared_ptr<const record::AnnotationSettings> KnownSettings::of(Database& database, int64_t project) {
  Statement query = database.prepare("SELECT revision FROM annotation_projects WHERE number = ?");
  if (!query.bind(project).step()) {
    throw Error(Code::kNotFound, "the annotation project is not there any more");
  }
  const int64_t revision = query.integer(0);
  {
    const std::scoped_lock lock(mutex_);
    if (const auto found = known_.find(project); found != known_.end() && found->second.first == revision) {
      return found->second.second;
    }
  }
  // The newest revision at that moment: it may be newer than the one read before, and is taken for it then; the next look reads it again.
  Statement text = database.prepare("SELECT settings FROM annotation_projects WHERE number = ?");
  text.bind(project).step();
  auto settings = std::make_shared<const record::AnnotationSettings>(
      record::annotation_settings_from_json(to_value(text.text(0)), "the settings of an annotation project"));
  const std::scoped_lock lock(mutex_);
  known_[project] = {revision, settings};
  return settings;
}

TaskSums sums_of(const std::vector<KeptAnnotation>& annotations, const record::AnnotationSettings& settings) {
  TaskSums sums;
  const Annotation* decision = nullptr;
  std::vector<const Annotation*> answers;
  for (const KeptAnnotation& kept : annotations) {
    const Annotation& one = kept.annotation;
    add_labels(one.answer, sums.labels);
    AnnotatorProgress& person = sums.people[one.annotator];
    if (one.ground_truth) {
      decision = &one;
      person.decided += 1;
      continue;
    }
    sums.annotations += 1;
    sums.skipped += one.skipped ? 1 : 0;
    person.annotations += 1;
    person.skipped += one.skipped ? 1 : 0;
    person.seconds += one.seconds;
    if (!one.skipped) {
      answers.push_back(&one);
    }
  }
  double alike = 0;
  for (size_t i = 0; i < answers.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      alike += record::likeness(answers[i]->answer, answers[j]->answer, settings.scheme);
    }
    if (decision != nullptr) {
      AnnotatorProgress& person = sums.people[answers[i]->annotator];
      person.reviewed += 1;
      person.accepted += record::likeness(answers[i]->answer, decision->answer, settings.scheme) >= 1 ? 1 : 0;
    }
  }
  if (answers.size() > 1) {
    sums.agreement = alike / (static_cast<double>(answers.size() * (answers.size() - 1)) / 2);
  }
  sums.state = decision != nullptr                         ? TaskState::kReviewed
               : sums.annotations >= settings.overlap ? TaskState::kAnswered
               : sums.annotations > 0                      ? TaskState::kBegun
                                                           : TaskState::kNew;
  return sums;
}

void add_counts(Database& database, int64_t project, const AnnotationCounts& more) {
  database
      .prepare(
          "UPDATE annotation_counts SET fresh = fresh + ?, begun = begun + ?, answered = answered + ?, reviewed = reviewed + ?, annotations = "
          "annotations + ?, skipped = skipped + ? WHERE project = ?")
      .bind(more.fresh, more.begun, more.answered, more.reviewed, more.annotations, more.skipped, project)
      .run();
}

void put_sums(Database& database, int64_t project, int64_t task, const TaskSums& before, const TaskSums& after, int64_t now_ms) {
  AnnotationCounts more;
  count(more, before.state, -1);
  count(more, after.state, 1);
  more.annotations = after.annotations - before.annotations;
  more.skipped = after.skipped - before.skipped;
  add_counts(database, project, more);
  std::map<std::string, AnnotatorProgress> people = after.people;
  for (const auto& [name, was] : before.people) {
    AnnotatorProgress& person = people[name];
    person.annotations -= was.annotations;
    person.skipped -= was.skipped;
    person.seconds -= was.seconds;
    person.decided -= was.decided;
    person.reviewed -= was.reviewed;
    person.accepted -= was.accepted;
  }
  for (auto& [name, person] : people) {
    person.annotator = name;
    const bool acted = person.annotations != 0 || person.skipped != 0 || person.seconds != 0 || person.decided != 0;
    add_person(database, project, person, acted ? now_ms : 0);
  }
  database.prepare("UPDATE annotation_tasks SET state = ?, answers = ?, agreement = ? WHERE number = ?")
      .bind(static_cast<int>(after.state), after.annotations, after.agreement, task)
      .run();
  for (const std::string& label : before.labels) {
    if (!after.labels.contains(label)) {
      database.prepare("DELETE FROM annotation_labels WHERE project = ? AND label = ? AND task = ?").bind(project, label, task).run();
    }
  }
  for (const std::string& label : after.labels) {
    if (!before.labels.contains(label)) {
      database.prepare("INSERT OR IGNORE INTO annotation_labels(project, label, task) VALUES(?,?,?)").bind(project, label, task).run();
    }
  }
}

record::Task task_of(int64_t id, std::string key, const std::string& body) {
  record::Task task = record::task_from_json(to_value(body), "a task of the store");
  task.id = id;
  task.key = std::move(key);
  return task;
}

std::string body_of(const record::Task& task) {
  base::Json json = record::to_json(task);
  json.erase("id");
  json.erase("key");
  return to_text(json);
}

record::Task read_task(Database& database, int64_t project, int64_t task) {
  Statement query = database.prepare("SELECT key, body FROM annotation_tasks WHERE number = ? AND project = ?");
  if (!query.bind(task, project).step()) {
    throw Error(Code::kNotFound, fmt::format("the annotation project has no task {}", task));
  }
  return task_of(task, query.text(0), query.text(1));
}

std::vector<KeptAnnotation> read_annotations(Database& database, int64_t task) {
  Statement query = database.prepare(
      "SELECT number, annotator, ground_truth, answer, skipped, note, seconds, created_ms, updated_ms, revision FROM annotations WHERE task = ? "
      "ORDER BY ground_truth DESC, number LIMIT 1000");
  query.bind(task);
  std::vector<KeptAnnotation> all;
  while (query.step()) {
    KeptAnnotation kept;
    kept.annotation = {query.integer(0), task,          query.text(1), record::answer_from_json(to_value(query.text(3)), "an answer of the store"),
                       query.integer(4) != 0, query.integer(2) != 0, query.text(5), query.real(6),
                       query.integer(7),      query.integer(8)};
    kept.revision = query.integer(9);
    all.push_back(std::move(kept));
  }
  return all;
}

std::vector<record::Suggestion> read_suggestions(Database& database, int64_t task) {
  Statement query = database.prepare("SELECT source, score, answer FROM annotation_suggestions WHERE task = ? ORDER BY source LIMIT 1000");
  query.bind(task);
  std::vector<record::Suggestion> all;
  while (query.step()) {
    all.push_back({query.text(0), query.real(1), record::answer_from_json(to_value(query.text(2)), "a suggestion of the store")});
  }
  return all;
}

void insert_annotation(Database& database, int64_t project, KeptAnnotation& kept) {
  const Annotation& one = kept.annotation;
  database
      .prepare(
          "INSERT INTO annotations(project, task, annotator, ground_truth, answer, skipped, note, seconds, revision, created_ms, updated_ms) "
          "VALUES(?,?,?,?,?,?,?,?,?,?,?)")
      .bind(project, one.task, one.annotator, one.ground_truth ? 1 : 0, to_text(record::to_json(one.answer)), one.skipped ? 1 : 0, one.note,
            one.seconds, kept.revision, one.created_ms, one.updated_ms)
      .run();
  kept.annotation.id = database.last_insert_id();
}

void update_annotation(Database& database, const KeptAnnotation& kept) {
  const Annotation& one = kept.annotation;
  database
      .prepare(
          "UPDATE annotations SET annotator = ?, answer = ?, skipped = ?, note = ?, seconds = ?, revision = ?, updated_ms = ? WHERE number = ?")
      .bind(one.annotator, to_text(record::to_json(one.answer)), one.skipped ? 1 : 0, one.note, one.seconds, kept.revision, one.updated_ms, one.id)
      .run();
}

void write_history(Database& database, int64_t project, const KeptAnnotation& kept, const HistoryLine& line, int64_t now_ms) {
  const Annotation& one = kept.annotation;
  const std::optional<std::string> answer = line.removed ? std::nullopt : std::optional(to_text(record::to_json(one.answer)));
  database
      .prepare(
          "INSERT INTO annotation_history(project, task, annotation, time_ms, who, action, annotator, ground_truth, answer, skipped, note, "
          "seconds, revision, undoes) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
      .bind(project, one.task, one.id, now_ms, line.who, line.action, one.annotator, one.ground_truth ? 1 : 0, answer, one.skipped ? 1 : 0,
            one.note, one.seconds, kept.revision, line.undoes)
      .run();
}

}  // namespace slipway::store
