#include "model/cost.h"

#include "support/support.h"
#include "support/tiny_bert.h"

namespace slipway::model {
namespace {

TEST(Cost, CountsMultipliesAndAdds) {
  const ModelSpec spec = tests::tiny_spec({});
  // Two layers: 4 * 32^2 + 2 * 32 * 64 weights, two operations each; attention 4 * 10 * 32.
  EXPECT_DOUBLE_EQ(flops_per_token(spec, 10), 2 * ((2 * (4096 + 4096)) + 1280));
  EXPECT_DOUBLE_EQ(flops_per_text(spec, 10), (10 * flops_per_token(spec, 10)) + (2 * 32 * (32 + 2)));
}

TEST(Cost, SizesMatchTheFiles) {
  const base::TempDir dir;
  const ModelSpec spec = tests::write_tiny_bert(dir.path());
  const SafetensorsFile file(dir.path() / kWeightsFile);
  int64_t bytes = 0;
  for (const auto& [name, tensor] : file.tensors()) {
    bytes += static_cast<int64_t>(tensor.bytes.size());
  }
  EXPECT_EQ(weight_bytes_f32(spec), bytes);
  EXPECT_LT(weight_bytes_int8(spec), bytes / 2);
}

}  // namespace
}  // namespace slipway::model
