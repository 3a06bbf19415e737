// Every family of the shared data, every line: ids as Hugging Face tokenizers, sentencepiece, tiktoken and llama.cpp
// gave them. Without the data the tests say so; tokenizer_gold_test.cc has small cases of the same kinds.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/input.h"
#include "base/json.h"
#include "support/support.h"
#include "text/gguf_file.h"
#include "text/stream_decoder.h"
#include "text/tokenizer.h"

namespace slipway::text {
namespace {

using base::Json;
namespace fs = std::filesystem;

// A tokenizer of the shared data, unpacked under its own name.
std::unique_ptr<Tokenizer> load_shared(const fs::path& folder, const std::vector<std::string>& names) {
  const base::TempDir temporary;
  for (const std::string& name : names) {
    base::write_file_atomic(temporary.path() / name, base::read_decompressed(folder / (name + ".zst")));
  }
  return load_tokenizer(temporary.path() / names[0]);
}

struct Row {
  std::string text;
  std::vector<int32_t> ids;
  std::optional<std::vector<int32_t>> special;
};

std::vector<Row> expected_rows(const fs::path& file) {
  std::vector<Row> rows;
  base::LineReader reader(file);
  std::string_view line;
  while (reader.next(line)) {
    const Json json = base::parse_json(line, file.string());
    Row row{json["text"].get<std::string>(), json["ids"].get<std::vector<int32_t>>(), std::nullopt};
    if (json.contains("ids_special")) {
      row.special = json["ids_special"].get<std::vector<int32_t>>();
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string as_text(const std::vector<int32_t>& ids) {
  std::string out;
  for (const int32_t id : ids) {
    out += std::to_string(id) + " ";
  }
  return out.substr(0, 600);
}

class Family {
 public:
  Family(const fs::path& shared, const std::string& name, const std::vector<std::string>& files)
      : folder_(shared / "data" / "tokenizers"), name_(name) {
    tokenizer = load_shared(folder_, files);
    rows = expected_rows(folder_ / (name + ".expected.jsonl.zst"));
  }
  // The fast path (ids only) and the general one (with offsets) on every line.
  void check_ids() {
    ASSERT_GE(rows.size(), 2000U);
    int shown = 0;
    Encoding out;
    for (const Row& row : rows) {
      for (const bool offsets : {false, true}) {
        tokenizer->encode(row.text, {false, offsets, 0}, out);
        if (out.ids != row.ids && ++shown <= 3) {
          ADD_FAILURE() << name_ << " offsets " << offsets << ": " << row.text.substr(0, 300) << "\n  ours   "
                        << as_text(out.ids) << "\n  theirs " << as_text(row.ids);
        }
        ASSERT_EQ(out.offsets.size(), offsets ? out.ids.size() : 0);
      }
      if (row.special) {
        tokenizer->encode(row.text, {true, false, 0}, out);
        EXPECT_EQ(out.ids, *row.special) << name_ << ": " << row.text.substr(0, 300);
      }
    }
    EXPECT_EQ(shown, 0) << shown << " of " << 2 * rows.size() << " encodings differ";
  }
  // Text that the tokenizer does not change comes back, at once and token by token.
  void check_round_trip() {
    Encoding out;
    int checked = 0;
    for (const Row& row : rows) {
      if (row.text.find("<unk>") != std::string::npos) {
        continue;  // a special token of some families, which decoding leaves out
      }
      ++checked;
      tokenizer->encode(row.text, {false, false, 0}, out);
      EXPECT_EQ(tokenizer->decode(out.ids, true), row.text) << name_;
      StreamDecoder stream(*tokenizer);
      std::string streamed;
      for (const int32_t id : out.ids) {
        streamed += stream.push(id);
      }
      streamed += stream.flush();
      EXPECT_EQ(streamed, row.text) << name_;
    }
    EXPECT_GE(checked, 2000);
  }

  std::unique_ptr<Tokenizer> tokenizer;
  std::vector<Row> rows;

 private:
  fs::path folder_;
  std::string name_;
};

TEST(Families, Gpt2) {
  SLIPWAY_NEEDS_SHARED(shared);
  Family family(shared, "gpt2", {"gpt2.vocab.json", "gpt2.merges.txt"});
  family.check_ids();
  family.check_round_trip();
}

TEST(Families, RobertaBase) {
  SLIPWAY_NEEDS_SHARED(shared);
  Family family(shared, "roberta-base", {"roberta-base.tokenizer.json"});
  family.check_ids();
  family.check_round_trip();
}

TEST(Families, BertBaseUncased) {
  SLIPWAY_NEEDS_SHARED(shared);
  Family family(shared, "bert-base-uncased", {"bert-base-uncased.vocab.txt"});
  family.check_ids();
}

TEST(Families, Llama3) {
  SLIPWAY_NEEDS_SHARED(shared);
  Family family(shared, "llama3", {"llama3.tiktoken"});
  family.check_ids();
  family.check_round_trip();
}

TEST(Families, Cl100k) {
  SLIPWAY_NEEDS_SHARED(shared);
  Family family(shared, "cl100k_base", {"cl100k_base.tiktoken"});
  family.check_ids();
  family.check_round_trip();
}

TEST(Families, Phi3) {
  SLIPWAY_NEEDS_SHARED(shared);
  Family family(shared, "phi-3", {"phi-3.tokenizer.json"});
  family.check_ids();
  family.check_round_trip();
}

TEST(Families, Llama2) {
  SLIPWAY_NEEDS_SHARED(shared);
  Family family(shared, "llama2-spm", {"llama2-spm.spm.model"});
  family.check_ids();
  family.check_round_trip();
}

TEST(Families, MistralV1) {
  SLIPWAY_NEEDS_SHARED(shared);
  Family family(shared, "mistral-v1", {"mistral-v1.spm.model"});
  family.check_ids();
  family.check_round_trip();
}

TEST(Families, SentencePieceUnigram) {
  SLIPWAY_NEEDS_SHARED(shared);
  Family family(shared, "sentencepiece-test-en", {"sentencepiece-test-en.spm.model"});
  family.check_ids();
}

TEST(Families, T5Small) {
  SLIPWAY_NEEDS_SHARED(shared);
  Family family(shared, "t5-small", {"t5-small.tokenizer.json"});
  family.check_ids();
}

// llama.cpp's vocabularies, with the texts and ids of its own tests.
void check_gguf(const fs::path& shared, const std::string& name) {
  const fs::path folder = shared / "data" / "tokenizers";
  const std::string bytes = base::read_decompressed(folder / (name + ".gguf.zst"));
  const auto tokenizer = make_tokenizer(tests::GgufVocabularyReader(bytes).read(), name);
  const std::string texts = base::read_file(folder / (name + ".gguf.inp"));
  const std::string ids = base::read_file(folder / (name + ".gguf.out"));
  std::istringstream lines(ids);
  std::string line;
  const std::string separator = "\n__ggml_vocab_test__\n";
  int count = 0;
  for (size_t at = 0; at < texts.size() && std::getline(lines, line); ++count) {
    const size_t end = std::min(texts.find(separator, at), texts.size());
    const std::string text = texts.substr(at, end - at);
    at = end + separator.size();
    std::istringstream numbers(line);
    std::vector<int32_t> expected;
    for (int32_t id = 0; numbers >> id;) {
      expected.push_back(id);
    }
    for (const bool offsets : {false, true}) {
      Encoding out;
      tokenizer->encode(text, {false, offsets, 0}, out);
      EXPECT_EQ(out.ids, expected) << name << ": '" << text << "'";
    }
  }
  EXPECT_GE(count, 40);
}

// The bytes of tokens put together are the text, those of broken characters too.
TEST(Families, TokenBytesMakeTheText) {
  SLIPWAY_NEEDS_SHARED(shared);
  const std::vector<std::vector<std::string>> all = {{"gpt2.vocab.json", "gpt2.merges.txt"},
                                                     {"llama3.tiktoken"},
                                                     {"phi-3.tokenizer.json"},
                                                     {"llama2-spm.spm.model"},
                                                     {"mistral-v1.spm.model"}};
  const std::string text = "say: {\"a\": [1, 2.5, true]}, \xE4\xBD\xA0\xF0\x9F\xA6\xA9 caf\xC3\xA9\n  end";
  for (const std::vector<std::string>& files : all) {
    const auto tokenizer = load_shared(shared / "data" / "tokenizers", files);
    Encoding encoding;
    tokenizer->encode(text, {false, false, 0}, encoding);
    std::string bytes;
    for (const int32_t id : encoding.ids) {
      bytes += tokenizer->token_bytes(id);
    }
    EXPECT_TRUE(bytes == text || bytes == " " + text) << files[0] << ": " << bytes;
  }
}

TEST(Families, GgufGpt2) {
  SLIPWAY_NEEDS_SHARED(shared);
  check_gguf(shared, "ggml-vocab-gpt-2");
}

TEST(Families, GgufLlamaSpm) {
  SLIPWAY_NEEDS_SHARED(shared);
  check_gguf(shared, "ggml-vocab-llama-spm");
}

TEST(Families, GgufBertBge) {
  SLIPWAY_NEEDS_SHARED(shared);
  check_gguf(shared, "ggml-vocab-bert-bge");
}

}  // namespace
}  // namespace slipway::text
