// Annotation projects, their tasks and answers over the tables of a Core, which outlives them. Any thread.
#pragma once

#include "record/annotation_stores.h"
#include "store/annotation_rows.h"
#include "store/core.h"

namespace slipway::store {

class SqlAnnotationProjects final : public record::AnnotationProjects {
 public:
  SqlAnnotationProjects(Core& core, KnownSettings& known) : core_(core), known_(known) {}
  record::AnnotationProject create(const std::string& name, const record::AnnotationSettings& settings) override;
  std::optional<record::AnnotationProject> find(const std::string& name) override;
  std::vector<record::AnnotationProject> list() override;
  record::AnnotationProject change(const std::string& name, const record::AnnotationSettings& settings, int64_t revision) override;
  void remove(const std::string& name) override;

 private:
  Core& core_;
  KnownSettings& known_;
};

class SqlAnnotationTasks final : public record::AnnotationTasks {
 public:
  SqlAnnotationTasks(Core& core, KnownSettings& known) : core_(core), known_(known) {}
  record::AddedTasks add(int64_t project, std::span<const record::AnnotatedTask> tasks, const std::string& who) override;
  record::KeptTask get(int64_t project, int64_t task) override;
  record::TaskPage list(int64_t project, const record::TaskQuery& query) override;
  std::vector<record::TaskRow> to_review(int64_t project, const record::ReviewPlace& after, int limit) override;
  std::vector<record::KeptTask> read(int64_t project, const record::TaskReading& reading) override;
  std::optional<int64_t> next(int64_t project, const std::string& annotator, int64_t except) override;
  void set_priorities(int64_t project, std::span<const std::pair<int64_t, double>> priorities) override;
  void suggest(int64_t project, int64_t task, std::span<const record::Suggestion> suggestions) override;

 private:
  Core& core_;
  KnownSettings& known_;
};

class SqlAnnotationAnswers final : public record::AnnotationAnswers {
 public:
  SqlAnnotationAnswers(Core& core, KnownSettings& known) : core_(core), known_(known) {}
  record::SavedAnswer save(int64_t project, int64_t task, const record::SaveAnswer& answer) override;
  record::SavedAnswer decide(int64_t project, int64_t task, const record::Decide& decision) override;
  std::optional<int64_t> undo(int64_t project, const std::string& who) override;
  std::vector<record::AnnotationChange> history(int64_t project, int64_t task) override;
  std::vector<record::AnnotatorProgress> progress(int64_t project) override;

 private:
  Core& core_;
  KnownSettings& known_;
};

class SqlAnnotations final : public record::Annotations {
 public:
  explicit SqlAnnotations(Core& core) : projects_(core, known_), tasks_(core, known_), answers_(core, known_) {}
  record::AnnotationProjects& projects() override { return projects_; }
  record::AnnotationTasks& tasks() override { return tasks_; }
  record::AnnotationAnswers& answers() override { return answers_; }

 private:
  KnownSettings known_;
  SqlAnnotationProjects projects_;
  SqlAnnotationTasks tasks_;
  SqlAnnotationAnswers answers_;
};

}  // namespace slipway::store
