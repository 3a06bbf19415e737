#include "data/extract.h"

#include <fmt/format.h>
#include <fstream>

#include "base/input.h"
#include "data/helpers.h"
#include "data/warc_writer.h"

namespace slipway::data {
namespace {

const std::string kParagraph =
    "The harbour was quiet that morning, and the boats that had come in during the night lay side by side along the wall, while the "
    "men who had brought them slept below. ";

std::string page(const std::string& title, const std::string& text) {
  return "<html><head><title>" + title + "</title></head><body><div class=\"menu\"><a href=\"/\">Home</a></div><article><p>" + text + "</p><p>" +
         text + "</p></article></body></html>";
}

std::string http(const std::string& body, const std::string& type = "text/html", const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status + "\r\nContent-Type: " + type + "\r\n\r\n" + body;
}

constexpr uint64_t kMemory = 64'000'000;  // batches of 8 MiB

class Extract : public testing::Test {
 protected:
  std::string path(const std::string& name) { return (dir_.path() / name).string(); }
  void write(const std::string& name, const std::string& bytes) {
    base::make_dirs((dir_.path() / name).parent_path());
    base::write_file_atomic(dir_.path() / name, bytes);
  }
  ExtractSummary extract(const std::vector<std::string>& inputs, const std::string& out = "out.jsonl", int threads = 2) {
    TestContext test(threads);
    ExtractOptions options;
    options.inputs = inputs;
    options.out = path(out);
    options.memory = kMemory;
    return extract_pages(options, test.context);
  }
  std::vector<Json> lines(const std::string& name) {
    std::vector<Json> all;
    base::LineReader reader(path(name));
    std::string_view line;
    while (reader.next(line)) {
      all.push_back(base::parse_json(line, name));
    }
    return all;
  }
  base::TempDir dir_;
};

TEST_F(Extract, FilesAndFoldersInTheirOrder) {
  write("in/b.html", page("Second", kParagraph));
  write("in/a.htm", page("First", kParagraph));
  write("in/notes.txt", "no page");
  write("one.html", page("One", "\xD6\xD0\xCE\xC4 <meta charset=gbk>"));
  const ExtractSummary summary = extract({path("one.html"), path("in")});
  EXPECT_EQ(summary.pages, 3);
  const std::vector<Json> documents = lines("out.jsonl");
  ASSERT_EQ(documents.size(), 3U);
  EXPECT_EQ(documents[0].at("title"), "One");
  EXPECT_HAS(documents[0].at("text").get<std::string>(), "中文");
  EXPECT_EQ(documents[1].at("title"), "First");
  EXPECT_EQ(documents[2].at("source"), path("in/b.html"));
  EXPECT_EQ(documents[2].at("language"), "en");
  EXPECT_EQ(documents[2].at("digest"), base::digest_of(page("Second", kParagraph)));
  EXPECT_EQ(documents[2].at("text").get<std::string>().find("Home"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path("out.jsonl.quarantine.jsonl")));
}

TEST_F(Extract, WarcRecordsWithUrlAndTime) {
  WarcWriter writer(path("a.warc.gz"));
  writer.write("warcinfo", "", "2024-01-01T00:00:00Z", "software: x");
  writer.write("response", "http://a.example/", "2024-01-02T03:04:05Z", http(page("Page", kParagraph)));
  writer.write("response", "http://a.example/no", "2024-01-02T03:04:05Z", http("x", "text/html", "404 Not Found"));
  writer.write("response", "http://a.example/i", "2024-01-02T03:04:05Z", http("x", "image/png"));
  writer.write("conversion", "http://a.example/t", "2024-01-02T03:04:05Z", "plain text");
  writer.commit();
  const ExtractSummary summary = extract({path("a.warc.gz")}, "out.jsonl.zst");
  const std::vector<Json> documents = lines("out.jsonl.zst");
  ASSERT_EQ(documents.size(), 2U);
  EXPECT_EQ(documents[0].at("url"), "http://a.example/");
  EXPECT_EQ(documents[0].at("time"), "2024-01-02T03:04:05Z");
  EXPECT_HAS(documents[0].at("source").get<std::string>(), "a.warc.gz@");
  EXPECT_EQ(documents[1].at("text"), "plain text");
  EXPECT_EQ(summary.skipped, (std::map<std::string, int64_t>{{"content_type", 1}, {"status", 1}}));
}

TEST_F(Extract, WhatCannotBeReadIsQuarantinedAndTheRestIsNot) {
  write("a.html", page("Good", kParagraph));
  write("bomb.html", base::zstd_compress(std::string(64 << 20, ' ')));
  write("broken.zip", "PK\x03\x04 and then nothing of the kind");
  write("lies.warc", "WARC/1.0\r\nWARC-Type: response\r\nContent-Length: many\r\n\r\nx\r\n\r\n");
  write("z.html", page("Good too", kParagraph));
  const ExtractSummary summary = extract({dir_.path().string()}, "../" + dir_.path().filename().string() + "-out.jsonl");
  const std::string out = "../" + dir_.path().filename().string() + "-out.jsonl";
  EXPECT_EQ(summary.pages, 2);
  EXPECT_EQ(summary.quarantined, 3);
  const std::vector<Json> faults = lines(out + ".quarantine.jsonl");
  ASSERT_EQ(faults.size(), 3U);
  EXPECT_HAS(faults[0].at("reason").get<std::string>(), "unpacks to more than the limit");
  EXPECT_HAS(faults[1].at("reason").get<std::string>(), "damaged");
  EXPECT_HAS(faults[2].at("reason").get<std::string>(), "Content-Length is 'many'");
  EXPECT_HAS(faults[2].at("source").get<std::string>(), "lies.warc@0");
  std::filesystem::remove(path(out));
  std::filesystem::remove(path(out + ".quarantine.jsonl"));
}

TEST_F(Extract, AnInterruptedRunGoesOnToTheSameBytesOnAnyNumberOfThreads) {
  WarcWriter writer(path("a.warc"), false);
  for (int i = 0; i < 300; ++i) {
    writer.write("response", fmt::format("http://a.example/{}", i), "2024-01-02T03:04:05Z",
                 http(page(fmt::format("Page {}", i), kParagraph) + "<!--" + std::string(400'000, 'x') + "-->"));
  }
  writer.commit();
  extract({path("a.warc")}, "whole.jsonl", 1);
  // Stopped after some batches, past a checkpoint.
  struct Stopping final : base::Progress {
    explicit Stopping(std::stop_source& to_stop) : stop(to_stop) {}
    void start(std::string_view, int64_t, std::string_view) override {}
    void update(int64_t done, std::string_view) override {
      if (done > 70'000'000) {
        stop.request_stop();
      }
    }
    void finish(std::string_view) override {}
    std::stop_source& stop;
  };
  std::stop_source stop;
  Stopping progress(stop);
  base::Pool pool(3);
  base::Log log;
  base::FixedClock clock{0};
  base::Context context{pool, log, clock, progress, stop.get_token()};
  ExtractOptions options;
  options.inputs = {path("a.warc")};
  options.out = path("out.jsonl");
  options.memory = kMemory;
  error_of(base::Code::kInterrupted, [&] { extract_pages(options, context); });
  EXPECT_FALSE(std::filesystem::exists(path("out.jsonl")));
  { std::ofstream(path("out.jsonl.part"), std::ios::app) << "half a li"; }  // what a kill leaves after the checkpoint
  const ExtractSummary summary = extract({path("a.warc")}, "out.jsonl", 2);
  EXPECT_TRUE(summary.resumed);
  EXPECT_EQ(summary.pages, 300);
  EXPECT_EQ(base::read_file(path("out.jsonl")), base::read_file(path("whole.jsonl")));
  EXPECT_FALSE(std::filesystem::exists(path("out.jsonl.state")));
}

TEST_F(Extract, NamesWhatIsNotThere) {
  EXPECT_HAS(error_of(base::Code::kNotFound, [&] { extract({path("nowhere")}); }), "nowhere");
  base::make_dirs(dir_.path() / "empty");
  EXPECT_HAS(error_of(base::Code::kNotFound, [&] { extract({path("empty")}); }), "has no pages");
}

}  // namespace
}  // namespace slipway::data
