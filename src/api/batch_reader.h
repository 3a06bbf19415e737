// Reads the batches that clients log all day without a tree of JSON: the plain form only, in which they come. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "api/messages.h"

namespace slipway::api {

// The message of a body, as parse_request<LogBatch> reads it; nothing when the body is not of the plain form (an escape, a letter
// beyond ASCII, a number as a text, a name that is unknown or comes twice, whatever is missing, empty or wrong): then that reads it,
// and says what is wrong with it. O(bytes).
std::optional<LogBatch> read_plain_batch(std::string_view body);

}  // namespace slipway::api
