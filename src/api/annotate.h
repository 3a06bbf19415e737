// The annotation of texts over REST: projects, the next task, answers, review, agreement, files (api/openapi.yaml, docs/guide/annotate.md).
// The desk is what the routes share: who suggests, how far people agree, the classifier that learns meanwhile. Any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/annotate_asker.h"
#include "api/annotate_model.h"
#include "api/routes.h"
#include "record/annotation_stores.h"

namespace slipway::api {

class AnnotationDesk {
 public:
  // Borrows store and log.
  AnnotationDesk(record::Store& store, base::Log& log, std::vector<AnnotationModel> models, AnnotationAskOptions asking);
  ~AnnotationDesk();
  // Kept ones, of dictionaries, expressions, what was learnt, and of models, for which it waits so long; the most certain first.
  AnnotationAsker::Said suggestions(const record::AnnotationProject& project, const record::KeptTask& task, std::chrono::milliseconds wait);
  // Of its own bytes as long as nothing was answered since.
  std::string agreement(const record::AnnotationProject& project);
  Json learning(const record::AnnotationProject& project);
  AnnotationAsker& asker();
  // An answer was saved: perhaps it is time to train.
  void answered(const record::AnnotationProject& project);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Of the project that {name} names. Throws Error(kNotFound).
record::AnnotationProject annotation_project(Backend& backend, const net::Request& request);
// The {task} of the address.
int64_t annotation_task(const net::Request& request);
// What a route needs over the project that {name} names.
Permission over_annotation(Role role);

void add_annotation_project_routes(Routes& routes, Backend& backend, AnnotationDesk& desk);
void add_annotation_task_routes(Routes& routes, Backend& backend, AnnotationDesk& desk);
void add_annotation_file_routes(Routes& routes, Backend& backend);

}  // namespace slipway::api
