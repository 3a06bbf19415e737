#include "model/block_formats.h"

#include "base/file.h"
#include "base/json.h"
#include "support/support.h"

namespace slipway::model {
namespace {

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

// Every format against the Python package gguf, to the last bit but for the order of two roundings.
TEST(BlockFormats, DecodeAsThePackageGgufDoes) {
  const auto path = tests::source_dir() / "tests" / "gold" / "block_formats.json";
  const base::Json gold = base::parse_json(base::read_file(path), path.string());
  EXPECT_EQ(gold.size(), 12U);
  for (const auto& [name, one] : gold.items()) {
    SCOPED_TRACE(name);
    const auto dtype = dtype_from_name(name);
    ASSERT_TRUE(dtype);
    const std::string bytes = from_hex(one.at("hex").get<std::string>());
    const auto expected = one.at("values").get<std::vector<float>>();
    const TensorView tensor{"x", *dtype, {static_cast<int64_t>(expected.size())}, bytes};
    const std::vector<float> values = tensor_to_f32(tensor, "test");
    for (size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(values[i], expected[i]) << i;
    }
  }
}

TEST(BlockFormats, SizesAndNames) {
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(dtype_from_name(dtype_name(dtype)), dtype);
    const auto block = static_cast<uint64_t>(dtype_block(dtype));
    EXPECT_EQ(dtype_bytes(dtype, 4 * block), 4 * dtype_size(dtype));
    EXPECT_FALSE(block > 1 && dtype_bytes(dtype, block + 1));
    EXPECT_FALSE(dtype_bytes(dtype, UINT64_MAX - UINT64_MAX % block) && dtype_size(dtype) >= block);
  }
  EXPECT_FALSE(dtype_from_name("Q9_9"));
}

TEST(BlockFormats, SizesThatDisagreeAreABug) {
  std::vector<float> values(32);
  EXPECT_THROW(decode_blocks(DType::kQ8_0, std::string(33, 'x'), values), std::logic_error);
  EXPECT_THROW(decode_blocks(DType::kF32, std::string(128, 'x'), values), std::logic_error);
}

}  // namespace
}  // namespace slipway::model
