// Relations between entities: files of four kinds, and a tagger trained on them.
#include "data/relation_training.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"

namespace slipway::data {
namespace {

using base::Code;

constexpr const char* kColumns =
    "#doc 1\n0\tAnna\tB-Peop\t['Live_In', 'Work_For']\t[4, 7]\n1\tlives\tO\t['N']\t[1]\n2\tin\tO\t['N']\t[2]\n"
    "3\tNew\tB-Loc\t['N']\t[3]\n4\tYork\tI-Loc\t['N']\t[4]\n5\tfor\tO\t['N']\t[5]\n6\tUnited\tB-Org\t['N']\t[6]\n"
    "7\tPress\tI-Org\t['OrgBased_In']\t[4]\n#doc 2\n0\tNobody\tO\t['N']\t[0]\n";

std::string refused(std::string_view text) {
  try {
    parse_relations(text, "f");
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalid);
    return error.what();
  }
  ADD_FAILURE() << "was read: " << text;
  return "";
}

TEST(RelationFiles, ColumnsNameTheLastTokensOfEntities) {
  const std::vector<RelationSentence> sentences = parse_relations(kColumns, "f");
  ASSERT_EQ(sentences.size(), 2U);
  const RelationSentence& one = sentences[0];
  ASSERT_EQ(one.entities.size(), 3U);
  EXPECT_EQ(one.entities[1].begin, 3U);
  EXPECT_EQ(one.entities[1].end, 5U);
  EXPECT_EQ(one.entities[2].type, "Org");
  ASSERT_EQ(one.relations.size(), 3U);
  EXPECT_EQ(one.relations[0].type, "Live_In");
  EXPECT_EQ(one.relations[0].head, 0U);
  EXPECT_EQ(one.relations[0].tail, 1U);
  EXPECT_EQ(one.relations[2].head, 2U);
  EXPECT_TRUE(sentences[1].entities.empty());
}

TEST(RelationFiles, MarkedTextsAndJsonLines) {
  const RelationSentence marked = parse_relations("Cause-Effect(e2,e1)\tThe <e1>burst</e1> came of <e2> high pressure </e2>.\r\nOther\ta <e1>b</e1> <e2>c</e2>\n", "f")[0];
  EXPECT_EQ(marked.tokens, (std::vector<std::string>{"The", "burst", "came", "of", "high", "pressure", "."}));
  EXPECT_EQ(marked.entities[1].begin, 4U);
  EXPECT_EQ(marked.entities[1].end, 6U);
  EXPECT_EQ(marked.relations[0].head, 1U);
  EXPECT_EQ(marked.relations[0].type, "Cause-Effect");
  const std::string doccano = R"({"text":"“李雷” works for 北京 Bank.","entities":[{"id":7,"label":"PER","start_offset":1,"end_offset":3},{"id":9,"label":"ORG","start_offset":15,"end_offset":22}],"relations":[{"id":1,"from_id":7,"to_id":9,"type":"WorksFor"}]})";
  const RelationSentence json = parse_relations(doccano, "f")[0];
  EXPECT_EQ(json.tokens, (std::vector<std::string>{"“", "李", "雷", "”", "works", "for", "北", "京", "Bank", "."}));
  EXPECT_EQ(json.entities[0].begin, 1U);
  EXPECT_EQ(json.entities[0].end, 3U);
  EXPECT_EQ(json.entities[1].begin, 6U);
  EXPECT_EQ(json.entities[1].end, 9U);
  EXPECT_EQ(json.relations[0].tail, 1U);
  const RelationSentence tokens = parse_relations(R"({"tokens":["a","b"],"entities":[{"begin":0,"end":1,"label":"X"},{"begin":1,"end":2,"label":"Y"}],"relations":[{"head":1,"tail":0,"type":"r"}]})", "f")[0];
  EXPECT_EQ(tokens.relations[0].head, 1U);
}

TEST(RelationFiles, WhatIsBrokenIsToldWithItsLine) {
  EXPECT_NE(refused("#doc 1\n0\ta\tO\t['N']\n").find("f:2: has not the five columns"), std::string::npos);
  EXPECT_NE(refused("#doc 1\n0\ta\tO\tN\t[0]\n").find("no list in brackets"), std::string::npos);
  EXPECT_NE(refused("#doc 1\n0\ta\tO\t['N','N']\t[0]\n").find("2 relations and 1 heads"), std::string::npos);
  EXPECT_NE(refused("#doc 1\n0\ta\tB-X\t['r']\t[5]\n").find("not between the last tokens"), std::string::npos);
  EXPECT_NE(refused("#doc 1\n0\ta\tB-X\t['r']\t[x]\n").find("'x' is no number"), std::string::npos);
  EXPECT_NE(refused("A(e1,e2)\t<e1>a</e1> b\n").find("each once"), std::string::npos);
  EXPECT_NE(refused("A\t<e1>a</e1> <e2>b</e2>\n").find("is not Other"), std::string::npos);
  EXPECT_NE(refused("A(e1,e2)\t<e1></e1> <e2>b</e2>\n").find("has no words"), std::string::npos);
  EXPECT_NE(refused("\xff\n").find("is not UTF-8"), std::string::npos);
  EXPECT_NE(refused(R"({"text":"a","entities":[{"start_offset":0,"end_offset":1}],"relations":[{"from_id":1,"to_id":2,"type":"r"}]})").find("names no entity"), std::string::npos);
  EXPECT_NE(refused(R"({"tokens":["a"],"entities":[{"begin":0,"end":2}]})").find("not in the sentence"), std::string::npos);
  EXPECT_NE(refused(R"({"tokens":["a"],"entities":{}})").find("is no list"), std::string::npos);
}

TEST(RelationTagger, PairsAreOrderedByPlaceAndBounded) {
  std::vector<text::EntityPair> pairs;
  const std::vector<text::EntitySpan> entities = {{5, 6, "B"}, {0, 2, "A"}, {0, 1, "A"}, {150, 151, "C"}};
  text::pairs_of(entities, pairs);
  ASSERT_EQ(pairs.size(), 3U);  // the last one is too far from all
  EXPECT_EQ(pairs[0].left, 2U);
  EXPECT_EQ(pairs[0].right, 1U);
  EXPECT_EQ(pairs[2].left, 1U);
  EXPECT_EQ(pairs[2].right, 0U);
  text::pairs_of(std::vector<text::EntitySpan>(1000, text::EntitySpan{0, 1, ""}), pairs);
  EXPECT_EQ(pairs.size(), text::kMaxEntities * (text::kMaxEntities - 1) / 2);
}

// Sentences whose relation is told by a word between two entities.
std::string made(uint64_t seed, int count) {
  base::Rng rng(seed);
  std::string out;
  for (int i = 0; i < count; ++i) {
    const uint64_t kind = rng.below(4);
    const char* verb = kind == 0 ? "founded" : kind == 1 ? "was founded by" : kind == 2 ? "died in" : "met";
    const std::string a = "Name" + std::to_string(rng.below(500));
    const std::string b = "Place" + std::to_string(rng.below(500));
    out += base::dump_json({{"text", a + " " + verb + " " + b + " yesterday."},
                            {"entities", {{{"id", 0}, {"label", "X"}, {"start_offset", 0}, {"end_offset", a.size()}},
                                          {{"id", 1}, {"label", "X"}, {"start_offset", a.size() + 2 + std::string(verb).size()}, {"end_offset", a.size() + 2 + std::string(verb).size() + b.size()}}}},
                            {"relations", kind == 3 ? base::Json::array() : base::Json{{{"from_id", kind == 1 ? 1 : 0}, {"to_id", kind == 1 ? 0 : 1}, {"type", kind == 2 ? "died" : "founder"}}}}}) +
           "\n";
  }
  return out;
}

TEST(RelationTraining, LearnsTypesAndDirectionsTheSameWayEachTime) {
  RelationTraining training;
  training.train = parse_relations(made(1, 200), "train");
  training.dev = parse_relations(made(2, 100), "dev");
  training.options.epochs = 5;
  training.options.min_count = 1;
  int epochs = 0;
  const std::string bytes = train_relations(training, [&](const RelationEpoch& epoch) {
    ++epochs;
    EXPECT_EQ(epoch.scores.sentences, 100);
  });
  EXPECT_EQ(epochs, 5);
  EXPECT_EQ(train_relations(training, [](const RelationEpoch&) {}), bytes);
  const text::RelationTagger tagger(text::SequenceModel::from_bytes(bytes, "test"), "test");
  const RelationScores scores = score_relations(tagger, training.dev);
  EXPECT_GT(scores.total.f1(), 0.97);
  EXPECT_EQ(scores.pairs, 100);
  EXPECT_EQ(scores.by_type.size(), 2U);
  EXPECT_GT(scores.macro_f1(), 0.97);
  training.train.resize(1);
  training.train[0].relations.clear();
  EXPECT_THROW(train_relations(training, [](const RelationEpoch&) {}), base::Error);
  text::SequenceDescription other;
  other.labels = {"a"};
  EXPECT_THROW(text::RelationTagger(text::SequenceModel::from_bytes(text::write_sequence_model(other, {}, {}, std::vector<float>{0}), "pos"), "pos"), base::Error);
}

}  // namespace
}  // namespace slipway::data
