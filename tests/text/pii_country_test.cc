// South African numbers and those of US health care, against Presidio's recognisers (tests/gold/make_pii_country_gold.py).
#include <cmath>
#include <set>
#include <tuple>

#include "base/file.h"
#include "base/json.h"
#include "support/support.h"
#include "text/pii.h"

namespace slipway::text {
namespace {

using Found = std::tuple<std::string, uint32_t, uint32_t, int>;

std::vector<PiiFinding> scan(const std::string& text, const std::vector<std::string>& entities, bool context, double threshold) {
  const PiiScanner scanner({.entities = entities, .threshold = threshold, .context = context, .overlapping = true});
  PiiScanner::Scratch scratch;
  std::vector<PiiFinding> findings;
  scanner.find(text, scratch, findings);
  return findings;
}

TEST(PiiCountry, FindsWhatPresidioFinds) {
  const auto file = tests::source_dir() / "tests/gold/pii_country.json";
  const base::Json gold = base::parse_json(base::read_file(file), file.string());
  const std::set<std::string> others = {"ZA_ID_NUMBER", "ZA_MOBILE_NUMBER", "ZA_TELEPHONE_NUMBER"};
  size_t count = 0;
  for (const base::Json& row : gold.at("lines")) {
    std::set<Found> want;
    for (const base::Json& one : row.at("found")) {
      want.emplace(one.at(0).get<std::string>(), one.at(1).get<uint32_t>(), one.at(2).get<uint32_t>(), static_cast<int>(std::lround(one.at(3).get<double>() * 100)));
    }
    const auto text = row.at("text").get<std::string>();
    std::set<Found> got;
    for (const PiiFinding& one : scan(text, {"za", "us_health"}, false, 0)) {
      if (!others.contains(std::string(one.type))) {
        got.emplace(one.type, one.begin, one.end, static_cast<int>(std::lround(one.score * 100)));
      }
    }
    for (const Found& one : want) {
      EXPECT_TRUE(got.contains(one)) << "not found: " << std::get<0>(one) << ' ' << text.substr(std::get<1>(one), std::get<2>(one) - std::get<1>(one)) << ' ' << std::get<3>(one);
    }
    for (const Found& one : got) {
      EXPECT_TRUE(want.contains(one)) << "found too much: " << std::get<0>(one) << ' ' << text.substr(std::get<1>(one), std::get<2>(one) - std::get<1>(one)) << ' ' << std::get<3>(one);
    }
    count += want.size();
  }
  EXPECT_GT(count, 60U);
}

TEST(PiiCountry, TellsMobileFromFixedNumbers) {
  for (const char* mobile : {"082 123 4567", "+27 82 123 4567", "0821234567", "(082) 123-4567", "0027 61 234 5678", "+27 (0)72 123 4567"}) {
    const auto found = scan(std::string("x ") + mobile + ".", {"ZA_MOBILE_NUMBER", "ZA_TELEPHONE_NUMBER"}, false, 0);
    ASSERT_EQ(found.size(), 1U) << mobile;
    EXPECT_EQ(found[0].type, "ZA_MOBILE_NUMBER") << mobile;
    EXPECT_EQ(found[0].end - found[0].begin, std::string(mobile).size()) << mobile;
  }
  for (const char* fixed : {"011 123 4567", "+27 21 123 4567", "086 123 4567"}) {
    const auto found = scan(fixed, {"ZA_MOBILE_NUMBER", "ZA_TELEPHONE_NUMBER"}, false, 0);
    ASSERT_EQ(found.size(), 1U) << fixed;
    EXPECT_EQ(found[0].type, "ZA_TELEPHONE_NUMBER") << fixed;
  }
  for (const char* none : {"082 123 456", "1082 123 4567", "082123456789", "+28 82 123 4567"}) {
    EXPECT_TRUE(scan(none, {"ZA_MOBILE_NUMBER", "ZA_TELEPHONE_NUMBER"}, false, 0).empty()) << none;
  }
}

TEST(PiiCountry, WordsBeforeRaiseThem) {
  const auto found = scan("my insurance member number is XYZ-98765", {"us_health"}, true, 0.4);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].type, "US_HEALTH_INSURANCE_MEMBER_ID");
  EXPECT_NEAR(found[0].score, 0.45, 1e-6);
  EXPECT_TRUE(scan("my insurance member number is XYZ-98765", {"default"}, true, 0.4).empty());  // not among the default ones
}

}  // namespace
}  // namespace slipway::text
