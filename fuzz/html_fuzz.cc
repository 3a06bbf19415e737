// Web pages: the main text and all text of any bytes, and what masking and word splitting make of it.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "text/html.h"
#include "text/mask.h"
#include "text/words.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const auto page = slipway::text::html_to_text(bytes);
    slipway::text::MaskCounts counts;
    slipway::text::mask_pii(page.text, {}, counts);
    slipway::text::split_words(page.text);
    slipway::text::html_to_text(bytes, {false, false});
  } catch (const slipway::base::Error&) {
  }
  slipway::text::MaskCounts counts;
  slipway::text::mask_pii(slipway::text::unescape_entities(bytes), {}, counts);
  return 0;
}
