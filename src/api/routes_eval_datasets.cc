// Sets of examples that applications are evaluated on (mlflow.genai.datasets). Tags and records come and go as JSON
// texts.
#include <fmt/format.h>

#include "api/filter.h"
#include "api/messages.h"
#include "api/page_token.h"
#include "api/routes.h"
#include "api/span_content.h"

namespace slipway::api {
namespace {

constexpr int64_t kPage = 50;
constexpr int64_t kMaxPageSets = 1000;
constexpr int64_t kRecordsPage = 1000;
constexpr int64_t kMaxRecordsPage = 10'000;
constexpr const char* kUserTag = "mlflow.user";

struct CreateSet {
  std::string name;
  std::vector<std::string> experiment_ids;
  std::string tags;
  std::string created_by;
};
struct SetRequest {  // of one set; which fields count depends on the call
  std::string dataset_id;
  std::string key;
  Json tags;
  Json records;
  std::string updated_by;
  std::vector<std::string> experiment_ids;
  std::vector<std::string> dataset_record_ids;
  int64_t max_results = 0;
  std::string page_token;
};
struct SearchSets {
  std::vector<std::string> experiment_ids;
  std::string filter_string;
  int64_t max_results = 0;
  std::vector<std::string> order_by;
  std::string page_token;
};

}  // namespace

template <>
struct Table<CreateSet> {
  using M = CreateSet;
  static constexpr std::array kFields = {field<&M::name>("name", kRequired),
                                         field<&M::experiment_ids>("experiment_ids"), field<&M::tags>("tags"),
                                         field<&M::created_by>("created_by")};
};
template <>
struct Table<SetRequest> {
  using M = SetRequest;
  static constexpr std::array kFields = {field<&M::dataset_id>("dataset_id", kRequired),
                                         field<&M::key>("key"),
                                         field<&M::tags>("tags"),
                                         field<&M::records>("records"),
                                         field<&M::updated_by>("updated_by"),
                                         field<&M::experiment_ids>("experiment_ids"),
                                         field<&M::dataset_record_ids>("dataset_record_ids"),
                                         field<&M::max_results>("max_results"),
                                         field<&M::page_token>("page_token")};
};
template <>
struct Table<SearchSets> {
  using M = SearchSets;
  static constexpr std::array kFields = {
      field<&M::experiment_ids>("experiment_ids"), field<&M::filter_string>("filter_string"),
      field<&M::max_results>("max_results"), field<&M::order_by>("order_by"), field<&M::page_token>("page_token")};
};

namespace {

using record::EvalDataset;
using record::EvalDatasetStore;
using record::EvalRecord;

// A JSON text in a field.
Json parsed(const Json& text, const char* name) {
  if (!text.is_string()) {
    text.is_null() ? missing_parameter(name) : wrong_type(name, text);
  }
  return base::parse_json(text.get_ref<const std::string&>(), name);
}

// Values that are not texts are kept as their JSON.
std::vector<record::KeyValue> tags_of(const Json& object) {
  if (!object.is_object()) {
    wrong_type("tags", object);
  }
  std::vector<record::KeyValue> tags;
  for (const auto& [key, value] : object.items()) {
    tags.push_back({key, value.is_string() ? value.get<std::string>() : python_json_text(value)});
  }
  return tags;
}

Json dataset_json(const EvalDataset& dataset) {
  Json tags = Json::object();
  for (const record::KeyValue& tag : dataset.tags) {
    tags[tag.key] = tag.value;
  }
  Json out = {{"dataset_id", dataset.id}, {"name", dataset.name}, {"tags", python_json_text(tags)}};
  const auto put = [&](const char* key, const std::string& value) {
    if (!value.empty()) {
      out[key] = value;
    }
  };
  put("schema", dataset.schema);
  put("profile", dataset.profile);
  out["digest"] = dataset.digest;
  out["created_time"] = dataset.created_ms;
  out["last_update_time"] = dataset.updated_ms;
  put("created_by", dataset.created_by);
  put("last_updated_by", dataset.updated_by);
  if (!dataset.experiment_ids.empty()) {
    out["experiment_ids"] = dataset.experiment_ids;
  }
  return out;
}

std::string shown(const EvalDataset& dataset) { return base::dump_json({{"dataset", dataset_json(dataset)}}); }

EvalDataset found(EvalDatasetStore& datasets, const std::string& id) {
  auto dataset = datasets.find(id);
  if (!dataset) {
    throw base::Error(base::Code::kNotFound, fmt::format("Evaluation dataset with id '{}' not found", id));
  }
  return *std::move(dataset);
}

std::string create(EvalDatasetStore& datasets, const CreateSet& request) {
  EvalDataset dataset;
  dataset.id = "d-" + record::new_id();
  dataset.name = request.name;
  dataset.digest = dataset.id.substr(2, 8);
  dataset.experiment_ids = request.experiment_ids;
  dataset.created_by = request.created_by;
  if (!request.tags.empty()) {
    dataset.tags = tags_of(parsed(request.tags, "tags"));
  }
  for (const record::KeyValue& tag : dataset.tags) {
    if (tag.key == kUserTag && dataset.created_by.empty()) {
      dataset.created_by = tag.value;
    }
  }
  return shown(datasets.create(std::move(dataset)));
}

std::string search(EvalDatasetStore& datasets, const SearchSets& request) {
  record::Query query;
  query.experiment_ids = request.experiment_ids;
  query.conditions = parse_filter(request.filter_string, eval_dataset_grammar());
  query.order = parse_order(request.order_by, eval_dataset_grammar());
  query.offset = page_offset(request.page_token);
  query.limit = request.max_results == 0 ? kPage : request.max_results;
  if (query.limit < 1 || query.limit > kMaxPageSets) {
    invalid(fmt::format("Invalid value {} for parameter 'max_results' supplied. It must be 1 to {}", query.limit,
                        kMaxPageSets));
  }
  const auto page = datasets.search(query);
  Json answer = Json::object();
  for (const EvalDataset& dataset : page.items) {
    answer["datasets"].push_back(dataset_json(dataset));
  }
  if (page.more) {
    answer["next_page_token"] = page_token(query.offset + query.limit);
  }
  return base::dump_json(answer);
}

std::string user_of(const Json& record) {
  const auto tags = record.find("tags");
  const auto user = tags != record.end() && tags->is_object() ? tags->find(kUserTag) : record.end();
  return tags != record.end() && tags->is_object() && user != tags->end() && user->is_string()
             ? user->get<std::string>()
             : "";
}

std::string put_records(EvalDatasetStore& datasets, const SetRequest& request) {
  const Json list = parsed(request.records, "records");
  if (!list.is_array()) {
    wrong_type("records", list);
  }
  std::vector<EvalRecord> records;
  std::string by = request.updated_by;
  for (const Json& item : list) {
    if (!item.is_object()) {
      invalid("a record of a dataset is an object with 'inputs'");
    }
    records.push_back({"dr-" + record::new_id(), item, 0, 0});
    by = by.empty() ? user_of(item) : by;
  }
  const auto write = datasets.put_records(request.dataset_id, records, by);
  return base::dump_json({{"inserted_count", write.inserted}, {"updated_count", write.updated}});
}

std::string get_records(EvalDatasetStore& datasets, const SetRequest& request) {
  const int64_t limit = request.max_results == 0 ? kRecordsPage : request.max_results;
  if (limit < 1 || limit > kMaxRecordsPage) {
    invalid(fmt::format("Invalid value {} for parameter 'max_results' supplied. It must be 1 to {}", limit,
                        kMaxRecordsPage));
  }
  const int64_t offset = page_offset(request.page_token);
  const auto page = datasets.records(request.dataset_id, offset, limit);
  Json list = Json::array();
  for (const EvalRecord& record : page.items) {
    Json item = record.content;
    item["dataset_id"] = request.dataset_id;
    item["dataset_record_id"] = record.id;
    item["created_time"] = record.created_ms;
    item["last_update_time"] = record.updated_ms;
    if (const std::string user = user_of(record.content); !user.empty()) {
      item["created_by"] = user;
      item["last_updated_by"] = user;
    }
    list.push_back(std::move(item));
  }
  Json answer = {{"records", python_json_text(list)}};
  if (page.more) {
    answer["next_page_token"] = page_token(offset + limit);
  }
  return base::dump_json(answer);
}

std::string set_tags(EvalDatasetStore& datasets, const SetRequest& request) {
  record::EvalDatasetChange change;
  const Json tags = parsed(request.tags, "tags");
  if (!tags.is_object()) {
    wrong_type("tags", tags);
  }
  for (const auto& [key, value] : tags.items()) {
    change.tags.emplace_back(key, value.is_null()     ? std::nullopt
                                  : value.is_string() ? std::optional(value.get<std::string>())
                                                      : std::optional(python_json_text(value)));
  }
  return shown(datasets.change(request.dataset_id, change));
}

}  // namespace

void add_eval_dataset_routes(Routes& routes, Backend& backend) {
  EvalDatasetStore& datasets = backend.store.tracking().server().eval_datasets();
  const std::string base = "/3.0/mlflow/datasets";
  const std::string one = base + "/{dataset_id}";
  const auto add = [&](const char* method, const std::string& path, auto handle, const Permission& permission = {}) {
    routes.add<SetRequest>(method, path,
                           [&datasets, handle](const SetRequest& request) { return handle(datasets, request); }, permission);
  };
  routes.add<CreateSet>("POST", base + "/create", [&](const CreateSet& request) { return create(datasets, request); });
  for (const char* method : {"GET", "POST"}) {
    routes.add<SearchSets>(method, base + "/search",
                           [&](const SearchSets& request) { return search(datasets, request); }, needs(Role::kViewer));
  }
  add("GET", one,
      [](EvalDatasetStore& store, const SetRequest& request) { return shown(found(store, request.dataset_id)); });
  add("DELETE", one, [](EvalDatasetStore& store, const SetRequest& request) {
    store.remove(request.dataset_id);
    return kEmptyAnswer;
  });
  add("PATCH", one + "/tags", set_tags);
  add("DELETE", one + "/tags/{key}", [](EvalDatasetStore& store, const SetRequest& request) {
    record::EvalDatasetChange change;
    change.tags = {{request.key, std::nullopt}};
    return shown(store.change(request.dataset_id, change));
  }, needs(Role::kEditor));
  add("POST", one + "/records", put_records);
  add("GET", one + "/records", get_records);
  add("DELETE", one + "/records", [](EvalDatasetStore& store, const SetRequest& request) {
    return base::dump_json({{"deleted_count", store.remove_records(request.dataset_id, request.dataset_record_ids)}});
  });
  add("GET", one + "/experiment-ids", [](EvalDatasetStore& store, const SetRequest& request) {
    const EvalDataset dataset = found(store, request.dataset_id);
    return dataset.experiment_ids.empty() ? kEmptyAnswer
                                          : base::dump_json({{"experiment_ids", dataset.experiment_ids}});
  });
  add("POST", one + "/add-experiments", [](EvalDatasetStore& store, const SetRequest& request) {
    record::EvalDatasetChange change;
    change.add_experiments = request.experiment_ids;
    return shown(store.change(request.dataset_id, change));
  });
  add("POST", one + "/remove-experiments", [](EvalDatasetStore& store, const SetRequest& request) {
    record::EvalDatasetChange change;
    change.remove_experiments = request.experiment_ids;
    return shown(store.change(request.dataset_id, change));
  });
}

}  // namespace slipway::api
