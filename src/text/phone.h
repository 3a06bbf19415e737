// Telephone numbers in text, by how they are written. Used by mask.h and pii.h. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace slipway::text {

// The end of the telephone number that begins at `at` (a digit, '+' or '('), or 0: an international prefix (+ or 00), a
// North American number with its grouping, a Chinese mobile number or land line, or a grouped number after a word like
// "tel"; not dates, years, prices, versions, decimals or long identifiers.
size_t phone_number_end(std::string_view text, size_t at);

// The lower-case ASCII word before `at`, past at most `max_gap` spaces and punctuation.
std::string ascii_word_before(std::string_view text, size_t at, size_t max_gap);

}  // namespace slipway::text
