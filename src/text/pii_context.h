// Words before a finding that make it likelier. Internal to pii.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::text {

// The lower-case UTF-8 words that count as context of what begins at `at`: the word it begins in or at, and the five
// before it that say something (no English function words), as Presidio's enhancer takes them from spaCy.
void pii_context_words(std::u32string_view text, uint32_t at, std::vector<std::string>& words);

// Whether one of the words holds one of the recogniser's.
bool pii_has_context(const std::vector<std::string>& words, const std::vector<const char*>& context);

}  // namespace slipway::text
