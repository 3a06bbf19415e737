#include "collect/url.h"

#include <gtest/gtest.h>

namespace slipway::collect {
namespace {

std::string canonical(std::string_view text) {
  const auto url = parse_url(text);
  return url ? url->text() : "";
}
std::string resolved(std::string_view base, std::string_view reference) {
  const auto url = resolve_url(*parse_url(base), reference);
  return url ? url->text() : "";
}

TEST(Url, OneFormForOnePage) {
  EXPECT_EQ(canonical("HTTP://Example.ORG:80"), "http://example.org/");
  EXPECT_EQ(canonical("https://example.org:443/a/./b/../c/%7Euser%2fx#part"), "https://example.org/a/c/~user%2Fx");
  EXPECT_EQ(canonical("http://example.org:8080/?"), "http://example.org:8080/");
  EXPECT_EQ(canonical(" \thttp://example.org./a b\"<> "), "http://example.org/a%20b%22%3C%3E");
  EXPECT_EQ(canonical("http:\\\\example.org\\a"), "http://example.org/a");
  EXPECT_EQ(canonical("http://[2001:DB8:0::1]/"), "http://[2001:db8::1]/");
}

TEST(Url, HostsBeyondAsciiAreInPunycode) {
  EXPECT_EQ(canonical("http://B\xC3\xBC" "cher.example/\xC3\xA4"), "http://xn--bcher-kva.example/%C3%A4");
  EXPECT_EQ(canonical("http://b%C3%BC" "cher.example/"), "http://xn--bcher-kva.example/");
}

TEST(Url, TrackingAndSessionsAreNotPartOfIt) {
  EXPECT_EQ(canonical("http://a.example/p?utm_source=x&id=3&fbclid=9&PHPSESSID=abc"), "http://a.example/p?id=3");
  EXPECT_EQ(canonical("http://a.example/p;jsessionid=1F2/q?gclid=1"), "http://a.example/p/q");
}

TEST(Url, WhatIsNoneIsRefused) {
  for (const char* text : {"", "example.org", "ftp://example.org/", "mailto:a@b", "javascript:x", "http://", "http:///a", "http://u:p@h/",
                           "http://h:0/", "http://h:65536/", "http://h:x/", "http://[::g]/", "http://a..b/", "http://a b/", "https:h"}) {
    EXPECT_EQ(canonical(text), "") << text;
  }
  EXPECT_EQ(canonical("http://example.org/" + std::string(kMaxUrlBytes, 'a')), "");
}

// RFC 3986, 5.4, but for its schemes.
TEST(Url, ReferencesMeanWhatTheRfcSays) {
  const std::string base = "http://a/b/c/d;p?q";
  const std::pair<const char*, const char*> kCases[] = {
      {"g", "http://a/b/c/g"},        {"./g", "http://a/b/c/g"},       {"g/", "http://a/b/c/g/"},     {"/g", "http://a/g"},
      {"//g", "http://g/"},           {"?y", "http://a/b/c/d;p?y"},    {"g?y", "http://a/b/c/g?y"},   {"#s", "http://a/b/c/d;p?q"},
      {"g#s", "http://a/b/c/g"},      {";x", "http://a/b/c/;x"},       {"g;x", "http://a/b/c/g;x"},   {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},         {"./", "http://a/b/c/"},         {"..", "http://a/b/"},         {"../", "http://a/b/"},
      {"../g", "http://a/b/g"},       {"../..", "http://a/"},          {"../../g", "http://a/g"},     {"../../../g", "http://a/g"},
      {"/./g", "http://a/g"},         {"/../g", "http://a/g"},         {"g.", "http://a/b/c/g."},     {"..g", "http://a/b/c/..g"},
      {"./../g", "http://a/b/g"},     {"./g/.", "http://a/b/c/g/"},    {"g/./h", "http://a/b/c/g/h"}, {"g/../h", "http://a/b/c/h"},
      {"g?y/../x", "http://a/b/c/g?y/../x"}, {"HTTP://G", "http://g/"}};
  for (const auto& [reference, wanted] : kCases) {
    EXPECT_EQ(resolved(base, reference), wanted) << reference;
  }
  EXPECT_EQ(resolved(base, "data:text/html,x"), "");
}

TEST(Url, TheOrderOfParametersMakesNoOtherPage) {
  EXPECT_EQ(url_key(*parse_url("http://a/?b=2&a=1")), url_key(*parse_url("http://a/?a=1&b=2")));
  EXPECT_NE(url_key(*parse_url("http://a/?b=2")), url_key(*parse_url("http://a/?b=3")));
}

}  // namespace
}  // namespace slipway::collect
