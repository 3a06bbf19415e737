// What the routes of registered models and of their versions share.
#pragma once

#include <string>
#include <string_view>

#include "api/json_writer.h"
#include "record/catalog.h"

namespace slipway::api {

// Each throws ApiError(INVALID_PARAMETER_VALUE) in MLflow's words.
void check_model_name(const std::string& name);
void check_model_tag(const record::KeyValue& tag);
void check_alias(const std::string& alias);
int version_number(const std::string& text);
// "staging" → "Staging".
std::string stage_of(const std::string& text);

void write_version(JsonWriter& out, std::string_view name, const record::CatalogVersion& version);
// `latest`: the newest version of each stage.
void write_model(JsonWriter& out, std::string_view name, const record::RegisteredModel& model,
                 const std::vector<record::CatalogVersion>& latest);
// The newest version of each of these stages, of all when there are none named.
std::vector<record::CatalogVersion> latest_versions(record::VersionCatalog& versions, const std::string& model,
                                                    const std::vector<std::string>& stages);
// The version, or Error(kNotFound).
record::CatalogVersion found_version(record::VersionCatalog& versions, const std::string& model,
                                     const std::string& version);

}  // namespace slipway::api
