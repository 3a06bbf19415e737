#include "train/bert_parameters.h"

#include "base/error.h"
#include "support/support.h"
#include "support/tiny_bert.h"

namespace slipway::train {
namespace {

namespace fs = std::filesystem;

std::span<const float> value(const BertParameters& parameters, const std::string& name) {
  const int i = parameters.set.find(name);
  EXPECT_GE(i, 0) << name;
  return parameters.set[i].value;
}

TEST(BertParameters, AreReadFromAFolderAndWrittenAsOne) {
  base::TempDir folder;
  const model::ModelSpec spec = tests::write_tiny_bert(folder.path() / "base");
  BertParameters parameters = make_bert_parameters(spec, 0);
  const model::ModelFolder base = model::open_model_folder(folder.path() / "base");
  EXPECT_TRUE(load_weights(parameters, base, 1).empty());
  write_model_folder(parameters, folder.path() / "base", folder.path() / "out");
  const model::ModelFolder out = model::open_model_folder(folder.path() / "out");
  EXPECT_EQ(out.spec.labels, spec.labels);
  const model::OpenedWeights before = model::open_float_weights(base);
  const model::OpenedWeights after = model::open_float_weights(out);
  EXPECT_EQ(before.file->tensors().size(), after.file->tensors().size());
  for (const auto& [name, view] : before.file->tensors()) {
    const model::TensorView* same = after.file->find(name);
    ASSERT_NE(same, nullptr) << name;
    EXPECT_EQ(same->bytes, view.bytes) << name;
  }
  EXPECT_EQ(base::read_file(folder.path() / "base" / "tokenizer.json"),
            base::read_file(folder.path() / "out" / "tokenizer.json"));
}

TEST(BertParameters, DrawTheHeadThatAnEncoderDoesNotHave) {
  base::TempDir folder;
  tests::TinyBert tiny;
  tiny.labels = {};
  tiny.pooler = false;
  model::ModelSpec spec = tests::write_tiny_bert(folder.path(), tiny);
  spec.labels = {"a", "b", "c"};
  BertParameters parameters = make_bert_parameters(spec, 0);
  const std::vector<std::string> drawn = load_weights(parameters, model::open_model_folder(folder.path()), 7);
  EXPECT_EQ(drawn, (std::vector<std::string>{"bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight",
                                             "classifier.bias"}));
  EXPECT_NE(value(parameters, "classifier.weight")[0], 0.0F);
  EXPECT_EQ(value(parameters, "classifier.bias")[0], 0.0F);
  BertParameters again = make_bert_parameters(spec, 0);
  load_weights(again, model::open_model_folder(folder.path()), 7);
  EXPECT_TRUE(std::equal(value(again, "classifier.weight").begin(), value(again, "classifier.weight").end(),
                         value(parameters, "classifier.weight").begin()));
}

TEST(BertParameters, DrawAnewWhenTheNumberOfLabelsDiffers) {
  base::TempDir folder;
  model::ModelSpec spec = tests::write_tiny_bert(folder.path());
  spec.labels = {"a", "b", "c"};
  BertParameters parameters = make_bert_parameters(spec, 0);
  const auto drawn = load_weights(parameters, model::open_model_folder(folder.path()), 7);
  EXPECT_EQ(drawn, (std::vector<std::string>{"classifier.weight", "classifier.bias"}));
}

TEST(BertParameters, LayQueryKeyAndValueBehindEachOther) {
  const BertParameters parameters = make_bert_parameters(tests::tiny_spec({}), 0);
  const BertLayerIndex& layer = parameters.index.layers[1];
  const float* query = parameters.set[layer.qkv_weight].value.data();
  EXPECT_EQ(parameters.set[layer.qkv_weight + 1].value.data(), query + 32 * 32);
  EXPECT_EQ(parameters.set[layer.qkv_weight + 2].value.data(), query + 2 * 32 * 32);
  EXPECT_EQ(parameters.set[layer.qkv_bias + 2].value.data(), parameters.set[layer.qkv_bias].value.data() + 64);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(query) % 64, 0U);
}

TEST(BertParameters, DecayMatricesButNeitherBiasesNorNorms) {
  const BertParameters parameters = make_bert_parameters(tests::tiny_spec({}), 0);
  for (int i = 0; i < parameters.set.size(); ++i) {
    const std::string& name = parameters.set[i].name;
    const bool expected = !name.ends_with("bias") && name.find("LayerNorm") == std::string::npos;
    EXPECT_EQ(parameters.set[i].decay, expected) << name;
  }
}

TEST(BertParameters, FreezeTheEmbeddingsAndTheFirstLayers) {
  const BertParameters parameters = make_bert_parameters(tests::tiny_spec({}), 1);
  EXPECT_FALSE(parameters.set[parameters.index.word].trainable);
  EXPECT_FALSE(parameters.set[parameters.index.layers[0].output_weight].trainable);
  EXPECT_TRUE(parameters.set[parameters.index.layers[1].qkv_weight].trainable);
  EXPECT_LT(parameters.set.trainable_count(), parameters.set.total_count());
  EXPECT_THROW(make_bert_parameters(tests::tiny_spec({}), 3), base::Error);
}

TEST(BertParameters, FromScratchDependOnTheSeedAlone) {
  const model::ModelSpec spec = tests::tiny_spec({});
  BertParameters a = make_bert_parameters(spec, 0);
  BertParameters b = make_bert_parameters(spec, 0);
  BertParameters c = make_bert_parameters(spec, 0);
  draw_weights(a, 1);
  draw_weights(b, 1);
  draw_weights(c, 2);
  const std::string name = "bert.encoder.layer.0.output.dense.weight";
  EXPECT_TRUE(std::equal(value(a, name).begin(), value(a, name).end(), value(b, name).begin()));
  EXPECT_FALSE(std::equal(value(a, name).begin(), value(a, name).end(), value(c, name).begin()));
  EXPECT_EQ(value(a, "bert.embeddings.LayerNorm.weight")[3], 1.0F);
  EXPECT_EQ(value(a, "bert.embeddings.word_embeddings.weight")[0], 0.0F);  // the padding token's row
}

TEST(BertParameters, ReplaceAnOlderModelInOneStep) {
  base::TempDir folder;
  const model::ModelSpec spec = tests::write_tiny_bert(folder.path() / "base");
  BertParameters parameters = make_bert_parameters(spec, 0);
  base::make_dirs(folder.path() / "out");
  base::write_file_atomic(folder.path() / "out" / "old.txt", "old");
  write_model_folder(parameters, folder.path() / "base", folder.path() / "out");
  EXPECT_FALSE(fs::exists(folder.path() / "out" / "old.txt"));
  EXPECT_TRUE(fs::exists(folder.path() / "out" / "model.safetensors"));
  EXPECT_FALSE(fs::exists(folder.path() / "out.partial"));
}

TEST(BertParameters, KeepTheirValuesInAFile) {
  base::TempDir folder;
  BertParameters a = make_bert_parameters(tests::tiny_spec({}), 0);
  draw_weights(a, 1);
  write_weights(a, folder.path() / "w.safetensors");
  BertParameters b = make_bert_parameters(tests::tiny_spec({}), 0);
  read_weights(b, folder.path() / "w.safetensors");
  for (int i = 0; i < a.set.size(); ++i) {
    EXPECT_TRUE(std::equal(a.set[i].value.begin(), a.set[i].value.end(), b.set[i].value.begin())) << a.set[i].name;
  }
}

}  // namespace
}  // namespace slipway::train
