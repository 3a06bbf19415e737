#include "data/tagger_training.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"

namespace slipway::data {
namespace {

using text::SequenceTask;

class TaggerTrainingTest : public ::testing::Test {
 protected:
  std::filesystem::path write(const char* name, std::string_view bytes) {
    base::write_file_atomic(folder_.path() / name, bytes);
    return folder_.path() / name;
  }
  static std::string repeated(std::string_view text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) {
      out += text;
    }
    return out;
  }
  base::TempDir folder_;
};

TEST_F(TaggerTrainingTest, ReadsTagsWhereEachTaskHasThem) {
  const auto conllu = write("a.conllu", "# newdoc\n1\tHouses\thouse\tNOUN\tNNS\t_\t0\troot\t_\tNER=B-LOC\n2\tin\tin\tADP\tIN\t_\t1\tcase\t_\t_\n\n");
  EXPECT_EQ(read_tagged(conllu, SequenceTask::kPos)[0].tags, (std::vector<std::string>{"NOUN", "ADP"}));
  EXPECT_EQ(read_tagged(conllu, SequenceTask::kPos, 5)[0].tags, (std::vector<std::string>{"NNS", "IN"}));
  EXPECT_EQ(read_tagged(conllu, SequenceTask::kEntities)[0].tags, (std::vector<std::string>{"B-LOC", "O"}));
  EXPECT_EQ(read_tagged(conllu, SequenceTask::kLemma)[0].tags, (std::vector<std::string>{"house", "in"}));
  EXPECT_EQ(read_tagged(conllu, SequenceTask::kLemma)[0].parts_of_speech, (std::vector<std::string>{"NOUN", "ADP"}));
  EXPECT_EQ(read_tagged(conllu, SequenceTask::kSegment)[0].tokens, (std::vector<std::string>{"Houses", "in"}));
  const auto words = write("words.txt", "我们 \xE3\x80\x80 喜欢\n\n好\n");
  ASSERT_EQ(read_tagged(words, SequenceTask::kSegment).size(), 2U);
  EXPECT_EQ(read_tagged(words, SequenceTask::kSegment)[0].tokens, (std::vector<std::string>{"我们", "喜欢"}));
  const auto columns = write("columns.txt", "EU NNP I-ORG\n\nthe\n");
  EXPECT_THROW(read_tagged(columns, SequenceTask::kEntities), base::Error);  // "the" has no tag
  EXPECT_THROW(read_tagged(folder_.path() / "missing", SequenceTask::kPos), base::Error);
}

TEST_F(TaggerTrainingTest, LearnsEntitiesAndWritesThemInTheSchemeOfTheFile) {
  const auto file = write("ner.txt", repeated("Anna I-PER\nlives O\nin O\nNew I-LOC\nYork I-LOC\n\nMr O\nBrown I-PER\nsings O\n\n", 20));
  TaggerTraining training;
  training.task = SequenceTask::kEntities;
  training.train = training.dev = read_tagged(file, training.task);
  training.options.epochs = 3;
  int epochs = 0;
  const std::string bytes = train_tagger(training, [&](const TaggerEpoch& epoch) {
    ++epochs;
    EXPECT_EQ(epoch.scores.sentences, 40);
  });
  EXPECT_EQ(epochs, 3);
  const text::Tagger tagger(text::SequenceModel::from_bytes(bytes, "test"), nullptr);
  EXPECT_EQ(tagger.model().description().scheme, text::TagScheme::kIob1);
  text::Tagger::Scratch scratch;
  std::vector<std::string> tags;
  const std::vector<std::string_view> tokens = {"Anna", "sings", "in", "New", "York"};
  tagger.tag(tokens, {}, scratch, tags);
  EXPECT_EQ(tags, (std::vector<std::string>{"I-PER", "O", "O", "I-LOC", "I-LOC"}));
  EXPECT_EQ(score_tagger(tagger, training.dev).spans.total().f1(), 1.0);
}

TEST_F(TaggerTrainingTest, LearnsLemmas) {
  const auto file = write("lemma.conllu", repeated("1\tcars\tcar\tNOUN\t_\t_\t0\troot\t_\t_\n2\twas\tbe\tAUX\t_\t_\t1\tx\t_\t_\n3\tFast\tfast\tADJ\t_\t_\t1\tx\t_\t_\n\n"
                                                   "1\tdogs\tdog\tNOUN\t_\t_\t0\troot\t_\t_\n2\truns\trun\tVERB\t_\t_\t1\tx\t_\t_\n\n", 20));
  TaggerTraining training;
  training.task = SequenceTask::kLemma;
  training.train = read_tagged(file, training.task);
  training.options.epochs = 3;
  const std::string bytes = train_tagger(training, [](const TaggerEpoch&) {});
  const text::Tagger tagger(text::SequenceModel::from_bytes(bytes, "test"), nullptr);
  text::Tagger::Scratch scratch;
  std::vector<std::string> lemmas;
  const std::vector<std::string_view> tokens = {"birds", "was", "Fast"};
  const std::vector<std::string_view> parts = {"NOUN", "AUX", "ADJ"};
  tagger.tag(tokens, parts, scratch, lemmas);
  EXPECT_EQ(lemmas, (std::vector<std::string>{"bird", "be", "fast"}));
}

TEST_F(TaggerTrainingTest, SaysWhenThereIsNothingOrTooMuchToLearn) {
  TaggerTraining training;
  EXPECT_THROW(train_tagger(training, [](const TaggerEpoch&) {}), base::Error);
  std::string many;
  for (int i = 0; i < 300; ++i) {
    many += "w T" + std::to_string(i) + "\n";
  }
  training.train = read_tagged(write("many.txt", many), SequenceTask::kPos);
  EXPECT_THROW(train_tagger(training, [](const TaggerEpoch&) {}), base::Error);
}

}  // namespace
}  // namespace slipway::data
