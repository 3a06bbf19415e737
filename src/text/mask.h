// Personal data in text: e-mail addresses, telephone numbers and IP addresses become [EMAIL], [PHONE] and [IP].
// Hand-written scanners, one pass, linear time. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/fields.h"

namespace slipway::text {

struct MaskOptions {
  bool email = true;
  bool phone = true;
  bool ip = true;
  void describe(base::FieldTable& table);
};

struct MaskCounts {
  size_t email = 0;
  size_t phone = 0;
  size_t ip = 0;
  size_t total() const { return email + phone + ip; }
};

// The text with what was found replaced; adds to `counts`. Phone numbers are those written as such: an international
// prefix
// (+ or 00), a North American number with its grouping, a Chinese mobile number, or a grouped number after a word like
// "tel"; not dates, years, prices, versions, decimals or long identifiers. IPv4 octets are <= 255 and not part of a
// version; IPv6 must be complete (8 groups or "::" with at least 3).
std::string mask_pii(std::string_view text, const MaskOptions& options, MaskCounts& counts);

}  // namespace slipway::text
