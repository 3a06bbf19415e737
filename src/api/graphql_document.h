// The text of a GraphQL request as a tree: operations, fields, arguments, variables, directives and fragments of the
// specification of October 2021; no definitions of types. Untrusted: its size, depth and number of fields are bounded.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace slipway::api::graphql {

using base::Json;

struct Value {
  enum class Kind { kVariable, kScalar, kList, kObject };
  Kind kind = Kind::kScalar;
  std::string variable;             // without '$'
  Json scalar;                      // an enumerator is its name as a text
  std::vector<Value> items;         // of a list; of an object in the order of `names`
  std::vector<std::string> names;
};

using Arguments = std::vector<std::pair<std::string, Value>>;

struct Directive {
  std::string name;
  Arguments arguments;
};

struct Selection {
  enum class Kind { kField, kSpread, kInline };
  Kind kind = Kind::kField;
  std::string alias;  // "": none
  std::string name;   // of the field, or of the fragment that is spread
  std::string on;     // of an inline fragment: its type; "": any
  Arguments arguments;
  std::vector<Directive> directives;
  std::vector<Selection> selections;
  const std::string& key() const { return alias.empty() ? name : alias; }
};

struct Variable {
  std::string name;
  bool required = false;  // its type ends in '!' and it has no default
  bool has_fallback = false;
  Value fallback = {};
};

struct Operation {
  std::string kind = "query";  // or "mutation", "subscription"
  std::string name;
  std::vector<Variable> variables;
  std::vector<Selection> selections;
};

struct Fragment {
  std::string name;
  std::string on;
  std::vector<Selection> selections;
};

struct Document {
  std::vector<Operation> operations;
  std::vector<Fragment> fragments;
  const Fragment* find_fragment(std::string_view name) const;
};

// Throws ApiError(INVALID_PARAMETER_VALUE) with line and column for what is no such text, for one of more than 256 KiB, for one
// that is nested more than 64 deep, and for more than 100 fragments.
Document parse_document(std::string_view text);

// "" when each operation asks for at most 10 fields at its root, 1,000 in all, 10 deep, and no selection has more than 10
// aliases, fragments counted where they are spread (MLflow's limits); else what is too much. Cost: the fields, up to the limit.
std::string excess_of(const Document& document);

}  // namespace slipway::api::graphql
