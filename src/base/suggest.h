// "Did you mean": the nearest of the known names.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace slipway::base {

// Edit distance (insert, delete, replace, swap of neighbours), bytes.
size_t edit_distance(std::string_view a, std::string_view b);

// The nearest known name within a third of the length (at least 2 edits), or "".
std::string nearest(std::string_view name, std::span<const std::string> known);

// "; did you mean 'x'?" or "; known: a, b, c".
std::string suggestion(std::string_view name, std::span<const std::string> known);

}  // namespace slipway::base
