#include "data/keys.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "base/error.h"
#include "base/suggest.h"

namespace slipway::data {

using base::Code;
using base::Error;
using base::Json;

void check_keys(const Json& value, std::initializer_list<std::string_view> known, const std::string& where) {
  if (value.is_null()) {
    return;
  }
  if (!value.is_object()) {
    throw Error(Code::kInvalid, fmt::format("{}: must be a mapping of names to values", where));
  }
  for (const auto& [key, member] : value.items()) {
    if (std::find(known.begin(), known.end(), std::string_view(key)) == known.end()) {
      const std::vector<std::string> names(known.begin(), known.end());
      throw Error(Code::kInvalid, fmt::format("{}: unknown key '{}'{}", where, key, base::suggestion(key, names)));
    }
  }
}

std::string scalar_text(const Json& value, const std::string& where, std::string_view key) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (value.is_number() || value.is_boolean()) {
    return value.dump();
  }
  throw Error(Code::kInvalid, fmt::format("{}: '{}' must be a text or a number", where, key));
}

Json without_defaults(const Json& options, const Json& defaults) {
  Json out = Json::object();
  for (const auto& [key, value] : options.items()) {
    const auto standard = defaults.find(key);
    if (standard == defaults.end() || *standard != value) {
      out[key] = value;
    }
  }
  return out;
}

}  // namespace slipway::data
