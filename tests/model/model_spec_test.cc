#include "model/model_spec.h"

#include "base/error.h"
#include "model/predictor.h"
#include "support/support.h"

namespace slipway::model {
namespace {

using base::Error;
using base::Json;

Json config() {
  return Json::parse(R"({"architectures": ["BertModel"], "model_type": "bert", "vocab_size": 30522, "hidden_size": 384,
    "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536, "max_position_embeddings": 512,
    "hidden_act": "gelu", "layer_norm_eps": 1e-12, "pad_token_id": 0, "_name_or_path": "x", "gradient_checkpointing": false})");
}

std::string error_of(const Json& json) {
  try {
    spec_from_config(json, "config.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ModelSpec, ReadsAnEncoder) {
  const ModelSpec spec = spec_from_config(config(), "config.json");
  EXPECT_EQ(spec.hidden_size, 384);
  EXPECT_EQ(spec.head_dim(), 32);
  EXPECT_FALSE(spec.has_classifier());
  EXPECT_TRUE(spec.labels.empty());
  // 22,713,216 parameters with the pooler (the model's card); 384 * 385 fewer without.
  EXPECT_EQ(spec.parameter_count(), 22'713'216 - (384 * 385));
}

TEST(ModelSpec, ReadsAClassifierAndItsLabels) {
  Json json = config();
  json["architectures"] = {"BertForSequenceClassification"};
  json["id2label"] = {{"0", "no"}, {"1", "yes"}, {"2", "perhaps"}};
  json["label2id"] = {{"yes", 1}, {"no", 0}, {"perhaps", 2}};
  const ModelSpec spec = spec_from_config(json, "config.json");
  EXPECT_TRUE(spec.has_classifier());
  EXPECT_EQ(spec.labels, (std::vector<std::string>{"no", "yes", "perhaps"}));
}

TEST(ModelSpec, ASilentClassifierHasTwoNumberedLabels) {
  Json json = config();
  json["architectures"] = {"BertForSequenceClassification"};
  EXPECT_EQ(spec_from_config(json, "c").labels, (std::vector<std::string>{"LABEL_0", "LABEL_1"}));
  json["num_labels"] = 3;
  EXPECT_EQ(spec_from_config(json, "c").labels.size(), 3U);
}

TEST(ModelSpec, WritesWhatItReads) {
  ModelSpec spec = spec_from_config(config(), "c");
  spec.head = Head::kSequenceClassification;
  spec.labels = {"负面", "正面"};
  spec.dropout = 0.25F;
  spec.classifier_dropout = 0.1F;
  const Json json = config_from_spec(spec);
  const ModelSpec again = spec_from_config(base::parse_json(base::dump_json(json), "c"), "c");
  EXPECT_EQ(config_from_spec(again), json);
  EXPECT_EQ(again.labels, spec.labels);
  EXPECT_EQ(json["hidden_dropout_prob"].dump(), "0.25");
  EXPECT_EQ(json["attention_probs_dropout_prob"].dump(), "0.1");
  EXPECT_EQ(json["layer_norm_eps"].dump(), "1e-12");
}

TEST(ModelSpec, SaysWhatIsWrong) {
  const std::vector<std::tuple<std::string, Json, std::string>> cases = {
      {"hidden_size", 385, "not a multiple"},
      {"hidden_size", 384.5, "whole number"},
      {"hidden_size", "384", "whole number"},
      {"hidden_size", 100000, "between 1 and 65536"},
      {"hidden_size", uint64_t{1} << 63, "out of bounds"},
      {"vocab_size", 0, "between 1"},
      {"num_hidden_layers", -1, "between 1"},
      {"num_hidden_layers", 2000, "between 1 and 1000"},
      {"num_attention_heads", 0, "between 1"},
      {"pad_token_id", 40000, "pad_token_id"},
      {"layer_norm_eps", 0, "layer_norm_eps"},
      {"layer_norm_eps", "tiny", "layer_norm_eps"},
      {"hidden_act", "swish", "supported: gelu"},
      {"model_type", "llama", "supported: bert"},
      {"position_embedding_type", "relative_key", "absolute"},
      {"is_decoder", true, "decoder"},
      {"problem_type", "regression", "single_label"},
      {"architectures", "BertModel", "list"},
  };
  for (const auto& [key, value, expected] : cases) {
    Json json = config();
    json[key] = value;
    EXPECT_NE(error_of(json).find(expected), std::string::npos) << key << ": " << error_of(json);
  }
  Json json = config();
  json.erase("num_hidden_layers");
  EXPECT_NE(error_of(json).find("'num_hidden_layers' is missing"), std::string::npos);
  EXPECT_NE(error_of(Json::array()).find("object"), std::string::npos);
}

TEST(ModelSpec, LabelsMustAgree) {
  Json json = config();
  json["architectures"] = {"BertForSequenceClassification"};
  json["id2label"] = {{"0", "no"}, {"2", "yes"}};
  EXPECT_NE(error_of(json).find("none numbered 1"), std::string::npos);
  json["id2label"] = {{"0", "no"}, {"1", "no"}};
  EXPECT_NE(error_of(json).find("two labels"), std::string::npos);
  json["id2label"] = {{"0", "no"}, {"1", "yes"}};
  json["label2id"] = {{"no", 1}, {"yes", 0}};
  EXPECT_NE(error_of(json).find("label2id"), std::string::npos);
  json["label2id"] = {{"no", 0}, {"yes", 1}};
  json["num_labels"] = 3;
  EXPECT_NE(error_of(json).find("num_labels"), std::string::npos);
}

TEST(Predictor, SoftmaxIsStableAndArgmaxTakesTheFirst) {
  Matrix matrix{2, 2, {1000.0F, 1001.0F, -5.0F, -5.0F}};
  softmax_rows(matrix);
  EXPECT_NEAR(matrix.values[1], 0.7310586, 1e-6);
  EXPECT_FLOAT_EQ(matrix.values[2], 0.5F);
  EXPECT_EQ(argmax(matrix.row(0)), 1);
  EXPECT_EQ(argmax(matrix.row(1)), 0);
  EXPECT_EQ(argmax({}), -1);
}

TEST(Predictor, ASingleLabelSaysYesOrNo) {
  Matrix one{3, 1, {0.0F, 1.0F, -200.0F}};
  class_probabilities(one);
  EXPECT_FLOAT_EQ(one.values[0], 0.5F);
  EXPECT_NEAR(one.values[1], 0.7310586, 1e-6);
  EXPECT_NEAR(one.values[2], 0, 1e-6);
  Matrix two{1, 2, {1000.0F, 1001.0F}};
  class_probabilities(two);
  EXPECT_NEAR(two.values[1], 0.7310586, 1e-6);
}

}  // namespace
}  // namespace slipway::model
