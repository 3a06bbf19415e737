#include "store/blobs.h"

#include <fmt/format.h>
#include <fstream>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/path.h"
#include "store/fixture.h"

namespace slipway::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::read_file;
using base::write_file_atomic;
using Artifacts = StoreTest;

// Replaces a blob's bytes as a failing disk would.
void damage(const fs::path& blob, const std::string& bytes) {
  fs::permissions(blob, fs::perms::owner_all);
  write_file_atomic(blob, bytes);
}

TEST_F(Artifacts, PutTheSameBytesOnceWhateverTheWay) {
  auto& artifacts = store_->artifacts();
  const auto first = artifacts.put_bytes("hello", "report", "a.html", {{"k", 1}});
  EXPECT_EQ(first.digest, base::digest_of("hello"));
  EXPECT_EQ(first.size, 5U);
  write_file_atomic(dir_.path() / "file", "hello");
  const auto second = artifacts.put_file(dir_.path() / "file", "other", "b", {});
  EXPECT_EQ(record::to_json(second), record::to_json(first));
  const fs::path path = artifacts.path_of(first.digest);
  EXPECT_EQ(read_file(path), "hello");
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0444U);
  EXPECT_EQ(path.parent_path().filename().string(), first.digest.substr(7, 2));
  EXPECT_EQ(record::to_json(artifacts.find(first.digest).value()), record::to_json(first));
  EXPECT_EQ(artifacts.put_bytes("", "file", "empty", {}).size, 0U);
}

TEST_F(Artifacts, ListNewestFirstByKind) {
  auto& artifacts = store_->artifacts();
  for (const char* text : {"1", "2", "3"}) {
    artifacts.put_bytes(text, *text == '2' ? "b" : "a", text, {});
    clock_.advance(1);
  }
  ASSERT_EQ(artifacts.list("a", 9).size(), 2U);
  EXPECT_EQ(artifacts.list("a", 9)[0].name, "3");
  EXPECT_EQ(artifacts.list("", 2).size(), 2U);
}

TEST_F(Artifacts, NeverTrustATextForAPath) {
  for (const char* text : {"", "sha256:", "../../etc/passwd", "sha256:../../../etc/passwd", "SHA256:00"}) {
    EXPECT_EQ(error_of([&] { store_->artifacts().path_of(text); }).code(), Code::kInvalid) << text;
  }
  const std::string unknown = "sha256:" + std::string(64, '0');
  EXPECT_EQ(error_of([&] { store_->artifacts().path_of(unknown); }).code(), Code::kNotFound);
  EXPECT_EQ(error_of([&] { store_->artifacts().checkout(unknown, dir_.path() / "x", false); }).code(), Code::kNotFound);
}

TEST_F(Artifacts, AFolderGoesInAndComesOutTheSame) {
  const fs::path in = dir_.path() / "in";
  base::make_dirs(in / "sub" / "deep");
  base::make_dirs(in / "empty");
  write_file_atomic(in / "config.json", "{}");
  write_file_atomic(in / "sub" / "deep" / "a b.txt", "text");
  write_file_atomic(in / "sub.txt", std::string(3 << 20, 'x'));
  auto& artifacts = store_->artifacts();
  const auto folder = artifacts.put_folder(in, "model", "m", {});
  EXPECT_EQ(folder.size, 2U + 4U + (3U << 20U));
  EXPECT_EQ(artifacts.put_folder(in, "model", "m", {}).digest, folder.digest);
  const auto entries = Blobs(this->folder() / "blobs").read_listing(folder.digest);
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].path, "config.json");
  EXPECT_EQ(entries[1].path, "sub.txt");
  EXPECT_EQ(entries[2].path, "sub/deep/a b.txt");
  for (const bool verify : {false, true}) {
    const fs::path out = dir_.path() / "new" / (verify ? "verified/" : "plain");
    artifacts.checkout(folder.digest, out, verify);
    EXPECT_EQ(artifacts.put_folder(out, "model", "m", {}).digest, folder.digest);
    EXPECT_EQ(error_of([&] { artifacts.checkout(folder.digest, out, verify); }).code(), Code::kConflict);
  }
}

TEST_F(Artifacts, ManySmallFilesGoInTogetherWithLargeOnesAmongThem) {
  const fs::path in = dir_.path() / "in";
  base::make_dirs(in / "sub");
  std::map<std::string, std::string> files;
  for (int i = 0; i < 200; ++i) {
    files[i % 2 == 0 ? fmt::format("{}.txt", i) : fmt::format("sub/{}", i)] = std::string(static_cast<size_t>(i % 150) * 7, 'a');
  }
  files["empty"] = "";
  files["exactly"] = std::string(65536, 'e');
  files["above"] = std::string(65537, 'f');
  files["large"] = std::string(3 << 20, 'g');
  for (const auto& [path, bytes] : files) {
    std::ofstream(in / path, std::ios::binary) << bytes;
  }
  auto& artifacts = store_->artifacts();
  const auto folder = artifacts.put_folder(in, "dataset", "d", {});
  EXPECT_EQ(artifacts.put_folder(in, "dataset", "d", {}).digest, folder.digest);
  const auto entries = Blobs(this->folder() / "blobs").read_listing(folder.digest);
  ASSERT_EQ(entries.size(), files.size());
  for (const FolderEntry& entry : entries) {
    EXPECT_EQ(entry.size, files.at(entry.path).size());
    const fs::path blob = artifacts.path_of(entry.digest);
    EXPECT_EQ(read_file(blob), files.at(entry.path));
    struct stat info {};
    ASSERT_EQ(::stat(blob.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0444U);
  }
  artifacts.checkout(folder.digest, dir_.path() / "out", true);
  EXPECT_EQ(artifacts.put_folder(dir_.path() / "out", "dataset", "d", {}).digest, folder.digest);
  EXPECT_TRUE(verify().problems.empty());
  ASSERT_EQ(::mkfifo((in / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { artifacts.put_folder(in, "dataset", "d", {}); }).code(), Code::kInvalid);
  EXPECT_EQ(collect(true).leftovers, 0);
}

TEST_F(Artifacts, WritingToACheckoutDoesNotChangeTheBlob) {
  base::make_dirs(dir_.path() / "in");
  write_file_atomic(dir_.path() / "in" / "file", "original");
  auto& artifacts = store_->artifacts();
  const auto folder = artifacts.put_folder(dir_.path() / "in", "model", "m", {});
  artifacts.checkout(folder.digest, dir_.path() / "out", true);
  if (FILE* file = std::fopen((dir_.path() / "out" / "file").c_str(), "r+")) {  // may be refused, never goes through
    std::fputs("CHANGED!", file);
    std::fclose(file);
  }
  EXPECT_TRUE(verify().problems.empty());
  EXPECT_EQ(read_file(artifacts.path_of(base::digest_of("original"))), "original");
}

TEST_F(Artifacts, SymbolicLinksAndSpecialFilesAreRefused) {
  const fs::path in = dir_.path() / "in";
  base::make_dirs(in);
  write_file_atomic(in / "file", "x");
  fs::create_symlink("/etc/passwd", in / "link");
  auto& artifacts = store_->artifacts();
  const auto error = error_of([&] { artifacts.put_folder(in, "model", "m", {}); });
  EXPECT_EQ(error.code(), Code::kInvalid);
  EXPECT_NE(std::string(error.what()).find("symbolic link"), std::string::npos);
  fs::remove(in / "link");
  ASSERT_EQ(::mkfifo((in / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { artifacts.put_folder(in, "model", "m", {}); }).code(), Code::kInvalid);
  EXPECT_EQ(error_of([&] { artifacts.put_file(in / "pipe", "file", "m", {}); }).code(), Code::kInvalid);
  EXPECT_EQ(error_of([&] { artifacts.put_file(in, "file", "m", {}); }).code(), Code::kInvalid);
  EXPECT_EQ(error_of([&] { artifacts.put_folder(in / "file", "model", "m", {}); }).code(), Code::kInvalid);
  EXPECT_EQ(error_of([&] { artifacts.put_folder(in / "none", "model", "m", {}); }).code(), Code::kNotFound);
}

TEST_F(Artifacts, DamageIsFoundByCheckoutAndByVerify) {
  base::make_dirs(dir_.path() / "in");
  write_file_atomic(dir_.path() / "in" / "file", "original");
  auto& artifacts = store_->artifacts();
  const auto folder = artifacts.put_folder(dir_.path() / "in", "model", "m", {});
  EXPECT_EQ(verify().blobs, 2);
  const fs::path blob = artifacts.path_of(base::digest_of("original"));
  damage(blob, "Original");
  EXPECT_EQ(error_of([&] { artifacts.checkout(folder.digest, dir_.path() / "out", true); }).code(), Code::kIntegrity);
  EXPECT_FALSE(fs::exists(dir_.path() / "out"));
  ASSERT_EQ(verify().problems.size(), 1U);
  damage(blob, "cut");
  EXPECT_EQ(error_of([&] { artifacts.checkout(folder.digest, dir_.path() / "out", false); }).code(), Code::kIntegrity);
  fs::remove(blob);
  EXPECT_EQ(error_of([&] { artifacts.checkout(folder.digest, dir_.path() / "out", false); }).code(), Code::kNotFound);
  EXPECT_NE(verify().problems[0].find("missing"), std::string::npos);
  artifacts.put_folder(dir_.path() / "in", "model", "m", {});  // heals
  EXPECT_TRUE(verify().problems.empty());
}

TEST_F(Artifacts, GarbageIsWhatNoRecordNames) {
  base::make_dirs(dir_.path() / "in");
  write_file_atomic(dir_.path() / "in" / "file", "in a folder");
  auto& artifacts = store_->artifacts();
  artifacts.put_folder(dir_.path() / "in", "model", "m", {});
  artifacts.put_bytes("kept", "file", "k", {});
  Blobs blobs(folder() / "blobs");
  const Blob orphan = blobs.put_bytes("nobody's");
  write_file_atomic(folder() / "blobs" / "tmp-1-x", "left by a killed writer");
  const auto dry = collect(true);
  EXPECT_EQ(dry.blobs, 1);
  EXPECT_EQ(dry.bytes, 8U);
  EXPECT_EQ(dry.leftovers, 1);
  EXPECT_TRUE(blobs.contains(orphan.digest));
  EXPECT_EQ(collect(false).blobs, 1);
  EXPECT_FALSE(blobs.contains(orphan.digest));
  EXPECT_EQ(collect(false).blobs, 0);
  const auto report = verify();
  EXPECT_TRUE(report.problems.empty());
  EXPECT_EQ(report.blobs, 3);
  EXPECT_EQ(report.artifacts, 2);
}

TEST(Listing, IsSortedAndReadsBack) {
  const std::string digest = base::digest_of("x");
  const std::string bytes = listing_bytes({{"b/a", digest, 1}, {"a", digest, 1}, {"b.c", digest, 1}});
  EXPECT_EQ(bytes, "{\"files\":[{\"digest\":\"" + digest + "\",\"path\":\"a\",\"size\":1},{\"digest\":\"" + digest +
                       "\",\"path\":\"b.c\",\"size\":1},{\"digest\":\"" + digest +
                       "\",\"path\":\"b/a\",\"size\":1}],\"format\":\"slipway.folder/1\"}");
  EXPECT_EQ(parse_listing(bytes, "test").size(), 3U);
  EXPECT_TRUE(parse_listing(listing_bytes({}), "test").empty());
}

TEST(Listing, RefusesPathsThatLeaveTheFolder) {
  const std::string digest = base::digest_of("x");
  const std::string nul("a\0b", 3);
  const std::string paths[] = {"",
                               "/etc/passwd",
                               "..",
                               "../a",
                               "a/../b",
                               "a/./b",
                               "a//b",
                               "a/",
                               ".",
                               nul,
                               "a\nb",
                               "\xFF",
                               "\xC0\xAF",
                               "\xED\xA0\x80",
                               std::string(300, 'a'),
                               std::string(5000, 'a')};
  for (const std::string& path : paths) {
    EXPECT_THROW(base::check_entry_path(path), base::Error) << path;
    EXPECT_THROW(listing_bytes({{path, digest, 1}}), base::Error) << path;
  }
  for (const char* path : {"a", "a.b/c", "..a", "a..", "\xE4\xBD\xA0\xE5\xA5\xBD/\xF0\x9F\x8C\x8D", " "}) {
    EXPECT_NO_THROW(base::check_entry_path(path)) << path;
  }
  EXPECT_THROW(listing_bytes({{"a", digest, 1}, {"a", digest, 1}}), base::Error);
  EXPECT_THROW(listing_bytes({{"a", digest, 1}, {"a-b", digest, 1}, {"a/b", digest, 1}}), base::Error);
}

TEST(Listing, RefusesBrokenBytes) {
  const std::string good = listing_bytes({{"a", base::digest_of("x"), 1}});
  for (size_t cut = 0; cut < good.size(); ++cut) {
    EXPECT_THROW(parse_listing(good.substr(0, cut), "test"), base::Error) << cut;
  }
  for (const char* text :
       {R"({"files":[],"format":"slipway.folder/9"})", R"({"files":[1],"format":"slipway.folder/1"})",
        R"({"files":[{"path":"a","digest":"x","size":1}],"format":"slipway.folder/1"})",
        R"({"files":[{"path":1,"digest":"x","size":1}],"format":"slipway.folder/1"})", "[]", "null"}) {
    EXPECT_THROW(parse_listing(text, "test"), base::Error) << text;
  }
  std::string negative = good;
  negative.replace(negative.find("\"size\":1"), 8, "\"size\":-1");
  EXPECT_THROW(parse_listing(negative, "test"), base::Error);
  std::string without = good;
  without.replace(without.find("\"size\":1"), 8, "\"sizes\":1");
  EXPECT_THROW(parse_listing(without, "test"), base::Error);
  std::string twice = good;
  twice.insert(twice.size() - 1, ",\"files\":{}");
  EXPECT_THROW(parse_listing(twice, "test"), base::Error);
}

}  // namespace
}  // namespace slipway::store
