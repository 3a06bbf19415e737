// Whether a text is a date or time of a format, as Python's datetime.strptime has it in the C locale: %Y %y %m %d %H %I %M %S %f %j %p
// %b %B %a %A %z %Z %%; a space is any white space. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace slipway::data {

// Why the format cannot be used, or "".
std::string strptime_fault(std::string_view format);
bool matches_strptime(std::string_view text, std::string_view format);

}  // namespace slipway::data
