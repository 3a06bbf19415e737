#include "text/json_schema_parts.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/error.h"

namespace slipway::text {
namespace {

using base::Json;

enum class Use : uint8_t { kAnnotation, kUnderstood, kUnsupported };
struct Keyword {
  std::string_view name;
  Use use;
  uint8_t types;  // that it speaks of; 0: any
};

constexpr std::array kKeywords = {
    Keyword{"title", Use::kAnnotation, 0},
    Keyword{"description", Use::kAnnotation, 0},
    Keyword{"default", Use::kAnnotation, 0},
    Keyword{"example", Use::kAnnotation, 0},
    Keyword{"examples", Use::kAnnotation, 0},
    Keyword{"deprecated", Use::kAnnotation, 0},
    Keyword{"readOnly", Use::kAnnotation, 0},
    Keyword{"writeOnly", Use::kAnnotation, 0},
    Keyword{"discriminator", Use::kAnnotation, 0},
    Keyword{"contentEncoding", Use::kAnnotation, 0},
    Keyword{"contentMediaType", Use::kAnnotation, 0},
    Keyword{"$comment", Use::kAnnotation, 0},
    Keyword{"$schema", Use::kAnnotation, 0},
    Keyword{"$id", Use::kAnnotation, 0},
    Keyword{"$defs", Use::kAnnotation, 0},
    Keyword{"definitions", Use::kAnnotation, 0},
    Keyword{"type", Use::kUnderstood, 0},
    Keyword{"nullable", Use::kUnderstood, 0},
    Keyword{"enum", Use::kUnderstood, 0},
    Keyword{"const", Use::kUnderstood, 0},
    Keyword{"$ref", Use::kUnderstood, 0},
    Keyword{"anyOf", Use::kUnderstood, 0},
    Keyword{"oneOf", Use::kUnderstood, 0},
    Keyword{"allOf", Use::kUnderstood, 0},
    Keyword{"properties", Use::kUnderstood, kObjectType},
    Keyword{"required", Use::kUnderstood, kObjectType},
    Keyword{"additionalProperties", Use::kUnderstood, kObjectType},
    Keyword{"minProperties", Use::kUnderstood, kObjectType},
    Keyword{"maxProperties", Use::kUnderstood, kObjectType},
    Keyword{"items", Use::kUnderstood, kArrayType},
    Keyword{"additionalItems", Use::kUnderstood, kArrayType},
    Keyword{"prefixItems", Use::kUnderstood, kArrayType},
    Keyword{"minItems", Use::kUnderstood, kArrayType},
    Keyword{"maxItems", Use::kUnderstood, kArrayType},
    Keyword{"uniqueItems", Use::kUnderstood, kArrayType},
    Keyword{"minLength", Use::kUnderstood, kStringType},
    Keyword{"maxLength", Use::kUnderstood, kStringType},
    Keyword{"pattern", Use::kUnderstood, kStringType},
    Keyword{"format", Use::kUnderstood, 0},
    Keyword{"minimum", Use::kUnderstood, kIntegerType | kNumberType},
    Keyword{"maximum", Use::kUnderstood, kIntegerType | kNumberType},
    Keyword{"exclusiveMinimum", Use::kUnderstood, kIntegerType | kNumberType},
    Keyword{"exclusiveMaximum", Use::kUnderstood, kIntegerType | kNumberType},
    Keyword{"multipleOf", Use::kUnderstood, kIntegerType | kNumberType},
    Keyword{"not", Use::kUnderstood, 0},
    Keyword{"if", Use::kUnderstood, 0},
    Keyword{"then", Use::kUnderstood, 0},
    Keyword{"else", Use::kUnderstood, 0},
    Keyword{"patternProperties", Use::kUnderstood, kObjectType},
    Keyword{"contains", Use::kUnsupported, 0},
    Keyword{"minContains", Use::kUnsupported, 0},
    Keyword{"maxContains", Use::kUnsupported, 0},
    Keyword{"propertyNames", Use::kUnsupported, 0},
    Keyword{"dependencies", Use::kUnsupported, 0},
    Keyword{"dependentRequired", Use::kUnsupported, 0},
    Keyword{"dependentSchemas", Use::kUnsupported, 0},
    Keyword{"unevaluatedItems", Use::kUnsupported, 0},
    Keyword{"unevaluatedProperties", Use::kUnsupported, 0},
    Keyword{"contentSchema", Use::kUnsupported, 0},
    Keyword{"$anchor", Use::kUnsupported, 0},
    Keyword{"$dynamicRef", Use::kUnsupported, 0},
    Keyword{"$dynamicAnchor", Use::kUnsupported, 0},
    Keyword{"$recursiveRef", Use::kUnsupported, 0},
};

const Keyword* find_keyword(std::string_view name) {
  const auto* const it =
      std::find_if(kKeywords.begin(), kKeywords.end(), [&](const Keyword& keyword) { return keyword.name == name; });
  return it == kKeywords.end() ? nullptr : it;
}

constexpr std::array<std::pair<std::string_view, uint8_t>, 7> kTypes = {{
    {"null", kNullType},
    {"boolean", kBooleanType},
    {"integer", kIntegerType},
    {"number", kIntegerType | kNumberType},
    {"string", kStringType},
    {"array", kArrayType},
    {"object", kObjectType},
}};

}  // namespace

SchemaPlace SchemaPlace::at(std::string_view key) const { return {source, fmt::format("{}/{}", path, key)}; }

void SchemaPlace::fail(std::string_view what) const {
  throw base::Error(base::Code::kInvalid, fmt::format("{}: JSON Schema, {}: {}", source, path, what));
}

bool is_annotation(std::string_view keyword) {
  const Keyword* known = find_keyword(keyword);
  return keyword.starts_with("x-") || (known != nullptr && known->use == Use::kAnnotation);
}

void check_keywords(const Json& schema, const SchemaPlace& place) {
  for (const auto& [key, value] : schema.items()) {
    if (key.starts_with("x-")) {
      continue;
    }
    const Keyword* keyword = find_keyword(key);
    if (keyword == nullptr || keyword->use == Use::kUnsupported) {
      place.at(key).fail(keyword == nullptr ? "the keyword is unknown" : "the keyword is not supported");
    }
    if (key == "uniqueItems" && !value.is_boolean()) {
      place.at(key).fail("must be true or false");
    }
  }
}

bool stands_alone(const Json& schema, std::string_view keyword) {
  const Json::object_t& members = schema.get_ref<const Json::object_t&>();
  return std::all_of(members.begin(), members.end(),
                     [&](const auto& member) { return member.first == keyword || is_annotation(member.first); });
}

uint8_t types_of(const Json& schema, const SchemaPlace& place) {
  const auto type = schema.find("type");
  if (type == schema.end()) {
    return kAnyType;
  }
  uint8_t types = 0;
  const Json list = type->is_array() ? *type : Json::array({*type});
  for (const Json& one : list) {
    const auto* const it = std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& t) { return one == t.first; });
    if (it == kTypes.end()) {
      place.at("type").fail(fmt::format("{} is not a type", base::dump_json(one)));
    }
    types |= it->second;
  }
  if (const auto nullable = schema.find("nullable"); nullable != schema.end() && *nullable == true) {
    types |= kNullType;  // as OpenAPI 3.0 writes it
  }
  return types;
}

uint8_t type_of_value(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null: return kNullType;
    case Json::value_t::boolean: return kBooleanType;
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned: return kIntegerType;
    case Json::value_t::number_float: return kNumberType;
    case Json::value_t::string: return kStringType;
    case Json::value_t::array: return kArrayType;
    default: return kObjectType;
  }
}

uint8_t types_meant(const Json& schema) {
  uint8_t types = 0;
  for (const auto& [key, value] : schema.items()) {
    if (const Keyword* keyword = find_keyword(key)) {
      types |= keyword->types;
    }
    types |= key == "format" ? kStringType : 0;
  }
  return types == 0 ? uint8_t{kAnyType} : types;
}

const Json& resolve_reference(const Json& root, const std::string& reference, const SchemaPlace& place) {
  if (!reference.starts_with("#") || (reference.size() > 1 && reference[1] != '/')) {
    place.at("$ref").fail(fmt::format("'{}': only references within the schema, #/..., are supported", reference));
  }
  try {
    return root.at(Json::json_pointer(reference.substr(1)));
  } catch (const Json::exception&) {
    place.at("$ref").fail(fmt::format("'{}' points at nothing", reference));
  }
}

base::Json type_names(uint8_t types) {
  Json names = Json::array();
  for (const auto& [name, bits] : kTypes) {
    const bool covered = name == "integer" && (types & kNumberType) != 0;
    if ((types & bits) == bits && !covered) {
      names.push_back(name);
    }
  }
  return names;
}

}  // namespace slipway::text
