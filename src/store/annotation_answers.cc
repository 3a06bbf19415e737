#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>

#include "base/error.h"
#include "store/annotations.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::Annotation;
using record::KeptAnnotation;

constexpr size_t kMaxNote = 10000;
constexpr double kMaxSeconds = 1e7;  // some months: a page that was left open

KeptAnnotation* find_own(std::vector<KeptAnnotation>& all, const std::string& annotator) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const KeptAnnotation& one) {
    return !one.annotation.ground_truth && one.annotation.annotator == annotator;
  });
  return found == all.end() ? nullptr : &*found;
}

void check_revision(const KeptAnnotation* there, int64_t revision, const std::string& what) {
  const int64_t now = there == nullptr ? 0 : there->revision;
  if (now != revision) {
    throw Error(Code::kConflict, fmt::format("{} was changed meanwhile: it has revision {}, not {}; look at it again", what, now, revision));
  }
}

void check_remarks(const std::string& note, double seconds) {
  if (note.size() > kMaxNote) {
    throw Error(Code::kInvalid, fmt::format("a note may have {} bytes, this has {}", kMaxNote, note.size()));
  }
  if (!(seconds >= 0 && seconds <= kMaxSeconds)) {
    throw Error(Code::kInvalid, fmt::format("'seconds' is to be from 0 to {}", kMaxSeconds));
  }
}

// The change of one annotation of a task, with its history and the sums.
class Change {
 public:
  Change(Database& database, KnownSettings& known, int64_t project, int64_t task_id, int64_t now_ms)
      : database_(database),
        project_(project),
        now_ms_(now_ms),
        settings(known.of(database, project)),
        task(read_task(database, project, task_id)),
        annotations(read_annotations(database, task_id)),
        before_(sums_of(annotations, *settings)) {}

  // `there`: one of `annotations` that it replaces, or null.
  record::SavedAnswer put(KeptAnnotation* there, Annotation wanted, const HistoryLine& line) {
    wanted.task = task.id;
    wanted.created_ms = there == nullptr ? now_ms_ : there->annotation.created_ms;
    wanted.updated_ms = now_ms_;
    wanted.id = there == nullptr ? 0 : there->annotation.id;
    KeptAnnotation kept{std::move(wanted), there == nullptr ? 1 : there->revision + 1};
    if (there == nullptr) {
      insert_annotation(database_, project_, kept);
      annotations.push_back(kept);
    } else {
      update_annotation(database_, kept);
      *there = kept;
    }
    write_history(database_, project_, kept, line, now_ms_);
    return {std::move(kept), finish()};
  }
  void remove(KeptAnnotation* there, HistoryLine line) {
    database_.prepare("DELETE FROM annotations WHERE number = ?").bind(there->annotation.id).run();
    line.removed = true;
    write_history(database_, project_, *there, line, now_ms_);
    annotations.erase(annotations.begin() + (there - annotations.data()));
    finish();
  }

 private:
  record::TaskState finish() {
    const TaskSums after = sums_of(annotations, *settings);
    put_sums(database_, project_, task.id, before_, after, now_ms_);
    return after.state;
  }
  Database& database_;
  int64_t project_;
  int64_t now_ms_;

 public:
  std::shared_ptr<const record::AnnotationSettings> settings;
  record::Task task;
  std::vector<KeptAnnotation> annotations;

 private:
  TaskSums before_;
};

// A line of the history as it is needed to take one back.
struct Line {
  int64_t number = 0;
  bool undone = false;  // this line takes another back
  int64_t undoes = 0;
  bool removed = false;
  Annotation annotation;
};

std::vector<Line> lines_of(Database& database, int64_t task, bool ground_truth, const std::string& annotator) {
  Statement query = database.prepare(
      "SELECT number, action, undoes, annotator, answer, skipped, note, seconds FROM annotation_history WHERE task = ? AND ground_truth = ? "
      "ORDER BY number LIMIT 1000000");
  query.bind(task, ground_truth ? 1 : 0);
  std::vector<Line> lines;
  while (query.step()) {
    if (!ground_truth && query.text(3) != annotator) {
      continue;
    }
    Line line;
    line.number = query.integer(0);
    line.undone = query.text(1) == "undone";
    line.undoes = query.integer(2);
    line.removed = query.is_null(4);
    line.annotation.annotator = query.text(3);
    line.annotation.ground_truth = ground_truth;
    if (!line.removed) {
      line.annotation.answer = record::answer_from_json(to_value(query.text(4)), "an answer of the store");
    }
    line.annotation.skipped = query.integer(5) != 0;
    line.annotation.note = query.text(6);
    line.annotation.seconds = query.real(7);
    lines.push_back(std::move(line));
  }
  return lines;
}

// What there was before line `number`; null: nothing. Throws kConflict when something else was said since and stands.
const Line* state_before(const std::vector<Line>& lines, int64_t number) {
  std::unordered_set<int64_t> taken_back;
  for (const Line& line : lines) {
    taken_back.insert(line.undoes);
  }
  const Line* before = nullptr;
  for (const Line& line : lines) {
    if (line.number < number) {
      before = &line;
    } else if (line.number > number && !line.undone && !taken_back.contains(line.number)) {
      throw Error(Code::kConflict, fmt::format("'{}' changed it since: what you did before cannot be taken back", line.annotation.annotator));
    }
  }
  return before == nullptr || before->removed ? nullptr : before;
}

}  // namespace

record::SavedAnswer SqlAnnotationAnswers::save(int64_t project, int64_t task, const record::SaveAnswer& answer) {
  check_name(answer.annotator, "an annotator's name");
  check_remarks(answer.note, answer.seconds);
  record::SavedAnswer saved;
  core_.write([&](Database& database) {
    Change change(database, known_, project, task, core_.now());
    if (!answer.skipped) {
      record::check(answer.answer, change.settings->scheme, change.task);
    }
    KeptAnnotation* there = find_own(change.annotations, answer.annotator);
    check_revision(there, answer.revision, fmt::format("the answer of '{}'", answer.annotator));
    Annotation wanted;
    wanted.annotator = answer.annotator;
    wanted.answer = answer.skipped ? record::Answer() : answer.answer;
    wanted.skipped = answer.skipped;
    wanted.note = answer.note;
    wanted.seconds = answer.seconds;
    saved = change.put(there, std::move(wanted), {answer.annotator, answer.skipped ? "skipped" : there == nullptr ? "answered" : "changed"});
    database.prepare("DELETE FROM annotation_keeps WHERE project = ? AND annotator = ? AND task = ?").bind(project, answer.annotator, task).run();
  });
  return saved;
}

record::SavedAnswer SqlAnnotationAnswers::decide(int64_t project, int64_t task, const record::Decide& decision) {
  check_name(decision.who, "a reviewer's name");
  check_remarks(decision.note, 0);
  record::SavedAnswer saved;
  core_.write([&](Database& database) {
    Change change(database, known_, project, task, core_.now());
    const auto truth = std::find_if(change.annotations.begin(), change.annotations.end(), [](const KeptAnnotation& one) { return one.annotation.ground_truth; });
    KeptAnnotation* there = truth == change.annotations.end() ? nullptr : &*truth;
    check_revision(there, decision.revision, "the decision");
    Annotation wanted;
    wanted.annotator = decision.who;
    wanted.ground_truth = true;
    wanted.note = decision.note;
    wanted.answer = decision.answer;
    if (decision.accept != 0) {
      const auto accepted = std::find_if(change.annotations.begin(), change.annotations.end(),
                                         [&](const KeptAnnotation& one) { return one.annotation.id == decision.accept; });
      if (accepted == change.annotations.end()) {
        throw Error(Code::kNotFound, fmt::format("task {} has no annotation {}", task, decision.accept));
      }
      wanted.answer = accepted->annotation.answer;
      wanted.skipped = accepted->annotation.skipped;
    }
    if (!wanted.skipped) {
      record::check(wanted.answer, change.settings->scheme, change.task);
    }
    saved = change.put(there, std::move(wanted), {decision.who, "reviewed"});
  });
  return saved;
}

std::optional<int64_t> SqlAnnotationAnswers::undo(int64_t project, const std::string& who) {
  std::optional<int64_t> touched;
  core_.write([&](Database& database) {
    touched.reset();
    Statement newest = database.prepare(
        "SELECT h.number, h.task, h.ground_truth, h.annotator FROM annotation_history h WHERE h.project = ? AND h.who = ? AND h.action NOT IN "
        "('undone', 'imported') AND NOT EXISTS (SELECT 1 FROM annotation_history u WHERE u.undoes = h.number AND u.undoes > 0) ORDER BY h.number "
        "DESC LIMIT 1");
    if (!newest.bind(project, who).step()) {
      return;
    }
    const int64_t number = newest.integer(0);
    const int64_t task = newest.integer(1);
    const bool ground_truth = newest.integer(2) != 0;
    const auto lines = lines_of(database, task, ground_truth, newest.text(3));
    const Line* before = state_before(lines, number);
    Change change(database, known_, project, task, core_.now());
    const auto found = std::find_if(change.annotations.begin(), change.annotations.end(), [&](const KeptAnnotation& one) {
      return one.annotation.ground_truth == ground_truth && (ground_truth || one.annotation.annotator == who);
    });
    if (found == change.annotations.end()) {
      throw Error(Code::kIntegrity, fmt::format("the history of task {} does not fit its annotations; `slipway store verify` looks", task));
    }
    HistoryLine line{who, "undone", number};
    if (before == nullptr) {
      change.remove(&*found, line);
    } else {
      change.put(&*found, before->annotation, line);
    }
    touched = task;
  });
  return touched;
}

std::vector<record::AnnotationChange> SqlAnnotationAnswers::history(int64_t project, int64_t task) {
  const auto database = core_.read();
  Statement query = database->prepare(
      "SELECT number, annotation, time_ms, who, action, annotator, ground_truth, answer, skipped, note, seconds, revision FROM annotation_history "
      "WHERE task = ? AND project = ? ORDER BY number LIMIT 100000");
  query.bind(task, project);
  std::vector<record::AnnotationChange> changes;
  while (query.step()) {
    record::AnnotationChange change;
    change.id = query.integer(0);
    change.task = task;
    change.time_ms = query.integer(2);
    change.who = query.text(3);
    change.action = query.text(4);
    change.removed = query.is_null(7);
    change.revision = query.integer(11);
    change.annotation.id = query.integer(1);
    change.annotation.task = task;
    change.annotation.annotator = query.text(5);
    change.annotation.ground_truth = query.integer(6) != 0;
    if (!change.removed) {
      change.annotation.answer = record::answer_from_json(to_value(query.text(7)), "an answer of the store");
    }
    change.annotation.skipped = query.integer(8) != 0;
    change.annotation.note = query.text(9);
    change.annotation.seconds = query.real(10);
    changes.push_back(std::move(change));
  }
  return changes;
}

std::vector<record::AnnotatorProgress> SqlAnnotationAnswers::progress(int64_t project) {
  const auto database = core_.read();
  Statement query = database->prepare(
      "SELECT annotator, annotations, skipped, seconds, last_ms, decided, reviewed, accepted FROM annotation_people WHERE project = ? ORDER BY "
      "annotator LIMIT 100000");
  query.bind(project);
  std::vector<record::AnnotatorProgress> people;
  while (query.step()) {
    people.push_back({query.text(0), query.integer(1), query.integer(2), query.real(3), query.integer(4), query.integer(5), query.integer(6),
                      query.integer(7)});
  }
  return people;
}

}  // namespace slipway::store
