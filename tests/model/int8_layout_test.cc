#include "model/int8_layout.h"

#include <cmath>

#include "base/error.h"
#include "support/support.h"
#include "support/tiny_bert.h"

namespace slipway::model {
namespace {

template <class T>
std::string_view bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

TEST(QuantizeRow, ErrorIsAtMostHalfAStep) {
  base::Rng rng(5);
  std::vector<float> row(1000);
  for (float& value : row) {
    value = static_cast<float>(rng.normal());
  }
  std::vector<int8_t> out(row.size());
  const float scale = quantize_row(row, out);
  for (size_t i = 0; i < row.size(); ++i) {
    EXPECT_LE(std::fabs((static_cast<float>(out[i]) * scale) - row[i]), scale * 0.50001F);
    EXPECT_GE(out[i], -127);
  }
  EXPECT_EQ(
      *std::max_element(out.begin(), out.end(), [](int8_t a, int8_t b) { return std::abs(a) < std::abs(b); }) == 127 ||
          *std::min_element(out.begin(), out.end()) == -127,
      true);
}

TEST(QuantizeRow, ClipsZerosAndTinyValues) {
  std::vector<int8_t> out(3);
  EXPECT_EQ(quantize_row(std::vector<float>{0, 0, 0}, out), 0.0F);
  EXPECT_EQ(out, (std::vector<int8_t>{0, 0, 0}));
  EXPECT_FLOAT_EQ(quantize_row(std::vector<float>{-4, 1, 2}, out, 2.0F), 2.0F / 127);
  EXPECT_EQ(out, (std::vector<int8_t>{-127, 64, 127}));
  EXPECT_EQ(quantize_row(std::vector<float>{1e-44F, 0, 0}, out), 0.0F);  // its scale's inverse would be infinite
}

class Int8File : public ::testing::Test {
 protected:
  SafetensorsFile write(const std::vector<float>& scales, const std::map<std::string, std::string>& metadata) {
    write_safetensors(dir_.path() / "m",
                      {{"w", DType::kI8, {2, 3}, bytes_of(values_)},
                       {"w.scale", DType::kF32, {static_cast<int64_t>(scales.size())}, bytes_of(scales)}},
                      metadata);
    return SafetensorsFile(dir_.path() / "m");
  }
  std::vector<int8_t> values_ = {1, -2, 3, -127, 0, 127};
  base::TempDir dir_;
};

TEST_F(Int8File, GivesValuesAndScales) {
  const SafetensorsFile file = write({0.5F, 2.0F}, {{"format", "slipway-int8"}, {"version", "1"}});
  EXPECT_TRUE(is_int8_file(file));
  const Int8Matrix matrix = read_int8(file, "w", 2, 3);
  EXPECT_EQ(matrix.values[3], -127);
  EXPECT_FLOAT_EQ(matrix.scales[1], 2.0F);
  EXPECT_EQ(matrix.rows, 2);
}

TEST_F(Int8File, RefusesWrongShapesScalesAndVersions) {
  const SafetensorsFile file = write({0.5F, 2.0F}, {{"format", "slipway-int8"}, {"version", "2"}});
  EXPECT_THROW(is_int8_file(file), base::Error);
  EXPECT_THROW(read_int8(file, "w", 3, 2), base::Error);
  EXPECT_THROW(read_int8(file, "absent", 3, 2), base::Error);
  EXPECT_THROW(read_int8(write({0.5F}, {}), "w", 2, 3), base::Error);
  EXPECT_THROW(read_int8(write({0.5F, -1.0F}, {}), "w", 2, 3), base::Error);
  EXPECT_THROW(read_int8(write({0.5F, std::nanf("")}, {}), "w", 2, 3), base::Error);
  EXPECT_FALSE(is_int8_file(write({0.5F, 1.0F}, {{"format", "pt"}})));
}

}  // namespace
}  // namespace slipway::model
