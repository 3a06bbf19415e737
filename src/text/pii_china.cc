// China: resident identity numbers (GB 11643-1999), bank cards (GB/T 19584, ISO/IEC 7812), mobile numbers (the ranges
// that MIIT has given out), number plates (GA 36-2018, with new-energy plates). Han are word characters: the borders are
// digits and Latin letters.
#include "text/pii_checks.h"

namespace slipway::text {
namespace {

// GB/T 2260: the first two digits.
bool province(int code) noexcept {
  return (code >= 11 && code <= 15) || (code >= 21 && code <= 23) || (code >= 31 && code <= 37) ||
         (code >= 41 && code <= 46) || (code >= 50 && code <= 54) || (code >= 61 && code <= 65) || code == 71 ||
         (code >= 81 && code <= 83) || code == 91;
}

// Eighteen places: ISO 7064 MOD 11-2, X for ten. Fifteen (until 2013) have no check digit.
PiiVerdict resident(std::string_view match) {
  const PiiDigits d(match);
  const bool old = match.size() == 15;
  const size_t at = old ? 8 : 10;  // of the month
  const int year = old ? 1900 + d[6] * 10 + d[7] : d[6] * 1000 + d[7] * 100 + d[8] * 10 + d[9];
  if (!province(d[0] * 10 + d[1]) || !pii_date(year, d[at] * 10 + d[at + 1], d[at + 2] * 10 + d[at + 3]) || year < 1880 ||
      year > pii_this_year()) {
    return PiiVerdict::kInvalid;
  }
  if (old) {
    return PiiVerdict::kUnknown;
  }
  constexpr std::array kWeights = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  const int check = (12 - pii_weighted(d, kWeights) % 11) % 11;
  const char last = match.back();
  return pii_verdict(check == 10 ? last == 'X' || last == 'x' : last == '0' + check);
}

PiiVerdict card(std::string_view match) { return pii_verdict(pii_luhn(PiiDigits(match))); }

}  // namespace

std::span<const PiiRecognizer> pii_china() {
  static const std::vector<PiiRecognizer> kAll = {
      {.type = "CN_RESIDENT_ID",
       .group = "cn",
       .patterns = {{R"((?<![0-9a-z])[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9x](?![0-9a-z]))",
                     .5F},
                    {R"((?<![0-9a-z])[1-9][0-9]{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}(?![0-9a-z]))", .2F}},
       .check = resident,
       .context = {"身份证", "身份號", "公民身份", "证件号"}},
      {.type = "CN_BANK_CARD",  // UnionPay and what Chinese banks issue for other schemes
       .group = "cn",
       .patterns = {{R"((?<![0-9a-z])(?:62[0-9]{2}|9558|4[0-9]{3}|5[1-5][0-9]{2}|35[2-8][0-9]|3[47][0-9]{2})(?:[0-9]{11,15}|(?: [0-9]{4}){3}(?: [0-9]{1,3})?|(?:-[0-9]{4}){3}(?:-[0-9]{1,3})?)(?![0-9a-z]))",
                     .3F}},
       .check = card,
       .context = {"银行卡", "卡号", "储蓄卡", "信用卡", "账号", "帐号", "bank", "card"}},
      {.type = "CN_MOBILE_NUMBER",
       .group = "cn",
       .patterns = {{R"((?<![0-9a-z.+])(?:(?:\+|00)?86[- ]?)?1(?:3[0-9]|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8[0-9]|9[0-35-9])(?:[0-9]{8}|-[0-9]{4}-[0-9]{4}| [0-9]{4} [0-9]{4})(?![0-9a-z]))",
                     .6F}},
       .context = {"手机", "电话", "联系", "致电", "mobile", "phone", "tel"}},
      {.type = "CN_LICENSE_PLATE",
       .group = "cn",
       .patterns = {{R"([京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][a-hj-np-z][·• -]?(?:[a-hj-k][0-9a-hj-np-z][0-9]{4}|[0-9]{5}[a-hj-k]|(?=.{0,4}[0-9])[0-9a-hj-np-z]{4}[0-9a-hj-np-z挂学警港澳])(?![0-9a-z]))",
                     .6F}},
       .context = {"车牌", "号牌", "牌照", "plate"}}};
  return kAll;
}

}  // namespace slipway::text
