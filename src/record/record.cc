#include "record/record.h"

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <sys/random.h>

#include "base/error.h"

namespace slipway::record {
namespace {

using base::Code;
using base::Error;

constexpr std::array kRunStatusNames = {"running", "finished", "failed", "killed", "awaiting_approval"};
constexpr std::array kDeploymentStatusNames = {"starting", "ready", "draining", "stopped"};

template <class Status, class Names>
Status status_from(const Names& names, const std::string& name) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (name == names[i]) {
      return static_cast<Status>(i);
    }
  }
  throw Error(Code::kInvalid, fmt::format("unknown status '{}'", name));
}

}  // namespace

const char* name_of(RunStatus status) noexcept { return kRunStatusNames[static_cast<size_t>(status)]; }
const char* name_of(DeploymentStatus status) noexcept { return kDeploymentStatusNames[static_cast<size_t>(status)]; }
RunStatus run_status(const std::string& name) { return status_from<RunStatus>(kRunStatusNames, name); }
DeploymentStatus deployment_status(const std::string& name) {
  return status_from<DeploymentStatus>(kDeploymentStatusNames, name);
}

Json to_json(const Run& run) {
  return {{"id", run.id},
          {"project", run.project},
          {"name", run.name},
          {"status", name_of(run.status)},
          {"started_ms", run.started_ms},
          {"ended_ms", run.ended_ms},
          {"tags", run.tags},
          {"config", run.config}};
}

Json to_json(const MetricPoint& point) {
  return {{"key", point.key}, {"value", point.value}, {"step", point.step}, {"time_ms", point.time_ms}};
}

Json to_json(const Artifact& artifact) {
  return {{"digest", artifact.digest}, {"kind", artifact.kind},     {"name", artifact.name},
          {"size", artifact.size},     {"folder", artifact.folder}, {"created_ms", artifact.created_ms},
          {"meta", artifact.meta}};
}

Json to_json(const ModelVersion& version) {
  return {{"model", version.model},           {"version", version.version},
          {"run_id", version.run_id},         {"dataset", version.dataset},
          {"artifacts", version.artifacts},   {"metrics", version.metrics},
          {"created_ms", version.created_ms}, {"meta", version.meta},
          {"author", version.author}};
}

Json to_json(const Alias& alias) {
  return {{"model", alias.model}, {"alias", alias.alias}, {"version", alias.version}, {"changed_ms", alias.changed_ms},
          {"who", alias.who}, {"override_reason", alias.override_reason}};
}

Json to_json(const Deployment& deployment) {
  return {{"id", deployment.id},
          {"endpoint", deployment.endpoint},
          {"model", deployment.model},
          {"status", name_of(deployment.status)},
          {"address", deployment.address},
          {"pid", deployment.pid},
          {"started_ms", deployment.started_ms},
          {"ended_ms", deployment.ended_ms},
          {"meta", deployment.meta}};
}

Json to_json(const Prediction& prediction) {
  return {{"id", prediction.id},
          {"time_ms", prediction.time_ms},
          {"deployment", prediction.deployment},
          {"model", prediction.model},
          {"text", prediction.text},
          {"label", prediction.label},
          {"score", prediction.score},
          {"scores", prediction.scores},
          {"tokens", prediction.tokens},
          {"latency_us", prediction.latency_us}};
}

Json to_json(const Event& event) {
  return {{"id", event.id},
          {"time_ms", event.time_ms},
          {"kind", event.kind},
          {"subject", event.subject},
          {"data", event.data}};
}

Json to_json(const Edge& edge) { return {{"from", edge.from}, {"to", edge.to}, {"kind", edge.kind}}; }

ModelVersion model_version_from_json(const Json& json) {
  constexpr const char* kSource = "model version";
  ModelVersion version;
  version.model = base::get<std::string>(json, "model", kSource);
  version.version = base::get_or<int>(json, "version", 0, kSource);
  version.run_id = base::get_or<std::string>(json, "run_id", "", kSource);
  version.dataset = base::get_or<std::string>(json, "dataset", "", kSource);
  version.artifacts = base::get_or<std::map<std::string, std::string>>(json, "artifacts", {}, kSource);
  version.metrics = json.value("metrics", Json::object());
  version.meta = json.value("meta", Json::object());
  version.created_ms = base::get_or<int64_t>(json, "created_ms", 0, kSource);
  version.author = base::get_or<std::string>(json, "author", "", kSource);
  return version;
}

Prediction prediction_from_json(const Json& json) {
  constexpr const char* kSource = "prediction";
  Prediction p;
  p.id = base::get<std::string>(json, "id", kSource);
  p.time_ms = base::get<int64_t>(json, "time_ms", kSource);
  p.deployment = base::get_or<std::string>(json, "deployment", "", kSource);
  p.model = base::get_or<std::string>(json, "model", "", kSource);
  p.text = base::get_or<std::string>(json, "text", "", kSource);
  p.label = base::get_or<std::string>(json, "label", "", kSource);
  p.score = base::get_or<double>(json, "score", 0, kSource);
  p.scores = base::get_or<std::vector<float>>(json, "scores", {}, kSource);
  p.tokens = base::get_or<int>(json, "tokens", 0, kSource);
  p.latency_us = base::get_or<int64_t>(json, "latency_us", 0, kSource);
  return p;
}

std::string new_id() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw Error(Code::kFailure, "the operating system gave no random bytes");
  }
  std::string text;
  for (const unsigned char byte : bytes) {
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

bool is_model_reference(const std::string& text) noexcept { return text.starts_with("models:/"); }

ModelReference parse_model_reference(const std::string& text) {
  ModelReference reference;
  const std::string rest = is_model_reference(text) ? text.substr(8) : "";
  const size_t mark = rest.find_first_of("@/");
  if (mark != std::string::npos && mark > 0 && mark + 1 < rest.size()) {
    reference.model = rest.substr(0, mark);
    const std::string tail = rest.substr(mark + 1);
    if (rest[mark] == '@') {
      reference.alias = tail;
      return reference;
    }
    const auto [end, error] = std::from_chars(tail.data(), tail.data() + tail.size(), reference.version);
    if (error == std::errc() && end == tail.data() + tail.size() && reference.version > 0) {
      return reference;
    }
  }
  throw Error(Code::kInvalid,
              fmt::format("'{}' is not a model reference; write models:/NAME@ALIAS or models:/NAME/VERSION", text));
}

}  // namespace slipway::record
