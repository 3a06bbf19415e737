#include "api/page_token.h"

#include <array>
#include <fmt/format.h>

#include "api/errors.h"
#include "base/json.h"
#include "text/charsmap.h"

namespace slipway::api {
namespace {

constexpr size_t kMaxToken = 4096;

std::string encode_base64(std::string_view bytes) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) {
      bits = (bits << 8) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (size_t k = 0; k < 4; ++k) {
      out += i + k <= bytes.size() ? kDigits[(bits >> (18 - 6 * k)) & 63U] : '=';
    }
  }
  return out;
}

// The token's object, `offset` in it looked at. Throws ApiError.
Json parse_token(const std::string& token) {
  const auto decoded = token.size() <= kMaxToken ? text::decode_base64(token) : std::nullopt;
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

std::string page_token(int64_t offset) { return encode_base64(fmt::format("{{\"offset\": {}}}", offset)); }

std::string page_token(int64_t offset, const record::RunPlace& last) {
  return encode_base64(base::dump_json({{"offset", offset}, {"start_time", last.started_ms}, {"run_id", last.id}}));
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
