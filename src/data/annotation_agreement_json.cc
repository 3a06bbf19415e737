// The report of agreement as JSON: `slipway data agreement --json`.
#include "data/annotation_agreement.h"

namespace slipway::data {
namespace {

using base::Json;

Json agreement_json(const stats::Agreement& agreement) {
  return {{"raw", to_json(agreement.raw)},   {"fleiss", to_json(agreement.fleiss)}, {"alpha", to_json(agreement.alpha)},
          {"gwet", to_json(agreement.gwet)}, {"answers", agreement.answers},        {"annotators", agreement.annotators}};
}

Json question_json(const QuestionAgreement& question) {
  Json labels = Json::array();
  for (const LabelAgreement& label : question.labels) {
    Json entry = agreement_json(label.agreement);
    entry["label"] = label.label;
    entry["used"] = label.used;
    labels.push_back(std::move(entry));
  }
  Json pairs = Json::array();
  for (const NamedPairAgreement& pair : question.pairs) {
    pairs.push_back({{"first", pair.first}, {"second", pair.second}, {"raw", to_json(pair.agreement.raw)}, {"kappa", to_json(pair.agreement.kappa)}});
  }
  return {{"question", question.question}, {"level", question.level == stats::MeasureLevel::kNominal ? "nominal" : "ordinal"}, {"items", question.items},
          {"overall", agreement_json(question.overall)}, {"labels", std::move(labels)}, {"pairs", std::move(pairs)}};
}

Json places_json(const PlaceAgreement& places) {
  const auto row = [&](const NamedSpanAgreement& one) {
    Json json = {{"texts", one.texts}, {"exact", to_json(one.agreement.exact)}};
    if (places.question == record::name_of(record::Question::kSpans)) {
      json["overlap"] = to_json(one.agreement.overlap);
      json["characters"] = to_json(one.agreement.characters);
    }
    return json;
  };
  Json json = row(places.overall);
  for (const NamedSpanAgreement& pair : places.pairs) {
    Json entry = row(pair);
    entry["first"] = pair.first;
    entry["second"] = pair.second;
    json["pairs"].push_back(std::move(entry));
  }
  for (const NamedSpanAgreement& label : places.labels) {
    Json entry = row(label);
    entry["label"] = label.first;
    json["labels"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace

Json to_json(const AgreementReport& report) {
  Json questions = Json::array();
  for (const QuestionAgreement& question : report.questions) {
    questions.push_back(question_json(question));
  }
  Json json = {{"tasks", report.tasks}, {"answers", report.answers}, {"annotators", report.annotators}, {"questions", std::move(questions)}};
  for (const PlaceAgreement& places : report.places) {
    json[places.question] = places_json(places);
  }
  return json;
}

}  // namespace slipway::data
