#include "model/decoder_spec.h"

#include <cmath>

#include "base/error.h"
#include "support/tiny_decoder.h"

namespace slipway::model {
namespace {

using base::Json;

Json llama() { return tests::tiny_decoder_gold("llama").at("config"); }

std::string error_of(const Json& config) {
  try {
    decoder_spec_from_config(config, "config.json");
    return "";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kInvalid);
    return error.what();
  }
}

TEST(DecoderSpec, EachWrongValueIsNamed) {
  struct Case {
    const char* key;
    Json value;
  };
  for (const Case& one : std::vector<Case>{{"vocab_size", 0},
                                           {"vocab_size", 1e9},
                                           {"vocab_size", "x"},
                                           {"hidden_size", 64.0},
                                           {"hidden_size", -1},
                                           {"hidden_size", 18446744073709551615ULL},
                                           {"num_hidden_layers", 100000},
                                           {"num_key_value_heads", 3},
                                           {"num_key_value_heads", 8},
                                           {"head_dim", 0},
                                           {"intermediate_size", nullptr},
                                           {"rms_norm_eps", 0},
                                           {"rms_norm_eps", "1e-5"},
                                           {"bos_token_id", 160},
                                           {"eos_token_id", Json::array({1, 160})},
                                           {"hidden_act", "tanhshrink"},
                                           {"model_type", "mamba"},
                                           {"tie_word_embeddings", 1}}) {
    Json config = llama();
    config[one.key] = one.value;
    const std::string message = error_of(config);
    EXPECT_NE(message.find(one.key == std::string("hidden_act") ? "tanhshrink" : one.key), std::string::npos)
        << one.key << " " << base::dump_json(one.value) << ": " << message;
  }
  EXPECT_NE(error_of(Json::array()), "");
  Json quantised = llama();
  quantised["quantization_config"] = {{"quant_method", "awq"}};
  EXPECT_NE(error_of(quantised).find("awq"), std::string::npos);
}

TEST(DecoderSpec, RopeScalingInBothSpellings) {
  Json config = llama();
  config.erase("rope_parameters");
  config["rope_theta"] = 5e5;
  config["rope_scaling"] = {{"type", "linear"}, {"factor", 4.0}};
  const DecoderSpec old = decoder_spec_from_config(config, "x");
  EXPECT_EQ(old.rope.theta, 5e5);
  EXPECT_EQ(old.rope.scaling, RopeScaling::kLinear);
  EXPECT_EQ(old.rope.rotary_dim, 16);
  config["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 1e4}};
  EXPECT_EQ(decoder_spec_from_config(config, "x").rope.scaling, RopeScaling::kNone);
  config["rope_parameters"] = {{"rope_type", "dynamic"}, {"factor", 2.0}};
  EXPECT_NE(error_of(config).find("dynamic"), std::string::npos);
  config["rope_parameters"] = {{"rope_type", "longrope"}, {"short_factor", {1, 2}}, {"long_factor", {1, 2}}};
  EXPECT_NE(error_of(config).find("short_factor"), std::string::npos);
  config["rope_parameters"] = {{"rope_type", "llama3"}, {"factor", 8.0}};
  EXPECT_NE(error_of(config).find("original_max_position_embeddings"), std::string::npos);
}

// Frequencies of transformers 5.24's ROPE_INIT_FUNCTIONS for head_dim 16, theta 10000.
TEST(DecoderSpec, RopeFrequenciesAreThoseOfTransformers) {
  RopeSpec rope;
  rope.rotary_dim = 16;
  const auto plain = rope_frequencies(rope, 10);
  ASSERT_EQ(plain.size(), 8U);
  EXPECT_DOUBLE_EQ(plain[0], 1);
  EXPECT_NEAR(plain[4], 0.01, 1e-15);
  rope.scaling = RopeScaling::kLlama3;
  rope.factor = 8;
  rope.original_max_positions = 32;
  const std::vector<double> llama3 = {1.0,     0.095839977,   0.0125,        0.0039528473,
                                      0.00125, 0.00039528473, 0.00012500001, 3.9528473e-05};
  const auto mine = rope_frequencies(rope, 10);
  rope.scaling = RopeScaling::kYarn;
  const std::vector<double> yarn = {1.0,     0.17787811,    0.0125,        0.0039528473,
                                    0.00125, 0.00039528473, 0.00012500001, 3.9528473e-05};
  const auto mine_yarn = rope_frequencies(rope, 10);
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(mine[i] / llama3[i], 1, 1e-5) << i;
    EXPECT_NEAR(mine_yarn[i] / yarn[i], 1, 1e-5) << i;
  }
}

TEST(DecoderSpec, Gemma3WithAVisionModelAndItsSilentDefaults) {
  const Json config = {{"model_type", "gemma3"},
                       {"text_config",
                        {{"model_type", "gemma3_text"},
                         {"hidden_size", 2560},
                         {"intermediate_size", 10240},
                         {"num_hidden_layers", 34},
                         {"sliding_window", 1024},
                         {"rope_scaling", {{"factor", 8.0}, {"rope_type", "linear"}}}}},
                       {"vision_config", {{"hidden_size", 1152}}}};
  EXPECT_TRUE(is_decoder_config(config));
  const DecoderSpec spec = decoder_spec_from_config(config, "x");
  EXPECT_EQ(spec.vocab_size, 262208);
  EXPECT_EQ(spec.num_heads, 8);
  EXPECT_EQ(spec.num_kv_heads, 4);
  EXPECT_EQ(spec.head_dim, 256);
  EXPECT_EQ(spec.layer_window[0], 1024);
  EXPECT_EQ(spec.layer_window[5], 0);
  EXPECT_EQ(spec.rope.factor, 8);
  EXPECT_EQ(spec.local_rope.scaling, RopeScaling::kNone);
  EXPECT_FLOAT_EQ(spec.attention_scale, 1.0F / 16);
  EXPECT_TRUE(spec.tied_embeddings);
}

TEST(DecoderSpec, Qwen2WindowsOnlyWhenAskedFor) {
  Json config = tests::tiny_decoder_gold("qwen2").at("config");
  config.erase("layer_types");
  config["sliding_window"] = 16;
  EXPECT_EQ(decoder_spec_from_config(config, "x").layer_window, (std::vector<int>{0, 0, 0}));
  config["use_sliding_window"] = true;
  config["max_window_layers"] = 1;
  EXPECT_EQ(decoder_spec_from_config(config, "x").layer_window, (std::vector<int>{0, 16, 16}));
}

}  // namespace
}  // namespace slipway::model
