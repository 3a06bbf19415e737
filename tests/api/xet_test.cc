// Xet's uploads: xorbs and shards as clients make them, and broken ones. docs/formats/xet.md.
#include <lz4frame.h>

#include "api/fixture.h"
#include "api/xet_format.h"
#include "api/xet_view.h"
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

// The bytes of a file put together as a client does, out of the terms and ranges of an answer; `get` gives a range of a xorb.
std::string rebuilt(const Json& answer, int version, const std::function<std::string(const std::string&, uint64_t, uint64_t)>& get) {
  std::string out;
  for (const Json& term : answer.at("terms")) {
    const auto hash = term.at("hash").get<std::string>();
    EXPECT_TRUE(is_xet_hash(hash));
    const Json& place = answer.at(version == 1 ? "fetch_info" : "xorbs").at(hash).at(0);
    const Json& range = version == 1 ? place : place.at("ranges").at(0);
    const Json& bytes = range.at(version == 1 ? "url_range" : "bytes");
    EXPECT_EQ(range.at(version == 1 ? "range" : "chunks"), term.at("range"));
    const std::string xorb = get(place.at("url"), bytes.at("start"), bytes.at("end"));
    const size_t before = out.size();
    const auto chunks = read_xorb(xorb);
    EXPECT_EQ(chunks.size(), term.at("range").at("end").get<size_t>() - term.at("range").at("start").get<size_t>());
    for (const XetChunk& one : chunks) {
      unpack_chunk(one, out);
    }
    EXPECT_EQ(out.size() - before, term.at("unpacked_length").get<size_t>());
  }
  return out.substr(answer.at("offset_into_first_range").get<size_t>());
}

std::string some_bytes(size_t size) {
  std::string bytes(size, '\0');
  uint32_t seed = 1;
  for (char& c : bytes) {
    seed = seed * 1664525U + 1013904223U;
    c = static_cast<char>(seed >> 24);
  }
  return bytes;
}

TEST(XetView, EveryPartOfAFileComesBack) {
  const uint64_t chunk = kViewChunkBytes;
  for (const uint64_t size : {kMinViewBytes, 2 * kViewXorbBytes, 2 * kViewXorbBytes + chunk + 7}) {
    const std::string file = some_bytes(size);
    const XetView view(base::sha256_hex(file), size);
    const auto get = [&](const std::string& url, uint64_t first, uint64_t last) {
      EXPECT_LT(last, view.xorb_size(std::stoull(url)));
      return view.xorb_bytes(file, std::stoull(url), first, last - first + 1);
    };
    for (const auto& [first, count] : std::vector<std::pair<uint64_t, uint64_t>>{
             {0, size}, {0, 1}, {size - 1, 1}, {chunk, chunk}, {chunk - 1, 2}, {kViewXorbBytes - 1, 2}, {3 * chunk + 5, kViewXorbBytes}}) {
      const uint64_t held = std::min(count, size - first);
      for (const int version : {1, 2}) {
        const Json answer = view.reconstruction(version, {Range::Kind::kPart, first, held}, [](uint64_t index) { return std::to_string(index); });
        const std::string got = rebuilt(answer, version, get);
        ASSERT_GE(got.size(), held);
        EXPECT_EQ(got.substr(0, held), file.substr(first, held)) << first << ' ' << held;
      }
    }
    // Ranges of a xorb that begin and end anywhere are parts of the whole.
    const std::string xorb = view.xorb_bytes(file, 0, 0, view.xorb_size(0));
    EXPECT_EQ(xorb.size(), view.xorb_size(0));
    for (const uint64_t at : {uint64_t{0}, uint64_t{3}, kXetChunkHeader + chunk - 1, kXetChunkHeader + chunk + 5}) {
      EXPECT_EQ(view.xorb_bytes(file, 0, at, 20), xorb.substr(at, 20));
    }
  }
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

TEST_F(Xet, LargeFilesAreReadByRangesOfXorbs) {
  for (const char* name : {"r", "other"}) {
    good(ask("POST", "/api/repos/create", Json{{"name", name}, {"organization", "ns"}}.dump()));
  }
  const std::string file = some_bytes(kMinViewBytes + 100);
  const std::string oid = base::sha256_hex(file);
  EXPECT_EQ(ask("PUT", "/ns/r.git/info/lfs/objects/" + oid, file, {{"Content-Type", "application/octet-stream"}}).status, 200);
  ASSERT_EQ(commit(oid), 200);
  const Answer head = ask("HEAD", "/ns/r/resolve/main/w");
  EXPECT_EQ(head.headers.get("X-Xet-Hash"), oid);
  const std::string refresh(head.headers.get("X-Xet-Refresh-Route"));
  EXPECT_EQ(head.headers.get("Link"), "<" + refresh + ">; rel=\"xet-auth\"");
  EXPECT_EQ(good(ask("GET", "/api/models/ns/r/tree/main"))[0]["xetHash"], oid);
  const size_t origin = server_->url().size();
  const Answer token = ask("GET", refresh.substr(origin));
  EXPECT_EQ(token.headers.get("X-Xet-Cas-Url"), server_->url() + "/api/models/ns/r/xet");
  const auto get = [&](const std::string& url, uint64_t first, uint64_t last) {
    const Answer part = ask("GET", url.substr(origin), "", {{"Range", fmt::format("bytes={}-{}", first, last)}});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.text.size(), last - first + 1);
    return part.text;
  };
  const std::string place = token.body["casUrl"].get<std::string>().substr(origin);
  for (const int version : {1, 2}) {
    const std::string address = fmt::format("{}/v{}/reconstructions/{}", place, version, oid);
    EXPECT_EQ(rebuilt(good(ask("GET", address)), version, get), file);
    const std::string part = rebuilt(good(ask("GET", address, "", {{"Range", "bytes=1000000-1000099"}})), version, get);
    EXPECT_EQ(part.substr(0, 100), file.substr(1000000, 100));
    EXPECT_EQ(ask("GET", address, "", {{"Range", fmt::format("bytes={}-", file.size())}}).status, 416);
  }
  EXPECT_EQ(ask("GET", place + "/xorbs/" + oid + "/1").text.size(), 101 + kXetChunkHeader);
  EXPECT_EQ(ask("GET", place + "/xorbs/" + oid + "/2").status, 404);
  EXPECT_EQ(ask("GET", place + "/xorbs/" + oid + "/-1").status, 404);
  EXPECT_EQ(ask("GET", place + "/xorbs/" + oid + "/0", "", {{"Range", "bytes=9999999-"}}).status, 416);
  EXPECT_EQ(ask("GET", place + "/v1/reconstructions/" + std::string(64, '0')).status, 404);
  EXPECT_EQ(ask("GET", place + "/v1/reconstructions/..").status, 400);
  EXPECT_EQ(ask("GET", "/api/models/ns/other/xet/v2/reconstructions/" + oid).status, 404);  // it is none of that repository's
  EXPECT_EQ(ask("GET", "/api/models/ns/other/xet/xorbs/" + oid + "/0").status, 404);
}

TEST_F(Xet, SmallFilesAreReadWhole) {
  good(ask("POST", "/api/repos/create", R"({"name": "r", "organization": "ns"})"));
  const std::string oid = base::sha256_hex("small");
  EXPECT_EQ(ask("PUT", "/ns/r.git/info/lfs/objects/" + oid, "small", {{"Content-Type", "application/octet-stream"}}).status, 200);
  ASSERT_EQ(commit(oid), 200);
  EXPECT_FALSE(ask("HEAD", "/ns/r/resolve/main/w").headers.has("X-Xet-Hash"));
  EXPECT_FALSE(good(ask("GET", "/api/models/ns/r/tree/main"))[0].contains("xetHash"));
  EXPECT_EQ(ask("GET", "/api/models/ns/r/xet/v2/reconstructions/" + oid).status, 404);
}

TEST_F(Xet, NamesAndBytesAreChecked) {
  EXPECT_EQ(xorb(chunk(0, "a", 1), "..%2F..%2Fx").status, 400);
  EXPECT_EQ(xorb("nonsense").status, 400);
  EXPECT_EQ(shards("nonsense").status, 400);
  EXPECT_EQ(ask("GET", "/api/models/ns/none/xet-write-token/main").status, 404);
}

}  // namespace
}  // namespace slipway::api
