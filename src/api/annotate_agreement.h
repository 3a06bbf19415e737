// How far the annotators of a project agree, as the API tells it (api/openapi.yaml: AnnotationAgreement). Reads the store; any thread.
#pragma once

#include "base/json.h"
#include "record/annotation_stores.h"

namespace slipway::api {

// Of the newest kMaxMeasured tasks that two or more answered; what was skipped is no answer. Seconds when there are that many.
constexpr int kMaxMeasured = 20000;
base::Json annotation_agreement(record::AnnotationTasks& tasks, const record::AnnotationProject& project);

}  // namespace slipway::api
