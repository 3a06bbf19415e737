#include "convert/onnx.h"

#include <cstdlib>
#include <fmt/format.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "convert/onnx_graph.h"
#include "engine/engine.h"
#include "support/support.h"
#include "support/tiny_bert.h"

namespace slipway::convert {
namespace {

TEST(ProtobufWire, EncodesAsTheSpecificationSays) {
  // Examples of the protocol buffers encoding guide.
  EXPECT_EQ(Message().integer(1, 150).bytes(), "\x08\x96\x01");
  EXPECT_EQ(Message().text(2, "testing").bytes(), "\x12\x07testing");
  EXPECT_EQ(Message().message(3, Message().integer(1, 150)).bytes(), std::string("\x1a\x03\x08\x96\x01"));
  EXPECT_EQ(Message().integer(1, -2).bytes(), "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  EXPECT_EQ(Message().real(2, 1.0F).bytes(), std::string("\x15\0\0\x80\x3f", 5));
  EXPECT_EQ(Message().integer(20, 1).bytes(), std::string("\xa0\x01\x01"));
}

TEST(OnnxGraph, KeepsEqualConstantsOnce) {
  OnnxGraph graph;
  EXPECT_EQ(graph.scalar(1), graph.scalar(1));
  EXPECT_NE(graph.scalar(1), graph.scalar(2));
  EXPECT_NE(graph.integers({1}), graph.integers({1}, true));  // one of shape [1], one a scalar
}

TEST(Onnx, WritesTheSameBytesEveryTime) {
  const base::TempDir dir;
  tests::write_tiny_bert(dir.path() / "model");
  const base::Json facts = export_onnx(dir.path() / "model", dir.path() / "a.onnx");
  export_onnx(dir.path() / "model", dir.path() / "b.onnx");
  const std::string bytes = base::read_file(dir.path() / "a.onnx");
  EXPECT_EQ(bytes, base::read_file(dir.path() / "b.onnx"));
  EXPECT_EQ(facts["bytes"], bytes.size());
  for (const char* text :
       {"input_ids", "attention_mask", "token_type_ids", "logits", "sequence", "LayerNormalization"}) {
    EXPECT_NE(bytes.find(text), std::string::npos) << text;
  }
}

TEST(Onnx, AFolderWithoutFloatsIsRefused) {
  const base::TempDir dir;
  tests::write_tiny_bert(dir.path() / "model");
  std::filesystem::remove(dir.path() / "model" / model::kWeightsFile);
  EXPECT_THROW(export_onnx(dir.path() / "model", dir.path() / "a.onnx"), base::Error);
  EXPECT_FALSE(std::filesystem::exists(dir.path() / "a.onnx"));
}

// Exports a folder, runs random token ids of mixed lengths through our engine and through ONNX Runtime (onnx_check.py),
// and expects their outputs within 1e-4. 77: ONNX Runtime is not installed.
int run_onnx_check(const std::filesystem::path& folder, const std::filesystem::path& work) {
  const char* python = std::getenv("SLIPWAY_PYTHON");
  if (python == nullptr) {
    return 77;
  }
  export_onnx(folder, work / "model.onnx");
  base::Pool pool(1);
  engine::EngineOptions options;
  options.precision = "float32";
  const auto engine = engine::Engine::load(folder, options, pool);
  const model::ModelSpec& spec = engine->spec();
  base::Rng rng(3);
  std::vector<std::vector<int32_t>> ids;
  for (const int length : {1, 2, 7, 19, 40, spec.max_positions}) {
    std::vector<int32_t>& row = ids.emplace_back();
    for (int i = 0; i < length; ++i) {
      row.push_back(static_cast<int32_t>(rng.below(static_cast<uint64_t>(spec.vocab_size))));
    }
  }
  const engine::Output output = engine->forward(ids);
  const model::Matrix& expected = spec.has_classifier() ? output.logits : output.embeddings;
  base::Json cases = {{"output", spec.has_classifier() ? "logits" : "sentence_embedding"}, {"ids", ids}};
  for (int i = 0; i < expected.rows; ++i) {
    cases["expected"].push_back(std::vector<float>(expected.row(i).begin(), expected.row(i).end()));
  }
  base::write_file_atomic(work / "cases.json", base::dump_json(cases));
  const std::string command = fmt::format("'{}' tests/convert/onnx_check.py '{}' '{}' 1e-4", python,
                                          (work / "model.onnx").string(), (work / "cases.json").string());
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

#define SLIPWAY_EXPECT_ONNX_AGREES(folder, work)                                       \
  const int result = run_onnx_check(folder, work);                                     \
  if (result == 77) {                                                                  \
    GTEST_SKIP() << "skipped: SLIPWAY_PYTHON does not name a Python with onnxruntime"; \
  }                                                                                    \
  EXPECT_EQ(result, 0)

class OnnxRuntime : public ::testing::TestWithParam<const char*> {};

TEST_P(OnnxRuntime, AgreesOnClassifiers) {
  const base::TempDir dir;
  tests::write_tiny_bert(dir.path() / "model", {.labels = {"a", "b", "c"}, .activation = GetParam()});
  SLIPWAY_EXPECT_ONNX_AGREES(dir.path() / "model", dir.path());
}

INSTANTIATE_TEST_SUITE_P(Activations, OnnxRuntime, ::testing::Values("gelu", "gelu_new", "relu"));

TEST(Onnx, RuntimeAgreesOnEncoders) {
  const base::TempDir dir;
  tests::write_tiny_bert(dir.path() / "model", {.labels = {}, .pooler = false});
  SLIPWAY_EXPECT_ONNX_AGREES(dir.path() / "model", dir.path());
}

TEST(Onnx, RuntimeAgreesOnTheRealEncoder) {
  const auto minilm = tests::cached("minilm");
  if (!minilm) {
    GTEST_SKIP() << "skipped: no all-MiniLM-L6-v2 in the cache";
  }
  const base::TempDir dir;
  SLIPWAY_EXPECT_ONNX_AGREES(*minilm, dir.path());
}

}  // namespace
}  // namespace slipway::convert
