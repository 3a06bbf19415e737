#include "model/torch_file.h"

#include <cstring>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "model/decoder_files.h"
#include "model/pickle.h"
#include "model/zip.h"
#include "support/tiny_decoder.h"
#include "support/zip_writer.h"

namespace slipway::model {
namespace {

std::string corpus(const std::string& name) {
  return base::read_file(tests::source_dir() / "fuzz" / "corpus" / "torch" / name);
}

std::string error_of(const std::string& bytes, base::Code code) {
  try {
    read_torch_file(bytes, "test");
    return "";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
}

using tests::zip;

std::string short_text(const std::string& text) { return std::string("\x8c") + static_cast<char>(text.size()) + text; }

// The pickle of {name: float tensor of `count` values of storage "0"}, each as torch writes it.
std::string float_pickle(const std::vector<std::string>& names, int count, int storage_count) {
  std::string out = "\x80\x02}(";
  for (const std::string& name : names) {
    out += short_text(name) + "ctorch._utils\n_rebuild_tensor_v2\n((" + short_text("storage") +
           "ctorch\nFloatStorage\n" + short_text("0") + short_text("cpu") + "K" + static_cast<char>(storage_count) +
           "tQK" + std::string(1, '\0') + "K" + static_cast<char>(count) + "\x85K\x01\x85\x89" +
           "ccollections\nOrderedDict\n)RtR";
  }
  return out + "u.";
}

TEST(TorchFile, ReadsWhatTorchSaved) {
  const std::string bytes = corpus("state_dict.pt");
  const auto tensors = read_torch_file(bytes, "test");
  ASSERT_EQ(tensors.size(), 5U);
  EXPECT_EQ(tensor_to_f32(tensors.at("a"), "test"), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(tensors.at("a").shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(tensors.at("b").dtype, DType::kBF16);
  EXPECT_EQ(tensor_to_f32(tensors.at("b"), "test"), (std::vector<float>{1.5F, -2}));
  EXPECT_EQ(tensor_to_f32(tensors.at("tail"), "test"), (std::vector<float>{4, 5, 6, 7}))
      << "a view of a larger storage";
  EXPECT_EQ(tensor_to_f32(tensors.at("p"), "test"), std::vector<float>{1}) << "a parameter";
  EXPECT_EQ(tensors.at("i").dtype, DType::kI64);
  const std::string nested = corpus("nested.pt");
  EXPECT_EQ(read_torch_file(nested, "test").at("w").dtype, DType::kF16);
}

TEST(TorchFile, NothingIsRunAndTheNameIsTold) {
  EXPECT_NE(error_of(corpus("evil.pt"), base::Code::kNotAllowed).find("system"), std::string::npos);
  for (const char* pickle :
       {"cos\nsystem\n(S'true'\ntR.", "cbuiltins\neval\n.", "ctorch.hub\nload\n.", "c__builtin__\ngetattr\n."}) {
    EXPECT_NE(error_of(zip({{"x/data.pkl", pickle}}), base::Code::kNotAllowed).find("nothing of it was run"),
              std::string::npos)
        << pickle;
  }
  EXPECT_NE(error_of(corpus("not_contiguous.pt"), base::Code::kInvalid).find("contiguous"), std::string::npos);
  EXPECT_NE(error_of(corpus("deflated.pt"), base::Code::kInvalid).find("compressed"), std::string::npos);
  EXPECT_NE(error_of("\x80\x02}q.", base::Code::kInvalid).find("before 1.6"), std::string::npos);
}

TEST(TorchFile, EveryWayToBeWrongIsSaid) {
  const std::string data(16, '\0');
  EXPECT_EQ(error_of(zip({{"x/data.pkl", float_pickle({"w"}, 4, 4)}, {"x/data/0", data}}), base::Code::kIntegrity), "");
  EXPECT_NE(error_of(zip({{"x/data.pkl", float_pickle({"w"}, 4, 4)}}), base::Code::kIntegrity).find("missing"),
            std::string::npos);
  EXPECT_NE(error_of(zip({{"x/data.pkl", float_pickle({"w"}, 4, 4)}, {"x/data/0", data + "x"}}), base::Code::kIntegrity)
                .find("another size"),
            std::string::npos);
  EXPECT_NE(error_of(zip({{"x/data.pkl", float_pickle({"w"}, 5, 4)}, {"x/data/0", data}}), base::Code::kIntegrity)
                .find("larger than its storage"),
            std::string::npos);
  EXPECT_NE(error_of(zip({{"x/data.pkl", float_pickle({"w", "w"}, 4, 4)}, {"x/data/0", data}}), base::Code::kIntegrity)
                .find("twice"),
            std::string::npos);
  EXPECT_NE(error_of(zip({{"x/other", ""}}), base::Code::kIntegrity).find("data.pkl"), std::string::npos);
  EXPECT_NE(error_of(zip({{"x/data.pkl", "}."}}), base::Code::kInvalid).find("state_dict"), std::string::npos);
  EXPECT_NE(error_of(zip({{"x/byteorder", "big"}, {"x/data.pkl", "}."}}), base::Code::kInvalid).find("little-endian"),
            std::string::npos);
  for (const std::string pickle : {"",
                                   "}",
                                   ".",
                                   "t.",
                                   "(",
                                   "u.",
                                   "}s.",
                                   "h\1.",
                                   "Q.",
                                   "R.",
                                   "\x80\x09.",
                                   "X\xff\xff\xff\xff.",
                                   "\x8a\x09"
                                   "123456789.",
                                   "j\xff\xff\xff\x7f.",
                                   "}r\xff\xff\xff\x7f.",
                                   "}b.",
                                   "K\1K\2b.",
                                   "e.",
                                   "(((.",
                                   "I1\n.",
                                   "P1\n.",
                                   "\x81."}) {
    EXPECT_NE(error_of(zip({{"x/data.pkl", pickle}}), base::Code::kIntegrity), "") << pickle;
  }
}

TEST(TorchFile, BombsEndAtTheLimits) {
  // Values without end, and a long name repeated through the memo.
  EXPECT_THROW(read_torch_pickle(std::string(kMaxPickleNodes + 10, 'N'), "test"), base::Error);
  std::string memo = "\x80\x02}(" + std::string("X\0\0\x10\0", 5) + std::string(1 << 20, 'n') + "q\1";
  const std::string one = float_pickle({"w"}, 1, 1);
  memo += one.substr(4 + 3, one.size() - 4 - 3 - 2) + "q\2";
  for (int i = 0; i < 300'000; ++i) {
    memo += "h\1h\2";
  }
  EXPECT_THROW(read_torch_pickle(memo + "u.", "test"), base::Error);
  EXPECT_THROW(read_torch_pickle(std::string(1'000'000, '('), "test"), base::Error);
}

TEST(TorchFile, EveryTruncationAndBitFlipIsSafe) {
  const std::string good = corpus("state_dict.pt");
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_THROW(read_torch_file(std::string_view(good).substr(0, size), "test"), base::Error) << size;
  }
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    try {
      for (const auto& [name, tensor] : read_torch_file(bytes, "test")) {
        EXPECT_EQ(tensor.bytes.size(), static_cast<size_t>(tensor.count()) * dtype_size(tensor.dtype));
      }
    } catch (const base::Error&) {
      continue;
    }
  }
}

TEST(Zip, DamagedListsAreRefused) {
  const std::string good = zip({{"a", "123"}, {"b", "45"}});
  EXPECT_EQ(read_zip(good, "test").at("b"), "45");
  const size_t list = good.find("PK\1\2");
  const size_t second = good.find("PK\1\2", list + 4);
  const auto with = [&](size_t at, char value) {
    std::string bytes = good;
    bytes[at] = value;
    return bytes;
  };
  EXPECT_THROW(read_zip(with(second + 42, 0), "test"), base::Error) << "overlapping entries";
  EXPECT_THROW(read_zip(with(second + 42, 5), "test"), base::Error) << "an offset inside another entry";
  EXPECT_THROW(read_zip(with(second + 46, 'a'), "test"), base::Error) << "another name beside the data";
  EXPECT_THROW(read_zip(with(second + 24, 100), "test"), base::Error) << "two sizes";
  EXPECT_THROW(read_zip(with(second + 10, 8), "test"), base::Error) << "compressed";
  EXPECT_THROW(read_zip(with(good.size() - 12, 100), "test"), base::Error) << "more entries than there are";
  EXPECT_THROW(read_zip(zip({{"a", "1"}, {"a", "2"}}), "test"), base::Error) << "a name twice";
  EXPECT_THROW(read_zip(good.substr(0, good.size() - 1), "test"), base::Error);
}

TEST(TorchFile, ADecoderOpensFromPickledShards) {
  const base::TempDir dir;
  const base::Json gold = tests::tiny_decoder_gold("qwen2");
  tests::write_tiny_decoder(dir.path() / "safe", gold);
  const OpenedDecoder safe = open_decoder(dir.path() / "safe");
  const auto folder = dir.path() / "torch";
  base::make_dirs(folder);
  std::ofstream(folder / "config.json") << base::dump_json(gold.at("config"));
  // Every tensor a storage of its own; two shards.
  base::Json map = base::Json::object();
  for (int part = 0; part < 2; ++part) {
    std::string pickle = "\x80\x02}(";
    std::vector<std::pair<std::string, std::string>> entries;
    const base::Json& tensors = gold.at("tensors");
    for (const auto& [name, shape] : tensors.items()) {
      if (name.size() % 2 != static_cast<size_t>(part)) {
        continue;
      }
      const auto sizes = shape.get<std::vector<int64_t>>();
      const std::vector<float> values = tests::tiny_weights(name, sizes);
      const auto integer = [](int64_t value) {
        std::string out = "J1234";
        std::memcpy(out.data() + 1, &value, 4);
        return out;
      };
      const std::string key = std::to_string(entries.size());
      std::string size = "(";
      std::string stride = "(";
      for (size_t i = 0; i < sizes.size(); ++i) {
        size += integer(sizes[i]);
        stride += integer(i + 1 < sizes.size() ? sizes[i + 1] : 1);
      }
      pickle += short_text(name) + "ctorch._utils\n_rebuild_tensor_v2\n((" + short_text("storage") +
                "ctorch\nFloatStorage\n" + short_text(key) + short_text("cpu") +
                integer(static_cast<int64_t>(values.size())) + "tQ" + integer(0) + size + "t" + stride + "t\x89" +
                "ccollections\nOrderedDict\n)RtR";
      entries.emplace_back("archive/data/" + key,
                           std::string(reinterpret_cast<const char*>(values.data()), values.size() * 4));
      map[name] = "pytorch_model-" + std::to_string(part) + ".bin";
    }
    entries.emplace_back("archive/data.pkl", pickle + "u.");
    std::ofstream(folder / ("pytorch_model-" + std::to_string(part) + ".bin"), std::ios::binary) << zip(entries);
  }
  std::ofstream(folder / "pytorch_model.bin.index.json") << base::dump_json({{"weight_map", map}});
  const OpenedDecoder model = open_decoder(folder);
  EXPECT_EQ(std::string(model.weights->source().format()), "pytorch");
  for (const std::string& name : safe.weights->names()) {
    ASSERT_EQ(model.weights->read_f32(name), safe.weights->read_f32(name)) << name;
  }
}

}  // namespace
}  // namespace slipway::model
