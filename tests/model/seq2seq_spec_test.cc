#include "model/seq2seq_spec.h"

#include <cmath>
#include <functional>

#include "base/error.h"
#include "model/inspect.h"
#include "model/seq2seq_files.h"
#include "support/tiny_seq2seq.h"

namespace slipway::model {
namespace {

using base::Json;

Json config_of(const std::string& family) { return tests::tiny_seq2seq_gold(family).at("config"); }

std::string error_of(const Json& config) {
  try {
    seq2seq_spec_from_config(config, "config.json");
    return "";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kInvalid);
    return error.what();
  }
}

TEST(Seq2SeqSpec, EachWrongValueIsNamed) {
  struct Case {
    const char* family;
    const char* key;
    Json value;
  };
  for (const Case& one : std::vector<Case>{{"t5", "vocab_size", 0},
                                           {"t5", "d_model", "x"},
                                           {"t5", "d_kv", 1e9},
                                           {"t5", "num_heads", nullptr},
                                           {"t5", "relative_attention_num_buckets", 2},
                                           {"t5", "relative_attention_max_distance", 4},
                                           {"t5", "eos_token_id", 100},
                                           {"t5", "decoder_start_token_id", 100},
                                           {"bart", "encoder_attention_heads", 5},
                                           {"bart", "decoder_layers", 100000},
                                           {"bart", "encoder_ffn_dim", -1},
                                           {"bart", "max_position_embeddings", 0},
                                           {"marian", "pad_token_id", 100},
                                           {"m2m_100", "scale_embedding", "yes"}}) {
    Json config = config_of(one.family);
    config[one.key] = one.value;
    EXPECT_NE(error_of(config).find(std::string("'") + one.key + "'"), std::string::npos)
        << one.key << ": " << error_of(config);
  }
  Json config = config_of("bart");
  config["activation_function"] = "mish";
  EXPECT_NE(error_of(config).find("mish"), std::string::npos);
  config = config_of("t5");
  config["model_type"] = "switch_transformers";
  EXPECT_NE(error_of(config).find("m2m_100"), std::string::npos);
  EXPECT_NE(error_of(Json::array()), "");
}

TEST(Seq2SeqSpec, KnowsItsModelsByTheirHeads) {
  EXPECT_TRUE(is_seq2seq_config(config_of("t5")));
  EXPECT_TRUE(is_seq2seq_config({{"model_type", "marian"}}));
  EXPECT_TRUE(is_seq2seq_config({{"model_type", "bart"}, {"architectures", {"BartModel"}}}));
  EXPECT_FALSE(is_seq2seq_config({{"model_type", "bart"}, {"architectures", {"BartForSequenceClassification"}}}));
  EXPECT_FALSE(is_seq2seq_config({{"model_type", "bert"}}));
  EXPECT_FALSE(is_seq2seq_config({{"model_type", 5}}));
  EXPECT_FALSE(is_seq2seq_config(Json()));
}

TEST(Seq2SeqSpec, OnlyTheFirstT5ScalesItsHead) {
  Json config = config_of("t5");
  config.erase("scale_decoder_outputs");
  config.erase("tie_word_embeddings");
  EXPECT_FLOAT_EQ(seq2seq_spec_from_config(config, "c").head_scale, 1 / std::sqrt(32.0F));
  config["tie_word_embeddings"] = false;
  EXPECT_EQ(seq2seq_spec_from_config(config, "c").head_scale, 1);
  EXPECT_EQ(seq2seq_spec_from_config(config_of("mt5"), "c").head_scale, 1);
}

// Values of transformers' T5Attention._relative_position_bucket.
TEST(Seq2SeqSpec, DistancesFallIntoT5sBuckets) {
  const auto both = [](int distance) { return relative_bucket(distance, true, 32, 128); };
  EXPECT_EQ(both(0), 0);
  EXPECT_EQ(both(-7), 7);
  EXPECT_EQ(both(7), 23);
  EXPECT_EQ(both(-8), 8);
  EXPECT_EQ(both(-16), 10);
  EXPECT_EQ(both(-64), 14);
  EXPECT_EQ(both(-127), 15);
  EXPECT_EQ(both(100'000), 31);
  const auto past = [](int distance) { return relative_bucket(distance, false, 32, 128); };
  EXPECT_EQ(past(5), 0);
  EXPECT_EQ(past(-15), 15);
  EXPECT_EQ(past(-16), 16);
  EXPECT_EQ(past(-32), 21);
  EXPECT_EQ(past(-1'000'000), 31);
}

TEST(Seq2SeqSpec, SinesAndCosinesAreInHalves) {
  const std::vector<float> marian = sinusoidal_positions(Seq2SeqPositions::kSinusoidal, 3, 8);
  EXPECT_EQ(marian[0], 0);
  EXPECT_EQ(marian[4], 1);
  EXPECT_NEAR(marian[2 * 8 + 1], std::sin(2 / 10.0), 1e-6);
  const std::vector<float> m2m = sinusoidal_positions(Seq2SeqPositions::kSinusoidalT2T, 3, 8);
  EXPECT_NEAR(m2m[2 * 8 + 3], std::sin(2e-4), 1e-8);
  EXPECT_NEAR(m2m[8 + 4], std::cos(1.0), 1e-6);
}

class Seq2SeqFolder : public ::testing::Test {
 protected:
  // The tiny model with its tensors' names or shapes changed.
  std::string error_with(const std::string& family, const std::function<void(Json&)>& change) {
    Json gold = tests::tiny_seq2seq_gold(family);
    change(gold);
    tests::write_tiny_decoder(folder.path(), gold);
    try {
      open_seq2seq(folder.path());
      return "";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kIntegrity);
      return error.what();
    }
  }
  base::TempDir folder;
};

TEST_F(Seq2SeqFolder, TensorsThatAreMissingOrOfAnotherShapeAreNamed) {
  EXPECT_EQ(error_with("t5", [](Json&) {}), "");
  for (const auto& [family, name] :
       {std::pair{"t5", "decoder.block.1.layer.2.DenseReluDense.wo.weight"},
        std::pair{"t5", "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"},
        std::pair{"bart", "model.decoder.layers.0.encoder_attn.k_proj.bias"},
        std::pair{"mbart", "model.encoder.layer_norm.weight"}}) {
    EXPECT_NE(error_with(family, [&](Json& gold) { gold["tensors"].erase(name); }).find(name), std::string::npos);
    const std::string error = error_with(family, [&](Json& gold) { gold["tensors"][name] = {3, 5}; });
    EXPECT_NE(error.find(name), std::string::npos);
    EXPECT_NE(error.find("[3, 5]"), std::string::npos);
  }
}

TEST_F(Seq2SeqFolder, NamesOfABaseModelAreFoundToo) {
  EXPECT_EQ(error_with("bart",
                       [](Json& gold) {
                         Json bare = Json::object();
                         for (const auto& [name, shape] : gold["tensors"].items()) {
                           bare[name.starts_with("model.") ? name.substr(6) : name] = shape;
                         }
                         gold["tensors"] = bare;
                       }),
            "");
}

TEST_F(Seq2SeqFolder, TheHeadIsTheDecodersEmbeddingsUnlessTheFileHasOne) {
  tests::write_tiny_decoder(folder.path(), tests::tiny_seq2seq_gold("t5"));
  EXPECT_TRUE(open_seq2seq(folder.path()).weights->tied());
  tests::write_tiny_decoder(folder.path(), tests::tiny_seq2seq_gold("mt5"));
  EXPECT_FALSE(open_seq2seq(folder.path()).weights->tied());
}

TEST_F(Seq2SeqFolder, InspectTellsItsHalves) {
  tests::write_tiny_decoder(folder.path(), tests::tiny_seq2seq_gold("marian"));
  const Json json = inspect_weights(folder.path());
  EXPECT_EQ(json.at("architecture"), "marian");
  EXPECT_EQ(json.at("encoder_decoder").at("decoder").at("ffn_dim"), 40);
  EXPECT_TRUE(json.at("decoder").is_null());
  EXPECT_TRUE(is_seq2seq_path(folder.path()));
  EXPECT_FALSE(is_seq2seq_path(folder.path() / "nowhere"));
}

TEST_F(Seq2SeqFolder, AFolderWithoutItsPartsIsToldWhatIsMissing) {
  try {
    open_seq2seq(folder.path());
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kNotFound);
  }
  base::write_file_atomic(folder.path() / "config.json", base::dump_json(config_of("t5")));
  EXPECT_THROW(open_seq2seq(folder.path()), base::Error);
}

}  // namespace
}  // namespace slipway::model
