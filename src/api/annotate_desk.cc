#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>

#include "api/annotate.h"
#include "api/annotate_agreement.h"
#include "api/annotate_learner.h"
#include "data/label_rules.h"

namespace slipway::api {

using record::AnnotationProject;

struct AnnotationDesk::Impl {
  Impl(record::Store& store_in, base::Log& log_in, std::vector<AnnotationModel> models_in)
      : store(store_in), log(log_in), models(std::move(models_in)), learner(store_in, log_in) {}

  // Compiled once for each revision; null when there are none, or they are wrong (which is logged).
  std::shared_ptr<const data::LabelRules> rules_of(const AnnotationProject& project) {
    if (project.settings.rules.empty()) {
      return nullptr;
    }
    const std::scoped_lock lock(mutex);
    auto& [revision, rules] = rules_by_project[project.id];
    if (revision != project.revision) {
      revision = project.revision;
      rules = nullptr;
      try {
        rules = std::make_shared<const data::LabelRules>(project.settings.rules, project.settings.scheme);
      } catch (const base::Error& error) {
        log.warning("rules of an annotation project are wrong", {{"project", project.name}, {"error", std::string(error.what())}});
      }
    }
    return rules;
  }

  record::Store& store;
  base::Log& log;
  const std::vector<AnnotationModel> models;
  AnnotationLearner learner;
  std::mutex mutex;  // guards what follows
  std::map<int64_t, std::pair<int64_t, std::shared_ptr<const data::LabelRules>>> rules_by_project;  // with the revision of the settings
  struct Agreed {
    std::tuple<int64_t, int64_t> when;  // revision of the settings, newest change
    std::string text;
  };
  std::map<int64_t, Agreed> agreements;
};

AnnotationDesk::AnnotationDesk(record::Store& store, base::Log& log, std::vector<AnnotationModel> models)
    : impl_(std::make_unique<Impl>(store, log, std::move(models))) {}
AnnotationDesk::~AnnotationDesk() = default;

std::vector<record::Suggestion> AnnotationDesk::suggestions(const AnnotationProject& project, const record::KeptTask& task) {
  std::vector<record::Suggestion> all = task.suggestions;
  const auto take = [&](std::vector<record::Suggestion> more) {
    std::move(more.begin(), more.end(), std::back_inserter(all));
  };
  if (const auto rules = impl_->rules_of(project)) {
    take(rules->suggest(task.task));
  }
  for (const AnnotationModel& model : impl_->models) {
    if (!model.project.empty() && model.project != project.name) {
      continue;
    }
    try {
      take(model.suggest(project.settings.scheme, task.task));
    } catch (const std::exception& error) {
      impl_->log.warning("a model could not pre-annotate", {{"model", model.name}, {"project", project.name}, {"error", std::string(error.what())}});
    }
  }
  if (auto learned = impl_->learner.suggest(project, task.task)) {
    all.push_back(std::move(*learned));
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
  return all;
}

std::string AnnotationDesk::agreement(const AnnotationProject& project) {
  int64_t newest = 0;  // people's last changes say whether anything was answered since
  for (const record::AnnotatorProgress& one : impl_->store.annotations().answers().progress(project.id)) {
    newest = std::max(newest, one.last_ms);
  }
  const std::tuple when(project.revision, newest * 1'000'003 + project.counts.annotations * 1009 + project.counts.skipped);
  {
    const std::scoped_lock lock(impl_->mutex);
    if (const auto found = impl_->agreements.find(project.id); found != impl_->agreements.end() && found->second.when == when) {
      return found->second.text;
    }
  }
  std::string text = base::dump_json(annotation_agreement(impl_->store.annotations().tasks(), project));
  const std::scoped_lock lock(impl_->mutex);
  impl_->agreements[project.id] = {when, text};
  return text;
}

Json AnnotationDesk::learning(const AnnotationProject& project) { return impl_->learner.state(project); }

std::vector<std::string> AnnotationDesk::models_of(const std::string& project) const {
  std::vector<std::string> names;
  for (const AnnotationModel& model : impl_->models) {
    if (model.project.empty() || model.project == project) {
      names.push_back(model.name);
    }
  }
  return names;
}

void AnnotationDesk::answered(const AnnotationProject& project) { impl_->learner.answered(project); }

}  // namespace slipway::api
