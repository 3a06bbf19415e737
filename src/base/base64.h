// Standard base64 (RFC 4648, section 4). Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace slipway::base {

std::string base64_encode(std::string_view bytes);  // padded with '='
// With or without padding; nullopt when it is not base64.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace slipway::base
