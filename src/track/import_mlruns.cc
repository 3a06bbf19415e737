// MLflow's file store: a folder for each experiment, in it one for each run, values as files named by their key.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/input.h"
#include "base/yaml.h"
#include "record/trace_json.h"
#include "track/import_mlflow.h"
#include "track/rest.h"

namespace slipway::track {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using record::KeyValue;

constexpr size_t kMaxValue = size_t{1} << 20;
constexpr size_t kMaxTrace = size_t{256} << 20;
constexpr int kMaxDepth = 64;

Json read_yaml(const fs::path& path) { return base::parse_yaml(base::read_file(path, kMaxValue * 32), path.string()).value; }
Json read_meta(const fs::path& folder) { return read_yaml(folder / "meta.yaml"); }

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

struct Line {
  double value = 0;
  int64_t time_ms = 0;
  int64_t step = 0;
  std::vector<std::string> rest;  // of a logged model's: run, name and digest of a dataset
  std::string more(size_t i) const { return i < rest.size() ? rest[i] : std::string(); }
};

// "TIME VALUE [STEP …]" a line; of a logged model "TIME VALUE STEP RUN [DATASET DIGEST]".
std::vector<Line> metric_lines(const fs::path& path, ImportReport& report) {
  std::vector<Line> found;
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
    found.push_back({value, time_ms, step, {words.begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(words.size(), 3)), words.end()}});
  }
  return found;
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
    const std::string name = field_text(meta, "name");
    const std::string id = folder.filename().string();
    if (!sink_.wanted(name)) {
      return;
    }
    if (field_text(meta, "lifecycle_stage") == "deleted") {
      ++sink_.report().skipped["deleted experiments"];
      return;
    }
    sink_.experiment(id, name, field_number(meta, "creation_time"), values_of(folder / "tags"));
    for (const fs::path& run : folders(folder)) {
      const std::string kind = run.filename().string();
      if (kind != "models" && kind != "tags" && kind != "datasets" && kind != "traces" && base::is_file(run / "meta.yaml")) {
        take_run(run, id);
      }
    }
    for (const fs::path& model : folders(folder / "models")) {
      if (base::is_file(model / "meta.yaml")) {
        take_logged_model(model, id);
      }
    }
    for (const auto& [run, uses] : std::exchange(model_uses_, {})) {
      sink_.model_uses(run, uses);
    }
    for (const fs::path& trace : folders(folder / "traces")) {
      if (base::is_file(trace / "trace_info.yaml")) {
        take_trace(trace, id);
      }
    }
  }

  void take_logged_model(const fs::path& folder, const std::string& experiment) {
    const Json meta = read_meta(folder);
    if (field_text(meta, "lifecycle_stage") == "deleted") {
      ++sink_.report().skipped["deleted logged models"];
      return;
    }
    record::LoggedModel model = logged_model(meta);
    model.id = folder.filename().string();
    model.tags = values_of(folder / "tags");
    model.params = values_of(folder / "params");
    const std::string here = sink_.logged_model(model, experiment);
    std::vector<record::LoggedModelMetric> metrics;
    for (const fs::path& file : files_below(folder / "metrics")) {
      for (const Line& line : metric_lines(folder / "metrics" / file, sink_.report())) {
        metrics.push_back({{file.string(), line.value, line.step, line.time_ms}, model.id, line.more(0), line.more(1), line.more(2)});
      }
    }
    sink_.logged_model_metrics(metrics);
    for (const fs::path& file : sink_.options().artifacts ? files_below(folder / "artifacts") : std::vector<fs::path>()) {
      const base::MappedFile map(folder / "artifacts" / file);
      sink_.file(here, file.string(), map.bytes().size(), [&](const auto& piece) { piece(map.bytes()); });
    }
  }

  void take_trace(const fs::path& folder, const std::string& experiment) {
    Json info = read_yaml(folder / "trace_info.yaml");
    info["trace_id"] = folder.filename().string();
    if (const int64_t ms = field_number(info, "execution_duration_ms"); ms > 0) {
      info["execution_duration"] = fmt::format("{}.{:03}s", ms / 1000, ms % 1000);
    }
    info["assessments"] = Json::array();
    for (const fs::path& file : files_below(folder / "assessments")) {
      info["assessments"].push_back(read_yaml(folder / "assessments" / file));
    }
    record::Trace trace = record::trace_from_json(info, 0);
    trace.metadata = values_of(folder / "request_metadata");
    trace.tags = values_of(folder / "tags");
    const fs::path file = folder / "artifacts" / "traces.json";
    const Json content = base::is_file(file) ? base::parse_json(base::read_file(file, kMaxTrace), file.string(), {kMaxTrace, 64}) : Json();
    sink_.trace(trace, field_list(content, "spans"), experiment);
  }

  void take_run(const fs::path& folder, const std::string& experiment) {
    const Json meta = read_meta(folder);
    if (field_text(meta, "lifecycle_stage") == "deleted") {
      ++sink_.report().skipped["deleted runs"];
      return;
    }
    record::TrackedRun run;
    run.id = folder.filename().string();  // digits alone may look like a number in the file
    run.name = field_text(meta, "run_name");
    run.user = field_text(meta, "user_id");
    run.started_ms = field_number(meta, "start_time");
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
      for (const Line& line : metric_lines(folder / "metrics" / file, sink_.report())) {
        import.metric(file.string(), line.value, line.step, line.time_ms);
      }
    }
    take_inputs(folder, import.id());
    if (sink_.options().artifacts) {
      for (const fs::path& file : files_below(folder / "artifacts")) {
        const base::MappedFile map(folder / "artifacts" / file);
        import.file(file.string(), map.bytes());
      }
    }
    import.finish(run_status(meta), field_number(meta, "end_time"));
    if (sink_.options().progress) {
      sink_.options().progress(sink_.report());
    }
  }

  void take_inputs(const fs::path& folder, const std::string& run) {
    record::RunInputs uses;
    record::RunInputs models;
    for (const fs::path& output : folders(folder / "outputs")) {
      const Json meta = read_meta(output);
      models.model_outputs.push_back({field_text(meta, "destination_id"), field_number(meta, "step")});
    }
    for (const fs::path& input : folders(folder / "inputs")) {
      const Json meta = read_meta(input);
      const std::string id = field_text(meta, "source_id");
      const std::string model = field_text(meta, "destination_id");
      if (model.starts_with("m-")) {
        models.model_inputs.push_back({model, 0});
        continue;
      }
      if (id.empty() || id.find('/') != std::string::npos || id.find("..") != std::string::npos) {
        continue;  // names a folder beside: nothing else
      }
      const fs::path place = folder.parent_path() / "datasets" / id;
      if (!base::is_file(place / "meta.yaml")) {
        ++sink_.report().skipped["inputs that are not datasets"];
        continue;
      }
      uses.datasets.push_back({dataset(read_meta(place)), field_pairs(meta, "tags")});
    }
    model_uses_.emplace_back(run, std::move(models));
    if (!uses.datasets.empty()) {
      sink_.store().tracking().runs().add_inputs(run, uses);
    }
  }

  void take_model(const fs::path& folder) {
    const Json meta = read_meta(folder);
    record::RegisteredModel model = registered_model(meta);
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
      record::CatalogVersion version = model_version(read_meta(place));
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
  std::vector<std::pair<std::string, record::RunInputs>> model_uses_;  // of the experiment's runs, until its models are there
};

}  // namespace

void import_mlruns(MlflowSink& sink, const std::string& folder) {
  if (!fs::is_directory(folder)) {
    throw Error(Code::kNotFound, fmt::format("'{}' is not a folder", folder));
  }
  Folder(sink, folder).run();
}

}  // namespace slipway::track
