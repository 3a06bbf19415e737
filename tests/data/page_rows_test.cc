// Web pages as the input of commands that read JSON Lines: what comes out is what `data extract` and then the command gives.
#include <fmt/format.h>

#include "base/input.h"
#include "data/clean_corpus.h"
#include "data/dedup_corpus.h"
#include "data/extract.h"
#include "data/helpers.h"
#include "data/line_blocks.h"
#include "data/warc_writer.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;

class PageRows : public testing::Test {
 protected:
  // An archive with pages, lies and what is no page; a folder of files; one page that is there twice.
  void SetUp() override {
    base::make_dirs(in());
    base::Rng rng(7);
    WarcWriter writer(in() / "a.warc.gz");
    writer.write("warcinfo", "", "2024-01-01T00:00:00Z", "software: x");
    for (int i = 0; i < 60; ++i) {
      const std::string status = i % 10 == 4 ? "404 Not Found" : "200 OK";
      writer.write("response", fmt::format("http://a.example/{}", i), "2024-01-02T03:04:05Z",
                   "HTTP/1.1 " + status + "\r\nContent-Type: text/html\r\n\r\n" + (i == 50 ? first_ : page(rng)));
      first_ = i == 0 ? page(rng) : first_;
    }
    writer.commit();
    base::write_file_atomic(in() / "b.html", first_);
    base::write_file_atomic(in() / "c.html", page(rng));
    base::write_file_atomic(in() / "d.warc", "WARC/1.0\r\nWARC-Type: response\r\nContent-Length: many\r\n\r\nx\r\n\r\n");
  }
  static std::string page(base::Rng& rng) {
    std::string html = "<html><head><title>T</title></head><body><article>";
    for (int i = 0; i < 4; ++i) {
      html += "<p>The " + random_text(rng, 40) + " that the sea and of ships.</p>";
    }
    return html + "</article></body></html>";
  }
  fs::path in() const { return dir_.path() / "in"; }
  std::string extracted() {
    TestContext test;
    ExtractOptions options;
    options.inputs = {in().string()};
    options.out = dir_.path() / "pages.jsonl";
    extract_pages(options, test.context);
    return options.out.string();
  }
  // All that a run kept and dropped, without where its shards end.
  static std::string result(const fs::path& out) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(out)) {
      if (entry.path().filename().string().starts_with("part-")) {
        files.push_back(entry.path());
      }
    }
    std::sort(files.begin(), files.end());
    std::string all;
    for (const fs::path& file : files) {
      all += base::read_decompressed(file);
    }
    return all;
  }
  base::TempDir dir_;
  std::string first_;
};

TEST_F(PageRows, CleanGivesWhatExtractAndCleanGive) {
  std::string results[2];
  std::string dropped[2];
  CorpusSummary summaries[2];
  const std::vector<fs::path> inputs = {fs::path(extracted()), in()};
  for (size_t i = 0; i < 2; ++i) {
    TestContext test(i == 0 ? 1 : 3);
    CorpusOptions options;
    options.inputs = {inputs[i]};
    options.out = dir_.path() / fmt::format("kept{}", i);
    options.exclusions = dir_.path() / fmt::format("dropped{}", i);
    options.quality = quality_preset("gopher");
    options.quality.set("min_doc_words", "10", "test");
    options.shard_bytes = 20'000;
    options.max_line_bytes = 100'000;
    summaries[i] = clean_corpus(options, test.context);
    results[i] = result(options.out);
    dropped[i] = result(options.exclusions);
  }
  EXPECT_GT(summaries[0].documents, 50U);
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(dropped[0], dropped[1]);
  EXPECT_EQ(summaries[0].bad_lines, 0U);
  EXPECT_EQ(summaries[1].bad.at("unreadable_page"), 1U);
  const std::string told = base::read_decompressed(dir_.path() / "kept1/quarantine" /
                                                   fs::directory_iterator(dir_.path() / "kept1/quarantine")->path().filename());
  EXPECT_HAS(told, "d.warc@0");
  EXPECT_HAS(told, "Content-Length is 'many'");
}

TEST_F(PageRows, DedupAndDecontaminationToo) {
  const std::vector<fs::path> inputs = {fs::path(extracted()), in()};
  base::write_file_atomic(dir_.path() / "set.jsonl", base::read_file(inputs[0]).substr(0, base::read_file(inputs[0]).find('\n') + 1));
  for (const DedupMethod method : {DedupMethod::kExact, DedupMethod::kMinhash, DedupMethod::kDecontaminate}) {
    std::string results[2];
    for (size_t i = 0; i < 2; ++i) {
      TestContext test;
      DedupOptions options;
      options.method = method;
      options.inputs = {inputs[i]};
      options.out = dir_.path() / fmt::format("out{}-{}", static_cast<int>(method), i);
      options.memory_bytes = uint64_t{64} << 20U;
      options.ngram = method == DedupMethod::kDecontaminate ? 12 : 5;
      if (method == DedupMethod::kDecontaminate) {
        options.against = {dir_.path() / "set.jsonl"};
      }
      const DedupSummary summary = dedup_corpus(options, test.context);
      EXPECT_LT(summary.corpus.kept, summary.corpus.documents);
      results[i] = result(options.out);
    }
    EXPECT_EQ(results[0], results[1]) << static_cast<int>(method);
  }
}

TEST_F(PageRows, FilesFromElsewhereKeepTheirNames) {
  SourceNames names;
  names.add(in(), "s3://bucket/pages/");
  EXPECT_EQ(names.of(in() / "b.html"), "s3://bucket/pages/b.html");
  EXPECT_EQ(names.of("/other/b.html"), "/other/b.html");
  LineBlocks reader({in() / "b.html"}, 1 << 20, 1 << 20, nullptr, names);
  Block block;
  ASSERT_TRUE(reader.next(block));
  EXPECT_EQ(base::parse_json(block.bytes, "row").at("source"), "s3://bucket/pages/b.html");
}

}  // namespace
}  // namespace slipway::data
