// A text as JSON writes it, for those who write JSON without a tree. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace slipway::base {

// Appends `text`, valid UTF-8, in quotation marks; only what JSON forbids is escaped.
void append_json_text(std::string_view text, std::string& out);

}  // namespace slipway::base
