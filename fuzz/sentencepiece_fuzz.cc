// SentencePiece models: any bytes are a tokenizer or an Error; what is accepted encodes and decodes.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "text/tokenizer_parts.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto tokenizer =
        slipway::text::parse_sentencepiece({reinterpret_cast<const char*>(data), size}, {true, true}, "fuzz");
    slipway::text::Encoding out;
    for (const bool offsets : {false, true}) {
      tokenizer->encode("  Hello world \xE2\x96\x81 caf\xC3\xA9 \xE4\xB8\xAD\xE5\x9B\xBD <s> \xFF\x00 1984",
                        {true, offsets, 0}, out);
      tokenizer->decode(out.ids, false);
    }
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
