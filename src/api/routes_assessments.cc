#include "api/routes.h"
#include "api/trace_messages.h"
#include "api/trace_requests.h"

namespace slipway::api {

void add_assessment_routes(Routes& routes, Backend& backend) {
  record::AssessmentStore& assessments = backend.store.tracking().traces().assessments();
  const auto shown = [](const record::Assessment& assessment) {
    return base::dump_json({{"assessment", assessment_answer(assessment)}});
  };
  const std::string all = "/3.0/mlflow/traces/{trace_id}/assessments";
  const std::string one = all + "/{assessment_id}";
  routes.add<AssessmentRequest>("POST", all, [&, shown](const AssessmentRequest& request) {
    return shown(assessments.create(assessment_of(request.assessment, request.trace_id, backend.clock.unix_ms())));
  });
  routes.add<AssessmentRequest>("GET", one, [&, shown](const AssessmentRequest& request) {
    return shown(assessments.find(request.trace_id, request.assessment_id));
  });
  routes.add<AssessmentRequest>("PATCH", one, [&, shown](const AssessmentRequest& request) {
    return shown(assessments.change(request.trace_id, request.assessment_id,
                                    assessment_change(request.assessment, request.update_mask)));
  });
  routes.add<AssessmentRequest>("DELETE", one, [&](const AssessmentRequest& request) {
    assessments.remove(request.trace_id, request.assessment_id);
    return kEmptyAnswer;
  }, needs(Role::kEditor));
}

}  // namespace slipway::api
