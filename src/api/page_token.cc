#include "api/page_token.h"

#include <array>
#include <fmt/format.h>

#include "api/errors.h"
#include "base/base64.h"
#include "base/json.h"

namespace slipway::api {
namespace {

constexpr size_t kMaxToken = 64 << 10;  // one that names a thousand experiments

// The token's object, `offset` in it looked at. Throws ApiError.
Json parse_token(const std::string& token) {
  const auto decoded = token.size() <= kMaxToken ? base::base64_decode(token) : std::nullopt;
  if (!decoded) {
    invalid("Invalid page token, could not base64-decode");
  }
  Json parsed;
  try {
    parsed = base::parse_json(*decoded, "a page token");
  } catch (const base::Error&) {
    invalid(fmt::format("Invalid page token, decoded value=b{}", python_repr(*decoded)));
  }
  const auto offset = parsed.is_object() ? parsed.find("offset") : parsed.end();
  if (!parsed.is_object() || offset == parsed.end() || !offset->is_number_integer() || offset->get<int64_t>() <= 0) {
    invalid(fmt::format("Invalid page token, parsed value={}", base::dump_json(parsed)));
  }
  return parsed;
}

}  // namespace

std::string encode_token(const Json& token) { return base::base64_encode(base::dump_json(token)); }

Json decode_token(const std::string& token) { return parse_token(token); }

std::string page_token(int64_t offset) { return base::base64_encode(fmt::format("{{\"offset\": {}}}", offset)); }

std::string page_token(int64_t offset, const record::RunPlace& last) {
  return base::base64_encode(base::dump_json({{"offset", offset}, {"start_time", last.started_ms}, {"run_id", last.id}}));
}

int64_t page_offset(const std::string& token) {
  return token.empty() ? 0 : parse_token(token).at("offset").get<int64_t>();
}

std::optional<record::RunPlace> page_place(const std::string& token) {
  if (token.empty()) {
    return std::nullopt;
  }
  const Json parsed = parse_token(token);
  const auto start = parsed.find("start_time");
  const auto id = parsed.find("run_id");
  if (start == parsed.end() || id == parsed.end()) {
    return std::nullopt;
  }
  if (!start->is_number_integer() || !id->is_string()) {
    invalid(fmt::format("Invalid page token, parsed value={}", base::dump_json(parsed)));
  }
  return record::RunPlace{start->get<int64_t>(), id->get<std::string>()};
}

}  // namespace slipway::api
