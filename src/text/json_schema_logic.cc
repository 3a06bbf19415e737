// "not" and "if" as schemas without them, where what they leave can be written down.
#include <algorithm>
#include <fmt/format.h>

#include "text/json_schema_parts.h"

namespace slipway::text {
namespace {

using base::Json;

// The constants of a schema that says nothing else; null for another one.
Json constants_of(const Json& schema) {
  if (!schema.is_object() || !std::all_of(schema.items().begin(), schema.items().end(), [](const auto& item) {
        return item.key() == "const" || item.key() == "enum" || is_annotation(item.key());
      })) {
    return nullptr;
  }
  if (schema.contains("const") && !schema.contains("enum")) {
    return Json::array({schema["const"]});
  }
  const bool list = schema.contains("enum") && !schema.contains("const") && schema["enum"].is_array();
  return list ? schema["enum"] : Json(nullptr);
}

bool contains(const Json& list, const Json& value) { return std::find(list.begin(), list.end(), value) != list.end(); }

Json with_types(Json schema, int types, const SchemaPlace& place) {
  if (types == 0) {
    return false;
  }
  if ((types & (kNumberType | kIntegerType)) == kNumberType) {
    place.fail("numbers that are not whole cannot be told from those that are");
  }
  schema.erase("nullable");
  schema["type"] = type_names(static_cast<uint8_t>(types));
  return schema;
}

int types_here(const Json& schema, const SchemaPlace& place) {
  return schema.contains("type") ? types_of(schema, place) : types_meant(schema);
}

Json without_constants(Json schema, const Json& values, const SchemaPlace& place) {
  if (schema.contains("const")) {
    return contains(values, schema["const"]) ? Json(false) : schema;
  }
  if (schema.contains("enum") && schema["enum"].is_array()) {
    Json kept = Json::array();
    const Json& all = schema["enum"];
    std::copy_if(all.begin(), all.end(), std::back_inserter(kept),
                 [&](const Json& value) { return !contains(values, value); });
    if (kept.empty()) {
      return false;
    }
    schema["enum"] = std::move(kept);
    return schema;
  }
  int types = types_here(schema, place);
  Json texts = Json::array();
  for (const Json& value : values) {
    const uint8_t type = type_of_value(value);
    if (type == kNullType) {
      types &= ~kNullType;
    } else if (type == kStringType) {
      texts.push_back(value);
    } else if ((types & type) != 0) {
      place.fail("takes constants from texts, null or an enum only");
    }
  }
  if ((types & kStringType) != 0 && !texts.empty()) {
    schema["not"] = {{"enum", std::move(texts)}};  // string() leaves these out
  }
  return with_types(std::move(schema), types, place);
}

// Objects without a property.
Json without_property(Json schema, const Json& required, const SchemaPlace& place) {
  if (required.size() != 1 || !required[0].is_string()) {
    place.at("required").fail("under not takes one property");
  }
  const auto name = required[0].get<std::string>();
  if (schema.contains("required") && contains(schema["required"], required[0])) {
    return false;
  }
  const bool open = !schema.contains("properties") && !schema.contains("additionalProperties");
  schema["properties"][name] = false;
  if (open) {
    schema["additionalProperties"] = true;
  }
  return with_types(schema, types_here(schema, place) & kObjectType, place);
}

}  // namespace

Json apply_not(const Json& root, Json schema, const SchemaPlace& place) {
  const SchemaPlace here = place.at("not");
  const Json denied = flatten_schema(root, schema["not"], here);
  schema.erase("not");
  if (denied.is_boolean()) {
    return denied.get<bool>() ? Json(false) : schema;
  }
  if (!denied.is_object()) {
    here.fail("a schema must be an object or a boolean");
  }
  if (stands_alone(denied, "")) {
    return false;
  }
  if (const Json values = constants_of(denied); values.is_array()) {
    return without_constants(std::move(schema), values, here);
  }
  if (stands_alone(denied, "type")) {
    const int types = types_here(schema, place) & ~types_of(denied, here);
    return with_types(std::move(schema), types, here);
  }
  if (stands_alone(denied, "required") && denied["required"].is_array()) {
    return without_property(std::move(schema), denied["required"], here);
  }
  if (stands_alone(denied, "anyOf") && denied["anyOf"].is_array()) {
    for (const Json& one : denied["anyOf"]) {
      if (schema.is_boolean()) {
        break;
      }
      if (schema.contains("not")) {
        here.fail("takes texts from one list only");
      }
      schema["not"] = one;
      schema = apply_not(root, std::move(schema), place);
    }
    return schema;
  }
  here.fail("is understood of a type, constants, one required property, and anyOf of these; not of this schema");
}

Json apply_if(const Json& root, Json schema, const SchemaPlace& place) {
  const SchemaPlace here = place.at("if");
  const Json condition = flatten_schema(root, schema["if"], here);
  const Json then = schema.contains("then") ? schema["then"] : Json(true);
  const Json otherwise = schema.contains("else") ? schema["else"] : Json(true);
  for (const char* key : {"if", "then", "else"}) {
    schema.erase(key);
  }
  const auto both = [&](const Json& more) {
    Json all = Json::array({schema});
    for (const Json& one : more) {
      if (one != true) {
        all.push_back(one);
      }
    }
    return Json{{"allOf", std::move(all)}};
  };
  if (condition.is_boolean()) {
    return both(Json::array({condition.get<bool>() ? then : otherwise}));
  }
  const auto known = [](const auto& item) {
    return item.key() == "properties" || item.key() == "required" || item.key() == "type" || is_annotation(item.key());
  };
  const bool plain = condition.is_object() && condition.contains("properties") &&
                     condition["properties"].is_object() && condition["properties"].size() == 1 &&
                     std::all_of(condition.items().begin(), condition.items().end(), known);
  const Json values = plain ? constants_of(condition["properties"].begin().value()) : Json(nullptr);
  if (!values.is_array()) {
    here.fail("is understood where it says of one property which constants it has");
  }
  const std::string name = condition["properties"].begin().key();
  const Json required = Json::array({name});
  const Json yes = {{"properties", {{name, {{"enum", values}}}}}, {"required", required}};
  const Json no = {{"properties", {{name, {{"not", {{"enum", values}}}}}}}, {"required", required}};
  return {{"anyOf", Json::array({both(Json::array({yes, then})), both(Json::array({no, otherwise}))})}};
}

}  // namespace slipway::text
