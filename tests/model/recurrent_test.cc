#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "model/encoder_names.h"
#include "model/folder.h"
#include "model/recurrent_files.h"
#include "model/safetensors.h"
#include "support/tiny_decoder.h"

namespace slipway::model {
namespace {

using base::Json;

Json config(const Json& changes = Json::object()) {
  Json json = {{"model_type", "lstm"}, {"vocab_size", 50}, {"embedding_dim", 8}, {"hidden_size", 6}};
  json.update(changes);
  return json;
}

std::string refusal(const Json& changes) {
  try {
    recurrent_spec_from_config(config(changes), "config.json");
  } catch (const base::Error& error) {
    return error.what();
  }
  return "";
}

TEST(RecurrentSpec, LabelsMakeAClassifierAndNothingALanguageModel) {
  const RecurrentSpec lm = recurrent_spec_from_config(config(), "config.json");
  EXPECT_EQ(lm.head, RecurrentHead::kLanguageModel);
  EXPECT_EQ(lm.num_layers, 1);
  EXPECT_EQ(lm.state_values(), 12);
  EXPECT_TRUE(is_recurrent_lm_config(config()));
  const Json labelled = config({{"model_type", "gru"}, {"num_labels", 3}, {"bidirectional", true}, {"num_layers", 2}});
  const RecurrentSpec classifier = recurrent_spec_from_config(labelled, "config.json");
  EXPECT_EQ(classifier.head, RecurrentHead::kClassifier);
  EXPECT_EQ(classifier.labels, (std::vector<std::string>{"LABEL_0", "LABEL_1", "LABEL_2"}));
  EXPECT_EQ(classifier.features(), 12);
  EXPECT_FALSE(is_recurrent_lm_config(labelled));
  const Json named = config({{"architectures", {"LstmModel"}}, {"num_labels", 3}});
  EXPECT_EQ(recurrent_spec_from_config(named, "config.json").head, RecurrentHead::kNone);
}

TEST(RecurrentSpec, TensorsAreTorchs) {
  const Json json = config({{"num_labels", 2}, {"bidirectional", true}, {"num_layers", 2}, {"bias", false}});
  std::map<std::string, std::vector<int64_t>> shapes;
  for (const RecurrentTensor& tensor : recurrent_tensors(recurrent_spec_from_config(json, "config.json"))) {
    shapes[tensor.name] = tensor.shape;
  }
  const std::map<std::string, std::vector<int64_t>> expected = {{"embedding.weight", {50, 8}},
                                                                {"rnn.weight_ih_l0", {24, 8}},
                                                                {"rnn.weight_hh_l0", {24, 6}},
                                                                {"rnn.weight_ih_l0_reverse", {24, 8}},
                                                                {"rnn.weight_hh_l0_reverse", {24, 6}},
                                                                {"rnn.weight_ih_l1", {24, 12}},
                                                                {"rnn.weight_hh_l1", {24, 6}},
                                                                {"rnn.weight_ih_l1_reverse", {24, 12}},
                                                                {"rnn.weight_hh_l1_reverse", {24, 6}},
                                                                {"classifier.weight", {2, 12}},
                                                                {"classifier.bias", {2}}};
  EXPECT_EQ(shapes, expected);
  EXPECT_EQ(spec_from_config(json, "config.json").parameter_count(),
            recurrent_spec_from_config(json, "config.json").parameter_count());
}

TEST(RecurrentSpec, RefusalsNameTheKey) {
  EXPECT_NE(refusal({{"hidden_size", 0}}).find("'hidden_size'"), std::string::npos);
  EXPECT_NE(refusal({{"hidden_size", 6.5}}).find("'hidden_size'"), std::string::npos);
  EXPECT_NE(refusal({{"num_layers", 100000}}).find("'num_layers'"), std::string::npos);
  EXPECT_NE(refusal({{"proj_size", 3}}).find("'proj_size'"), std::string::npos);
  EXPECT_NE(refusal({{"input_size", 9}}).find("'input_size'"), std::string::npos);
  EXPECT_NE(refusal({{"pooling", "attention"}}).find("'pooling'"), std::string::npos);
  EXPECT_NE(refusal({{"bidirectional", true}}).find("'bidirectional'"), std::string::npos);
  EXPECT_NE(refusal({{"tie_word_embeddings", true}}).find("'embedding_dim' is 8"), std::string::npos);
  EXPECT_NE(refusal({{"eos_token_id", 50}}).find("'eos_token_id'"), std::string::npos);
  EXPECT_NE(refusal({{"num_labels", 2}, {"id2label", {{"0", "only"}}}}).find("'num_labels'"), std::string::npos);
  EXPECT_EQ(refusal(Json::object()), "");
}

TEST(RecurrentSpec, ALanguageModelIsNoEncoder) {
  try {
    spec_from_config(config(), "config.json");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_NE(std::string(error.what()).find("language model"), std::string::npos);
  }
}

// The tensors of a spec with shapes changed or left out.
void write_model(const std::filesystem::path& folder, const Json& json, const std::string& spoiled = "",
                 const std::vector<int64_t>& shape = {}) {
  Json shapes = Json::object();
  for (const RecurrentTensor& tensor : recurrent_tensors(recurrent_spec_from_config(json, "config.json"))) {
    if (tensor.name != spoiled) {
      shapes[tensor.name] = tensor.shape;
    } else if (!shape.empty()) {
      shapes[tensor.name] = shape;
    }
  }
  tests::write_tiny_decoder(folder, {{"config", json}, {"tensors", shapes}});
}

TEST(RecurrentFiles, TensorsMissingOrOfOtherShapesAreNamed) {
  const base::TempDir folder;
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{}, std::vector<int64_t>{24, 5}}) {
    write_model(folder.path(), config(), "rnn.weight_hh_l0", shape);
    try {
      open_recurrent_lm(folder.path());
      FAIL();
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kIntegrity);
      EXPECT_NE(std::string(error.what()).find("rnn.weight_hh_l0"), std::string::npos);
    }
  }
}

TEST(RecurrentFiles, BiasesOfTheHeadMayBeAbsentAndTiedHeadsAreTheEmbeddings) {
  const base::TempDir folder;
  write_model(folder.path(), config({{"hidden_size", 8}, {"tie_word_embeddings", true}}), "lm_head.bias");
  const OpenedRecurrent opened = open_recurrent_lm(folder.path());
  EXPECT_FALSE(opened.weights->has("lm_head.bias"));
  EXPECT_EQ(opened.weights->read_f32("lm_head.weight"), opened.weights->read_f32("embedding.weight"));
  EXPECT_EQ(opened.weights->load("rnn.ih_l0.weight").view.name, "rnn.weight_ih_l0");
  EXPECT_EQ(opened.weights->load("rnn.hh_l0.bias").view.name, "rnn.bias_hh_l0");
  EXPECT_THROW(opened.weights->load("rnn.ih_l1.weight"), base::Error);
}

TEST(RecurrentFiles, AClassifierIsNoLanguageModel) {
  const base::TempDir folder;
  write_model(folder.path(), config({{"num_labels", 2}}));
  EXPECT_FALSE(is_recurrent_lm_path(folder.path()));
  EXPECT_THROW(open_recurrent_lm(folder.path()), base::Error);
  EXPECT_EQ(open_model_folder(folder.path(), {.tokenizer = false}).pooling, Pooling::kLast);
}

}  // namespace
}  // namespace slipway::model
