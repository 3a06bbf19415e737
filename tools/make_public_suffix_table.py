#!/usr/bin/env python3
"""Writes src/text/public_suffix_table.cc from a public_suffix_list.dat. usage: make_public_suffix_table.py LIST"""
import pathlib
import re
import sys

text = pathlib.Path(sys.argv[1]).read_text().split("// ===BEGIN PRIVATE DOMAINS===")[0]
version = re.search(r"// VERSION: (\S+)", text)[1]
rules = set()
for line in text.splitlines():
    rule = line.split()[0] if line.strip() and not line.startswith("//") else ""
    if rule:
        rules |= {rule, ".".join(x if x.isascii() else "xn--" + x.encode("punycode").decode() for x in rule.split("."))}
out = ["// The ICANN part of the Public Suffix List, sorted by bytes, by tools/make_public_suffix_table.py; internationalised labels both in their",
       "// script and as xn-- labels. The list is subject to the terms of the Mozilla Public License, v. 2.0 (https://mozilla.org/MPL/2.0/).",
       '#include "text/public_suffix.h"', "", "namespace slipway::text {", "namespace {", "", "constexpr std::string_view kRules[] = {"]
line = "   "
for rule in sorted(rules, key=str.encode):
    item = f' "{rule}",'
    if len((line + item).encode()) > 120:
        out.append(line)
        line = "   "
    line += item
out += [line, "};", "", "}  // namespace", "", "std::span<const std::string_view> public_suffix_rules() noexcept { return kRules; }",
        f'std::string_view public_suffix_version() noexcept {{ return "{version}"; }}', "", "}  // namespace slipway::text"]
pathlib.Path(__file__).resolve().parents[1].joinpath("src/text/public_suffix_table.cc").write_text("\n".join(out) + "\n")
print(len(rules), "rules of", version)
