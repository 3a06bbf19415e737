// How values of tables are written as JSON: docs/guide/data.md. Internal; pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::data {

// Without quotes: "2024-02-29" of days since 1970 (the number itself beyond the years 0 to 9999), "12:34:56.000001" of units since
// midnight (not negative), both with a T between them of units since 1970.
void append_date(int64_t days, std::string& out);
void append_clock(int64_t units, int64_t per_second, std::string& out);
void append_timestamp(int64_t units, int64_t per_second, std::string& out);
// A signed big-endian number of at most 256 bytes with `scale` digits behind its point.
std::string decimal_text(std::string_view big_endian, int scale);
std::string big_endian(int64_t value);
// A number, with a point or an exponent; null when it is not finite.
void append_real(double value, std::string& out);
void append_real(float value, std::string& out);
double half_value(uint16_t bits) noexcept;  // IEEE 754 binary16
// A JSON string: the text, or of what is no UTF-8 base64.
void append_text_or_bytes(std::string_view bytes, std::string& out);

}  // namespace slipway::data
