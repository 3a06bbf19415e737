// JSON Schema (draft 2020-12, and what draft 7 and OpenAPI wrote differently) as a grammar: every text that the grammar
// allows is JSON that the schema allows; not the other way round. Objects write their properties in the schema's order,
// further ones last; white space, numbers and formats are bounded (json_grammar.h). An object whose schema names
// properties and not additionalProperties takes no others; a schema without "type" means the types that its keywords
// speak of.
//
// Understood: type, enum, const, $ref with $defs (recursive too), anyOf, oneOf whose branches exclude each other, allOf
// that can be merged; properties, required, additionalProperties, minProperties and maxProperties; items, prefixItems,
// minItems, maxItems; minLength, maxLength, pattern, format; minimum, maximum and the exclusive ones. Annotations
// (title, description, default, examples, ...) say nothing. Every other keyword is an error that names it and its
// place, never ignored.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "text/grammar.h"
#include "text/json_grammar.h"

namespace slipway::text {

// Adds the values of a schema to a grammar. Throws Error(kInvalid) naming `source`, the JSON pointer and the keyword.
Grammar::Expr add_json_schema(JsonGrammar& json, const base::Json& schema, const std::string& source);
// The whole text is such a value; `schema` is the JSON text of a schema.
Grammar grammar_from_json_schema(std::string_view schema, const std::string& source);
// Any JSON object.
Grammar grammar_of_json_objects();

}  // namespace slipway::text
