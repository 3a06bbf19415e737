#include "engine/stop_text.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "base/random.h"

namespace slipway::engine {
namespace {

TEST(StopText, HoldsBackWhatMayBeginAStopString) {
  StopText stop({"\n\nUser:"});
  EXPECT_EQ(stop.push("Hello\n"), "Hello");
  EXPECT_EQ(stop.push("\nUs"), "");
  EXPECT_EQ(stop.push("eful"), "\n\nUseful");
  EXPECT_EQ(stop.push("\n\nUser"), "");
  EXPECT_EQ(stop.push(": hi"), "");
  EXPECT_TRUE(stop.stopped());
  EXPECT_EQ(stop.stopped_by(), "\n\nUser:");
  EXPECT_EQ(stop.push("more"), "");
  EXPECT_EQ(stop.finish(), "");
}

TEST(StopText, GivesTheHeldTextAtTheEnd) {
  StopText stop({"END"});
  EXPECT_EQ(stop.push("the EN"), "the ");
  EXPECT_EQ(stop.finish(), "EN");
}

TEST(StopText, TheFirstAndAtOnePlaceTheLongestStops) {
  StopText stop({"cd", "bcd", "bc"});
  EXPECT_EQ(stop.push("abcdef"), "a");
  EXPECT_EQ(stop.stopped_by(), "bcd");
}

// Whatever the pieces, the text is what comes before the first occurrence in the whole text; nothing that is shown is
// ever taken back, and nothing is held that cannot begin a stop string.
TEST(StopText, PiecesDoNotMatter) {
  base::Rng rng(9);
  for (int round = 0; round < 3000; ++round) {
    const auto random_text = [&](size_t longest) {
      std::string text;
      for (size_t n = 1 + rng.below(longest); n > 0; --n) {
        text += static_cast<char>('a' + rng.below(2));
      }
      return text;
    };
    std::vector<std::string> stops;
    for (size_t n = 1 + rng.below(3); n > 0; --n) {
      stops.push_back(random_text(5));
    }
    const std::string whole = random_text(30);
    // Text is taken piece by piece, so the first stop string to be complete ends it.
    StopText stop(stops);
    std::string got;
    size_t at = 0;
    while (at < whole.size() && !stop.stopped()) {
      const size_t n = std::min(whole.size() - at, 1 + rng.below(4));
      got += stop.push(std::string_view(whole).substr(at, n));
      at += n;
      ASSERT_EQ(whole.compare(0, got.size(), got), 0);
      size_t first = std::string::npos;
      for (const std::string& s : stops) {
        first = std::min(first, whole.substr(0, at).find(s));
      }
      ASSERT_EQ(stop.stopped(), first != std::string::npos);
      if (stop.stopped()) {
        ASSERT_EQ(got, whole.substr(0, first));
      } else {
        const std::string held = whole.substr(got.size(), at - got.size());
        ASSERT_TRUE(held.empty() ||
                    std::any_of(stops.begin(), stops.end(), [&](const std::string& s) { return s.starts_with(held); }));
      }
    }
    if (!stop.stopped()) {
      EXPECT_EQ(got + stop.finish(), whole);
    }
  }
}

}  // namespace
}  // namespace slipway::engine
