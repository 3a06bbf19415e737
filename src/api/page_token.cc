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

}  // namespace

std::string page_token(int64_t offset) { return encode_base64(fmt::format("{{\"offset\": {}}}", offset)); }

int64_t page_offset(const std::string& token) {
  if (token.empty()) {
    return 0;
  }
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
  return offset->get<int64_t>();
}

}  // namespace slipway::api
