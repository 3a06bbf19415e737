// Compact segmentation dictionaries: any bytes are one or an Error, and whatever is one cuts every text without losing a byte. The
// checksum is put right first, so that what lies behind it is reached.
#include <cstdint>
#include <cstring>
#include <string>

#include "base/error.h"
#include "base/hash.h"
#include "text/dictionary_segmenter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway::text;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (size > 16) {
    const uint64_t sum = slipway::base::xxh64(std::string_view(bytes).substr(16));
    std::memcpy(bytes.data() + 8, &sum, 8);
  }
  try {
    DictionarySegmenter segmenter(SegmentDictionary::from_bytes(bytes, "fuzz"));
    DictionarySegmenter::Scratch scratch;
    std::vector<std::string_view> words;
    const std::string text = "北京大学生 ok3.5%，王小明\r\n\xFF 学学学大大";
    segmenter.cut(text, {CutMode::kFull, true}, scratch, words);
    segmenter.cut(text, {CutMode::kSearch, false}, scratch, words);
    for (const bool hmm : {false, true}) {
      segmenter.cut(text, {CutMode::kPrecise, hmm}, scratch, words);
      size_t total = 0;
      for (const std::string_view word : words) {
        total += word.size();
      }
      if (total != text.size()) {
        __builtin_trap();
      }
    }
    segmenter.add_user_words("学大 \n小明 3 n\n", "fuzz");
    segmenter.cut(text, {}, scratch, words);
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
