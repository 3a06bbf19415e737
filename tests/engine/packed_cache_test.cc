#include "engine/packed_cache.h"

#include <cstring>
#include <fstream>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "engine/decoder.h"
#include "support/tiny_decoder.h"

namespace slipway::engine {
namespace {

namespace fs = std::filesystem;

class PackedCacheTest : public ::testing::Test {
 protected:
  PackedCacheTest() {
    gold_ = tests::tiny_decoder_gold("llama");
    tests::write_tiny_decoder(model_, gold_);
  }
  PackedPlace place(const std::string& type = "auto", base::Isa isa = base::select_isa()) const {
    const std::string state = model_state(model_);
    const auto known = known_digest(folder_, model_, state);
    return packed_place(folder_, known ? *known : read_digest(folder_, model_, state).value_or("none"), isa, type);
  }
  // Loads with what the cache has; the logits of the gold's ids.
  std::vector<float> logits(const PackedCache* cache, bool& from_cache, const std::string& type = "auto",
                            base::Isa isa = base::select_isa()) {
    Decoder decoder(model::open_decoder(model_),
                    {.isa = isa, .weight_type = type, .kv_pages = 4, .cache = cache, .context_length = 64}, pool_);
    from_cache = decoder.weights().from_cache;
    matrices_ = decoder.weights().matrices;
    const auto ids = gold_.at("ids").get<std::vector<int32_t>>();
    const std::vector<int32_t> pages = {0};
    const PassRows rows{ids, 0, pages, 0};
    std::vector<float> out;
    decoder.forward({&rows, 1}, out);
    return out;
  }
  void write() {
    bool from_cache = true;
    expected_ = logits(nullptr, from_cache);
    EXPECT_FALSE(from_cache);
    ASSERT_EQ(write_packed_cache(place(), matrices_, 1 << 30), "");
  }

  int packed_files() const {
    int count = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
      count += entry.path().extension() == ".packed" ? 1 : 0;
    }
    return count;
  }

  base::TempDir dir_;
  fs::path model_ = dir_.path() / "model";
  fs::path folder_ = dir_.path() / "cache" / "packed";
  base::Json gold_;
  base::Pool pool_{2};
  std::vector<NamedBlocks> matrices_;
  std::vector<float> expected_;
};

TEST_F(PackedCacheTest, TheNextLoadGivesTheSameBitsWithoutPacking) {
  for (const char* type : {"auto", "q8_0", "q4_1", "bf16"}) {
    for (const base::Isa isa : {base::Isa::kScalar, base::select_isa()}) {
      bool from_cache = true;
      const auto expected = logits(nullptr, from_cache, type, isa);
      EXPECT_FALSE(from_cache);
      EXPECT_EQ(PackedCache::open(place(type, isa), isa), nullptr) << type;
      ASSERT_EQ(write_packed_cache(place(type, isa), matrices_, 1 << 30), "");
      const auto cache = PackedCache::open(place(type, isa), isa);
      ASSERT_NE(cache, nullptr) << type;
      EXPECT_EQ(logits(cache.get(), from_cache, type, isa), expected) << type;
      EXPECT_TRUE(from_cache) << type;
    }
  }
  const bool distinct = base::select_isa() != base::Isa::kScalar;
  EXPECT_EQ(packed_files(), distinct ? 8 : 4);
}

TEST_F(PackedCacheTest, WeightsMoveBesideThePassesAndStayTheSame) {
  write();
  const auto cache = PackedCache::open(place(), base::select_isa());
  std::vector<kernels::PackedBlocks> copies;
  std::vector<kernels::PackedBlocks*> targets;
  for (const NamedBlocks& matrix : matrices_) {
    copies.push_back(*cache->find(matrix.name, matrix.blocks.type(), matrix.blocks.n(), matrix.blocks.k()));
  }
  std::vector<const std::byte*> mapped;
  for (kernels::PackedBlocks& copy : copies) {
    targets.push_back(&copy);
    mapped.push_back(copy.panel(0));
  }
  Settler settler(targets, *cache);
  while (!settler.settled()) {
    settler.settle();
  }
  for (size_t i = 0; i < copies.size(); ++i) {
    const kernels::PackedBlocks& expected = matrices_[i].blocks;
    EXPECT_NE(copies[i].panel(0), mapped[i]);
    ASSERT_EQ(copies[i].bytes(), expected.bytes());
    EXPECT_EQ(std::memcmp(copies[i].panel(0), expected.panel(0), static_cast<size_t>(expected.bytes())), 0);
  }
}

TEST_F(PackedCacheTest, TheContentCountsNotThePlace) {
  write();
  const PackedPlace first = place();
  ASSERT_NE(PackedCache::open(first, base::select_isa()), nullptr);
  const fs::path weights = model_ / "model.safetensors";
  base::write_file_atomic(weights, base::read_file(weights));  // the same bytes, but another file
  EXPECT_EQ(known_digest(folder_, model_, model_state(model_)), std::nullopt);
  EXPECT_EQ(place().key, first.key);
  fs::copy(model_, dir_.path() / "copy");
  model_ = dir_.path() / "copy";
  EXPECT_EQ(known_digest(folder_, model_, model_state(model_)), std::nullopt);
  EXPECT_EQ(place().file, first.file);
  EXPECT_EQ(packed_files(), 1);
  {
    std::fstream file(model_ / "model.safetensors", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-1, std::ios::end);
    file.put('x');
  }
  EXPECT_EQ(known_digest(folder_, model_, model_state(model_)), std::nullopt);
  EXPECT_EQ(PackedCache::open(place(), base::select_isa()), nullptr);
}

TEST_F(PackedCacheTest, ADigestIsOfTheStateThatItWasReadIn) {
  const std::string state = model_state(model_);
  base::write_file_atomic(model_ / "config.json", base::read_file(model_ / "config.json") + " ");
  EXPECT_EQ(read_digest(folder_, model_, state), std::nullopt);
  EXPECT_EQ(known_digest(folder_, model_, state), std::nullopt);
  const std::string now = model_state(model_);
  const auto digest = read_digest(folder_, model_, now);
  ASSERT_TRUE(digest.has_value());
  EXPECT_EQ(known_digest(folder_, model_, now), digest);
  EXPECT_EQ(known_digest(folder_, model_, state), std::nullopt);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    base::write_file_atomic(entry.path(), "broken");
  }
  EXPECT_EQ(known_digest(folder_, model_, now), std::nullopt);
}

TEST_F(PackedCacheTest, ABrokenFileIsNoFile) {
  write();
  const fs::path file = place().file;
  const std::string good = base::read_file(file);
  const auto with = [&](const std::string& bytes) {
    base::write_file_atomic(file, bytes);
    return PackedCache::open(place(), base::select_isa());
  };
  EXPECT_NE(with(good), nullptr);
  EXPECT_EQ(with(""), nullptr);
  EXPECT_EQ(with(good.substr(0, good.size() - 1)), nullptr);
  EXPECT_EQ(with(good.substr(0, 100)), nullptr);
  std::string other = good;
  other[other.find(place().key)] ^= 1;
  EXPECT_EQ(with(other), nullptr);
  std::string version = good;
  version.replace(version.find("\"version\":\"2\""), 13, "\"version\":\"9\"");
  EXPECT_EQ(with(version), nullptr);
}

// A file that lacks a matrix, or has it with another shape, gives the others; nothing is taken on trust.
TEST_F(PackedCacheTest, AMatrixOfAnotherShapeIsPackedFromTheModel) {
  write();
  std::vector<NamedBlocks> wrong = matrices_;
  std::swap(wrong[0].name, wrong[4].name);  // q_proj and gate_proj
  wrong.pop_back();
  ASSERT_EQ(write_packed_cache(place(), wrong, 1 << 30), "");
  const auto cache = PackedCache::open(place(), base::select_isa());
  ASSERT_NE(cache, nullptr);
  bool from_cache = true;
  EXPECT_EQ(logits(cache.get(), from_cache), expected_);
  EXPECT_FALSE(from_cache);
}

TEST_F(PackedCacheTest, TheFolderStaysWithinItsLimit) {
  write();
  const auto size = static_cast<int64_t>(fs::file_size(place().file));
  const fs::path first = place().file;
  fs::last_write_time(first, fs::file_time_type::clock::now() - std::chrono::hours(2));
  base::write_file_atomic(folder_ / "notes.txt", "not ours");
  bool from_cache = false;
  logits(nullptr, from_cache, "bf16");
  ASSERT_EQ(write_packed_cache(place("bf16"), matrices_, size + 1), "");  // both do not fit
  EXPECT_FALSE(fs::exists(first));
  EXPECT_TRUE(fs::exists(place("bf16").file));
  EXPECT_TRUE(fs::exists(folder_ / "notes.txt"));
  EXPECT_NE(write_packed_cache(place("bf16"), matrices_, 1000), "");  // one that never fits
}

TEST_F(PackedCacheTest, AFolderThatCannotBeMadeIsToldAndNoMore) {
  bool from_cache = false;
  logits(nullptr, from_cache);
  base::write_file_atomic(dir_.path() / "cache", "a file where the folder should be");
  EXPECT_NE(write_packed_cache(place(), matrices_, 1 << 30), "");
  EXPECT_EQ(PackedCache::open(place(), base::select_isa()), nullptr);
}

}  // namespace
}  // namespace slipway::engine
