// What happens in the registry, told to webhooks. Each returns at once, and does nothing when there is no webhook. A
// prompt is a registered model with a tag that says so; its events have names of their own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/routes.h"
#include "record/catalog.h"

namespace slipway::api {

void tell_model_created(Backend& backend, const std::string& name, const std::vector<record::KeyValue>& tags,
                        const std::string& description);
void tell_version_created(Backend& backend, const record::CatalogVersion& version);
// `version` empty: of the model itself, of which only prompts tell. Without a value it was deleted.
void tell_tag_changed(Backend& backend, const std::string& name, const std::string& version, const std::string& key,
                      const std::optional<std::string>& value);
// Without a version it was deleted.
void tell_alias_changed(Backend& backend, const std::string& name, const std::string& alias,
                        const std::optional<std::string>& version);

}  // namespace slipway::api
