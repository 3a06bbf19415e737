#include "track/importer.h"

#include <cmath>
#include <fmt/format.h>
#include <limits>

#include "base/error.h"
#include "base/hash.h"

namespace slipway::track {
namespace {

using base::Code;
using base::Error;

constexpr size_t kBatch = 20'000;  // records in one transaction
constexpr size_t kMaxKey = 250;
constexpr size_t kMaxParam = 6000;  // MLflow's limits, which cut
constexpr size_t kMaxTag = 8000;

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' ||
         c == ' ' || c == ':' || c == '/';
}

// Cut between characters.
std::string cut(const std::string& text, size_t size) {
  if (text.size() <= size) {
    return text;
  }
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) {
    --size;
  }
  return text.substr(0, size);
}

}  // namespace

std::string ensure_experiment(record::Tracking& tracking, const std::string& name, int64_t now_ms) {
  for (const bool again : {false, true}) {
    if (const auto found = tracking.experiments().find_by_name(name)) {
      if (found->deleted) {
        throw Error(Code::kInvalid, fmt::format("the experiment '{}' was deleted; restore it, or name another", name));
      }
      return found->id;
    }
    try {
      record::Experiment experiment;
      experiment.name = name;
      experiment.created_ms = experiment.updated_ms = now_ms;
      return tracking.experiments().create(experiment).id;
    } catch (const Error& error) {
      if (error.code() != Code::kConflict || again) {  // else another was faster
        throw;
      }
    }
  }
  throw std::logic_error("unreachable");
}

std::string derived_run_id(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) {
    all += part + '\0';
  }
  return base::sha256_hex(all).substr(0, 32);
}

std::string clean_key(std::string_view key) {
  std::string clean(key.substr(0, kMaxKey));
  for (char& c : clean) {
    c = is_key_character(c) ? c : '_';
  }
  // Keys must be normal paths: no "..", "//", or '/' at an end.
  std::string path = clean_path(clean);
  return path.empty() ? "_" : path;
}

std::string clean_path(std::string_view path) {
  std::string clean;
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    if (!part.empty()) {
      clean += (clean.empty() ? "" : "/") + (part == "." || part == ".." ? std::string(part.size(), '_') : std::string(part));
    }
    at = end + 1;
  }
  for (char& c : clean) {
    c = static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '\\' ? '_' : c;
  }
  return clean;
}

void import_file(record::Tracking& tracking, ImportReport& report, const std::string& artifact_uri, const std::string& path,
                 uint64_t size, const FileContent& content) {
  const size_t root = artifact_uri.find(":/");
  if (root == std::string::npos) {
    ++report.skipped["files of runs whose artifacts lie elsewhere"];
    return;
  }
  const std::string place = artifact_uri.substr(root + 2) + "/" + clean_path(path);
  if (const auto there = tracking.files().find(place); there && there->size == size) {
    return;
  }
  const auto writer = tracking.files().begin(place);
  content([&](std::string_view piece) { writer->write(piece); });
  report.file_bytes += writer->commit().size;
  ++report.files;
}

RunImport::RunImport(record::Tracking& tracking, ImportReport& report, const record::TrackedRun& run)
    : tracking_(tracking), report_(report), run_(run) {
  if (const auto there = tracking_.runs().find(run.id)) {
    run_ = *there;
    ++report_.runs_there;
    return;
  }
  run_ = tracking_.runs().create(run);
  ++report_.runs;
}

void RunImport::metric(const std::string& key, double value, int64_t step, int64_t time_ms) {
  if (std::isinf(value)) {
    value = std::copysign(std::numeric_limits<double>::max(), value);  // as MLflow stores it
  }
  batch_.metrics.push_back({clean_key(key), value, step, time_ms});
  if (batch_.metrics.size() >= kBatch) {
    flush();
  }
}

void RunImport::param(const std::string& key, const std::string& value) {
  batch_.params.push_back({clean_key(key), cut(value, kMaxParam)});
}

void RunImport::tag(const std::string& key, const std::string& value) {
  batch_.tags.push_back({clean_key(key), cut(value, kMaxTag)});
}

void RunImport::flush() {
  record::RunBatch batch = std::exchange(batch_, {});
  const size_t points = batch.metrics.size();
  const size_t params = batch.params.size();
  if (points + params + batch.tags.size() == 0) {
    return;
  }
  try {
    tracking_.runs().log(run_.id, batch);
  } catch (const record::ParamConflict& conflict) {
    // What the record has stays.
    report_.skipped["parameters that the run has with another value"] += static_cast<int64_t>(conflict.changes.size());
    for (const auto& change : conflict.changes) {
      std::erase_if(batch.params, [&](const record::KeyValue& param) { return param.key == change.key; });
    }
    tracking_.runs().log(run_.id, batch);
  }
  report_.points += static_cast<int64_t>(points);
  report_.params += static_cast<int64_t>(batch.params.size());
}

void RunImport::file(const std::string& path, uint64_t size, const Content& content) {
  import_file(tracking_, report_, run_.artifact_uri, path, size, content);
}

void RunImport::file(const std::string& path, std::string_view bytes) {
  file(path, bytes.size(), [&](const std::function<void(std::string_view)>& piece) { piece(bytes); });
}

void RunImport::finish(record::RunStatus status, int64_t ended_ms) {
  flush();
  record::RunChange change;
  change.status = status;
  change.ended_ms = ended_ms;
  tracking_.runs().change(run_.id, change);
}

}  // namespace slipway::track
