// Strings and numbers as Python's str, repr and float show and cut them, for chat templates: those are written against
// Python, and a model has seen exactly what Python made of them. Pure functions over valid UTF-8; positions and lengths
// are code points; any thread. Views point into the argument.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::text::python {

// str.isspace of one character.
bool is_space(char32_t c) noexcept;

enum class Side { kBoth, kLeft, kRight };
// str.strip, lstrip, rstrip; without `chars` white space.
std::string_view strip(std::string_view text, Side side = Side::kBoth,
                       std::optional<std::string_view> chars = std::nullopt);
// str.split, or rsplit with `from_right`; without `separator` (never empty) runs of white space. max < 0: all.
std::vector<std::string_view> split(std::string_view text, std::optional<std::string_view> separator, int64_t max,
                                    bool from_right);
std::vector<std::string_view> split_lines(std::string_view text);
// str.replace; count < 0: all. An empty `from` matches between characters.
std::string replace(std::string_view text, std::string_view from, std::string_view to, int64_t count);

std::string upper(std::string_view text);
std::string lower(std::string_view text);
std::string title(std::string_view text);  // words are runs of letters
std::string capitalize(std::string_view text);
bool is_upper(std::string_view text);
bool is_lower(std::string_view text);

// The byte where code point `index` begins; text.size() when there are fewer.
size_t byte_of(std::string_view text, size_t index) noexcept;

// The bounds of a slice over `size` items as slice.indices gives them; step is not 0.
struct Slice {
  int64_t start;
  int64_t stop;
  int64_t step;
};
Slice slice_indices(std::optional<int64_t> start, std::optional<int64_t> stop, int64_t step, int64_t size) noexcept;
std::string slice(std::string_view text, std::optional<int64_t> start, std::optional<int64_t> stop, int64_t step);

void append_repr(std::string_view text, std::string& out);
std::string float_repr(double value);
// A JSON string as json.dumps writes it.
void append_json(std::string_view text, bool ensure_ascii, std::string& out);

}  // namespace slipway::text::python
