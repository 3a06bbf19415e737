#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "store/annotations.h"
#include "store/query_parts.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::AnnotatedTask;
using record::KeptAnnotation;
using record::KeptTask;
using record::TaskRow;
using record::TaskState;

constexpr int kMaxPage = 1000;
constexpr int kMaxSearched = 20000;    // tasks that one search for text looks at: some 50 ms
constexpr size_t kShownText = 300;     // bytes of a text in a list
constexpr size_t kMaxKey = 500;

std::optional<double> agreement_of(double stored) { return stored >= kNoAgreement ? std::nullopt : std::optional(stored); }

// The beginning, whole characters.
std::string beginning_of(const std::string& text) {
  if (text.size() <= kShownText) {
    return text;
  }
  size_t end = kShownText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  return text.substr(0, end) + "…";
}

// What a list shows of a task that is nothing but candidates or messages.
const std::string& shown_text(const record::Task& task) {
  if (task.text.empty() && !task.messages.empty()) {
    return task.messages.front().content;
  }
  return task.text.empty() && !task.candidates.empty() ? task.candidates.front() : task.text;
}

bool holds(const record::Task& task, const std::string& text) {
  const auto in = [&](const std::string& all) { return all.find(text) != std::string::npos; };
  return in(task.text) || std::any_of(task.candidates.begin(), task.candidates.end(), in) ||
         std::any_of(task.messages.begin(), task.messages.end(), [&](const record::Message& one) { return in(one.content); });
}

// As it stands in a body's JSON.
std::string in_json(const std::string& text) {
  const std::string quoted = base::dump_json(base::Json(text));
  return quoted.substr(1, quoted.size() - 2);
}

void complete(Database& database, TaskRow& row) {
  Statement labels = database.prepare("SELECT label FROM annotation_labels WHERE task = ? ORDER BY label LIMIT 100");
  labels.bind(row.id);
  while (labels.step()) {
    row.labels.push_back(labels.text(0));
  }
  Statement people = database.prepare("SELECT annotator FROM annotations WHERE task = ? AND ground_truth = 0 ORDER BY number LIMIT 100");
  people.bind(row.id);
  while (people.step()) {
    row.annotators.push_back(people.text(0));
  }
}

TaskRow row_of(const record::Task& task, int64_t state, double agreement) {
  return {task.id, task.key, beginning_of(shown_text(task)), static_cast<TaskState>(state), agreement_of(agreement), {}, {}};
}

// The index that has fewest rows leads.
SqlText select_tasks(int64_t project, const record::TaskQuery& query, int limit) {
  SqlText sql;
  sql << "SELECT t.number, t.key, t.body, t.state, t.agreement FROM ";
  std::string_view number = "t.number";
  if (!query.label.empty()) {
    number = "l.task";
    sql << "annotation_labels l CROSS JOIN annotation_tasks t ON t.number = l.task WHERE l.project = ";
    sql.bind(project) << " AND l.label = ";
    sql.bind(query.label);
  } else if (!query.annotator.empty()) {
    number = "a.task";
    sql << "annotations a CROSS JOIN annotation_tasks t ON t.number = a.task WHERE a.ground_truth = 0 AND a.project = ";
    sql.bind(project) << " AND a.annotator = ";
    sql.bind(query.annotator);
  } else {
    sql << "annotation_tasks t WHERE t.project = ";
    sql.bind(project);
  }
  sql << " AND " << number << " > ";
  sql.bind(query.after);
  if (query.state) {
    sql << " AND t.state = ";
    sql.bind(static_cast<int64_t>(*query.state));
  }
  if (!query.label.empty() && !query.annotator.empty()) {
    sql << " AND EXISTS (SELECT 1 FROM annotations a WHERE a.task = t.number AND a.ground_truth = 0 AND a.annotator = ";
    sql.bind(query.annotator) << ")";
  }
  sql << " ORDER BY " << number << " LIMIT ";
  sql.bind(static_cast<int64_t>(limit));
  return sql;
}

SqlText select_tasks(int64_t project, const record::TaskReading& reading) {
  const int limit = std::clamp(reading.limit, 1, kMaxPage);
  if (!reading.shared) {
    record::TaskQuery query;
    query.state = reading.state;
    query.after = reading.after;
    return select_tasks(project, query, limit);
  }
  SqlText sql;
  sql << "SELECT t.number, t.key, t.body, t.state, t.agreement FROM annotation_tasks t WHERE t.answers > 1 AND t.project = ";
  sql.bind(project) << " AND t.number < ";
  sql.bind(reading.after == 0 ? INT64_MAX : reading.after);
  if (reading.state) {
    sql << " AND t.state = ";
    sql.bind(static_cast<int64_t>(*reading.state));
  }
  sql << " ORDER BY t.number DESC LIMIT ";
  sql.bind(static_cast<int64_t>(limit));
  return sql;
}

// What next() looks for, from a place of the order on.
struct Wanted {
  int64_t project;
  const std::string& annotator;
  int64_t now_ms;
  int overlap;
  int64_t except;
};

struct Place {
  double priority = kFirst;
  int64_t task = 0;
};

constexpr const char* kOpenTask =
    "SELECT t.number, t.priority FROM annotation_tasks t WHERE t.project = ?1 AND t.state < 2 AND t.priority {} ?2 AND t.number > ?3 AND "
    "t.number <> ?4 AND NOT EXISTS (SELECT 1 FROM annotations a WHERE a.task = t.number AND a.ground_truth = 0 AND a.annotator = ?5) AND "
    "t.answers + (SELECT count(*) FROM annotation_keeps k WHERE k.task = t.number AND k.annotator <> ?5 AND k.until_ms > ?6) < ?7 ORDER BY "
    "t.priority DESC, t.number LIMIT 1";

std::optional<Place> open_task(Database& database, const Wanted& wanted, const Place& from) {
  const auto look = [&](const char* comparison, int64_t after) -> std::optional<Place> {
    Statement query = database.prepare(fmt::format(fmt::runtime(kOpenTask), comparison));
    query.bind(wanted.project, from.priority, after, wanted.except, wanted.annotator, wanted.now_ms, wanted.overlap);
    return query.step() ? std::optional(Place{query.real(1), query.integer(0)}) : std::nullopt;
  };
  if (auto same = look("=", from.task)) {
    return same;
  }
  return look("<", 0);
}

KeptAnnotation imported(record::Annotation annotation, int64_t task, const std::string& who, int64_t now_ms) {
  annotation.task = task;
  annotation.annotator = annotation.annotator.empty() ? who : annotation.annotator;
  annotation.created_ms = annotation.created_ms == 0 ? now_ms : annotation.created_ms;
  annotation.updated_ms = annotation.updated_ms == 0 ? annotation.created_ms : annotation.updated_ms;
  return {std::move(annotation), 1};
}

void put_suggestion(Database& database, int64_t task, const record::Suggestion& one) {
  database
      .prepare(
          "INSERT INTO annotation_suggestions(task, source, score, answer) VALUES(?,?,?,?) ON CONFLICT(task, source) DO UPDATE SET score = "
          "excluded.score, answer = excluded.answer")
      .bind(task, one.source, one.score, to_text(record::to_json(one.answer)))
      .run();
}

}  // namespace

double random_priority(std::string_view key) {
  const std::string digest = base::sha256_hex(key).substr(0, 13);  // 52 bits
  return static_cast<double>(std::stoull(digest, nullptr, 16)) / 0x1p52;
}

record::AddedTasks SqlAnnotationTasks::add(int64_t project, std::span<const AnnotatedTask> tasks, const std::string& who) {
  const int64_t now = core_.now();
  record::AddedTasks added;
  core_.write([&](Database& database) {
    added = {};
    const auto settings = known_.of(database, project);
    const bool random = settings->order == record::TaskOrder::kRandom;
    for (const AnnotatedTask& one : tasks) {
      if (one.task.key.empty() || one.task.key.size() > kMaxKey) {
        throw Error(Code::kInvalid, fmt::format("a task's key has 1 to {} bytes, '{}' has {}", kMaxKey, one.task.key.substr(0, 100), one.task.key.size()));
      }
      Statement there = database.prepare("SELECT 1 FROM annotation_tasks WHERE project = ? AND key = ?");
      if (there.bind(project, one.task.key).step()) {
        added.known += 1;
        continue;
      }
      database
          .prepare("INSERT INTO annotation_tasks(project, key, body, state, answers, priority, agreement) VALUES(?,?,?,0,0,?,?)")
          .bind(project, one.task.key, body_of(one.task), random ? random_priority(one.task.key) : 0.0, kNoAgreement)
          .run();
      const int64_t number = database.last_insert_id();
      added.tasks += 1;
      std::vector<KeptAnnotation> annotations;
      for (const record::Annotation& annotation : one.annotations) {
        if (!annotation.skipped) {
          record::check(annotation.answer, settings->scheme, one.task);
        }
        KeptAnnotation kept = imported(annotation, number, who, now);
        const bool twice = std::any_of(annotations.begin(), annotations.end(), [&](const KeptAnnotation& other) {
          return other.annotation.ground_truth == kept.annotation.ground_truth &&
                 (kept.annotation.ground_truth || other.annotation.annotator == kept.annotation.annotator);
        });
        if (twice) {
          throw Error(Code::kInvalid, fmt::format("the task '{}' has two {} '{}'", one.task.key, kept.annotation.ground_truth ? "decisions, one by" : "answers of",
                                                  kept.annotation.annotator));
        }
        insert_annotation(database, project, kept);
        write_history(database, project, kept, {who, "imported"}, now);
        annotations.push_back(std::move(kept));
      }
      for (const record::Suggestion& suggestion : one.suggestions) {
        put_suggestion(database, number, suggestion);
      }
      added.annotations += static_cast<int64_t>(annotations.size());
      added.suggestions += static_cast<int64_t>(one.suggestions.size());
      if (!annotations.empty()) {
        put_sums(database, project, number, TaskSums(), sums_of(annotations, *settings), now);
      }
    }
    add_counts(database, project, {.fresh = added.tasks});
  });
  return added;
}

KeptTask SqlAnnotationTasks::get(int64_t project, int64_t task) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  KeptTask kept;
  kept.task = read_task(*database, project, task);
  Statement query = database->prepare("SELECT state, agreement FROM annotation_tasks WHERE number = ?");
  query.bind(task).step();
  kept.state = static_cast<TaskState>(query.integer(0));
  kept.agreement = agreement_of(query.real(1));
  kept.annotations = read_annotations(*database, task);
  kept.suggestions = read_suggestions(*database, task);
  return kept;
}

record::TaskPage SqlAnnotationTasks::list(int64_t project, const record::TaskQuery& query) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  const bool search = !query.text.empty();
  const size_t wanted = static_cast<size_t>(std::clamp(query.limit, 1, kMaxPage));
  const int limit = search ? kMaxSearched : static_cast<int>(wanted);
  const std::string needle = search ? in_json(query.text) : "";
  record::TaskPage page;
  int looked_at = 0;
  {
    const SqlText sql = select_tasks(project, query, limit);
    Statement rows = sql.prepare(*database);
    int64_t last = query.after;
    while (page.rows.size() < wanted && rows.step()) {
      ++looked_at;
      last = rows.integer(0);
      const std::string body = rows.text(2);
      if (search && body.find(needle) == std::string::npos) {
        continue;
      }
      const record::Task task = task_of(last, rows.text(1), body);
      if (!search || holds(task, query.text)) {
        page.rows.push_back(row_of(task, rows.integer(3), rows.real(4)));
      }
    }
    if (page.rows.size() == wanted || looked_at == limit) {
      page.next = last;
    }
  }
  for (TaskRow& row : page.rows) {
    complete(*database, row);
  }
  return page;
}

std::vector<TaskRow> SqlAnnotationTasks::to_review(int64_t project, const record::ReviewPlace& after, int limit) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  std::vector<TaskRow> found;
  const auto take = [&](Statement& query) {
    while (query.step()) {
      found.push_back(row_of(task_of(query.integer(0), query.text(1), query.text(2)), 2, query.real(3)));
    }
  };
  const int64_t most = std::clamp(limit, 1, kMaxPage);
  {
    Statement same = database->prepare(
        "SELECT number, key, body, agreement FROM annotation_tasks WHERE project = ? AND state = 2 AND agreement = ? AND number > ? ORDER BY number "
        "LIMIT ?");
    same.bind(project, after.agreement, after.id, most);
    take(same);
  }
  if (const int64_t left = most - static_cast<int64_t>(found.size()); left > 0) {
    Statement later = database->prepare(
        "SELECT number, key, body, agreement FROM annotation_tasks WHERE project = ? AND state = 2 AND agreement > ? ORDER BY agreement, number "
        "LIMIT ?");
    later.bind(project, after.agreement, left);
    take(later);
  }
  for (TaskRow& row : found) {
    complete(*database, row);
  }
  return found;
}

std::vector<KeptTask> SqlAnnotationTasks::read(int64_t project, const record::TaskReading& reading) {
  const auto database = core_.read();
  const ReadSnapshot snapshot(*database);
  std::vector<KeptTask> tasks;
  {
    const SqlText sql = select_tasks(project, reading);
    Statement rows = sql.prepare(*database);
    while (rows.step()) {
      KeptTask kept;
      kept.task = task_of(rows.integer(0), rows.text(1), rows.text(2));
      kept.state = static_cast<TaskState>(rows.integer(3));
      kept.agreement = agreement_of(rows.real(4));
      tasks.push_back(std::move(kept));
    }
  }
  for (KeptTask& kept : tasks) {
    kept.annotations = read_annotations(*database, kept.task.id);
    kept.suggestions = read_suggestions(*database, kept.task.id);
  }
  return tasks;
}

std::optional<int64_t> SqlAnnotationTasks::next(int64_t project, const std::string& annotator, int64_t except) {
  check_name(annotator, "an annotator's name");
  const int64_t now = core_.now();
  std::optional<int64_t> given;
  core_.write([&](Database& database) {
    given.reset();
    const auto settings = known_.of(database, project);
    Statement kept = database.prepare(
        "SELECT k.task FROM annotation_keeps k JOIN annotation_tasks t ON t.number = k.task WHERE k.project = ? AND k.annotator = ? AND k.task <> ? "
        "AND k.until_ms > ? AND t.state < 2 AND NOT EXISTS (SELECT 1 FROM annotations a WHERE a.task = k.task AND a.ground_truth = 0 AND "
        "a.annotator = k.annotator)");
    if (kept.bind(project, annotator, except, now).step()) {
      given = kept.integer(0);
      return;
    }
    Place from;
    Statement person = database.prepare("SELECT at_priority, at_task FROM annotation_people WHERE project = ? AND annotator = ?");
    if (person.bind(project, annotator).step()) {
      from = {person.real(0), person.integer(1)};
    }
    Wanted wanted{project, annotator, now, settings->overlap, except};
    std::optional<Place> found = open_task(database, wanted, from);
    if (!found) {
      found = open_task(database, wanted, Place());  // those that were put off, or kept for others meanwhile
    }
    if (!found && except != 0) {
      wanted.except = 0;
      found = open_task(database, wanted, Place());
    }
    if (!found) {
      return;
    }
    given = found->task;
    database
        .prepare(
            "INSERT INTO annotation_keeps(project, annotator, task, until_ms) VALUES(?,?,?,?) ON CONFLICT(project, annotator) DO UPDATE SET task = "
            "excluded.task, until_ms = excluded.until_ms")
        .bind(project, annotator, found->task, now + int64_t{settings->keep_minutes} * 60000)
        .run();
    database
        .prepare(
            "INSERT INTO annotation_people(project, annotator, annotations, skipped, seconds, last_ms, decided, reviewed, accepted, at_priority, "
            "at_task) VALUES(?,?,0,0,0.0,0,0,0,0,?,?) ON CONFLICT(project, annotator) DO UPDATE SET at_priority = excluded.at_priority, at_task = "
            "excluded.at_task")
        .bind(project, annotator, found->priority, found->task)
        .run();
  });
  return given;
}

void SqlAnnotationTasks::set_priorities(int64_t project, std::span<const std::pair<int64_t, double>> priorities) {
  core_.write([&](Database& database) {
    for (const auto& [task, priority] : priorities) {
      database.prepare("UPDATE annotation_tasks SET priority = ? WHERE number = ? AND project = ?").bind(priority, task, project).run();
    }
    database.prepare("UPDATE annotation_people SET at_priority = ?, at_task = 0 WHERE project = ?").bind(kFirst, project).run();
  });
}

void SqlAnnotationTasks::suggest(int64_t project, int64_t task, std::span<const record::Suggestion> suggestions) {
  core_.write([&](Database& database) {
    read_task(database, project, task);
    for (const record::Suggestion& one : suggestions) {
      put_suggestion(database, task, one);
    }
  });
}

}  // namespace slipway::store
