#include "convert/onnx.h"

#include "base/error.h"
#include "base/file.h"
#include "convert/onnx_graph.h"
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

}  // namespace
}  // namespace slipway::convert
