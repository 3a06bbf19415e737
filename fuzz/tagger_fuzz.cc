// Tagger models: any bytes are one or an Error, and whatever is one tags every token. The checksum is put right first, so that what
// lies behind it is reached.
#include <cstdint>
#include <cstring>
#include <string>

#include "base/error.h"
#include "base/hash.h"
#include "text/tagger.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway::text;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (size > 16) {
    const uint64_t sum = slipway::base::xxh64(std::string_view(bytes).substr(16));
    std::memcpy(bytes.data() + 8, &sum, 8);
  }
  try {
    const Tagger tagger(SequenceModel::from_bytes(bytes, "fuzz"), nullptr);
    Tagger::Scratch scratch;
    if (tagger.task() == SequenceTask::kSegment) {
      std::vector<std::string_view> words;
      tagger.segment("我们喜欢\xFF北京 ok", scratch, words);
      size_t total = 0;
      for (const std::string_view word : words) {
        total += word.size();
      }
      if (total != 21) {  // all but the blank
        __builtin_trap();
      }
    } else {
      const std::vector<std::string_view> tokens = {"They", "run", "", "the", "\xFF"};
      std::vector<std::string> tags;
      tagger.tag(tokens, {}, scratch, tags);
      if (tags.size() != tokens.size()) {
        __builtin_trap();
      }
    }
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
