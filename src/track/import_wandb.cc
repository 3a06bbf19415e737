#include "track/import_wandb.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <set>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/input.h"
#include "data/csv.h"
#include "track/rest.h"
#include "track/wandb_file.h"

namespace slipway::track {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr size_t kMaxJson = size_t{1} << 30;
constexpr int kMaxDepth = 16;  // of nested values

// Numbers within a value, by key: {"a": {"b": 1}} gives "key.a.b".
void numbers_of(const Json& value, const std::string& key, int depth, std::vector<std::pair<std::string, double>>& out,
                ImportReport& report) {
  if (value.is_number()) {
    out.emplace_back(key, value.get<double>());
  } else if (value.is_boolean()) {
    out.emplace_back(key, value.get<bool>() ? 1 : 0);
  } else if (value == "NaN" || value == "Infinity" || value == "-Infinity") {
    out.emplace_back(key, number_from_json(value, key));
  } else if (value.is_object() && !value.contains("_type") && depth < kMaxDepth) {
    for (auto it = value.begin(); it != value.end(); ++it) {
      numbers_of(it.value(), key + "." + it.key(), depth + 1, out, report);
    }
  } else if (!value.is_null()) {
    ++report.skipped["values that are not numbers (texts, media, lists)"];
  }
}

bool is_axis(const std::string& key) { return key.starts_with("_") || key == "Step"; }  // "_step", "_runtime", "_timestamp", …

int64_t milliseconds(double seconds) { return std::isfinite(seconds) && seconds > 0 && seconds < 1e12 ? std::llround(seconds * 1000) : 0; }

// One row of a history.
void log_row(RunImport& run, ImportReport& report, const std::vector<std::pair<std::string, Json>>& row, int64_t step,
             int64_t fallback_ms, std::set<std::string>* keys) {
  int64_t time_ms = fallback_ms;
  for (const auto& [key, value] : row) {
    if (key == "_timestamp" && value.is_number()) {
      time_ms = milliseconds(value.get<double>());
    } else if ((key == "_step" || key == "Step") && value.is_number()) {
      step = static_cast<int64_t>(value.get<double>());
    }
  }
  std::vector<std::pair<std::string, double>> numbers;
  for (const auto& [key, value] : row) {
    if (!is_axis(key)) {
      numbers_of(value, key, 0, numbers, report);
    }
  }
  for (const auto& [key, number] : numbers) {
    run.metric(key, number, step, time_ms);
    if (keys != nullptr) {
      keys->insert(key);
    }
  }
}

Json json_of(const std::string& text, const std::string& source) {
  // W&B writes NaN and Infinity bare.
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") {
    return text;
  }
  return base::parse_json(text, source);
}

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : base::dump_json(value); }

// Parameters of a configuration, nested ones as "a.b"; {"value": x, "desc": …} is x.
void log_config(RunImport& run, const std::string& key, const Json& value, int depth) {
  if (key.starts_with("_wandb")) {
    return;
  }
  if (value.is_object() && value.contains("value") && value.size() <= 2 && depth == 0) {
    log_config(run, key, value["value"], 1);
  } else if (value.is_object() && !value.empty() && depth < kMaxDepth) {
    for (auto it = value.begin(); it != value.end(); ++it) {
      log_config(run, key + "." + it.key(), it.value(), depth + 1);
    }
  } else {
    run.param(key, text_of(value));
  }
}

void log_files(RunImport& run, const fs::path& folder) {
  if (!fs::is_directory(folder)) {
    return;
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && !entry.is_symlink()) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    const base::MappedFile map(file);
    run.file(file.lexically_relative(folder).string(), map.bytes());
  }
}

ImportReport import_offline(record::Store& store, const fs::path& path, const WandbOptions& options) {
  const base::MappedFile map(path);
  ImportReport report;
  std::optional<RunImport> run;
  std::map<std::string, std::string> config;
  std::map<std::string, std::string> summary;
  std::set<std::string> keys;
  int64_t last_ms = 0;
  int64_t step = 0;
  auto status = record::RunStatus::kRunning;
  WandbFile file(map.bytes(), path.string());
  WandbRecord entry;
  while (file.next(entry)) {
    if (entry.run && !run) {
      const WandbRecord::Run& told = *entry.run;
      record::TrackedRun wanted;
      const std::string experiment = !options.experiment.empty() ? options.experiment : told.project.empty() ? "wandb" : told.project;
      report.experiments = store.tracking().experiments().find_by_name(experiment) ? 0 : 1;
      wanted.experiment_id = ensure_experiment(store.tracking(), experiment, told.started_ms);
      wanted.id = derived_run_id({"wandb", told.project, told.id});
      wanted.name = told.name.empty() ? told.id : told.name;
      wanted.started_ms = last_ms = told.started_ms;
      wanted.tags = {{"slipway.source", "wandb"}, {"wandb.run_id", told.id}};
      run.emplace(store.tracking(), report, wanted);
      for (const auto& [key, value] : {std::pair{"mlflow.note.content", told.notes}, {"wandb.group", told.group},
                                       {"wandb.job_type", told.job_type}, {"wandb.host", told.host}}) {
        if (!value.empty()) {
          run->tag(key, value);
        }
      }
      for (const std::string& tag : told.tags) {
        run->tag("wandb.tag." + tag, "true");
      }
    }
    for (auto& [key, value] : entry.config) {
      config[key] = std::move(value);
    }
    for (auto& [key, value] : entry.summary) {
      summary[key] = std::move(value);
    }
    if (run && !entry.history.empty()) {
      std::vector<std::pair<std::string, Json>> row;
      for (const auto& [key, value] : entry.history) {
        row.emplace_back(key, json_of(value, path.string()));
        if (key == "_timestamp" && row.back().second.is_number()) {
          last_ms = std::max(last_ms, milliseconds(row.back().second.get<double>()));
        }
      }
      step = entry.step;
      log_row(*run, report, row, step, last_ms, &keys);
    }
    if (entry.exit_code) {
      status = *entry.exit_code == 0 ? record::RunStatus::kFinished : record::RunStatus::kFailed;
    }
  }
  if (!run) {
    throw Error(Code::kInvalid, fmt::format("'{}' does not tell what run it is of", path.string()));
  }
  for (const auto& [key, value] : config) {
    log_config(*run, key, json_of(value, path.string()), 0);
  }
  // What a script put into the summary alone.
  for (const auto& [key, value] : summary) {
    std::vector<std::pair<std::string, double>> numbers;
    if (!is_axis(key) && !keys.contains(key)) {
      numbers_of(json_of(value, path.string()), key, 0, numbers, report);
    }
    for (const auto& [name, number] : numbers) {
      if (!keys.contains(name)) {
        run->metric(name, number, step, last_ms);
      }
    }
  }
  if (file.damaged() > 0) {
    report.skipped["damaged records"] += static_cast<int64_t>(file.damaged());
  }
  log_files(*run, path.parent_path() / "files");
  run->finish(status, status == record::RunStatus::kRunning ? 0 : last_ms);
  return report;
}

// A run of a file that tells no more than a history.
RunImport begin_table(record::Store& store, ImportReport& report, const fs::path& path, const WandbOptions& options,
                      const std::string& series) {
  const int64_t now = base::SystemClock().unix_ms();
  const std::string experiment = options.experiment.empty() ? "wandb" : options.experiment;
  record::TrackedRun run;
  report.experiments += store.tracking().experiments().find_by_name(experiment) ? 0 : 1;
  run.experiment_id = ensure_experiment(store.tracking(), experiment, now);
  run.name = !series.empty() ? series : options.name.empty() ? path.stem().string() : options.name;
  run.id = derived_run_id({"wandb-export", experiment, run.name});
  run.started_ms = now;
  run.tags = {{"slipway.source", "wandb"}};
  return {store.tracking(), report, run};
}

Json cell_json(std::string_view text) {
  if (text.empty()) {
    return nullptr;
  }
  char* end = nullptr;
  const std::string copy(text);
  const double value = std::strtod(copy.c_str(), &end);
  return *end == '\0' ? number_json(value) : Json(copy);
}

ImportReport import_csv(record::Store& store, const fs::path& path, const WandbOptions& options) {
  base::Input input(path);
  data::CsvReader reader([&](char* buffer, size_t capacity) { return input.read(buffer, capacity); }, path.string(), {});
  std::vector<std::string_view> fields;
  if (!reader.next(fields)) {
    throw Error(Code::kInvalid, fmt::format("'{}' is empty", path.string()));
  }
  const std::vector<std::string> names(fields.begin(), fields.end());
  const auto is_step = [](const std::string& name) { return name == "_step" || name == "Step"; };
  if (std::none_of(names.begin(), names.end(), is_step)) {
    throw Error(Code::kInvalid, fmt::format("'{}' is not a history of W&B: it has no column '_step' or 'Step'", path.string()));
  }
  ImportReport report;
  // The web page's export has a column "RUN - METRIC" for each run, and its smallest and largest values.
  std::map<std::string, RunImport> runs;
  constexpr std::string_view kBetween = " - ";
  while (reader.next(fields)) {
    std::map<std::string, std::vector<std::pair<std::string, Json>>> rows;
    Json step = 0;
    for (size_t i = 0; i < std::min(fields.size(), names.size()); ++i) {
      const size_t between = names[i].find(kBetween);
      if (is_step(names[i])) {
        step = cell_json(fields[i]);
      } else if (names[i].ends_with("__MIN") || names[i].ends_with("__MAX")) {
        continue;
      } else if (between == std::string::npos) {
        rows[""].emplace_back(names[i], cell_json(fields[i]));
      } else {
        rows[names[i].substr(0, between)].emplace_back(names[i].substr(between + kBetween.size()), cell_json(fields[i]));
      }
    }
    for (auto& [series, row] : rows) {
      auto run = runs.find(series);
      if (run == runs.end()) {
        run = runs.emplace(series, begin_table(store, report, path, options, series)).first;
      }
      log_row(run->second, report, row, step.is_number() ? static_cast<int64_t>(step.get<double>()) : 0, 0, nullptr);
    }
  }
  for (auto& [series, run] : runs) {
    run.finish(record::RunStatus::kFinished, base::SystemClock().unix_ms());
  }
  return report;
}

ImportReport import_json(record::Store& store, const fs::path& path, const WandbOptions& options, bool lines) {
  ImportReport report;
  RunImport run = begin_table(store, report, path, options, "");
  int64_t number = 0;
  const auto take = [&](const Json& row, const std::string& source) {
    if (!row.is_object()) {
      throw Error(Code::kInvalid, fmt::format("{}: a row of a history is an object", source));
    }
    std::vector<std::pair<std::string, Json>> cells;
    for (auto it = row.begin(); it != row.end(); ++it) {
      cells.emplace_back(it.key(), it.value());
    }
    log_row(run, report, cells, number++, 0, nullptr);
  };
  if (lines) {
    base::LineReader reader(path);
    std::string_view line;
    while (reader.next(line)) {
      const std::string source = fmt::format("{}:{}", path.string(), reader.line_number());
      if (!line.empty()) {
        take(base::parse_json(line, source), source);
      }
    }
  } else {
    const Json all = base::parse_json(base::read_file(path, kMaxJson), path.string(), {kMaxJson, 64});
    for (const Json& row : all) {
      take(row, path.string());
    }
  }
  run.finish(record::RunStatus::kFinished, base::SystemClock().unix_ms());
  return report;
}

}  // namespace

ImportReport import_wandb(record::Store& store, const fs::path& path, const WandbOptions& options) {
  std::string head(64, '\0');
  head.resize(base::Input(path).read(head.data(), head.size()));
  const size_t first = head.find_first_not_of(" \t\r\n");
  if (head.starts_with(":W&B")) {
    return import_offline(store, path, options);
  }
  if (first != std::string::npos && (head[first] == '[' || head[first] == '{')) {
    return import_json(store, path, options, head[first] == '{');
  }
  return import_csv(store, path, options);
}

}  // namespace slipway::track
