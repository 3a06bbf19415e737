#include "api/registry_events.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/webhooks.h"

namespace slipway::api {
namespace {

using record::KeyValue;

constexpr std::string_view kPromptTag = "mlflow.prompt.is_prompt";
constexpr std::string_view kPromptTypeTag = "_mlflow_prompt_type";
constexpr std::string_view kTextTag = "mlflow.prompt.text";

bool is_wanted(const Backend& backend) { return backend.webhooks != nullptr && backend.webhooks->wanted(); }

bool says_prompt(const std::vector<KeyValue>& tags) {
  return std::any_of(tags.begin(), tags.end(),
                     [](const KeyValue& tag) { return tag.key == kPromptTag && tag.value == "true"; });
}

bool is_prompt(Backend& backend, const std::string& name) {
  const auto model = backend.store.tracking().models().find(name);
  return model && says_prompt(model->tags);
}

// Without those that only say that it is a prompt.
Json map_of(const std::vector<KeyValue>& tags, bool prompt) {
  Json map = Json::object();
  for (const KeyValue& tag : tags) {
    if (!prompt || (tag.key != kPromptTag && tag.key != kPromptTypeTag && tag.key != kTextTag)) {
      map[tag.key] = tag.value;
    }
  }
  return map;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

}  // namespace

void tell_model_created(Backend& backend, const std::string& name, const std::vector<KeyValue>& tags,
                        const std::string& description) {
  if (!is_wanted(backend)) {
    return;
  }
  const bool prompt = says_prompt(tags);
  backend.webhooks->tell(prompt ? "prompt.created" : "registered_model.created",
                         {{"name", name}, {"tags", map_of(tags, prompt)}, {"description", text_or_null(description)}});
}

void tell_version_created(Backend& backend, const record::CatalogVersion& version) {
  if (!is_wanted(backend)) {
    return;
  }
  const bool prompt = is_prompt(backend, version.model);
  Json payload = {{"name", version.model}, {"version", std::to_string(version.version)}};
  if (prompt) {
    const auto text =
        std::find_if(version.tags.begin(), version.tags.end(), [](const KeyValue& tag) { return tag.key == kTextTag; });
    payload["template"] = text == version.tags.end() ? Json() : Json(text->value);
  } else {
    payload["source"] = version.source;
    payload["run_id"] = text_or_null(version.run_id);
  }
  payload["tags"] = map_of(version.tags, prompt);
  payload["description"] = text_or_null(version.description);
  backend.webhooks->tell(prompt ? "prompt_version.created" : "model_version.created", std::move(payload));
}

void tell_tag_changed(Backend& backend, const std::string& name, const std::string& version, const std::string& key,
                      const std::optional<std::string>& value) {
  if (!is_wanted(backend)) {
    return;
  }
  const bool prompt = is_prompt(backend, name);
  if (version.empty() && !prompt) {
    return;
  }
  Json payload = {{"name", name}};
  if (!version.empty()) {
    payload["version"] = version;
  }
  payload["key"] = key;
  if (value) {
    payload["value"] = *value;
  }
  backend.webhooks->tell(fmt::format("{}.{}",
                                     !prompt           ? "model_version_tag"
                                     : version.empty() ? "prompt_tag"
                                                       : "prompt_version_tag",
                                     value ? "set" : "deleted"),
                         std::move(payload));
}

void tell_alias_changed(Backend& backend, const std::string& name, const std::string& alias,
                        const std::optional<std::string>& version) {
  if (!is_wanted(backend)) {
    return;
  }
  Json payload = {{"name", name}, {"alias", alias}};
  if (version) {
    payload["version"] = *version;
  }
  backend.webhooks->tell(fmt::format("{}.{}", is_prompt(backend, name) ? "prompt_alias" : "model_version_alias",
                                     version ? "created" : "deleted"),
                         std::move(payload));
}

}  // namespace slipway::api
