#include "collect/fetch.h"

#include <gtest/gtest.h>

namespace slipway::collect {
namespace {

TEST(Fetch, RetryAfterIsSecondsOrADate) {
  EXPECT_EQ(retry_after("120", 0), 120);
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784'111'777 - 60), 60);
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784'111'777 + 60), 0);
  EXPECT_EQ(retry_after("-5", 0), -1);
  EXPECT_EQ(retry_after("soon", 0), -1);
  EXPECT_EQ(retry_after("", 0), -1);
}

TEST(Fetch, TypesWithoutTheirParameters) {
  EXPECT_EQ(media_type(" Text/HTML ; charset=x"), "text/html");
  EXPECT_EQ(media_type(""), "");
  EXPECT_EQ(media_type(" ; x"), "");
}

TEST(Fetch, AStoredResponseSaysNothingUntrueOfItsBody) {
  Fetched fetched;
  fetched.status = 200;
  fetched.body = "abc";
  fetched.headers = {{"transfer-encoding", "chunked"}, {"Content-Length", "9"}, {"Content-Encoding", "gzip"}};
  EXPECT_EQ(fetched.response(),
            "HTTP/1.1 200 OK\r\nX-Crawler-transfer-encoding: chunked\r\nX-Crawler-Content-Length: 9\r\nContent-Encoding: gzip\r\n"
            "Content-Length: 3\r\n\r\nabc");
  fetched.headers = {{"Content-Length", "3"}};
  EXPECT_EQ(fetched.response(), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
}

}  // namespace
}  // namespace slipway::collect
