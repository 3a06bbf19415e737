#include "text/identity.h"

#include <gtest/gtest.h>

#include "text/language.h"

namespace slipway::text {
namespace {

using Groups = std::vector<std::string>;

TEST(Identity, FindsMentionsInEnglish) {
  EXPECT_EQ(mentioned_groups("She told her husband about the Muslim girl."),
            (Groups{"gender:female", "gender:male", "religion:muslim"}));
  EXPECT_EQ(mentioned_groups("An African American man's story"),
            (Groups{"ethnicity:black", "gender:male", "nationality:american"}));
  EXPECT_EQ(mentioned_groups("The heat of the theme, chery and mankind"), Groups{});
  EXPECT_EQ(mentioned_groups(""), Groups{});
}

TEST(Identity, FindsMentionsInChinese) {
  EXPECT_EQ(mentioned_groups("她和他的妈妈是中国人"), (Groups{"gender:female", "gender:male", "nationality:chinese"}));
  EXPECT_EQ(mentioned_groups("其他的都不错"), Groups{});
}

TEST(Identity, ListsItsGroups) {
  for (const auto& text : {"she", "黑人", "buddhist", "german"}) {
    for (const auto& group : mentioned_groups(text)) {
      EXPECT_TRUE(std::ranges::find(all_groups(), group) != all_groups().end()) << group;
    }
  }
  EXPECT_TRUE(std::ranges::is_sorted(all_groups()));
  EXPECT_TRUE(std::ranges::is_sorted(name_groups()));
}

TEST(Identity, SwapsGenderAndKeepsCase) {
  EXPECT_EQ(swap_gender("He said SHE likes his mother."), "She said HE likes her father.");
  EXPECT_EQ(swap_gender("Mr. Smith's wife, herself an actress"), "Ms. Smith's husband, himself an actor");
  EXPECT_EQ(swap_gender("she's here"), "he's here");
  EXPECT_EQ(swap_gender("Nothing to see here"), std::nullopt);
}

TEST(Identity, TakesMissForATitleBeforeANameOnly) {
  EXPECT_EQ(swap_gender("We met Miss Marple."), "We met Mr Marple.");
  EXPECT_EQ(swap_gender("Hit and miss, a big miss in the way of story. Miss it. A MISS. We miss. Then"), std::nullopt);
  EXPECT_EQ(mentioned_groups("You will not miss it: hit and miss"), Groups{});
  EXPECT_EQ(mentioned_groups("Miss Marple knew"), Groups{"gender:female"});
}

TEST(Identity, TellsHerFromHer) {
  EXPECT_EQ(swap_gender("I love her performance"), "I love his performance");
  EXPECT_EQ(swap_gender("I told her that we saw her."), "I told him that we saw him.");
  EXPECT_EQ(swap_gender("Her \"best\" film"), "His \"best\" film");
  EXPECT_EQ(swap_gender("give her the book, her own book"), "give him the book, his own book");
}

TEST(Identity, SwapsChineseAndIsItsOwnInverseThere) {
  const std::string text = "她的女朋友和其他男演员都喜欢他们";
  const auto swapped = swap_gender(text);
  EXPECT_EQ(swapped, "他的男朋友和其他女演员都喜欢她们");
  EXPECT_EQ(swap_gender(*swapped), text);
}

TEST(Identity, ReplacesNamesOfTheSameGender) {
  const auto changed = replace_names("Emily met James; Emily's dog liked James.", "ethnicity:black", 7);
  ASSERT_TRUE(changed.has_value());
  EXPECT_EQ(changed->find("Emily"), std::string::npos);
  EXPECT_EQ(changed->find("James"), std::string::npos);
  EXPECT_EQ(changed, replace_names("Emily met James; Emily's dog liked James.", "ethnicity:black", 7));
  const std::string first = changed->substr(0, changed->find(' '));
  EXPECT_TRUE(std::ranges::find(names_of("ethnicity:black:female"), first) != names_of("ethnicity:black:female").end())
      << first;
  EXPECT_NE(changed->find(first + "'s dog"), std::string::npos);
}

TEST(Identity, LeavesWordsThatOnlyLookLikeNames) {
  EXPECT_EQ(replace_names("Will you mark the rose? Grace is a gift.", "gender:male", 1), std::nullopt);
  EXPECT_TRUE(replace_names("Then Grace left.", "gender:male", 1).has_value());
  EXPECT_EQ(replace_names("Emily left", "no:such", 1), std::nullopt);
  EXPECT_TRUE(names_of("no:such").empty());
}

TEST(Language, KnowsScriptsHoweverShort) {
  EXPECT_EQ(detect_language("好").code, "zh");
  EXPECT_EQ(detect_language("很好看的电影，推荐 NBA").code, "zh");
  EXPECT_TRUE(detect_language("这部电影很好看").reliable);
  EXPECT_EQ(detect_language("とても良い映画でした").code, "ja");
  EXPECT_EQ(detect_language("정말 좋은 영화").code, "ko");
  EXPECT_EQ(detect_language("Καλή ταινία").code, "el");
  EXPECT_EQ(detect_language("หนังดีมาก").code, "th");
}

TEST(Language, KnowsLanguagesOfOneAlphabet) {
  const LanguageGuess english =
      detect_language("This film is a wonderful piece of work and everybody should go and see it.");
  EXPECT_EQ(english.code, "en");
  EXPECT_TRUE(english.reliable);
  EXPECT_GT(english.confidence, 0.9);
  EXPECT_EQ(detect_language("Dieser Film ist ein wunderbares Werk, und jeder sollte ihn unbedingt ansehen.").code,
            "de");
  EXPECT_EQ(detect_language("Этот фильм замечательный, и каждый должен его посмотреть.").code, "ru");
  EXPECT_EQ(detect_language("Cette histoire est magnifique et les acteurs jouent très bien leur rôle.").code, "fr");
}

TEST(Language, SaysWhenItDoesNotKnow) {
  EXPECT_EQ(detect_language("").code, "und");
  EXPECT_EQ(detect_language("12345 !!! :-)").code, "und");
  EXPECT_FALSE(detect_language("ok").reliable);
  EXPECT_EQ(detect_language("\xFF\xFE").code, "und");
}

}  // namespace
}  // namespace slipway::text
