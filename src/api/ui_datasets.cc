// Dataset versions for the web UI: what there is, the manifest with its statistics, rows page by page, what differs between two.
// docs/formats/dataset.md and store.md specify what is read here: a folder artifact's listing, the manifest, the shards.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <unordered_map>

#include "api/routes.h"
#include "base/file.h"
#include "base/input.h"

namespace slipway::api {
namespace {

constexpr int kMaxListed = 100;
constexpr int64_t kMaxPage = 200;
constexpr int64_t kMaxScanned = 1'000'000;   // rows that one search looks at
constexpr int64_t kMaxCompared = 5'000'000;  // rows of a dataset that is compared: some 50 bytes each
constexpr size_t kMaxExamples = 20;
constexpr base::JsonLimits kManifestLimits{size_t{64} << 20, 20};
constexpr base::JsonLimits kRowLimits{size_t{16} << 20, 20};
constexpr std::array<const char*, 3> kSplitNames = {"train", "validation", "test"};

// The files of a folder artifact, by path.
using Files = std::unordered_map<std::string, std::string>;

struct Dataset {
  record::Artifact artifact;
  Files files;
  std::string digest;  // of the manifest: the version's name
  Json manifest;
};

Json read_json(record::Store& store, const std::string& digest) {
  return base::parse_json(base::read_file(store.artifacts().path_of(digest)), digest, kManifestLimits);
}

Dataset open(record::Store& store, record::Artifact artifact) {
  Dataset dataset;
  const Json listing = read_json(store, artifact.digest);
  for (const Json& file : listing.at("files")) {
    dataset.files.emplace(file.at("path").get<std::string>(), file.at("digest").get<std::string>());
  }
  dataset.artifact = std::move(artifact);
  const auto manifest = dataset.files.find("manifest.json");
  if (manifest == dataset.files.end()) {
    throw base::Error(base::Code::kIntegrity, fmt::format("dataset {} has no manifest.json", dataset.artifact.digest));
  }
  dataset.digest = manifest->second;
  dataset.manifest = read_json(store, manifest->second);
  return dataset;
}

// By the digest of the artifact or of the manifest: the record names datasets by both.
Dataset find(record::Store& store, const std::string& digest) {
  if (auto artifact = store.artifacts().find(digest); artifact && artifact->kind == "dataset" && artifact->folder) {
    return open(store, std::move(*artifact));
  }
  for (record::Artifact& artifact : store.artifacts().list("dataset", kMaxListed)) {
    if (artifact.folder) {
      Dataset dataset = open(store, std::move(artifact));
      if (dataset.digest == digest) {
        return dataset;
      }
    }
  }
  throw base::Error(base::Code::kNotFound, fmt::format("the record has no dataset '{}'", digest));
}

Json summary(const Dataset& dataset) {
  Json splits = Json::object();
  const Json& all = dataset.manifest.at("splits");
  for (const char* name : kSplitNames) {
    if (const auto split = all.find(name); split != all.end()) {
      splits[name] = split->at("rows");
    }
  }
  return {{"digest", dataset.digest},
          {"artifact", dataset.artifact.digest},
          {"name", dataset.manifest.at("name")},
          {"rows", dataset.manifest.at("rows")},
          {"labels", dataset.manifest.at("labels")},
          {"splits", std::move(splits)},
          {"size", dataset.artifact.size},
          {"created_ms", dataset.artifact.created_ms}};
}

// Those that the caller may see, of the newest: perhaps fewer than there are.
Json list(Backend& backend, const net::Request& request) {
  record::Store& store = backend.store;
  Json datasets = Json::array();
  for (record::Artifact& artifact : store.artifacts().list("dataset", kMaxListed)) {
    Subjects subjects;
    subjects.digests.push_back(artifact.digest);
    if (artifact.folder && (backend.authority == nullptr || backend.authority->may_read(request, subjects))) {
      datasets.push_back(summary(open(store, std::move(artifact))));
    }
  }
  return {{"datasets", std::move(datasets)}};
}

Json page(record::Store& store, const std::string& digest) {
  Dataset dataset = find(store, digest);
  Json answer = summary(dataset);
  for (Json& source : dataset.manifest["sources"]) {
    source.erase("files");  // up to 10,000 of them each
  }
  answer["manifest"] = std::move(dataset.manifest);
  return answer;
}

// Calls `take` with each line of a split until it says false.
template <class Take>
void each_line(record::Store& store, const Dataset& dataset, const std::string& split, const Take& take) {
  const Json& splits = dataset.manifest.at("splits");
  const auto found = splits.find(split);
  if (found == splits.end()) {
    return;
  }
  for (const Json& shard : found->at("shards")) {
    const auto file = dataset.files.find(shard.at("file").get<std::string>());
    if (file == dataset.files.end()) {
      throw base::Error(base::Code::kIntegrity,
                        fmt::format("dataset {} lacks {}", dataset.digest, shard.at("file").get<std::string>()));
    }
    base::LineReader lines(store.artifacts().path_of(file->second));
    std::string_view line;
    while (lines.next(line)) {
      if (!take(line)) {
        return;
      }
    }
  }
}

int64_t number(const net::Request& request, std::string_view name, int64_t otherwise, int64_t most) {
  const std::string_view text = request.query_value(name);
  if (text.empty()) {
    return otherwise;
  }
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > most) {
    invalid(fmt::format("'{}' must be a number from 0 to {}", name, most));
  }
  return value;
}

// Rows from `offset` on of those that hold `text` and have the label; scanned says how far it looked.
Json rows(record::Store& store, const net::Request& request) {
  const Dataset dataset = find(store, std::string(request.param("digest")));
  const std::string split(request.query_value("split").empty() ? "train" : request.query_value("split"));
  const int64_t offset = number(request, "offset", 0, INT64_MAX);
  const int64_t limit = number(request, "limit", 50, kMaxPage);
  const std::string_view text = request.query_value("text");
  const std::string_view label = request.query_value("label");
  Json found = Json::array();
  int64_t matched = 0;
  int64_t scanned = 0;
  bool more = false;
  each_line(store, dataset, split, [&](std::string_view line) {
    if ((!text.empty() || !label.empty()) && ++scanned > kMaxScanned) {
      more = true;
      return false;
    }
    Json row;
    if (!text.empty() || !label.empty()) {
      row = base::parse_json(line, "a row", kRowLimits);
      if ((!text.empty() && row.at("text").get_ref<const std::string&>().find(text) == std::string::npos) ||
          (!label.empty() && row.at("label").get_ref<const std::string&>() != label)) {
        return true;
      }
    }
    if (matched++ < offset) {
      return true;
    }
    if (static_cast<int64_t>(found.size()) == limit) {
      more = true;
      return false;
    }
    found.push_back(row.is_null() ? base::parse_json(line, "a row", kRowLimits) : std::move(row));
    return true;
  });
  return {{"rows", std::move(found)}, {"more", more}, {"cut", scanned > kMaxScanned}};
}

struct Place {
  uint8_t split;
  std::string label;
  bool kept = false;  // the other dataset has it too
};

// What happened to rows from one dataset to the other, by their ids.
class Comparison {
 public:
  Comparison(record::Store& store, const Dataset& from, const Dataset& to) {
    walk(store, from, [&](std::string id, Place place, const Json&) { before_.emplace(std::move(id), std::move(place)); });
    walk(store, to, [&](const std::string& id, const Place& place, const Json& row) { meet(id, place, row); });
    walk(store, from, [&](const std::string& id, const Place&, const Json& row) {
      if (!before_.at(id).kept) {
        count("removed", row);
      }
    });
  }
  Json take() { return std::move(answer_); }

 private:
  template <class Take>
  static void walk(record::Store& store, const Dataset& dataset, const Take& take) {
    if (dataset.manifest.at("rows").get<int64_t>() > kMaxCompared) {
      invalid(fmt::format("dataset {} has {} rows; at most {} are compared here", dataset.digest,
                          dataset.manifest.at("rows").get<int64_t>(), kMaxCompared));
    }
    for (uint8_t split = 0; split < kSplitNames.size(); ++split) {
      each_line(store, dataset, kSplitNames[split], [&](std::string_view line) {
        const Json row = base::parse_json(line, "a row", kRowLimits);
        take(row.at("id").get<std::string>(), Place{split, row.at("label").get<std::string>(), false}, row);
        return true;
      });
    }
  }
  void meet(const std::string& id, const Place& place, const Json& row) {
    const auto known = before_.find(id);
    if (known == before_.end()) {
      count("added", row);
      return;
    }
    if (known->second.kept) {
      return;  // equal texts of one source share their id
    }
    known->second.kept = true;
    if (known->second.split != place.split) {
      count("moved", row);
    }
    if (known->second.label != place.label) {
      count("relabelled", row);
    }
  }
  void count(const char* what, const Json& row) {
    Json& part = answer_[what];
    part["rows"] = part["rows"].get<int64_t>() + 1;
    if (part["examples"].size() < kMaxExamples) {
      part["examples"].push_back({{"id", row.at("id")}, {"text", row.at("text")}, {"label", row.at("label")}});
    }
  }

  static Json nothing() { return {{"rows", int64_t{0}}, {"examples", Json::array()}}; }
  std::unordered_map<std::string, Place> before_;
  Json answer_ = {{"added", nothing()}, {"removed", nothing()}, {"moved", nothing()}, {"relabelled", nothing()}};
};

}  // namespace

void add_ui_dataset_routes(Routes& routes, Backend& backend) {
  record::Store& store = backend.store;
  const Permission by_digest = on([](const net::Request& request) {
    Subjects subjects;
    subjects.digests.emplace_back(request.param("digest"));
    if (const std::string_view from = request.query_value("from"); !from.empty()) {
      subjects.digests.emplace_back(from);
    }
    return subjects;
  });
  routes.add_raw(
      "GET", "/ui/datasets", [&backend](const net::Request& request) { return net::json_response(list(backend, request)); },
      filtered_by_handler());
  routes.add_raw(
      "GET", "/ui/datasets/{digest}",
      [&store](const net::Request& request) { return net::json_response(page(store, std::string(request.param("digest")))); },
      by_digest);
  routes.add_raw(
      "GET", "/ui/datasets/{digest}/rows",
      [&store](const net::Request& request) { return net::json_response(rows(store, request)); }, by_digest);
  routes.add_raw(
      "GET", "/ui/datasets/{digest}/diff",
      [&store](const net::Request& request) {
        const Dataset to = find(store, std::string(request.param("digest")));
        const Dataset from = find(store, std::string(request.query_value("from")));
        return net::json_response(Comparison(store, from, to).take());
      },
      by_digest);
}

}  // namespace slipway::api
