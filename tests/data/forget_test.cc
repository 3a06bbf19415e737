#include "data/forget.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/input.h"
#include "data/helpers.h"

namespace slipway::data {
namespace {

const std::string kText = "a \"quoted\" text of somebody, é";

ForgetTarget target_of(const std::string& key) {
  ForgetTarget target;
  target.fields = {"id", "author"};
  target.key = key;
  return target;
}

TEST(Forget, RowsAreFoundByKeyOfAnyTypeOrByText) {
  ForgetTarget target = target_of("7");
  EXPECT_TRUE(target.matches({{"id", 7}}));
  EXPECT_TRUE(target.matches({{"author", "7"}}));
  EXPECT_FALSE(target.matches({{"other", 7}}));
  EXPECT_FALSE(target.matches({{"id", "77"}}));
  EXPECT_FALSE(target.matches({{"id", "x"}, {"text", kText}}));
  target.learn({{"id", 7}, {"text", kText}});
  EXPECT_TRUE(target.matches({{"id", "x"}, {"text", kText}}));
  target.learn({{"text", ""}});
  EXPECT_FALSE(target.matches({{"text", ""}}));
  EXPECT_EQ(target.texts.size(), 1U);
}

TEST(Forget, AFileLosesOnlyItsRows) {
  const base::TempDir dir;
  const std::string rows = "{\"id\":1,\"text\":\"x\"}\nno row\n{\"id\":7}\n{\"id\":2}\n";
  base::write_file_atomic(dir.path() / "a.jsonl.zst", base::zstd_compress(rows));
  const ForgetTarget target = target_of("7");
  const auto found = find_rows(dir.path() / "a.jsonl.zst", "a.jsonl.zst", target);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].at, "a.jsonl.zst:3");
  EXPECT_EQ(write_without(dir.path() / "a.jsonl.zst", "a.jsonl.zst", target, dir.path() / "out"), 1);
  EXPECT_EQ(base::read_decompressed(dir.path() / "out"), "{\"id\":1,\"text\":\"x\"}\nno row\n{\"id\":2}\n");
}

TEST(Forget, TextsAreCountedAcrossPiecesPlainAndAsJsonWritesThem) {
  const base::TempDir dir;
  ForgetTarget target;
  target.learn({{"text", kText}});
  std::string content((size_t{1} << 20) - 10, '.');  // the first one lies across two pieces
  content += kText + "...." + base::dump_json(Json(kText)) + Json(kText).dump(-1, ' ', true);
  base::write_file_atomic(dir.path() / "plain", content);
  base::write_file_atomic(dir.path() / "packed", base::zstd_compress(content));
  EXPECT_EQ(count_texts(dir.path() / "plain", target), 3);
  EXPECT_EQ(count_texts(dir.path() / "packed", target), 3);
  ForgetTarget small;
  small.learn({{"text", "short"}});
  base::write_file_atomic(dir.path() / "plain", "short");
  EXPECT_EQ(count_texts(dir.path() / "plain", small), 0);  // others may have it by chance
}

TEST(Forget, JsonLosesObjectsOfListsAndTexts) {
  ForgetTarget target = target_of("7");
  target.learn({{"text", kText}});
  Json json = {{"examples", {{{"id", "7"}, {"n", 1}}, {{"id", "8"}}}}, {"nested", {{"text", "see: " + kText}, {"kept", 3}}}, {"begin", kText.substr(0, 24) + "…"}};
  EXPECT_EQ(scrub_json(json, target), 3);
  EXPECT_EQ(json.dump(), R"({"examples":[{"id":"8"}],"nested":{"text":"[forgotten]","kept":3},"begin":"[forgotten]"})");
  std::string html = "<p>" + std::string("a &quot;quoted&quot; text of somebody, é") + "</p>";
  EXPECT_EQ(scrub_text(html, target), 1);
  EXPECT_EQ(html, "<p>[forgotten]</p>");
}

TEST(Forget, AManifestCountsWhatIsLeft) {
  const base::TempDir dir;
  base::write_file_atomic(dir.path() / "train-00000.jsonl", "{\"id\":\"b\"}\n");
  const std::string other(64, '1');
  Json manifest = {{"rows", 3},
                   {"splits",
                    {{"train", {{"rows", 2}, {"text_bytes", 10}, {"labels", {{"x", 2}}}, {"shards", {{{"file", "train-00000.jsonl"}, {"sha256", "old"}, {"size", 9}, {"rows", 2}}}}}},
                     {"validation", {{"rows", 1}, {"shards", {{{"file", "v"}, {"sha256", other}, {"size", 1}, {"rows", 1}}}}}},
                     {"test", {{"rows", 0}, {"shards", Json::array()}}}}}};
  rewrite_manifest(manifest, {{"train-00000.jsonl", {dir.path() / "train-00000.jsonl", {{{"id", "a"}, {"text", "four"}, {"label", "x"}}}}}});
  const Json& train = manifest["splits"]["train"];
  const std::string digest = base::sha256_file(dir.path() / "train-00000.jsonl");
  EXPECT_EQ(manifest["rows"], 2);
  EXPECT_EQ(train["rows"], 1);
  EXPECT_EQ(train["text_bytes"], 6);
  EXPECT_EQ(train["labels"]["x"], 1);
  EXPECT_EQ(train["shards"][0]["sha256"], digest);
  EXPECT_EQ(train["shards"][0]["size"], 11);
  EXPECT_EQ(manifest["merkle_root"], base::merkle_root(std::vector<std::string>{digest, other}));
}

TEST(Forget, TextsOfTheRecordLoseItInJsonWithinJsonToo) {
  ForgetTarget target = target_of("u1");
  const std::string long_text = "a longer text that somebody wrote about what happened on that day in May";
  target.learn({{"id", "u1"}, {"text", long_text}});
  const auto scrubbed = [&](std::string text) {
    const int64_t gone = scrub_stored_text(text, target);
    return fmt::format("{} {}", gone, text);
  };
  EXPECT_EQ(scrubbed("nothing of it"), "0 nothing of it");
  EXPECT_EQ(scrubbed(R"({"a":1})"), R"(0 {"a":1})");
  EXPECT_EQ(scrubbed("they said: " + long_text + "!"), "1 they said: [forgotten]!");
  EXPECT_EQ(scrubbed(base::dump_json(Json{{"attributes", {{"mlflow.spanInputs", base::dump_json(Json{{"question", long_text}, {"k", 3}})}}}})),
            R"(1 {"attributes":{"mlflow.spanInputs":"{\"question\":\"[forgotten]\",\"k\":3}"}})");
  EXPECT_EQ(scrubbed(R"([{"id":"u1","x":2},{"id":"u2"}])"), R"(1 [{"id":"u2"}])");
  EXPECT_EQ(scrubbed(R"({"id":"u1","x":2})"), "1 \"[forgotten]\"");
  // A preview ends somewhere.
  EXPECT_EQ(scrubbed("{\"question\": \"" + long_text.substr(0, 50) + "..."), "1 {\"question\": \"[forgotten]");
  EXPECT_EQ(scrubbed("{\"question\": \"" + long_text.substr(0, 30)), "0 {\"question\": \"" + long_text.substr(0, 30));  // others may begin so
}

TEST(Forget, RowsGoFromParquetToo) {
  const base::TempDir dir;
  base::write_file_atomic(dir.path() / "a.parquet", base::read_file("tests/gold/parquet/plain.parquet"));
  RowFileReader reader(dir.path() / "a.parquet", "a.parquet");
  int64_t rows = 0;
  Json third;
  while (reader.next()) {
    third = ++rows == 3 ? reader.json() : third;
  }
  ForgetTarget target;
  target.fields = {third.begin().key()};
  target.key = third.begin()->is_string() ? third.begin()->get<std::string>() : base::dump_json(third.begin().value());
  const auto found = find_rows(dir.path() / "a.parquet", "a.parquet", target);
  ASSERT_GE(found.size(), 1U);
  EXPECT_EQ(write_without(dir.path() / "a.parquet", "a.parquet", target, dir.path() / "out.parquet"), static_cast<int64_t>(found.size()));
  EXPECT_TRUE(find_rows(dir.path() / "out.parquet", "out.parquet", target).empty());
  RowFileReader left(dir.path() / "out.parquet", "out.parquet");
  int64_t kept = 0;
  while (left.next()) {
    ++kept;
  }
  EXPECT_EQ(kept, rows - static_cast<int64_t>(found.size()));
}

}  // namespace
}  // namespace slipway::data
