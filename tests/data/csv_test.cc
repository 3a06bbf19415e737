#include "data/csv.h"

#include "data/helpers.h"

namespace slipway::data {
namespace {

using Records = std::vector<std::vector<std::string>>;

// Reads `text` handing out `piece` bytes at a time, so that every state meets the edge of the buffer.
Records parse(std::string_view text, CsvFormat format = {}, size_t piece = SIZE_MAX) {
  size_t at = 0;
  CsvReader reader(
      [&](char* buffer, size_t capacity) {
        const size_t n = std::min({capacity, piece, text.size() - at});
        std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(at), n, buffer);
        at += n;
        return n;
      },
      "x.csv", format);
  Records records;
  std::vector<std::string_view> fields;
  while (reader.next(fields)) {
    records.emplace_back(fields.begin(), fields.end());
  }
  return records;
}

const CsvFormat kRaw{.delimiter = '\t', .quote = 0};

TEST(Csv, ReadsWhatRfc4180Describes) {
  const std::string text = "a,b,c\r\n1,\"x, y\",\"he said \"\"no\"\"\"\r\n2,\"two\r\nlines\",\r\n";
  const Records wanted = {{"a", "b", "c"}, {"1", "x, y", "he said \"no\""}, {"2", "two\r\nlines", ""}};
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, SIZE_MAX}) {
    EXPECT_EQ(parse(text, {}, piece), wanted) << piece;
  }
}

TEST(Csv, EndsWithoutANewline) {
  EXPECT_EQ(parse("a,b\n1,2"), (Records{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(parse("a,b\n1,2\r"), (Records{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(parse("a,\"b\""), (Records{{"a", "b"}}));
  EXPECT_EQ(parse("a,"), (Records{{"a", ""}}));
  EXPECT_EQ(parse(""), Records{});
}

TEST(Csv, SkipsTheByteOrderMarkAndEmptyLines) {
  EXPECT_EQ(parse("\xEF\xBB\xBF"
                  "a,b\n\n\r\n1,2\n\n",
                  {}, 1),
            (Records{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(parse("\"\"\n"), (Records{{""}}));  // a quoted empty field is a record
}

TEST(Csv, KeepsACarriageReturnThatIsContent) {
  EXPECT_EQ(parse("a\rb,c\n"), (Records{{"a\rb", "c"}}));
  EXPECT_EQ(parse("\"a\r\"\n"), (Records{{"a\r"}}));
  EXPECT_EQ(parse("\"a\r\"\r\n"), (Records{{"a\r"}}));
}

TEST(Csv, TakesStrayQuotesAsTheyAre) {
  EXPECT_EQ(parse("5\" disk,x\n"), (Records{{"5\" disk", "x"}}));
  EXPECT_EQ(parse("\"ab\"cd,x\n"), (Records{{"abcd", "x"}}));
}

TEST(Csv, RawTsvHasNoQuotes) { EXPECT_EQ(parse("a\t\"b\n\"c\td\n", kRaw), (Records{{"a", "\"b"}, {"\"c", "d"}})); }

TEST(Csv, NamesTheLineOfAnUnclosedQuote) {
  const auto message = error_of(base::Code::kInvalid, [] { parse("a,b\n1,2\n3,\"open\nmore\nmore\n"); });
  EXPECT_HAS(message, "'x.csv' line 3");
  EXPECT_HAS(message, "never closes");
}

TEST(Csv, StopsAtARowThatIsTooLong) {
  CsvFormat format;
  format.max_record_bytes = 1 << 20;
  const std::string text = "a,b\n1,\"" + std::string(4 << 20, 'x');
  EXPECT_HAS(error_of(base::Code::kInvalid, [&] { parse(text, format); }), "line 2: a row longer than");
}

TEST(Csv, StopsAtTooManyFields) {
  EXPECT_HAS(error_of(base::Code::kInvalid, [] { parse(std::string(100000, ',')); }), "fields in one row");
}

TEST(Csv, CountsLinesInsideQuotes) {
  const std::string text = "\"a\n\nb\"\nc\n";
  size_t at = 0;
  CsvReader reader(
      [&](char* buffer, size_t) {
        if (at == text.size()) {
          return size_t{0};
        }
        buffer[0] = text[at++];
        return size_t{1};
      },
      "x", {});
  std::vector<std::string_view> fields;
  ASSERT_TRUE(reader.next(fields));
  EXPECT_EQ(reader.line_number(), 1U);
  ASSERT_TRUE(reader.next(fields));
  EXPECT_EQ(reader.line_number(), 4U);
}

TEST(Csv, RandomRecordsSurviveARoundTrip) {
  const uint64_t seed = 11;
  base::Rng rng(seed);
  const std::string_view alphabet = "ab,\"\n\r 1";
  for (int round = 0; round < 200; ++round) {
    Records records;
    std::string text;
    for (uint64_t r = 1 + rng.below(4); r > 0; --r) {
      auto& record = records.emplace_back();
      for (uint64_t f = 2 + rng.below(3); f > 0; --f) {
        std::string value;
        for (uint64_t n = rng.below(6); n > 0; --n) {
          value += alphabet[rng.below(alphabet.size())];
        }
        text += record.empty() ? "\"" : ",\"";
        for (const char c : value) {
          text.append(c == '"' ? 2 : 1, c);
        }
        text += '"';
        record.push_back(std::move(value));
      }
      text += "\r\n";
    }
    EXPECT_EQ(parse(text, {}, 1 + rng.below(5)), records) << "seed " << seed << " round " << round;
  }
}

}  // namespace
}  // namespace slipway::data
