// Scorers that clients register for an experiment. They are kept and given back as they are; this server runs none.
#include <fmt/format.h>

#include "api/messages.h"
#include "api/routes.h"

namespace slipway::api {
namespace {

constexpr size_t kMaxScorer = size_t{1} << 20;  // bytes

struct ScorerRequest {
  std::string experiment_id;
  std::vector<std::string> experiment_ids;
  std::string name;
  std::string serialized_scorer;
  std::optional<int64_t> version;
};

}  // namespace

template <>
struct Table<ScorerRequest> {
  using M = ScorerRequest;
  static constexpr std::array kFields = {
      field<&M::experiment_id>("experiment_id"), field<&M::experiment_ids>("experiment_ids"), field<&M::name>("name"),
      field<&M::serialized_scorer>("serialized_scorer"), field<&M::version>("version")};
};

namespace {

using record::Scorer;
using record::ScorerStore;

void need(const std::string& value, const char* name) {
  if (value.empty()) {
    missing_parameter(name);
  }
}

std::optional<int> version_of(const ScorerRequest& request) {
  if (!request.version) {
    return std::nullopt;
  }
  if (*request.version < 1 || *request.version > INT32_MAX) {
    invalid(fmt::format("a scorer's version is a number from 1 on, not {}", *request.version));
  }
  return static_cast<int>(*request.version);
}

Json scorer_json(const Scorer& scorer) {
  return {{"experiment_id", std::stoll(scorer.experiment_id)},
          {"scorer_name", scorer.name},
          {"scorer_version", scorer.version},
          {"serialized_scorer", scorer.body},
          {"creation_time", scorer.created_ms},
          {"scorer_id", scorer.id}};
}

[[noreturn]] void none(const ScorerRequest& request) {
  throw base::Error(base::Code::kNotFound,
                    request.version ? fmt::format("Scorer with name '{}' and version {} not found for experiment {}.",
                                                  request.name, *request.version, request.experiment_id)
                                    : fmt::format("Scorer with name '{}' not found for experiment {}.", request.name,
                                                  request.experiment_id));
}

std::string add(ScorerStore& scorers, const ScorerRequest& request) {
  need(request.experiment_id, "experiment_id");
  need(request.name, "name");
  need(request.serialized_scorer, "serialized_scorer");
  if (request.serialized_scorer.size() > kMaxScorer) {
    invalid(fmt::format("a scorer may have {} bytes, this has {}", kMaxScorer, request.serialized_scorer.size()));
  }
  const Scorer scorer =
      scorers.add({record::new_id(), request.experiment_id, request.name, 0, request.serialized_scorer, 0});
  return base::dump_json({{"version", scorer.version},
                          {"scorer_id", scorer.id},
                          {"experiment_id", scorer.experiment_id},
                          {"name", scorer.name},
                          {"serialized_scorer", scorer.body},
                          {"creation_time", scorer.created_ms}});
}

std::string list(ScorerStore& scorers, const ScorerRequest& request, bool versions) {
  std::vector<std::string> experiments = request.experiment_ids;
  if (!request.experiment_id.empty()) {
    if (!experiments.empty()) {
      invalid("Cannot specify both 'experiment_id' and 'experiment_ids'.");
    }
    experiments.push_back(request.experiment_id);
  }
  if (versions) {
    need(request.experiment_id, "experiment_id");
    need(request.name, "name");
  }
  Json answer = Json::object();
  for (const std::string& experiment : experiments) {
    for (const Scorer& scorer : scorers.list(experiment, versions ? request.name : "")) {
      answer["scorers"].push_back(scorer_json(scorer));
    }
  }
  if (versions && answer.empty()) {
    none(request);
  }
  return base::dump_json(answer);
}

}  // namespace

void add_scorer_routes(Routes& routes, Backend& backend) {
  ScorerStore& scorers = backend.store.tracking().server().scorers();
  const std::string base = "/3.0/mlflow/scorers/";
  routes.add<ScorerRequest>("POST", base + "register",
                            [&](const ScorerRequest& request) { return add(scorers, request); });
  routes.add<ScorerRequest>("GET", base + "list",
                            [&](const ScorerRequest& request) { return list(scorers, request, false); });
  routes.add<ScorerRequest>("GET", base + "versions",
                            [&](const ScorerRequest& request) { return list(scorers, request, true); });
  routes.add<ScorerRequest>("GET", base + "get", [&](const ScorerRequest& request) {
    need(request.experiment_id, "experiment_id");
    need(request.name, "name");
    const auto scorer = scorers.find(request.experiment_id, request.name, version_of(request));
    if (!scorer) {
      none(request);
    }
    return base::dump_json({{"scorer", scorer_json(*scorer)}});
  });
  routes.add<ScorerRequest>("DELETE", base + "delete", [&](const ScorerRequest& request) {
    need(request.experiment_id, "experiment_id");
    need(request.name, "name");
    if (scorers.remove(request.experiment_id, request.name, version_of(request)) == 0) {
      none(request);
    }
    return kEmptyAnswer;
  });
}

}  // namespace slipway::api
