// TensorFlow's checkpoints and numpy's archives, and BERT and T5 in them.
#include "model/tensorflow.h"

#include <fstream>
#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "base/error.h"
#include "model/encoder_names.h"
#include "model/folder.h"
#include "model/npz.h"
#include "model/seq2seq_files.h"
#include "model/tensorflow_names.h"
#include "model/torch_file.h"
#include "support/tensorflow_writer.h"
#include "support/tiny_encoder.h"
#include "support/tiny_seq2seq.h"
#include "support/zip_writer.h"

namespace slipway::model {
namespace {

using tests::TensorflowVariable;

std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

std::map<std::string, TensorflowVariable> some_variables() {
  std::map<std::string, TensorflowVariable> variables;
  for (int i = 0; i < 23; ++i) {
    const auto n = static_cast<size_t>(i % 4 + 1);
    variables["scope/layer_" + std::to_string(i) + "/kernel"] = {
        1, {static_cast<int64_t>(n), 2}, floats(std::vector<float>(2 * n, static_cast<float>(i) / 8))};
  }
  variables["global_step"] = {9, {}, std::string("\5\0\0\0\0\0\0\0", 8)};
  variables["half"] = {19, {2}, std::string("\0\x3c\0\xc0", 4)};
  return variables;
}

template <class Read>
std::string error_of(const Read& read, std::optional<base::Code> code = std::nullopt) {
  try {
    read();
    return "";
  } catch (const base::Error& error) {
    if (code) {
      EXPECT_EQ(error.code(), *code) << error.what();
    }
    return error.what();
  }
}

TEST(Crc32c, IsTheStandards) {
  EXPECT_EQ(base::crc32c("123456789"), 0xE3069283U);                    // the usual check value
  EXPECT_EQ(base::crc32c(std::string(32, '\0')), 0x8A9136AAU);          // RFC 3720, B.4
  EXPECT_EQ(base::crc32c(std::string(32, '\xff')), 0x62A8AB43U);        // the same
  EXPECT_EQ(base::crc32c("6789", base::crc32c("12345")), 0xE3069283U);  // in pieces
}

// Written by TensorFlow itself (tests/gold/make_tensorflow_gold.py).
TEST(TensorflowSource, ReadsWhatTensorflowWrote) {
  const base::TempDir folder;
  for (const char* name : {"tiny.ckpt.index", "tiny.ckpt.data-00000-of-00001"}) {
    std::filesystem::copy_file(tests::source_dir() / "tests/gold/tensorflow" / name, folder.path() / name);
  }
  const TensorflowSource source(folder.path() / "tiny.ckpt.index");
  EXPECT_STREQ(source.format(), "tensorflow");
  EXPECT_EQ(source.find("a/kernel")->shape, (std::vector<int64_t>{3, 4}));
  const std::vector<float> kernel = source.read_f32("a/kernel");
  for (size_t i = 0; i < kernel.size(); ++i) {
    EXPECT_EQ(kernel[i], static_cast<float>(i) / 4 - 1);
  }
  EXPECT_EQ(source.read_f32("a/half"), (std::vector<float>{0.5F, -2.0F}));
  EXPECT_EQ(source.read_f32("a/bfloat16"), (std::vector<float>{1.0F, -3.0F, 0.25F}));
  EXPECT_EQ(source.read_f32("double"), (std::vector<float>{0.125F}));
  EXPECT_EQ(source.find("step")->dtype, DType::kI64);
  EXPECT_EQ(source.find("a/empty")->count(), 0);
  for (int i = 0; i < 200; ++i) {  // names enough for several blocks
    const auto name = "many/layer_" + std::to_string(i) + "/attention/output/dense/kernel";
    EXPECT_EQ(source.read_f32(name), std::vector<float>(2, static_cast<float>(i))) << name;
  }
}

TEST(TensorflowSource, ReadsShardsAndManyBlocks) {
  const auto variables = some_variables();
  for (const size_t shards : {1, 3}) {
    const base::TempDir folder;
    const tests::TensorflowFiles files = tests::tf_checkpoint(variables, shards, 4);
    base::write_file_atomic(folder.path() / "m.ckpt-7.index", files.index);
    for (size_t i = 0; i < shards; ++i) {
      base::write_file_atomic(
          folder.path() / ("m.ckpt-7.data-0000" + std::to_string(i) + "-of-0000" + std::to_string(shards)),
          files.data[i]);
    }
    const TensorflowSource source(folder.path() / "m.ckpt-7.index");
    ASSERT_EQ(source.tensors().size(), variables.size());
    for (const auto& [name, variable] : variables) {
      EXPECT_EQ(source.find(name)->bytes, variable.bytes) << name;
      EXPECT_EQ(source.find(name)->shape, variable.shape) << name;
    }
    EXPECT_EQ(source.read_f32("half"), (std::vector<float>{1, -2}));
    std::filesystem::remove(folder.path() / ("m.ckpt-7.data-00000-of-0000" + std::to_string(shards)));
    EXPECT_NE(error_of([&] { TensorflowSource(folder.path() / "m.ckpt-7.index"); }).find("data-00000"),
              std::string::npos);
  }
}

// Every byte of the index is under a checksum or is found out otherwise; every byte of the data is under a checksum.
TEST(TensorflowSource, DamageIsFound) {
  const tests::TensorflowFiles files = tests::tf_checkpoint(some_variables());
  const std::string& good = files.index;
  const TensorflowIndex index = read_tensorflow_index(good, "test");
  const size_t footer = good.size() - 48;
  for (size_t i = 0; i < footer; ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    const std::string error = error_of([&] { read_tensorflow_index(bad, "test"); });
    // The table of filters is not read: nothing depends on it.
    EXPECT_TRUE(!error.empty() || read_tensorflow_index(bad, "test").entries.size() == index.entries.size()) << i;
  }
  for (size_t i = footer; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    error_of([&] { read_tensorflow_index(bad, "test"); });  // no crash: padding may be anything
  }
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_NE(error_of([&] { read_tensorflow_index(good.substr(0, size), "test"); }, base::Code::kIntegrity), "");
  }
  std::string data = files.data[0];
  const auto& [name, entry] = *index.entries.begin();
  EXPECT_EQ(tensorflow_bytes(entry, name, data, "test").size(), entry.size);
  data[entry.offset] = static_cast<char>(data[entry.offset] ^ 1);
  EXPECT_NE(error_of([&] { tensorflow_bytes(entry, name, data, "test"); }, base::Code::kIntegrity).find("checksum"),
            std::string::npos);
  EXPECT_NE(error_of([&] { tensorflow_bytes(entry, name, "", "test"); }, base::Code::kIntegrity).find("cut short"),
            std::string::npos);
}

// Tables that hold, with content that does not.
TEST(TensorflowSource, ContentThatCannotBeIsRefused) {
  const auto read = [](const std::vector<std::pair<std::string, std::string>>& entries) {
    return error_of([&] { read_tensorflow_index(tests::tf_table(entries, 100), "test"); });
  };
  const std::string header = tests::tf_header(1);
  const TensorflowVariable two{1, {2}, floats({1, 2})};
  EXPECT_EQ(read({{"", header}, {"a", tests::tf_entry(two, 0, 0)}}), "");
  EXPECT_NE(read({{"a", tests::tf_entry(two, 0, 0)}}).find("header"), std::string::npos);
  EXPECT_NE(read({}), "");
  EXPECT_NE(read({{"", header}, {"b", tests::tf_entry(two, 0, 0)}, {"a", tests::tf_entry(two, 0, 0)}}).find("order"),
            std::string::npos);
  EXPECT_NE(read({{"", header}, {"a", tests::tf_entry(two, 0, 0)}, {"a", tests::tf_entry(two, 0, 0)}}).find("twice"),
            std::string::npos);
  EXPECT_NE(read({{"", tests::tf_header(0)}}).find("data files"), std::string::npos);
  EXPECT_NE(read({{"", tests::tf_header(1'000'000)}}).find("data files"), std::string::npos);
  EXPECT_NE(read({{"", header + tests::tf_field(2, 1)}}).find("big-endian"), std::string::npos);
  EXPECT_NE(read({{"", header}, {"a", tests::tf_entry(two, 3, 0)}}).find("data file 3"), std::string::npos);
  EXPECT_NE(read({{"", header}, {"a", tests::tf_entry({1, {3}, two.bytes}, 0, 0)}}).find("fit its shape"),
            std::string::npos);
  EXPECT_NE(read({{"", header}, {"a", tests::tf_entry({1, {-1}, ""}, 0, 0)}}), "");
  EXPECT_NE(read({{"", header}, {"a", tests::tf_entry({1, {1LL << 40, 1LL << 40}, ""}, 0, 0)}}), "");
  EXPECT_NE(read({{"", header}, {"a", tests::tf_entry({1, std::vector<int64_t>(17, 1), "1234"}, 0, 0)}}), "");
  EXPECT_NE(read({{"", header}, {"a", tests::tf_entry(two, 0, 0) + tests::tf_field(7, "x")}}).find("slices"),
            std::string::npos);
  EXPECT_NE(read({{"", header}, {"a", "\xff"}}), "");
  // Texts and what is unknown are passed over, by name.
  const TensorflowIndex index = read_tensorflow_index(
      tests::tf_table({{"", header}, {"a", tests::tf_entry({7, {}, "text"}, 0, 0)}}, 100), "test");
  EXPECT_TRUE(index.entries.empty());
  EXPECT_EQ(index.skipped, std::vector<std::string>{"a"});
}

TEST(TensorflowNames, AreTheTablesAndNothingElse) {
  EXPECT_EQ(hugging_face_name("bert/encoder/layer_11/attention/self/query/kernel")->name,
            "bert.encoder.layer.11.attention.self.query.weight");
  EXPECT_TRUE(hugging_face_name("bert/encoder/layer_11/attention/self/query/kernel")->transposed);
  EXPECT_FALSE(hugging_face_name("bert/embeddings/word_embeddings")->transposed);
  EXPECT_EQ(hugging_face_name("decoder/block_007/layer_002/DenseReluDense/wi_1/kernel")->name,
            "decoder.block.7.layer.2.DenseReluDense.wi_1.weight");
  EXPECT_EQ(hugging_face_name("encoder/block_003/layer_001/rms_norm/scale")->name,
            "encoder.block.3.layer.1.layer_norm.weight");
  EXPECT_EQ(hugging_face_name("decoder/rms_norm/scale")->name, "decoder.final_layer_norm.weight");
  EXPECT_FALSE(hugging_face_name("bert/encoder/layer_11/attention/self/query/kernel/adam_m"));
  EXPECT_FALSE(hugging_face_name("global_step"));
  EXPECT_FALSE(hugging_face_name("bert/encoder/layer_/output/dense/bias"));
}

// A Hugging Face name as the authors' code has it, by their rules and not by the table under test; and whether the
// matrix is turned.
std::pair<std::string, bool> theirs(std::string name, bool t5) {
  const auto replace = [&](const std::string& from, const std::string& to) {
    for (size_t at = name.find(from); at != std::string::npos; at = name.find(from, at + to.size())) {
      name.replace(at, from.size(), to);
    }
  };
  const auto ends = [&](const std::string& ending, const std::string& with) {
    if (name.ends_with(ending)) {
      name.replace(name.size() - ending.size(), ending.size(), with);
      return true;
    }
    return false;
  };
  bool turned = false;
  if (t5) {
    for (int i = 0; i < 3; ++i) {
      replace(".block." + std::to_string(i) + ".", ".block_00" + std::to_string(i) + ".");
      replace(".layer." + std::to_string(i) + ".", ".layer_00" + std::to_string(i) + ".");
    }
    if (!ends("shared.weight", "shared.embedding") && !ends("layer_norm.weight", "layer_norm.scale")) {
      turned = true;
      if (name.find("DenseReluDense") != std::string::npos || name.starts_with("lm_head")) {
        ends(".weight", ".kernel");
      } else {
        ends(".weight", "");
      }
      ends("lm_head.kernel", "decoder.logits.kernel");
    }
  } else {
    for (int i = 0; i < 3; ++i) {
      replace(".layer." + std::to_string(i) + ".", ".layer_" + std::to_string(i) + ".");
    }
    ends("LayerNorm.weight", "LayerNorm.gamma");
    ends("LayerNorm.bias", "LayerNorm.beta");
    ends("cls.predictions.bias", "cls.predictions.output_bias");
    if (!ends("embeddings.weight", "embeddings")) {
      turned = ends(".weight", ".kernel");
    }
  }
  replace(".", "/");
  return {name, turned};
}

// Every tensor of the gold model as a variable, and variables of an optimiser besides.
std::map<std::string, TensorflowVariable> variables_of(const base::Json& shapes, bool t5) {
  std::map<std::string, TensorflowVariable> variables;
  for (const auto& [name, shape] : shapes.items()) {
    const auto sizes = shape.get<std::vector<int64_t>>();
    const std::vector<float> values = tests::tiny_weights(name, sizes);
    const auto [variable, turned] = theirs(name, t5);
    TensorflowVariable out{1, sizes, floats(values)};
    if (turned && sizes.size() == 2) {
      std::vector<float> other(values.size());
      for (int64_t r = 0; r < sizes[0]; ++r) {
        for (int64_t c = 0; c < sizes[1]; ++c) {
          other[static_cast<size_t>(c * sizes[0] + r)] = values[static_cast<size_t>(r * sizes[1] + c)];
        }
      }
      out = {1, {sizes[1], sizes[0]}, floats(other)};
    }
    variables[variable] = out;
    variables[variable + (t5 ? "_slot_vr" : "/adam_m")] = {1, {1}, floats({0.5F})};
  }
  variables["global_step"] = {9, {}, std::string(8, '\1')};
  return variables;
}

void write_checkpoint(const std::filesystem::path& folder, const std::map<std::string, TensorflowVariable>& variables,
                      const std::string& name) {
  const tests::TensorflowFiles files = tests::tf_checkpoint(variables, 2, 16);
  base::write_file_atomic(folder / (name + ".index"), files.index);
  base::write_file_atomic(folder / (name + ".data-00000-of-00002"), files.data[0]);
  base::write_file_atomic(folder / (name + ".data-00001-of-00002"), files.data[1]);
}

void write_npz(const std::filesystem::path& file, const std::map<std::string, TensorflowVariable>& variables) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (const auto& [name, variable] : variables) {
    entries.emplace_back(name + ".npy",
                         tests::npy(variable.dtype == 1 ? "<f4" : "<i8", variable.shape, variable.bytes));
  }
  base::write_file_atomic(file, tests::zip(entries));
}

TEST(TensorflowNames, BertIsItsSafetensors) {
  const base::TempDir folder;
  const base::Json model = tests::tiny_encoder_gold("bert").at("heads").at("mlm");
  tests::write_tiny_decoder(folder.path() / "safetensors", model);
  const auto variables = variables_of(model.at("tensors"), false);
  for (const char* kind : {"checkpoint", "npz"}) {
    base::make_dirs(folder.path() / kind);
    // What google-research/bert publishes is a bert_config.json, which does not say that it is BERT's.
    base::Json config = model.at("config");
    config.erase("model_type");
    config.erase("architectures");
    base::write_file_atomic(folder.path() / kind / "bert_config.json", config.dump());
  }
  write_checkpoint(folder.path() / "checkpoint", variables, "bert_model.ckpt");
  write_npz(folder.path() / "npz/model.npz", variables);
  const FolderNeeds needs{.weights = true, .tokenizer = false};
  const OpenedWeights expected = open_float_weights(open_model_folder(folder.path() / "safetensors", needs));
  for (const char* kind : {"checkpoint", "npz"}) {
    const OpenedWeights opened = open_float_weights(open_model_folder(folder.path() / kind, needs));
    EXPECT_EQ(opened.spec.head, Head::kMaskedLm);
    EXPECT_EQ(opened.file->tensors().size(), model.at("tensors").size());
    for (const TensorInfo& tensor : encoder_tensors(expected.spec, false)) {
      EXPECT_EQ(opened.file->read_f32(opened.naming.in_file(tensor.name)),
                expected.file->read_f32(expected.naming.in_file(tensor.name)))
          << kind << " " << tensor.name;
    }
  }
}

TEST(TensorflowNames, T5IsItsSafetensors) {
  for (const std::string name : {"t5", "mt5"}) {
    const base::TempDir folder;
    const base::Json gold = tests::tiny_seq2seq_gold(name);
    tests::write_tiny_decoder(folder.path() / "safetensors", gold);
    const auto variables = variables_of(gold.at("tensors"), true);
    for (const char* kind : {"checkpoint", "npz"}) {
      base::make_dirs(folder.path() / kind);
      base::write_file_atomic(folder.path() / kind / "config.json", gold.at("config").dump());
    }
    write_checkpoint(folder.path() / "checkpoint", {{"w", {1, {1}, floats({0})}}}, "model.ckpt-9");
    write_checkpoint(folder.path() / "checkpoint", variables, "model.ckpt-1000");  // the later one is taken
    write_npz(folder.path() / "npz/model.npz", variables);
    const OpenedSeq2Seq expected = open_seq2seq(folder.path() / "safetensors");
    for (const char* kind : {"checkpoint", "npz"}) {
      const OpenedSeq2Seq opened = open_seq2seq(folder.path() / kind);
      for (const auto& [tensor, view] : expected.weights->source().tensors()) {
        EXPECT_EQ(opened.weights->source().read_f32(tensor), expected.weights->source().read_f32(tensor))
            << name << " " << kind << " " << tensor;
      }
    }
  }
}

TEST(Npz, OtherNamesStayAsTheyAre) {
  const base::TempDir folder;
  write_npz(folder.path() / "x.npz", {{"lm_head.weight", {1, {1, 2}, floats({1, 2})}}});
  EXPECT_EQ(open_weights(folder.path() / "x.npz")->read_f32("lm_head.weight"), (std::vector<float>{1, 2}));
}

// By numpy.savez (tests/gold/make_tensorflow_gold.py).
TEST(Npz, ReadsWhatNumpyWrote) {
  const NpzSource source(tests::source_dir() / "tests/gold/tensorflow/tiny.npz");
  EXPECT_STREQ(source.format(), "npz");
  EXPECT_EQ(source.find("a/kernel")->shape, (std::vector<int64_t>{3, 4}));
  EXPECT_EQ(source.read_f32("a/kernel")[5], 5.0F / 4 - 1);
  EXPECT_EQ(source.read_f32("a/half"), (std::vector<float>{0.5F, -2.0F}));
  EXPECT_EQ(source.read_f32("double"), (std::vector<float>{0.125F}));
  EXPECT_EQ(source.find("step")->dtype, DType::kI64);
  EXPECT_TRUE(source.find("step")->shape.empty());
  EXPECT_EQ(source.find("a/empty")->count(), 0);
}

TEST(Npz, BadArraysAreRefused) {
  const auto read = [](const std::string& bytes) {
    return error_of([&] { read_npz(tests::zip({{"a.npy", bytes}}), "test"); });
  };
  const std::string two = floats({1, 2});
  const std::string good = tests::npy("<f4", {2}, two);
  EXPECT_EQ(read(good), "");
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_NE(read(good.substr(0, size)), "") << size;
  }
  for (size_t i = 0; i < good.size() - two.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x14);
    read(bad);  // an error or not, but no crash
  }
  EXPECT_NE(read(tests::npy(">f4", {2}, two)).find("little-endian"), std::string::npos);
  EXPECT_NE(read(tests::npy("|O", {2}, two)).find("'|O'"), std::string::npos);
  EXPECT_NE(read(tests::npy("<f4", {2, 1}, two, true)).find("columns first"), std::string::npos);
  EXPECT_EQ(read(tests::npy("<f4", {2}, two, true)), "");
  EXPECT_NE(read(tests::npy("<f4", {3}, two)).find("fit its shape"), std::string::npos);
  EXPECT_NE(read(tests::npy("<f4", {1LL << 40, 1LL << 40}, two)), "");
  EXPECT_NE(read(tests::npy("<f4", std::vector<int64_t>(17, 1), "1234")), "");
  EXPECT_NE(error_of([&] { read_npz(tests::zip({{"a.txt", good}}), "test"); }).find("a.txt"), std::string::npos);
  EXPECT_NE(error_of([&] { read_npz("PK", "test"); }, base::Code::kIntegrity), "");
}

}  // namespace
}  // namespace slipway::model
