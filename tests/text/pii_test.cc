#include "text/pii.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"
#include "text/pii_operators.h"
#include "text/unicode.h"

namespace slipway::text {
namespace {

std::vector<PiiFinding> find(std::string_view text, std::vector<std::string> entities = {"all"}, double threshold = 0.4,
                             bool overlapping = false) {
  const PiiScanner scanner({.entities = std::move(entities), .threshold = threshold, .context = true, .overlapping = overlapping});
  PiiScanner::Scratch scratch;
  std::vector<PiiFinding> findings;
  scanner.find(text, scratch, findings);
  return findings;
}

// "TYPE:what was found@score" of each, joined by ", ".
std::string found(std::string_view text, std::vector<std::string> entities, double threshold = 0.4) {
  std::string out;
  for (const PiiFinding& f : find(text, std::move(entities), threshold)) {
    out += out.empty() ? "" : ", ";
    out += std::string(f.type) + ":" + std::string(text.substr(f.begin_byte, f.end_byte - f.begin_byte)) + "@" +
           std::to_string(static_cast<int>(std::lround(f.score * 100)));
  }
  return out;
}

TEST(Pii, FindsWhatChecksumsProve) {
  const std::pair<const char*, const char*> cases[] = {
      {"CREDIT_CARD", "4111 1111 1111 1111"},
      {"CRYPTO", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"},
      {"IBAN_CODE", "DE89 3704 0044 0532 0130 00"},
      {"IBAN_CODE", "GB82WEST12345698765432"},
      {"UK_NHS", "943 476 5919"},
      {"ES_NIF", "12345678Z"},
      {"ES_NIE", "X1234567L"},
      {"PL_PESEL", "44051401359"},
      {"FI_PERSONAL_IDENTITY_CODE", "131052-308T"},
      {"AU_ABN", "51 824 753 556"},
      {"ABA_ROUTING_NUMBER", "0210-0002-1"},
      {"DE_TAX_ID", "86095742719"},
      {"DE_VAT_ID", "DE136695976"},
      {"CN_RESIDENT_ID", "11010519491231002X"},
      {"CN_BANK_CARD", "6222021234567890128"},
  };
  for (const auto& [type, text] : cases) {
    const auto findings = find(std::string("x ") + text + " y", {type});
    ASSERT_EQ(findings.size(), 1U) << type << " " << text;
    EXPECT_EQ(findings[0].begin, 2U) << text;
    EXPECT_EQ(findings[0].end, 2 + count_code_points(text)) << text;
    EXPECT_EQ(findings[0].score, 1.0F) << text;
  }
}

TEST(Pii, DropsWhatChecksumsRefute) {
  for (const auto& [type, text] : std::initializer_list<std::pair<const char*, const char*>>{
           {"CREDIT_CARD", "4111 1111 1111 1112"},
           {"IBAN_CODE", "DE89 3704 0044 0532 0130 01"},
           {"UK_NHS", "943 476 5918"},
           {"ES_NIF", "12345678A"},
           {"PL_PESEL", "44051401358"},
           {"CRYPTO", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"},
           {"CN_RESIDENT_ID", "110105194912310021"},  // check digit
           {"CN_RESIDENT_ID", "110105194902310026"},  // 31 February
           {"CN_RESIDENT_ID", "99010519491231002X"},  // no such province
           {"US_SSN", "666-12-3456"},
           {"US_SSN", "123-00-4567"},
           {"IP_ADDRESS", "1.2.3.04"},
           {"MAC_ADDRESS", "ff:ff:ff:ff:ff:ff"},
           {"EMAIL_ADDRESS", "a@b.notatopleveldomain"}}) {
    EXPECT_EQ(found(text, {type}, 0), "") << text;
  }
}

TEST(Pii, GivesPatternsTheirScoresAndPlaces) {
  EXPECT_EQ(found("mail ann.lee+x@mail.example.org, then", {"EMAIL_ADDRESS"}), "EMAIL_ADDRESS:ann.lee+x@mail.example.org@100");
  EXPECT_EQ(found("at 192.168.1.1/24 and 2001:db8::1.", {"IP_ADDRESS"}), "IP_ADDRESS:192.168.1.1/24@60, IP_ADDRESS:2001:db8::1@60");
  EXPECT_EQ(found("on 2024-05-06 or 6.5.2024", {"DATE_TIME"}), "DATE_TIME:2024-05-06@60, DATE_TIME:6.5.2024@60");
  EXPECT_EQ(found("see https://www.example.com/a?b=c now", {"URL"}), "URL:https://www.example.com/a?b=c@60");
  EXPECT_EQ(found("00-1A-2b-3C-4D-5E", {"MAC_ADDRESS"}), "MAC_ADDRESS:00-1A-2b-3C-4D-5E@60");
  EXPECT_EQ(found("id 550e8400-e29b-41d4-a716-446655440000", {"UUID"}), "UUID:550e8400-e29b-41d4-a716-446655440000@50");
}

TEST(Pii, WordsBeforeRaiseAScore) {
  EXPECT_EQ(found("numbers 123456700", {"US_PASSPORT"}, 0), "US_PASSPORT:123456700@5");
  EXPECT_EQ(found("my passport is 123456700", {"US_PASSPORT"}, 0), "US_PASSPORT:123456700@40");
  // Five words that say something, no more.
  EXPECT_EQ(found("passport red green blue black white 123456700", {"US_PASSPORT"}, 0), "US_PASSPORT:123456700@5");
}

TEST(Pii, FindsChineseDataAmongHan) {
  EXPECT_EQ(found("我的身份证号是11010519491231002X，手机13812345678。", {"cn"}),
            "CN_RESIDENT_ID:11010519491231002X@100, CN_MOBILE_NUMBER:13812345678@95");
  EXPECT_EQ(found("车牌京A12345和粤B12345D、沪AD12345", {"CN_LICENSE_PLATE"}, 0.5),
            "CN_LICENSE_PLATE:京A12345@95, CN_LICENSE_PLATE:粤B12345D@95, CN_LICENSE_PLATE:沪AD12345@95");
  EXPECT_EQ(found("12012345678 138123456789 京ABCDEFG", {"cn"}, 0), "");
}

TEST(Pii, PlacesCountCharactersAndBytes) {
  const auto findings = find("你好 a@b.org", {"EMAIL_ADDRESS"});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].begin, 3U);
  EXPECT_EQ(findings[0].end, 10U);
  EXPECT_EQ(findings[0].begin_byte, 7U);
  EXPECT_EQ(findings[0].end_byte, 14U);
}

TEST(Pii, OnePlaceHasOneFindingUnlessAllAreAsked) {
  EXPECT_EQ(find("DE89370400440532013000", {"all"}, 0).size(), 1U);
  EXPECT_GT(find("card 4111111111111111", {"all"}, 0, true).size(), 1U);
}

TEST(Pii, NamesTheNearestEntity) {
  try {
    (void)PiiScanner({.entities = {"CREDIT_CRAD"}});
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_NE(std::string(error.what()).find("CREDIT_CARD"), std::string::npos) << error.what();
  }
}

TEST(Pii, AnyBytesGiveOrderedPlacesWithinTheText) {
  base::Rng rng(7);
  const std::string_view alphabet = "0123456789 -.@:/abcXZ\xE4\xBA\xAC\xFF\"'";
  const PiiScanner scanner({.entities = {"all"}, .threshold = 0});
  PiiScanner::Scratch scratch;
  std::vector<PiiFinding> findings;
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (uint64_t i = 0; i < rng.below(200); ++i) {
      text += alphabet[rng.below(alphabet.size())];
    }
    scanner.find(text, scratch, findings);
    uint32_t last = 0;
    for (const PiiFinding& f : findings) {
      EXPECT_GE(f.begin_byte, last);
      EXPECT_LT(f.begin_byte, f.end_byte);
      EXPECT_LE(f.end_byte, text.size());
      last = f.end_byte;
    }
  }
}

std::string apply(PiiOperatorOptions options, std::string_view text) {
  return PiiOperator(std::move(options)).apply_all(text, find(text, {"EMAIL_ADDRESS", "CREDIT_CARD"}));
}

TEST(PiiOperator, ReplacesMasksRedactsKeeps) {
  const std::string text = "to ann@example.org: 4111111111111111.";
  EXPECT_EQ(apply({.mode = "replace"}, text), "to <EMAIL_ADDRESS>: <CREDIT_CARD>.");
  EXPECT_EQ(apply({.mode = "redact"}, text), "to : .");
  EXPECT_EQ(apply({.mode = "keep"}, text), text);
  EXPECT_EQ(apply({.mode = "mask", .mask_char = "#", .mask_count = 12}, text), "to ############org: ############1111.");
  EXPECT_EQ(apply({.mode = "mask", .mask_count = 4, .mask_from_end = true}, text), "to ann@example****: 411111111111****.");
}

TEST(PiiOperator, HashIsOfTheValueThenTheSalt) {
  // sha256("ann@example.org" "0123456789abcdef") by Python's hashlib.
  EXPECT_EQ(apply({.mode = "hash", .salt = "0123456789abcdef"}, "ann@example.org"), "a268e82cdf49116976f0d1cd9a2e099c8cc1ef95cf5df7c57cbc7e00407c7f23");
}

TEST(PiiOperator, DecryptGivesBackWhatEncryptTook) {
  for (const std::string& key : {std::string(16, 'k'), std::string(24, 'k'), std::string(32, 'k')}) {
    const std::string hidden = apply({.mode = "encrypt", .key = key}, "ann@example.org");
    EXPECT_EQ(hidden.find("example"), std::string::npos);
    EXPECT_EQ(pii_decrypt(hidden, key), "ann@example.org");
    EXPECT_NE(pii_decrypt(hidden, std::string(key.size(), 'x')), "ann@example.org");
  }
  EXPECT_THROW(PiiOperator({.mode = "encrypt", .key = "short"}), base::Error);
  EXPECT_EQ(pii_decrypt("!!", std::string(16, 'k')), std::nullopt);
}

TEST(PiiOperator, PseudonymsAreConsistent) {
  const std::string text = apply({.mode = "pseudonym", .seed = 3}, "ann@example.org bob@example.org ann@example.org");
  const std::string first = text.substr(0, text.find(' '));
  EXPECT_TRUE(text.ends_with(first));
  EXPECT_EQ(text.find(first, 1) + first.size(), text.size());
  EXPECT_NE(apply({.mode = "pseudonym", .seed = 4}, "ann@example.org"), first);
}

}  // namespace
}  // namespace slipway::text
