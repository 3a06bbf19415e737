#include "api/run_names.h"

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <string_view>

#include "base/random.h"
#include "record/record.h"

namespace slipway::api {
namespace {

constexpr std::array<std::string_view, 40> kAdjectives = {
    "amber", "bold",   "brisk",  "calm",   "clear",  "crisp", "deep",  "eager", "early",  "fair",
    "fleet", "fresh",  "gentle", "golden", "keen",   "kind",  "level", "light", "lively", "loyal",
    "merry", "mild",   "noble",  "north",  "plain",  "proud", "quick", "quiet", "rapid",  "ready",
    "sharp", "silver", "smooth", "sound",  "steady", "still", "sunny", "swift", "true",   "warm"};
constexpr std::array<std::string_view, 40> kNouns = {
    "anchor",  "barge",  "bay",     "beacon", "boat",    "bow",     "breeze", "buoy",   "canoe",  "canvas",
    "clipper", "coast",  "compass", "coral",  "crew",    "current", "deck",   "dinghy", "dock",   "ferry",
    "gull",    "harbor", "hull",    "keel",   "lagoon",  "lantern", "mast",   "oar",    "pier",   "pilot",
    "port",    "reef",   "rudder",  "sail",   "sextant", "shore",   "sloop",  "tide",   "voyage", "wave"};

}  // namespace

std::string random_run_name() {
  const std::string id = record::new_id();
  uint64_t seed = 0;
  std::from_chars(id.data(), id.data() + 16, seed, 16);
  base::Rng random(seed);
  const std::string_view adjective = kAdjectives[random.below(kAdjectives.size())];
  const std::string_view noun = kNouns[random.below(kNouns.size())];
  return fmt::format("{}-{}-{}", adjective, noun, random.below(1000));
}

}  // namespace slipway::api
