#include "text/char_kind.h"

#include <utf8proc.h>
#include <vector>

#include "text/hf_unicode.h"

namespace slipway::text {
namespace {

uint8_t kind_of(utf8proc_category_t category) noexcept {
  switch (category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LT: return kLetterKind | kUpperKind;
    case UTF8PROC_CATEGORY_LL: return kLetterKind | kLowerKind;
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return kLetterKind;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME: return kMarkKind;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return kNumberKind;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO: return kPunctuationKind;
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_SO: return kSymbolKind;
    default: return 0;
  }
}

std::vector<uint8_t> build() {
  std::vector<uint8_t> kinds(kKindCodePoints);
  for (char32_t c = 0; c < kKindCodePoints; ++c) {
    kinds[c] = kind_of(utf8proc_category(static_cast<utf8proc_int32_t>(c)));
    if (c <= 0x3000 && hf_is_space(c)) {
      kinds[c] = kSpaceKind;
    }
  }
  for (const NewKind& added : new_kinds()) {
    for (char32_t c = added.first; c <= added.last; ++c) {
      kinds[c] |= added.kinds;
    }
  }
  return kinds;
}

}  // namespace

const uint8_t* char_kind_table() noexcept {
  static const std::vector<uint8_t> table = build();
  return table.data();
}

}  // namespace slipway::text
