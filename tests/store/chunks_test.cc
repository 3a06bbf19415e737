// Chunks, recipes, and contents that share bytes.
#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <map>
#include <set>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/random.h"
#include "fixture.h"
#include "store/chunk_index.h"
#include "store/chunker.h"
#include "store/recipe.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;

constexpr uint64_t kSeed = 20261129;

std::string random_bytes(base::Rng& rng, size_t size) {
  std::string bytes;
  while (bytes.size() < size) {
    const uint64_t number = rng.next();
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  bytes.resize(size);
  return bytes;
}

// Replaces, inserts or removes up to 1000 bytes somewhere.
void edit(base::Rng& rng, std::string& bytes) {
  const size_t at = rng.below(bytes.size());
  const size_t length = std::min<size_t>(1 + rng.below(1000), bytes.size() - at);
  switch (rng.below(3)) {
    case 0: bytes.replace(at, length, random_bytes(rng, length)); break;
    case 1: bytes.insert(at, random_bytes(rng, length)); break;
    default: bytes.erase(at, length);
  }
}

TEST(Chunker, CutsWhereTheFormatSays) {
  base::Rng rng(kSeed);
  const std::string bytes = random_bytes(rng, 20 << 20);
  const std::vector<Chunk> chunks = cut(bytes);
  size_t at = 0;
  for (size_t i = 0; i < chunks.size(); ++i) {
    EXPECT_LE(chunks[i].size, kMaxChunk);
    EXPECT_TRUE(chunks[i].size > kMinChunk || i + 1 == chunks.size());
    EXPECT_EQ(chunks[i].hash, base::xxh64(std::string_view(bytes).substr(at, chunks[i].size)));
    at += chunks[i].size;
  }
  EXPECT_EQ(at, bytes.size());
  const double average = static_cast<double>(bytes.size()) / static_cast<double>(chunks.size());
  EXPECT_GT(average, 50e3) << chunks.size();
  EXPECT_LT(average, 90e3) << chunks.size();
}

// The rule of docs/formats/store.md, written down once more and slowly.
TEST(Chunker, IsTheOneOfTheSpecification) {
  std::array<uint64_t, 256> gear{};
  for (size_t i = 0; i < gear.size(); ++i) {
    uint64_t z = 0x736c697077617931ULL + 0x9e3779b97f4a7c15ULL * (i + 1);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    gear[i] = z ^ (z >> 31);
  }
  base::Rng rng(kSeed + 1);
  for (const size_t size : {size_t{0}, size_t{1}, kMinChunk, kMinChunk + 1, size_t{1} << 20, size_t{3} << 20}) {
    const std::string bytes = size == (size_t{1} << 20) ? std::string(size, 'x') : random_bytes(rng, size);
    std::vector<uint32_t> wanted;
    for (size_t begin = 0; begin < bytes.size();) {
      uint64_t hash = 0;
      size_t length = 0;
      while (true) {
        const auto byte = static_cast<unsigned char>(bytes[begin + length]);
        ++length;
        if (length > 16384) {
          hash = (hash << 1) + gear[byte];
          const int zeros = length <= 65536 ? 18 : 14;
          if ((hash >> (64 - zeros)) == 0) {
            break;
          }
        }
        if (length == 262144 || begin + length == bytes.size()) {
          break;
        }
      }
      wanted.push_back(static_cast<uint32_t>(length));
      begin += length;
    }
    std::vector<uint32_t> found;
    for (const Chunk& chunk : cut(bytes)) {
      found.push_back(chunk.size);
    }
    EXPECT_EQ(found, wanted) << size;
  }
}

// The example of docs/formats/store.md: its sizes are a Python program's.
TEST(Chunker, CutsTheExampleOfTheSpecification) {
  std::string bytes;
  for (int i = 0; i < 32768; ++i) {
    const std::string hex = base::sha256_hex(std::to_string(i));
    for (size_t at = 0; at < hex.size(); at += 2) {
      bytes += static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16));
    }
  }
  std::vector<uint32_t> sizes;
  for (const Chunk& chunk : cut(bytes)) {
    sizes.push_back(chunk.size);
  }
  EXPECT_EQ(sizes, (std::vector<uint32_t>{126767, 69679, 72037, 84209, 84088, 71482, 74369, 72071, 144818, 70607, 106052, 72329, 68}));
}

TEST(Chunker, AnEditChangesTheChunksAroundIt) {
  base::Rng rng(kSeed + 2);
  std::string bytes = random_bytes(rng, 4 << 20);
  for (int round = 0; round < 10; ++round) {
    std::set<uint64_t> before;
    for (const Chunk& chunk : cut(bytes)) {
      before.insert(chunk.hash);
    }
    edit(rng, bytes);
    uint64_t changed = 0;
    for (const Chunk& chunk : cut(bytes)) {
      changed += before.contains(chunk.hash) ? 0 : chunk.size;
    }
    EXPECT_LE(changed, 4 * kMaxChunk) << "seed " << kSeed + 2 << " round " << round;
  }
}

Recipe some_recipe() {
  Recipe recipe;
  recipe.add(recipe.source_of(base::digest_of("a")), 10, 100);
  recipe.add(recipe.source_of(base::digest_of("b")), 0, 5);
  recipe.add(recipe.source_of(base::digest_of("a")), 110, 7);
  recipe.add(recipe.source_of(base::digest_of("a")), 117, 3);
  return recipe;
}

TEST(Recipes, ReadBack) {
  const Recipe recipe = some_recipe();
  EXPECT_EQ(recipe.size, 115U);
  ASSERT_EQ(recipe.ranges.size(), 3U) << "ranges that go on are one";
  EXPECT_EQ(recipe.ranges[2], (RecipeRange{0, 110, 10}));
  EXPECT_EQ(recipe.ends(), (std::vector<uint64_t>{120, 5}));
  const std::string bytes = recipe_bytes(recipe);
  EXPECT_EQ(bytes.size(), 24U + 2 * 32 + 3 * 20 + 32);
  EXPECT_EQ(parse_recipe(bytes, "test"), recipe);
}

TEST(Recipes, ThatAreNoneAreRefused) {
  const auto refused = [](auto change) {
    Recipe recipe = some_recipe();
    change(recipe);
    EXPECT_THROW(recipe_bytes(recipe), base::Error);
  };
  refused([](Recipe& r) { r.size += 1; });
  refused([](Recipe& r) { r.ranges[0].source = 2; });
  refused([](Recipe& r) { r.ranges[0].size = 0; });
  refused([](Recipe& r) { r.ranges[0].offset = ~uint64_t{0}; });
  refused([](Recipe& r) { r.sources.push_back(base::digest_of("unused")); });
  refused([](Recipe& r) { r.sources[1] = r.sources[0]; });
  refused([](Recipe& r) { r.sources[0] = "../etc"; });
  refused([](Recipe& r) { r.ranges[0].size = ~uint64_t{0} - 5; });
  refused([](Recipe& r) { r = {}; });
  const std::string good = recipe_bytes(some_recipe());
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_EQ(error_of([&] { parse_recipe(bad, "test"); }).code(), Code::kIntegrity) << i;
    EXPECT_EQ(error_of([&] { parse_recipe(good.substr(0, i), "test"); }).code(), Code::kIntegrity) << i;
  }
}

TEST(GatheredChunksTest, FindsWhatWasAdded) {
  GatheredChunks index;
  const PlacedChunk placed{{42, 1000}, 7};
  index.add("sha256:x", std::span(&placed, 1));
  const std::vector<Chunk> asked = {{41, 1000}, {42, 999}, {42, 1000}};
  const FoundChunks found = index.find(asked);
  EXPECT_EQ(found.places[0].source, -1);
  EXPECT_EQ(found.places[1].source, -1);
  ASSERT_EQ(found.places[2].source, 0);
  EXPECT_EQ(found.places[2].offset, 7U);
  EXPECT_EQ(found.sources[0], "sha256:x");
  EXPECT_TRUE(index.is_source("sha256:x"));
}

class Shared : public StoreTest {
 protected:
  std::string put(const std::string& bytes) { return store_->artifacts().put_bytes(bytes, "file", "n", {}).digest; }
  // A file of the tree, which can be taken away.
  std::string put_file(const std::string& path, const std::string& bytes) {
    const auto file = store_->tracking().files().begin(path);
    file->write(bytes);
    return file->commit().digest;
  }
  std::string read(const std::string& digest) { return base::read_file(store_->artifacts().path_of(digest)); }
  fs::path place(const std::string& digest) const {
    return folder() / "blobs" / digest.substr(7, 2) / digest.substr(7);
  }
  fs::path recipe(const std::string& digest) const { return place(digest) += ".recipe"; }
  StoreStats stats() const { return store_stats(folder(), options_); }
  std::vector<std::string> sources(const std::string& digest) const {
    return Blobs(folder() / "blobs").read_recipe(digest).value().sources;
  }
  base::Rng rng_{kSeed + 3};
};

TEST_F(Shared, ASecondVersionCostsWhatItChanged) {
  const std::string first = random_bytes(rng_, 4 << 20);
  std::string second = first;
  second.insert(1'000'000, "some words");
  const std::string one = put(first);
  const std::string two = put(second);
  EXPECT_TRUE(fs::exists(place(one)) && !fs::exists(recipe(one)));
  EXPECT_TRUE(!fs::exists(place(two)) && fs::exists(recipe(two)));
  EXPECT_EQ(read(two), second);
  EXPECT_EQ(read(two), second) << "from the copy";
  EXPECT_EQ(two, base::digest_of(second));
  EXPECT_EQ(put(second), two);
  const StoreStats found = stats();
  EXPECT_EQ(found.contents, 2);
  EXPECT_EQ(found.recipes, 1);
  EXPECT_EQ(found.packs, 1);
  EXPECT_EQ(found.content_bytes, first.size() + second.size());
  EXPECT_LE(found.kept_bytes, first.size() + 2 * kMaxChunk + 1000);
  EXPECT_EQ(found.shared_bytes, found.content_bytes - found.kept_bytes);
  EXPECT_EQ(found.garbage_bytes, 0U);
  EXPECT_TRUE(verify().problems.empty());
  EXPECT_EQ(collect(false).blobs, 0);
  EXPECT_EQ(read(one), first);
}

TEST_F(Shared, NothingIsSharedWhereItDoesNotPay) {
  const std::string first = random_bytes(rng_, 2 << 20);
  put(first);
  const std::string other = put(first.substr(0, 300'000) + random_bytes(rng_, 2 << 20));
  EXPECT_TRUE(fs::exists(place(other))) << "an eighth is known";
  const std::string small = put(first.substr(0, kMinSharedBytes - 1));
  EXPECT_TRUE(fs::exists(place(small)));
}

TEST_F(Shared, AnyEditsOfAnyFilesReadBackAndCostTheirChunks) {
  std::string bytes = random_bytes(rng_, (1 << 20) + rng_.below(3 << 20));
  std::map<std::string, std::string> contents = {{put(bytes), bytes}};
  uint64_t most = bytes.size();
  for (int version = 0; version < 20; ++version) {
    const size_t edits = 1 + rng_.below(3);
    for (size_t i = 0; i < edits; ++i) {
      edit(rng_, bytes);
    }
    contents[put(bytes)] = bytes;
    most += (edits + 1) * 2 * kMaxChunk;
  }
  for (const auto& [digest, content] : contents) {
    ASSERT_EQ(read(digest), content) << "seed " << kSeed + 3;
  }
  EXPECT_LE(stats().kept_bytes, most);
  EXPECT_LE(stats().kept_bytes, stats().content_bytes / 4);
  EXPECT_TRUE(verify().problems.empty());
}

TEST_F(Shared, BytesOfAContentThatComeAgainInItAreKeptOnce) {
  const std::string first = random_bytes(rng_, 2 << 20);
  const std::string block = random_bytes(rng_, 1 << 20);
  put(first);
  const std::string digest = put(first + block + block + block);
  EXPECT_EQ(read(digest), first + block + block + block);
  EXPECT_LE(stats().kept_bytes, first.size() + block.size() + 4 * kMaxChunk);
}

TEST_F(Shared, TwoProcessesAndAReopenedStoreShareToo) {
  const std::string first = random_bytes(rng_, 2 << 20);
  put(first);
  const auto other = open_store(folder(), options_);
  const std::string digest = other->artifacts().put_bytes("x" + first, "file", "n", {}).digest;
  EXPECT_TRUE(fs::exists(recipe(digest)));
  reopen();
  EXPECT_TRUE(fs::exists(recipe(put("yy" + first))));
}

TEST_F(Shared, AFolderIsCheckedOutWithWhatIsARecipe) {
  const std::string first = random_bytes(rng_, 2 << 20);
  base::make_dirs(dir_.path() / "in");
  base::write_file_atomic(dir_.path() / "in" / "a", first);
  base::write_file_atomic(dir_.path() / "in" / "b", first + "more");
  const auto made = store_->artifacts().put_folder(dir_.path() / "in", "model", "m", {});
  EXPECT_TRUE(fs::exists(recipe(base::digest_of(first + "more"))) || fs::exists(recipe(base::digest_of(first))));
  for (const bool check : {false, true}) {
    const fs::path out = dir_.path() / (check ? "checked" : "out");
    store_->artifacts().checkout(made.digest, out, check);
    EXPECT_EQ(base::read_file(out / "b"), first + "more");
    EXPECT_EQ(store_->artifacts().put_folder(out, "model", "m", {}).digest, made.digest);
  }
}

TEST_F(Shared, WrongHintsCostOnlySharing) {
  const std::string first = random_bytes(rng_, 2 << 20);
  const std::string one = put(first);
  {
    const auto rows = database();
    Transaction transaction(*rows);
    rows->prepare("UPDATE chunks SET place = place + 1").run();
    transaction.commit();
  }
  const std::string two = put(first + "a");
  EXPECT_TRUE(fs::exists(place(two)));
  EXPECT_EQ(read(two), first + "a");
  EXPECT_TRUE(fs::exists(recipe(put(first + "b")))) << "the places of the newer one hold";
}

TEST_F(Shared, DamageIsFoundAndPuttingAgainHeals) {
  const std::string first = random_bytes(rng_, 2 << 20);
  const std::string one = put(first);
  const std::string two = put(first.substr(0, 1 << 20) + "inserted" + first.substr(1 << 20));
  const auto damage = [](const fs::path& file) {
    fs::permissions(file, fs::perms::owner_all);
    std::string bytes = base::read_file(file);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    base::write_file_atomic(file, bytes);
  };
  const std::vector<std::string> parts = sources(two);
  const std::string pack = parts[0] == one ? parts[1] : parts[0];
  damage(place(pack));
  EXPECT_EQ(error_of([&] { read(two); }).code(), Code::kIntegrity);
  EXPECT_EQ(verify().problems.size(), 2U) << "the pack and what is made of it";
  EXPECT_FALSE(fs::exists(folder() / "blobs" / "copies" / two.substr(7, 2) / two.substr(7)));
  damage(place(pack));  // back
  EXPECT_TRUE(verify().problems.empty());

  damage(recipe(two));
  const auto error = error_of([&] { read(two); });
  EXPECT_EQ(error.code(), Code::kIntegrity);
  EXPECT_NE(std::string(error.what()).find("recipe"), std::string::npos);
  EXPECT_EQ(error_of([&] { collect(false); }).code(), Code::kIntegrity) << "what it needs is not known";
  EXPECT_TRUE(fs::exists(place(pack)));
  put(first.substr(0, 1 << 20) + "inserted" + first.substr(1 << 20));
  EXPECT_TRUE(verify().problems.empty());

  fs::remove(place(one));
  const auto missing = error_of([&] { read(two); });
  EXPECT_EQ(missing.code(), Code::kIntegrity);
  EXPECT_NE(std::string(missing.what()).find(one), std::string::npos);
  EXPECT_FALSE(verify().problems.empty());
  put(first);
  EXPECT_TRUE(fs::exists(place(one))) << "whole again, for recipes need it";
  EXPECT_TRUE(verify().problems.empty());
}

TEST_F(Shared, GarbageCollectionKeepsWhatRecipesNeed) {
  const std::string first = random_bytes(rng_, 3 << 20);
  const std::string second = first + "and more";
  const std::string one = put_file("0/first", first);
  const std::string two = put_file("0/second", second);
  ASSERT_TRUE(fs::exists(recipe(two)));
  store_->tracking().files().remove("0/first");
  EXPECT_EQ(collect(true).blobs, 0);
  EXPECT_EQ(collect(false).blobs, 0);
  EXPECT_EQ(read(two), second);
  EXPECT_TRUE(fs::exists(place(one)));
  EXPECT_EQ(put_file("0/again", first), one);
  store_->tracking().files().remove("0/again");
  store_->tracking().files().remove("0/second");
  const uint64_t kept = stats().garbage_bytes;
  const GarbageReport dry = collect(true);
  EXPECT_EQ(dry.bytes, kept);
  EXPECT_EQ(dry.blobs, 3) << "first, what was new, and the recipe";
  EXPECT_EQ(collect(false).bytes, dry.bytes);
  EXPECT_EQ(stats().kept_bytes + stats().garbage_bytes, 0U);
  EXPECT_EQ(database()->scalar("SELECT count(*) FROM chunks"), "0");
  EXPECT_EQ(error_of([&] { read(two); }).code(), Code::kNotFound) << "its copy went too";
  EXPECT_TRUE(fs::exists(place(put(first)))) << "nothing is built upon what is gone";
}

TEST_F(Shared, WhatIsHardlyNeededIsCompacted) {
  const std::string first = random_bytes(rng_, 4 << 20);
  const std::string tail = first.substr(3 << 20);
  const std::string second = tail + random_bytes(rng_, 1 << 20);
  const std::string third = tail + "x";
  const std::string one = put_file("0/first", first);
  const std::string two = put_file("0/second", second);
  const std::string three = put_file("0/third", third);
  ASSERT_TRUE(fs::exists(recipe(two)));
  ASSERT_TRUE(fs::exists(recipe(three)));
  EXPECT_EQ(collect(true).sparse, 0) << "it is named itself";
  store_->tracking().files().remove("0/first");
  const GarbageReport dry = collect(true);
  ASSERT_GE(dry.sparse, 1);
  EXPECT_GT(dry.sparse_bytes, 2U << 20);
  const uint64_t before = stats().kept_bytes;
  const GarbageReport real = collect(false);
  EXPECT_EQ(real.sparse, dry.sparse);
  EXPECT_EQ(real.sparse_bytes, dry.sparse_bytes);
  EXPECT_EQ(stats().kept_bytes, before - real.sparse_bytes) << "to the byte";
  EXPECT_FALSE(fs::exists(place(one)));
  fs::remove_all(folder() / "blobs" / "copies");
  EXPECT_EQ(read(two), second);
  EXPECT_EQ(read(three), third);
  EXPECT_TRUE(verify().problems.empty());
  EXPECT_EQ(collect(false).sparse, 0);
  EXPECT_TRUE(fs::exists(recipe(put("y" + tail + "z")))) << "its new place is known";
}

TEST_F(Shared, APartThatIsAContentItselfBecomesWholeWhenTheRestGoes) {
  const std::string first = random_bytes(rng_, 4 << 20);
  size_t begin = 0;
  for (const Chunk& chunk : cut(first)) {
    begin += chunk.size;
    if (begin > (2U << 20) + (1U << 19)) {
      break;
    }
  }
  const std::string part = first.substr(begin);
  put_file("0/first", first);
  const std::string digest = put_file("0/part", part);
  ASSERT_TRUE(fs::exists(recipe(digest)));
  store_->tracking().files().remove("0/first");
  EXPECT_EQ(collect(false).sparse, 1);
  EXPECT_TRUE(fs::exists(place(digest)));
  EXPECT_FALSE(fs::exists(recipe(digest)));
  EXPECT_EQ(read(digest), part);
  EXPECT_TRUE(verify().problems.empty());
  EXPECT_EQ(collect(false).blobs, 0);
}

TEST_F(Shared, CopiesForReadingAreBounded) {
  options_.blob_cache_bytes = 5 << 20;
  reopen();
  std::string bytes = random_bytes(rng_, 2 << 20);
  put(bytes);
  std::vector<std::string> digests;
  const fs::path copies = folder() / "blobs" / "copies";
  for (int i = 0; i < 6; ++i) {
    bytes += "version";
    digests.push_back(put(bytes));
    read(digests.back());
    const auto old = fs::file_time_type::clock::now() - std::chrono::hours(1) + std::chrono::minutes(i);
    fs::last_write_time(copies / digests.back().substr(7, 2) / digests.back().substr(7), old);
  }
  uint64_t held = 0;
  for (const auto& entry : fs::recursive_directory_iterator(copies)) {
    held += entry.is_regular_file() ? entry.file_size() : 0;
  }
  EXPECT_LE(held, 5U << 20);
  EXPECT_EQ(read(digests[0]).size(), (2U << 20) + 7);
  EXPECT_TRUE(verify().problems.empty());
}

TEST_F(Shared, APartOfAnUploadIsNeitherSharedNorSharedFrom) {
  const std::string part = random_bytes(rng_, 2 << 20);
  auto& uploads = store_->tracking().server().uploads();
  uploads.begin({"u", "0/whole", 0});
  for (const int number : {1, 2}) {
    const auto writer = uploads.begin_part("u", number);
    writer->write(part);
    writer->commit();
  }
  uploads.complete("u", uploads.parts("u"));
  const std::string digest = base::digest_of(part + part);
  EXPECT_TRUE(fs::exists(place(digest))) << "whole: its parts go";
  collect(false);
  EXPECT_EQ(read(digest), part + part);
}

// Versions come and go while writers and collectors are killed: what was acknowledged reads back. $SLIPWAY_TEST_KILLS, else 6.
TEST_F(Shared, KilledAnywhereNothingAcknowledgedIsLost) {
  std::vector<std::string> contents = {random_bytes(rng_, 2 << 20)};
  for (int i = 1; i < 15; ++i) {
    contents.push_back(contents.back());
    for (int e = 0; e < 8; ++e) {
      edit(rng_, contents.back());
    }
    if (i % 7 == 0) {
      contents.back().erase(0, contents.back().size() / 3);
    }
    if (contents.back().size() < kMinSharedBytes) {
      contents.back() += random_bytes(rng_, 1 << 20);
    }
  }
  store_.reset();
  const char* wanted = std::getenv("SLIPWAY_TEST_KILLS");
  const int kills = wanted != nullptr ? std::atoi(wanted) : 6;
  std::map<int, bool> there;  // acknowledged
  for (int round = 0; round < kills; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      open();
      base::Rng rng(kSeed + 100 + static_cast<uint64_t>(round));
      for (int i = 0; i < 100'000; ++i) {
        const int n = static_cast<int>(rng.below(contents.size()));
        int ack = 0;
        if (rng.below(3) != 0) {
          put_file(fmt::format("0/{}", n), contents[static_cast<size_t>(n)]);
          ack = n + 1;
        } else {
          ack = -n - 1;  // before: whether it is there is not known from here on
          (void)!::write(ends[1], &ack, sizeof ack);
          store_->tracking().files().remove(fmt::format("0/{}", n));
          if (rng.below(2) == 0) {
            collect(false);
          }
          continue;
        }
        (void)!::write(ends[1], &ack, sizeof ack);
      }
      ::_exit(0);
    }
    ::close(ends[1]);
    const uint64_t stop_after = 1 + rng_.below(25);
    uint64_t acks = 0;
    int ack = 0;
    while (::read(ends[0], &ack, sizeof ack) == static_cast<ssize_t>(sizeof ack)) {
      ack > 0 ? void(there[ack - 1] = true) : void(there.erase(-ack - 1));
      if (++acks == stop_after) {
        ::usleep(static_cast<useconds_t>(rng_.below(8000)));  // somewhere in the next
        ::kill(child, SIGKILL);
      }
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    open();
    for (const auto& [n, is] : there) {
      ASSERT_TRUE(store_->tracking().files().find(fmt::format("0/{}", n))) << "round " << round << " of seed " << kSeed;
      ASSERT_EQ(read(base::digest_of(contents[static_cast<size_t>(n)])), contents[static_cast<size_t>(n)]) << "round " << round;
    }
    store_.reset();
  }
  const VerifyReport report = verify();
  EXPECT_TRUE(report.problems.empty()) << report.problems.front();
  collect(false);
  EXPECT_EQ(collect(true).leftovers, 0);
}

}  // namespace
}  // namespace slipway::store
