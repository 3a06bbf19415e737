#include <fmt/format.h>

#include "base/error.h"
#include "store/annotations.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;
using record::AnnotationProject;
using record::AnnotationSettings;

constexpr size_t kMaxProjects = 10000;
constexpr int kPage = 1000;  // tasks looked at together

constexpr const char* kSelect =
    "SELECT p.number, p.name, p.settings, p.revision, p.created_ms, p.updated_ms, c.fresh, c.begun, c.answered, c.reviewed, c.annotations, "
    "c.skipped FROM annotation_projects p JOIN annotation_counts c ON c.project = p.number";

AnnotationProject read_project(const Statement& query) {
  AnnotationProject project;
  project.id = query.integer(0);
  project.name = query.text(1);
  project.settings = record::annotation_settings_from_json(to_value(query.text(2)), fmt::format("the annotation project '{}'", project.name));
  project.revision = query.integer(3);
  project.created_ms = query.integer(4);
  project.updated_ms = query.integer(5);
  project.counts = {query.integer(6), query.integer(7), query.integer(8), query.integer(9), query.integer(10), query.integer(11)};
  return project;
}

AnnotationProject named(Database& database, const std::string& name) {
  auto found = find_row(database, kSelect, "p.name", name, read_project);
  if (!found) {
    throw Error(Code::kNotFound, fmt::format("there is no annotation project '{}'; `slipway annotate PROJECT` makes one", name));
  }
  return std::move(*found);
}

// Every task's own, calling work(number, key) for it.
template <class Work>
void each_task(Database& database, int64_t project, Work work) {
  int64_t after = 0;
  for (;;) {
    std::vector<std::pair<int64_t, std::string>> page;
    {
      Statement query = database.prepare("SELECT number, key FROM annotation_tasks WHERE project = ? AND number > ? ORDER BY number LIMIT ?");
      query.bind(project, after, kPage);
      while (query.step()) {
        page.emplace_back(query.integer(0), query.text(1));
      }
    }
    for (const auto& [number, key] : page) {
      work(number, key);
    }
    if (page.size() < static_cast<size_t>(kPage)) {
      return;
    }
    after = page.back().first;
  }
}

}  // namespace

AnnotationProject SqlAnnotationProjects::create(const std::string& name, const AnnotationSettings& settings) {
  check_name(name, "an annotation project's name");
  const int64_t now = core_.now();
  std::optional<AnnotationProject> made;
  core_.write([&](Database& database) {
    Statement there = database.prepare("SELECT 1 FROM annotation_projects WHERE name = ?");
    if (there.bind(name).step()) {
      throw Error(Code::kConflict, fmt::format("there is an annotation project '{}' already", name));
    }
    database.prepare("INSERT INTO annotation_projects(name, settings, revision, created_ms, updated_ms) VALUES(?,?,1,?,?)")
        .bind(name, to_text(record::to_json(settings)), now, now)
        .run();
    const int64_t number = database.last_insert_id();
    database
        .prepare("INSERT INTO annotation_counts(project, fresh, begun, answered, reviewed, annotations, skipped) VALUES(?,0,0,0,0,0,0)")
        .bind(number)
        .run();
    made = named(database, name);
  });
  return std::move(*made);
}

std::optional<AnnotationProject> SqlAnnotationProjects::find(const std::string& name) {
  return find_row(*core_.read(), kSelect, "p.name", name, read_project);
}

std::vector<AnnotationProject> SqlAnnotationProjects::list() {
  return list_rows(*core_.read(), kSelect, {"p.name", ""}, "ORDER BY p.name", kMaxProjects, read_project);
}

AnnotationProject SqlAnnotationProjects::change(const std::string& name, const AnnotationSettings& settings, int64_t revision) {
  const int64_t now = core_.now();
  std::optional<AnnotationProject> changed;
  core_.write([&](Database& database) {
    const AnnotationProject before = named(database, name);
    if (before.revision != revision) {
      throw Error(Code::kConflict, fmt::format("the settings of '{}' were changed meanwhile: they have revision {}, not {}; look at them again",
                                               name, before.revision, revision));
    }
    database.prepare("UPDATE annotation_projects SET settings = ?, revision = ?, updated_ms = ? WHERE number = ?")
        .bind(to_text(record::to_json(settings)), revision + 1, now, before.id)
        .run();
    if (settings.overlap != before.settings.overlap || !(settings.scheme == before.settings.scheme)) {
      each_task(database, before.id, [&](int64_t task, const std::string&) {
        const auto annotations = read_annotations(database, task);
        if (!annotations.empty()) {
          put_sums(database, before.id, task, sums_of(annotations, before.settings), sums_of(annotations, settings), 0);
        }
      });
    }
    if (settings.order != before.settings.order) {
      const bool random = settings.order == record::TaskOrder::kRandom;
      each_task(database, before.id, [&](int64_t task, const std::string& key) {
        database.prepare("UPDATE annotation_tasks SET priority = ? WHERE number = ?").bind(random ? random_priority(key) : 0.0, task).run();
      });
    }
    database.prepare("UPDATE annotation_people SET at_priority = ?, at_task = 0 WHERE project = ?").bind(kFirst, before.id).run();
    changed = named(database, name);
  });
  return std::move(*changed);
}

void SqlAnnotationProjects::remove(const std::string& name) {
  core_.write([&](Database& database) {
    const int64_t project = named(database, name).id;
    database.prepare("DELETE FROM annotation_suggestions WHERE task IN (SELECT number FROM annotation_tasks WHERE project = ?)").bind(project).run();
    for (const char* table : {"annotation_history", "annotations", "annotation_labels", "annotation_keeps", "annotation_people",
                              "annotation_tasks", "annotation_counts"}) {
      database.prepare(fmt::format("DELETE FROM {} WHERE project = ?", table)).bind(project).run();
    }
    database.prepare("DELETE FROM annotation_projects WHERE number = ?").bind(project).run();
  });
}

}  // namespace slipway::store
