#include "model/safetensors.h"

#include <cmath>
#include <cstring>
#include <fmt/format.h>

#include "base/error.h"
#include "base/random.h"
#include "support/support.h"

namespace slipway::model {
namespace {

using base::Code;
using base::Error;

// A file's bytes from its header's text and the size of its data.
std::string file_of(const std::string& header, size_t data_bytes) {
  std::string bytes(8, '\0');
  const uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data_bytes, '\1');
}

std::string error_of(const std::string& bytes) {
  try {
    const SafetensorsFile file(bytes, "test");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

template <class T>
std::string_view bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

constexpr const char* kGood = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";

TEST(Safetensors, ReadsAGoodFile) {
  const std::string bytes = file_of(std::string(kGood) + "   ", 8);
  const SafetensorsFile file(bytes, "test");
  ASSERT_NE(file.find("a"), nullptr);
  EXPECT_EQ(file.find("a")->count(), 2);
  EXPECT_EQ(file.find("b"), nullptr);
  EXPECT_THROW(file.read_f32("a", 3), Error);
  EXPECT_THROW(file.read_f32("b", 3), Error);
}

TEST(Safetensors, EmptyTensorsAndScalarsAreFine) {
  const std::string bytes = file_of(R"({"e":{"dtype":"F32","shape":[0,5],"data_offsets":[0,0]},)"
                                    R"("s":{"dtype":"I64","shape":[],"data_offsets":[0,8]}})",
                                    8);
  const SafetensorsFile file(bytes, "test");
  EXPECT_EQ(file.find("e")->count(), 0);
  EXPECT_EQ(file.find("s")->count(), 1);
  EXPECT_TRUE(file.read_f32("e", 0).empty());
  EXPECT_TRUE(SafetensorsFile(file_of("{}", 0), "test").tensors().empty());
}

TEST(Safetensors, EveryWayToBeWrongIsSaid) {
  const std::vector<std::tuple<std::string, size_t, std::string>> cases = {
      {R"([])", 0, "not a JSON object"},
      {R"( {})", 0, "not a JSON object"},
      {R"({"a":1})", 0, "unexpected the number 1"},
      {R"({"a":null})", 0, "unexpected null"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})", 8, "not valid JSON"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}x)", 8, "not valid JSON"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 7, "cut short"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 9, "1 bytes after the last tensor"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, "need 8 bytes"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8, "begins at 8"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}})", 9, "hole"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", 8, "two data_offsets"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}})", 8, "two data_offsets"},
      {R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8, "the number -2"},
      {R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", 8, "the number 2.0"},
      {R"({"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}})", 8, "the number"},
      {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})", 8, "too large"},
      {R"({"a":{"dtype":"F32","shape":[0,9223372036854775808],"data_offsets":[0,0]}})", 0, "too large"},
      {R"({"a":{"dtype":"F32","shape":[[2]],"data_offsets":[0,8]}})", 8, "unexpected a list"},
      {R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", 8, "the number 2"},
      {R"({"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}})", 8, "unknown dtype 'F99'"},
      {R"({"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}})", 8, "not supported"},
      {R"({"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}})", 8, "the number 7"},
      {R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8, "no dtype"},
      {R"({"a":{"dtype":"F32","data_offsets":[0,8]}})", 8, "no shape"},
      {R"({"a":{"dtype":"F32","shape":[2]}})", 8, "no data_offsets"},
      {R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8, "key 'dtype' twice"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}})", 8, "unknown key 'x'"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
       8, "'a' is there twice"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
       12, "overlap"},
      {R"({"":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8, "name has 0 bytes"},
      {R"({"__metadata__":{"k":1}})", 0, "in __metadata__"},
      {R"({"__metadata__":"x"})", 0, "in __metadata__"},
      {R"({"__metadata__":{"k":{"x":"y"}}})", 0, "in __metadata__"},
      {R"({"__metadata__":{"k":"1","k":"2"}})", 0, "'k' twice"},
      {R"({"__metadata__":{},"__metadata__":{}})", 0, "there twice"},
      {R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})", 4, "more than 16"},
      {std::string(R"({"a)") + '\0' + R"("})", 0, "not a JSON object"},
      {"{\"a\xff\":1}", 0, "not valid JSON"},
  };
  for (const auto& [header, data, expected] : cases) {
    const std::string text = error_of(file_of(header, data));
    EXPECT_NE(text.find(expected), std::string::npos) << header << "\n  said: " << text;
  }
}

TEST(Safetensors, BrokenLengthsAreSaid) {
  EXPECT_NE(error_of("").find("fewer than the 8"), std::string::npos);
  EXPECT_NE(error_of("1234567").find("fewer than the 8"), std::string::npos);
  EXPECT_NE(error_of(std::string(8, '\xff')).find("more than 100000000"), std::string::npos);
  EXPECT_NE(error_of(std::string("\x40\0\0\0\0\0\0\0{}", 10)).find("cut short"), std::string::npos);
  EXPECT_NE(error_of("version https://git-lfs.github.com/spec/v1\noid sha256:00").find("git lfs pull"),
            std::string::npos);
}

TEST(Safetensors, DeepNestingEndsAtOnce) {
  const std::string text = error_of(file_of("{\"a\":" + std::string(1'000'000, '['), 0));
  EXPECT_NE(text.find("unexpected a list"), std::string::npos);
}

TEST(Safetensors, EveryTruncationAndBitFlipIsSafe) {
  const std::string good = file_of(kGood, 8);
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_NE(error_of(good.substr(0, length)), "");
  }
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string flipped = good;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    error_of(flipped);  // a name or datum may change; nothing else may happen than an Error
  }
}

TEST(Safetensors, WritesWhatItReadsAligned) {
  base::Rng rng(11);
  std::vector<std::vector<float>> values;
  std::vector<TensorData> tensors;
  for (int i = 0; i < 20; ++i) {
    values.emplace_back(1 + rng.below(100), 0.0F);
    for (float& value : values.back()) {
      value = static_cast<float>(rng.normal());
    }
  }
  for (size_t i = 0; i < values.size(); ++i) {
    tensors.push_back(
        {fmt::format("t{}\"\\é", i), DType::kF32, {static_cast<int64_t>(values[i].size())}, bytes_of(values[i])});
  }
  const std::vector<int8_t> bytes = {1, 2, 3};
  const std::vector<double> wide = {1.5, -2.5};
  tensors.push_back({"bytes", DType::kI8, {3}, bytes_of(bytes)});
  tensors.push_back({"wide", DType::kF64, {1, 2}, bytes_of(wide)});
  const base::TempDir dir;
  write_safetensors(dir.path() / "m", tensors, {{"format", "pt"}, {"note", "line\nbreak"}});
  const SafetensorsFile file(dir.path() / "m");
  EXPECT_EQ(file.metadata().at("note"), "line\nbreak");
  EXPECT_EQ(file.tensors().size(), 22U);
  for (size_t i = 0; i < values.size(); ++i) {
    const std::span<const float> mapped = file.map_f32(tensors[i].name);
    ASSERT_EQ(mapped.size(), values[i].size());
    EXPECT_EQ(std::vector<float>(mapped.begin(), mapped.end()), values[i]);
    if (mapped.size() % 16 == 0) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(mapped.data()) % 64, 0U);
    }
  }
  EXPECT_EQ(reinterpret_cast<uintptr_t>(file.find("wide")->bytes.data()) % 8, 0U);
  EXPECT_EQ(file.read_f32("wide", 2), (std::vector<float>{1.5F, -2.5F}));
  EXPECT_TRUE(file.map_f32("wide").empty());
  EXPECT_THROW(file.read_f32("bytes", 3), Error);
}

TEST(Safetensors, WriterRefusesNonsense) {
  const base::TempDir dir;
  const std::vector<float> two = {1, 2};
  const TensorData good{"a", DType::kF32, {2}, bytes_of(two)};
  EXPECT_THROW(write_safetensors(dir.path() / "m", {good, good}, {}), Error);
  EXPECT_THROW(write_safetensors(dir.path() / "m", {{"a", DType::kF32, {3}, bytes_of(two)}}, {}), Error);
  EXPECT_THROW(write_safetensors(dir.path() / "m", {{"a", DType::kF32, {-2}, bytes_of(two)}}, {}), Error);
  EXPECT_THROW(write_safetensors(dir.path() / "m", {{"__metadata__", DType::kF32, {2}, bytes_of(two)}}, {}), Error);
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(Safetensors, HalvesAndBrainFloatsConvertExactly) {
  const std::vector<uint16_t> halves = {0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x0400, 0x7c00, 0x7e00};
  const std::vector<uint16_t> brains = {0x3f80, 0xbf80, 0x7f80, 0x0000};
  const base::TempDir dir;
  write_safetensors(dir.path() / "m",
                    {{"h", DType::kF16, {10}, bytes_of(halves)}, {"b", DType::kBF16, {4}, bytes_of(brains)}}, {});
  const SafetensorsFile file(dir.path() / "m");
  const std::vector<float> h = file.read_f32("h", 10);
  const std::vector<float> expected = {0, -0.0F, 1, -2, 65504, 0x1p-24F, 0x1.ff8p-15F, 0x1p-14F, INFINITY};
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(h[i], expected[i]) << i;
  }
  EXPECT_TRUE(std::signbit(h[1]));
  EXPECT_TRUE(std::isnan(h[9]));
  EXPECT_EQ(file.read_f32("b", 4), (std::vector<float>{1, -1, INFINITY, 0}));
}

TEST(Safetensors, ReadsOneWrittenByTheReferenceLibrary) {
  const auto minilm = tests::cached("minilm");
  if (!minilm) {
    GTEST_SKIP() << "skipped: no all-MiniLM-L6-v2 in the cache";
  }
  const SafetensorsFile file(*minilm / "model.safetensors");
  EXPECT_EQ(file.find("embeddings.word_embeddings.weight")->shape, (std::vector<int64_t>{30522, 384}));
}

}  // namespace
}  // namespace slipway::model
