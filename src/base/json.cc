#include "base/json.h"

#include <fmt/format.h>

#include "base/error.h"

namespace slipway::base {
namespace {

// The deepest nesting of [ and { outside strings: checked before parsing, so that no parser recursion can be abused.
int nesting_depth(std::string_view text) noexcept {
  int depth = 0;
  int deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

Json parse_json(std::string_view text, std::string_view source, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    throw Error(Code::kInvalid,
                fmt::format("{}: {} bytes of JSON, more than the limit of {}", source, text.size(), limits.max_bytes));
  }
  if (nesting_depth(text) > limits.max_depth) {
    throw Error(Code::kInvalid, fmt::format("{}: JSON nested deeper than {} levels", source, limits.max_depth));
  }
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const Json::parse_error& error) {
    const std::string_view what = error.what();
    const size_t bracket = what.find("] ");
    throw Error(Code::kInvalid, fmt::format("{}: not valid JSON at byte {}: {}", source, error.byte,
                                            bracket == std::string_view::npos ? what : what.substr(bracket + 2)));
  } catch (const Json::out_of_range&) {
    throw Error(Code::kInvalid, fmt::format("{}: a number in the JSON is larger than a double can hold", source));
  }
}

std::string dump_json(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string dump_json_pretty(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string canonical_json(const Json& value) {
  return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void throw_json_type(std::string_view key, std::string_view source, const char* what) {
  throw Error(Code::kInvalid, fmt::format("{}: '{}' {}", source, key, what));
}

}  // namespace slipway::base
