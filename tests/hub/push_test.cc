// Up: what is new or changed, large files in parts, and nothing that is not meant.
#include "base/hash.h"
#include "hub/fixture.h"

namespace slipway::hub {
namespace {

class Push : public HubTest {};

TEST_F(Push, SendsWhatIsNewOrChanged) {
  Contents files = {{"a.txt", "a"}, {"b/large.bin", many_bytes(2'000'000, 1)}, {"c/large.bin", many_bytes(2'000'000, 1)}, {"empty", ""}};
  const Pushed first = push_files("hf://datasets/ns/r", files);
  EXPECT_EQ(first.files, 4U);
  EXPECT_EQ(read_files(pull_all("hf://datasets/ns/r", options())), files);
  EXPECT_EQ(push_files("hf://datasets/ns/r", files).commit, first.commit);
  files["a.txt"] = "changed";
  const Pushed second = push_files("hf://datasets/ns/r", files);
  EXPECT_EQ(second.files, 1U);
  EXPECT_EQ(second.unchanged, 3U);
  EXPECT_NE(second.commit, first.commit);
  EXPECT_EQ(base::read_file(pull_all("hf://datasets/ns/r", options(), "again") / "a.txt"), "changed");
}

TEST_F(Push, LeavesHiddenFilesHere) {
  push_files("hf://ns/r", {{"a", "1"}, {".git/config", "x"}, {".env", "secret"}, {"b.partial", "x"}, {".gitattributes", "x"}});
  EXPECT_EQ(read_files(pull_all("hf://ns/r", options())), (Contents{{"a", "1"}, {".gitattributes", "x"}}));
}

TEST_F(Push, LeavesWhatIgnoreFilesName) {
  const Contents files = {{".gitignore", "*.log\n/out/\n"},   {"a.log", "x"},           {"b.txt", "1"},  {"out/c.txt", "x"}, {"in/out/d.txt", "2"},
                          {"in/.gitignore", "!keep.log\n*.tmp"}, {"in/keep.log", "3"}, {"in/e.tmp", "x"}, {"e.tmp", "4"}};
  const Pushed pushed = push_files("hf://ns/r", files);
  Contents kept = files;
  for (const char* path : {"a.log", "out/c.txt", "in/e.tmp"}) {
    kept.erase(path);
  }
  EXPECT_EQ(pushed.ignored, 3U);
  EXPECT_EQ(read_files(pull_all("hf://ns/r", options())), kept);
  // A folder without rules of its own is held to those of the repository.
  EXPECT_EQ(push_files("hf://ns/r", {{"new.log", "x"}, {"new.txt", "5"}}).ignored, 1U);
  kept["new.txt"] = "5";
  EXPECT_EQ(read_files(pull_all("hf://ns/r", options(), "again")), kept);
  EXPECT_THROW(push_files("hf://ns/s", {{"a", "1"}, {".gitignore", "*\n"}}), base::Error);
}

TEST_F(Push, WhatIsNoFolderIsRefused) {
  const Address address = parse_address("hf://ns/r");
  EXPECT_THROW(push(options(), {dir_.path() / "none", address, "m", {}, false}, progress_), base::Error);
  write_files(dir_.path(), {{"file", "x"}});
  EXPECT_THROW(push(options(), {dir_.path() / "file", address, "m", {}, false}, progress_), base::Error);
  base::make_dirs(dir_.path() / "nothing");
  EXPECT_THROW(push(options(), {dir_.path() / "nothing", address, "m", {}, false}, progress_), base::Error);
  EXPECT_THROW(push_files("hf://ns/r@nowhere", {{"a", "1"}}), base::Error);
}

TEST_F(Push, LargeFilesGoInParts) {
  const std::string bytes = many_bytes((size_t{64} << 20) + 12'345, 7);  // of two parts
  push_files("hf://ns/r", {{"large.bin", bytes}});
  EXPECT_EQ(base::sha256_file(pull_all("hf://ns/r", options()) / "large.bin"), base::sha256_hex(bytes));
}

}  // namespace
}  // namespace slipway::hub
