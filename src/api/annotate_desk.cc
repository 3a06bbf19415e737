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
  Impl(record::Store& store_in, base::Log& log_in, std::vector<AnnotationModel> models, AnnotationAskOptions asking)
      : store(store_in), log(log_in), asker(std::move(models), asking, log_in), learner(store_in, log_in) {}

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
  AnnotationAsker asker;
  AnnotationLearner learner;
  std::mutex mutex;  // guards what follows
  std::map<int64_t, std::pair<int64_t, std::shared_ptr<const data::LabelRules>>> rules_by_project;  // with the revision of the settings
  struct Agreed {
    std::tuple<int64_t, int64_t> when;  // revision of the settings, newest change
    std::string text;
  };
  std::map<int64_t, Agreed> agreements;
};

AnnotationDesk::AnnotationDesk(record::Store& store, base::Log& log, std::vector<AnnotationModel> models, AnnotationAskOptions asking)
    : impl_(std::make_unique<Impl>(store, log, std::move(models), asking)) {}
AnnotationDesk::~AnnotationDesk() = default;

AnnotationAsker::Said AnnotationDesk::suggestions(const AnnotationProject& project, const record::KeptTask& task, std::chrono::milliseconds wait) {
  AnnotationAsker::Said said = impl_->asker.suggestions(project, task.task, wait);
  std::vector<record::Suggestion>& all = said.suggestions;
  all.insert(all.begin(), task.suggestions.begin(), task.suggestions.end());
  if (const auto rules = impl_->rules_of(project)) {
    std::vector<record::Suggestion> found = rules->suggest(task.task);
    std::move(found.begin(), found.end(), std::back_inserter(all));
  }
  std::vector<record::Suggestion> learned = impl_->learner.suggest(project, task.task);
  std::move(learned.begin(), learned.end(), std::back_inserter(all));
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
  return said;
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

AnnotationAsker& AnnotationDesk::asker() { return impl_->asker; }

void AnnotationDesk::answered(const AnnotationProject& project) { impl_->learner.answered(project); }

}  // namespace slipway::api
