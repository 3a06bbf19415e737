// Packed token shards: what pack_corpus writes, read back; broken files; the order of reading.
#include "data/token_shards.h"

#include <fstream>
#include <map>
#include <numeric>
#include <set>

#include "base/input.h"
#include "data/helpers.h"
#include "data/pack_corpus.h"
#include "data/token_stream.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;
using base::Code;

// A token a byte: ids 3 … 258, or of any vocabulary; 1 and 2 stand around texts.
class ByteTokenizer final : public text::Tokenizer {
 public:
  explicit ByteTokenizer(int size = 259) : size_(size) {
    for (int i = 0; i < size; ++i) {
      names_.push_back("t" + std::to_string(i));
    }
  }
  void encode(std::string_view text, const text::EncodeOptions& options, text::Encoding& out) const override {
    out.ids.clear();
    if (options.add_special_tokens) {
      out.ids.push_back(1);
    }
    for (const char c : text) {
      out.ids.push_back(size_ - 256 + static_cast<unsigned char>(c));
    }
    if (options.add_special_tokens) {
      out.ids.push_back(2);
    }
  }
  std::string decode(std::span<const int32_t> ids, bool) const override {
    std::string text;
    for (const int32_t id : ids) {
      text += static_cast<char>(id - size_ + 256);
    }
    return text;
  }
  int vocab_size() const override { return size_; }
  int token_to_id(std::string_view) const override { return -1; }
  std::string_view id_to_token(int id) const override { return names_[static_cast<size_t>(id)]; }
  bool is_special(int id) const override { return id < 3; }

 private:
  int size_;
  std::vector<std::string> names_;
};

class Pack : public testing::Test {
 protected:
  void SetUp() override {
    base::Rng rng(31);
    std::string lines;
    for (int i = 0; i < 400; ++i) {
      std::string text;
      const size_t size = i % 50 == 7 ? 900 + rng.below(900) : rng.below(120);  // some longer than several rows, some empty
      for (size_t j = 0; j < size; ++j) {
        text += static_cast<char>('a' + rng.below(26));
      }
      texts_.push_back(text);
      lines += Json{{"text", text}}.dump() + "\n";
      if (i % 60 == 20) {
        lines += "{broken\n\n";
      }
    }
    base::write_file_atomic(root_.path() / "a.jsonl", lines.substr(0, lines.find('\n', lines.size() / 2) + 1));
    base::write_file_atomic(root_.path() / "b.jsonl", lines.substr(lines.find('\n', lines.size() / 2) + 1));
  }
  PackOptions options(const std::string& name, PackMode mode = PackMode::kConcatenate) const {
    PackOptions options;
    options.inputs = {root_.path() / "a.jsonl", root_.path() / "b.jsonl"};
    options.out = root_.path() / name;
    options.length = 64;
    options.mode = mode;
    options.end = 0;
    options.shard_bytes = 4096;  // 32 rows of 64 tokens of two bytes
    return options;
  }
  static PackSummary run(const PackOptions& options, const text::Tokenizer& tokenizer = ByteTokenizer(), int threads = 2) {
    TestContext test(threads);
    return pack_corpus(options, tokenizer, test.context);
  }
  // All texts, each with its end.
  std::string joined() const {
    std::string all;
    for (const std::string& text : texts_) {
      all += text.empty() ? "" : text + '\0';
    }
    return all;
  }
  // Names and bytes of the files but state.
  std::map<std::string, std::string> files(const std::string& name) const {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(root_.path() / name)) {
      if (entry.is_regular_file() && entry.path().string().find("/state/") == std::string::npos) {
        all[fs::relative(entry.path(), root_.path() / name).string()] = base::read_file(entry.path());
      }
    }
    return all;
  }

  base::TempDir root_;
  std::vector<std::string> texts_;
};

char byte_of(int32_t id) { return id == 0 ? '\0' : static_cast<char>(id - 3); }

TEST_F(Pack, ConcatenatedRowsAreTheTextsOneAfterTheOther) {
  const PackSummary summary = run(options("out"));
  const TokenFolder folder(root_.path() / "out");
  folder.verify();
  const std::string want = joined();
  std::string got;
  std::set<uint64_t> begins;
  TokenSequence row;
  for (uint64_t i = 0; i < folder.sequences(); ++i) {
    folder.read(i, row);
    ASSERT_EQ(row.ids.size(), 64U);
    EXPECT_EQ(row.used, 64U);
    for (const uint32_t begin : row.begins) {
      begins.insert(got.size() + begin);
    }
    for (const int32_t id : row.ids) {
      got += byte_of(id);
    }
  }
  EXPECT_EQ(got, want.substr(0, want.size() / 64 * 64));
  EXPECT_EQ(summary.index.tail_tokens, want.size() % 64);
  EXPECT_EQ(summary.index.tokens, got.size());
  EXPECT_GT(summary.index.shards.size(), 10U);
  std::set<uint64_t> expected;
  uint64_t at = 0;
  for (const std::string& text : texts_) {
    if (!text.empty() && at < got.size()) {
      expected.insert(at);
    }
    at += text.empty() ? 0 : text.size() + 1;
  }
  EXPECT_EQ(begins, expected);
  EXPECT_EQ(summary.index.documents, expected.size());
  EXPECT_EQ(summary.bad.at("invalid_json"), 7U);
  EXPECT_EQ(summary.index.width, 2U);
}

TEST_F(Pack, DocumentsStayWholeAndRowsAreFilledWell) {
  const PackSummary summary = run(options("out", PackMode::kDocuments));
  const TokenFolder folder(root_.path() / "out");
  std::multiset<std::string> pieces;
  TokenSequence row;
  uint64_t used = 0;
  for (uint64_t i = 0; i < folder.sequences(); ++i) {
    folder.read(i, row);
    ASSERT_FALSE(row.begins.empty());
    EXPECT_EQ(row.begins[0], 0U);
    used += row.used;
    for (size_t j = 0; j < row.begins.size(); ++j) {
      std::string piece;
      for (uint32_t at = row.begins[j]; at < (j + 1 < row.begins.size() ? row.begins[j + 1] : row.used); ++at) {
        piece += byte_of(row.ids[at]);
      }
      pieces.insert(piece);
    }
    for (uint32_t at = row.used; at < 64; ++at) {
      EXPECT_EQ(row.ids[at], 0);
    }
  }
  std::multiset<std::string> want;
  for (const std::string& text : texts_) {
    for (size_t at = 0; !text.empty() && at < text.size() + 1; at += 64) {
      want.insert((text + '\0').substr(at, 64));
    }
  }
  EXPECT_EQ(pieces, want);
  EXPECT_EQ(used, summary.index.tokens);
  EXPECT_EQ(summary.index.tail_tokens, 0U);
  EXPECT_GT(static_cast<double>(used), 0.9 * static_cast<double>(folder.sequences() * 64));
}

TEST_F(Pack, TheBytesDoNotDependOnThreadsOrOnAKill) {
  for (const PackMode mode : {PackMode::kConcatenate, PackMode::kDocuments}) {
    const std::string name = mode == PackMode::kDocuments ? "docs" : "cat";
    const PackSummary whole = run(options(name, mode), ByteTokenizer(), 1);
    run(options(name + "4", mode), ByteTokenizer(), 4);
    EXPECT_EQ(files(name), files(name + "4"));
    // As if it had been killed behind shard n: what progress.json said then.
    const fs::path out = root_.path() / (name + "-torn");
    for (const size_t after : {size_t{1}, size_t{2}, whole.index.shards.size() - 1}) {
      fs::remove_all(out);
      PackOptions first = options(name + "-torn", mode);
      // The run is stopped by a folder that stands where its next shard goes.
      const fs::path wall = out / whole.index.shards[std::min(after, whole.index.shards.size() - 1)].file;
      base::make_dirs(wall / "x");
      EXPECT_THROW(run(first), base::Error);
      fs::remove_all(wall);
      const PackSummary again = run(first);
      EXPECT_EQ(again.digest, whole.digest) << name << ' ' << after;
      EXPECT_EQ(again.bad, whole.bad) << name << ' ' << after;
      EXPECT_EQ(files(name + "-torn"), files(name)) << name << ' ' << after;
    }
    EXPECT_EQ(run(options(name, mode)).resumed_shards, whole.index.shards.size());
  }
}

TEST_F(Pack, ATokenizersOwnFrameAndAWideVocabulary) {
  PackOptions given = options("out");
  given.end = -1;
  const ByteTokenizer wide(70000);
  const PackSummary summary = run(given, wide);
  EXPECT_EQ(summary.index.width, 4U);
  const TokenFolder folder(given.out);
  TokenSequence row;
  folder.read(0, row);
  EXPECT_EQ(row.ids[0], 1);
  EXPECT_EQ(row.ids[1], texts_[0].empty() ? 2 : 70000 - 256 + static_cast<unsigned char>(texts_[0][0]));
}

TEST_F(Pack, WhatCannotBe) {
  run(options("out"));
  PackOptions other = options("out");
  other.length = 32;
  EXPECT_HAS(error_of(Code::kConflict, [&] { run(other); }), "other inputs, options or another tokenizer");
  EXPECT_HAS(error_of(Code::kConflict, [&] { run(options("out"), ByteTokenizer(300)); }), "another tokenizer");
  other = options("new");
  other.length = 0;
  EXPECT_HAS(error_of(Code::kInvalid, [&] { run(other); }), "--length 0");
  other = options("new");
  other.end = 300;
  EXPECT_HAS(error_of(Code::kInvalid, [&] { run(other); }), "not in the vocabulary of 259");
  EXPECT_HAS(error_of(Code::kNotFound, [&] { TokenFolder folder(root_.path()); }), "no index.json");
}

TEST_F(Pack, BrokenFilesAreToldAndNeverRead) {
  run(options("out"));
  const fs::path shard = root_.path() / "out/tokens-00001.bin";
  const std::string good = base::read_file(shard);
  const auto broken = [&](std::string bytes) {
    base::write_file_atomic(shard, bytes);
    return error_of(Code::kIntegrity, [&] { TokenFolder(root_.path() / "out").verify(); });
  };
  EXPECT_HAS(broken(good.substr(0, 30)), "header is missing");
  EXPECT_HAS(broken(good.substr(0, good.size() - 4)), "size does not fit");
  EXPECT_HAS(broken(good + "1234"), "size does not fit");
  std::string bytes = good;
  bytes[70] = static_cast<char>(bytes[70] + 1);
  EXPECT_HAS(broken(bytes), "not what was written");
  for (const auto& [at, why] : std::map<size_t, const char*>{{8, "impossible"}, {12, "impossible"}, {19, "too short"}, {23, "too short"}, {27, "too short"}}) {
    bytes = good;
    bytes[at] = static_cast<char>(at == 12 ? 0 : 0x7f);
    bytes[13] = at == 12 ? '\0' : bytes[13];
    EXPECT_HAS(broken(bytes), why);
  }
  // Every number of the tables set to something else: refused, or harmless and told by verify().
  base::Rng rng(5);
  for (int i = 0; i < 300; ++i) {
    bytes = good;
    bytes[64 + rng.below(bytes.size() - 64)] ^= static_cast<char>(1U << rng.below(8));
    broken(bytes);
  }
  base::write_file_atomic(shard, good);
  const fs::path index = root_.path() / "out/index.json";
  const std::string json = base::read_file(index);
  base::write_file_atomic(index, std::string(json).replace(json.find("\"length\": 64"), 12, "\"length\": 32"));
  EXPECT_HAS(error_of(Code::kIntegrity, [&] { TokenFolder folder(root_.path() / "out"); }), "digest does not fit");
  base::write_file_atomic(index, std::string(json).replace(json.find("tokens-00001.bin"), 16, "../a.jsonl.copyx"));
  EXPECT_HAS(error_of(Code::kInvalid, [&] { TokenFolder folder(root_.path() / "out"); }), "no name of a file");
}

TEST(Permutation, EveryNumberOnceForEverySize) {
  for (const uint64_t n : {1, 2, 3, 4, 5, 17, 64, 1000, 4097}) {
    for (const uint64_t key : {0, 1, 99}) {
      const Permutation permutation(n, key);
      std::set<uint64_t> seen;
      for (uint64_t i = 0; i < n; ++i) {
        const uint64_t to = permutation(i);
        ASSERT_LT(to, n);
        seen.insert(to);
        ASSERT_EQ(permutation.inverse(to), i);
      }
      EXPECT_EQ(seen.size(), n);
    }
  }
  // Where a number goes over many keys: chi-square of 16 places, 15 degrees of freedom; 37.7 is passed once in a thousand.
  std::vector<int> places(16);
  for (uint64_t key = 0; key < 16000; ++key) {
    ++places[Permutation(16, key)(3)];
  }
  double chi = 0;
  for (const int count : places) {
    chi += (count - 1000.0) * (count - 1000.0) / 1000.0;
  }
  EXPECT_LT(chi, 37.7);
}

TEST(BlockShuffle, EveryRowOnceAndInPiecesOfAWindow) {
  for (const uint64_t rows : {1, 5, 63, 64, 65, 640, 1003}) {
    for (const uint64_t block : {1, 7, 64}) {
      for (const uint64_t window : {1, 3, 100}) {
        const BlockShuffle shuffle(rows, block, window, rows + block);
        std::set<uint64_t> seen;
        for (uint64_t i = 0; i < rows; ++i) {
          seen.insert(shuffle(i));
        }
        ASSERT_EQ(seen.size(), rows) << block << ' ' << window;
        ASSERT_EQ(*seen.rbegin(), rows - 1);
      }
    }
  }
  // Of 4 blocks of 10 rows, 40 rows in a row come out of at most 5 blocks.
  const BlockShuffle shuffle(1000, 10, 4, 3);
  for (uint64_t begin = 0; begin + 40 <= 1000; begin += 40) {
    std::set<uint64_t> blocks;
    for (uint64_t i = begin; i < begin + 40; ++i) {
      blocks.insert(shuffle(i) / 10);
    }
    EXPECT_EQ(blocks.size(), 4U);
  }
}

TEST(TokenStream, SharesAreExactInEveryPeriodAndNearlySoWithin) {
  const TokenStream stream({{1000, 0.7, 0}, {300, 0.2, 0}, {50, 0.1, 0}}, {.seed = 4, .period = 100});
  EXPECT_EQ(stream.shares(), (std::vector<uint64_t>{70, 20, 10}));
  EXPECT_EQ(stream.length(), TokenStream::kEndless);
  std::vector<uint64_t> count(3);
  std::map<std::pair<uint32_t, uint64_t>, std::set<uint64_t>> epochs;
  for (uint64_t t = 0; t < 6000; ++t) {
    const TokenPlace place = stream.at(t);
    ++count[place.source];
    EXPECT_TRUE(epochs[std::pair(place.source, place.epoch)].insert(place.sequence).second) << t;
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(static_cast<double>(count[i]), static_cast<double>((t + 1) * stream.shares()[i]) / 100, 1.5) << t;
    }
  }
  EXPECT_EQ(count, (std::vector<uint64_t>{4200, 1200, 600}));
  EXPECT_EQ((epochs[std::pair(uint32_t{2}, uint64_t{3})].size()), 50U);  // an epoch has every row
  std::vector<uint64_t> orders[2];
  for (uint64_t t = 0; t < 1000; ++t) {
    if (const TokenPlace place = stream.at(t); place.source == 2) {
      orders[place.epoch].push_back(place.sequence);
    }
  }
  EXPECT_EQ(orders[1].size(), 50U);
  EXPECT_NE(orders[0], orders[1]);
}

TEST(TokenStream, RanksShareOneOrderAndAnyNumberOfThemGoesOn) {
  const std::vector<TokenSource> sources = {{500, 3, 0}, {400, 1, 0}};
  const TokenStream stream(sources, {.seed = 9, .block = 8, .window = 4, .period = 40});
  std::vector<std::pair<uint32_t, uint64_t>> whole;
  for (uint64_t t = 0; t < 1200; ++t) {
    const TokenPlace place = TokenStream(sources, {.seed = 9, .block = 8, .window = 4, .period = 40}).at(t);  // from a fresh one: nothing is kept
    whole.emplace_back(place.source, place.sequence);
  }
  std::vector<std::pair<uint32_t, uint64_t>> parts(1200);
  for (uint64_t rank = 0; rank < 4; ++rank) {  // 150 steps of 4 ranks, then 6 ranks go on
    for (uint64_t t = rank; t < 600; t += 4) {
      parts[t] = {stream.at(t).source, stream.at(t).sequence};
    }
  }
  for (uint64_t rank = 0; rank < 6; ++rank) {
    for (uint64_t t = 600 + rank; t < 1200; t += 6) {
      parts[t] = {stream.at(t).source, stream.at(t).sequence};
    }
  }
  EXPECT_EQ(parts, whole);
}

TEST(TokenStream, EndsWhereASourceHasBeenReadSoOften) {
  const TokenStream once({{37, 1, 1}}, {.shuffle = false});
  EXPECT_EQ(once.length(), 37U);
  EXPECT_EQ(once.at(36).sequence, 36U);
  const TokenStream mixed({{1000, 3, 0}, {10, 1, 2.5}}, {.period = 8});
  EXPECT_EQ(mixed.shares(), (std::vector<uint64_t>{6, 2}));
  uint64_t second = 0;
  for (uint64_t t = 0; t < mixed.length(); ++t) {
    second += static_cast<uint64_t>(mixed.at(t).source == 1);
  }
  EXPECT_EQ(second, 25U);
  error_of(Code::kInvalid, [] { TokenStream({}, {}); });
  error_of(Code::kInvalid, [] { TokenStream({{0, 1, 0}}, {}); });
  error_of(Code::kInvalid, [] { TokenStream({{1, 0, 0}}, {}); });
  error_of(Code::kInvalid, [] { TokenStream({{1, 1, 0}, {1, 1, 0}}, {.period = 1}); });
  const TokenStream tiny({{5, 1e-9, 0}, {5, 1, 0}, {5, 1e-9, 0}}, {.period = 4});  // each has its one
  EXPECT_EQ(tiny.shares(), (std::vector<uint64_t>{1, 2, 1}));
}

}  // namespace
}  // namespace slipway::data
