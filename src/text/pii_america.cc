// United States and Canada.
#include "text/pii_checks.h"

namespace slipway::text {
namespace {

bool all_same(const PiiDigits& digits, size_t count) noexcept {
  for (size_t i = 1; i < count; ++i) {
    if (digits[i] != digits[0]) {
      return false;
    }
  }
  return true;
}

// The American Bankers Association's 3-7-1 sum.
PiiVerdict routing(std::string_view match) {
  constexpr std::array kWeights = {3, 7, 1, 3, 7, 1, 3, 7, 1};
  const PiiDigits digits(match);
  return pii_verdict(pii_weighted(digits, kWeights) % 10 == 0);
}

// DEA numbers: first, third, fifth digit plus twice the second, fourth, sixth end in the seventh.
PiiVerdict dea(std::string_view match) {
  const PiiDigits digits(match.substr(2));
  constexpr std::array kWeights = {1, 2, 1, 2, 1, 2};
  return pii_verdict(digits.size() == 7 && pii_weighted(digits, kWeights) % 10 == digits[6]);
}

// CMS: Luhn over the number with the prefix 80840, whose own share is 24; never nine alike.
PiiVerdict npi(std::string_view match) {
  const PiiDigits digits(match);
  return pii_verdict(!all_same(digits, digits.size() - 1) && pii_luhn(digits, 24));
}

// Numbers that the Social Security Administration never gives, or that are known from advertisements.
PiiVerdict ssn(std::string_view match) {
  int kinds = 0;
  for (const char separator : {'.', '-', ' '}) {
    kinds += match.find(separator) != std::string_view::npos ? 1 : 0;
  }
  const PiiDigits d(match);
  const auto begins = [&](std::string_view with) {
    for (size_t i = 0; i < with.size(); ++i) {
      if (d[i] != with[i] - '0') {
        return false;
      }
    }
    return true;
  };
  const bool bad = kinds > 1 || d.size() != 9 || all_same(d, 9) || (d[3] == 0 && d[4] == 0) ||
                   (d[5] == 0 && d[6] == 0 && d[7] == 0 && d[8] == 0) || begins("000") || begins("666") ||
                   begins("123456789") || begins("98765432") || begins("078051120");
  return bad ? PiiVerdict::kInvalid : PiiVerdict::kUnknown;
}

PiiVerdict sin(std::string_view match) {
  return pii_luhn(PiiDigits(match)) ? PiiVerdict::kUnknown : PiiVerdict::kInvalid;
}

}  // namespace

std::span<const PiiRecognizer> pii_america() {
  static const std::vector<PiiRecognizer> kAll = {
      {.type = "US_SSN",
       .group = "us",
       .patterns = {{R"(\b\d{5}-\d{4}\b)", .05F},
                    {R"(\b\d{3}-\d{6}\b)", .05F},
                    {R"(\b\d{3}-\d\d-\d{4}\b)", .05F},
                    {R"(\b\d{9}\b)", .05F},
                    {R"(\b\d{3}[- .]\d\d[- .]\d{4}\b)", .5F}},
       .check = ssn,
       .context = {"social", "security", "ssn", "ssid"}},
      {.type = "US_ITIN",
       .group = "us",
       .patterns = {{R"(\b9\d\d(?:[- ](?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\d{4}|(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])[- ]\d{4})\b)",
                     .05F},
                    {R"(\b9\d\d(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\d{4}\b)", .3F},
                    {R"(\b9\d\d[- ](?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])[- ]\d{4}\b)", .5F}},
       .context = {"individual", "taxpayer", "itin", "tax", "payer", "taxid", "tin"}},
      {.type = "US_PASSPORT",
       .group = "us",
       .patterns = {{R"(\b\d{9}\b)", .05F}, {R"(\b[a-z]\d{8}\b)", .1F}},
       .context = {"us", "united", "states", "passport", "travel", "document"}},
      {.type = "US_BANK_NUMBER",
       .group = "us",
       .patterns = {{R"(\b[0-9]{8,17}\b)", .05F}},
       .context = {"check", "account", "acct", "bank", "save", "debit"}},
      {.type = "US_DRIVER_LICENSE",  // the forms of the states, as one word
       .group = "us",
       .patterns = {{R"(\b(?:[a-z](?:\d{1,14}|\d{18})|[a-z]{2}\d{3,7}|\d\d[a-z]{3}\d{5,6}|[a-z]\d{6}r|\d{9}[a-z]|[a-z]{2}\d{6}[a-z]|\d{8}[a-z]{2}|\d{3}[a-z]{2}\d{4}|[a-z]\d[a-z]\d[a-z]|\d{7,8}[a-z])\b)",
                     .3F},
                    {R"(\b(?:\d{6,14}|\d{16})\b)", .01F}},
       .context = {"driver", "license", "permit", "lic", "identification", "dls", "cdls", "driving"}},
      {.type = "MEDICAL_LICENSE",
       .group = "us",
       .patterns = {{R"([a-hj-mpr-ux][a-z9]\d{7})", .4F}},
       .check = dea,
       .context = {"medical", "certificate", "dea"}},
      {.type = "ABA_ROUTING_NUMBER",
       .group = "us",
       .patterns = {{R"(\b[0-36-8]\d{8}\b)", .05F}, {R"(\b[0-36-8]\d{3}-\d{4}-\d\b)", .3F}},
       .check = routing,
       .context = {"aba", "routing", "association"}},
      {.type = "US_MBI",  // Medicare: letters without S L O I B Z
       .group = "us",
       .patterns = {{R"(\b\d[ac-hj-kmnp-rt-y][0-9ac-hj-kmnp-rt-y]\d[ac-hj-kmnp-rt-y][0-9ac-hj-kmnp-rt-y]\d[ac-hj-kmnp-rt-y]{2}\d\d\b)",
                     .3F},
                    {R"(\b\d[ac-hj-kmnp-rt-y][0-9ac-hj-kmnp-rt-y]\d-[ac-hj-kmnp-rt-y][0-9ac-hj-kmnp-rt-y]\d-[ac-hj-kmnp-rt-y]{2}\d\d\b)",
                     .5F}},
       .context = {"medicare", "mbi", "beneficiary", "cms", "medicaid", "hic"}},
      {.type = "US_NPI",
       .group = "us",
       .patterns = {{R"(\b[12]\d{9}\b)", .1F}, {R"(\b[12]\d{3}[ -]\d{3}[ -]\d{3}\b)", .4F}},
       .check = npi,
       .context = {"npi", "provider", "taxonomy"}},
      {.type = "CA_SIN",
       .group = "ca",
       .patterns = {{R"(\b[1-79]\d{8}\b)", .05F}, {R"(\b[1-79]\d\d(?:-\d{3}-| \d{3} )\d{3}\b)", .5F}},
       .check = sin,
       .context = {"sin", "canada", "nas"}},
      {.type = "CA_POSTAL_CODE",
       .group = "ca",
       .patterns = {{R"(\b[abceghj-nprstvxy]\d[abceghj-nprstv-z] \d[abceghj-nprstv-z]\d\b)", .3F},
                    {R"(\b[abceghj-nprstvxy]\d[abceghj-nprstv-z]\d[abceghj-nprstv-z]\d\b)", .1F}},
       .context = {"postcode", "zip", "canada", "ontario", "quebec", "alberta"}}};
  return kAll;
}

}  // namespace slipway::text
