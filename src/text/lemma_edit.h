// How a word becomes its lemma, as a label that many words share: case, what is cut off the end, what is put there instead.
// "houses" to "house" and "cars" to "car" are one edit. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace slipway::text {

// The edit that makes `lemma` of `form`: "CASE|CUT|ADD". CASE: k the form's own, l all lower case, u first letter upper case,
// the rest lower. CUT is the number of characters off the end. Words that share no begin become "k|ALL|LEMMA" of their own.
std::string lemma_edit(std::string_view form, std::string_view lemma);

// What the edit makes of `form`; the form itself when the edit does not fit it or is none.
std::string apply_lemma_edit(std::string_view form, std::string_view edit);

}  // namespace slipway::text
