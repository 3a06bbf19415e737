// Mentions of groups of people (gender, ethnicity, religion, nationality), and the swaps that a counterfactual bias
// probe makes: her for him, a name of one group for a name of another. English and Chinese. The lists are our own
// (identity_table.cc) and are lists of words, not of people: a mention says that a text speaks of a group, no more. Any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::text {

// The groups whose terms occur in the text as whole words, sorted, each once: "gender:female", "gender:male",
// "gender:nonbinary", "ethnicity:black", "religion:muslim", "nationality:chinese", ... Linear.
std::vector<std::string> mentioned_groups(std::string_view text);

// Every group that mentioned_groups can return, sorted.
std::span<const std::string_view> all_groups();

// The text with gendered words exchanged (he/she, his/her, man/woman, Mr/Ms, ... 他/她, 男/女 words), case kept (He ->
// She, HE -> SHE), everything else byte for byte the same. "her" becomes "his" before a noun and "him" elsewhere, by
// the next word. nullopt when nothing was there to swap.
std::optional<std::string> swap_gender(std::string_view text);

// First names commonly associated with a group: "gender:female", "gender:male", and "ethnicity:{white,black,hispanic,
// east_asian,south_asian,arab}:{female,male}". Empty for other groups.
std::span<const std::string_view> names_of(std::string_view group);
// The groups that names_of knows, sorted.
std::span<const std::string_view> name_groups();

// The text with every first name of our lists replaced by one of `group` (the same name by the same; chosen by `seed`
// and the order of first appearance). Names that are also common words (Will, Grace, May ...) count only capitalised
// within a sentence. The gender of a name is kept when the group has names of both ("ethnicity:black": a female name
// gives a female one). nullopt when the text has no name we know.
std::optional<std::string> replace_names(std::string_view text, std::string_view group, uint64_t seed);

}  // namespace slipway::text
