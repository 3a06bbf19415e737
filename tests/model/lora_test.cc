#include "model/lora.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "base/error.h"
#include "model/decoder_files.h"
#include "support/tiny_lora.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Json;

// An adapter's parts as peft saves them, for tests to break.
struct Parts {
  explicit Parts(const std::string& family) {
    const Json gold = tests::tiny_lora_gold(family);
    config = gold.at("config");
    tensors = gold.at("tensors");
    spec = decoder_spec_from_config(tests::tiny_decoder_gold(family).at("config"), family);
  }

  LoraAdapter read() const {
    const base::TempDir folder;
    tests::write_tiny_lora(folder.path(), config, tensors);
    return read_lora(folder.path(), spec);
  }
  std::string error(Code code) const {
    try {
      read();
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      return error.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return "";
  }

  Json config;
  Json tensors;
  DecoderSpec spec;
};

const std::string kQ0 = "base_model.model.model.layers.0.self_attn.q_proj.lora_";

void expect_says(const std::string& message, const std::string& part) {
  EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(Lora, RanksAndScalesComeFromPatterns) {
  const Parts parts("llama");  // r 4, alpha 6; layer 1's q_proj has rank 7, down_proj 3; v_proj has alpha 1.5
  const LoraAdapter adapter = parts.read();
  EXPECT_EQ(adapter.pairs.size(), 21U);
  EXPECT_EQ(adapter.max_rank(), 7);
  const auto pair_of = [&](const std::string& target) -> const LoraPair& {
    const auto it = std::find_if(adapter.pairs.begin(), adapter.pairs.end(),
                                 [&](const LoraPair& pair) { return pair.target == target; });
    if (it == adapter.pairs.end()) {
      throw std::runtime_error(target);
    }
    return *it;
  };
  EXPECT_EQ(pair_of("model.layers.0.self_attn.q_proj").rank, 4);
  EXPECT_EQ(pair_of("model.layers.1.self_attn.q_proj").rank, 7);
  EXPECT_EQ(pair_of("model.layers.2.mlp.down_proj").rank, 3);
  const LoraPair& v = pair_of("model.layers.0.self_attn.v_proj");
  const std::string name = "base_model.model.model.layers.0.self_attn.v_proj.lora_B.weight";
  const std::vector<float> b = tests::tiny_lora_weights(name, {v.n, v.rank});
  ASSERT_EQ(v.b.size(), b.size());
  for (size_t i = 0; i < b.size(); ++i) {
    EXPECT_FLOAT_EQ(v.b[i], b[i] * 1.5F / 4);
  }
  int64_t parameters = 0;
  for (const auto& [tensor, shape] : parts.tensors.items()) {
    parameters += shape[0].get<int64_t>() * shape[1].get<int64_t>();
  }
  EXPECT_EQ(adapter.parameters(), parameters);
}

TEST(Lora, LayersFusedInTheFileShareTheirA) {
  for (const char* family : {"gpt2", "gpt_neox", "phi3"}) {
    const LoraAdapter adapter = Parts(family).read();
    const LoraPair& q = adapter.pairs[0];
    const LoraPair& v = adapter.pairs[2];
    EXPECT_EQ(q.target, "model.layers.0.self_attn.q_proj") << family;
    EXPECT_EQ(v.target, "model.layers.0.self_attn.v_proj") << family;
    EXPECT_EQ(q.a, v.a) << family;
    EXPECT_NE(q.b, v.b) << family;
  }
}

TEST(Lora, RefusesWhatItWouldHaveToLeaveOut) {
  const auto with = [](const char* key, Json value) {
    Parts parts("llama");
    parts.config[key] = std::move(value);
    expect_says(parts.error(Code::kInvalid), key);
  };
  with("use_dora", true);
  with("modules_to_save", {"lm_head"});
  with("bias", "lora_only");
  with("lora_bias", true);
  with("use_qalora", true);
  with("peft_type", "IA3");
  with("layer_replication", {{0, 2}, {1, 3}});
  with("trainable_token_indices", {5});
  with("alora_invocation_tokens", {5});
  with("target_parameters", {"mlp.experts"});
  with("init_lora_weights", "pissa_niter_4");
  with("init_lora_weights", "loftq");
  with("r", 0);
  with("r", kMaxLoraRank + 1);
  with("r", 4.5);
  with("lora_alpha", "much");
  with("rank_pattern", {{"q_proj", 0}});
  with("rank_pattern", {{"q_proj(", 2}});
  with("alpha_pattern", {{"q_proj", 1e9}});
  with("target_modules", {1});
  Parts parts("llama");
  parts.config["init_lora_weights"] = "gaussian";  // says how training began, and nothing of the base
  EXPECT_EQ(parts.read().pairs.size(), 21U);
}

TEST(Lora, RefusesTensorsOfOtherShapes) {
  const auto with = [](const std::string& name, Json shape) {
    Parts parts("llama");
    ASSERT_TRUE(parts.tensors.contains(name)) << name;
    parts.tensors[name] = std::move(shape);
    expect_says(parts.error(Code::kIntegrity), name);
  };
  with(kQ0 + "A.weight", {4, 63});
  with(kQ0 + "A.weight", {5, 64});
  with(kQ0 + "A.weight", {64, 4});
  with(kQ0 + "B.weight", {32, 4});
  with(kQ0 + "B.weight", {64, 5});
  with(kQ0 + "B.weight", Json::array({256}));
  Parts other("qwen3");  // of a model with heads of another size
  other.spec.head_dim = 16;
  expect_says(other.error(Code::kIntegrity), "q_proj.lora_B");
  Parts ranks("llama");
  ranks.config["r"] = 8;
  expect_says(ranks.error(Code::kIntegrity), "has the shape [4, 64], the configuration and the model need [8, 64]");
}

TEST(Lora, RefusesHalfPairsMissingLayersAndUnknownTensors) {
  Parts half("llama");
  half.tensors.erase(kQ0 + "B.weight");
  expect_says(half.error(Code::kIntegrity), "'model.layers.0.self_attn.q_proj' has no lora_B");
  for (const char* family : {"llama", "llama3"}) {  // a list, and "all-linear"
    Parts missing(family);
    missing.tensors.erase(kQ0 + "A.weight");
    missing.tensors.erase(kQ0 + "B.weight");
    expect_says(missing.error(Code::kIntegrity), "there is no tensor '" + kQ0 + "A.weight'");
  }
  for (const char* name : {"base_model.model.model.layers.3.self_attn.q_proj.lora_A.weight",  // there are three layers
                           "base_model.model.model.embed_tokens.lora_embedding_A", "base_model.model.lm_head.weight",
                           "base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector.weight"}) {
    Parts unknown("llama");
    unknown.tensors[name] = {4, 64};
    expect_says(unknown.error(Code::kInvalid), name);
  }
  Parts foreign("gpt2");
  foreign.spec = Parts("llama").spec;
  expect_says(foreign.error(Code::kInvalid), "transformer.h.0.attn.c_attn");
  Parts empty("mistral");
  empty.tensors = Json::object();
  empty.config["target_modules"] = "x";
  expect_says(empty.error(Code::kIntegrity), "no low-rank pair");
}

TEST(Lora, RefusesFoldersAndFilesThatAreNoAdapters) {
  const base::TempDir folder;
  const Parts parts("llama");
  const auto error = [&](Code code) {
    try {
      read_lora(folder.path(), parts.spec);
    } catch (const base::Error& e) {
      EXPECT_EQ(e.code(), code) << e.what();
      return std::string(e.what());
    }
    return std::string();
  };
  expect_says(error(Code::kNotFound), "adapter_config.json");
  base::write_file_atomic(folder.path() / "adapter_config.json", "{}");
  expect_says(error(Code::kNotFound), "adapter_model.safetensors");
  base::write_file_atomic(folder.path() / "adapter_model.safetensors", "torn");
  expect_says(error(Code::kIntegrity), "adapter_model.safetensors");
  tests::write_tiny_lora(folder.path(), parts.config, parts.tensors);
  EXPECT_EQ(error(Code::kFailure), "");
  base::write_file_atomic(folder.path() / "adapter_config.json", "[1]");
  expect_says(error(Code::kInvalid), "adapter_config.json");
}

}  // namespace
}  // namespace slipway::model
