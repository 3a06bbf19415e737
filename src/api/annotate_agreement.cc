#include "api/annotate_agreement.h"

#include "data/annotation_agreement.h"

namespace slipway::api {
namespace {

using base::Json;

constexpr int kPage = 1000;

// True: there are more.
bool read_shared(record::AnnotationTasks& tasks, int64_t project, data::AgreementBuilder& builder) {
  record::TaskReading reading;
  reading.shared = true;
  reading.limit = kPage;
  for (;;) {
    const auto page = tasks.read(project, reading);
    for (const record::KeptTask& task : page) {
      record::AnnotatedTask answered;
      answered.task.key = task.task.key;
      for (const record::KeptAnnotation& kept : task.annotations) {
        if (!kept.annotation.ground_truth && !kept.annotation.skipped) {
          answered.annotations.push_back(kept.annotation);
        }
      }
      if (answered.annotations.size() > 1) {
        builder.add(answered);
      }
      reading.after = task.task.id;
      if (builder.tasks() == kMaxMeasured) {
        return true;
      }
    }
    if (page.size() < static_cast<size_t>(kPage)) {
      return false;
    }
  }
}

void put_measures(Json& row, const stats::Agreement& agreement) {
  row["raw"] = stats::to_json(agreement.raw);
  row["fleiss"] = stats::to_json(agreement.fleiss);
  row["alpha"] = stats::to_json(agreement.alpha);
  row["gwet"] = stats::to_json(agreement.gwet);
}

struct Rows {
  Json questions = Json::array();
  Json labels = Json::array();
  Json pairs = Json::array();

  void add(const data::QuestionAgreement& question) {
    Json row = {{"question", question.question},
                {"tasks", question.overall.raw.n},
                {"answers", question.overall.answers},
                {"level", question.level == stats::MeasureLevel::kNominal ? "nominal" : "ordinal"}};
    put_measures(row, question.overall);
    if (question.pairs.size() == 1) {
      row["cohen"] = stats::to_json(question.pairs[0].agreement.kappa);
    }
    questions.push_back(std::move(row));
    for (const data::LabelAgreement& label : question.labels) {
      Json one = {{"question", question.question}, {"label", label.label}, {"answers", label.used}};
      put_measures(one, label.agreement);
      labels.push_back(std::move(one));
    }
    for (const data::NamedPairAgreement& pair : question.pairs) {
      pairs.push_back({{"question", question.question},
                       {"first", pair.first},
                       {"second", pair.second},
                       {"raw", stats::to_json(pair.agreement.raw)},
                       {"kappa", stats::to_json(pair.agreement.kappa)}});
    }
  }

  void add(const data::PlaceAgreement& places, int64_t tasks) {
    Json row = {{"question", places.question}, {"tasks", tasks}, {"span_f1", stats::to_json(places.overall.agreement.exact)}};
    if (places.question == record::name_of(record::Question::kSpans)) {
      row["span_overlap_f1"] = stats::to_json(places.overall.agreement.overlap);
    }
    questions.push_back(std::move(row));
    for (const data::NamedSpanAgreement& label : places.labels) {
      labels.push_back({{"question", places.question}, {"label", label.first}, {"span_f1", stats::to_json(label.agreement.exact)}});
    }
    for (const data::NamedSpanAgreement& pair : places.pairs) {
      pairs.push_back(
          {{"question", places.question}, {"first", pair.first}, {"second", pair.second}, {"span_f1", stats::to_json(pair.agreement.exact)}});
    }
  }
};

}  // namespace

Json annotation_agreement(record::AnnotationTasks& tasks, const record::AnnotationProject& project) {
  data::AgreementBuilder builder(project.settings.scheme);
  const bool cut = read_shared(tasks, project.id, builder);
  const data::AgreementReport report = builder.report();
  Rows rows;
  for (const data::QuestionAgreement& question : report.questions) {
    rows.add(question);
  }
  for (const data::PlaceAgreement& places : report.places) {
    rows.add(places, report.tasks);
  }
  return {{"tasks", report.tasks},
          {"annotators", report.annotators},
          {"questions", std::move(rows.questions)},
          {"labels", std::move(rows.labels)},
          {"pairs", std::move(rows.pairs)},
          {"cut", cut}};
}

}  // namespace slipway::api
