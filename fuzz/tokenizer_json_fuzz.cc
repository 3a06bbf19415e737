// tokenizer.json: parse the bytes; when they are a tokenizer, encode and decode a text of every kind.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto tokenizer = slipway::text::parse_tokenizer({reinterpret_cast<const char*>(data), size}, "fuzz");
    slipway::text::Encoding out;
    tokenizer->encode(
        "The unaffable caf\xC3\xA9 [MASK] \xE4\xB8\xAD\xE5\x9B\xBD e\xCC\x81\xCC\xA3 \xED\x95\x9C \xFF\x00 don't!",
        {true, true, 0}, out);
    tokenizer->decode(out.ids, false);
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
