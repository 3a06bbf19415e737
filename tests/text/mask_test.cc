#include "text/mask.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace slipway::text {
namespace {

std::string mask(std::string_view text, MaskCounts* counts = nullptr, const MaskOptions& options = {}) {
  MaskCounts local;
  return mask_pii(text, options, counts != nullptr ? *counts : local);
}

TEST(Mask, FindsEmails) {
  EXPECT_EQ(mask("write to john.doe+news@mail.example.co.uk."), "write to [EMAIL].");
  EXPECT_EQ(mask("邮箱abc_1@qq.com，谢谢"), "邮箱[EMAIL]，谢谢");
  EXPECT_EQ(mask("<a@b.io>,c@d.org"), "<[EMAIL]>,[EMAIL]");
}

TEST(Mask, LeavesOtherAtSigns) {
  for (const char* text :
       {"@user hello", "meet @ 5", "a@b", "foo@localhost", "x@1.2", "@@", "price @ $3.50 each", "a@-b.com"}) {
    EXPECT_EQ(mask(text), text);
  }
}

TEST(Mask, FindsPhones) {
  for (const char* text :
       {"+1 (555) 123-4567", "+49 30 901820", "+8613812345678", "(555) 123-4567", "555-123-4567", "555.123.4567",
        "1-800-555-0199", "13812345678", "138-1234-5678", "010-12345678", "0044 20 7946 0958"}) {
    EXPECT_EQ(mask(std::string("x: ") + text + ", ok"), "x: [PHONE], ok") << text;
  }
  EXPECT_EQ(mask("call 020 7946 0018 now"), "call [PHONE] now");
  EXPECT_EQ(mask("tel: 555-1234."), "tel: [PHONE].");
  EXPECT_EQ(mask("联系电话：62345678"), "联系电话：[PHONE]");
}

TEST(Mask, LeavesDatesPricesVersionsAndIds) {
  for (const char* text : {"2024-11-24",
                           "24/11/2026",
                           "11-24-2026",
                           "in 1984 and 2001",
                           "$1,234,567.89",
                           "version 1.2.3.4",
                           "v10.0.19041.1",
                           "ISBN 978-3-16-148410-0",
                           "3.14159265358979",
                           "order 123456789012345",
                           "10:30-11:45",
                           "1999-2004",
                           "scores 21-17 21-19",
                           "4111 1111 1111 1111",
                           "a13812345678b",
                           "100 000 000",
                           "id 550e8400-e29b-41d4-a716-446655440000",
                           "1 234 567",
                           "300-400 people",
                           "50%",
                           "2020-2021-2022"}) {
    EXPECT_EQ(mask(text), text);
  }
}

TEST(Mask, FindsIpAddresses) {
  EXPECT_EQ(mask("from 192.168.1.254:8080/x"), "from [IP]:8080/x");
  EXPECT_EQ(mask("2001:0db8:85a3:0000:0000:8a2e:0370:7334 and 2001:db8::8a2e:1"), "[IP] and [IP]");
  EXPECT_EQ(mask("at ::ffff:10.0.0.1."), "at ::ffff:[IP].");
  for (const char* text :
       {"256.1.1.1", "1.2.3", "1.2.3.4.5", "std::vector", "10:20:30", "a::b", "12:34:56:78", "01.2.3.4"}) {
    EXPECT_EQ(mask(text), text);
  }
}

TEST(Mask, CountsAndObeysOptions) {
  MaskCounts counts;
  mask("a@b.com 10.0.0.1 +1 555 123 4567 c@d.com", &counts);
  EXPECT_EQ(counts.email, 2U);
  EXPECT_EQ(counts.ip, 1U);
  EXPECT_EQ(counts.phone, 1U);
  EXPECT_EQ(counts.total(), 4U);
  EXPECT_EQ(mask("a@b.com 10.0.0.1", nullptr, {.email = false, .phone = true, .ip = true}), "a@b.com [IP]");
  EXPECT_EQ(mask(""), "");
}

TEST(Mask, IsIdempotentAndSurvivesAnyBytes) {
  base::Rng rng(5);
  constexpr std::string_view kAlphabet = "0123456789+-(). @a.bc:/\xE4\xB8\xAD\xFF";
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (uint64_t i = 0, n = rng.below(40); i < n; ++i) {
      text += kAlphabet[rng.below(kAlphabet.size())];
    }
    const std::string once = mask(text);
    MaskCounts counts;
    mask_pii(once, {}, counts);
    ASSERT_LE(counts.total(), 3U) << text;
  }
}

TEST(Mask, TakesLinearTime) {
  // A quadratic scanner would take minutes on each of these.
  for (const std::string& unit : {std::string("1"), std::string("a@"), std::string("1-"), std::string("+1 "),
                                  std::string("a:"), std::string("1.1."), std::string("("), std::string("a.a@a.a")}) {
    std::string text;
    while (text.size() < 300000) {
      text += unit;
    }
    mask(text);
  }
}

}  // namespace
}  // namespace slipway::text
