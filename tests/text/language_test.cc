#include "text/language.h"

#include <gtest/gtest.h>
#include <set>

#include "base/error.h"
#include "base/random.h"
#include "support/odd_text.h"
#include "text/han_script.h"
#include "text/language_model.h"

namespace slipway::text {
namespace {

std::string best(std::string_view text) { return identify_languages(text, 1, LanguageModel::builtin())[0].code; }

TEST(LanguageModel, KnowsMoreThanThreeHundredLanguages) {
  const std::vector<std::string>& languages = LanguageModel::builtin().languages();
  EXPECT_GE(languages.size(), 300U);
  const std::set<std::string> set(languages.begin(), languages.end());
  EXPECT_EQ(set.size(), languages.size());
  for (const char* code : {"en", "zh-Hans", "zh-Hant", "sr-Latn", "sr-Cyrl", "no", "nn", "quz", "sw", "yo"}) {
    EXPECT_TRUE(set.contains(code)) << code;
  }
}

TEST(LanguageModel, NamesAreThoseOfTheField) {
  EXPECT_EQ(language_of_name("eng"), "en");
  EXPECT_EQ(language_of_name("srp_latn"), "sr-Latn");
  EXPECT_EQ(language_of_name("por_BR"), "pt");
  EXPECT_EQ(language_of_name("cmn_hant"), "zh-Hant");
  EXPECT_EQ(language_of_name("acu_1"), "acu");
  EXPECT_EQ(language_of_name("007"), "");
  EXPECT_EQ(language_of_name("readme"), "");
  EXPECT_EQ(language_of_name(""), "");
}

TEST(LanguageModel, LearnsFromTextsAndIsRefusedWhenDamaged) {
  const std::vector<LanguageText> texts = {{"aa", "baba bobo baba bobo"}, {"bb", "kiki keke kiki keke"}, {"aa", "bubu baba"}};
  const std::string bytes = train_language_model(texts, {});
  EXPECT_EQ(bytes, train_language_model(texts, {}));
  const auto model = LanguageModel::from_bytes(bytes, "test");
  EXPECT_EQ(model->languages(), (std::vector<std::string>{"aa", "bb"}));
  std::vector<float> scores;
  EXPECT_GT(model->score("Baba!", scores), 0U);
  EXPECT_GT(scores[0], scores[1]);
  model->score("keke", scores);
  EXPECT_GT(scores[1], scores[0]);
  EXPECT_EQ(model->score("1234 \xFF", scores), 0U);
  EXPECT_THROW(train_language_model(std::vector<LanguageText>{{"aa", "x"}}, {}), base::Error);
  EXPECT_THROW(LanguageModel::from_bytes("", "test"), base::Error);
  for (size_t at = 0; at < bytes.size(); at += 13) {
    std::string bad = bytes;
    bad[at] = static_cast<char>(bad[at] ^ 0x21);
    EXPECT_THROW(LanguageModel::from_bytes(bad, "test"), base::Error) << at;
  }
}

// N-grams that many languages share are kept in another form: what each language gets must be what it gets beside one other.
TEST(LanguageModel, ScoresDoNotDependOnHowManyShareAnNgram) {
  base::Rng rng(19);
  std::vector<LanguageText> texts;
  for (int i = 0; i < 70; ++i) {
    std::string text;
    for (int k = 0; k < 300; ++k) {
      text += static_cast<char>('a' + rng.below(3));
      text += rng.below(5) == 0 ? " \xC3\xA9" : rng.below(9) == 0 ? "\xD0\xB4" : "";
    }
    texts.push_back({"l" + std::to_string(100 + i), text});
  }
  const auto together = LanguageModel::from_bytes(train_language_model(texts, {}), "together");
  std::vector<std::string> questions = {"", "Abba CAB!", "ab\xC3\xA9 \xFF" "cab"};
  for (int i = 0; i < 4; ++i) {
    questions.push_back(tests::odd_text(rng, {.pieces = 400, .valid = i % 2 == 0}));
    questions.push_back(texts[static_cast<size_t>(i)].text + texts[static_cast<size_t>(i) + 1].text);
  }
  std::vector<std::vector<float>> scores(questions.size());
  for (size_t q = 0; q < questions.size(); ++q) {
    together->score(questions[q], scores[q]);
  }
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::vector<LanguageText> pair = {texts[i], {"zz", "wwww"}};
    const auto alone = LanguageModel::from_bytes(train_language_model(pair, {}), "alone");
    for (size_t q = 0; q < questions.size(); ++q) {
      std::vector<float> of_pair;
      alone->score(questions[q], of_pair);
      EXPECT_EQ(scores[q][i], of_pair[0]) << texts[i].language << ", question " << q;
    }
  }
}

TEST(LanguageModel, ProbabilitiesAddUpToOne) {
  std::vector<double> p;
  language_probabilities(std::vector<float>{3, 50, 40}, 9, p);
  EXPECT_NEAR(p[0] + p[1] + p[2], 1, 1e-12);
  EXPECT_GT(p[1], p[2]);
  language_probabilities(std::vector<float>{0, 0}, 0, p);
  EXPECT_DOUBLE_EQ(p[0], 0.5);
}

TEST(IdentifyLanguages, KnowsLanguagesOfManyScripts) {
  // The first article of the Universal Declaration of Human Rights.
  const std::pair<const char*, const char*> cases[] = {
      {"All human beings are born free and equal in dignity and rights.", "en"},
      {"Alle Menschen sind frei und gleich an Würde und Rechten geboren.", "de"},
      {"Tous les êtres humains naissent libres et égaux en dignité et en droits.", "fr"},
      {"Todos los seres humanos nacen libres e iguales en dignidad y derechos.", "es"},
      {"Все люди рождаются свободными и равными в своем достоинстве и правах.", "ru"},
      {"Minden emberi lény szabadon születik és egyenlő méltósága és joga van.", "hu"},
      {"Сва људска бића рађају се слободна и једнака у достојанству и правима.", "sr-Cyrl"},
      {"人人生而自由，在尊严和权利上一律平等。", "zh-Hans"},
      {"人人生而自由，在尊嚴和權利上一律平等。", "zh-Hant"},
      {"すべての人間は、生れながらにして自由であり、かつ、尊厳と権利とについて平等である。", "ja"},
      {"모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.", "ko"},
      {"มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ", "th"},
      {"Binadamu wote wamezaliwa huru, hadhi na haki zao ni sawa.", "sw"},
      {"Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar.", "tr"}};
  for (const auto& [text, code] : cases) {
    EXPECT_EQ(best(text), code) << text;
  }
}

TEST(IdentifyLanguages, GivesTheBestFirstAndUndForNothing) {
  const auto guesses = identify_languages("Alle mennesker er født frie og med samme menneskeverd", 5, LanguageModel::builtin());
  ASSERT_EQ(guesses.size(), 5U);
  double sum = 0;
  for (size_t i = 0; i < guesses.size(); ++i) {
    EXPECT_LE(guesses[i].confidence, i == 0 ? 1.0 : guesses[i - 1].confidence);
    sum += guesses[i].confidence;
  }
  EXPECT_LE(sum, 1 + 1e-9);
  for (const char* text : {"", "12345 !!!", "\xFF\xFE", "   "}) {
    const auto none = identify_languages(text, 3, LanguageModel::builtin());
    ASSERT_EQ(none.size(), 1U) << text;
    EXPECT_EQ(none[0].code, "und") << text;
    EXPECT_EQ(none[0].confidence, 0) << text;
  }
}

TEST(HanScript, TellsSimplifiedFromTraditional) {
  EXPECT_EQ(han_script(U'书'), HanScript::kSimplified);
  EXPECT_EQ(han_script(U'書'), HanScript::kTraditional);
  EXPECT_EQ(han_script(U'人'), HanScript::kBoth);
  EXPECT_EQ(han_script(U'a'), HanScript::kBoth);
  EXPECT_EQ(han_script(0x20000), HanScript::kBoth);
}

}  // namespace
}  // namespace slipway::text
