#include "data/source.h"

#include <fstream>
#include <sqlite3.h>
#include <sys/resource.h>

#include "base/hash.h"
#include "base/input.h"
#include "data/helpers.h"

namespace slipway::data {
namespace {

using base::Code;

class Source : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& bytes) {
    base::make_dirs((dir_.path() / name).parent_path());
    base::write_file_atomic(dir_.path() / name, bytes);
  }
  ReadResult read(const Json& options) { return read_all(options, dir_.path()); }
  std::string fails(Code code, const Json& options) {
    return error_of(code, [&] { read(options); });
  }
  std::vector<std::string> texts(const Json& options) {
    std::vector<std::string> texts;
    for (const Document& document : read(options).documents) {
      texts.push_back(document.text);
    }
    return texts;
  }
  base::TempDir dir_;
};

using Texts = std::vector<std::string>;

TEST_F(Source, CsvMapsColumnsByName) {
  write("a.csv", "label,review,stars\n1,\"good, really\",5\n0,bad,1\n");
  const ReadResult result = read({{"id", "a"},
                                  {"path", "a.csv"},
                                  {"text", "review"},
                                  {"label", "label"},
                                  {"keep", {"stars"}},
                                  {"label_map", {{"0", "negative"}, {"1", "positive"}}}});
  ASSERT_EQ(result.documents.size(), 2U);
  EXPECT_EQ(result.documents[0].text, "good, really");
  EXPECT_EQ(result.documents[0].label, "positive");
  EXPECT_EQ(result.documents[0].source, "a");
  EXPECT_EQ(result.documents[0].meta["stars"], "5");
  EXPECT_EQ(result.documents[1].meta["at"], "a.csv:3");
  EXPECT_EQ(result.counts.labels, (std::map<std::string, int64_t>{{"negative", 1}, {"positive", 1}}));
  EXPECT_EQ(result.counts.files.at("a.csv"), 2);
}

TEST_F(Source, TsvWithoutHeaderTakesColumnNumbersAndBins) {
  write("gt.txt", "1\t2.5\tgreat \"film\r\n2\t-0.2\tmeh\r\n3\t-1.5\tawful\r\n4\tx\toops\r\n5\t0.5\tedge");
  const Json bins = {{{"max", -0.5}, {"label", "negative"}}, {{"min", 0.5}, {"label", "positive"}}};
  const ReadResult result = read({{"id", "v"},
                                  {"type", "tsv"},
                                  {"path", "gt.txt"},
                                  {"text", 3},
                                  {"max_bad", 0.5},
                                  {"label_from", {{"column", 2}, {"bins", bins}}}});
  ASSERT_EQ(result.documents.size(), 3U);
  EXPECT_EQ(result.documents[0].text, "great \"film");
  EXPECT_EQ(result.documents[0].label, "positive");
  EXPECT_EQ(result.documents[1].label, "negative");
  EXPECT_EQ(result.documents[2].label, "positive");
  EXPECT_EQ(result.counts.rows, 5);
  EXPECT_EQ(result.counts.dropped.at("neutral_label"), 1);
  EXPECT_EQ(result.counts.bad.at("not_a_number"), 1);
}

TEST_F(Source, ColumnsNameAHeaderlessFile) {
  write("a.csv", "1,one\n2,two\n");
  EXPECT_EQ(texts({{"id", "a"}, {"path", "a.csv"}, {"text", "t"}, {"columns", {"n", "t"}}}), (Texts{"one", "two"}));
  EXPECT_HAS(fails(Code::kInvalid, {{"id", "a"}, {"path", "a.csv"}, {"text", "t"}, {"columns", {"n", "m", "t"}}}),
             "2 fields where 'columns' names 3");
}

TEST_F(Source, QuotedTsvAndOtherDelimiters) {
  write("a.tsv", "n\ttext\n1\t\"a\tb\"\n");
  EXPECT_EQ(texts({{"id", "a"}, {"path", "a.tsv"}, {"quote", "\""}}), (Texts{"a\tb"}));
  write("b.csv", "n;text\n1;'a;b'\n");
  EXPECT_EQ(texts({{"id", "b"}, {"path", "b.csv"}, {"delimiter", ";"}, {"quote", "'"}}), (Texts{"a;b"}));
}

TEST_F(Source, MissingColumnNamesThoseThereAre) {
  write("a.csv", "label,review\n1,x\n");
  const std::string message = fails(Code::kNotFound, {{"id", "a"}, {"path", "a.csv"}, {"text", "reviews"}});
  EXPECT_HAS(message, "'a.csv' line 1");
  EXPECT_HAS(message, "label, review");
  EXPECT_HAS(message, "did you mean 'review'?");
  EXPECT_HAS(fails(Code::kNotFound, {{"id", "a"}, {"path", "a.csv"}, {"text", 3}, {"has_header", false}}),
             "it has 2: 1, 2");
}

TEST_F(Source, RaggedRowsAreCountedAndAWrongFileThrows) {
  std::string good = "n,text\n";
  for (int i = 0; i < 20; ++i) {
    good += fmt::format("{},row {}\n", i, i);
  }
  write("a.csv", good + "1,2,3\n");
  const ReadResult result = read({{"id", "a"}, {"path", "a.csv"}});
  EXPECT_EQ(result.counts.bad.at("field_count"), 1);
  EXPECT_EQ(result.documents.size(), 20U);
  write("b.csv", "n,text\n1,ok\n1,2,3\n4\n");
  const std::string message = fails(Code::kInvalid, {{"id", "b"}, {"path", "b.csv"}});
  EXPECT_HAS(message, "2 of 3 rows cannot be read");
  EXPECT_HAS(message, "'b.csv' line 3");
}

TEST_F(Source, JsonlReachesIntoObjects) {
  write("a.jsonl",
        "{\"body\":{\"text\":\"x\",\"stars\":5},\"tag\":null}\n\n{\"body\":{\"text\":\"y\",\"stars\":1},\"tag\":\"t\"}"
        "\n");
  const ReadResult result =
      read({{"id", "a"}, {"path", "a.jsonl"}, {"text", "body.text"}, {"label", "body.stars"}, {"keep", {"tag"}}});
  ASSERT_EQ(result.documents.size(), 2U);
  EXPECT_EQ(result.documents[0].text, "x");
  EXPECT_EQ(result.documents[0].label, "5");
  EXPECT_FALSE(result.documents[0].meta.contains("tag"));
  EXPECT_EQ(result.documents[1].meta["tag"], "t");
  EXPECT_EQ(result.documents[1].meta["at"], "a.jsonl:3");
}

TEST_F(Source, JsonlCountsBrokenLinesAndNamesMissingKeys) {
  write("a.jsonl", "{\"text\":\"x\"}\n{broken\n[1]\n{\"txt\":1}\n{\"text\":[1]}\n");
  const ReadResult result = read({{"id", "a"}, {"path", "a.jsonl"}, {"max_bad", 1}});
  EXPECT_EQ(result.counts.bad,
            (std::map<std::string, int64_t>{
                {"bad_json", 1}, {"missing_text", 1}, {"not_an_object", 1}, {"text_is_not_a_scalar", 1}}));
  write("b.jsonl", "{\"sentence\":\"x\",\"label\":1}\n");
  EXPECT_HAS(fails(Code::kNotFound, {{"id", "b"}, {"path", "b.jsonl"}, {"max_bad", 1}}),
             "the first has: sentence, label");
  write("c.json", "[\n{\"text\":\"x\"}]\n");
  EXPECT_HAS(fails(Code::kInvalid, {{"id", "c"}, {"path", "c.json"}}), "one object a line");
}

TEST_F(Source, DeepJsonIsABadRow) {
  write("a.jsonl", "{\"text\":\"x\"}\n{\"text\":" + std::string(100000, '[') + "\n");
  EXPECT_EQ(read({{"id", "a"}, {"path", "a.jsonl"}, {"max_bad", 1}}).counts.bad.at("bad_json"), 1);
}

TEST_F(Source, TextFoldersGiveLabelsAndLines) {
  write("d/pos/b.txt", "good\nfilm");
  write("d/pos/a.txt", "\xEF\xBB\xBFnice");
  write("d/neg/c.txt", "bad");
  write("d/neg/.hidden.txt", "no");
  write("d/neg/ignored.bin", "no");
  const ReadResult result = read({{"id", "d"}, {"type", "text"}, {"path", "d"}, {"label", "folder"}});
  ASSERT_EQ(result.documents.size(), 3U);
  EXPECT_EQ(result.documents[0].label, "neg");
  EXPECT_EQ(result.documents[1].text, "nice");
  EXPECT_EQ(result.documents[2].text, "good\nfilm");
  EXPECT_EQ(texts({{"id", "d"}, {"type", "text"}, {"path", "d/pos"}, {"unit", "line"}}),
            (Texts{"nice", "good", "film"}));
  EXPECT_EQ(texts({{"id", "d"}, {"path", "d/*/?.txt"}}).size(), 3U);
  EXPECT_HAS(fails(Code::kInvalid, {{"id", "d"}, {"path", "d/pos"}, {"label", "stars"}}), "say folder or file");
  EXPECT_EQ(texts({{"id", "d"}, {"path", "**/c.txt"}}), (Texts{"bad"}));
}

TEST_F(Source, SqliteTableAndQuery) {
  sqlite3* db = nullptr;
  sqlite3_open((dir_.path() / "a.db").c_str(), &db);
  sqlite3_exec(db, "CREATE TABLE r(text TEXT, stars INTEGER); INSERT INTO r VALUES('x',5),('y',1),(NULL,2);", nullptr,
               nullptr, nullptr);
  sqlite3_close(db);
  const ReadResult result = read({{"id", "a"}, {"path", "a.db"}, {"label", "stars"}, {"max_bad", 1}});
  ASSERT_EQ(result.documents.size(), 2U);
  EXPECT_EQ(result.documents[0].label, "5");
  EXPECT_EQ(result.documents[1].meta["at"], "a.db:2");
  EXPECT_EQ(result.counts.bad.at("missing_text"), 1);
  EXPECT_EQ(texts({{"id", "a"}, {"path", "a.db"}, {"query", "SELECT upper(text) AS text FROM r WHERE stars > 2"}}),
            (Texts{"X"}));
  EXPECT_HAS(fails(Code::kInvalid, {{"id", "a"}, {"path", "a.db"}, {"query", "DELETE FROM r"}}), "must be one SELECT");
  EXPECT_HAS(fails(Code::kInvalid, {{"id", "a"}, {"path", "a.db"}, {"query", "SELECT 1 AS text; SELECT 2"}}),
             "one SELECT");
  EXPECT_HAS(fails(Code::kNotFound, {{"id", "a"}, {"path", "a.db"}, {"table", "rr"}}), "its tables: r");
  EXPECT_HAS(fails(Code::kNotFound, {{"id", "a"}, {"path", "a.db"}, {"text", "body"}}), "text, stars");
}

TEST_F(Source, SqliteThatIsNoDatabase) {
  write("a.db", std::string(5000, 'x'));
  EXPECT_HAS(fails(Code::kInvalid, {{"id", "a"}, {"path", "a.db"}}), "not a sound SQLite database");
}

TEST_F(Source, HtmlPagesBecomeText) {
  write("p/one.html",
        "<html><head><title>T</title><script>var x</script></head><body><p>Hello <b>there</b>, this is a "
        "paragraph of text that is long enough to be content, with several words in it.</p></body></html>");
  const ReadResult result = read({{"id", "p"}, {"type", "html"}, {"path", "p"}, {"label", "file"}});
  ASSERT_EQ(result.documents.size(), 1U);
  EXPECT_HAS(result.documents[0].text, "Hello there");
  EXPECT_EQ(result.documents[0].label, "one");
  EXPECT_EQ(result.documents[0].meta["title"], "T");
}

TEST_F(Source, CompressedFilesReadAlike) {
  base::write_file_atomic(dir_.path() / "a.csv.zst", base::zstd_compress("text\nhello\n"));
  EXPECT_EQ(texts({{"id", "a"}, {"path", "a.csv.zst"}}), (Texts{"hello"}));
  std::string big = "text\n";
  base::Rng rng(1);
  for (int i = 0; i < 2000; ++i) {
    big += random_text(rng, 10) + "\n";
  }
  const std::string packed = base::zstd_compress(big);
  write("cut.csv.zst", packed.substr(0, packed.size() / 2));
  EXPECT_HAS(fails(Code::kIntegrity, {{"id", "a"}, {"path", "cut.csv.zst"}}), "damaged");
}

TEST_F(Source, InvalidUtf8FollowsThePolicy) {
  write("a.csv",
        "text\na\xff"
        "b\ngood\n");
  const ReadResult replaced = read({{"id", "a"}, {"path", "a.csv"}});
  EXPECT_EQ(replaced.documents[0].text,
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(replaced.counts.repaired, 1);
  const ReadResult dropped = read({{"id", "a"}, {"path", "a.csv"}, {"invalid_utf8", "drop"}});
  EXPECT_EQ(dropped.documents.size(), 1U);
  EXPECT_EQ(dropped.counts.dropped.at("invalid_utf8"), 1);
  EXPECT_HAS(fails(Code::kInvalid, {{"id", "a"}, {"path", "a.csv"}, {"invalid_utf8", "error"}}), "'a.csv' line 2");
}

TEST_F(Source, MissingFilesSayWhatWasLookedFor) {
  base::make_dirs(dir_.path() / "empty");
  EXPECT_HAS(fails(Code::kNotFound, {{"id", "a"}, {"type", "csv"}, {"path", "empty"}}), "no file ending in .csv");
  EXPECT_HAS(fails(Code::kNotFound, {{"id", "a"}, {"path", "none.csv"}}), "no file or folder");
  EXPECT_HAS(fails(Code::kNotFound, {{"id", "a"}, {"path", "*.csv"}}), "no file matches");
  write("x.dat", "a");
  EXPECT_HAS(fails(Code::kInvalid, {{"id", "a"}, {"path", "x.dat"}}), "say 'type'");
  write("e.csv", "");
  EXPECT_HAS(fails(Code::kInvalid, {{"id", "a"}, {"path", "e.csv"}}), "is empty");
}

TEST_F(Source, LimitAndUnmappedLabels) {
  write("a.csv", "text,label\na,1\nb,2\nc,1\nd,1\n");
  const ReadResult result =
      read({{"id", "a"}, {"path", "a.csv"}, {"label", "label"}, {"limit", 2}, {"label_map", {{"1", "one"}}}});
  EXPECT_EQ(result.documents.size(), 2U);
  EXPECT_EQ(result.counts.dropped.at("unmapped_label"), 1);
  EXPECT_EQ(result.documents[1].text, "c");
}

TEST_F(Source, StopsWhenAsked) {
  std::string text = "text\n";
  for (int i = 0; i < 3000; ++i) {
    text += "row\n";
  }
  write("a.csv", text);
  TestContext test;
  SourceCounts counts;
  test.stop.request_stop();
  const SourceOptions options = parse_source_options({{"id", "a"}, {"path", "a.csv"}}, "test");
  EXPECT_THROW(read_source(
                   options, dir_.path(), test.context, [](Document&&) {}, counts),
               base::Error);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // freed memory is kept, shadows are added: the peak says nothing
#else
constexpr bool kSanitized = false;
#endif

long peak_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST_F(Source, MemoryDoesNotGrowWithTheFile) {
  if (kSanitized) {
    GTEST_SKIP() << "skipped: a sanitizer keeps freed memory";
  }
  {
    std::ofstream out(dir_.path() / "big.csv", std::ios::binary);
    out << "n,text\n";
    const std::string row = "1,\"" + std::string(1000, 'w') + "\"\n";
    for (int i = 0; i < 20000; ++i) {
      out << row;
    }
  }
  const long before = peak_kib();
  TestContext test;
  SourceCounts counts;
  const SourceOptions options = parse_source_options({{"id", "a"}, {"path", "big.csv"}}, "test");
  read_source(
      options, dir_.path(), test.context, [](Document&&) {}, counts);
  EXPECT_EQ(counts.documents, 20000);
  EXPECT_LT(peak_kib() - before, 8 << 10);  // the file has 20 MB
}

TEST_F(Source, AHugeLineIsAnErrorBeforeItFillsMemory) {
  // A sparse file: 2 GB of NUL bytes in one line cost no disk.
  for (const char* name : {"huge.csv", "huge.tsv"}) {
    write(name, "text\n");
    std::filesystem::resize_file(dir_.path() / name, uint64_t{2} << 30);
    const long before = peak_kib();
    EXPECT_HAS(fails(Code::kInvalid, {{"id", "a"}, {"path", name}, {"max_bad", 1}}), "longer than the limit") << name;
    if (!kSanitized) {
      EXPECT_LT(peak_kib() - before, 96 << 10) << name;
    }
  }
}

TEST_F(Source, AHugeLineOfJsonCostsItselfAlone) {
  write("huge.jsonl", "{\"text\":\"one\"}\n");
  std::filesystem::resize_file(dir_.path() / "huge.jsonl", uint64_t{1} << 30);
  std::ofstream(dir_.path() / "huge.jsonl", std::ios::app | std::ios::binary) << "\n{\"text\":\"two\"}\n";
  const long before = peak_kib();
  const ReadResult result = read({{"id", "a"}, {"path", "huge.jsonl"}, {"max_bad", 0.5}});
  if (!kSanitized) {
    EXPECT_LT(peak_kib() - before, 96 << 10);
  }
  ASSERT_EQ(result.documents.size(), 2U);
  EXPECT_EQ(result.documents[1].text, "two");
  EXPECT_EQ(result.documents[1].meta["at"], "huge.jsonl:3");
  ASSERT_EQ(result.counts.bad_rows.size(), 1U);
  EXPECT_EQ(result.counts.bad_rows[0].at + " " + result.counts.bad_rows[0].reason, "huge.jsonl:2 line_too_long");
  EXPECT_HAS(fails(Code::kInvalid, {{"id", "a"}, {"path", "huge.jsonl"}}), "1 line_too_long (first: 'huge.jsonl' line 2)");
}

TEST_F(Source, SentencesAndTablesKeepWhereTheyAreFrom) {
  const std::string sentence = "# text = Boats come in.\n1\tBoats\t_\t_\t_\t_\t_\t_\t_\t_\n";
  write("a.conllu", sentence + "\n" + sentence + "\n");
  write("b.parquet", base::read_file("tests/gold/parquet/none.parquet"));
  for (const char* path : {"a.conllu", "b.parquet"}) {
    const ReadResult result = read({{"id", "a"}, {"path", path}, {"licence", "CC-BY-4.0"}, {"max_bad", 1}});
    ASSERT_FALSE(result.documents.empty());
    for (const Document& document : result.documents) {
      EXPECT_EQ(document.source, "a");
      EXPECT_EQ(document.meta.at("licence"), "CC-BY-4.0");
      EXPECT_TRUE(base::is_digest(document.meta.at("digest").get<std::string>()));
      EXPECT_TRUE(document.meta.at("time").get<std::string>().ends_with("Z"));
    }
  }
  EXPECT_EQ(read({{"id", "a"}, {"path", "a.conllu"}}).documents[0].meta.at("digest"), base::digest_of(sentence));
}

TEST_F(Source, HowLongALineMayBeIsAnOption) {
  write("a.jsonl", "{\"text\":\"short\"}\n{\"text\":\"a little longer than that\"}\n");
  const ReadResult result = read({{"id", "a"}, {"path", "a.jsonl"}, {"max_bad", 1}, {"max_row_bytes", 20}});
  EXPECT_EQ(result.documents.size(), 1U);
  EXPECT_EQ(result.counts.bad.at("line_too_long"), 1);
  write("b.txt", "short\nanother that is too long\r\nthe end\r\n");
  EXPECT_EQ(texts({{"id", "b"}, {"path", "b.txt"}, {"unit", "line"}, {"max_bad", 1}, {"max_row_bytes", 8}}), (Texts{"short", "the end"}));
}

TEST(SourceOptions, UnknownKeysNameTheNearest) {
  const auto parse = [](const Json& json) {
    return error_of(Code::kInvalid, [&] { parse_source_options(json, "f: sources[0]"); });
  };
  EXPECT_HAS(parse({{"id", "a"}, {"path", "x"}, {"lable", "y"}}),
             "f: sources[0]: unknown key 'lable'; did you mean 'label'?");
  EXPECT_HAS(parse({{"id", "a"}, {"path", "x"}, {"type", "cvs"}}), "did you mean 'csv'?");
  EXPECT_HAS(parse({{"id", "a"}, {"path", "x"}, {"label_from", {{"colum", 1}}}}), "did you mean 'column'?");
  EXPECT_HAS(parse({{"id", "a"},
                    {"path", "x"},
                    {"label_from", {{"column", 1}, {"bins", {{{"min", 2}, {"max", 1}, {"label", "x"}}}}}}}),
             "'min' 2 is above 'max' 1");
  EXPECT_HAS(parse({{"id", "a"}}), "'path' is needed");
  EXPECT_HAS(parse({{"id", "a b"}, {"path", "x"}}), "'id' is needed");
  EXPECT_HAS(parse({{"id", "a"}, {"path", "x"}, {"label", "l"}, {"label_value", "m"}}), "only one of");
  EXPECT_HAS(parse({{"id", "a"}, {"path", "x"}, {"quote", ","}, {"delimiter", ","}}), "are the same");
  EXPECT_HAS(parse({{"id", "a"}, {"path", "x"}, {"delimiter", "ab"}}), "one byte");
  EXPECT_HAS(parse({{"id", "a"}, {"path", "x"}, {"limit", "many"}}), "whole number");
  EXPECT_HAS(parse({{"id", "a"}, {"path", "x"}, {"split", "dev"}}), "'split' is 'dev'");
}

TEST(SourceOptions, SurviveARoundTrip) {
  const Json json = {
      {"id", "a"},
      {"type", "tsv"},
      {"path", "x"},
      {"text", "3"},
      {"limit", 5},
      {"label_from", {{"column", "2"}, {"bins", {{{"max", -0.5}, {"label", "n"}}, {{"min", 0.5}, {"label", "p"}}}}}},
      {"has_header", false},
      {"quote", ""}};
  EXPECT_EQ(to_json(parse_source_options(json, "t")), json);
}

// The real sets, by configuration alone.
TEST(SourceReal, ChineseReviewsLoadByConfiguration) {
  SLIPWAY_NEEDS_SHARED(shared);
  const Json map = {{"0", "negative"}, {"1", "positive"}};
  const ReadResult hotels = read_all({{"id", "hotels"},
                                      {"path", "data/sentiment-zh/ChnSentiCorp_htl_all.csv.zst"},
                                      {"text", "review"},
                                      {"label", "label"},
                                      {"label_map", map}},
                                     shared);
  EXPECT_EQ(hotels.documents.size(), 7766U);
  EXPECT_EQ(hotels.counts.labels.at("positive"), 5322);
  EXPECT_TRUE(hotels.counts.bad.empty());
  const ReadResult waimai = read_all({{"id", "waimai"},
                                      {"path", "data/sentiment-zh/waimai_10k.csv.zst"},
                                      {"text", "review"},
                                      {"label", "label"},
                                      {"label_map", map}},
                                     shared);
  EXPECT_EQ(waimai.counts.labels, (std::map<std::string, int64_t>{{"negative", 7987}, {"positive", 4000}}));
  const ReadResult shop = read_all({{"id", "shop"},
                                    {"path", "data/sentiment-zh/eprstmt.*.json"},
                                    {"type", "jsonl"},
                                    {"text", "sentence"},
                                    {"label", "label"}},
                                   shared);
  EXPECT_EQ(shop.documents.size(), 320U);
}

TEST(SourceReal, RatedSnippetsLoadByConfiguration) {
  SLIPWAY_NEEDS_SHARED(shared);
  const Json bins = {{{"max", -0.5}, {"label", "negative"}}, {{"min", 0.5}, {"label", "positive"}}};
  const ReadResult movies = read_all({{"id", "movies"},
                                      {"type", "tsv"},
                                      {"path", "data/sentiment-en/movieReviewSnippets_GroundTruth.txt.zst"},
                                      {"text", 3},
                                      {"label_from", {{"column", 2}, {"bins", bins}}}},
                                     shared);
  EXPECT_EQ(movies.counts.rows, 10605);
  EXPECT_TRUE(movies.counts.bad.empty());
  EXPECT_EQ(movies.counts.documents + movies.counts.dropped.at("neutral_label"), 10605);
  EXPECT_GT(movies.counts.labels.at("negative"), 3000);
}

TEST_F(Source, ParquetRowsAreAsJsonLines) {
  std::filesystem::copy(std::filesystem::path("tests/gold/parquet/nested.parquet"), dir_.path() / "n.parquet");
  const ReadResult result = read({{"id", "p"}, {"path", "n.parquet"}, {"text", "meta.lang"}, {"keep", {"tags", "meta.n"}}, {"max_bad", 1.0}});
  ASSERT_EQ(result.counts.rows, 100);
  ASSERT_EQ(result.documents.size(), 50U);  // of a half the language is null
  EXPECT_EQ(result.documents[0].text, "en");
  EXPECT_EQ(result.documents[0].meta["tags"], (Json{"a", "b"}));
  EXPECT_EQ(result.documents[1].text, "zh");
  const std::string file = base::read_file("tests/gold/parquet/nested.parquet");
  write("cut.parquet", file.substr(0, file.size() - 100));
  EXPECT_HAS(fails(Code::kInvalid, {{"id", "p"}, {"path", "cut.parquet"}}), "its end is missing");
}

TEST_F(Source, MarkdownIsPlainTextWithItsTitle) {
  write("notes/a.md", "---\ntitle: Boats\n---\nThe **boats** came in.\n");
  const ReadResult result = read({{"id", "m"}, {"path", "notes"}, {"label", "folder"}});
  ASSERT_EQ(result.documents.size(), 1U);
  EXPECT_EQ(result.documents[0].text, "The boats came in.");
  EXPECT_EQ(result.documents[0].label, "notes");
  EXPECT_EQ(result.documents[0].meta["title"], "Boats");
  EXPECT_HAS(result.documents[0].meta["digest"].get<std::string>(), "sha256:");
  EXPECT_HAS(result.documents[0].meta["time"].get<std::string>(), "T");
}

TEST_F(Source, ArchivesOfPagesKeepWhereAndWhen) {
  const std::string body = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><title>Boats</title><body><p>The boats came in at night, and nobody saw "
                           "them until the morning, when the fog had gone and the men slept.</p></body></html>";
  write("a.warc", "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/\r\nWARC-Date: 2024-01-02T03:04:05Z\r\nContent-Length: " +
                      std::to_string(body.size()) + "\r\n\r\n" + body + "\r\n\r\n");
  const ReadResult result = read({{"id", "w"}, {"path", "a.warc"}});
  ASSERT_EQ(result.documents.size(), 1U);
  EXPECT_HAS(result.documents[0].text, "boats came in");
  EXPECT_EQ(result.documents[0].meta["url"], "http://a.example/");
  EXPECT_EQ(result.documents[0].meta["time"], "2024-01-02T03:04:05Z");
  EXPECT_EQ(result.documents[0].meta["title"], "Boats");
}

TEST_F(Source, ConllSentencesAreRows) {
  write("a.conllu", "# text = Boats come.\n1\tBoats\tboat\tNOUN\t_\t_\t0\troot\t_\t_\n2\tcome\tcome\tVERB\t_\t_\t1\tx\t_\t_\n\n");
  EXPECT_EQ(texts({{"id", "c"}, {"path", "a.conllu"}}), Texts{"Boats come."});
  write("b.conll", "Boats B-X\ncome O\n\nMen O\n");
  EXPECT_EQ(texts({{"id", "c"}, {"path", "b.conll"}}), (Texts{"Boats come", "Men"}));
}

}  // namespace
}  // namespace slipway::data
