// Any text through every recogniser and the operators: places are ordered and within the text, what encrypt takes
// decrypt gives back.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "text/pii.h"
#include "text/pii_operators.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway::text;
  static const PiiScanner scanner({.entities = {"all"}, .threshold = 0});
  static const std::string key(16, 'k');
  static const PiiOperator encrypt({.mode = "encrypt", .key = key});
  static const PiiOperator mask({.mode = "mask"});
  constexpr size_t kMost = size_t{1} << 16;
  const std::string_view text(reinterpret_cast<const char*>(data), size < kMost ? size : kMost);
  PiiScanner::Scratch scratch;
  std::vector<PiiFinding> findings;
  scanner.find(text, scratch, findings);
  uint32_t last = 0;
  for (const PiiFinding& finding : findings) {
    std::string hidden;
    if (finding.begin_byte < last || finding.end_byte <= finding.begin_byte || finding.end_byte > text.size()) {
      std::abort();
    }
    last = finding.end_byte;
    const std::string_view value = text.substr(finding.begin_byte, finding.end_byte - finding.begin_byte);
    encrypt.apply(finding.type, value, hidden);
    if (pii_decrypt(hidden, key) != value) {
      std::abort();
    }
  }
  (void)mask.apply_all(text, findings);
  return 0;
}
