// tiktoken files: any bytes are a tokenizer or an Error; the first byte chooses the family.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "text/tokenizer_parts.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr const char* kFamilies[] = {"cl100k", "o200k", "gpt2", "qwen", "tokenizer.model"};
  const char* family = kFamilies[size == 0 ? 0 : data[0] % 5];
  try {
    const auto tokenizer = slipway::text::parse_tiktoken({reinterpret_cast<const char*>(data), size}, family, "fuzz");
    slipway::text::Encoding out;
    for (const bool offsets : {false, true}) {
      tokenizer->encode("  Hello world's caf\xC3\xA9 \xE4\xB8\xAD\xE5\x9B\xBD \xFF\x00 1984\n\n", {true, offsets, 0},
                        out);
      tokenizer->decode(out.ids, false);
    }
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
