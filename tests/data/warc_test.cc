#include "data/warc.h"

#include <fmt/format.h>
#include <zlib.h>

#include "base/input.h"
#include "data/helpers.h"
#include "data/http_message.h"
#include "data/warc_writer.h"

namespace slipway::data {
namespace {

constexpr const char* kDate = "2024-01-02T03:04:05Z";

struct Read {
  std::string type, url, block, fault;
  uint64_t offset, length;
};

std::vector<Read> read_records(std::string_view file, WarcLimits limits = {}) {
  WarcReader reader(file, limits);
  WarcRecord record;
  std::vector<Read> all;
  while (reader.next(record)) {
    all.push_back({std::string(record.type()), std::string(record.url()), std::string(record.block), record.fault, record.offset,
                   record.length});
  }
  return all;
}

std::string record_of(const std::string& block, const std::string& length = "") {
  return "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/\r\nContent-Length: " +
         (length.empty() ? std::to_string(block.size()) : length) + "\r\n\r\n" + block + "\r\n\r\n";
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

TEST(Warc, WhatTheWriterWritesTheReaderReads) {
  base::TempDir dir;
  for (const bool packed : {false, true}) {
    const auto path = dir.path() / "a.warc.gz";
    WarcWriter writer(path, packed);
    std::vector<WarcEntry> entries;
    const std::vector<std::string> blocks = {"", "one", std::string(300'000, 'x') + "\r\n\r\nWARC/1.0\r\n", "\r\n\r\n"};
    for (const std::string& block : blocks) {
      entries.push_back(writer.write("response", "http://a.example/", kDate, block, {{"Content-Type", "application/http"}}));
    }
    writer.commit();
    const std::string file = base::read_file(path);
    const std::vector<Read> read = read_records(file);
    ASSERT_EQ(read.size(), blocks.size());
    for (size_t i = 0; i < read.size(); ++i) {
      EXPECT_EQ(read[i].block, blocks[i]);
      EXPECT_EQ(read[i].fault, "");
      EXPECT_EQ(read[i].offset, entries[i].offset);
      EXPECT_EQ(read[i].length, entries[i].length);
      // A record can be read alone, by its place in an index.
      EXPECT_EQ(read_records(std::string_view(file).substr(entries[i].offset, entries[i].length)).at(0).block, blocks[i]);
    }
  }
}

TEST(Warc, TheWriterRefusesLineBreaksInHeaders) {
  base::TempDir dir;
  WarcWriter writer(dir.path() / "a.warc");
  EXPECT_HAS(error_of(base::Code::kInvalid, [&] { writer.write("response", "http://a/\r\nX: y", kDate, ""); }), "line break");
}

TEST(Warc, ManyRecordsInOneMember) {
  const std::vector<Read> read = read_records(gzip(record_of("one") + record_of("two") + record_of("three")));
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read[2].block, "three");
}

TEST(Warc, LengthsThatLieCostTheirRecordAlone) {
  for (const char* length : {"2", "999999999999999999", "x", "-1", ""}) {
    const std::string bad = *length == '\0' ? "WARC/1.0\r\nWARC-Type: response\r\n\r\nhello\r\n\r\n" : record_of("hello", length);
    for (const bool packed : {false, true}) {
      const std::string good = record_of("good");
      const std::string file = packed ? gzip(good) + gzip(bad) + gzip(good) : good + bad + good;
      const std::vector<Read> read = read_records(file);
      ASSERT_GE(read.size(), 2U) << length;
      EXPECT_EQ(read[0].block, "good");
      EXPECT_NE(read[1].fault, "") << length;
      ASSERT_EQ(read.size(), 3U) << length << packed;
      EXPECT_EQ(read[2].block, "good");
      EXPECT_EQ(read[2].fault, "");
    }
  }
}

// In files that are packed by record the next member ends what a length claims, whatever it is; so nothing else is lost.
TEST(Warc, LengthsThatClaimLaterMembersCostTheirRecordAlone) {
  for (const char* length : {"10", "200", "70000", "99999999", "999999999999999999"}) {
    std::string file = gzip(record_of("good")) + gzip(record_of("hello", length));
    for (int i = 0; i < 50; ++i) {
      file += gzip(record_of(fmt::format("good {} ", i) + std::string(2000, 'x')));
    }
    const std::vector<Read> read = read_records(file);
    ASSERT_EQ(read.size(), 52U) << length;
    EXPECT_NE(read[1].fault, "") << length;
    for (int i = 0; i < 50; ++i) {
      const Read& good = read[static_cast<size_t>(i) + 2];
      EXPECT_EQ(good.fault, "") << length;
      EXPECT_TRUE(good.block.starts_with(fmt::format("good {} ", i))) << length;
    }
  }
  // A record that is cut into members anywhere is one all the same.
  const std::string whole = record_of("one") + record_of(std::string(300'000, 'y')) + record_of("three");
  std::string pieces;
  for (size_t at = 0; at < whole.size(); at += 777) {
    pieces += gzip(whole.substr(at, 777));
  }
  const std::vector<Read> read = read_records(pieces);
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read[1].block.size(), 300'000U);
  EXPECT_EQ(read[2].block, "three");
}

TEST(Warc, DamagedMembersCostThemselvesAlone) {
  const std::string member = gzip(record_of("good"));
  std::string broken = gzip(record_of("this one is broken, somewhere in its middle"));
  for (size_t i = 20; i < broken.size() - 10; ++i) {
    broken[i] = static_cast<char>(broken[i] ^ 0x5A);
  }
  for (const std::string& between : {broken, broken.substr(0, 40), std::string("garbage\x1f\x8b\x08")}) {
    const std::vector<Read> read = read_records(member + between + member);
    ASSERT_GE(read.size(), 3U);
    EXPECT_EQ(read.front().block, "good");
    EXPECT_EQ(read.back().block, "good");
    EXPECT_EQ(read.back().fault, "");
    EXPECT_NE(read[1].fault, "");
  }
}

TEST(Warc, ZstdByRecordOrAsAWhole) {
  std::string plain;
  std::string frames;
  for (int i = 0; i < 50; ++i) {
    const std::string record = record_of("block " + std::to_string(i) + std::string(static_cast<size_t>(i) * 5000, 'x'));
    plain += record;
    frames += base::zstd_compress(record);
  }
  for (const std::string& file : {base::zstd_compress(plain), frames}) {
    const auto records = read_records(file);
    ASSERT_EQ(records.size(), 50U);
    uint64_t offset = 0;
    for (const Read& record : records) {
      EXPECT_EQ(record.fault, "");
      EXPECT_EQ(record.offset, offset);  // in what it unpacks to
      EXPECT_TRUE(plain.substr(offset).starts_with("WARC/1.0"));
      EXPECT_NE(plain.substr(offset, record.length).find(record.block), std::string::npos);
      offset += record.length;
    }
    EXPECT_EQ(offset, plain.size());
  }
}

TEST(Warc, DamagedFramesCostThemselvesAlone) {
  std::string file;
  for (int i = 0; i < 5; ++i) {
    std::string frame = base::zstd_compress(record_of("block " + std::to_string(i) + std::string(500, static_cast<char>('a' + i))));
    if (i == 2) {
      std::fill(frame.begin() + 10, frame.begin() + 40, '\xFF');
    }
    file += frame;
  }
  std::vector<std::string> good;
  size_t faults = 0;
  for (const Read& record : read_records(file)) {
    record.fault.empty() ? good.push_back(record.block.substr(0, 7)) : static_cast<void>(++faults);
  }
  EXPECT_EQ(good, (std::vector<std::string>{"block 0", "block 1", "block 3", "block 4"}));
  EXPECT_GE(faults, 1U);
  const auto cut = read_records(std::string_view(file).substr(0, file.size() - 9));
  EXPECT_FALSE(cut.back().fault.empty());
}

// More than a GiB, of which no more than a record is in memory at a time.
TEST(Warc, ZstdOfAnySize) {
  std::string records;
  for (int i = 0; i < 40; ++i) {
    records += record_of(std::string(1 << 20, 'x'));
  }
  const std::string frame = base::zstd_compress(records);
  std::string file;
  for (int i = 0; i < 28; ++i) {
    file += frame;
  }
  ASSERT_GT(28 * records.size(), size_t{1} << 30);
  WarcReader reader(file);
  WarcRecord record;
  size_t n = 0;
  while (reader.next(record)) {
    n += record.fault.empty() && record.block.size() == (1 << 20) ? 1 : 0;
  }
  EXPECT_EQ(n, 28U * 40U);
  EXPECT_EQ(reader.consumed(), file.size());
}

TEST(Warc, ABombOfZerosIsOneFault) {
  const auto records = read_records(base::zstd_compress(std::string(40 << 20, '\0')));
  ASSERT_EQ(records.size(), 1U);
  EXPECT_NE(records[0].fault.find("headers longer"), std::string::npos) << records[0].fault;
}

TEST(Warc, LimitsHold) {
  const std::string good = record_of("good");
  const std::vector<Read> big = read_records(record_of(std::string(5000, 'x')) + good, {1000, 4000});
  ASSERT_EQ(big.size(), 2U);
  EXPECT_HAS(big[0].fault, "5000 bytes; the limit is 4000");
  EXPECT_EQ(big[0].block, "");
  EXPECT_EQ(big[1].block, "good");
  // A line without an end: 64 MB of it in a small member.
  const std::vector<Read> line = read_records(gzip("WARC/1.0\r\nX: " + std::string(64 << 20, 'x')) + gzip(good));
  ASSERT_EQ(line.size(), 2U);
  EXPECT_HAS(line[0].fault, "headers longer than the limit");
  EXPECT_EQ(line[1].block, "good");
}

TEST(Warc, ReadsArc) {
  const std::vector<Read> read = read_records(
      "filedesc://a.arc 127.0.0.1 20140216050221 text/plain 9\n1 0 Here\n\nhttp://a.example/with blank 1.2.3.4 20140216050221 "
      "text/html 5\nhello\n\nhttp://a.example/ 1.2.3.4 20140216050221 text/html abc\n\n"
      "http://a.example/last 1.2.3.4 20140216050221 text/html 2\nok\n");
  ASSERT_EQ(read.size(), 4U);
  EXPECT_EQ(read[0].type, "warcinfo");
  EXPECT_EQ(read[1].url, "http://a.example/with blank");
  EXPECT_EQ(read[1].block, "hello");
  EXPECT_HAS(read[2].fault, "Content-Length is 'abc'");
  EXPECT_EQ(read[3].block, "ok");
}

// Types, sizes and offsets as warcio 1.8.1 tells them; where it gives up (a member of several records), what is in the file.
TEST(Warc, RealFilesAndWarciosTestData) {
  const char* shared = std::getenv("SLIPWAY_SHARED");
  const std::filesystem::path file = std::filesystem::path(shared == nullptr ? "" : shared) / "data/html-warc/whirlwind.warc.gz";
  if (!std::filesystem::exists(file)) {
    GTEST_SKIP() << "needs the shared data";
  }
  const std::vector<Read> read = read_records(base::read_file(file));
  const std::vector<std::tuple<std::string, size_t, uint64_t>> wanted = {
      {"warcinfo", 486, 0}, {"request", 265, 516}, {"response", 74581, 1023}, {"metadata", 201, 18374}};
  ASSERT_EQ(read.size(), wanted.size());
  for (size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(std::make_tuple(read[i].type, read[i].block.size(), read[i].offset), wanted[i]);
    EXPECT_EQ(read[i].fault, "");
  }
}

TEST(Cdxj, KeysAndLines) {
  EXPECT_EQ(surt_key("http://www.Example.com:80/A?b=2&a=1#x"), "com,example)/a?a=1&b=2");
  EXPECT_EQ(surt_key("https://example.com:8443"), "com,example:8443)/");
  EXPECT_EQ(surt_key("http://192.168.1.1/x"), "192.168.1.1)/x");
  EXPECT_EQ(cdxj_line({"http://a.example/", kDate, "text/html", "200", "sha256:0", "a.warc.gz", {7, 9}}),
            "example,a)/ 20240102030405 {\"url\":\"http://a.example/\",\"mime\":\"text/html\",\"status\":\"200\",\"digest\":\"sha256:0\","
            "\"length\":\"9\",\"offset\":\"7\",\"filename\":\"a.warc.gz\"}\n");
}

HttpMessage parsed(std::string_view message, size_t limit = 1 << 20) {
  HttpMessage out;
  parse_http_response(message, limit, out);
  return out;
}

TEST(HttpMessage, UndoesChunksAndCodings) {
  const std::string packed = gzip("<p>hello</p>");
  EXPECT_EQ(parsed("HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody").body, "body");
  EXPECT_EQ(parsed("HTTP/1.1 404 No\nA: b\n\nbody").status, 404);
  EXPECT_EQ(std::string(parsed("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + packed).decoded), "<p>hello</p>");
  const std::string chunked = fmt::format("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n5;x\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n",
                                          packed.substr(0, 5), packed.size() - 5, packed.substr(5));
  EXPECT_EQ(parsed(chunked).decoded, "<p>hello</p>");
  // The bytes are not what the headers say: taken as they are.
  EXPECT_EQ(parsed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n<!doctype html>").body, "<!doctype html>");
  EXPECT_EQ(parsed("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n<!doctype html>").body, "<!doctype html>");
  // The brotli stream of "hello brotli" (an uncompressed meta-block).
  EXPECT_EQ(parsed(std::string("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n") + std::string("\x8b\x05\x80hello brotli\x03", 16)).decoded,
            "hello brotli");
}

TEST(HttpMessage, BombsAndDamageAreFaults) {
  const std::string bomb = gzip(std::string(8 << 20, '\0'));
  EXPECT_HAS(parsed("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + bomb).fault, "more than the limit");
  EXPECT_HAS(parsed("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + bomb.substr(0, 100)).fault, "ends early");
  EXPECT_HAS(parsed("HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip, gzip, gzip, gzip\r\n\r\n" + bomb).fault, "on top of each other");
  EXPECT_HAS(parsed("HTTP/1.1 200 OK\r\nContent-Encoding: compress\r\n\r\nxx").fault, "unknown content coding");
  EXPECT_HAS(parsed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab").fault, "ends early");
  EXPECT_HAS(parsed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n").fault, "no size");
}

}  // namespace
}  // namespace slipway::data
