#include "model/word_vectors.h"

#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "support/support.h"

namespace slipway::model {
namespace {

std::filesystem::path corpus(const std::string& name) {
  return tests::source_dir() / "fuzz" / "corpus" / "word_vectors" / name;
}

base::Json gold() {
  const auto path = tests::source_dir() / "tests" / "gold" / "word_vectors.json";
  return base::parse_json(base::read_file(path), path.string());
}

void expect_vectors(const WordVectors& vectors, const base::Json& expected) {
  for (const auto& [word, values] : expected.items()) {
    const auto mine = vectors.vector(word);
    ASSERT_TRUE(mine) << word;
    ASSERT_EQ(mine->size(), values.size());
    for (size_t i = 0; i < mine->size(); ++i) {
      EXPECT_NEAR((*mine)[i], values[i].get<float>(), 1e-6) << word;
    }
  }
}

TEST(WordVectors, TextBinaryAndGloveAreAsGensimReadsThem) {
  const base::Json expected = gold();
  const std::vector<std::pair<const char*, WordVectorFormat>> files = {{"w2v.vec", WordVectorFormat::kWord2VecText},
                                                                       {"w2v.bin", WordVectorFormat::kWord2VecBinary},
                                                                       {"glove.txt", WordVectorFormat::kGlove}};
  for (const auto& [name, format] : files) {
    SCOPED_TRACE(name);
    const WordVectors vectors = WordVectors::load(corpus(name));
    EXPECT_EQ(vectors.format(), format);
    EXPECT_EQ(vectors.size(), expected.at("word2vec").size());
    expect_vectors(vectors, expected.at("word2vec"));
    const auto nearest = vectors.nearest(vectors.find("cat"), 4, {"cat"});
    const auto analogy = vectors.analogy("cat", "dog", "mat", 3);
    for (const auto& [mine, key] : {std::pair(nearest, "nearest"), std::pair(analogy, "analogy")}) {
      const base::Json& theirs = expected.at(key);
      ASSERT_EQ(mine.size(), theirs.size());
      for (size_t i = 0; i < mine.size(); ++i) {
        EXPECT_EQ(mine[i].word, theirs[i][0].get<std::string>());
        EXPECT_NEAR(mine[i].similarity, theirs[i][1].get<float>(), 1e-5);
      }
    }
    EXPECT_FALSE(vectors.vector("unseen"));
    EXPECT_THROW(vectors.similarity("cat", "unseen"), base::Error);
    EXPECT_NEAR(vectors.similarity("cat", "cat"), 1, 1e-6);
    EXPECT_EQ(WordVectors::load(corpus(name), 3).size(), 3U);
  }
}

TEST(WordVectors, FastTextHasVectorsForWordsItNeverSaw) {
  const WordVectors vectors = WordVectors::load(corpus("fasttext.bin"));
  EXPECT_EQ(vectors.format(), WordVectorFormat::kFastTextBinary);
  expect_vectors(vectors, gold().at("fasttext"));
  EXPECT_TRUE(vectors.find("cats").empty());
}

TEST(WordVectors, DamagedFilesAreRefusedAndSaidWhere) {
  const base::TempDir dir;
  const auto path = dir.path() / "x";
  const auto error_of = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    try {
      WordVectors::load(path);
      return std::string();
    } catch (const base::Error& error) {
      return std::string(error.what());
    }
  };
  EXPECT_EQ(error_of("2 2\na 1 2\nb 3 4\n"), "");
  EXPECT_NE(error_of("3 2\na 1 2\nb 3 4\n").find("cut short"), std::string::npos);
  EXPECT_NE(error_of("2 2\na 1 2\nb 3\n").find("line 3"), std::string::npos);
  EXPECT_NE(error_of("a 1 2\nb 3 nan\n").find("line 2"), std::string::npos);
  EXPECT_NE(error_of(""), "");
  EXPECT_NE(error_of("word\n"), "");
  EXPECT_NE(error_of("99999999999 2\na 1 2\n").find("allowed"), std::string::npos);
  EXPECT_NE(error_of("2 999999\na 1 2\n").find("allowed"), std::string::npos);
  for (const char* name : {"w2v.bin", "fasttext.bin"}) {
    const std::string good = base::read_file(corpus(name));
    EXPECT_EQ(error_of(good), "");
    for (size_t size = 0; size < good.size() / 3; size += 7) {
      EXPECT_NE(error_of(good.substr(0, size)), "") << name << " " << size;
    }
  }
}

TEST(WordVectors, ARepeatedWordKeepsItsFirstVector) {
  const base::TempDir dir;
  std::ofstream(dir.path() / "x") << "3 1\na 1\nb 2\na 3\n";
  const WordVectors vectors = WordVectors::load(dir.path() / "x");
  EXPECT_EQ(vectors.size(), 2U);
  EXPECT_EQ(vectors.find("a")[0], 1);
}

}  // namespace
}  // namespace slipway::model
