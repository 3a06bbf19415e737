#include "model/decoder_files.h"

#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "model/decoder_names.h"
#include "model/safetensors.h"
#include "support/tiny_decoder.h"

namespace slipway::model {
namespace {

using base::Json;

void write(const std::filesystem::path& path, const std::string& text) { std::ofstream(path) << text; }

class TinyDecoder : public ::testing::Test {
 protected:
  base::TempDir dir_;
  OpenedDecoder open(const std::string& name) {
    gold_ = tests::tiny_decoder_gold(name);
    tests::write_tiny_decoder(dir_.path() / name, gold_);
    return open_decoder(dir_.path() / name);
  }
  std::vector<float> file(const std::string& name) const {
    return tests::tiny_weights(name, gold_.at("tensors").at(name).get<std::vector<int64_t>>());
  }
  Json gold_;
};

TEST_F(TinyDecoder, EveryFamilyOpensWithAllItsTensors) {
  for (const std::string& name : tests::tiny_decoder_names()) {
    SCOPED_TRACE(name);
    const OpenedDecoder model = open(name);
    ASSERT_EQ(decoder_tensors(model.spec).size() + (model.spec.tied_embeddings ? 1 : 0), model.weights->names().size());
    int64_t values = 0;
    for (const std::string& tensor : model.weights->names()) {
      const auto loaded = model.weights->load(tensor);
      ASSERT_EQ(loaded.view.bytes.size(), static_cast<size_t>(loaded.view.count()) * 4) << tensor;
      values += tensor == "lm_head.weight" && model.spec.tied_embeddings ? 0 : loaded.view.count();
    }
    EXPECT_EQ(values, model.spec.parameter_count());
    int64_t in_file = 0;
    const Json& tensors = gold_.at("tensors");
    for (const auto& [tensor, shape] : tensors.items()) {
      in_file += static_cast<int64_t>(file(tensor).size());
    }
    EXPECT_EQ(values, in_file);
  }
}

TEST_F(TinyDecoder, LlamaIsAsInTheFile) {
  const OpenedDecoder model = open("llama");
  EXPECT_EQ(model.weights->read_f32("model.layers.1.self_attn.q_proj.weight"),
            file("model.layers.1.self_attn.q_proj.weight"));
  EXPECT_EQ(model.weights->read_f32("lm_head.weight"), file("model.embed_tokens.weight"));
  EXPECT_EQ(model.weights->load("model.norm.weight").storage, nullptr) << "a view costs no copy";
}

TEST_F(TinyDecoder, Gpt2IsSplitAndTransposed) {
  const OpenedDecoder model = open("gpt2");
  const auto fused = file("transformer.h.2.attn.c_attn.weight");  // [64, 192]
  const auto keys = model.weights->read_f32("model.layers.2.self_attn.k_proj.weight");
  const auto bias = model.weights->read_f32("model.layers.2.self_attn.v_proj.bias");
  const auto fused_bias = file("transformer.h.2.attn.c_attn.bias");
  ASSERT_EQ(keys.size(), 64U * 64U);
  for (size_t out = 0; out < 64; ++out) {
    ASSERT_EQ(bias[out], fused_bias[128 + out]);
    for (size_t in = 0; in < 64; ++in) {
      ASSERT_EQ(keys[out * 64 + in], fused[in * 192 + 64 + out]);
    }
  }
  EXPECT_EQ(model.weights->load("model.layers.0.mlp.down_proj.weight").view.shape, (std::vector<int64_t>{64, 256}));
  EXPECT_TRUE(model.spec.learned_positions);
  EXPECT_EQ(model.spec.rope.rotary_dim, 0);
}

TEST_F(TinyDecoder, GptNeoXHeadsAreTakenApart) {
  const OpenedDecoder model = open("gpt_neox");
  const auto fused = file("gpt_neox.layers.0.attention.query_key_value.weight");  // [4 heads * 3 * 16, 64]
  const auto values = model.weights->read_f32("model.layers.0.self_attn.v_proj.weight");
  for (size_t row = 0; row < 64; ++row) {
    const size_t from = (row / 16) * 48 + 32 + row % 16;
    ASSERT_EQ(values[row * 64], fused[from * 64]) << row;
  }
  EXPECT_EQ(model.spec.rope.rotary_dim, 4);
  EXPECT_TRUE(model.spec.parallel_residual);
}

TEST_F(TinyDecoder, Phi3IsTakenApart) {
  const OpenedDecoder model = open("phi3");
  const auto qkv = file("model.layers.1.self_attn.qkv_proj.weight");  // [64 + 32 + 32, 64]
  const auto up = file("model.layers.1.mlp.gate_up_proj.weight");     // [96 + 96, 64]
  EXPECT_EQ(model.weights->read_f32("model.layers.1.self_attn.k_proj.weight"),
            std::vector<float>(qkv.begin() + 64 * 64, qkv.begin() + 96 * 64));
  EXPECT_EQ(model.weights->read_f32("model.layers.1.mlp.up_proj.weight"),
            std::vector<float>(up.begin() + 96 * 64, up.end()));
  EXPECT_EQ(model.spec.rope.scaling, RopeScaling::kLongRope);
  EXPECT_EQ(model.spec.layer_window, (std::vector<int>{12, 12, 12}));
}

TEST_F(TinyDecoder, GemmaNormsAreFactors) {
  const OpenedDecoder model = open("gemma3");
  const auto inside = file("model.layers.0.self_attn.q_norm.weight");
  const auto factors = model.weights->read_f32("model.layers.0.self_attn.q_norm.weight");
  for (size_t i = 0; i < inside.size(); ++i) {
    ASSERT_EQ(factors[i], inside[i] + 1);
  }
  EXPECT_EQ(model.spec.layer_window, (std::vector<int>{8, 8, 0, 8}));
  EXPECT_EQ(model.spec.rope.scaling, RopeScaling::kLinear);
  EXPECT_EQ(model.spec.rope.theta, 1e6);
  EXPECT_EQ(model.spec.local_rope.scaling, RopeScaling::kNone);
  EXPECT_EQ(model.spec.local_rope.theta, 1e4);
  EXPECT_FLOAT_EQ(model.spec.embedding_scale, 8);
}

TEST_F(TinyDecoder, ShardsAreOneModel) {
  const OpenedDecoder whole = open("qwen3");
  const auto folder = dir_.path() / "shards";
  base::make_dirs(folder);
  const SafetensorsFile weights(dir_.path() / "qwen3" / "model.safetensors");
  std::vector<TensorData> parts[2];
  Json map = Json::object();
  for (const auto& [name, view] : weights.tensors()) {
    const size_t part = name.size() % 2;
    parts[part].push_back({name, view.dtype, view.shape, view.bytes});
    map[name] = part == 0 ? "model-00001-of-00002.safetensors" : "model-00002-of-00002.safetensors";
  }
  write_safetensors(folder / "model-00001-of-00002.safetensors", parts[0], {});
  write_safetensors(folder / "model-00002-of-00002.safetensors", parts[1], {});
  write(folder / "config.json", base::dump_json(gold_.at("config")));
  write(folder / "model.safetensors.index.json", base::dump_json({{"weight_map", map}}));
  const OpenedDecoder model = open_decoder(folder);
  for (const std::string& name : whole.weights->names()) {
    ASSERT_EQ(model.weights->read_f32(name), whole.weights->read_f32(name)) << name;
  }
  for (const char* escape : {"../x.safetensors", "/etc/passwd", "..", "", "a/b", "a\\b"}) {
    Json bad = map;
    bad["model.norm.weight"] = escape;
    write(folder / "model.safetensors.index.json", base::dump_json({{"weight_map", bad}}));
    EXPECT_THROW(open_decoder(folder), base::Error) << escape;
  }
  map["model.norm.weight"] = map["model.norm.weight"] == "model-00001-of-00002.safetensors"
                                 ? "model-00002-of-00002.safetensors"
                                 : "model-00001-of-00002.safetensors";
  write(folder / "model.safetensors.index.json", base::dump_json({{"weight_map", map}}));
  EXPECT_THROW(open_decoder(folder), base::Error) << "a tensor in another shard than the index says";
}

TEST_F(TinyDecoder, AMissingTensorIsNamedAndAWrongShapeTold) {
  open("llama");
  const auto path = dir_.path() / "llama" / "config.json";
  Json config = gold_.at("config");
  config["num_hidden_layers"] = 4;
  write(path, base::dump_json(config));
  try {
    open_decoder(dir_.path() / "llama");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_NE(std::string(error.what()).find("model.layers.3.input_layernorm.weight"), std::string::npos)
        << error.what();
  }
  config["num_hidden_layers"] = 3;
  config["intermediate_size"] = 95;
  write(path, base::dump_json(config));
  try {
    open_decoder(dir_.path() / "llama");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_NE(std::string(error.what()).find("[96, 64]"), std::string::npos) << error.what();
    EXPECT_EQ(error.code(), base::Code::kIntegrity);
  }
}

TEST_F(TinyDecoder, SmallFilesOfAFolder) {
  open("llama");
  const auto folder = dir_.path() / "llama";
  write(folder / "generation_config.json", R"({"eos_token_id": [2, 7]})");
  write(folder / "tokenizer_config.json", R"({"bos_token": {"content": "<s>"}, "eos_token": "</s>",
         "chat_template": [{"name": "tool_use", "template": "T"}, {"name": "default", "template": "D"}]})");
  write(folder / "tokenizer.json", "{}");
  OpenedDecoder model = open_decoder(folder);
  EXPECT_EQ(model.spec.eos_ids, (std::vector<int>{2, 7}));
  EXPECT_EQ(model.bos_token, "<s>");
  EXPECT_EQ(model.eos_token, "</s>");
  EXPECT_EQ(model.chat_template, "D");
  EXPECT_EQ(model.tokenizer.filename(), "tokenizer.json");
  write(folder / "chat_template.jinja", "J");
  EXPECT_EQ(open_decoder(folder).chat_template, "J");
  write(folder / "generation_config.json", R"({"eos_token_id": [100000]})");
  EXPECT_THROW(open_decoder(folder), base::Error);
  EXPECT_TRUE(is_decoder_path(folder));
  EXPECT_FALSE(is_decoder_path(folder / "none"));
}

}  // namespace
}  // namespace slipway::model
