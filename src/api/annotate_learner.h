// What is learnt of annotation projects in the background: a light classifier and a tagger, trained again after so many answers, which order
// the tasks that are given out next and make suggestions, and the label model that joins what rules say (docs/guide/annotate.md). One thread
// of its own for all projects; any thread may ask.
#pragma once

#include <memory>
#include <vector>

#include "base/json.h"
#include "base/log.h"
#include "record/annotation_stores.h"
#include "record/stores.h"

namespace slipway::api {

class AnnotationLearner {
 public:
  // Borrows both.
  AnnotationLearner(record::Store& store, base::Log& log);
  ~AnnotationLearner();  // stops what is under way
  // An answer was saved; trains when it is time to.
  void answered(const record::AnnotationProject& project);
  // Of the newest training, if the project asks for classes or spans, and of the label model.
  std::vector<record::Suggestion> suggest(const record::AnnotationProject& project, const record::Task& task);
  base::Json state(const record::AnnotationProject& project);  // AnnotationLearning of api/openapi.yaml

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::api
