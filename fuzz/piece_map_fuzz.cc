// A vocab.json and, after a zero byte, a SentencePiece model: any bytes are a tokenizer or an Error; what is accepted
// encodes and decodes.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "text/piece_map.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const size_t cut = std::min(bytes.find('\0'), bytes.size());
  try {
    slipway::text::PieceMapOptions options;
    options.after = {"</s>"};
    options.special = {"</s>", "<unk>", "__en__"};
    options.language_codes = true;
    const auto tokenizer =
        slipway::text::parse_piece_map(bytes.substr(std::min(cut + 1, size)), bytes.substr(0, cut), options, "fuzz");
    slipway::text::Encoding out;
    for (const bool offsets : {false, true}) {
      for (const char* text : {">>de<< the cat \xE4\xB8\xAD \xFF", ">>", "  a  ", ""}) {
        tokenizer->encode(text, {true, offsets, offsets ? 4 : 0}, out);
        tokenizer->decode(out.ids, false);
      }
    }
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
