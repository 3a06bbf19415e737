#include "store/recipe.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "store/digest_bytes.h"

namespace slipway::store {
namespace {

using base::Code;
using base::Error;

constexpr std::string_view kMagic = "SLWYRCP1";
constexpr size_t kHeader = 24;
constexpr size_t kDigest = kDigestBytes;
constexpr size_t kRange = 20;
constexpr uint64_t kMaxContent = uint64_t{1} << 62;  // sums of two sizes do not wrap

// What is wrong with it; empty: nothing.
std::string fault_of(const Recipe& recipe) {
  if (recipe.sources.empty() || recipe.sources.size() > kMaxRecipeSources) {
    return fmt::format("it has {} sources, not 1 to {}", recipe.sources.size(), kMaxRecipeSources);
  }
  for (const std::string& source : recipe.sources) {
    if (!base::is_digest(source) || std::count(recipe.sources.begin(), recipe.sources.end(), source) != 1) {
      return fmt::format("its source '{}' is no digest, or there twice", source);
    }
  }
  std::vector<bool> used(recipe.sources.size());
  uint64_t size = 0;
  for (const RecipeRange& range : recipe.ranges) {
    if (range.source >= used.size() || range.size == 0 || range.size > kMaxContent || range.offset > kMaxContent) {
      return "a range is of no source, or empty, or too large";
    }
    used[range.source] = true;
    size += range.size;
    if (size > recipe.size) {
      return "its ranges are larger than the content";
    }
  }
  if (size != recipe.size || size > kMaxContent) {
    return fmt::format("its ranges have {} bytes, the content {}", size, recipe.size);
  }
  return std::all_of(used.begin(), used.end(), [](bool is) { return is; }) ? "" : "a source is not used";
}

}  // namespace

void Recipe::add(uint32_t source, uint64_t offset, uint64_t bytes) {
  if (!ranges.empty() && ranges.back().source == source && ranges.back().offset + ranges.back().size == offset) {
    ranges.back().size += bytes;
  } else {
    ranges.push_back({source, offset, bytes});
  }
  size += bytes;
}

uint32_t Recipe::source_of(const std::string& digest) {
  const auto found = std::find(sources.begin(), sources.end(), digest);
  const auto number = static_cast<uint32_t>(found - sources.begin());
  if (found == sources.end()) {
    sources.push_back(digest);
  }
  return number;
}

std::vector<uint64_t> Recipe::ends() const {
  std::vector<uint64_t> ends(sources.size());
  for (const RecipeRange& range : ranges) {
    ends[range.source] = std::max(ends[range.source], range.offset + range.size);
  }
  return ends;
}

std::string recipe_bytes(const Recipe& recipe) {
  if (const std::string fault = fault_of(recipe); !fault.empty()) {
    throw Error(Code::kInvalid, "a recipe cannot be written: " + fault);
  }
  std::string bytes(kMagic);
  bytes.reserve(kHeader + kDigest * (recipe.sources.size() + 1) + kRange * recipe.ranges.size());
  append<uint64_t>(bytes, recipe.size);
  append<uint32_t>(bytes, static_cast<uint32_t>(recipe.sources.size()));
  append<uint32_t>(bytes, static_cast<uint32_t>(recipe.ranges.size()));
  for (const std::string& source : recipe.sources) {
    bytes += digest_bytes(source);
  }
  for (const RecipeRange& range : recipe.ranges) {
    append(bytes, range.offset);
    append(bytes, range.size);
    append(bytes, range.source);
  }
  bytes += digest_bytes(base::digest_of(bytes));
  if (bytes.size() > kMaxRecipeBytes) {
    throw Error(Code::kInvalid, fmt::format("a recipe cannot be written: it would have {} bytes", bytes.size()));
  }
  return bytes;
}

Recipe parse_recipe(std::string_view bytes, std::string_view name) {
  const auto broken = [&](std::string_view why) {
    return Error(Code::kIntegrity, fmt::format("the recipe '{}' is damaged: {}; restore it from a copy, or put the content again",
                                               name, why));
  };
  if (bytes.size() < kHeader + kDigest || bytes.size() > kMaxRecipeBytes || !bytes.starts_with(kMagic)) {
    throw broken("it does not begin as one, or is cut off");
  }
  Recipe recipe;
  recipe.size = number_at<uint64_t>(bytes, 8);
  const size_t sources = number_at<uint32_t>(bytes, 16);
  const size_t ranges = number_at<uint32_t>(bytes, 20);
  if (sources > kMaxRecipeSources || bytes.size() != kHeader + kDigest * (sources + 1) + kRange * ranges) {
    throw broken("its length is not what its numbers say");
  }
  const std::string_view told = bytes.substr(0, bytes.size() - kDigest);
  if (base::digest_of(told) != digest_text(bytes.substr(told.size()))) {
    throw broken("it does not have the digest at its end");
  }
  size_t at = kHeader;
  for (size_t i = 0; i < sources; ++i, at += kDigest) {
    recipe.sources.push_back(digest_text(bytes.substr(at, kDigest)));
  }
  recipe.ranges.reserve(ranges);
  for (size_t i = 0; i < ranges; ++i, at += kRange) {
    recipe.ranges.push_back({number_at<uint32_t>(bytes, at + 16), number_at<uint64_t>(bytes, at), number_at<uint64_t>(bytes, at + 8)});
  }
  if (const std::string fault = fault_of(recipe); !fault.empty()) {
    throw broken(fault);
  }
  return recipe;
}

}  // namespace slipway::store
