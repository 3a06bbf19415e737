#include "convert/quantize.h"

#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "convert/helpers.h"
#include "model/cost.h"
#include "model/folder.h"
#include "model/int8_layout.h"
#include "support/support.h"
#include "support/tiny_bert.h"

namespace slipway::convert {
namespace {

namespace fs = std::filesystem;
using base::Error;

class QuantizeTest : public ::testing::Test {
 protected:
  fs::path in() const { return dir_.path() / "in"; }
  fs::path out() const { return dir_.path() / "out"; }
  base::TempDir dir_;
  tests::TestContext test_;
};

TEST_F(QuantizeTest, WritesAFolderThatOpensAndIsSmall) {
  const model::ModelSpec spec = tests::write_tiny_bert(in());
  const Json summary = quantize_int8(in(), out(), {}, test_.context);
  const model::ModelFolder folder = model::open_model_folder(out());
  EXPECT_FALSE(folder.weights);
  const model::OpenedWeights weights = model::open_int8_weights(folder);
  int64_t bytes = 0;
  for (const auto& [name, tensor] : weights.file->tensors()) {
    bytes += static_cast<int64_t>(tensor.bytes.size());
  }
  EXPECT_EQ(bytes, model::weight_bytes_int8(spec));
  EXPECT_EQ(summary["bytes_after"], fs::file_size(out() / model::kInt8WeightsFile));
  EXPECT_EQ(summary["layers"].size(), 2U * 6U + 1U);
  EXPECT_EQ(model::SafetensorsFile(*folder.int8).metadata().at("source_sha256"),
            summary["source_sha256"].get<std::string>());
}

TEST_F(QuantizeTest, EveryWeightIsWithinHalfAStep) {
  const model::ModelSpec spec = tests::write_tiny_bert(in());
  const Json summary = quantize_int8(in(), in(), {}, test_.context);
  const model::ModelFolder folder = model::open_model_folder(in());
  const model::OpenedWeights exact = model::open_float_weights(folder);
  const model::OpenedWeights quantised = model::open_int8_weights(folder);
  double squared = 0;
  double error = 0;
  for (const model::TensorInfo& info : model::encoder_tensors(spec, true)) {
    const std::string name = exact.naming.in_file(info.name);
    const std::vector<float> values = exact.file->read_f32(name, info.count());
    if (info.role != model::TensorRole::kLinear && info.name != model::kWordEmbeddings) {
      EXPECT_EQ(quantised.file->read_f32(name, info.count()), values) << name;
      continue;
    }
    const model::Int8Matrix matrix = model::read_int8(*quantised.file, name, info.shape[0], info.shape[1]);
    for (size_t i = 0; i < values.size(); ++i) {
      const float scale = matrix.scales[i / static_cast<size_t>(matrix.cols)];
      const float difference = std::fabs(values[i] - (scale * matrix.values[i]));
      EXPECT_LE(difference, scale * 0.50001F);
      error += static_cast<double>(difference) * difference;
      squared += static_cast<double>(values[i]) * values[i];
    }
  }
  EXPECT_NEAR(summary["relative_error"].get<double>(), std::sqrt(error / squared), 1e-6);
}

TEST_F(QuantizeTest, ClippingNeverMakesTheErrorLarger) {
  tests::write_tiny_bert(in(), {.hidden = 64, .intermediate = 256});
  const Json plain = quantize_int8(in(), out(), {}, test_.context);
  const Json clipped = quantize_int8(in(), out(), {.clip = "mse"}, test_.context);
  for (size_t i = 0; i < plain["layers"].size(); ++i) {
    EXPECT_LE(clipped["layers"][i]["relative_error"].get<double>(),
              plain["layers"][i]["relative_error"].get<double>() * 1.000001);
  }
}

TEST_F(QuantizeTest, TheBytesDoNotDependOnThreads) {
  tests::write_tiny_bert(in());
  quantize_int8(in(), out(), {.clip = "mse"}, test_.context);
  tests::TestContext many(4);
  quantize_int8(in(), dir_.path() / "again", {.clip = "mse"}, many.context);
  EXPECT_EQ(base::read_file(out() / model::kInt8WeightsFile),
            base::read_file(dir_.path() / "again" / model::kInt8WeightsFile));
}

TEST_F(QuantizeTest, EmbeddingsCanStayExact) {
  tests::write_tiny_bert(in(), {.labels = {}, .pooler = false});
  quantize_int8(in(), out(), {.embeddings = false}, test_.context);
  const model::OpenedWeights weights = model::open_int8_weights(model::open_model_folder(out()));
  EXPECT_EQ(weights.file->find(model::kWordEmbeddings)->dtype, model::DType::kF32);
}

TEST_F(QuantizeTest, ANanIsNamed) {
  const model::ModelSpec spec = tests::write_tiny_bert(in());
  std::string bytes = base::read_file(in() / model::kWeightsFile);
  const model::SafetensorsFile file(bytes, "x");
  const std::string name = "bert." + model::encoder_layer_names(1).key_weight;
  const auto at = static_cast<size_t>(file.find(name)->bytes.data() - bytes.data()) + (4U * 32U * 5U);
  bytes.replace(at, 4, std::string("\0\0\xc0\x7f", 4));
  base::write_file_atomic(in() / model::kWeightsFile, bytes);
  try {
    quantize_int8(in(), out(), {}, test_.context);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(name + "' has a NaN or infinite weight in row 5"), std::string::npos)
        << error.what();
  }
  EXPECT_FALSE(fs::exists(out() / model::kInt8WeightsFile));
  EXPECT_EQ(spec.num_layers, 2);
}

}  // namespace
}  // namespace slipway::convert
