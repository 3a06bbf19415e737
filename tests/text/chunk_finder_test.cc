#include "text/chunk_finder.h"

#include <gtest/gtest.h>

#include "support/odd_text.h"
#include "text/unicode.h"
#include "text/web_chars.h"

namespace slipway::text {
namespace {

// Character by character.
std::vector<uint32_t> edges_of(std::string_view text) {
  std::vector<uint32_t> edges;
  bool inside = false;
  for (size_t at = 0; at < text.size();) {
    const Decoded d = decode_at(text, at);
    const bool space = (WebChars::get()(d.code) & kWebSpace) != 0;
    if (space == inside) {
      edges.push_back(static_cast<uint32_t>(at));
      inside = !space;
    }
    at += d.size;
  }
  if (inside) {
    edges.push_back(static_cast<uint32_t>(text.size()));
  }
  return edges;
}

bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

void expect_found(ChunkFinder& finder, const std::string& text) {
  finder.find(text);
  ASSERT_EQ(std::vector<uint32_t>(finder.edges().begin(), finder.edges().end()), edges_of(text)) << text;
  for (size_t at = 0; at <= text.size(); ++at) {
    size_t letters = 0;
    while (letters < 64 && at + letters < text.size() && is_ascii_letter(text[at + letters])) {
      ++letters;
    }
    ASSERT_EQ(finder.letter_run(at), letters) << at << " of " << text;
  }
}

// Each instruction set against a scan by characters; one finder goes from text to text, longer and shorter.
TEST(ChunkFinder, EqualsAScanByCharacters) {
  for (const base::Isa isa : {base::Isa::kScalar, base::Isa::kAvx2, base::Isa::kAvx512}) {
    base::Rng rng(11);
    ChunkFinder finder(isa);
    for (int round = 0; round < 400; ++round) {
      expect_found(finder, tests::odd_text(rng, {.pieces = rng.below(80), .valid = round % 2 == 0}));
    }
  }
}

// White space of several bytes at every place of a block of 64.
TEST(ChunkFinder, WhiteSpaceMayLieAcrossBlocks) {
  ChunkFinder finder;
  for (const std::string_view space : {"\xC2\xA0", "\xE3\x80\x80", "\xE2\x80\x83\xE2\x80\x83", "\n", "\xE2\x80\x99"}) {
    for (size_t before = 0; before < 140; ++before) {
      expect_found(finder, std::string(before, 'x') + std::string(space) + "yz");
      expect_found(finder, std::string(before, 'x') + std::string(space));
    }
  }
  expect_found(finder, "");
}

}  // namespace
}  // namespace slipway::text
