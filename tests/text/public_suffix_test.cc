// Hosts of addresses against tldextract (tests/gold/make_url_filter_gold.py).
#include "text/public_suffix.h"

#include <algorithm>

#include "base/file.h"
#include "base/json.h"
#include "support/support.h"

namespace slipway::text {
namespace {

TEST(PublicSuffix, HostsAreTldextracts) {
  const auto file = tests::source_dir() / "tests/gold/url_filter.json";
  const base::Json gold = base::parse_json(base::read_file(file), file.string());
  const base::Json& urls = gold.at("urls");
  ASSERT_GT(urls.size(), 100U);
  for (size_t i = 0; i < urls.size(); ++i) {
    const HostName host = host_of_url(urls[i].get<std::string>());
    EXPECT_EQ(host.registered, gold.at("hosts").at(i).at(0).get<std::string>()) << urls[i];
    EXPECT_EQ(host.full, gold.at("hosts").at(i).at(1).get<std::string>()) << urls[i];
  }
}

TEST(PublicSuffix, TheListIsSorted) {
  const auto rules = public_suffix_rules();
  EXPECT_TRUE(std::is_sorted(rules.begin(), rules.end()));
  EXPECT_GT(rules.size(), 6800U);
}

TEST(PublicSuffix, TakesAnyBytes) {
  for (const std::string& url : {std::string("http://\xff\xfe.com"), std::string(100000, '.'), std::string(5000, 'a') + ".com", std::string("\0.com", 5)}) {
    EXPECT_NO_THROW(host_of_url(url));
  }
}

}  // namespace
}  // namespace slipway::text
