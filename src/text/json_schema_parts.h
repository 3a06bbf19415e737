// What a JSON Schema says before it becomes a grammar: its keywords, references, two schemas as one. Internal to
// json_schema*.cc. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"

namespace slipway::text {

enum JsonType : uint8_t {
  kNullType = 1,
  kBooleanType = 2,
  kIntegerType = 4,
  kNumberType = 8,  // those that are not whole
  kStringType = 16,
  kArrayType = 32,
  kObjectType = 64,
  kAnyType = 127,
};

// A place in a schema, for messages.
struct SchemaPlace {
  std::string source;
  std::string path;  // JSON pointer, "#/properties/a"
  SchemaPlace at(std::string_view key) const;
  [[noreturn]] void fail(std::string_view what) const;
};

bool is_annotation(std::string_view keyword);
// Throws for the first keyword that is not supported, or unknown.
void check_keywords(const base::Json& schema, const SchemaPlace& place);
// Whether nothing but annotations stands beside `keyword`.
bool stands_alone(const base::Json& schema, std::string_view keyword);

// The types that "type" allows; all without it.
uint8_t types_of(const base::Json& schema, const SchemaPlace& place);
base::Json type_names(uint8_t types);
uint8_t type_of_value(const base::Json& value);
// The types that a schema without "type" speaks of; all when it speaks of none.
uint8_t types_meant(const base::Json& schema);

// The schema that a "$ref" within `root` points at.
const base::Json& resolve_reference(const base::Json& root, const std::string& reference, const SchemaPlace& place);
// One schema for what both allow. Throws where that cannot be written as one.
base::Json merge_schemas(const base::Json& a, const base::Json& b, const SchemaPlace& place);
// The schema without "allOf", and without a "$ref" that has other keywords beside it.
base::Json flatten_schema(const base::Json& root, base::Json schema, const SchemaPlace& place);
// The schema without "not": what is left, written down; false when nothing is. Of texts that are taken out "not" stays,
// as {"enum": texts}. Throws where what is left cannot be written.
base::Json apply_not(const base::Json& root, base::Json schema, const SchemaPlace& place);
// The schema without "if", "then" and "else": two branches, of which a value that fits has the property that decides.
base::Json apply_if(const base::Json& root, base::Json schema, const SchemaPlace& place);
// Whether no value fits both (may say false where that is not seen).
bool schemas_exclude_each_other(const base::Json& root, const base::Json& a, const base::Json& b,
                                const SchemaPlace& place);

}  // namespace slipway::text
