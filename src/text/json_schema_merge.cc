// Two schemas as one, and whether they exclude each other.
#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "text/json_schema_parts.h"

namespace slipway::text {
namespace {

using base::Json;

constexpr int kMaxFlatten = 64;

Json both_of(const Json& a, const Json& b) { return a == b ? a : Json{{"allOf", Json::array({a, b})}}; }

Json merge_properties(const Json& a, const Json& b) {
  Json out = a;
  for (const auto& [name, schema] : b.items()) {
    out[name] = out.contains(name) ? both_of(out[name], schema) : schema;
  }
  return out;
}

bool closed(const Json& schema) {
  const auto it = schema.find("additionalProperties");
  return it != schema.end() && it->is_boolean() && !it->get<bool>();
}

// An object that takes no other properties must know those that the other schema names.
void check_closed(const Json& a, const Json& b, const SchemaPlace& place) {
  if (!closed(a) || !b.contains("properties")) {
    return;
  }
  const Json none = Json::object();
  const Json& known = a.contains("properties") ? a["properties"] : none;
  const Json& named = b["properties"];
  for (const auto& [name, schema] : named.items()) {
    if (!known.contains(name)) {
      place.at("additionalProperties")
          .fail(fmt::format("false excludes '{}', which a schema that is merged with this one names", name));
    }
  }
}

Json merge_keyword(const std::string& key, const Json& x, const Json& y, const SchemaPlace& place) {
  if (x == y || is_annotation(key)) {
    return y;
  }
  if (key == "properties" && x.is_object() && y.is_object()) {
    return merge_properties(x, y);
  }
  if (key == "required" && x.is_array() && y.is_array()) {
    Json all = x;
    for (const Json& name : y) {
      if (std::find(all.begin(), all.end(), name) == all.end()) {
        all.push_back(name);
      }
    }
    return all;
  }
  if (key == "enum" && x.is_array() && y.is_array()) {
    Json kept = Json::array();
    std::copy_if(x.begin(), x.end(), std::back_inserter(kept),
                 [&](const Json& value) { return std::find(y.begin(), y.end(), value) != y.end(); });
    return kept;
  }
  if (key == "not") {
    return {{"anyOf", Json::array({x, y})}};
  }
  const bool numbers = x.is_number() && y.is_number();
  for (const char* lower : {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}) {
    if (key == lower && numbers) {
      return x < y ? y : x;
    }
  }
  for (const char* upper : {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}) {
    if (key == upper && numbers) {
      return x < y ? x : y;
    }
  }
  if (key == "items" || key == "additionalProperties") {
    const auto is = [](const Json& schema, bool value) { return schema.is_boolean() && schema.get<bool>() == value; };
    if (is(x, false) || is(y, true)) {
      return x;
    }
    return is(y, false) || is(x, true) ? y : both_of(x, y);
  }
  place.at(key).fail("cannot be merged with the same keyword of another schema");
}

}  // namespace

Json merge_schemas(const Json& a, const Json& b, const SchemaPlace& place) {
  if (a.is_boolean() || b.is_boolean()) {
    const Json& one = a.is_boolean() ? a : b;
    return one.get<bool>() ? (a.is_boolean() ? b : a) : one;
  }
  if (!a.is_object() || !b.is_object()) {
    place.fail("a schema must be an object or a boolean");
  }
  check_closed(a, b, place);
  check_closed(b, a, place);
  for (const auto& [one, other] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    for (const char* names : {"properties", "additionalProperties", "patternProperties"}) {
      if (one->contains("patternProperties") && other->contains(names) && a != b) {
        place.at("patternProperties").fail(fmt::format("cannot be merged with a schema that has {}", names));
      }
    }
  }
  Json out = a;
  for (const auto& [key, value] : b.items()) {
    if (key == "type" || key == "nullable") {
      continue;
    }
    const auto mine = out.find(key);
    out[key] = mine == out.end() ? value : merge_keyword(key, *mine, value, place);
  }
  if (a.contains("type") || b.contains("type")) {
    const uint8_t types = types_of(a, place) & types_of(b, place);
    out["type"] = type_names(types);
    out.erase("nullable");
  }
  return out;
}

Json flatten_schema(const Json& root, Json schema, const SchemaPlace& place) {
  for (int rounds = 0; schema.is_object(); ++rounds) {
    if (rounds > kMaxFlatten) {
      place.fail("references and allOf within each other without end");
    }
    const auto reference = schema.find("$ref");
    if (reference != schema.end() && !stands_alone(schema, "$ref")) {
      if (!reference->is_string()) {
        place.at("$ref").fail("must be a text");
      }
      const Json target = resolve_reference(root, reference->get<std::string>(), place);
      schema.erase("$ref");
      schema = merge_schemas(target, schema, place);
      continue;
    }
    const auto all = schema.find("allOf");
    if (all == schema.end()) {
      break;
    }
    if (!all->is_array() || all->empty()) {
      place.at("allOf").fail("must be a list of schemas");
    }
    const Json parts = *all;
    schema.erase("allOf");
    if (parts.size() == 1 && parts[0].is_object() && parts[0].contains("$ref") && stands_alone(schema, "")) {
      return parts[0];  // a reference with a description, as pydantic wrote it
    }
    for (const Json& part : parts) {
      Json flat = part;
      for (int hops = 0; flat.is_object() && flat.contains("$ref"); ++hops) {
        if (hops > kMaxFlatten) {
          place.at("allOf").fail("references without end");
        }
        const Json target =
            resolve_reference(root, base::get<std::string>(flat, "$ref", place.source), place.at("allOf"));
        flat.erase("$ref");
        flat = merge_schemas(target, flat, place);
      }
      if (flat.is_object() && flat.contains("allOf") && schema.contains("allOf")) {
        flat = flatten_schema(root, flat, place.at("allOf"));
      }
      schema = merge_schemas(schema, flat, place);
    }
  }
  return schema;
}

bool schemas_exclude_each_other(const Json& root, const Json& a, const Json& b, const SchemaPlace& place) {
  const auto resolved = [&](Json schema) {
    for (int hops = 0; hops < kMaxFlatten && schema.is_object() && schema.contains("$ref"); ++hops) {
      schema = flatten_schema(root, schema, place);
      if (schema.contains("$ref")) {
        schema = Json(resolve_reference(root, base::get<std::string>(schema, "$ref", place.source), place));
      }
    }
    return flatten_schema(root, schema, place);
  };
  const Json x = resolved(a);
  const Json y = resolved(b);
  if (x.is_boolean() || y.is_boolean()) {
    return x == false || y == false;
  }
  const auto values = [](const Json& schema) {
    if (schema.contains("const")) {
      return Json::array({schema["const"]});
    }
    return schema.contains("enum") && schema["enum"].is_array() ? schema["enum"] : Json();
  };
  const auto types = [&](const Json& schema) {
    const Json fixed = values(schema);
    if (fixed.is_null()) {
      return schema.contains("type") ? types_of(schema, place) : types_meant(schema);
    }
    uint8_t bits = 0;
    for (const Json& value : fixed) {
      bits |= type_of_value(value);
    }
    return bits;
  };
  if ((types(x) & types(y)) == 0) {
    return true;
  }
  const auto apart = [](const Json& p, const Json& q) {
    return !p.is_null() && !q.is_null() &&
           std::none_of(p.begin(), p.end(), [&](const Json& v) { return std::find(q.begin(), q.end(), v) != q.end(); });
  };
  if (apart(values(x), values(y))) {
    return true;
  }
  if (types(x) != kObjectType || types(y) != kObjectType || !x.contains("properties") || !y.contains("properties")) {
    return false;
  }
  // A property that both need, with other values: a discriminator.
  const auto needs = [](const Json& schema, const std::string& name) {
    const auto required = schema.find("required");
    return required != schema.end() && std::find(required->begin(), required->end(), Json(name)) != required->end();
  };
  const Json& properties = x["properties"];
  for (const auto& [name, schema] : properties.items()) {
    const auto other = y["properties"].find(name);
    if (other != y["properties"].end() && schema.is_object() && other->is_object() && needs(x, name) &&
        needs(y, name) && apart(values(schema), values(*other))) {
      return true;
    }
  }
  return false;
}

}  // namespace slipway::text
