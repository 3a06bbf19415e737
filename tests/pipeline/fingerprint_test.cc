#include "pipeline/fingerprint.h"

#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "pipeline/fixture.h"

namespace slipway::pipeline {
namespace {

namespace fs = std::filesystem;
using base::Code;

class Files : public PipelineTest {
 protected:
  std::string digest(const fs::path& path, int64_t settle_ns = 0) {
    FileDigests digests(store_->steps(), settle_ns);
    std::string result = digests.of({path}, "collect").at(path.string());
    read_ = digests.bytes_read();
    return result;
  }
  fs::path file_ = dir_.path() / "x.tsv";
  uint64_t read_ = 0;
};

TEST_F(Files, AreReadOnceWhileTheirStateIsTheSame) {
  base::write_file_atomic(file_, "one");
  EXPECT_EQ(digest(file_), base::digest_of("one"));
  EXPECT_EQ(read_, 3U);
  EXPECT_EQ(digest(file_), base::digest_of("one"));
  EXPECT_EQ(read_, 0U);
  fs::last_write_time(file_, fs::last_write_time(file_) + std::chrono::seconds(1));  // touched: read, and the same
  EXPECT_EQ(digest(file_), base::digest_of("one"));
  EXPECT_EQ(read_, 3U);
}

TEST_F(Files, AChangeIsFoundEvenWithTheSameSizeAndTime) {
  base::write_file_atomic(file_, "one");
  const auto time = fs::last_write_time(file_);
  digest(file_);
  base::write_file_atomic(file_, "two");  // another inode
  fs::last_write_time(file_, time);
  EXPECT_EQ(digest(file_), base::digest_of("two"));
  if (FILE* file = std::fopen(file_.c_str(), "r+")) {  // the same inode: only ctime tells
    std::fputs("TWO", file);
    std::fclose(file);
  }
  fs::last_write_time(file_, time);
  EXPECT_EQ(digest(file_), base::digest_of("TWO"));
}

TEST_F(Files, ThatJustChangedAreNotTrusted) {
  base::write_file_atomic(file_, "one");
  digest(file_, int64_t{3600} * 1'000'000'000);
  digest(file_, int64_t{3600} * 1'000'000'000);
  EXPECT_EQ(read_, 3U);
}

TEST_F(Files, AFolderIsItsFilesAndTheirNames) {
  const fs::path data = dir_.path() / "data";
  base::make_dirs(data / "sub");
  base::write_file_atomic(data / "a", "1");
  base::write_file_atomic(data / "sub" / "b", "2");
  const std::string before = digest(data);
  EXPECT_EQ(digest(data), before);
  EXPECT_EQ(read_, 0U);
  fs::rename(data / "a", data / "c");
  const std::string renamed = digest(data);
  EXPECT_NE(renamed, before);
  fs::rename(data / "c", data / "a");
  EXPECT_EQ(digest(data), before);
  base::write_file_atomic(data / "sub" / "b", "3");
  EXPECT_NE(digest(data), before);
}

TEST_F(Files, ThatAreMissingOrSpecialNameTheStep) {
  const auto missing = error_of([&] { digest(dir_.path() / "none"); });
  EXPECT_EQ(missing.code(), Code::kNotFound);
  EXPECT_NE(std::string(missing.what()).find("step 'collect'"), std::string::npos);
  ASSERT_EQ(::mkfifo((dir_.path() / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { digest(dir_.path() / "pipe"); }).code(), Code::kInvalid);
}

TEST(Fingerprint, DependsOnAllThatTheResultDependsOnAndNothingElse) {
  Step step;
  step.name = "train";
  step.needs = {"split"};
  step.config = {{"a", 1}, {"b", 2}};
  const Outputs outputs = {{"split", {{"train", "sha256:1"}}}, {"other", {{"x", "sha256:9"}}}};
  const std::string key = fingerprint(step, outputs, {}).key;
  EXPECT_EQ(key.size(), 64U);
  Step same = step;
  same.config = {{"b", 2}, {"a", 1}};  // the order of keys means nothing
  EXPECT_EQ(fingerprint(same, outputs, {}).key, key);
  Step other = step;
  other.name = "train2";
  EXPECT_NE(fingerprint(other, outputs, {}).key, key);
  other = step;
  other.code_version = 2;
  EXPECT_NE(fingerprint(other, outputs, {}).key, key);
  other = step;
  other.config["a"] = 2;
  EXPECT_NE(fingerprint(other, outputs, {}).key, key);
  EXPECT_NE(fingerprint(step, {{"split", {{"train", "sha256:2"}}}}, {}).key, key);
  EXPECT_NE(fingerprint(step, outputs, {{"f", "sha256:1"}}).key, key);
}

std::string told(const Json& before, const Json& now) {
  const Json a = {{"config", before}};
  const Json b = {{"config", now}};
  return fmt::format("{}", fmt::join(differences(a, b, true), "; "));
}

TEST(Differences, SayWhatChangedByItsPath) {
  EXPECT_EQ(told({{"epochs", 2}}, {{"epochs", 3}}), "configuration changed: epochs 2 -> 3");
  EXPECT_EQ(told({{"t", {{"lr", 0.1}}}}, {{"t", {{"lr", 0.2}}}}), "configuration changed: t.lr 0.1 -> 0.2");
  EXPECT_EQ(told({{"a", 1}}, {{"b", 1}}), "configuration changed: a removed; configuration changed: b added");
  EXPECT_EQ(told({{"a", {1, 2}}}, {{"a", {1}}}), "configuration changed: a [1,2] -> [1]");
  EXPECT_EQ(told({{"a", 1}, {"b", 2}}, {{"b", 2}, {"a", 1}}), "");
  EXPECT_EQ(told(1, nullptr), "configuration changed: it was 1 -> null");
  Json many = Json::object();
  for (int i = 0; i < 20; ++i) {
    many[std::to_string(i)] = i;
  }
  EXPECT_TRUE(told(Json::object(), many).ends_with("configuration changed: 12 more"));
  const std::string longer = told({{"a", std::string(100, 'x')}}, {{"a", "\xE4\xBD\xA0"}});
  EXPECT_LT(longer.size(), 150U);
}

TEST(Differences, CoverCodeInputsAndFiles) {
  const Json before = {{"code_version", 1},
                       {"needs", {{"split", {{"train", "1"}, {"gone", "1"}}}, {"old", Json::object()}}},
                       {"files", {{"a", "1"}, {"b", "1"}}}};
  const Json now = {{"code_version", 2},
                    {"needs", {{"split", {{"train", "2"}}}, {"new", Json::object()}}},
                    {"files", {{"a", "2"}, {"c", "1"}}}};
  const std::vector<std::string> expected = {"code version 1 -> 2",
                                             "input train of 'split' changed",
                                             "input gone of 'split' is gone",
                                             "it now needs 'new'",
                                             "it no longer needs 'old'",
                                             "file a changed",
                                             "file c added",
                                             "file b removed"};
  EXPECT_EQ(differences(before, now, true), expected);
  EXPECT_EQ(differences(before, now, false).size(), 4U);
}

}  // namespace
}  // namespace slipway::pipeline
