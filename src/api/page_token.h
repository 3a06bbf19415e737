// Where the next page begins, as MLflow writes it: base64 of {"offset": N}. Clients pass it on unread.
#pragma once

#include <cstdint>
#include <string>

namespace slipway::api {

std::string page_token(int64_t offset);
// 0 for "". Throws ApiError ("Invalid page token, …").
int64_t page_offset(const std::string& token);

}  // namespace slipway::api
