// N-gram models against kenlm and the definition of smoothing (tests/gold/make_ngram_gold.py).
#include "text/ngram_model.h"

#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "base/input.h"
#include "base/json.h"
#include "base/random.h"
#include "support/support.h"
#include "text/ngram_trainer.h"

namespace slipway::text {
namespace {

namespace fs = std::filesystem;

base::Json gold() {
  const fs::path file = tests::source_dir() / "tests/gold/ngram.json";
  return base::parse_json(base::read_file(file), file.string());
}
fs::path gold_arpa() { return tests::source_dir() / "tests/gold/ngram.arpa"; }

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

std::string train(const std::vector<std::string>& sentences, int order, NgramTrainResult* result = nullptr) {
  NgramTrainer trainer({order, uint64_t{1} << 30U});
  for (const std::string& sentence : sentences) {
    trainer.add(sentence);
  }
  std::string arpa;
  const NgramTrainResult made = trainer.finish([&](std::string_view bytes) { arpa += bytes; });
  if (result != nullptr) {
    *result = made;
  }
  return arpa;
}

std::shared_ptr<const NgramModel> model_of(const std::string& arpa) {
  base::TempDir folder;
  base::write_file_atomic(folder.path() / "model.arpa", arpa);
  return NgramModel::open(folder.path() / "model.arpa");
}

std::string error_of(const std::string& arpa) {
  try {
    model_of(arpa);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kIntegrity) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "read: " << arpa;
  return "";
}

TEST(NgramModel, ScoresAsKenlm) {
  const auto model = NgramModel::open(gold_arpa());
  ASSERT_EQ(model->order(), 3);
  const base::Json rows = gold().at("scores");
  ASSERT_GT(rows.size(), 30U);
  for (const base::Json& row : rows) {
    const auto text = row.at("text").get<std::string>();
    std::vector<std::string_view> context = {"<s>"};
    std::vector<std::string_view> words = words_of(text);
    words.push_back("</s>");
    double sum = 0;
    for (size_t i = 0; i < words.size(); ++i) {
      const double want = row.at("words").at(i).get<double>();
      EXPECT_NEAR(model->log_probability(context, words[i]), want, 2e-5) << text << ' ' << i;  // kenlm adds in float
      context.push_back(words[i]);
      sum += want;
    }
    const NgramModel::Score score = model->score_line(text);
    EXPECT_NEAR(score.log10, sum, 1e-4) << text;
    EXPECT_EQ(score.words, static_cast<int64_t>(words.size()));
    EXPECT_EQ(score.unknown, row.at("unknown").get<int64_t>());
  }
}

TEST(NgramTrainer, SmoothsByTheDefinition) {
  const auto sentences = gold().at("sentences").get<std::vector<std::string>>();
  NgramTrainResult result;
  const auto ours = model_of(train(sentences, 3, &result));
  EXPECT_TRUE(result.fallback.empty());
  const auto want = NgramModel::open(gold_arpa());
  for (int n = 1; n <= 3; ++n) {
    EXPECT_EQ(ours->ngrams(n), want->ngrams(n)) << n;
    EXPECT_EQ(result.ngrams[static_cast<size_t>(n) - 1], want->ngrams(n));
  }
  size_t asked = 0;
  for (const base::Json& row : gold().at("scores")) {
    const auto text = row.at("text").get<std::string>();
    EXPECT_NEAR(ours->score_line(text).log10, want->score_line(text).log10, 1e-5) << text;
    ++asked;
  }
  for (const std::string& sentence : sentences) {
    EXPECT_NEAR(ours->score_line(sentence).log10, want->score_line(sentence).log10, 1e-5) << sentence;
    ++asked;
  }
  EXPECT_GE(asked, 200U);
}

TEST(NgramTrainer, ProbabilitiesOfAllWordsSumToOne) {
  base::Rng rng(3);
  std::vector<std::string> sentences;
  std::vector<std::string> words = {"</s>", "<unk>"};
  for (int i = 0; i < 20; ++i) {
    words.push_back("w" + std::to_string(i));
  }
  for (int i = 0; i < 300; ++i) {
    std::string line;
    for (uint64_t n = 1 + rng.below(8); n > 0; --n) {
      line += words[2 + static_cast<size_t>(static_cast<double>(20) * std::pow(rng.uniform(), 3))] + " ";
    }
    sentences.push_back(line);
  }
  for (const int order : {1, 2, 5}) {
    const auto model = model_of(train(sentences, order));
    for (const std::vector<std::string_view>& context : std::vector<std::vector<std::string_view>>{{"<s>"}, {"<s>", "w0"}, {"w1", "w0", "w0"}, {"never", "w3"}, {}}) {
      double sum = 0;
      for (const std::string& word : words) {
        sum += std::pow(10.0, model->log_probability(context, word));
      }
      EXPECT_NEAR(sum, 1, 1e-5) << order << ' ' << context.size();
    }
  }
}

TEST(NgramTrainer, SaysWhenTextIsTooSmallOrTooLarge) {
  NgramTrainResult result;
  train({"a b c", "a b"}, 2, &result);
  EXPECT_EQ(result.fallback, (std::vector<int>{1, 2}));
  NgramTrainer small({5, 1000});
  EXPECT_THROW(small.add("a b c d e f g h"), base::Error);
  NgramTrainer empty({2, 1000});
  empty.add("  ");
  EXPECT_THROW(empty.finish([](std::string_view) {}), base::Error);
  EXPECT_THROW(NgramTrainer({9, 1000}), base::Error);
}

TEST(NgramModel, ReadsCompressedFilesAndSpaces) {
  base::TempDir folder;
  const std::string arpa = "junk\n\n\\data\\\nngram 1=3\r\nngram 2=1\n\n\\1-grams:\n-1 <s> -0.5\n-0.5\tword\n-2 </s>\n\n\\2-grams:\n-0.25 <s> word\n\n\\end\\\n";
  base::write_file_atomic(folder.path() / "a.arpa.zst", base::zstd_compress(arpa));
  const auto model = NgramModel::open(folder.path() / "a.arpa.zst");
  EXPECT_NEAR(model->score_line("word").log10, -0.25 - 2, 1e-6);
  EXPECT_NEAR(model->score_line("other").log10, -0.5 - 100 - 2, 1e-4);  // without <unk>: kenlm's -100
  EXPECT_THROW(NgramModel::open(folder.path() / "absent"), base::Error);
}

TEST(NgramModel, RefusesBrokenFiles) {
  const std::string good = base::read_file(gold_arpa());
  EXPECT_NE(error_of("no model\n").find("no ARPA file"), std::string::npos);
  EXPECT_NE(error_of(good.substr(0, good.size() / 2)).find("line"), std::string::npos);
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string bad = good;
    bad.replace(bad.find(from), from.size(), to);
    return error_of(bad);
  };
  EXPECT_NE(with("ngram 2=", "ngram 3=").find("N from 1 up"), std::string::npos);
  EXPECT_NE(with("ngram 1=9", "ngram 1=99").find("there are"), std::string::npos);
  EXPECT_NE(with("ngram 1=9", "ngram 1=1").find("more 1-grams"), std::string::npos);
  EXPECT_NE(with("\\2-grams:\n-", "\\2-grams:\n+").find("is no logarithm"), std::string::npos);
  EXPECT_NE(with("\\2-grams:\n-", "\\2-grams:\n").find("is no logarithm"), std::string::npos);
  EXPECT_NE(with("\\2-grams:\n-", "\\2-grams:\n-1 word\n-").find("has 2 words"), std::string::npos);
  EXPECT_NE(with("\\end\\", "\\4-grams:").find("\\end\\"), std::string::npos);
  EXPECT_NE(error_of("\\data\\\nngram 1=1\nngram 2=1\nngram 3=1\nngram 4=1\nngram 5=1\nngram 6=1\nngram 7=1\nngram 8=1\nngram 9=1\n").find("orders from 1 to 8"), std::string::npos);
  error_of("\\data\\\nngram 1=18446744073709551615\n\\1-grams:\n-1 a\n\\end\\\n");
}

}  // namespace
}  // namespace slipway::text
