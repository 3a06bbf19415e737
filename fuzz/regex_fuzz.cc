// Regular expressions of tokenizer files: the first line is a pattern, the rest a text. Every search ends.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "text/aligned_text.h"
#include "text/regex.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line = input.find('\n');
  try {
    const slipway::text::Regex regex(input.substr(0, line), "fuzz");
    const std::u32string text =
        slipway::text::to_utf32(line == std::string_view::npos ? input : input.substr(line + 1).substr(0, 2000));
    const auto end = static_cast<uint32_t>(text.size());
    slipway::text::Regex::Match match{};
    for (uint32_t from = 0; from <= end && regex.find(text, 0, end, from, match);) {
      from = match.end > from ? match.end : from + 1;
    }
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
