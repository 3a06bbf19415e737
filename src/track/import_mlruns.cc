// MLflow's file store: a folder for each experiment, in it one for each run, values as files named by their key.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/input.h"
#include "base/yaml.h"
#include "track/import_mlflow.h"
#include "track/rest.h"

namespace slipway::track {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using record::KeyValue;

constexpr size_t kMaxValue = size_t{1} << 20;
constexpr int kMaxDepth = 64;

Json read_meta(const fs::path& folder) {
  const fs::path path = folder / "meta.yaml";
  return base::parse_yaml(base::read_file(path, kMaxValue * 32), path.string()).value;
}

// A value as text, whatever YAML took it for.
std::string text(const Json& meta, const char* key) {
  const auto found = meta.find(key);
  if (found == meta.end() || found->is_null()) {
    return "";
  }
  return found->is_string() ? found->get<std::string>() : base::dump_json(*found);
}
int64_t number(const Json& meta, const char* key) {
  const auto found = meta.find(key);
  return found != meta.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
}

// Regular files below, by relative path; links are not followed.
std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  if (!fs::is_directory(folder)) {
    return files;
  }
  for (auto it = fs::recursive_directory_iterator(folder); it != fs::recursive_directory_iterator(); ++it) {
    if (it.depth() > kMaxDepth) {
      throw Error(Code::kInvalid, fmt::format("'{}' is deeper than {} folders", folder.string(), kMaxDepth));
    }
    if (it->is_regular_file() && !it->is_symlink()) {
      files.push_back(it->path().lexically_relative(folder));
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<KeyValue> values_of(const fs::path& folder) {
  std::vector<KeyValue> values;
  for (const fs::path& file : files_below(folder)) {
    values.push_back({file.string(), base::read_file(folder / file, kMaxValue)});
  }
  return values;
}

record::RunStatus status_of(int64_t status) {  // RunStatus of MLflow's service.proto
  return status == 3   ? record::RunStatus::kFinished
         : status == 4 ? record::RunStatus::kFailed
         : status == 5 ? record::RunStatus::kKilled
                       : record::RunStatus::kRunning;
}

// "TIME VALUE [STEP …]" a line.
void read_metric(const fs::path& path, const std::string& key, RunImport& run, ImportReport& report) {
  base::LineReader lines(path);
  std::string_view line;
  while (lines.next(line)) {
    const std::string copy(line);
    std::vector<std::string> words;
    for (size_t at = 0; at < copy.size();) {
      const size_t end = std::min(copy.find(' ', at), copy.size());
      if (end > at) {
        words.push_back(copy.substr(at, end - at));
      }
      at = end + 1;
    }
    char* time_end = nullptr;
    char* value_end = nullptr;
    char* step_end = nullptr;
    const int64_t time_ms = words.empty() ? 0 : std::strtoll(words[0].c_str(), &time_end, 10);
    const double value = words.size() < 2 ? 0 : std::strtod(words[1].c_str(), &value_end);
    const int64_t step = words.size() < 3 ? 0 : std::strtoll(words[2].c_str(), &step_end, 10);
    if (words.size() < 2 || *time_end != '\0' || *value_end != '\0' || (step_end != nullptr && *step_end != '\0')) {
      ++report.skipped["lines of metrics that are not a time, a value and a step"];
      continue;
    }
    run.metric(key, value, step, time_ms);
  }
}

class Folder {
 public:
  Folder(MlflowSink& sink, fs::path root) : sink_(sink), root_(std::move(root)) {}

  void run() {
    bool any = false;
    for (const fs::path& folder : folders(root_)) {
      if (folder.filename() != "models" && base::is_file(folder / "meta.yaml")) {
        any = true;
        take_experiment(folder);
      }
    }
    if (!any) {
      throw Error(Code::kInvalid, fmt::format("'{}' is not an mlruns folder: no experiment (meta.yaml) is in it", root_.string()));
    }
    for (const fs::path& folder : folders(root_ / "models")) {
      if (base::is_file(folder / "meta.yaml")) {
        take_model(folder);
      }
    }
  }

 private:
  static std::vector<fs::path> folders(const fs::path& parent) {
    std::vector<fs::path> found;
    if (fs::is_directory(parent)) {
      for (const auto& entry : fs::directory_iterator(parent)) {
        if (entry.is_directory() && !entry.is_symlink() && !entry.path().filename().string().starts_with('.')) {
          found.push_back(entry.path());
        }
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  void take_experiment(const fs::path& folder) {
    const Json meta = read_meta(folder);
    const std::string name = text(meta, "name");
    const std::string id = folder.filename().string();
    if (!sink_.wanted(name)) {
      return;
    }
    if (text(meta, "lifecycle_stage") == "deleted") {
      ++sink_.report().skipped["deleted experiments"];
      return;
    }
    sink_.experiment(id, name, number(meta, "creation_time"), values_of(folder / "tags"));
    for (const fs::path& run : folders(folder)) {
      const std::string kind = run.filename().string();
      if (kind == "models") {
        sink_.report().skipped["logged models"] += static_cast<int64_t>(folders(run).size());
      } else if (kind != "tags" && kind != "datasets" && kind != "traces" && base::is_file(run / "meta.yaml")) {
        take_run(run, id);
      }
    }
  }

  void take_run(const fs::path& folder, const std::string& experiment) {
    const Json meta = read_meta(folder);
    if (text(meta, "lifecycle_stage") == "deleted") {
      ++sink_.report().skipped["deleted runs"];
      return;
    }
    record::TrackedRun run;
    run.id = folder.filename().string();  // digits alone may look like a number in the file
    run.name = text(meta, "run_name");
    run.user = text(meta, "user_id");
    run.started_ms = number(meta, "start_time");
    RunImport import = sink_.begin_run(run, experiment);
    for (const KeyValue& tag : values_of(folder / "tags")) {
      if (tag.key != record::kRunNameTag || run.name.empty()) {
        import.tag(tag.key, tag.value);
      }
    }
    for (const KeyValue& param : values_of(folder / "params")) {
      import.param(param.key, param.value);
    }
    for (const fs::path& file : files_below(folder / "metrics")) {
      read_metric(folder / "metrics" / file, file.string(), import, sink_.report());
    }
    take_inputs(folder, import.id());
    if (sink_.options().artifacts) {
      for (const fs::path& file : files_below(folder / "artifacts")) {
        const base::MappedFile map(folder / "artifacts" / file);
        import.file(file.string(), map.bytes());
      }
    }
    import.finish(status_of(number(meta, "status")), number(meta, "end_time"));
    if (sink_.options().progress) {
      sink_.options().progress(sink_.report());
    }
  }

  void take_inputs(const fs::path& folder, const std::string& run) {
    record::RunInputs uses;
    for (const fs::path& input : folders(folder / "inputs")) {
      const Json meta = read_meta(input);
      const std::string id = text(meta, "source_id");
      if (id.empty() || id.find('/') != std::string::npos || id.find("..") != std::string::npos) {
        continue;  // names a folder beside: nothing else
      }
      const fs::path place = folder.parent_path() / "datasets" / id;
      if (!base::is_file(place / "meta.yaml")) {
        ++sink_.report().skipped["inputs that are not datasets"];
        continue;
      }
      const Json dataset = read_meta(place);
      record::DatasetUse use;
      use.dataset = {text(dataset, "name"),   text(dataset, "digest"), text(dataset, "source_type"),
                     text(dataset, "source"), text(dataset, "schema"), text(dataset, "profile")};
      const auto tags = meta.find("tags");
      if (tags != meta.end() && tags->is_object()) {
        for (auto it = tags->begin(); it != tags->end(); ++it) {
          use.tags.push_back({it.key(), text(*tags, it.key().c_str())});
        }
      }
      uses.datasets.push_back(std::move(use));
    }
    if (!uses.datasets.empty()) {
      sink_.store().tracking().runs().add_inputs(run, uses);
    }
  }

  void take_model(const fs::path& folder) {
    const Json meta = read_meta(folder);
    record::RegisteredModel model;
    model.name = text(meta, "name");
    model.description = text(meta, "description");
    model.created_ms = number(meta, "creation_timestamp");
    model.updated_ms = number(meta, "last_updated_timestamp");
    model.tags = values_of(folder / "tags");
    for (const KeyValue& alias : values_of(folder / "aliases")) {
      model.aliases.emplace_back(alias.key, std::atoi(alias.value.c_str()));
    }
    std::vector<record::CatalogVersion> versions;
    std::vector<std::vector<KeyValue>> tags;
    for (const fs::path& place : folders(folder)) {
      if (!place.filename().string().starts_with("version-") || !base::is_file(place / "meta.yaml")) {
        continue;
      }
      const Json entry = read_meta(place);
      record::CatalogVersion version;
      version.version = std::atoi(text(entry, "version").c_str());
      version.source = text(entry, "source");
      version.run_id = text(entry, "run_id");
      version.run_link = text(entry, "run_link");
      version.description = text(entry, "description");
      version.stage = text(entry, "current_stage");
      version.created_ms = number(entry, "creation_timestamp");
      version.updated_ms = number(entry, "last_updated_timestamp");
      if (version.stage == "Deleted_Internal") {
        ++sink_.report().skipped["deleted versions"];
        continue;
      }
      if (version.version < 1) {
        continue;
      }
      versions.push_back(std::move(version));
      tags.push_back(values_of(place / "tags"));
    }
    sink_.model(model, std::move(versions), tags);
  }

  MlflowSink& sink_;
  const fs::path root_;
};

}  // namespace

void import_mlruns(MlflowSink& sink, const std::string& folder) {
  if (!fs::is_directory(folder)) {
    throw Error(Code::kNotFound, fmt::format("'{}' is not a folder", folder));
  }
  Folder(sink, folder).run();
}

}  // namespace slipway::track
