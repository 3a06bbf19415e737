#include "model/gguf.h"

#include <array>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "model/decoder_files.h"
#include "support/tiny_decoder.h"
#include "support/tiny_gguf.h"

namespace slipway::model {
namespace {

using tests::GgufWriter;

// A file with one of everything.
GgufWriter small() {
  GgufWriter out;
  out.text("general.architecture", "llama");
  out.integer("a.number", 7);
  out.number("a.float", 0.5F);
  out.flag("a.flag", true);
  out.texts("a.texts", {"x", "", "long text"});
  out.numbers("a.numbers", {1, 2.5F});
  out.integers("a.integers", {-1, 3});
  out.tensor_f32("one", {2, 3}, {1, 2, 3, 4, 5, 6});
  std::string blocks(2 * 34, '\1');
  blocks[0] = blocks[34] = 0;
  blocks[1] = blocks[35] = 0x3c;  // scale 1
  out.tensor("two", {2, 32}, 8, blocks);
  return out;
}

std::string error_of(const std::string& bytes, base::Code code = base::Code::kIntegrity) {
  try {
    const GgufFile file(bytes, "test");
    return "";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
}

template <class T>
std::string with(std::string bytes, size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof(T));
  return bytes;
}

// Where `needle` ends in the bytes.
size_t after(const std::string& bytes, const std::string& needle) { return bytes.find(needle) + needle.size(); }

TEST(Gguf, ReadsBothVersions) {
  for (const uint32_t version : {2U, 3U}) {
    const std::string bytes = small().bytes(version);
    const GgufFile file(bytes, "test");
    const GgufMetadata& metadata = file.metadata();
    EXPECT_EQ(metadata.text("general.architecture"), "llama");
    EXPECT_EQ(metadata.integer("a.number"), 7);
    EXPECT_EQ(metadata.number("a.number"), 7);
    EXPECT_EQ(metadata.number("a.float"), 0.5);
    EXPECT_EQ(metadata.flag("a.flag"), true);
    EXPECT_EQ(metadata.texts("a.texts"), (std::vector<std::string>{"x", "", "long text"}));
    EXPECT_EQ(metadata.numbers("a.numbers"), (std::vector<float>{1, 2.5F}));
    EXPECT_EQ(metadata.integers("a.integers"), (std::vector<int32_t>{-1, 3}));
    EXPECT_EQ(metadata.integer("absent"), std::nullopt);
    EXPECT_THROW(metadata.integer("a.texts"), base::Error);
    EXPECT_THROW(metadata.text("a.number"), base::Error);
    EXPECT_THROW(metadata.flag("a.number"), base::Error);
    EXPECT_THROW(metadata.texts("a.numbers"), base::Error);
    EXPECT_THROW(metadata.integers("a.numbers"), base::Error);
    EXPECT_THROW(metadata.numbers("a.texts"), base::Error);
    EXPECT_EQ(base::dump_json(metadata.json(metadata.values().at("a.texts"), 2)), R"({"count":3,"first":["x",""]})");
    EXPECT_EQ(file.read_f32("one"), (std::vector<float>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(file.find("one")->shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(file.read_f32("two"), std::vector<float>(64, 1));
    EXPECT_FALSE(file.vocabulary());
  }
}

TEST(Gguf, EveryWayToBeWrongIsSaid) {
  const std::string good = small().bytes();
  EXPECT_NE(error_of("GGML" + good.substr(4)).find("begin"), std::string::npos);
  EXPECT_NE(error_of(small().bytes(1)).find("version 1"), std::string::npos);
  EXPECT_NE(error_of(small().bytes(0x03000000)).find("big-endian"), std::string::npos);
  EXPECT_NE(error_of(with(good, 8, UINT64_MAX)).find("tensors"), std::string::npos);
  EXPECT_NE(error_of(with(good, 16, UINT64_MAX)).find("keys"), std::string::npos);
  EXPECT_NE(error_of(with(good, 16, uint64_t{65'536})), "");
  EXPECT_NE(error_of(with(good, 24, uint64_t{1} << 62)).find("more than"), std::string::npos) << "a key's length";
  EXPECT_NE(error_of(with(good, after(good, "a.flag") + 4, uint8_t{2})).find("boolean"), std::string::npos);
  EXPECT_NE(error_of(with(good, after(good, "a.number"), uint32_t{13})).find("unknown type"), std::string::npos);
  EXPECT_NE(error_of(with(good, after(good, "a.texts") + 8, UINT64_MAX / 2)), "") << "an array's length";
  EXPECT_NE(error_of(with(good, after(good, "a.numbers") + 8, UINT64_MAX / 2)), "");
  EXPECT_NE(error_of(with(good, after(good, "a.numbers") + 4, uint32_t{9})).find("array of arrays"), std::string::npos);
  const size_t one = after(good, std::string("\3\0\0\0\0\0\0\0one", 11));
  EXPECT_NE(error_of(with(good, one, uint32_t{5})).find("5 dimensions"), std::string::npos);
  EXPECT_NE(error_of(with(good, one + 4, uint64_t{1} << 63)).find("negative"), std::string::npos);
  EXPECT_NE(error_of(with(good, one + 4, uint64_t{1} << 62)).find("too large"), std::string::npos);
  EXPECT_NE(error_of(with(good, one + 4, uint64_t{1} << 40)).find("larger than the file"), std::string::npos);
  EXPECT_NE(error_of(with(good, one + 20, uint32_t{99})).find("unknown type"), std::string::npos);
  EXPECT_NE(error_of(with(good, one + 20, uint32_t{8})).find("multiple"), std::string::npos)
      << "rows of 3 in blocks of 32";
  EXPECT_NE(error_of(with(good, one + 20, uint32_t{16}), base::Code::kInvalid).find("type 16"), std::string::npos);
  EXPECT_NE(error_of(with(good, one + 24, uint64_t{32})).find("hole"), std::string::npos);
  const size_t two = after(good, std::string("\3\0\0\0\0\0\0\0two", 11));
  EXPECT_NE(error_of(with(good, two + 24, uint64_t{0})).find("overlap"), std::string::npos);
  EXPECT_NE(error_of(with(good, two + 24, UINT64_MAX)).find("hole"), std::string::npos);
  EXPECT_NE(error_of(with(good, two - 3, std::array<char, 3>{'o', 'n', 'e'})).find("twice"), std::string::npos);
  EXPECT_NE(error_of(good.substr(0, good.size() - 32)).find("cut short"), std::string::npos);
}

TEST(Gguf, RepeatedKeysLongNamesAndBadAlignmentAreRefused) {
  GgufWriter repeated;
  repeated.integer("a", 1);
  repeated.integer("a", 1);
  EXPECT_NE(error_of(repeated.bytes()).find("twice"), std::string::npos);
  GgufWriter empty;
  empty.integer("", 1);
  EXPECT_NE(error_of(empty.bytes()).find("empty"), std::string::npos);
  GgufWriter name;
  name.tensor_f32(std::string(64, 'n'), {1}, {1});
  EXPECT_NE(error_of(name.bytes()).find("more than 63"), std::string::npos);
  for (const uint32_t alignment : {0U, 3U, 33U}) {
    GgufWriter out;
    out.integer("general.alignment", alignment);
    EXPECT_NE(error_of(out.bytes()).find("power of two"), std::string::npos) << alignment;
  }
  GgufWriter text;
  text.text("general.alignment", "32");
  EXPECT_NE(error_of(text.bytes()).find("power of two"), std::string::npos);
}

TEST(Gguf, EveryTruncationAndBitFlipIsSafe) {
  const std::string good = small().bytes();
  for (size_t size = 0; size < good.size() - 31; ++size) {
    EXPECT_NE(error_of(good.substr(0, size)), "") << size;
  }
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    try {
      const GgufFile file(bytes, "test");
      for (const auto& [name, tensor] : file.tensors()) {
        if (dtype_is_float(tensor.dtype)) {
          file.read_f32(name);
        }
      }
    } catch (const base::Error&) {
      continue;
    }
  }
}

TEST(Gguf, EveryFamilyHasTheWeightsOfItsFolder) {
  const base::TempDir dir;
  for (const std::string& name : tests::tiny_decoder_names()) {
    SCOPED_TRACE(name);
    tests::write_tiny_decoder(dir.path() / name, tests::tiny_decoder_gold(name));
    const OpenedDecoder folder = open_decoder(dir.path() / name);
    const auto path = dir.path() / (name + ".gguf");
    tests::write_tiny_gguf(path, folder);
    EXPECT_TRUE(is_decoder_path(path));
    const OpenedDecoder file = open_decoder(path);
    ASSERT_EQ(file.weights->names(), folder.weights->names());
    for (const std::string& tensor : folder.weights->names()) {
      ASSERT_EQ(file.weights->read_f32(tensor), folder.weights->read_f32(tensor)) << tensor;
    }
    EXPECT_EQ(file.spec.parameter_count(), folder.spec.parameter_count());
    EXPECT_EQ(file.spec.rope.rotary_dim, folder.spec.rope.rotary_dim);
    EXPECT_EQ(file.spec.eos_ids, folder.spec.eos_ids);
    EXPECT_EQ(file.spec.norm_eps, folder.spec.norm_eps);
    EXPECT_EQ(file.spec.activation, folder.spec.activation);
    EXPECT_EQ(file.spec.attention_softcap, folder.spec.attention_softcap);
    EXPECT_EQ(file.spec.embedding_scale, folder.spec.embedding_scale);
    EXPECT_EQ(file.spec.parallel_residual, folder.spec.parallel_residual);
    for (const int sequence : {10, 100}) {
      const auto mine = rope_frequencies(file.spec.rope, sequence);
      const auto theirs = rope_frequencies(folder.spec.rope, sequence);
      ASSERT_EQ(mine.size(), theirs.size());
      for (size_t i = 0; i < mine.size(); ++i) {
        EXPECT_NEAR(mine[i] / theirs[i], 1, 1e-6);
      }
    }
    EXPECT_EQ(file.bos_token, "<1>");
    EXPECT_EQ(file.chat_template, "{{ messages[0].content }}");
  }
}

// The vocabularies of llama.cpp's tests have no tensors.
TEST(Gguf, ReadsAVocabularyWithoutAModel) {
  GgufWriter out;
  out.text("general.architecture", "llama");
  out.text("tokenizer.ggml.model", "llama");
  out.texts("tokenizer.ggml.tokens", {"<unk>", "<s>", "a"});
  out.numbers("tokenizer.ggml.scores", {0, 0, -1});
  out.integers("tokenizer.ggml.token_type", {2, 3, 1});
  out.integer("tokenizer.ggml.bos_token_id", 1);
  out.integer("tokenizer.ggml.eos_token_id", 0xffffffffU);
  out.flag("tokenizer.ggml.add_bos_token", true);
  const std::string bytes = out.bytes();
  const GgufFile file(bytes, "test");
  const auto vocabulary = file.vocabulary();
  ASSERT_TRUE(vocabulary);
  EXPECT_EQ(vocabulary->tokens[2], "a");
  EXPECT_EQ(vocabulary->scores[2], -1);
  EXPECT_EQ(vocabulary->token_types[1], 3);
  EXPECT_EQ(vocabulary->bos_id, 1);
  EXPECT_EQ(vocabulary->eos_id, -1);
  EXPECT_EQ(vocabulary->add_bos, true);
  EXPECT_EQ(vocabulary->add_eos, std::nullopt);
}

// Every tensor of a real file against the Python package gguf; Llama's q and k in the canonical order.
TEST(Gguf, ReadsSmolLm2AsThePackageGgufDoes) {
  const auto folder = tests::cached("smollm2");
  if (!folder) {
    GTEST_SKIP() << "skipped: no SmolLM2 in the cache (tools/setup decoder)";
  }
  const auto gold_path = tests::source_dir() / "tests" / "gold" / "smollm2.json";
  const base::Json gold = base::parse_json(base::read_file(gold_path), gold_path.string());
  const OpenedDecoder model = open_decoder(*folder / "SmolLM2-135M-Instruct.Q4_1.gguf");
  const GgufFile& file = *model.gguf;
  ASSERT_EQ(file.tensors().size(), gold.size());
  for (const auto& [name, one] : gold.items()) {
    const TensorView* tensor = file.find(name);
    ASSERT_NE(tensor, nullptr) << name;
    EXPECT_EQ(dtype_name(tensor->dtype), one.at("type").get<std::string>()) << name;
    EXPECT_EQ(tensor->shape, one.at("shape").get<std::vector<int64_t>>()) << name;
    const std::vector<float> values = file.read_f32(name);
    double sum = 0;
    for (const float value : values) {
      sum += value;
    }
    EXPECT_NEAR(sum, one.at("sum").get<double>(), 1e-6 * static_cast<double>(values.size())) << name;
    const base::Json& at = one.at("at");
    for (size_t i = 0; i < at.size(); ++i) {
      EXPECT_EQ(values[at[i].get<size_t>()], one.at("values")[i].get<float>()) << name;
    }
  }
  const auto rows = file.read_f32("blk.3.attn_k.weight");
  const auto canonical = model.weights->read_f32("model.layers.3.self_attn.k_proj.weight");
  EXPECT_EQ(tests::pair_rows(canonical, 64, 576), rows);
  EXPECT_EQ(model.spec.num_layers, 30);
  EXPECT_EQ(model.spec.num_kv_heads, 3);
  EXPECT_TRUE(model.spec.tied_embeddings);
  EXPECT_EQ(model.eos_token, "<|im_end|>");
  EXPECT_NE(model.chat_template.find("im_start"), std::string::npos);
}

TEST(Gguf, DecoderMetadataThatAreMissingOrNotSupportedAreNamed) {
  const auto message = [](const GgufWriter& out) {
    const std::string bytes = out.bytes();
    const GgufFile file(bytes, "test");
    try {
      decoder_spec_from_gguf(file.metadata(), "test");
      return std::string();
    } catch (const base::Error& error) {
      return std::string(error.what());
    }
  };
  GgufWriter none;
  EXPECT_NE(message(none).find("general.architecture"), std::string::npos);
  GgufWriter other;
  other.text("general.architecture", "mamba");
  EXPECT_NE(message(other).find("mamba"), std::string::npos);
  GgufWriter missing;
  missing.text("general.architecture", "llama");
  missing.integer("llama.embedding_length", 64);
  EXPECT_NE(message(missing).find("llama.block_count"), std::string::npos);
  const base::TempDir dir;
  tests::write_tiny_decoder(dir.path(), tests::tiny_decoder_gold("llama"));
  GgufWriter experts;
  tests::put_gguf_metadata(experts, open_decoder(dir.path()).spec);
  EXPECT_EQ(message(experts), "");
  experts.integer("llama.expert_count", 8);
  EXPECT_NE(message(experts).find("llama.expert_count"), std::string::npos);
}

class GgufParts : public ::testing::Test {
 protected:
  // NAME-0000P-of-00003.gguf with one tensor, "tensor P".
  std::filesystem::path write(uint32_t part, uint32_t number, const std::string& tensor = "") {
    GgufWriter out;
    out.integer("split.no", number);
    out.integer("split.count", 3);
    out.integer("split.tensors.count", 3);
    const auto value = static_cast<float>(part);
    out.tensor_f32(tensor.empty() ? "tensor " + std::to_string(part) : tensor, {1}, {value});
    const auto path = folder_.path() / ("m-0000" + std::to_string(part) + "-of-00003.gguf");
    out.write(path);
    return path;
  }
  std::string error_of(const std::filesystem::path& path) {
    try {
      const GgufFile file(path);
      return "";
    } catch (const base::Error& error) {
      return error.what();
    }
  }
  base::TempDir folder_;
};

TEST_F(GgufParts, OfASplitModelAreOneModel) {
  const auto first = write(1, 0);
  write(2, 1);
  write(3, 2);
  const GgufFile file(first);
  ASSERT_EQ(file.tensors().size(), 3U);
  for (int part = 1; part <= 3; ++part) {
    EXPECT_EQ(file.read_f32("tensor " + std::to_string(part)), std::vector<float>{static_cast<float>(part)});
  }
}

TEST_F(GgufParts, ThatAreMissingOrWrongAreNamed) {
  const auto first = write(1, 0);
  const auto second = write(2, 1);
  EXPECT_NE(error_of(second).find("give its first part, m-00001-of-00003.gguf"), std::string::npos) << error_of(second);
  EXPECT_NE(error_of(first).find("m-00003-of-00003.gguf"), std::string::npos) << error_of(first);
  write(3, 1);
  EXPECT_NE(error_of(first).find("part 3 of 3"), std::string::npos) << error_of(first);
  write(3, 2, "tensor 1");
  EXPECT_NE(error_of(first).find("'tensor 1' is in an earlier part"), std::string::npos) << error_of(first);
}

}  // namespace
}  // namespace slipway::model
