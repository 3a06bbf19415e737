#include "base/utf8.h"

#include <algorithm>

namespace slipway::base {

size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : 0); };
  const auto next = [&](size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    return next(1) ? 2 : 0;
  }
  if (lead >= 0xE0 && lead <= 0xEF) {
    return next(1, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF) && next(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    return next(1, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF) && next(2) && next(3) ? 4 : 0;
  }
  return 0;
}

std::string without_broken(std::string_view text) {
  std::string whole;
  whole.reserve(text.size());
  while (!text.empty()) {
    const size_t length = text.front() == '\0' ? 0 : utf8_length(text);
    if (length == 0) {
      whole += "\xEF\xBF\xBD";
    } else {
      whole += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return whole;
}

}  // namespace slipway::base
