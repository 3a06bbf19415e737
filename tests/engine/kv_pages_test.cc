#include "engine/kv_pages.h"

#include <gtest/gtest.h>
#include <map>

#include "base/random.h"

namespace slipway::engine {
namespace {

using Ids = std::vector<int32_t>;

// A sequence that takes pages as the scheduler does.
struct Holder {
  Ids ids;
  std::vector<int32_t> pages;

  void fill(KvPages& kv, const Ids& text) {
    ids = text;
    const auto size = static_cast<size_t>(kv.page_tokens());
    pages = kv.find(text);
    for (size_t i = pages.size(); i < text.size() / size; ++i) {
      const int32_t page = kv.take();
      ASSERT_GE(page, 0);
      pages.push_back(kv.seal(page, i == 0 ? -1 : pages[i - 1], std::span(text).subspan(i * size, size)));
    }
  }
  void drop(KvPages& kv) {
    for (size_t i = pages.size(); i > 0; --i) {
      kv.give_back(pages[i - 1]);
    }
    pages.clear();
  }
};

TEST(KvPages, SequencesThatBeginAlikeShare) {
  KvPages kv(8, 2, true);
  Holder a;
  a.fill(kv, {1, 2, 3, 4, 5, 6});
  Holder b;
  b.fill(kv, {1, 2, 3, 4, 9, 9});
  EXPECT_EQ(b.pages[0], a.pages[0]);
  EXPECT_EQ(b.pages[1], a.pages[1]);
  EXPECT_NE(b.pages[2], a.pages[2]);
  EXPECT_EQ(kv.references(a.pages[0]), 2);
  EXPECT_EQ(kv.free(), 4);
}

TEST(KvPages, APageIsFoundOnlyAfterTheSamePages) {
  KvPages kv(8, 2, true);
  Holder a;
  a.fill(kv, {1, 2, 3, 4});
  EXPECT_TRUE(kv.find(Ids{3, 4}).empty());
  EXPECT_TRUE(kv.find(Ids{2, 1, 3, 4}).empty());
  EXPECT_EQ(kv.find(Ids{1, 2, 4, 3}).size(), 1U);
  EXPECT_EQ(kv.find(Ids{3, 4}, a.pages[0]).size(), 1U);
  EXPECT_TRUE(kv.find(Ids{1}).empty());
}

TEST(KvPages, SpacesShareNothing) {
  KvPages kv(8, 2, true);
  const Ids text = {1, 2, 3, 4};
  const auto fill = [&](KvPages::Space space) {
    const int32_t first = kv.seal(kv.take(), -1, std::span(text).first(2), space);
    return Ids{first, kv.seal(kv.take(), first, std::span(text).last(2), space)};
  };
  const Ids none = fill(0);
  EXPECT_TRUE(kv.find(text, -1, 1).empty());
  EXPECT_TRUE(kv.find(text, -1, 2).empty());
  const Ids one = fill(1);
  EXPECT_EQ(kv.find(text, -1, 1), one);
  EXPECT_EQ(kv.find(text), none);
  EXPECT_EQ(kv.find(std::span(text).last(2), one[0], 1), Ids{one[1]});
  EXPECT_NE(one, none);
  EXPECT_EQ(fill(1), one);  // the same again is kept once
}

TEST(KvPages, KeptPagesAreFoundLaterAndForgottenWhenRoomIsNeeded) {
  KvPages kv(4, 2, true);
  Holder a;
  a.fill(kv, {1, 2, 3, 4});
  a.drop(kv);
  EXPECT_EQ(kv.cached(), 2);
  EXPECT_EQ(kv.available(), 4);
  Holder b;
  b.fill(kv, {5, 6, 7, 8, 9, 10});  // takes two free ones, then forgets the last page of a
  Holder again;
  again.fill(kv, {1, 2});
  EXPECT_EQ(kv.free(), 0);
  EXPECT_EQ(kv.take(), -1);
  again.drop(kv);
  EXPECT_EQ(kv.find(Ids{1, 2, 3, 4}).size(), 1U);
}

TEST(KvPages, TheSameTextComputedTwiceIsKeptOnce) {
  KvPages kv(4, 2, true);
  const int32_t one = kv.take();
  const int32_t two = kv.take();
  EXPECT_EQ(kv.seal(one, -1, Ids{1, 2}), one);
  EXPECT_EQ(kv.seal(two, -1, Ids{1, 2}), one);
  EXPECT_EQ(kv.references(one), 2);
  EXPECT_EQ(kv.free(), 3);
}

TEST(KvPages, NothingIsSharedWhenNothingIsKept) {
  KvPages kv(4, 2, false);
  Holder a;
  a.fill(kv, {1, 2, 3, 4});
  EXPECT_TRUE(kv.find(Ids{1, 2, 3, 4}).empty());
  EXPECT_TRUE(kv.find(Ids{3, 4}, a.pages[0]).empty());
  a.drop(kv);
  EXPECT_EQ(kv.free(), 4);
}

// Random life: a page always holds exactly the tokens and the beginning of whoever has it, and no page is lost.
TEST(KvPages, RandomSequencesNeverSeeEachOthersTokens) {
  base::Rng rng(17);
  constexpr int kCount = 24;
  KvPages kv(kCount, 3, true);
  std::vector<Holder> live;
  std::map<int32_t, Ids> content;  // page: all tokens from the beginning of a sequence to the page's end
  for (int round = 0; round < 20000; ++round) {
    if (live.size() > 3 || (!live.empty() && rng.below(3) == 0)) {
      const size_t i = rng.below(live.size());
      live[i].drop(kv);
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      Ids text(3 * (1 + rng.below(6)));
      for (int32_t& id : text) {
        id = static_cast<int32_t>(rng.below(2));
      }
      Holder holder;
      const size_t found = [&] {
        const auto pages = kv.find(text);
        for (size_t i = pages.size(); i > 0; --i) {
          kv.give_back(pages[i - 1]);
        }
        for (size_t i = 0; i < pages.size(); ++i) {
          EXPECT_EQ(content[pages[i]], Ids(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(3 * (i + 1))));
        }
        return pages.size();
      }();
      holder.fill(kv, text);
      for (size_t i = found; i < holder.pages.size(); ++i) {
        content[holder.pages[i]] = Ids(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(3 * (i + 1)));
      }
      live.push_back(std::move(holder));
    }
    int used = 0;
    for (int32_t page = 0; page < kCount; ++page) {
      used += kv.references(page) > 0 ? 1 : 0;
    }
    ASSERT_EQ(used + kv.available(), kCount);
    for (const Holder& holder : live) {
      for (size_t i = 0; i < holder.pages.size(); ++i) {
        ASSERT_EQ(content[holder.pages[i]],
                  Ids(holder.ids.begin(), holder.ids.begin() + static_cast<std::ptrdiff_t>(3 * (i + 1))));
      }
    }
  }
  for (Holder& holder : live) {
    holder.drop(kv);
  }
  EXPECT_EQ(kv.available(), kCount);
}

}  // namespace
}  // namespace slipway::engine
