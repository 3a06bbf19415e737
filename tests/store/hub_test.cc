// Repositories: what a commit holds is what was put into it, on every branch, page by page; all of a commit or nothing.
#include <fmt/format.h>
#include <map>
#include <random>
#include <set>

#include "base/hash.h"
#include "record/hub.h"
#include "store/fixture.h"

namespace slipway::store {
namespace {

using base::Code;
using record::HubMissing;
using record::HubRepo;

class HubStore : public StoreTest {
 protected:
  record::Hub& hub() { return store_->hub(); }
  HubRepo make(const std::string& name = "ns/r", const std::string& type = "model") {
    HubRepo repo;
    repo.type = type;
    repo.name = name;
    return hub().repos().create(repo);
  }
  using Contents = std::map<std::string, std::string>;
  // "" removes.
  std::string commit(const HubRepo& repo, const Contents& files, const std::string& branch = "main",
                     const std::string& parent = "") {
    const auto draft = hub().revisions().begin_commit(repo.number);
    for (const auto& [path, bytes] : files) {
      if (bytes.empty()) {
        draft->remove(path);
      } else {
        draft->put(path, bytes);
      }
    }
    return draft->commit(branch, {"title", "message", parent, {}}).id;
  }
  std::string upload(const std::string& bytes) {
    const auto writer = hub().files().begin_upload(false);
    writer->write(bytes);
    return writer->commit().digest;
  }
  std::vector<std::string> list(const HubRepo& repo, const std::string& revision, record::HubListing listing) {
    std::vector<std::string> paths;
    do {
      const record::HubPage page = hub().files().list(repo.number, revision, listing);
      EXPECT_FALSE(page.entries.empty() && !page.next.empty());
      for (const record::HubEntry& entry : page.entries) {
        paths.push_back(entry.file.path + (entry.folder ? "/" : ""));
      }
      listing.from = page.next;
    } while (!listing.from.empty());
    return paths;
  }
  Contents read(const HubRepo& repo, const std::string& revision) {
    Contents contents;
    record::HubListing listing;
    listing.recursive = true;
    listing.limit = 1'000'000;
    const record::HubPage page = hub().files().list(repo.number, revision, listing);
    for (const record::HubEntry& entry : page.entries) {
      if (!entry.folder) {
        contents[entry.file.path] = base::read_file(hub().files().blob_of(entry.file.digest));
      }
    }
    return contents;
  }
  template <class Action>
  HubMissing::What missing(Action&& action) {
    try {
      action();
    } catch (const HubMissing& error) {
      return error.missing;
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    ADD_FAILURE() << "nothing is missing";
    return HubMissing::What::kRepo;
  }
};

TEST_F(HubStore, ACommitHoldsWhatWasPutIntoIt) {
  const HubRepo repo = make();
  EXPECT_EQ(read(repo, "main"), Contents());
  const std::string first = commit(repo, {{"a.txt", "one"}, {"d/e/f", "two"}});
  const std::string second = commit(repo, {{"a.txt", "three"}, {"d/e/f", ""}, {"g", "four"}});
  EXPECT_EQ(read(repo, first), (Contents{{"a.txt", "one"}, {"d/e/f", "two"}}));
  EXPECT_EQ(read(repo, "main"), (Contents{{"a.txt", "three"}, {"g", "four"}}));
  reopen();
  EXPECT_EQ(read(repo, second), (Contents{{"a.txt", "three"}, {"g", "four"}}));
  const auto file = hub().files().find(repo.number, "main", "a.txt");
  EXPECT_EQ(file->oid, base::git_blob_id("three"));
  EXPECT_EQ(file->oid, "1d19714ffbc272ba0da6eb419d66123c20527174");  // git hash-object
  EXPECT_EQ(file->commit.id, second);
  EXPECT_FALSE(hub().files().find(repo.number, "main", "d/e/f"));
  EXPECT_FALSE(hub().files().find(repo.number, "main", "d"));
  const auto history = hub().revisions().history(repo.number, "main", 0, 2);
  EXPECT_EQ(history.items.front().id, second);
  EXPECT_TRUE(history.more);
  EXPECT_EQ(hub().revisions().history(repo.number, "main", 2, 2).items.front().title, "initial commit");
}

TEST_F(HubStore, BranchesAndTagsGoTheirOwnWays) {
  const HubRepo repo = make();
  const std::string first = commit(repo, {{"a", "1"}, {"b", "1"}});
  hub().revisions().add_ref(repo.number, {"dev", false, "main", ""});
  hub().revisions().add_ref(repo.number, {"v1", true, first, "a tag"});
  const std::string dev = commit(repo, {{"a", "2"}}, "dev");
  const std::string main = commit(repo, {{"b", ""}, {"c", "1"}});
  hub().revisions().add_ref(repo.number, {"deep", false, dev, ""});
  commit(repo, {{"d", "1"}}, "dev");
  const std::string deep = commit(repo, {{"b", "3"}}, "deep");
  EXPECT_EQ(read(repo, "v1"), (Contents{{"a", "1"}, {"b", "1"}}));
  EXPECT_EQ(read(repo, "main"), (Contents{{"a", "1"}, {"c", "1"}}));
  EXPECT_EQ(read(repo, "dev"), (Contents{{"a", "2"}, {"b", "1"}, {"d", "1"}}));
  EXPECT_EQ(read(repo, deep), (Contents{{"a", "2"}, {"b", "3"}}));
  const auto history = hub().revisions().history(repo.number, "deep", 0, 10).items;
  ASSERT_EQ(history.size(), 4U);
  EXPECT_EQ(history[1].id, dev);
  EXPECT_EQ(history[2].id, first);
  EXPECT_EQ(error_of([&] { hub().revisions().add_ref(repo.number, {"v1", false, "main", ""}); }).code(), Code::kConflict);
  EXPECT_EQ(missing([&] { commit(repo, {{"x", "1"}}, "v1"); }), HubMissing::What::kRevision);
  EXPECT_EQ(missing([&] { hub().revisions().add_ref(repo.number, {"n", true, "nothing", ""}); }), HubMissing::What::kRevision);
  hub().revisions().remove_ref(repo.number, "dev", false);
  EXPECT_EQ(missing([&] { read(repo, "dev"); }), HubMissing::What::kRevision);
  EXPECT_EQ(read(repo, dev), (Contents{{"a", "2"}, {"b", "1"}}));
  EXPECT_EQ(missing([&] { hub().revisions().remove_ref(repo.number, "v1", false); }), HubMissing::What::kRevision);
  (void)main;
}

TEST_F(HubStore, WhatCannotBeCommittedChangesNothing) {
  const HubRepo repo = make();
  const std::string first = commit(repo, {{"a", "1"}, {"d/x", "1"}});
  commit(repo, {{"b", "1"}});
  const Contents before = read(repo, "main");
  const auto invalid = [&](const Contents& files) {
    EXPECT_EQ(error_of([&] { commit(repo, files); }).code(), Code::kInvalid) << files.begin()->first;
  };
  EXPECT_EQ(error_of([&] { commit(repo, {{"c", "1"}}, "main", first); }).code(), Code::kConflict);
  EXPECT_EQ(missing([&] { commit(repo, {{"c", "1"}, {"none", ""}}); }), HubMissing::What::kEntry);
  EXPECT_EQ(missing([&] { commit(repo, {{"c", "1"}}, "nowhere"); }), HubMissing::What::kRevision);
  invalid({{"a/b", "1"}});             // a is a file
  invalid({{"d", "1"}});               // d is a folder
  invalid({{"e", "1"}, {"e/f", "1"}});  // within one commit
  invalid({{"c", "1"}, {"../x", "1"}});
  invalid({{"/etc/passwd", "1"}});
  invalid({{std::string("n\0l", 3), "1"}});
  invalid({{"a//b", "1"}});
  invalid({{std::string(5000, 'p'), "1"}});
  EXPECT_EQ(read(repo, "main"), before);
  commit(repo, {{"a", ""}, {"a/b", "1"}, {"d/x", ""}, {"d", "2"}});  // a file becomes a folder, and the reverse
  EXPECT_EQ(read(repo, "main"), (Contents{{"a/b", "1"}, {"b", "1"}, {"d", "2"}}));
  const auto draft = hub().revisions().begin_commit(repo.number);
  draft->remove_folder("a/");
  draft->put("a/c", "3");
  draft->commit("main", {"t", "", "", {}});
  EXPECT_EQ(read(repo, "main"), (Contents{{"a/c", "3"}, {"b", "1"}, {"d", "2"}}));
}

TEST_F(HubStore, LargeFilesAreUploadedFirst) {
  const HubRepo repo = make();
  const std::string digest = upload("large");
  EXPECT_EQ(hub().files().find_upload(digest), 5U);
  EXPECT_EQ(hub().files().find_upload(base::digest_of("never")), std::nullopt);
  const auto put = [&](const std::string& named, std::optional<uint64_t> size) {
    const auto draft = hub().revisions().begin_commit(repo.number);
    draft->put_lfs("w", named, size);
    draft->commit("main", {"t", "", "", {}});
  };
  EXPECT_EQ(error_of([&] { put(base::digest_of("never"), {}); }).code(), Code::kInvalid);
  EXPECT_EQ(error_of([&] { put(digest, 6); }).code(), Code::kInvalid);
  EXPECT_EQ(error_of([&] { put("sha256:../../x", {}); }).code(), Code::kInvalid);
  // A blob of the store that is no file of the hub's is none that its names lead to.
  const auto other = store_->artifacts().put_bytes("private", "file", "x", {});
  EXPECT_EQ(error_of([&] { put(other.digest, {}); }).code(), Code::kInvalid);
  put(digest, {});
  const auto file = hub().files().find(repo.number, "main", "w");
  EXPECT_TRUE(file->lfs);
  EXPECT_EQ(file->size, 5U);
  EXPECT_EQ(file->oid, base::git_blob_id(record::lfs_pointer(digest, 5)));
}

TEST_F(HubStore, GarbageIsWhatNoFileAndNoRecentUploadNames) {
  const HubRepo repo = make();
  const std::string kept = upload("kept");
  const std::string lost = upload("lost");
  commit(repo, {{"a", "old"}});
  commit(repo, {{"a", "new"}});
  {
    const auto draft = hub().revisions().begin_commit(repo.number);  // holds garbage collection up while it lives
    draft->put_lfs("k", kept, {});
    draft->commit("main", {"t", "", "", {}});
  }
  hub().files().name_upload("block", lost);
  EXPECT_EQ(hub().files().find_named("block"), lost);
  EXPECT_EQ(collect(false).blobs, 0);
  clock_.advance(int64_t{20} * 24 * 3600 * 1000);
  upload("another");  // makes room for the rest
  EXPECT_EQ(collect(false).blobs, 1);
  EXPECT_EQ(hub().files().find_upload(lost), std::nullopt);
  EXPECT_EQ(hub().files().find_named("block"), std::nullopt);
  EXPECT_EQ(hub().files().find_upload(kept), 4U);
  EXPECT_TRUE(verify().problems.empty());
  hub().repos().remove(repo.number);
  EXPECT_FALSE(hub().repos().find("model", "ns/r"));
  EXPECT_EQ(collect(false).blobs, 2);  // old, new; what was asked for now is kept another while
}

TEST_F(HubStore, RepositoriesAreFoundByNameAuthorAndTag) {
  make("a/one");
  make("a/two");
  make("b/One_x");
  make("a/one", "dataset");
  EXPECT_EQ(error_of([&] { make("a/one"); }).code(), Code::kConflict);
  const auto names = [&](const record::HubSearch& search) {
    std::string text;
    for (const HubRepo& repo : hub().repos().search(search).items) {
      text += repo.name + " ";
    }
    return text;
  };
  EXPECT_EQ(names({.type = "model"}), "a/one a/two b/One_x ");
  EXPECT_EQ(names({.type = "model", .text = "ONE"}), "a/one b/One_x ");
  EXPECT_EQ(names({.type = "model", .text = "_"}), "b/One_x ");
  EXPECT_EQ(names({.type = "model", .author = "a", .limit = 1, .offset = 1}), "a/two ");
  EXPECT_EQ(names({.type = "dataset"}), "a/one ");
  const HubRepo two = *hub().repos().find("model", "a/two");
  const auto draft = hub().revisions().begin_commit(two.number);
  draft->put("README.md", "x");
  draft->commit("main", {"t", "", "", record::Json{{"tags", {"small", "license:mit"}}, {"data", record::Json::object()}}});
  EXPECT_EQ(names({.type = "model", .tags = {"license:mit"}}), "a/two ");
  hub().repos().change(two.number, {"c/moved", true});
  EXPECT_EQ(names({.type = "model", .tags = {"small", "license:mit"}}), "c/moved ");
  EXPECT_TRUE(hub().repos().find("model", "c/moved")->hidden);
  EXPECT_EQ(error_of([&] { hub().repos().change(two.number, {"a/one", {}}); }).code(), Code::kConflict);
}

// Random commits on random branches beside a plain map of each branch.
TEST_F(HubStore, AnyHistoryReadsAsAMapWould) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  SCOPED_TRACE(fmt::format("seed {}", seed));
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const HubRepo repo = make();
  const std::vector<std::string> paths = {"a", "a-b", "a.c", "a0", "b/x", "b/y/z", "b/y.z", "b/y/é", "c/d/e/f", "c/d/e0", "c/d.e"};
  std::map<std::string, Contents> branches = {{"main", {}}};
  std::map<std::string, Contents> commits;
  for (int step = 0; step < 60; ++step) {
    auto it = branches.begin();
    std::advance(it, pick(static_cast<int>(branches.size())));
    if (pick(6) == 0) {
      const std::string name = fmt::format("b{}", step);
      hub().revisions().add_ref(repo.number, {name, false, it->first, ""});
      branches[name] = it->second;
      continue;
    }
    Contents change;
    for (int i = 0; i < 3; ++i) {
      const std::string& path = paths[static_cast<size_t>(pick(static_cast<int>(paths.size())))];
      const bool remove = it->second.contains(path) && pick(3) == 0;
      change[path] = remove ? "" : fmt::format("{} {}", step, i);
    }
    const std::string id = commit(repo, change, it->first);
    for (const auto& [path, bytes] : change) {
      if (bytes.empty()) {
        it->second.erase(path);
      } else {
        it->second[path] = bytes;
      }
    }
    commits[id] = it->second;
  }
  for (const auto& [id, contents] : commits) {
    EXPECT_EQ(read(repo, id), contents);
  }
  for (const auto& [name, contents] : branches) {
    std::set<std::string> all;
    std::set<std::string> top;
    for (const auto& [path, bytes] : contents) {
      all.insert(path);
      top.insert(path.substr(0, path.find('/')) + (path.find('/') == std::string::npos ? "" : "/"));
      for (size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
        all.insert(path.substr(0, slash) + "/");
      }
      EXPECT_EQ(base::read_file(hub().files().blob_of(hub().files().find(repo.number, name, path)->digest)), bytes);
    }
    for (const int limit : {1, 2, 3, 1000}) {
      record::HubListing listing;
      listing.limit = limit;
      const auto flat = list(repo, name, listing);
      EXPECT_EQ(std::set(flat.begin(), flat.end()), top);
      EXPECT_EQ(flat.size(), top.size());
      listing.recursive = true;
      listing.commits = true;
      const auto deep = list(repo, name, listing);
      EXPECT_EQ(std::set(deep.begin(), deep.end()), all) << limit;
      EXPECT_EQ(deep.size(), all.size()) << limit;
    }
  }
}

}  // namespace
}  // namespace slipway::store
