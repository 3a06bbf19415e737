// Files of tagged sentences: any bytes are sentences or an Error; every token's line takes another tag, and keeps its token.
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "data/conll.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace slipway::data;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ConllKind kind = conll_kind(text);
  try {
    ConllReader reader(text, "fuzz", kind);
    for (ConllSentence sentence; reader.next(sentence);) {
      for (size_t i = 0; i < sentence.tokens.size(); ++i) {
        const std::string_view line = sentence.lines[sentence.tokens[i]];
        const bool conllu = kind == ConllKind::kConllU;
        const std::string tagged = conllu ? with_conll_misc(line, "NER", "B-X") : with_conll_column(line, kind, kLastColumn, "B-X");
        if (conll_column(tagged, kind, conllu ? size_t{kConllForm} : size_t{0}) != sentence.forms[i] ||
            (conllu ? conll_misc(tagged, "NER") : conll_column(tagged, kind, kLastColumn)) != "B-X") {
          __builtin_trap();
        }
      }
    }
  } catch (const slipway::base::Error&) {
  }
  return 0;
}
