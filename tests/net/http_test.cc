#include "net/http.h"

#include "net/encoding.h"
#include "net/parse.h"
#include "net/router.h"
#include "support/support.h"

namespace slipway::net {
namespace {

TEST(Http, HeadersCompareWithoutCase) {
  Headers headers = {{"Content-Type", "a"}, {"X", "1"}};
  EXPECT_EQ(headers.get("content-TYPE"), "a");
  headers.set("CONTENT-type", "b");
  EXPECT_EQ(headers.get("Content-Type"), "b");
  EXPECT_EQ(headers.size(), 2U);
  EXPECT_FALSE(headers.has("y"));
}

TEST(Http, ListsTokensWithQuality) {
  EXPECT_TRUE(header_lists("gzip, deflate;q=0.5", "deflate"));
  EXPECT_FALSE(header_lists("gzip;q=0, br", "gzip"));
  EXPECT_FALSE(header_lists("gzip;q=0.000", "gzip"));
  EXPECT_TRUE(header_lists("br , GZIP", "gzip"));
  EXPECT_FALSE(header_lists("", "gzip"));
}

TEST(Http, DecodesPercentEscapes) {
  std::string out;
  EXPECT_TRUE(percent_decode("a%20b+%C3%a9", false, out));
  EXPECT_EQ(out, "a b+\xC3\xA9");
  EXPECT_TRUE(percent_decode("a+b", true, out));
  EXPECT_EQ(out, "a b");
  for (const char* broken : {"%", "%4", "%zz", "%00", "a%2"}) {
    EXPECT_FALSE(percent_decode(broken, false, out)) << broken;
  }
  EXPECT_TRUE(percent_decode(percent_encode("a/b c%\xFF~"), false, out));
  EXPECT_EQ(out, "a/b c%\xFF~");
}

TEST(Http, ParsesQueries) {
  std::vector<std::pair<std::string, std::string>> pairs;
  EXPECT_TRUE(parse_query("a=1&&b=x+y&c", pairs));
  ASSERT_EQ(pairs.size(), 3U);
  EXPECT_EQ(pairs[1].second, "x y");
  EXPECT_EQ(pairs[2].second, "");
  EXPECT_FALSE(parse_query("a=%4", pairs));
}

TEST(Http, ErrorsKeepTheirStatusAndHideWhatIsInside) {
  EXPECT_EQ(error_response(base::Error(base::Code::kNotFound, "no such model")).status, 404);
  const Response inner = error_response(std::runtime_error("secret path"));
  EXPECT_EQ(inner.status, 500);
  EXPECT_EQ(inner.body.find("secret"), std::string::npos);
  EXPECT_EQ(too_many_requests("full", 0).headers.get("Retry-After"), "1");
}

TEST(Http, RequestIdsDiffer) {
  const std::string a = new_request_id();
  EXPECT_EQ(a.size(), 32U);
  EXPECT_NE(a, new_request_id());
}

TEST(Encoding, RoundTripsBothFormats) {
  std::string text;
  for (int i = 0; i < 5000; ++i) {
    text += "line " + std::to_string(i * 7919 % 1000) + "\n";
  }
  for (const char* name : {"gzip", "deflate"}) {
    std::string out;
    const std::string packed = encode_body(name, text);
    EXPECT_LT(packed.size(), text.size());
    EXPECT_EQ(decode_body(name, packed, text.size(), out), Decode::kOk);
    EXPECT_EQ(out, text);
    EXPECT_EQ(decode_body(name, packed, text.size() - 1, out), Decode::kTooLarge);
    EXPECT_EQ(decode_body(name, packed.substr(0, packed.size() / 2), 1 << 20, out), Decode::kDamaged);
    EXPECT_EQ(decode_body(name, packed + "tail", 1 << 20, out), Decode::kDamaged);
  }
  std::string out;
  EXPECT_EQ(decode_body("br", "x", 10, out), Decode::kUnknown);
  EXPECT_EQ(decode_body("gzip", "", 10, out), Decode::kDamaged);
}

TEST(Encoding, ABombStopsAtTheLimit) {
  const std::string bomb = encode_body("gzip", std::string(size_t{64} << 20, 'a'));
  EXPECT_LT(bomb.size(), size_t{1} << 20);
  std::string out;
  EXPECT_EQ(decode_body("gzip", bomb, 1 << 20, out), Decode::kTooLarge);
  EXPECT_LE(out.capacity(), size_t{4} << 20);
}

Router example_router() {
  Router router;
  const Handler nothing = [](const Request&, const Responder&) {};
  router.add("GET", "/", nothing);
  router.add("GET", "/v2/models/{model}", nothing);
  router.add("GET", "/v2/models/special", nothing);
  router.add("POST", "/v2/models/{model}/infer", nothing);
  return router;
}

Request at(const std::string& method, const std::string& path) {
  Request request;
  request.method = method;
  request.path = path;
  return request;
}

TEST(Router, MatchesSegmentsAndDecodesThem) {
  const Router router = example_router();
  Request request = at("GET", "/v2/models/a%20b");
  EXPECT_EQ(router.find(request).status, 200);
  EXPECT_EQ(request.param("model"), "a b");
  EXPECT_EQ(request.route, "/v2/models/{model}");
  // An encoded slash stays inside its segment.
  request = at("POST", "/v2/models/a%2Fb/infer");
  EXPECT_EQ(router.find(request).status, 200);
  EXPECT_EQ(request.param("model"), "a/b");
}

TEST(Router, PrefersLiterals) {
  const Router router = example_router();
  Request request = at("GET", "/v2/models/special");
  EXPECT_NE(router.find(request).handler, nullptr);
  EXPECT_EQ(request.route, "/v2/models/special");
  request = at("HEAD", "/");
  EXPECT_NE(router.find(request).handler, nullptr);
}

TEST(Router, GivesTheRestToALastName) {
  Router router;
  const auto nothing = [](const Request&, const Responder&) {};
  router.add("GET", "/files/{path...}", nothing);
  router.add("GET", "/files/{name}/info", nothing);
  router.add("GET", "/files/all", nothing);
  const auto found = [&](const std::string& path) {
    Request request;
    request.method = "GET";
    request.path = path;
    return router.find(request).handler == nullptr ? "" : request.route + " " + std::string(request.param("path"));
  };
  EXPECT_EQ(found("/files/a/b%2Fc/d%20e"), "/files/{path...} a/b/c/d e");
  EXPECT_EQ(found("/files/a"), "/files/{path...} a");
  EXPECT_EQ(found("/files/a//b/"), "/files/{path...} a//b");
  EXPECT_EQ(found("/files/all"), "/files/all ");
  EXPECT_EQ(found("/files/x/info"), "/files/{name}/info ");
  EXPECT_EQ(found("/files"), "");
  EXPECT_EQ(found("/files//a"), "");
  EXPECT_THROW(router.add("GET", "/{path...}/x", nothing), std::logic_error);
}

TEST(Router, SaysWhatIsWrong) {
  const Router router = example_router();
  Request request = at("GET", "/nothing");
  EXPECT_EQ(router.find(request).status, 404);
  request = at("DELETE", "/v2/models/x");
  const Router::Match wrong_method = router.find(request);
  EXPECT_EQ(wrong_method.status, 405);
  EXPECT_EQ(wrong_method.allow, "GET");
  request = at("GET", "/v2/models/%zz");
  EXPECT_EQ(router.find(request).status, 400);
  request = at("GET", "/v2/models/");
  EXPECT_EQ(router.find(request).status, 404);
  request = at("GET", "*");
  EXPECT_EQ(router.find(request).status, 400);
}

TEST(Router, RefusesBrokenPatterns) {
  Router router = example_router();
  const Handler nothing = [](const Request&, const Responder&) {};
  EXPECT_THROW(router.add("GET", "/", nothing), std::logic_error);
  EXPECT_THROW(router.add("GET", "x", nothing), std::logic_error);
  EXPECT_THROW(router.add("GET", "/a{b}", nothing), std::logic_error);
  EXPECT_THROW(router.add("GET", "/x", {}), std::logic_error);
}

TEST(Parse, SplitsPipelinedRequests) {
  const auto parsed = parse_requests(
      "GET /a?x=1 HTTP/1.1\r\nHost: h\r\nX-Request-Id: abc-1\r\n\r\n"
      "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
      "GET /c HTTP/1.1\r\nHost: h\r\n",
      {});
  ASSERT_EQ(parsed.size(), 2U);
  EXPECT_EQ(parsed[0].request.query_value("x"), "1");
  EXPECT_EQ(parsed[0].request.id, "abc-1");
  EXPECT_EQ(parsed[1].request.body, "abc");
}

TEST(Parse, RefusesWhatIsBroken) {
  const std::pair<std::string, int> cases[] = {
      {"GARBAGE\r\n\r\n", 400},
      {std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8), 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/9.9\r\nHost: a\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n", 431},
      {"GET /" + std::string(33'000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {"GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417},
      {"GET /?a=%4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx", 415},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", 400},
  };
  for (const auto& [bytes, status] : cases) {
    const auto parsed = parse_requests(bytes, {});
    ASSERT_FALSE(parsed.empty()) << bytes.substr(0, 80);
    EXPECT_EQ(parsed.back().status, status) << bytes.substr(0, 80) << " -> " << parsed.back().message;
  }
}

TEST(Parse, CountsHeaders) {
  std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 100; ++i) {
    bytes += "X" + std::to_string(i) + ": 1\r\n";
  }
  EXPECT_EQ(parse_requests(bytes + "\r\n", {}).back().status, 431);
}

TEST(Parse, ReplacesAnInsaneRequestId) {
  const auto parsed = parse_requests("GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: a b\"<\r\n\r\n", {});
  ASSERT_EQ(parsed.size(), 1U);
  EXPECT_EQ(parsed[0].request.id.size(), 32U);
}

}  // namespace
}  // namespace slipway::net
