#include "track/import_tensorboard.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "track/event_file.h"

namespace slipway::track {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr size_t kMaxFiles = 1'000'000;
constexpr int kMaxDepth = 64;

// Folder, relative to the root -> its event files, by name.
std::map<std::string, std::vector<fs::path>> event_files(const fs::path& root) {
  std::map<std::string, std::vector<fs::path>> runs;
  size_t count = 0;
  for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator(); ++it) {
    if (it.depth() > kMaxDepth || ++count > kMaxFiles) {
      throw Error(Code::kInvalid, fmt::format("'{}' has too many files or folders for a folder of logs", root.string()));
    }
    if (it->is_regular_file() && it->path().filename().string().find("tfevents") != std::string::npos) {
      runs[it->path().parent_path().lexically_relative(root).string()].push_back(it->path());
    }
  }
  for (auto& [folder, files] : runs) {
    std::sort(files.begin(), files.end());
  }
  return runs;
}

int64_t milliseconds(double seconds) {
  return std::isfinite(seconds) && seconds > 0 && seconds < 1e12 ? static_cast<int64_t>(std::llround(seconds * 1000)) : 0;
}

const char* image_suffix(std::string_view bytes) {
  return bytes.starts_with("\x89PNG") ? "png" : bytes.starts_with("\xFF\xD8") ? "jpg" : bytes.starts_with("GIF8") ? "gif" : "bin";
}

class RunReader {
 public:
  RunReader(RunImport& run, ImportReport& report) : run_(run), report_(report) {}

  void read(const fs::path& path) {
    const base::MappedFile map(path);
    EventFile file(map.bytes(), path.string());
    Event event;
    while (file.next(event)) {
      last_ms_ = std::max(last_ms_, milliseconds(event.wall_time));
      for (const SummaryValue& value : event.values) {
        take(event, value, path);
      }
    }
    if (file.damaged() > 0) {
      report_.skipped["damaged events"] += static_cast<int64_t>(file.damaged());
    }
    if (file.torn()) {
      ++report_.skipped["files that end within an event"];
    }
  }
  int64_t last_ms() const noexcept { return last_ms_; }
  record::RunStatus status() const noexcept { return status_; }

 private:
  void take(const Event& event, const SummaryValue& value, const fs::path& path) {
    const std::string tag(value.tag);
    if (value.plugin == "hparams" || tag.starts_with("_hparams_/")) {
      const HparamsContent content = parse_hparams(value.plugin_content, path.string());
      for (const auto& [key, text] : content.values) {
        run_.param(key, text);
      }
      if (content.end_status) {
        status_ = *content.end_status == 2 ? record::RunStatus::kFailed : record::RunStatus::kFinished;
      }
    } else if (value.plugin == "text") {
      const std::string path_in_run = fmt::format("text/{}/{}", tag, event.step);
      std::string all;
      for (const std::string_view text : value.texts) {
        all += (all.empty() ? "" : "\n") + std::string(text);
      }
      run_.file(path_in_run + ".md", all);
    } else if (value.plugin == "images" || !value.image.empty()) {
      take_images(event, value, tag);
    } else if (value.scalar) {
      run_.metric(tag, *value.scalar, event.step, milliseconds(event.wall_time));
    } else if (!tag.empty()) {
      ++report_.skipped[fmt::format("values of the plugin '{}'", value.plugin.empty() ? "none" : value.plugin)];
    }
  }

  void take_images(const Event& event, const SummaryValue& value, const std::string& tag) {
    std::vector<std::string_view> images(value.texts.begin() + (value.texts.size() < 2 ? 0 : 2), value.texts.end());
    if (!value.image.empty()) {
      images = {value.image};
    }
    for (size_t i = 0; i < images.size(); ++i) {
      run_.file(fmt::format("images/{}/{}{}.{}", tag, event.step, images.size() > 1 ? fmt::format("-{}", i) : "",
                            image_suffix(images[i])),
                images[i]);
    }
  }

  RunImport& run_;
  ImportReport& report_;
  int64_t last_ms_ = 0;
  record::RunStatus status_ = record::RunStatus::kFinished;
};

int64_t first_time(const fs::path& path) {
  const base::MappedFile map(path);
  EventFile file(map.bytes(), path.string());
  Event event;
  return file.next(event) ? milliseconds(event.wall_time) : 0;
}

}  // namespace

ImportReport import_tensorboard(record::Store& store, const fs::path& wanted, const TensorboardOptions& options) {
  fs::path root = fs::absolute(wanted).lexically_normal();
  if (root.filename().empty()) {
    root = root.parent_path();
  }
  if (!fs::is_directory(root)) {
    throw Error(Code::kNotFound, fmt::format("'{}' is not a folder", root.string()));
  }
  const auto runs = event_files(root);
  if (runs.empty()) {
    throw Error(Code::kNotFound, fmt::format("'{}' has no event files (events.out.tfevents.…)", root.string()));
  }
  ImportReport report;
  const std::string name = options.experiment.empty() ? root.filename().string() : options.experiment;
  report.experiments = store.tracking().experiments().find_by_name(name) ? 0 : 1;
  for (const auto& [folder, files] : runs) {
    record::TrackedRun run;
    run.started_ms = first_time(files.front());
    run.experiment_id = ensure_experiment(store.tracking(), name, run.started_ms);
    // The first file's name tells time, host and process: the same run wherever its folder lies.
    run.id = derived_run_id({"tensorboard", folder, files.front().filename().string()});
    run.name = folder == "." ? root.filename().string() : folder;
    run.tags = {{"slipway.source", "tensorboard"}};
    RunImport import(store.tracking(), report, run);
    RunReader reader(import, report);
    for (const fs::path& file : files) {
      reader.read(file);
    }
    import.finish(reader.status(), reader.last_ms());
  }
  return report;
}

}  // namespace slipway::track
