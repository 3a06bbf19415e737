#include "api/registry.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

#include "api/errors.h"
#include "api/limits.h"

namespace slipway::api {
namespace {

constexpr std::array<std::string_view, 4> kStages = {"None", "Staging", "Production", "Archived"};
constexpr size_t kMaxAlias = 255;

void write_tags(JsonWriter& out, const std::vector<record::KeyValue>& tags) {
  if (tags.empty()) {
    return;
  }
  out.begin_array("tags");
  for (const record::KeyValue& tag : tags) {
    out.begin_object();
    out.field("key", tag.key);
    out.field("value", tag.value);
    out.end_object();
  }
  out.end_array();
}

bool word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

void check_model_name(const std::string& name) {
  if (name.find_first_not_of(" \t\r\n") == std::string::npos) {
    invalid("Missing value for required parameter 'name'.");
  }
  if (name.find_first_of("/:") != std::string::npos) {
    invalid(fmt::format("Invalid model name '{}'. Names cannot contain '/' or ':'.", name));
  }
  if (name == "." || name.starts_with("..")) {
    bad_value(
        "name", name,
        fmt::format("Names may be treated as files in certain cases, and must not resolve to other names when treated "
                    "as such. This name would resolve to {}",
                    python_repr(name)));
  }
}

void check_model_tag(const record::KeyValue& tag) {
  constexpr size_t kMaxValue = 100'000;
  check_tag_key(tag.key);
  check_length("value", kMaxValue, tag.value);
}

void check_alias(const std::string& alias) {
  if (!std::all_of(alias.begin(), alias.end(), [](char c) { return word_character(c) || c == '-'; })) {
    invalid(fmt::format(
        "Invalid alias name: '{}'. Names may only contain alphanumerics, underscores (_), and dashes (-).", alias));
  }
  check_length("Registered model alias name", kMaxAlias, alias);
  if (net::equal_ignoring_case(alias, "latest")) {
    invalid("'latest' alias name (case insensitive) is reserved.");
  }
  if (alias.size() > 1 && (alias[0] == 'v' || alias[0] == 'V') &&
      alias.find_first_not_of("0123456789", 1) == std::string::npos) {
    invalid(fmt::format("Version alias name '{}' is reserved.", alias));
  }
}

int version_number(const std::string& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    invalid(fmt::format("Parameter 'version' must be an integer, got '{}'.", text));
  }
  return number;
}

std::string stage_of(const std::string& text) {
  const auto* const found = std::find_if(kStages.begin(), kStages.end(),
                                         [&](std::string_view stage) { return net::equal_ignoring_case(stage, text); });
  if (found == kStages.end()) {
    invalid(fmt::format("Invalid Model Version stage: {}. Value must be one of None, Staging, Production, Archived.",
                        text));
  }
  return std::string(*found);
}

void write_version(JsonWriter& out, std::string_view name, const record::CatalogVersion& version) {
  name.empty() ? out.begin_object() : out.begin_object(name);
  out.field("name", version.model);
  out.field("version", std::to_string(version.version));
  out.field("creation_timestamp", version.created_ms);
  out.field("last_updated_timestamp", version.updated_ms);
  out.field("current_stage", version.stage);
  out.field("description", version.description);
  out.field("source", version.source);
  out.field("run_id", version.run_id);
  out.field("status", "READY");
  write_tags(out, version.tags);
  out.field("run_link", version.run_link);
  if (!version.model_id.empty()) {
    out.field("model_id", version.model_id);
  }
  out.texts("aliases", version.aliases);
  out.end_object();
}

void write_model(JsonWriter& out, std::string_view name, const record::RegisteredModel& model,
                 const std::vector<record::CatalogVersion>& latest) {
  name.empty() ? out.begin_object() : out.begin_object(name);
  out.field("name", model.name);
  out.field("creation_timestamp", model.created_ms);
  out.field("last_updated_timestamp", model.updated_ms);
  out.field("description", model.description);
  if (!latest.empty()) {
    out.begin_array("latest_versions");
    for (const record::CatalogVersion& version : latest) {
      write_version(out, {}, version);
    }
    out.end_array();
  }
  write_tags(out, model.tags);
  if (!model.aliases.empty()) {
    out.begin_array("aliases");
    for (const auto& [alias, version] : model.aliases) {
      out.begin_object();
      out.field("alias", alias);
      out.field("version", std::to_string(version));
      out.end_object();
    }
    out.end_array();
  }
  out.end_object();
}

std::vector<record::CatalogVersion> latest_versions(record::VersionCatalog& versions, const std::string& model,
                                                    const std::vector<std::string>& stages) {
  std::vector<record::CatalogVersion> latest;
  for (const std::string_view stage : kStages) {
    const auto wanted = [&](const std::string& name) { return net::equal_ignoring_case(name, stage); };
    if (!stages.empty() && std::none_of(stages.begin(), stages.end(), wanted)) {
      continue;
    }
    record::Query query;
    query.conditions = {{record::Entity::kAttribute, "name", record::Comparator::kEqual, model},
                        {record::Entity::kAttribute, "stage", record::Comparator::kEqual, std::string(stage)}};
    query.limit = 1;
    for (record::CatalogVersion& version : versions.search(query).items) {
      latest.push_back(std::move(version));
    }
  }
  return latest;
}

record::CatalogVersion found_version(record::VersionCatalog& versions, const std::string& model,
                                     const std::string& version) {
  const int number = version_number(version);
  auto found = versions.find(model, number);
  if (!found) {
    throw base::Error(base::Code::kNotFound,
                      fmt::format("Model Version (name={}, version={}) not found", model, number));
  }
  return *std::move(found);
}

}  // namespace slipway::api
