// Of which ranges of which blobs a content is made: what the store keeps in its place when much of it is there already.
// docs/formats/store.md has the bytes. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::store {

// A blob of a recipe is whole, never a recipe itself. More of them would be more files to open for one content.
constexpr size_t kMaxRecipeSources = 64;
constexpr size_t kMaxRecipeBytes = size_t{64} << 20;  // three million ranges

struct RecipeRange {
  uint32_t source = 0;  // of Recipe::sources
  uint64_t offset = 0;
  uint64_t size = 0;
  bool operator==(const RecipeRange&) const = default;
};

struct Recipe {
  uint64_t size = 0;                  // of the content
  std::vector<std::string> sources;   // digests, each once, each used
  std::vector<RecipeRange> ranges;    // one behind the other
  bool operator==(const Recipe&) const = default;

  // Appends a range; one that goes on where the last ends becomes part of it.
  void add(uint32_t source, uint64_t offset, uint64_t bytes);
  // The number of the source, which is added when it is new.
  uint32_t source_of(const std::string& digest);
  // Where the last byte that it needs of each source ends.
  std::vector<uint64_t> ends() const;
};

// Throws kInvalid for one that is no recipe (sizes, sources, limits).
std::string recipe_bytes(const Recipe& recipe);
// Throws kIntegrity, naming `name`, for bytes that recipe_bytes() did not write.
Recipe parse_recipe(std::string_view bytes, std::string_view name);

}  // namespace slipway::store
