// What config.json says of each encoder family, and what is refused.
#include <gtest/gtest.h>

#include "base/error.h"
#include "model/encoder_names.h"
#include "model/folder.h"
#include "support/support.h"
#include "support/tiny_encoder.h"

namespace slipway::model {
namespace {

using base::Json;

Json config_of(const std::string& family, const std::string& head) {
  const Json gold = tests::tiny_encoder_gold(family);
  return gold.at("heads").at(head).at("config");
}

std::string error_of(const std::string& family, const Json& changes) {
  Json config = config_of(family, "sequence");
  for (const auto& [key, value] : changes.items()) {
    config[key] = value;
  }
  try {
    spec_from_config(config, "config.json");
  } catch (const base::Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(EncoderConfig, TheHeadIsWhatArchitecturesNames) {
  const std::pair<const char*, Head> heads[] = {{"none", Head::kNone},
                                                {"sequence", Head::kSequenceClassification},
                                                {"token", Head::kTokenClassification},
                                                {"qa", Head::kQuestionAnswering},
                                                {"mlm", Head::kMaskedLm}};
  for (const std::string& family : tests::tiny_encoder_names()) {
    for (const auto& [name, head] : heads) {
      const ModelSpec spec = spec_from_config(config_of(family, name), family);
      EXPECT_EQ(spec.head, head) << family << " " << name;
      EXPECT_EQ(spec.outputs() > 0, head != Head::kNone) << family << " " << name;
      EXPECT_EQ(spec.max_tokens(), 160) << family;
    }
  }
  EXPECT_STREQ(architecture_name(spec_from_config(config_of("xlm_roberta", "none"), "").architecture), "XLM-RoBERTa");
  EXPECT_STREQ(head_name(Head::kMaskedLm), "fill-mask");
}

TEST(EncoderConfig, WindowsAndThetasAreReadInBothSpellings) {
  Json config = config_of("modernbert", "none");
  const ModelSpec today = spec_from_config(config, "today");
  config.erase("rope_parameters");
  config.erase("layer_types");
  config["global_attn_every_n_layers"] = 3;
  config["global_rope_theta"] = 160000.0;
  config["local_rope_theta"] = 10000.0;
  const ModelSpec before = spec_from_config(config, "before");
  EXPECT_EQ(before.layer_window, today.layer_window);
  EXPECT_EQ(before.layer_window, (std::vector<int>{0, 8, 8, 0}));
  EXPECT_EQ(before.rope_theta_global, today.rope_theta_global);
  EXPECT_EQ(before.rope_theta_local, today.rope_theta_local);
}

TEST(EncoderConfig, WhatIsNotSupportedIsRefusedByName) {
  const std::tuple<std::string, Json, std::string> cases[] = {
      {"deberta_v2", {{"conv_kernel_size", 4}}, "conv_kernel_size"},
      {"deberta_v2", {{"conv_kernel_size", 3}, {"conv_groups", 2}}, "conv_groups"},
      {"deberta_v2", {{"conv_kernel_size", 3}, {"conv_act", "swish"}}, "conv_act"},
      {"deberta_v2", {{"share_att_key", false}}, "share_att_key"},
      {"deberta_v2", {{"pos_att_type", {"p2p"}}}, "p2p"},
      {"deberta_v2", {{"embedding_size", 16}}, "embedding_size"},
      {"deberta_v2", {{"position_buckets", 200}}, "position_buckets"},
      {"modernbert", {{"classifier_pooling", "max"}}, "classifier_pooling"},
      {"modernbert", {{"layer_types", {"full_attention"}}}, "layer_types"},
      {"modernbert", {{"rope_parameters", {{"full_attention", {{"rope_type", "yarn"}}}}}}, "rope_type"},
      {"mpnet", {{"relative_attention_num_buckets", 64}}, "relative_attention_num_buckets"},
      {"roberta", {{"max_position_embeddings", 3}}, "max_position_embeddings"},
      {"roberta", {{"is_decoder", true}}, "decoder"},
      {"electra", {{"embedding_size", 0}}, "embedding_size"},
      {"distilbert", {{"activation", "swish"}}, "activation"},
      {"bert", {{"model_type", "albert"}}, "supported: bert, roberta, xlm-roberta"}};
  for (const auto& [family, changes, expected] : cases) {
    EXPECT_NE(error_of(family, changes).find(expected), std::string::npos)
        << family << " " << changes.dump() << ": " << error_of(family, changes);
  }
}

TEST(EncoderConfig, PoolingIsWhatModulesSay) {
  const base::TempDir dir;
  tests::write_tiny_encoder(dir.path(), tests::tiny_encoder_gold("mpnet"), "none");
  EXPECT_EQ(open_model_folder(dir.path()).pooling, Pooling::kMean);
  base::write_file_atomic(dir.path() / "modules.json",
                          R"([{"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"},
          {"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}])");
  base::make_dirs(dir.path() / "1_Pooling");
  const auto pooling = [&](const std::string& config) {
    base::write_file_atomic(dir.path() / "1_Pooling" / "config.json", config);
    return open_model_folder(dir.path()).pooling;
  };
  EXPECT_EQ(pooling(R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false})"), Pooling::kFirst);
  EXPECT_EQ(pooling(R"({"pooling_mode_lasttoken": true})"), Pooling::kLast);
  EXPECT_EQ(pooling(R"({"pooling_mode": "mean"})"), Pooling::kMean);
  EXPECT_THROW(pooling(R"({"pooling_mode_max_tokens": true})"), base::Error);
  EXPECT_THROW(pooling(R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true})"), base::Error);
}

// The file's tensors in two shards and an index: the same values under the same names.
TEST(EncoderConfig, ShardsAreOneModel) {
  const base::TempDir dir;
  tests::write_tiny_encoder(dir.path(), tests::tiny_encoder_gold("roberta"), "token");
  const ModelFolder whole = open_model_folder(dir.path());
  const OpenedWeights before = open_float_weights(whole);
  std::vector<TensorData> shards[2];
  Json index = {{"weight_map", Json::object()}};
  size_t i = 0;
  for (const auto& [name, tensor] : before.file->tensors()) {
    const size_t shard = i++ % 2;
    shards[shard].push_back({name, tensor.dtype, tensor.shape, tensor.bytes});
    index["weight_map"][name] = shard == 0 ? "model-1.safetensors" : "model-2.safetensors";
  }
  write_safetensors(dir.path() / "model-1.safetensors", shards[0], {});
  write_safetensors(dir.path() / "model-2.safetensors", shards[1], {});
  base::write_file_atomic(dir.path() / "model.safetensors.index.json", base::dump_json(index));
  std::filesystem::remove(dir.path() / kWeightsFile);
  const ModelFolder folder = open_model_folder(dir.path());
  EXPECT_EQ(folder.weights->filename(), "model.safetensors.index.json");
  const OpenedWeights after = open_float_weights(folder);
  EXPECT_TRUE(after.naming.has_head);
  for (const TensorInfo& info : encoder_tensors(after.spec, false)) {
    const std::string name = after.naming.in_file(info.name);
    EXPECT_EQ(after.file->read_f32(name, info.count()), before.file->read_f32(name, info.count())) << name;
  }
}

}  // namespace
}  // namespace slipway::model
