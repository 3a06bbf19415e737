// Where the next page begins, as MLflow writes it: base64 of {"offset": N}. Clients pass it on unread. Those of runs also
// hold the last run's place: {"offset": N, "start_time": MS, "run_id": ID}.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"
#include "record/tracking.h"

namespace slipway::api {

std::string page_token(int64_t offset);
std::string page_token(int64_t offset, const record::RunPlace& last);
// 0 for "". Throws ApiError ("Invalid page token, …").
int64_t page_offset(const std::string& token);
// Nothing for a token without a place. Throws as page_offset does.
std::optional<record::RunPlace> page_place(const std::string& token);


// Where a token holds more beside the offset: the object as a token, and back. decode_token throws as page_offset does.
std::string encode_token(const base::Json& token);
base::Json decode_token(const std::string& token);

}  // namespace slipway::api
