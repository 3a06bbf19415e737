#include "model/folder.h"

#include <fstream>

#include "base/error.h"
#include "support/support.h"
#include "support/tiny_bert.h"

namespace slipway::model {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

template <class Body>
std::pair<Code, std::string> failure(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {Code::kFailure, "no error"};
}

class FolderTest : public ::testing::Test {
 protected:
  fs::path path() const { return dir_.path() / "model"; }
  base::TempDir dir_;
};

TEST_F(FolderTest, OpensWhatIsThere) {
  tests::write_tiny_bert(path());
  const ModelFolder folder = open_model_folder(path());
  EXPECT_EQ(folder.spec.labels.size(), 2U);
  EXPECT_TRUE(folder.weights && folder.tokenizer);
  EXPECT_FALSE(folder.int8);
  const OpenedWeights weights = open_float_weights(folder);
  EXPECT_EQ(weights.naming.prefix, "bert.");
  EXPECT_TRUE(weights.naming.has_pooler && weights.naming.has_head);
  EXPECT_EQ(weights.file->map_f32(weights.naming.in_file(kEmbeddingsNormBias)).size(), 32U);
}

TEST_F(FolderTest, OpensAnEncoderWithoutPooler) {
  tests::write_tiny_bert(path(), {.labels = {}, .pooler = false});
  const OpenedWeights weights = open_float_weights(open_model_folder(path()));
  EXPECT_EQ(weights.naming.prefix, "");
  EXPECT_FALSE(weights.naming.has_pooler);
}

TEST_F(FolderTest, OldNormNamesAreRead) {
  tests::write_tiny_bert(path(), {.labels = {}});
  const SafetensorsFile file(path() / kWeightsFile);
  std::vector<TensorData> renamed;
  for (const auto& [name, tensor] : file.tensors()) {
    std::string old = name;
    if (const size_t at = old.find("LayerNorm.weight"); at != std::string::npos) {
      old.replace(at, std::string::npos, "LayerNorm.gamma");
    } else if (const size_t bias = old.find("LayerNorm.bias"); bias != std::string::npos) {
      old.replace(bias, std::string::npos, "LayerNorm.beta");
    }
    renamed.push_back({old, tensor.dtype, tensor.shape, tensor.bytes});
  }
  write_safetensors(dir_.path() / "old", renamed, {});
  const SafetensorsFile old(dir_.path() / "old");
  const EncoderNaming naming = check_encoder_file(old, open_model_folder(path()).spec, false);
  EXPECT_TRUE(naming.gamma_beta);
  EXPECT_NE(old.find(naming.in_file(encoder_layer_names(1).output_norm_weight)), nullptr);
}

TEST_F(FolderTest, EachMissingPartIsNamed) {
  auto [code, text] = failure([&] { open_model_folder(path()); });
  EXPECT_EQ(code, Code::kNotFound);
  base::make_dirs(path());
  EXPECT_NE(failure([&] { open_model_folder(path()); }).second.find("no config.json"), std::string::npos);
  tests::write_tiny_bert(path());
  fs::remove(path() / kTokenizerFile);
  EXPECT_NE(failure([&] { open_model_folder(path()); }).second.find("neither tokenizer.json nor"), std::string::npos);
  EXPECT_NO_THROW(open_model_folder(path(), {.tokenizer = false}));
  base::write_file_atomic(path() / kVocabularyFile, "[PAD]\n");
  EXPECT_EQ(open_model_folder(path()).tokenizer->filename(), kVocabularyFile);
  fs::remove(path() / kWeightsFile);
  EXPECT_NO_THROW(open_model_folder(path(), {.weights = false}));
  EXPECT_NE(failure([&] { open_model_folder(path()); }).second.find("no weights: none of model.safetensors"),
            std::string::npos);
  base::write_file_atomic(path() / "pytorch_model.bin", "x");
  const auto opening = [&] { return failure([&] { open_float_weights(open_model_folder(path())); }); };
  EXPECT_NE(opening().second.find("pytorch_model.bin"), std::string::npos) << opening().second;
  base::write_file_atomic(path() / "model.safetensors.index.json", "{}");
  EXPECT_NE(opening().second.find("model.safetensors.index.json"), std::string::npos) << opening().second;
  base::write_file_atomic(path() / kConfigFile, "");
  EXPECT_EQ(failure([&] { open_model_folder(path()); }).first, Code::kIntegrity);
  EXPECT_NE(failure([&] { open_model_folder(path() / kConfigFile); }).second.find("not a folder"), std::string::npos);
}

TEST_F(FolderTest, TruncatedAndMismatchedWeightsAreRefused) {
  tests::write_tiny_bert(path());
  fs::resize_file(path() / kWeightsFile, fs::file_size(path() / kWeightsFile) - 4);
  auto [code, text] = failure([&] { open_float_weights(open_model_folder(path())); });
  EXPECT_EQ(code, Code::kIntegrity);
  EXPECT_NE(text.find("cut short"), std::string::npos) << text;

  tests::write_tiny_bert(path());
  ModelFolder folder = open_model_folder(path());
  folder.spec.num_layers = 3;
  text = failure([&] { open_float_weights(folder); }).second;
  EXPECT_NE(text.find("bert.encoder.layer.2.attention.self.query.weight"), std::string::npos) << text;
  folder.spec.num_layers = 2;
  folder.spec.intermediate_size = 65;
  text = failure([&] { open_float_weights(folder); }).second;
  EXPECT_NE(text.find("[64, 32], config.json asks for [65, 32]"), std::string::npos) << text;
  folder.spec.intermediate_size = 64;
  folder.spec.labels.push_back("third");
  EXPECT_NE(failure([&] { open_float_weights(folder); }).second.find("classifier.weight"), std::string::npos);
  // A new head may differ: training reads the encoder only.
  EXPECT_NO_THROW(check_encoder_file(SafetensorsFile(*folder.weights), folder.spec, false));
  EXPECT_EQ(failure([&] { open_int8_weights(folder); }).first, Code::kNotFound);
  fs::copy_file(path() / kWeightsFile, path() / kInt8WeightsFile);
  EXPECT_NE(failure([&] { open_int8_weights(open_model_folder(path())); }).second.find("not in the int8 layout"),
            std::string::npos);
}

TEST_F(FolderTest, ReadsTheRealEncoder) {
  const auto minilm = tests::cached("minilm");
  if (!minilm) {
    GTEST_SKIP() << "skipped: no all-MiniLM-L6-v2 in the cache";
  }
  const ModelFolder folder = open_model_folder(*minilm);
  const OpenedWeights weights = open_float_weights(folder);
  EXPECT_TRUE(weights.naming.has_pooler);
  EXPECT_EQ(folder.spec.hidden_size, 384);
}

TEST_F(FolderTest, CopiesTheTokenizer) {
  tests::write_tiny_bert(path());
  base::make_dirs(dir_.path() / "to");
  copy_tokenizer_files(path(), dir_.path() / "to");
  EXPECT_EQ(base::read_file(dir_.path() / "to" / kTokenizerFile), tests::tiny_tokenizer_json());
}

}  // namespace
}  // namespace slipway::model
