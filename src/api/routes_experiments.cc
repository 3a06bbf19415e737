#include <algorithm>
#include <fmt/format.h>

#include "api/filter.h"
#include "api/limits.h"
#include "api/messages.h"
#include "api/page_token.h"
#include "api/render.h"
#include "api/routes.h"

namespace slipway::api {
namespace {

using record::Experiment;
using record::ExperimentStore;

constexpr int kMaxDatasets = 1000;
constexpr size_t kMaxDatasetExperiments = 20;
constexpr size_t kMaxLocation = 2048;

// Where artifacts lie: only this server's own store so far.
void check_location(const std::string& location) {
  if (location.size() > kMaxLocation) {
    invalid(fmt::format("'artifact_location' exceeds the maximum length of {} characters", kMaxLocation));
  }
  constexpr std::string_view kOwn = "mlflow-artifacts:";
  if (location.starts_with(kOwn) &&
      location != fmt::format("{}/{}", kOwn, safe_path(location.substr(std::min(location.size(), kOwn.size() + 1))))) {
    invalid(fmt::format(
        "Invalid artifact location: '{}'. In this server's own store it is mlflow-artifacts:/ and a path.", location));
  }
  const size_t scheme = location.find(':');
  if (location.find_first_of("#?") != std::string::npos || location.find("..") != std::string::npos) {
    invalid(fmt::format("Invalid artifact location: '{}'. It may have no '..', '#' or '?'.", location));
  }
  if (!location.empty() && (scheme == std::string::npos || location.substr(0, scheme) == "file")) {
    invalid(
        fmt::format("Invalid artifact location: '{}'. This server makes no files at places that a client names: leave "
                    "it out, or give the URI of a store that the client itself writes to (s3://…).",
                    location));
  }
}

std::string create(ExperimentStore& experiments, const CreateExperiment& request, const net::Request& head) {
  check_experiment_name(request.name);
  check_location(request.artifact_location);
  if (const Caller* caller = caller_of(head);
      caller != nullptr && !request.artifact_location.empty() && caller->everywhere() < Role::kEditor) {
    // Artifacts belong to the project of the experiment whose folder they lie in.
    throw ApiError("PERMISSION_DENIED", "Permission denied: only an editor of every project says where artifacts lie");
  }
  for (const record::KeyValue& tag : request.tags) {
    check_experiment_tag(tag);
  }
  Experiment experiment;
  experiment.name = request.name;
  experiment.artifact_location = request.artifact_location;
  experiment.tags = request.tags;
  JsonWriter out;
  out.begin_object();
  out.field("experiment_id", experiments.create(std::move(experiment)).id);
  out.end_object();
  return out.take();
}

std::string shown(const Experiment& experiment) {
  JsonWriter out;
  out.begin_object();
  write_experiment(out, "experiment", experiment);
  out.end_object();
  return out.take();
}

std::string get(ExperimentStore& experiments, const ExperimentId& request) {
  const auto found = experiments.find(request.experiment_id);
  if (!found) {
    throw base::Error(base::Code::kNotFound, fmt::format("No Experiment with id={} exists", request.experiment_id));
  }
  return shown(*found);
}

std::string get_by_name(ExperimentStore& experiments, const ExperimentName& request) {
  const auto found = experiments.find_by_name(request.experiment_name);
  if (!found) {
    throw base::Error(base::Code::kNotFound,
                      fmt::format("Could not find experiment with name '{}'", request.experiment_name));
  }
  return shown(*found);
}

// A page holds what the caller may see of it: perhaps less than was asked for.
std::string search(ExperimentStore& experiments, const SearchExperiments& request, const net::Request& head) {
  if (request.max_results < 1 || request.max_results > kMaxPage) {
    invalid(fmt::format("Invalid value {} for parameter 'max_results' supplied. It must be {}", request.max_results,
                        request.max_results < 1 ? "a positive integer" : fmt::format("at most {}", kMaxPage)));
  }
  record::Query query;
  query.conditions = parse_filter(request.filter, experiment_grammar());
  query.order = parse_order(request.order_by, experiment_grammar());
  if (query.order.empty()) {
    query.order = {{record::Entity::kAttribute, "creation_time", false},
                   {record::Entity::kAttribute, "experiment_id", true}};
  }
  query.lifecycle = request.view_type;
  query.offset = page_offset(request.page_token);
  query.limit = request.max_results;
  const auto page = experiments.search(query);
  JsonWriter out;
  out.begin_object();
  if (!page.items.empty()) {
    out.begin_array("experiments");
    for (const Experiment& experiment : page.items) {
      if (may_see(head, experiment.name)) {
        write_experiment(out, {}, experiment);
      }
    }
    out.end_array();
  }
  if (page.more) {
    out.field("next_page_token", page_token(query.offset + query.limit));
  }
  out.end_object();
  return out.take();
}

std::string search_datasets(ExperimentStore& experiments, const SearchDatasets& request) {
  if (request.experiment_ids.empty()) {
    invalid("SearchDatasets request must specify at least one experiment_id.");
  }
  if (request.experiment_ids.size() > kMaxDatasetExperiments) {
    invalid(
        fmt::format("SearchDatasets request cannot specify more than {} experiment_ids. Received {} experiment_ids.",
                    kMaxDatasetExperiments, request.experiment_ids.size()));
  }
  JsonWriter out;
  out.begin_object();
  const auto summaries = experiments.datasets(request.experiment_ids, kMaxDatasets);
  if (!summaries.empty()) {
    out.begin_array("dataset_summaries");
    for (const record::DatasetSummary& summary : summaries) {
      out.begin_object();
      out.field("experiment_id", summary.experiment_id);
      out.field("name", summary.name);
      out.field("digest", summary.digest);
      if (summary.context) {
        out.field("context", *summary.context);
      }
      out.end_object();
    }
    out.end_array();
  }
  out.end_object();
  return out.take();
}

}  // namespace

void add_experiment_routes(Routes& routes, Backend& backend) {
  ExperimentStore& experiments = backend.store.tracking().experiments();
  const auto change = [&experiments](std::optional<bool> deleted) {
    return [&experiments, deleted](const ExperimentId& request) {
      experiments.change(request.experiment_id, {std::nullopt, deleted});
      return kEmptyAnswer;
    };
  };
  routes.add<CreateExperiment>("POST", "/2.0/mlflow/experiments/create",
                               [&](const CreateExperiment& message, const net::Request& request) {
                                 return create(experiments, message, request);
                               });
  routes.add_reading<ExperimentId>("GET", "/2.0/mlflow/experiments/get",
                           [&](const ExperimentId& request) { return get(experiments, request); });
  routes.add_reading<ExperimentName>("GET", "/2.0/mlflow/experiments/get-by-name",
                             [&](const ExperimentName& request) { return get_by_name(experiments, request); });
  for (const char* method : {"GET", "POST"}) {
    routes.add_reading<SearchExperiments>(
        method, "/2.0/mlflow/experiments/search",
        [&](const SearchExperiments& message, const net::Request& request) {
          return search(experiments, message, request);
        },
        filtered_by_handler());
  }
  routes.add<ExperimentId>("POST", "/2.0/mlflow/experiments/delete", change(true));
  routes.add<ExperimentId>("POST", "/2.0/mlflow/experiments/restore", change(false));
  routes.add<UpdateExperiment>("POST", "/2.0/mlflow/experiments/update", [&](const UpdateExperiment& request) {
    check_experiment_name(request.new_name);
    experiments.change(request.experiment_id, {request.new_name, std::nullopt});
    return kEmptyAnswer;
  });
  routes.add<SetExperimentTag>("POST", "/2.0/mlflow/experiments/set-experiment-tag",
                               [&](const SetExperimentTag& request) {
                                 const record::KeyValue tag{request.key, request.value};
                                 check_experiment_tag(tag);
                                 experiments.set_tag(request.experiment_id, tag);
                                 return kEmptyAnswer;
                               });
  routes.add<SetExperimentTag>("POST", "/2.0/mlflow/experiments/delete-experiment-tag",
                               [&](const SetExperimentTag& request) {
                                 experiments.remove_tag(request.experiment_id, request.key);
                                 return kEmptyAnswer;
                               });
  routes.add<SearchDatasets>(
      "POST", "/2.0/mlflow/experiments/search-datasets",
      [&](const SearchDatasets& request) { return search_datasets(experiments, request); }, needs(Role::kViewer));
}

}  // namespace slipway::api
