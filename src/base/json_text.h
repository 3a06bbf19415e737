// A text as JSON writes it, for those who write JSON without a tree. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace slipway::base {

// How many bytes from `at` on may stand in a JSON string as they are: neither a quotation mark nor a backslash nor a
// control character. Sixteen at a time.
size_t json_plain_run(std::string_view text, size_t at) noexcept;

// Appends `text`, valid UTF-8, in quotation marks; only what JSON forbids is escaped.
void append_json_text(std::string_view text, std::string& out);

}  // namespace slipway::base
