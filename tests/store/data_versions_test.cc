#include <fmt/format.h>
#include <fstream>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/random.h"
#include "store/data_checkout.h"
#include "store/fixture.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using record::DataCommit;
using record::DataSource;

class DataVersions : public StoreTest {
 protected:
  void write(const std::string& path, const std::string& bytes, int64_t age_s = 3600) {
    const fs::path file = source() / path;
    base::make_dirs(file.parent_path());
    fs::remove(file);
    std::ofstream(file) << bytes;  // another inode, as editors do
    set_age(file, age_s);
  }
  // The time of a change cannot be set: a stamp is taken as settled only when that is old, too. Tests wait for no clock, so they put
  // the stamp of a file that was written just now as an earlier commit would have.
  void set_age(const fs::path& file, int64_t age_s) {
    const timespec old{::time(nullptr) - age_s, 0};
    const timespec times[2] = {old, old};
    ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
  }
  void stamp(const std::string& path, const std::string& digest) {
    struct stat info {};
    const fs::path file = source() / path;
    ASSERT_EQ(::lstat(file.c_str(), &info), 0);
    const auto ns = [](const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; };
    store_->steps().put_stamps(std::vector<record::FileStamp>{
        {file.string(), static_cast<uint64_t>(info.st_size), ns(info.st_mtim), ns(info.st_ctim), info.st_ino, digest}});
  }
  fs::path source() const { return dir_.path() / "source"; }
  record::DataTrees& trees() { return store_->data().trees(); }
  record::DataCommits& commits() { return store_->data().commits(); }
  std::string put(record::PutCounts* counts = nullptr) {
    record::PutCounts own;
    return trees().put(std::vector<DataSource>{{"", source()}}, {}, "d", {}, counts != nullptr ? *counts : own).digest;
  }
  DataCommit commit(const std::string& branch = "main", const std::vector<std::string>& parents = {}) {
    DataCommit commit;
    commit.dataset = "d";
    commit.digest = put();
    commit.parents = parents;
    commit.message = "why";
    commit.author = "local:me";
    clock_.advance(1);
    return commits().commit(commit, branch);
  }
  static std::map<std::string, std::string> content(const fs::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) {
        files[entry.path().lexically_relative(folder).string()] = base::read_file(entry.path());
      }
    }
    return files;
  }
};

TEST_F(DataVersions, AVersionIsTheFilesOfAFolder) {
  write("a.jsonl", "{}\n");
  write("deep/er/b.txt", "b");
  record::PutCounts counts;
  const std::string digest = put(&counts);
  EXPECT_EQ(counts.files, 2);
  EXPECT_EQ(counts.hashed, 2);
  EXPECT_EQ(counts.bytes, 4U);
  const auto files = trees().files(digest);
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[1].path, "deep/er/b.txt");
  EXPECT_EQ(files[1].digest, base::digest_of("b"));
  const auto artifact = store_->artifacts().find(digest);
  ASSERT_TRUE(artifact.has_value());
  EXPECT_EQ(artifact->kind, "dataset");
  EXPECT_TRUE(artifact->folder);
  EXPECT_EQ(artifact->size, 4U);
}

TEST_F(DataVersions, AFileWithAKnownStampIsNotReadAgain) {
  write("a", "first");
  const std::string before = put();
  // Its stamp says what it does not hold: what is told of it is the stamp's.
  const std::string other = base::digest_of("FIRST");
  write("b", "FIRST");
  put();
  fs::remove(source() / "b");
  stamp("a", other);
  record::PutCounts counts;
  const std::string digest = put(&counts);
  EXPECT_EQ(counts.hashed, 0);
  EXPECT_EQ(trees().files(digest)[0].digest, other);
  write("a", "first");  // another inode and time
  EXPECT_EQ(put(&counts), before);
  EXPECT_EQ(counts.hashed, 1);
  // A stamp of a blob that is not there is of no use.
  stamp("a", base::digest_of("nowhere"));
  EXPECT_EQ(put(&counts), before);
  EXPECT_EQ(counts.hashed, 1);
}

TEST_F(DataVersions, AFileThatChangedThisMomentLeavesNoStamp) {
  write("a", "1");
  const std::string file = (source() / "a").string();
  put();
  EXPECT_TRUE(store_->steps().stamps(std::vector<std::string>{file}).empty());
}

TEST_F(DataVersions, TheStoreAndGitAreNoPartOfAVersion) {
  write("a", "1");
  write(".git/HEAD", "ref");
  write(std::string(kCheckoutPrefix) + "1/0", "half");
  EXPECT_EQ(trees().files(put()).size(), 1U);
  // The folder that the store lies in.
  record::PutCounts counts;
  const auto all = trees().put(std::vector<DataSource>{{"", dir_.path()}}, {}, "d", {}, counts);
  ASSERT_EQ(trees().files(all.digest).size(), 1U);
  EXPECT_EQ(trees().files(all.digest)[0].path, "source/a");
}

TEST_F(DataVersions, LinksAndMissingFilesAreRefused) {
  write("a", "1");
  fs::create_symlink("a", source() / "link");
  EXPECT_EQ(error_of([&] { put(); }).code(), Code::kInvalid);
  record::PutCounts counts;
  EXPECT_EQ(error_of([&] { trees().put(std::vector<DataSource>{{"x", source() / "none"}}, {}, "d", {}, counts); }).code(), Code::kNotFound);
}

TEST_F(DataVersions, ABranchGoesOnFromWhereItIs) {
  write("a", "1");
  const DataCommit first = commit();
  write("a", "2");
  const DataCommit second = commit("main", {first.id});
  EXPECT_EQ(second.parents, std::vector<std::string>{first.id});
  const auto error = error_of([&] { commit("main", {first.id}); });
  EXPECT_EQ(error.code(), Code::kConflict);
  EXPECT_NE(std::string(error.what()).find(second.id.substr(0, 12)), std::string::npos);
  EXPECT_EQ(commits().find("d", "main")->id, second.id);
  EXPECT_EQ(commits().find("d", "main~1")->id, first.id);
  EXPECT_FALSE(commits().find("d", "main~2").has_value());
  EXPECT_EQ(commits().find("d", first.id.substr(0, 8))->id, first.id);
  EXPECT_EQ(commits().find("", first.id)->message, "why");
  EXPECT_FALSE(commits().find("other", first.id).has_value());
  EXPECT_FALSE(commits().find("d", first.id.substr(0, 3)).has_value());
  EXPECT_EQ(error_of([&] { commits().find("d", "main~x"); }).code(), Code::kInvalid);
  ASSERT_EQ(commits().list("d", 10).size(), 2U);
  EXPECT_EQ(commits().list("d", 10)[0].id, second.id);
}

TEST_F(DataVersions, NamesOfBranchesAndTags) {
  write("a", "1");
  const DataCommit first = commit();
  commits().set_ref({"d", "v1.0", true, first.id, 0});
  write("a", "2");
  const DataCommit second = commit("main", {first.id});
  EXPECT_EQ(commits().find("d", "v1.0")->id, first.id);
  EXPECT_EQ(error_of([&] { commits().set_ref({"d", "v1.0", true, second.id, 0}); }).code(), Code::kConflict);
  EXPECT_EQ(error_of([&] { commits().set_ref({"d", "v1.0", false, first.id, 0}); }).code(), Code::kConflict);
  EXPECT_EQ(error_of([&] { commit("v1.0", {second.id}); }).code(), Code::kConflict);
  EXPECT_EQ(error_of([&] { commits().set_ref({"d", "x", false, "none", 0}); }).code(), Code::kNotFound);
  for (const char* bad : {"", "a@b", "a~1", "beef", "a b"}) {
    EXPECT_EQ(error_of([&] { commits().set_ref({"d", bad, false, first.id, 0}); }).code(), Code::kInvalid) << bad;
  }
  commits().set_ref({"d", "side", false, first.id, 0});
  commits().set_ref({"d", "side", false, second.id, 0});  // a branch moves
  ASSERT_EQ(commits().refs("d").size(), 3U);
  EXPECT_EQ(commits().refs("d")[1].name, "side");
  commits().remove_ref("d", "side", false);
  EXPECT_EQ(error_of([&] { commits().remove_ref("d", "side", false); }).code(), Code::kNotFound);
  EXPECT_EQ(error_of([&] { commits().remove_ref("d", "v1.0", false); }).code(), Code::kNotFound);
}

TEST_F(DataVersions, ACheckoutWritesWhatIsMissingAndRefusesToClobber) {
  write("a", "1");
  write("b/c", "2");
  const std::string digest = put();
  const fs::path out = dir_.path() / "out";
  EXPECT_EQ(trees().checkout(digest, out, {}).written, 2);
  EXPECT_EQ(content(out), (std::map<std::string, std::string>{{"a", "1"}, {"b/c", "2"}}));
  // What a killed one left: half of its files, and a folder of a process that is no more.
  fs::remove(out / "a");
  base::make_dirs(out / (std::string(kCheckoutPrefix) + "999999999"));
  EXPECT_EQ(trees().checkout(digest, out, {}).written, 1);
  EXPECT_EQ(content(out).size(), 2U);
  EXPECT_FALSE(fs::exists(out / (std::string(kCheckoutPrefix) + "999999999")));

  base::write_file_atomic(out / "mine", "mine");
  fs::remove(out / "a");
  base::write_file_atomic(out / "a", "9");
  fs::remove(out / "b/c");
  const auto error = error_of([&] { trees().checkout(digest, out, {}); });
  EXPECT_EQ(error.code(), Code::kConflict);
  EXPECT_NE(std::string(error.what()).find("content at a;"), std::string::npos) << error.what();
  EXPECT_EQ(content(out), (std::map<std::string, std::string>{{"a", "9"}, {"mine", "mine"}}));  // nothing was changed
  const auto counts = trees().checkout(digest, out, {.force = true, .verify = true});
  EXPECT_EQ(counts.written, 2);
  EXPECT_EQ(counts.removed, 1);
  EXPECT_EQ(content(out), (std::map<std::string, std::string>{{"a", "1"}, {"b/c", "2"}}));
}

TEST_F(DataVersions, ACheckoutNeverWritesThroughALinkOrAFileInTheWay) {
  write("b/c", "2");
  const std::string digest = put();
  const fs::path out = dir_.path() / "out";
  base::make_dirs(out);
  base::make_dirs(dir_.path() / "elsewhere");
  fs::create_directory_symlink(dir_.path() / "elsewhere", out / "b");
  EXPECT_EQ(error_of([&] { trees().checkout(digest, out, {}); }).code(), Code::kConflict);
  trees().checkout(digest, out, {.force = true});
  EXPECT_TRUE(fs::is_empty(dir_.path() / "elsewhere"));
  EXPECT_EQ(content(out), (std::map<std::string, std::string>{{"b/c", "2"}}));
  base::write_file_atomic(dir_.path() / "file", "");
  EXPECT_EQ(error_of([&] { trees().checkout(digest, dir_.path() / "file", {}); }).code(), Code::kConflict);
}

TEST_F(DataVersions, LaterVersionsShareBytesAndSurviveCollection) {
  base::Rng rng(7);
  std::string large(4 << 20, '\0');
  for (char& c : large) {
    c = static_cast<char>(rng.below(256));
  }
  write("large", large);
  const DataCommit first = commit();
  large.insert(1 << 20, "some bytes");
  write("large", large);
  const DataCommit second = commit("main", {first.id});
  EXPECT_EQ(collect(false).blobs, 0);
  EXPECT_LT(store_stats(folder(), options_).kept_bytes, 5U << 20);
  const fs::path out = dir_.path() / "out";
  trees().checkout(second.digest, out, {.verify = true});
  EXPECT_EQ(content(out)["large"], large);
  EXPECT_TRUE(verify().problems.empty());
}

TEST_F(DataVersions, ManySmallFilesAreOneListing) {
  for (int i = 0; i < 300; ++i) {
    write(fmt::format("{}/{}.txt", i % 7, i), std::to_string(i % 100));
  }
  record::PutCounts counts;
  const std::string digest = put(&counts);
  EXPECT_EQ(counts.files, 300);
  const fs::path out = dir_.path() / "out";
  EXPECT_EQ(trees().checkout(digest, out, {}).written, 300);
  EXPECT_EQ(content(out), content(source()));
}

TEST_F(DataVersions, ARewrittenVersionKeepsItsIdAndItsOldBytesAreGarbage) {
  write("a", "secret");
  write("b", "kept");
  const DataCommit first = commit();
  record::CachedStep step;
  step.key = std::string(64, 'a');
  step.step = "split";
  step.outputs = {{"dataset", first.digest}};
  store_->steps().put(step);
  record::PutCounts counts;
  const auto files = trees().files(first.digest);
  const auto without = trees().put({}, std::vector<record::FolderFile>{files[1]}, "d", {}, counts);
  EXPECT_EQ(commits().rewrite(first.digest, without.digest, {{"reason", "asked"}}), 1);
  const auto now = commits().find("d", "main");
  EXPECT_EQ(now->id, first.id);
  EXPECT_EQ(now->digest, without.digest);
  EXPECT_EQ(now->meta["forgotten"][0]["reason"], "asked");
  EXPECT_FALSE(store_->artifacts().find(first.digest).has_value());
  EXPECT_FALSE(store_->steps().find(step.key).has_value());
  EXPECT_EQ(collect(false).blobs, 2);  // the file and the listing
  EXPECT_EQ(error_of([&] { store_->artifacts().path_of(base::digest_of("secret")); }).code(), Code::kNotFound);
  EXPECT_TRUE(verify().problems.empty());
}

}  // namespace
}  // namespace slipway::store
