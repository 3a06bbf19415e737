// Small files of a folder, which lie together.
#include <cstdlib>
#include <fmt/format.h>
#include <map>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/random.h"
#include "fixture.h"
#include "store/bundles.h"
#include "store/digest_bytes.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;

constexpr uint64_t kSeed = 20261130;

std::string digest_of_number(int i) { return base::digest_of(std::to_string(i)); }

TEST(BundleIndexTest, FindsWhatIsThereAndNothingElse) {
  for (const int count : {0, 1, 2, 31, 1000}) {
    std::vector<BundledContent> contents;
    for (int i = 0; i < count; ++i) {
      contents.push_back({digest_of_number(i), static_cast<uint64_t>(i) * 10, static_cast<uint32_t>(i + 1)});
    }
    const std::string bytes = bundle_index_bytes(base::digest_of("bundle"), contents);
    const BundleIndex index(bytes, "test");
    EXPECT_EQ(index.bundle(), base::digest_of("bundle"));
    ASSERT_EQ(index.size(), contents.size());
    for (const BundledContent& content : contents) {
      const auto found = index.find(digest_bytes(content.digest));
      ASSERT_TRUE(found) << count;
      EXPECT_EQ(found->digest, content.digest);
      EXPECT_EQ(found->offset, content.offset);
      EXPECT_EQ(found->size, content.size);
    }
    for (int i = count; i < count + 1000; ++i) {
      EXPECT_FALSE(index.find(digest_bytes(digest_of_number(i))));
    }
  }
}

TEST(BundleIndexTest, DamageIsFound) {
  const std::string good = bundle_index_bytes(base::digest_of("b"), {{digest_of_number(1), 0, 5}, {digest_of_number(2), 5, 6}});
  base::Rng rng(kSeed);
  for (int round = 0; round < 500; ++round) {
    std::string bytes = good;
    if (round % 3 == 0) {
      bytes.resize(rng.below(bytes.size()));
    } else if (round % 3 == 1) {
      bytes[rng.below(bytes.size())] ^= static_cast<char>(1 + rng.below(255));
    } else {
      bytes.append(1 + rng.below(100), 'x');
    }
    EXPECT_EQ(error_of([&] { BundleIndex(bytes, "a.index"); }).code(), Code::kIntegrity);
  }
  for (const std::vector<BundledContent>& wrong : std::vector<std::vector<BundledContent>>{
           {{digest_of_number(1), 0, 0}}, {{digest_of_number(1), 0, 5}, {digest_of_number(1), 5, 5}}, {{digest_of_number(1), ~uint64_t{0}, 5}}}) {
    EXPECT_EQ(error_of([&] { bundle_index_bytes(base::digest_of("b"), wrong); }).code(), Code::kIntegrity);
  }
}

class Bundled : public StoreTest {
 protected:
  // Files FROM to TO - 1, of about a kilobyte, as an artifact; with one that is large and one that is empty.
  std::string put(int from, int to, const std::string& name = "n") {
    const fs::path folder = dir_.path() / "in" / name;
    fs::remove_all(folder);
    base::make_dirs(folder / "deep");
    for (int i = from; i < to; ++i) {
      base::write_file_atomic(folder / (i % 2 == 0 ? "deep" : "") / fmt::format("{}.txt", i), content(i));
    }
    base::write_file_atomic(folder / "large", std::string(100'000, 'l'));
    base::write_file_atomic(folder / "empty", "");
    return store_->artifacts().put_folder(folder, "dataset", name, {}).digest;
  }
  static std::string content(int i) {
    std::string text;
    while (text.size() < static_cast<size_t>(700 + i % 500)) {
      text += fmt::format("{} and {}\n", i, base::xxh64(std::to_string(i)));
    }
    return text;
  }
  void expect_files(const std::string& digest, int from, int to) {
    const fs::path out = dir_.path() / "out";
    for (const bool verified : {false, true}) {
      fs::remove_all(out);
      store_->artifacts().checkout(digest, out, verified);
      int files = 0;
      for (const auto& entry : fs::recursive_directory_iterator(out)) {
        files += entry.is_regular_file() ? 1 : 0;
      }
      EXPECT_EQ(files, to - from + 2);
      for (int i = from; i < to; ++i) {
        ASSERT_EQ(base::read_file(out / (i % 2 == 0 ? "deep" : "") / fmt::format("{}.txt", i)), content(i));
      }
    }
  }
  // Nothing names the artifact any more.
  void drop(const std::string& digest) { database()->exec(fmt::format("DELETE FROM artifacts WHERE digest = '{}'", digest).c_str()); }
  int count_files(const fs::path& below) const {
    int files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder() / "blobs" / below)) {
      files += entry.is_regular_file() ? 1 : 0;
    }
    return files;
  }
  StoreStats stats() const { return store_stats(folder(), options_); }
  std::string read(const std::string& digest) { return base::read_file(store_->artifacts().path_of(digest)); }
};

TEST_F(Bundled, AThousandFilesAreAFew) {
  const std::string one = put(0, 1000);
  expect_files(one, 0, 1000);
  EXPECT_LE(count_files(""), 8);
  const StoreStats found = stats();
  EXPECT_EQ(found.contents, 1003);
  EXPECT_EQ(found.bundled, 1000);
  EXPECT_EQ(found.bundles, 1);
  EXPECT_EQ(found.packs, 0);
  EXPECT_EQ(found.garbage_bytes, 0U);
  EXPECT_EQ(put(0, 1000, "again"), one) << "and nothing is added";
  EXPECT_EQ(stats().bundled, 1000);
  const VerifyReport report = verify();
  EXPECT_TRUE(report.problems.empty()) << report.problems.front();
  EXPECT_EQ(collect(false).blobs, 0);
  EXPECT_EQ(collect(false).sparse, 0);
  expect_files(one, 0, 1000);
}

TEST_F(Bundled, FewFilesStayByThemselves) {
  put(0, 20);
  EXPECT_EQ(stats().bundles, 0);
  const std::string more = put(0, 40, "more");
  EXPECT_EQ(stats().bundles, 0) << "twenty are new";
  expect_files(more, 0, 40);
}

TEST_F(Bundled, AContentOfABundleIsReadAndPutByItself) {
  put(0, 100);
  const std::string digest = base::digest_of(content(7));
  EXPECT_EQ(read(digest), content(7));
  const int before = count_files("");
  EXPECT_EQ(store_->artifacts().put_bytes(content(7), "file", "n", {}).digest, digest);
  EXPECT_EQ(count_files(""), before);
  EXPECT_EQ(error_of([&] { read(base::digest_of("no such thing")); }).code(), Code::kNotFound);
}

TEST_F(Bundled, OtherProcessesSeeIt) {
  const Blobs other(folder() / "blobs");
  EXPECT_FALSE(other.contains(base::digest_of(content(3))));
  put(0, 100);
  EXPECT_TRUE(other.contains(base::digest_of(content(3))));
  put(100, 200, "b");
  EXPECT_TRUE(other.contains(base::digest_of(content(103))));
  EXPECT_TRUE(other.has(base::digest_of(content(103)), content(103).size()));
  EXPECT_FALSE(other.has(base::digest_of(content(103)), content(103).size() + 1));
}

TEST_F(Bundled, WhatIsHardlyNeededIsWrittenAnew) {
  const std::string all = put(0, 1000);
  const std::string part = put(100, 300, "part");
  ASSERT_EQ(stats().bundles, 1);
  drop(all);
  const GarbageReport dry = collect(true);
  EXPECT_EQ(dry.sparse, 1);
  const uint64_t before = stats().kept_bytes;
  const GarbageReport real = collect(false);
  EXPECT_EQ(real.sparse, 1);
  EXPECT_EQ(real.sparse_bytes, dry.sparse_bytes);
  EXPECT_EQ(stats().kept_bytes, before - real.sparse_bytes);
  EXPECT_EQ(stats().bundled, 200);
  fs::remove_all(folder() / "blobs" / "copies");
  expect_files(part, 100, 300);
  EXPECT_TRUE(verify().problems.empty());
  EXPECT_EQ(error_of([&] { read(base::digest_of(content(7))); }).code(), Code::kNotFound);
  EXPECT_EQ(collect(false).sparse, 0);
  drop(part);
  collect(false);
  EXPECT_EQ(count_files("bundles"), 0);
  EXPECT_EQ(stats().kept_bytes + stats().garbage_bytes, 0U);
}

TEST_F(Bundled, EveryByteGoesThatIsToBeForgotten) {
  const std::string all = put(0, 100);
  const std::string most = put(1, 100, "most");
  drop(all);
  EXPECT_EQ(collect(false).sparse, 0) << "nearly all of it is needed";
  collect_garbage(folder(), {.every_byte = true}, options_);
  const std::string gone = content(0);
  for (const auto& entry : fs::recursive_directory_iterator(folder() / "blobs")) {
    if (entry.is_regular_file()) {
      EXPECT_EQ(base::read_file(entry.path()).find(gone), std::string::npos) << entry.path();
    }
  }
  expect_files(most, 1, 100);
}

TEST_F(Bundled, ManySmallBundlesBecomeOne) {
  std::vector<std::string> digests;
  for (int i = 0; i < 20; ++i) {
    digests.push_back(put(i * 40, i * 40 + 40, fmt::format("n{}", i)));
  }
  EXPECT_EQ(stats().bundles, 20);
  collect(false);
  EXPECT_EQ(stats().bundles, 1);
  EXPECT_EQ(stats().bundled, 800);
  for (int i = 0; i < 20; ++i) {
    expect_files(digests[static_cast<size_t>(i)], i * 40, i * 40 + 40);
  }
  EXPECT_TRUE(verify().problems.empty());
}

TEST_F(Bundled, DamageIsToldAndPuttingAgainHeals) {
  const std::string all = put(0, 100);
  const fs::path index = fs::directory_iterator(folder() / "blobs" / "bundles")->path();
  const std::string hex = BundleIndex(base::read_file(index), "index").bundle().substr(7);
  const fs::path bundle = folder() / "blobs" / hex.substr(0, 2) / hex;
  const std::string good = base::read_file(bundle);
  fs::permissions(bundle, fs::perms::owner_write, fs::perm_options::add);
  fs::permissions(index, fs::perms::owner_write, fs::perm_options::add);
  std::string bad = good;
  bad[bad.find(content(5)) + 100] ^= 1;
  base::write_file_atomic(bundle, bad);
  EXPECT_EQ(error_of([&] { read(base::digest_of(content(5))); }).code(), Code::kIntegrity);
  EXPECT_EQ(read(base::digest_of(content(6))), content(6));
  EXPECT_EQ(verify().problems.size(), 1U);
  base::write_file_atomic(bundle, good.substr(0, good.size() / 2));
  EXPECT_GT(verify().problems.size(), 30U);
  EXPECT_EQ(put(0, 100, "again"), all);
  EXPECT_TRUE(verify().problems.empty()) << verify().problems.front();
  expect_files(all, 0, 100);

  base::write_file_atomic(index, "not an index");
  EXPECT_GT(verify().problems.size(), 30U);
  EXPECT_EQ(error_of([&] { collect(false); }).code(), Code::kIntegrity) << "what it told of is missing";
  EXPECT_TRUE(fs::exists(bundle));
  EXPECT_EQ(put(0, 100, "once more"), all);
  expect_files(all, 0, 100);
  collect(false);
  EXPECT_FALSE(fs::exists(index));
  EXPECT_TRUE(verify().problems.empty()) << verify().problems.front();
  expect_files(all, 0, 100);
}

// Versions come and go while writers and collectors are killed: what was acknowledged reads back. $SLIPWAY_TEST_KILLS, else 6.
TEST_F(Bundled, KilledAnywhereNothingAcknowledgedIsLost) {
  const char* wanted = std::getenv("SLIPWAY_TEST_KILLS");
  const int kills = wanted != nullptr ? std::atoi(wanted) : 6;
  base::Rng rng(kSeed);
  std::map<int, bool> there;
  for (int round = 0; round < kills; ++round) {
    store_.reset();
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      open();
      base::Rng own(kSeed + 100 + static_cast<uint64_t>(round));
      for (int i = 0; i < 100'000; ++i) {
        const int n = static_cast<int>(own.below(12));
        int ack = n + 1;
        if (own.below(3) != 0) {
          put(n * 25, n * 25 + 60, fmt::format("n{}", n));  // neighbours share
        } else {
          ack = -n - 1;  // before: whether it is there is not known from here on
          (void)!::write(ends[1], &ack, sizeof ack);
          database()->exec(fmt::format("DELETE FROM artifacts WHERE name = 'n{}'", n).c_str());
          collect(false);
          continue;
        }
        (void)!::write(ends[1], &ack, sizeof ack);
      }
      ::_exit(0);
    }
    ::close(ends[1]);
    const uint64_t stop_after = 1 + rng.below(15);
    uint64_t acks = 0;
    int ack = 0;
    while (::read(ends[0], &ack, sizeof ack) == static_cast<ssize_t>(sizeof ack)) {
      ack > 0 ? void(there[ack - 1] = true) : void(there.erase(-ack - 1));
      if (++acks == stop_after) {
        ::usleep(static_cast<useconds_t>(rng.below(20'000)));  // somewhere in the next
        ::kill(child, SIGKILL);
      }
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    open();
    for (const auto& [n, is] : there) {
      for (int i = n * 25; i < n * 25 + 60; ++i) {
        ASSERT_EQ(read(base::digest_of(content(i))), content(i)) << "round " << round << " of seed " << kSeed;
      }
    }
    fs::remove_all(folder() / "blobs" / "copies");
  }
  const VerifyReport report = verify();
  EXPECT_TRUE(report.problems.empty()) << report.problems.front();
  collect(false);
  EXPECT_EQ(collect(true).leftovers, 0);
}

}  // namespace
}  // namespace slipway::store
