#!/usr/bin/env python3
"""Writes src/text/han_script_table.cc: which ideographs only simplified or only traditional Chinese uses.

GB 2312 (mainland China, 1980) has no traditional forms that were simplified, Big5 (Taiwan, 1984) no simplified ones: what one
has and the other lacks tells them apart. Usage: tools/han_scripts.py > src/text/han_script_table.cc
"""
FIRST, LAST = 0x4E00, 0x9FA5


def has(codec, code):
    try:
        chr(code).encode(codec)
        return True
    except UnicodeEncodeError:
        return False


def words(chosen):
    count = (LAST - FIRST) // 64 + 1
    values = [0] * count
    for code in chosen:
        values[(code - FIRST) // 64] |= 1 << ((code - FIRST) % 64)
    lines = [", ".join(f"0x{v:016X}" for v in values[i:i + 6]) for i in range(0, count, 6)]
    return ",\n    ".join(lines)


def main():
    simplified = [c for c in range(FIRST, LAST + 1) if has("gb2312", c) and not has("big5", c)]
    traditional = [c for c in range(FIRST, LAST + 1) if has("big5", c) and not has("gb2312", c)]
    print(f"""// Made by tools/han_scripts.py, which says how. {len(simplified)} ideographs of simplified, {len(traditional)} of traditional Chinese alone.
#include "text/han_script.h"

namespace slipway::text {{
namespace {{

constexpr char32_t kFirst = 0x{FIRST:X};
constexpr char32_t kLast = 0x{LAST:X};

// A bit for each ideograph from kFirst on.
constexpr uint64_t kSimplified[] = {{
    {words(simplified)}}};
constexpr uint64_t kTraditional[] = {{
    {words(traditional)}}};

}}  // namespace

HanScript han_script(char32_t c) noexcept {{
  if (c < kFirst || c > kLast) {{
    return HanScript::kBoth;
  }}
  const uint64_t bit = uint64_t{{1}} << ((c - kFirst) % 64);
  if ((kSimplified[(c - kFirst) / 64] & bit) != 0) {{
    return HanScript::kSimplified;
  }}
  return (kTraditional[(c - kFirst) / 64] & bit) != 0 ? HanScript::kTraditional : HanScript::kBoth;
}}

}}  // namespace slipway::text""")


if __name__ == "__main__":
    main()
