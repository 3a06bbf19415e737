#include "text/json_schema.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <map>

#include "base/error.h"
#include "text/grammar_automaton.h"
#include "text/json_schema_parts.h"

namespace slipway::text {
namespace {

using base::Json;
using Expr = Grammar::Expr;

constexpr size_t kMaxSchemaBytes = size_t{1} << 20;
constexpr int kMaxDepth = 64;
constexpr size_t kMaxPatterns = 16;                   // of patternProperties
constexpr size_t kMaxValues = 10'000;                 // of an enum
constexpr int64_t kMaxBound = 1'000'000'000'000'000;  // of a number that need not be whole

// Each is within what the format allows.
constexpr std::array<std::pair<std::string_view, const char*>, 11> kFormats = {{
    {"date",
     R"([12]\d{3}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8])))"},
    {"time", R"(([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d))"},
    {"date-time",
     R"([12]\d{3}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8])))"
     R"(T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d))"},
    {"duration", R"(P(\d{1,5}W|(\d{1,5}D|\d{1,5}M(\d{1,5}D)?|\d{1,5}Y(\d{1,5}M(\d{1,5}D)?)?))"
                 R"((T(\d{1,5}S|\d{1,5}M(\d{1,5}S)?|\d{1,5}H(\d{1,5}M(\d{1,5}S)?)?))?)"
                 R"(|T(\d{1,5}S|\d{1,5}M(\d{1,5}S)?|\d{1,5}H(\d{1,5}M(\d{1,5}S)?)?)))"},
    {"uuid", R"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"},
    {"email",
     R"([A-Za-z0-9_%+-]{1,24}(\.[A-Za-z0-9_%+-]{1,12}){0,2}@([A-Za-z0-9]([A-Za-z0-9-]{0,24}[A-Za-z0-9])?\.){1,3}[A-Za-z]{2,12})"},
    {"hostname", R"(([A-Za-z0-9]([A-Za-z0-9-]{0,24}[A-Za-z0-9])?\.){0,4}[A-Za-z]([A-Za-z0-9-]{0,24}[A-Za-z0-9])?)"},
    {"ipv4", R"(((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d))"},
    {"ipv6", R"(([0-9a-f]{1,4}:){7}[0-9a-f]{1,4})"},
    {"uri", R"([a-z][a-z0-9+.-]{1,20}://[A-Za-z0-9._~-]+(:\d{1,5})?(/[A-Za-z0-9._~!$&'()*+,;=:@-]*)*)"
            R"((\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]*)?(#[A-Za-z0-9._~!$&'()*+,;=:@/?-]*)?)"},
    {"json-pointer", R"((/([^/~]|~[01])*)*)"},
}};

Grammar whole_text(Grammar grammar, Expr expr) {
  const Grammar::Rule root = grammar.add_rule("root");
  grammar.define(root, expr);
  grammar.set_root(root);
  return grammar;
}

class SchemaCompiler {
 public:
  SchemaCompiler(JsonGrammar& json, const Json& root, const std::string& source)
      : json_(json), g_(json.grammar()), root_(root), source_(source) {}

  Expr compile(const Json& given, const SchemaPlace& place, int depth);

 private:
  struct Property {
    std::string name;
    Expr pair = 0;  // "name": value
    bool required = false;
  };

  Expr typed(const Json& schema, const SchemaPlace& place, int depth);
  Expr reference(const Json& schema, const SchemaPlace& place, int depth);
  Expr branches(const Json& schema, const char* keyword, const SchemaPlace& place, int depth);
  Expr fixed_values(const Json& schema, const SchemaPlace& place);
  Expr of_type(JsonType type, const Json& schema, const SchemaPlace& place, int depth);
  Expr object(const Json& schema, const SchemaPlace& place, int depth);
  Expr properties_in_order(const std::vector<Property>& properties, std::optional<Expr> more);
  Expr array(const Json& schema, const SchemaPlace& place, int depth);
  Expr distinct_items(const Json& schema, const SchemaPlace& place, uint32_t min, uint32_t max);
  std::optional<Expr> pattern_pairs(const Json& schema, const std::vector<std::string>& names, const SchemaPlace& place,
                                    int depth);
  Expr string(const Json& schema, const SchemaPlace& place);
  Expr number(bool whole, const Json& schema, const SchemaPlace& place);
  Expr multiple(bool whole, const Json& schema, const SchemaPlace& place);
  std::optional<JsonGrammar::Bound> bound(const Json& schema, bool lower, bool whole, const SchemaPlace& place);

  static uint32_t count(const Json& schema, const char* key, uint32_t fallback, const SchemaPlace& place) {
    const auto it = schema.find(key);
    if (it == schema.end()) {
      return fallback;
    }
    const bool good = it->is_number() && it->get<double>() >= 0 && it->get<double>() == std::floor(it->get<double>());
    if (!good || it->get<double>() > Grammar::kMaxRepeat) {
      place.at(key).fail(fmt::format("must be a whole number from 0 to {}", Grammar::kMaxRepeat));
    }
    return static_cast<uint32_t>(it->get<double>());
  }
  static bool name_matches(const std::string& pattern, const std::string& name, const SchemaPlace& place);
  static Json with_patterns(const Json& schema, const std::string& name, const Json& value, const SchemaPlace& place);
  // A rule of its own: an expression that is used in more than one place.
  Expr named(const SchemaPlace& place, Expr body) {
    const Grammar::Rule rule = g_.add_rule(place.path);
    g_.define(rule, body);
    return g_.call(rule);
  }

  JsonGrammar& json_;
  Grammar& g_;
  const Json& root_;
  const std::string& source_;
  std::map<std::string, Grammar::Rule> references_;
};

Expr SchemaCompiler::compile(const Json& given, const SchemaPlace& place, int depth) {
  if (depth > kMaxDepth) {
    place.fail(fmt::format("nested deeper than {}", kMaxDepth));
  }
  if (given.is_boolean()) {
    return given.get<bool>() ? json_.any_value() : g_.any_of({});
  }
  if (!given.is_object()) {
    place.fail("a schema must be an object or a boolean");
  }
  check_keywords(given, place);
  const Json schema = flatten_schema(root_, given, place);
  if (!schema.is_object()) {
    return compile(schema, place, depth + 1);
  }
  check_keywords(schema, place);
  if (schema.contains("$ref")) {
    return reference(schema, place, depth);
  }
  if (schema.contains("if")) {
    return compile(apply_if(root_, schema, place), place, depth + 1);
  }
  if (schema.contains("anyOf") && schema.contains("oneOf")) {
    place.at("oneOf").fail("is not supported beside anyOf");
  }
  for (const char* keyword : {"anyOf", "oneOf"}) {
    if (schema.contains(keyword)) {
      return branches(schema, keyword, place, depth);
    }
  }
  if (schema.contains("not")) {
    const Json left = apply_not(root_, schema, place);
    return left.is_object() ? typed(left, place, depth) : compile(left, place, depth + 1);
  }
  return typed(schema, place, depth);
}

// A schema whose references, branches and conditions are resolved.
Expr SchemaCompiler::typed(const Json& schema, const SchemaPlace& place, int depth) {
  if (schema.contains("const") || schema.contains("enum")) {
    return fixed_values(schema, place);
  }
  const uint8_t types = schema.contains("type") ? types_of(schema, place) : types_meant(schema);
  if (types == kAnyType && types_meant(schema) == kAnyType) {
    return json_.any_value();
  }
  std::vector<Expr> parts;
  for (const JsonType type :
       {kObjectType, kArrayType, kStringType, kNumberType, kIntegerType, kBooleanType, kNullType}) {
    const bool within_number = type == kIntegerType && (types & kNumberType) != 0;
    if ((types & type) != 0 && !within_number) {
      parts.push_back(of_type(type, schema, place, depth));
    }
  }
  return g_.any_of(std::move(parts));
}

Expr SchemaCompiler::reference(const Json& schema, const SchemaPlace& place, int depth) {
  if (!schema["$ref"].is_string()) {
    place.at("$ref").fail("must be a text");
  }
  const auto target = schema["$ref"].get<std::string>();
  const auto [it, fresh] = references_.try_emplace(target, 0);
  if (fresh) {
    const Grammar::Rule rule = g_.add_rule(target);
    it->second = rule;
    g_.define(rule, compile(resolve_reference(root_, target, place), {source_, target}, depth + 1));
    return g_.call(rule);
  }
  return g_.call(it->second);
}

Expr SchemaCompiler::branches(const Json& schema, const char* keyword, const SchemaPlace& place, int depth) {
  const Json list = schema[keyword];
  if (!list.is_array() || list.empty()) {
    place.at(keyword).fail("must be a list of schemas");
  }
  Json beside = schema;
  beside.erase(keyword);
  const bool alone = stands_alone(beside, "");
  std::vector<Expr> parts;
  for (size_t i = 0; i < list.size(); ++i) {
    const SchemaPlace here = place.at(keyword).at(std::to_string(i));
    for (size_t j = 0; j < i && std::string_view(keyword) == "oneOf"; ++j) {
      if (!schemas_exclude_each_other(root_, list[i], list[j], here)) {
        place.at("oneOf").fail(
            fmt::format("branches {} and {} may both fit a value, which is not supported; give them different types or "
                        "a required property with different constants, or use anyOf",
                        j, i));
      }
    }
    if (alone) {
      parts.push_back(compile(list[i], here, depth + 1));
      continue;
    }
    Json merged = beside;
    merged["allOf"] = Json::array({list[i]});
    parts.push_back(compile(merged, here, depth + 1));
  }
  return g_.any_of(std::move(parts));
}

Expr SchemaCompiler::fixed_values(const Json& schema, const SchemaPlace& place) {
  const bool is_const = schema.contains("const");
  for (const auto& [key, value] : schema.items()) {
    if (key != "const" && key != "enum" && key != "type" && key != "nullable" && !is_annotation(key)) {
      place.at(key).fail(fmt::format("is not supported beside '{}'", is_const ? "const" : "enum"));
    }
  }
  Json values = is_const ? Json::array({schema["const"]}) : schema["enum"];
  if (!values.is_array() || values.empty() || values.size() > kMaxValues) {
    place.at("enum").fail(fmt::format("must be a list of 1 to {} values", kMaxValues));
  }
  const uint8_t types = types_of(schema, place);
  std::vector<Expr> parts;
  for (const Json& value : values) {
    const bool in_enum = !is_const || !schema.contains("enum") ||
                         std::find(schema["enum"].begin(), schema["enum"].end(), value) != schema["enum"].end();
    if ((type_of_value(value) & types) != 0 && in_enum) {
      parts.push_back(json_.value(value));
    }
  }
  return g_.any_of(std::move(parts));
}

Expr SchemaCompiler::of_type(JsonType type, const Json& schema, const SchemaPlace& place, int depth) {
  switch (type) {
    case kNullType: return g_.literal("null");
    case kBooleanType: return g_.any_of({g_.literal("true"), g_.literal("false")});
    case kIntegerType: return number(true, schema, place);
    case kNumberType: return number(false, schema, place);
    case kStringType: return string(schema, place);
    case kArrayType: return array(schema, place, depth);
    default: return object(schema, place, depth);
  }
}

Expr SchemaCompiler::object(const Json& schema, const SchemaPlace& place, int depth) {
  const Json none = Json::object();
  const Json& known = schema.contains("properties") ? schema["properties"] : none;
  const Json required = schema.contains("required") ? schema["required"] : Json::array();
  if (!known.is_object()) {
    place.at("properties").fail("must be an object");
  }
  const auto additional = schema.find("additionalProperties");
  const bool open = additional == schema.end() ? known.empty() : *additional != false;
  const Json extra = open && additional != schema.end() ? *additional : Json(true);
  std::vector<Property> properties;
  std::vector<std::string> names;
  const auto add = [&](const std::string& name, const Json& value, const SchemaPlace& at, bool needed) {
    const Json whole = with_patterns(schema, name, value, place);
    const Expr pair = g_.sequence({json_.value(Json(name)), json_.colon(), compile(whole, at, depth + 1)});
    properties.push_back({name, pair, needed});
    names.push_back(name);
  };
  if (!required.is_array()) {
    place.at("required").fail("must be a list of texts");
  }
  for (const auto& [name, value] : known.items()) {
    const bool needed = std::find(required.begin(), required.end(), Json(name)) != required.end();
    if (!needed && value == false) {
      names.push_back(name);  // must not be there
      continue;
    }
    add(name, value, place.at("properties").at(name), needed);
  }
  for (const Json& name : required) {
    if (!name.is_string()) {
      place.at("required").fail("must be a list of texts");
    }
    if (known.contains(name.get<std::string>())) {
      continue;
    }
    if (!open) {
      place.at("required").fail(fmt::format("'{}' is not among the properties", name.get<std::string>()));
    }
    add(name.get<std::string>(), extra, place.at("additionalProperties"), true);
  }
  const uint32_t min = count(schema, "minProperties", 0, place);
  const uint32_t max = count(schema, "maxProperties", Grammar::kUnlimited, place);
  std::optional<Expr> more = pattern_pairs(schema, names, place, depth);
  if (open && !more) {
    const Expr value = compile(extra, place.at("additionalProperties"), depth + 1);
    const Expr key = names.empty() ? json_.string() : json_.string_except(names);
    more = named(place.at("additionalProperties"), g_.sequence({key, json_.colon(), value}));
  }
  if (more && properties.empty()) {
    return max < min ? g_.any_of({}) : json_.list('{', *more, min, max);
  }
  const auto needed = static_cast<uint32_t>(
      std::count_if(properties.begin(), properties.end(), [](const Property& property) { return property.required; }));
  if (min > needed || (max != Grammar::kUnlimited && (more || max < properties.size()))) {
    place.at(min > needed ? "minProperties" : "maxProperties").fail("is not supported beside these properties");
  }
  return json_.enclosed('{', properties_in_order(properties, more));
}

// Whether the expression matches somewhere in a property's name.
bool SchemaCompiler::name_matches(const std::string& pattern, const std::string& name, const SchemaPlace& place) {
  Grammar grammar;
  JsonGrammar json(grammar);
  const Expr expr = json.string_matching(pattern, false, 0, Grammar::kUnlimited, place.path);
  GrammarText text(std::make_shared<GrammarAutomaton>(whole_text(std::move(grammar), expr)));
  return text.accept(base::dump_json(Json(name))) && text.can_end();
}

// The value of a named property: what patternProperties say of it, too.
Json SchemaCompiler::with_patterns(const Json& schema, const std::string& name, const Json& value,
                                   const SchemaPlace& place) {
  const auto patterns = schema.find("patternProperties");
  if (patterns == schema.end() || !patterns->is_object()) {
    return value;
  }
  Json all = Json::array({value});
  for (const auto& [pattern, more] : patterns->items()) {
    if (name_matches(pattern, name, place.at("patternProperties").at(pattern))) {
      all.push_back(more);
    }
  }
  return all.size() == 1 ? value : Json{{"allOf", std::move(all)}};
}

// Pairs whose names match an expression and are none of `names`; no others are written then.
std::optional<Expr> SchemaCompiler::pattern_pairs(const Json& schema, const std::vector<std::string>& names,
                                                  const SchemaPlace& place, int depth) {
  const auto patterns = schema.find("patternProperties");
  if (patterns == schema.end()) {
    return std::nullopt;
  }
  const SchemaPlace here = place.at("patternProperties");
  if (!patterns->is_object() || patterns->empty() || patterns->size() > kMaxPatterns) {
    here.fail(fmt::format("must be an object of 1 to {} expressions", kMaxPatterns));
  }
  const Json& value = patterns->begin().value();
  std::vector<Expr> keys;
  for (const auto& [pattern, one] : patterns->items()) {
    if (one != value) {
      here.fail("is supported where all expressions have the same schema: a name may match several");
    }
    const Expr key = json_.string_matching(pattern, false, 0, Grammar::kUnlimited, here.at(pattern).path);
    keys.push_back(names.empty() ? key : g_.intersect(key, json_.string_except(names)));
  }
  const Expr compiled = compile(value, here.at(patterns->begin().key()), depth + 1);
  return named(here, g_.sequence({g_.any_of(std::move(keys)), json_.colon(), compiled}));
}

// Pairs with commas between, those that are not required left out at will.
Expr SchemaCompiler::properties_in_order(const std::vector<Property>& properties, std::optional<Expr> more) {
  // rest: what may follow once there is a pair; it grows from the end, a rule wherever it is used twice.
  const Expr comma = json_.comma();
  Expr rest = json_.space();
  if (more) {
    rest = g_.sequence({g_.repeat(g_.sequence({comma, *more}), 0, Grammar::kUnlimited), rest});
  }
  Expr none_yet = more ? g_.optional(g_.sequence({*more, rest})) : g_.empty();
  const bool optional =
      std::any_of(properties.begin(), properties.end(), [](const Property& p) { return !p.required; });
  for (size_t i = properties.size(); i > 0; --i) {
    const Property& property = properties[i - 1];
    const SchemaPlace place{source_, "#" + property.name};
    const Expr pair = optional ? named(place, property.pair) : property.pair;
    const Expr after = optional ? named(place, rest) : rest;
    const Expr first = g_.sequence({pair, after});
    none_yet = property.required ? first : g_.any_of({first, named(place, none_yet)});
    const Expr next = g_.sequence({comma, pair});
    rest = g_.sequence({property.required ? next : g_.optional(next), after});
  }
  return none_yet;
}

Expr SchemaCompiler::array(const Json& schema, const SchemaPlace& place, int depth) {
  const auto items = schema.find("items");
  const bool old_tuple = items != schema.end() && items->is_array();  // draft 7
  const char* const prefix_key = old_tuple ? "items" : "prefixItems";
  const char* const rest_key = old_tuple ? "additionalItems" : "items";
  const Json prefix = schema.contains(prefix_key) ? schema[prefix_key] : Json::array();
  if (!prefix.is_array()) {
    place.at(prefix_key).fail("must be a list of schemas");
  }
  const uint32_t min = count(schema, "minItems", 0, place);
  uint32_t max = count(schema, "maxItems", Grammar::kUnlimited, place);
  const auto length = static_cast<uint32_t>(prefix.size());
  const bool has_rest = schema.contains(rest_key);
  if ((has_rest && schema[rest_key] == false) || (!has_rest && length > 0 && min <= length)) {
    max = std::min(max, length);  // a tuple
  }
  if (max < min) {
    return g_.any_of({});
  }
  if (schema.contains("uniqueItems") && schema["uniqueItems"] == true && max > 1) {
    return distinct_items(schema, place, min, max);
  }
  const Expr rest =
      max > length
          ? named(place.at(rest_key), compile(has_rest ? schema[rest_key] : Json(true), place.at(rest_key), depth + 1))
          : g_.empty();
  if (length == 0) {
    return json_.list('[', rest, min, max);
  }
  // From the end: each element, then maybe the next.
  Expr tail = json_.space();
  if (max > length) {
    const Expr more = g_.repeat(g_.sequence({json_.comma(), rest}), min > length ? min - length : 0,
                                max == Grammar::kUnlimited ? max : max - length);
    tail = g_.sequence({more, tail});
  }
  for (uint32_t i = std::min(length, max); i > 0; --i) {
    const Expr element = compile(prefix[i - 1], place.at(prefix_key).at(std::to_string(i - 1)), depth + 1);
    tail = g_.sequence({i > 1 ? json_.comma() : g_.empty(), element, tail});
    if (i > min) {
      tail = i > 1 ? g_.any_of({tail, json_.space()}) : g_.optional(tail);
    }
  }
  return json_.enclosed('[', tail);
}

Expr SchemaCompiler::distinct_items(const Json& schema, const SchemaPlace& place, uint32_t min, uint32_t max) {
  Json items = schema.contains("items") && !schema.contains("prefixItems") ? schema["items"] : Json();
  if (items.is_object()) {
    items = flatten_schema(root_, items, place.at("items"));
    if (items.contains("$ref") && items["$ref"].is_string()) {
      items = resolve_reference(root_, items["$ref"].get<std::string>(), place.at("items"));
    }
  }
  const bool listed = items.is_object() && items.contains("enum") && items["enum"].is_array() &&
                      items["enum"].size() <= JsonGrammar::kMaxDistinct;
  if (!listed) {
    place.at("uniqueItems")
        .fail(fmt::format("is supported of items with an enum of at most {} values, and of at most one item",
                          JsonGrammar::kMaxDistinct));
  }
  fixed_values(items, place.at("items"));  // checks it
  const uint8_t types = types_of(items, place.at("items"));
  std::vector<Json> values;
  for (const Json& value : items["enum"]) {
    if ((type_of_value(value) & types) != 0 && std::find(values.begin(), values.end(), value) == values.end()) {
      values.push_back(value);
    }
  }
  return json_.distinct(values, min, max);
}

Expr SchemaCompiler::string(const Json& schema, const SchemaPlace& place) {
  if (schema.contains("not")) {  // texts that apply_not left
    Json plain = schema;
    plain.erase("not");
    std::vector<std::string> texts;
    for (const Json& text : schema["not"]["enum"]) {
      texts.push_back(text.get<std::string>());
    }
    return g_.intersect(string(plain, place), json_.string_except(texts));
  }
  const uint32_t min = count(schema, "minLength", 0, place);
  const uint32_t max = count(schema, "maxLength", Grammar::kUnlimited, place);
  if (max < min) {
    return g_.any_of({});
  }
  const auto pattern = schema.find("pattern");
  const auto format = schema.find("format");
  if (format != schema.end()) {
    const auto* const known =
        std::find_if(kFormats.begin(), kFormats.end(), [&](const auto& f) { return *format == f.first; });
    if (known == kFormats.end() || pattern != schema.end()) {
      std::string all;
      for (const auto& [name, regex] : kFormats) {
        all += fmt::format("{}{}", all.empty() ? "" : ", ", name);
      }
      place.at("format").fail(pattern != schema.end()
                                  ? "is not supported beside pattern"
                                  : fmt::format("{} is not supported; supported: {}", base::dump_json(*format), all));
    }
    return json_.string_matching(known->second, true, min, max, place.at("format").path);
  }
  if (pattern == schema.end()) {
    return json_.string(min, max);
  }
  if (!pattern->is_string()) {
    place.at("pattern").fail("must be a text");
  }
  return json_.string_matching(pattern->get<std::string>(), false, min, max,
                               fmt::format("{}: JSON Schema, {}/pattern", source_, place.path));
}

std::optional<JsonGrammar::Bound> SchemaCompiler::bound(const Json& schema, bool lower, bool whole,
                                                        const SchemaPlace& place) {
  std::optional<JsonGrammar::Bound> out;
  for (const char* key : {lower ? "minimum" : "maximum", lower ? "exclusiveMinimum" : "exclusiveMaximum"}) {
    const auto it = schema.find(key);
    if (it == schema.end()) {
      continue;
    }
    if (!it->is_number()) {
      place.at(key).fail("must be a number");
    }
    const double value = it->get<double>();
    JsonGrammar::Bound found{0, std::string_view(key).size() == 7};  // minimum, maximum
    if (std::abs(value) >= 1e18) {
      found = {value < 0 ? -static_cast<int64_t>(1e18) : static_cast<int64_t>(1e18), true};
    } else if (it->is_number_integer()) {
      found.value = it->get<int64_t>();
    } else {
      const double rounded = lower ? std::ceil(value) : std::floor(value);
      if (!whole && rounded != value) {
        place.at(key).fail("of a number that need not be whole must itself be whole");
      }
      found = {static_cast<int64_t>(rounded), found.inclusive || rounded != value};
    }
    if (!whole && std::abs(found.value) > kMaxBound) {
      place.at(key).fail("is too large");
    }
    if (whole && !found.inclusive) {
      found = {found.value + (lower ? 1 : -1), true};
    }
    const bool tighter = !out || (lower ? found.value > out->value : found.value < out->value) ||
                         (found.value == out->value && !found.inclusive);
    out = tighter ? found : out;
  }
  return out;
}

Expr SchemaCompiler::multiple(bool whole, const Json& schema, const SchemaPlace& place) {
  const SchemaPlace here = place.at("multipleOf");
  const double of = schema["multipleOf"].is_number() ? schema["multipleOf"].get<double>() : 0;
  if (!(of > 0)) {
    here.fail("must be a number above 0");
  }
  if (of == std::floor(of) && of <= static_cast<double>(kMaxBound)) {
    const auto low = bound(schema, true, true, place);
    const auto high = bound(schema, false, true, place);
    if (const auto all = json_.multiples(static_cast<int64_t>(of), low ? std::optional(low->value) : std::nullopt,
                                         high ? std::optional(high->value) : std::nullopt)) {
      return *all;
    }
    here.fail("is supported of divisors of 1000, and where bounds leave at most 10,000 multiples");
  }
  double scaled = of;
  for (uint32_t places = 1; places <= 15 && !whole; ++places) {
    scaled *= 10;
    if (std::abs(scaled - 1) < 1e-9) {
      return json_.decimals(places, bound(schema, true, false, place), bound(schema, false, false, place));
    }
  }
  here.fail("is supported of whole numbers, and of 0.1, 0.01, … for numbers that need not be whole");
}

Expr SchemaCompiler::number(bool whole, const Json& schema, const SchemaPlace& place) {
  if (schema.contains("multipleOf")) {
    return multiple(whole, schema, place);
  }
  auto low = bound(schema, true, whole, place);
  auto high = bound(schema, false, whole, place);
  if (!whole) {
    return json_.number(low, high);
  }
  if (const auto format = schema.find("format"); format != schema.end() && *format == "int32") {
    low = JsonGrammar::Bound{std::max<int64_t>(low ? low->value : INT32_MIN, INT32_MIN)};
    high = JsonGrammar::Bound{std::min<int64_t>(high ? high->value : INT32_MAX, INT32_MAX)};
  }
  return json_.integer(low ? std::optional(low->value) : std::nullopt,
                       high ? std::optional(high->value) : std::nullopt);
}

}  // namespace

Grammar::Expr add_json_schema(JsonGrammar& json, const Json& schema, const std::string& source) {
  return SchemaCompiler(json, schema, source).compile(schema, {source, "#"}, 0);
}

Grammar grammar_from_json_schema(std::string_view schema, const std::string& source) {
  const Json parsed = base::parse_json(schema, source, {.max_bytes = kMaxSchemaBytes, .max_depth = 2 * kMaxDepth});
  Grammar grammar;
  JsonGrammar json(grammar);
  const Expr expr = add_json_schema(json, parsed, source);
  return whole_text(std::move(grammar), expr);
}

Grammar grammar_of_json_objects() {
  Grammar grammar;
  JsonGrammar json(grammar);
  const Expr expr = json.any_object();
  return whole_text(std::move(grammar), expr);
}

}  // namespace slipway::text
