// Recipes of the store: what is accepted writes back to the same bytes, and its ranges are within its sums.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/hash.h"
#include "store/recipe.h"

namespace {

void check(std::string_view bytes) {
  try {
    const slipway::store::Recipe recipe = slipway::store::parse_recipe(bytes, "fuzz");
    uint64_t size = 0;
    for (const auto& range : recipe.ranges) {
      size += range.size;
      if (range.source >= recipe.sources.size()) {
        std::abort();
      }
    }
    if (size != recipe.size || recipe.ends().size() != recipe.sources.size() || slipway::store::recipe_bytes(recipe) != bytes) {
      std::abort();
    }
  } catch (const slipway::base::Error&) {
    // refused, as it should be
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  check(bytes);
  // With the digest that no mutation finds.
  const std::string hex = slipway::base::sha256_hex(bytes);
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  check(bytes);
  return 0;
}
