#include "train/dataset.h"

#include "base/error.h"
#include "base/file.h"
#include "base/input.h"
#include "support/support.h"

namespace slipway::train {
namespace {

// One id a byte: its value minus 'a' + 3, between 1 and 2.
class LetterTokenizer final : public text::Tokenizer {
 public:
  void encode(std::string_view text, const text::EncodeOptions& options, text::Encoding& out) const override {
    out.ids.assign(1, 1);
    for (const char c : text) {
      out.ids.push_back(c - 'a' + 3);
    }
    if (options.max_length > 0 && static_cast<int>(out.ids.size()) >= options.max_length) {
      out.ids.resize(static_cast<size_t>(options.max_length) - 1);
    }
    out.ids.push_back(2);
  }
  std::string decode(std::span<const int32_t>, bool) const override { return ""; }
  int vocab_size() const override { return 29; }
  int token_to_id(std::string_view) const override { return -1; }
  std::string_view id_to_token(int) const override { return ""; }
  bool is_special(int id) const override { return id < 3; }
};

class Dataset : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) { base::write_file_atomic(folder_.path() / name, text); }
  EncodedSplit load(int vocab = 29) {
    return load_split(folder_.path(), "train", format_, LetterTokenizer(), vocab, pool_);
  }
  std::string failure(int vocab = 29) {
    try {
      load(vocab);
    } catch (const base::Error& error) {
      return error.what();
    }
    return "";
  }
  base::TempDir folder_;
  base::Pool pool_{2};
  SplitFormat format_ = {"text", "label", {"no", "yes"}, 8};
};

TEST_F(Dataset, ReadsNamesAndIndicesOfLabels) {
  write("train.jsonl", "{\"text\":\"abc\",\"label\":\"yes\"}\n\n{\"text\":\"\",\"label\":0,\"more\":[1]}\n");
  const EncodedSplit split = load();
  ASSERT_EQ(split.size(), 2);
  EXPECT_EQ(split.labels, (std::vector<int32_t>{1, 0}));
  EXPECT_EQ(std::vector<int32_t>(split.text(0).begin(), split.text(0).end()), (std::vector<int32_t>{1, 3, 4, 5, 2}));
  EXPECT_EQ(split.length(1), 2);
  EXPECT_EQ(split.truncated, 0);
}

TEST_F(Dataset, CutsLongTextsAndCountsThem) {
  write("train.jsonl", "{\"text\":\"abcdefghijkl\",\"label\":1}\n");
  const EncodedSplit split = load();
  EXPECT_EQ(split.length(0), 8);
  EXPECT_EQ(split.truncated, 1);
}

TEST_F(Dataset, ReadsCompressedShardsInOrderOfName) {
  base::write_file_atomic(folder_.path() / "train-00001.jsonl.zst",
                          base::zstd_compress("{\"text\":\"bb\",\"label\":1}\n"));
  write("train-00000.jsonl", "{\"text\":\"a\",\"label\":0}\n");
  write("trainer.jsonl", "not read");
  const EncodedSplit split = load();
  EXPECT_EQ(split.labels, (std::vector<int32_t>{0, 1}));
}

TEST_F(Dataset, IsTheSameForAnyNumberOfThreads) {
  std::string text;
  for (int i = 0; i < 500; ++i) {
    text +=
        "{\"text\":\"" + std::string(static_cast<size_t>(i % 7), static_cast<char>('a' + i % 26)) + "\",\"label\":0}\n";
  }
  write("train.jsonl", text);
  base::Pool one(1);
  const EncodedSplit a = load();
  const EncodedSplit b = load_split(folder_.path(), "train", format_, LetterTokenizer(), 29, one);
  EXPECT_EQ(a.ids, b.ids);
  EXPECT_EQ(a.begins, b.begins);
}

TEST_F(Dataset, NamesFileAndLineOfABadRow) {
  write("train.jsonl", "{\"text\":\"a\",\"label\":\"yes\"}\n{\"text\":\"a\",\"label\":\"yess\"}\n");
  EXPECT_NE(failure().find("train.jsonl:2"), std::string::npos) << failure();
  EXPECT_NE(failure().find("did you mean 'yes'"), std::string::npos) << failure();
  write("train.jsonl", "{\"text\":\"a\",\"label\":2}\n");
  EXPECT_NE(failure().find("2 labels"), std::string::npos) << failure();
  write("train.jsonl", "{\"label\":1}\n");
  EXPECT_NE(failure().find("text"), std::string::npos);
  write("train.jsonl", "{\"text\":\"a\"}\n");
  EXPECT_NE(failure().find("label"), std::string::npos);
  write("train.jsonl", "{\"text\":3,\"label\":1}\n");
  EXPECT_NE(failure().find("text"), std::string::npos);
  write("train.jsonl", "[1]\n");
  EXPECT_NE(failure(), "");
  write("train.jsonl", "{\"text\":\"a\",\"label\":1\n");
  EXPECT_NE(failure().find(":1"), std::string::npos);
}

TEST_F(Dataset, RefusesATokenizerThatIsNotTheModels) {
  write("train.jsonl", "{\"text\":\"z\",\"label\":1}\n");
  EXPECT_NE(failure(28).find("do not belong together"), std::string::npos);
}

TEST_F(Dataset, SaysWhatItLookedForWhenASplitIsMissingOrEmpty) {
  EXPECT_NE(failure().find("train.jsonl"), std::string::npos);
  write("train.jsonl", "\n");
  EXPECT_NE(failure().find("no rows"), std::string::npos);
  EXPECT_THROW(split_files(folder_.path() / "nowhere", "train"), base::Error);
}

}  // namespace
}  // namespace slipway::train
