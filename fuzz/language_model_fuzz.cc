// Language models: any bytes are one or an Error, and whatever is one gives a score for each of its languages. The checksum is put right
// first, so that what lies behind it is reached.
#include <cstdint>
#include <cstring>
#include <string>

#include "base/error.h"
#include "base/hash.h"
#include "text/language.h"
#include "text/language_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway::text;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (size > 16) {
    const uint64_t sum = slipway::base::xxh64(std::string_view(bytes).substr(16));
    std::memcpy(bytes.data() + 8, &sum, 8);
  }
  try {
    const auto model = LanguageModel::from_bytes(bytes, "fuzz");
    for (const char* text : {"baba Keke, \xFF 好", "", "Привет"}) {
      if (identify_languages(text, 3, *model).empty()) {
        __builtin_trap();
      }
    }
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
