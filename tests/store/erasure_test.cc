// Contents and texts that others take the place of: everywhere, with the ids that were.
#include "store/erasure.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/hash.h"
#include "record/hub.h"
#include "store/fixture.h"

namespace slipway::store {
namespace {

class ErasureStore : public StoreTest {
 protected:
  std::string read(int64_t repo, const std::string& revision, const std::string& path) {
    const auto file = store_->hub().files().find(repo, revision, path);
    return file ? base::read_file(store_->artifacts().path_of(file->digest)) : "(none)";
  }
};

TEST_F(ErasureStore, AContentIsReplacedInAllCommitsAndTrackedFiles) {
  record::HubRepo repo;
  repo.type = "dataset";
  repo.name = "ns/stories";
  repo = store_->hub().repos().create(repo);
  std::string first;
  std::string second;
  for (const std::string other : {"1", "2"}) {
    const auto draft = store_->hub().revisions().begin_commit(repo.number);
    draft->put("data/rows.jsonl", "the old rows\n");
    draft->put("other.txt", other);
    (first.empty() ? first : second) = draft->commit("main", {"title", "message", "", {}}).id;
  }
  const auto writer = store_->tracking().files().begin("1/run/artifacts/rows.jsonl");
  writer->write("the old rows\n");
  writer->commit();
  const auto names = named_contents(*store_);
  const std::string digest = base::digest_of("the old rows\n");
  std::vector<std::string> held;
  for (const NamedContent& name : names) {
    if (name.digest == digest) {
      held.push_back(name.where + " " + name.path);
    }
  }
  EXPECT_EQ(held, (std::vector<std::string>{"hub dataset ns/stories data/rows.jsonl", "files 1/run/artifacts/rows.jsonl"}));
  const base::TempDir folder;
  base::write_file_atomic(folder.path() / "new", "new rows\n");
  EXPECT_GE(replace_content(*store_, digest, folder.path() / "new"), 2);
  for (const std::string& commit : {first, second}) {
    EXPECT_EQ(read(repo.number, commit, "data/rows.jsonl"), "new rows\n");
    EXPECT_EQ(store_->hub().files().find(repo.number, commit, "data/rows.jsonl")->oid, base::git_blob_id("new rows\n"));
  }
  EXPECT_EQ(read(repo.number, first, "other.txt"), "1");
  EXPECT_EQ(store_->tracking().files().find("1/run/artifacts/rows.jsonl")->size, 9U);
  for (const NamedContent& name : named_contents(*store_)) {
    EXPECT_NE(name.digest, digest);
  }
}

TEST_F(ErasureStore, TextsOfTracesAreRewrittenWhereTheyAreAsked) {
  record::Trace trace;
  trace.id = "tr-" + std::string(32, 'a');
  trace.experiment_id = "0";
  trace.request_preview = "who is Ann?";
  trace.tags = {{"note", "Ann's"}, {"other", "kept"}};
  store_->tracking().traces().traces().start(trace, true);
  record::SpanBatch batch;
  batch.trace_id = trace.id;
  batch.spans = {{std::string(16, '1'), "", "root", "LLM", "OK", 1, 2, R"({"inputs":"who is Ann?"})"}, {std::string(16, '2'), std::string(16, '1'), "child", "", "OK", 1, 2, "{}"}};
  store_->tracking().traces().traces().add_spans("0", std::span(&batch, 1));
  std::vector<std::string> seen;
  const auto rewrite = [&](const StoredText& where, const std::string& text) -> std::optional<std::string> {
    EXPECT_EQ(where.owner, trace.id);
    if (text.find("Ann") == std::string::npos) {
      return std::nullopt;
    }
    seen.push_back(where.table + "." + where.column);
    return where.table == "spans" ? R"({"inputs":"[forgotten]"})" : "[forgotten]";
  };
  EXPECT_EQ(rewrite_texts(*store_, rewrite), 3);
  EXPECT_EQ(seen, (std::vector<std::string>{"traces.request", "spans.content", "trace_tags.value"}));
  const auto found = store_->tracking().traces().traces().find(trace.id, true);
  EXPECT_EQ(found->request_preview, "[forgotten]");
  EXPECT_EQ(found->spans[0].content, R"({"inputs":"[forgotten]"})");
  EXPECT_EQ(found->spans[1].content, "{}");
  seen.clear();
  EXPECT_EQ(rewrite_texts(*store_, rewrite), 0);
  EXPECT_TRUE(seen.empty());
}

}  // namespace
}  // namespace slipway::store
