#include "data/conll.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace slipway::data {
namespace {

constexpr const char* kConllU =
    "# sent_id = 1\n# a remark\n1-2\tdon't\t_\t_\t_\t_\t_\t_\t_\t_\n1\tdo\tdo\tAUX\tVB\t_\t0\troot\t_\tSpaceAfter=No\n"
    "2\tn't\tnot\tPART\tRB\t_\t1\tadvmod\t_\t_\n2.1\tgo\tgo\tVERB\t_\t_\t_\t_\t_\t_\n\n# text = Hi\n1\tHi\thi\tINTJ\tUH\t_\t0\troot\t_\tNER=O|x=y\n";

TEST(Conll, ReadsWordsOfConllU) {
  ASSERT_EQ(conll_kind(kConllU), ConllKind::kConllU);
  ConllReader reader(kConllU, "test", ConllKind::kConllU);
  ConllSentence sentence;
  ASSERT_TRUE(reader.next(sentence));
  EXPECT_EQ(sentence.forms, (std::vector<std::string_view>{"do", "n't"}));
  EXPECT_EQ(sentence.lines.size(), 6U);
  EXPECT_EQ(conll_column(sentence.lines[sentence.tokens[1]], ConllKind::kConllU, kConllUpos), "PART");
  ASSERT_TRUE(reader.next(sentence));
  EXPECT_EQ(sentence.forms, (std::vector<std::string_view>{"Hi"}));
  EXPECT_EQ(sentence.line, 8U);
  EXPECT_FALSE(reader.next(sentence));
}

TEST(Conll, ReadsColumns) {
  const char* text = "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\r\n# # O O\n\n \t\nPeter\tB-PER\n";
  ASSERT_EQ(conll_kind(text), ConllKind::kColumns);
  ConllReader reader(text, "test", ConllKind::kColumns);
  ConllSentence sentence;
  ASSERT_TRUE(reader.next(sentence));
  EXPECT_EQ(sentence.forms, (std::vector<std::string_view>{"EU", "#"}));
  EXPECT_EQ(conll_column(sentence.lines[sentence.tokens[0]], ConllKind::kColumns, kLastColumn), "I-ORG");
  EXPECT_EQ(conll_column(sentence.lines[sentence.tokens[0]], ConllKind::kColumns, 1), "NNP");
  ASSERT_TRUE(reader.next(sentence));
  EXPECT_EQ(sentence.forms, (std::vector<std::string_view>{"Peter"}));
  EXPECT_FALSE(reader.next(sentence));
}

TEST(Conll, ReplacesColumns) {
  const std::string_view line = "2\tn't\tnot\tPART\tRB\t_\t1\tadvmod\t_\t_";
  EXPECT_EQ(with_conll_column(line, ConllKind::kConllU, kConllUpos, "ADV"), "2\tn't\tnot\tADV\tRB\t_\t1\tadvmod\t_\t_");
  const std::string tagged = with_conll_misc(line, "NER", "B-PER");
  EXPECT_EQ(tagged, "2\tn't\tnot\tPART\tRB\t_\t1\tadvmod\t_\tNER=B-PER");
  EXPECT_EQ(conll_misc(tagged, "NER"), "B-PER");
  EXPECT_EQ(conll_misc(tagged, "ER"), "");
  EXPECT_EQ(with_conll_misc(with_conll_misc(tagged, "SpaceAfter", "No"), "NER", "O"), "2\tn't\tnot\tPART\tRB\t_\t1\tadvmod\t_\tNER=O|SpaceAfter=No");
  EXPECT_EQ(with_conll_column("EU NNP O", ConllKind::kColumns, kLastColumn, "I-ORG"), "EU NNP I-ORG");
  EXPECT_EQ(with_conll_column("EU", ConllKind::kColumns, kLastColumn, "I-ORG"), "EU\tI-ORG");
}

TEST(Conll, NamesTheLineThatIsBroken) {
  const auto message = [](std::string_view text, ConllKind kind) {
    ConllReader reader(text, "file", kind, 10);
    ConllSentence sentence;
    try {
      while (reader.next(sentence)) {
      }
    } catch (const base::Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(message("# x\n1\tword\tword\n", ConllKind::kConllU).find("file:11: has 3 columns"), std::string::npos);
  EXPECT_NE(message("a O\n\xFF O\n", ConllKind::kColumns).find("file:11: is not UTF-8"), std::string::npos);
  EXPECT_NE(message("1\t\t_\t_\t_\t_\t_\t_\t_\t_\n", ConllKind::kConllU).find("file:10: has no token"), std::string::npos);
  EXPECT_EQ(message("", ConllKind::kColumns), "");
}

}  // namespace
}  // namespace slipway::data
