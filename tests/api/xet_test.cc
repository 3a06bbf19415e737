// Xet's uploads: xorbs and shards as clients make them, and broken ones. docs/formats/xet.md.
#include <lz4frame.h>

#include "api/fixture.h"
#include "api/xet_format.h"
#include "base/hash.h"

namespace slipway::api {
namespace {

std::string le(uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) {
    out += static_cast<char>(value >> (8 * i));
  }
  return out;
}

std::string chunk(int scheme, const std::string& packed, size_t size) {
  return le(0, 1) + le(packed.size(), 3) + le(static_cast<uint64_t>(scheme), 1) + le(size, 3) + packed;
}

std::string lz4(const std::string& bytes) {
  std::string out(LZ4F_compressFrameBound(bytes.size(), nullptr), '\0');
  out.resize(LZ4F_compressFrame(out.data(), out.size(), bytes.data(), bytes.size(), nullptr));
  return out;
}

std::string grouped(const std::string& bytes) {
  std::string out;
  for (size_t group = 0; group < 4; ++group) {
    for (size_t i = group; i < bytes.size(); i += 4) {
      out += bytes[i];
    }
  }
  return out;
}

std::string unhex(const std::string& hex) {
  std::string out;
  for (size_t i = 0; i < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return out;
}

// A hash's text from its bytes: each eight are a little-endian number.
std::string raw_of(const std::string& text) {
  std::string raw = unhex(text);
  for (size_t word = 0; word < raw.size(); word += 8) {
    std::reverse(raw.begin() + static_cast<long>(word), raw.begin() + static_cast<long>(word) + 8);
  }
  return raw;
}

const std::string kHash = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

std::string shard(const std::string& sha256, uint32_t size, uint32_t begin, uint32_t end, const std::string& xorb = kHash) {
  std::string out = std::string(32, 'T') + le(2, 8) + le(0, 8);
  out += std::string(32, 'F') + le((1U << 31) | (1U << 30), 4) + le(1, 4) + le(0, 8);
  out += raw_of(xorb) + le(0, 4) + le(size, 4) + le(begin, 4) + le(end, 4);
  out += std::string(48, 'V');
  out += raw_of(sha256) + le(0, 16);
  return out + std::string(32, '\xFF') + le(0, 16);
}

TEST(XetFormat, UnpacksEveryScheme) {
  std::string text;
  for (int i = 0; i < 10'001; ++i) {
    text += static_cast<char>('a' + i % 7);
  }
  const std::string xorb = chunk(0, "plain", 5) + chunk(1, lz4(text), text.size()) + chunk(2, lz4(grouped(text)), text.size()) + "XETBLOB…";
  const auto chunks = read_xorb(xorb);
  ASSERT_EQ(chunks.size(), 3U);
  std::string out;
  for (const XetChunk& one : chunks) {
    unpack_chunk(one, out);
  }
  EXPECT_EQ(out, "plain" + text + text);
}

TEST(XetFormat, RefusesWhatIsBroken) {
  const std::string good = chunk(1, lz4("hello"), 5);
  EXPECT_THROW(read_xorb("x"), base::Error);
  EXPECT_THROW(read_xorb(good.substr(0, good.size() - 1)), base::Error);
  EXPECT_THROW(read_xorb(chunk(3, "x", 1)), base::Error);
  EXPECT_THROW(read_xorb(chunk(0, "x", 2)), base::Error);
  EXPECT_THROW(read_xorb(chunk(1, "x", (1U << 24) - 1)), base::Error);
  std::string out;
  const auto unpack = [&](const std::string& xorb) { unpack_chunk(read_xorb(xorb).front(), out); };
  EXPECT_THROW(unpack(chunk(1, lz4("hello"), 4)), base::Error);
  EXPECT_THROW(unpack(chunk(1, lz4("hello"), 6)), base::Error);
  EXPECT_THROW(unpack(chunk(1, "nonsense", 6)), base::Error);
  EXPECT_THROW(unpack(chunk(1, "", 6)), base::Error);
  const std::string whole = shard(base::sha256_hex("x"), 1, 0, 1);
  EXPECT_EQ(read_shard(whole).front().terms.front().xorb, kHash);
  EXPECT_EQ(read_shard(whole).front().sha256, base::sha256_hex("x"));
  for (size_t cut = 0; cut < whole.size(); cut += 16) {
    EXPECT_THROW(read_shard(whole.substr(0, cut)), base::Error) << cut;
  }
  std::string many = whole;
  many.replace(48 + 36, 4, le(0xFFFFFFFF, 4));
  EXPECT_THROW(read_shard(many), base::Error);
}

class Xet : public ServerTest {
 protected:
  static constexpr const char* kBase = "/xet/2900/v1";
  Answer xorb(const std::string& bytes, const std::string& hash = kHash) {
    return ask("POST", fmt::format("{}/xorbs/default/{}", kBase, hash), bytes, {{"Content-Type", "application/octet-stream"}});
  }
  Answer shards(const std::string& bytes) {
    return ask("POST", std::string(kBase) + "/shards", bytes, {{"Content-Type", "application/octet-stream"}});
  }
  int commit(const std::string& oid) {
    return ask("POST", "/api/models/ns/r/commit/main",
               fmt::format("{}\n{}", R"({"key": "header", "value": {"summary": "s"}})",
                           Json{{"key", "lfsFile"}, {"value", {{"path", "w"}, {"oid", oid}}}}.dump()))
        .status;
  }
};

TEST_F(Xet, AShardMakesFilesOfXorbs) {
  good(ask("POST", "/api/repos/create", R"({"name": "r", "organization": "ns"})"));
  const Answer token = ask("GET", "/api/models/ns/r/xet-write-token/main");
  EXPECT_EQ(token.body["casUrl"], token.headers.get("X-Xet-Cas-Url"));
  EXPECT_TRUE(token.body["casUrl"].get<std::string>().starts_with(server_->url() + "/xet/"));
  const std::string oid = base::sha256_hex("bcbc");
  EXPECT_EQ(shards(shard(oid, 4, 1, 3)).status, 400);  // no such xorb
  EXPECT_EQ(good(xorb(chunk(0, "a", 1) + chunk(1, lz4("bc"), 2) + chunk(0, "bc", 2)))["was_inserted"], true);
  EXPECT_EQ(good(xorb(chunk(0, "evil", 4)))["was_inserted"], false);  // the first stays
  EXPECT_EQ(shards(shard(oid, 4, 1, 4)).status, 400);
  EXPECT_EQ(shards(shard(oid, 4, 2, 1)).status, 400);
  EXPECT_EQ(shards(shard(oid, 5, 1, 3)).status, 400);
  EXPECT_EQ(commit(oid), 400);
  EXPECT_EQ(shards(shard(base::sha256_hex("other"), 4, 1, 3)).status, 400);
  EXPECT_EQ(commit(base::sha256_hex("other")), 400);
  EXPECT_EQ(good(shards(shard(oid, 4, 1, 3)))["result"], 1);
  EXPECT_EQ(commit(oid), 200);
  EXPECT_EQ(ask("GET", "/ns/r/resolve/main/w").text, "bcbc");
}

TEST_F(Xet, NamesAndBytesAreChecked) {
  EXPECT_EQ(xorb(chunk(0, "a", 1), "..%2F..%2Fx").status, 400);
  EXPECT_EQ(xorb("nonsense").status, 400);
  EXPECT_EQ(shards("nonsense").status, 400);
  EXPECT_EQ(ask("GET", "/api/models/ns/none/xet-write-token/main").status, 404);
}

}  // namespace
}  // namespace slipway::api
