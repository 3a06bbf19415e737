// Singapore, Australia, India, Korea, Thailand, the Philippines, Nigeria and South Africa.
#include <algorithm>
#include <ctime>
#include <string>

#include "text/pii_checks.h"

namespace slipway::text {
namespace {

char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
bool digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool letter(char c) noexcept { return upper(c) >= 'A' && upper(c) <= 'Z'; }

// ACRA: three forms of a unique entity number, each with weights and an alphabet of its own.
PiiVerdict uen(std::string_view match) {
  const PiiDigits d(match);
  if (match.size() == 9) {
    constexpr std::array kWeights = {10, 4, 9, 3, 8, 2, 7, 1};
    return pii_verdict(match.back() == std::string_view("XMKECAWLJDB")[static_cast<size_t>(pii_weighted(d, kWeights) % 11)]);
  }
  if (match.size() == 10 && digit(match[0])) {
    constexpr std::array kWeights = {10, 8, 6, 4, 9, 7, 5, 3, 1};
    const bool year = d[0] * 1000 + d[1] * 100 + d[2] * 10 + d[3] <= pii_this_year();
    return pii_verdict(year &&
                       match.back() == std::string_view("ZKCMDNERGWH")[static_cast<size_t>(pii_weighted(d, kWeights) % 11)]);
  }
  constexpr std::string_view kKinds = " LP LL FC PF RF MQ MM NB CC CS MB FM GS DP CP NR CM CD MD HS VH CH MH CL XL CX HC RP TU TC FB FN PA PB SS MC SM GA GB ";
  constexpr std::string_view kAlphabet = "ABCDEFGHJKLMNPQRSTUVWX0123456789";
  constexpr std::array kWeights = {4, 3, 5, 3, 10, 2, 2, 5, 7};
  const std::string kind = " " + std::string(match.substr(3, 2)) + " ";
  if (match.size() != 10 || match[0] < 'R' || match[0] > 'T' || kKinds.find(kind) == std::string_view::npos) {
    return PiiVerdict::kInvalid;
  }
  int sum = 0;
  for (size_t i = 0; i < kWeights.size(); ++i) {
    const size_t value = kAlphabet.find(match[i]);
    if (value == std::string_view::npos) {
      return PiiVerdict::kInvalid;
    }
    sum += static_cast<int>(value) * kWeights[i];
  }
  return pii_verdict(match.back() == kAlphabet[static_cast<size_t>((sum + 6) % 11)]);
}

PiiVerdict abn(std::string_view match) {
  constexpr std::array kWeights = {10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19};
  return pii_verdict((pii_weighted(PiiDigits(match), kWeights) - 10) % 89 == 0);
}

PiiVerdict acn(std::string_view match) {
  constexpr std::array kWeights = {8, 7, 6, 5, 4, 3, 2, 1, 1};
  return pii_verdict(pii_weighted(PiiDigits(match), kWeights) % 10 == 0);
}

PiiVerdict tfn(std::string_view match) {
  constexpr std::array kWeights = {1, 4, 3, 7, 5, 8, 6, 9, 10};
  return pii_verdict(pii_weighted(PiiDigits(match), kWeights) % 11 == 0);
}

PiiVerdict au_medicare(std::string_view match) {
  constexpr std::array kWeights = {1, 3, 7, 9, 1, 3, 7, 9};
  const PiiDigits d(match);
  return pii_verdict(pii_weighted(d, kWeights) % 10 == d[8]);
}

PiiVerdict aadhaar(std::string_view match) {
  const PiiDigits d(match);
  const bool palindrome = std::equal(d.values.begin(), d.values.begin() + 6, std::make_reverse_iterator(d.values.begin() + 12));
  return pii_verdict(d.size() == 12 && d[0] >= 2 && !palindrome && pii_verhoeff(d));
}

// State 01 to 37, then a PAN whose first five places hold at least three letters.
PiiVerdict gstin(std::string_view match) {
  const int state = (match[0] - '0') * 10 + match[1] - '0';
  const auto letters = std::count_if(match.begin() + 2, match.begin() + 7, letter);
  const bool pan = letters >= 3 && std::all_of(match.begin() + 7, match.begin() + 11, digit) && letter(match[11]);
  return pii_verdict(match.size() == 15 && state >= 1 && state <= 37 && pan);
}

// The offices of each state, as numbers and ranges; * where one digit is written without a zero before it.
struct Offices {
  std::string_view state;
  std::string_view numbers;
};
constexpr Offices kOffices[] = {
    {"AN", "1"},
    {"AP", "39-40"},
    {"AR", "1-17 19-20 22"},
    {"AS", "1-20 22-34"},
    {"BR", "1-11 19 21-22 24-34 37-39 43-46 50-53 55-56"},
    {"CG", "1-30"},
    {"CH", "1-4"},
    {"DD", "1-3"},
    {"DL", "*1-13"},
    {"DN", "9"},
    {"GA", "1-12"},
    {"GJ", "*1-39"},
    {"HP", "1-20 22-99"},
    {"HR", "1-20 22-99"},
    {"JH", "1-20 22-24"},
    {"JK", "1-20 22"},
    {"KA", "1-20 22-71"},
    {"KL", "1-20 22-99"},
    {"LA", "1-2"},
    {"LD", "1-9"},
    {"MH", "1-20 22-51"},
    {"ML", "1-10"},
    {"MN", "1-7"},
    {"MP", "1-20 22-71"},
    {"MZ", "1-8"},
    {"NL", "1-10"},
    {"OD", "1-20 22-35"},
    {"OR", "1-20 22-31"},
    {"PB", "1-20 22-99"},
    {"PY", "1-5"},
    {"RJ", "1-20 22-58"},
    {"SK", "1-8"},
    {"TN", "1-20 22-99"},
    {"TR", "1-8"},
    {"TS", "1-20 22-38"},
    {"UK", "1-20"},
    {"UP", "11-20 22-96"},
    {"WB", "1-20 22-98"},
};

bool has_number(std::string_view list, int number) {
  for (size_t at = 0; at < list.size();) {
    int first = 0;
    for (; at < list.size() && digit(list[at]); ++at) {
      first = first * 10 + list[at] - '0';
    }
    int last = first;
    if (at < list.size() && list[at] == '-') {
      for (last = 0, ++at; at < list.size() && digit(list[at]); ++at) {
        last = last * 10 + list[at] - '0';
      }
    }
    if (number >= first && number <= last) {
      return true;
    }
    ++at;
  }
  return false;
}

PiiVerdict indian_plate(std::string_view match) {
  if (match.size() < 8 || !digit(match[2]) || !std::all_of(match.end() - 4, match.end(), digit) || match.ends_with("0000")) {
    return PiiVerdict::kUnknown;
  }
  const std::string state = {upper(match[0]), upper(match[1])};
  const bool two = digit(match[3]);
  const int office = two ? (match[2] - '0') * 10 + match[3] - '0' : match[2] - '0';
  for (const Offices& offices : kOffices) {
    if (offices.state == state) {
      const bool bare = offices.numbers.front() == '*';
      if ((two || bare) && has_number(offices.numbers.substr(bare ? 1 : 0), office)) {
        return PiiVerdict::kValid;
      }
    }
  }
  return PiiVerdict::kUnknown;
}

constexpr std::array kResidentWeights = {2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5};

// Numbers given since October 2020 have no check digit: a wrong one is no proof.
PiiVerdict korean_id(std::string_view match, int base) {
  const PiiDigits d(match);
  const bool region = d[7] * 10 + d[8] <= 95;
  return region && (base - pii_weighted(d, kResidentWeights) % 11) % 10 == d[12] ? PiiVerdict::kValid
                                                                                 : PiiVerdict::kUnknown;
}
PiiVerdict rrn(std::string_view match) { return korean_id(match, 11); }
PiiVerdict frn(std::string_view match) { return korean_id(match, 13); }

PiiVerdict brn(std::string_view match) {
  constexpr std::array kWeights = {1, 3, 7, 1, 3, 7, 1, 3, 5};
  const PiiDigits d(match);
  return pii_verdict((10 - (pii_weighted(d, kWeights) + d[8] * 5 / 10) % 10) % 10 == d[9]);
}

PiiVerdict korean_licence(std::string_view match) {
  const PiiDigits d(match);
  const int region = d[0] * 10 + d[1];
  return pii_verdict(d.size() == 12 && ((region >= 11 && region <= 26) || region == 28));
}

PiiVerdict thai_id(std::string_view match) {
  constexpr std::array kWeights = {13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2};
  const PiiDigits d(match);
  return pii_verdict(d.size() == 13 && (11 - pii_weighted(d, kWeights) % 11) % 10 == d[12]);
}

PiiVerdict tin(std::string_view match) {
  constexpr std::array kWeights = {9, 8, 7, 6, 5, 4, 3, 2};
  const PiiDigits d(match);
  return pii_weighted(d, kWeights) % 11 == d[8] ? PiiVerdict::kUnknown : PiiVerdict::kInvalid;
}

PiiVerdict nin(std::string_view match) { return pii_verdict(pii_verhoeff(PiiDigits(match))); }

// A birth date that has been, then Luhn.
PiiVerdict za_id(std::string_view match) {
  const PiiDigits d(match);
  const std::time_t now = std::time(nullptr);
  std::tm today{};
  gmtime_r(&now, &today);
  const int short_year = d[0] * 10 + d[1];
  const int month = d[2] * 10 + d[3];
  const int day = d[4] * 10 + d[5];
  const int year = short_year + (short_year > today.tm_year % 100 ? 1900 : 2000);
  const bool past = year * 10000 + month * 100 + day <=
                    (today.tm_year + 1900) * 10000 + (today.tm_mon + 1) * 100 + today.tm_mday;
  return pii_verdict(d.size() == 13 && pii_date(year, month, day) && past && pii_luhn(d));
}

// Presidio takes the form of these for a proof.
PiiVerdict always(std::string_view) { return PiiVerdict::kValid; }

PiiVerdict za_company(std::string_view match) {
  size_t at = 0;
  while (at < match.size() && !digit(match[at])) {
    ++at;
  }
  int year = 0;
  for (size_t i = at; i < at + 4; ++i) {
    year = year * 10 + (match[i] - '0');
  }
  return pii_verdict(year >= 1800 && year <= pii_this_year());
}

PiiVerdict za_driver(std::string_view match) {
  return pii_verdict(match.size() >= 10 && match.size() <= 14 && std::any_of(match.begin(), match.end(), letter));
}

// Shares its form with identity numbers, and is what they are not.
PiiVerdict za_traffic(std::string_view match) {
  const bool identity = match[10] <= '2' && match[11] >= '8' && za_id(match) == PiiVerdict::kValid;
  return pii_verdict(!identity);
}

}  // namespace

std::span<const PiiRecognizer> pii_asia() {
  static const std::vector<PiiRecognizer> kAll = {
      {.type = "SG_NRIC_FIN",
       .group = "sg",
       .patterns = {{R"(\b[a-z]\d{7}[a-z]\b)", .3F}, {R"(\b[stfgm]\d{7}[a-z]\b)", .5F}},
       .context = {"fin", "nric"}},
      {.type = "SG_UEN",
       .group = "sg",
       .patterns = {{R"(\b(?:\d{8,9}[a-z]|[tsr]\d\d[a-z]{2}\d{4}[a-z])\b)", .3F}},
       .check = uen,
       .context = {"uen", "acra"}},
      {.type = "AU_ABN",
       .group = "au",
       .patterns = {{R"(\b\d\d\s\d{3}\s\d{3}\s\d{3}\b)", .1F}, {R"(\b\d{11}\b)", .01F}},
       .check = abn,
       .context = {"abn"}},
      {.type = "AU_ACN",
       .group = "au",
       .patterns = {{R"(\b\d{3}\s\d{3}\s\d{3}\b)", .1F}, {R"(\b\d{9}\b)", .01F}},
       .check = acn,
       .context = {"acn"}},
      {.type = "AU_TFN",
       .group = "au",
       .patterns = {{R"(\b\d{3}\s\d{3}\s\d{3}\b)", .1F}, {R"(\b\d{9}\b)", .01F}},
       .check = tfn,
       .context = {"tfn"}},
      {.type = "AU_MEDICARE",
       .group = "au",
       .patterns = {{R"(\b[2-6]\d{3}\s\d{5}\s\d\b)", .1F}, {R"(\b[2-6]\d{9}\b)", .01F}},
       .check = au_medicare,
       .context = {"medicare"}},
      {.type = "IN_PAN",
       .group = "in",
       .patterns = {{R"(\b[a-z]{3}[abcfghjlpt][a-z]\d{4}[a-z]\b)", .5F},
                    {R"(\b[a-z]{5}\d{4}[a-z]\b)", .1F},
                    {R"(\b(?=.{0,9}[a-z])(?=.{0,6}[0-9]{4})[\w@#$%^?~\-]{10}\b)", .01F}},
       .context = {"pan"}},
      {.type = "IN_AADHAAR",
       .group = "in",
       .patterns = {{R"(\b\d{12}\b)", .01F}, {R"(\b\d{4}[- :]\d{4}[- :]\d{4}\b)", .01F}},
       .check = aadhaar,
       .context = {"aadhaar", "uidai"}},
      {.type = "IN_GSTIN",
       .group = "in",
       .patterns = {{R"(\b(?:0[1-9]|[1-3][0-7])[a-z0-9]{11}z[a-z0-9]\b)", .8F}, {R"(\b\d\d[a-z0-9]{11}z[a-z0-9]\b)", .1F}},
       .check = gstin,
       .context = {"gst"}},
      {.type = "IN_PASSPORT",
       .group = "in",
       .patterns = {{R"(\b[a-z][1-9]\d\s?\d{4}[1-9]\b)", .1F}},
       .context = {"passport"}},
      {.type = "IN_VOTER",
       .group = "in",
       .patterns = {{R"(\b[a-z][a-dghj-kmnprsy][a-z]\d{7}\b)", .4F}, {R"(\b[a-z]{3}\d{7}\b)", .3F}},
       .context = {"voter", "epic"}},
      {.type = "IN_VEHICLE_REGISTRATION",
       .group = "in",
       .patterns = {{R"(\b(?:[a-z]{1,2}(?!0000)\d{4}|i(?!00000)\d{5})\b)", .01F},
                    {R"(\b[a-z]{3}(?!0000)\d{4}\b)", .2F},
                    {R"(\b\d{1,3}(?:cd|cc|un)[1-9]\d{1,3}\b)", .4F},
                    {R"(\b[a-z]{2}(?:\d[a-z]{1,3}|\d\d[a-z]{1,2})(?!0000)\d{4}\b)", .5F},
                    {R"(\b[2-9][1-9]bh(?!0000)\d{4}[a-hj-np-z]{2}\b)", .85F},
                    {R"(\b(?!00)\d\d[a-fhkprx]\d{6}[a-z]\b)", .85F}},
       .check = indian_plate,
       .context = {"rto", "vehicle", "plate", "registration"}},
      {.type = "KR_RRN",
       .group = "kr",
       .patterns = {{R"((?<!\d)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])-?[1-4]\d{6}(?!\d))", .5F}},
       .check = rrn,
       .context = {"rrn", "주민등록번호"}},
      {.type = "KR_FRN",
       .group = "kr",
       .patterns = {{R"((?<!\d)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])-?[5-8]\d{6}(?!\d))", .5F}},
       .check = frn,
       .context = {"frn", "외국인등록번호", "외국인번호"}},
      {.type = "KR_BRN",
       .group = "kr",
       .patterns = {{R"((?<!\d)\d{3}-\d\d-\d{5}(?!\d))", .1F}, {R"((?<!\d)\d{10}(?!\d))", .05F}},
       .check = brn,
       .context = {"사업자", "brn"}},
      {.type = "KR_DRIVER_LICENSE",
       .group = "kr",
       .patterns = {{R"((?<!\d)\d\d[- ]?\d\d[- ]?\d{6}[- ]?\d\d(?!\d))", .05F}},
       .check = korean_licence,
       .context = {"운전면허", "면허번호"}},
      {.type = "KR_PASSPORT",
       .group = "kr",
       .patterns = {{R"((?<![a-z0-9])[msrod]\d{3}[a-z]\d{4}(?![0-9]))", .1F}, {R"((?<![a-z0-9])[msrod]\d{8}(?![0-9]))", .05F}},
       .context = {"여권", "passport"}},
      {.type = "TH_TNIN",
       .group = "th",
       .patterns = {{R"(\b[1-9](?:[134]\d|2[0-7]|5[0-8]|[67][0-7]|[89][0-6])\d{10}\b)", .5F}},
       .check = thai_id,
       .context = {"tnin", "เลขประจำตัวประชาชน", "เลขบัตรประชาชน", "รหัสปชช"}},
      {.type = "PH_TIN",
       .group = "ph",
       .patterns = {{R"(\b\d{3}-\d{3}-\d{3}(?:-\d{3})?\b)", .05F}, {R"(\b(?:\d{9}|\d{12})\b)", .01F}},
       .check = tin,
       .context = {"tin", "bir", "rdo"}},
      {.type = "PH_PASSPORT",
       .group = "ph",
       .patterns = {{R"(\b(?:[a-z]\d{7}[a-z]|[a-z]{2}\d{7})\b)", .1F}},
       .context = {"passport", "pasaporte", "dfa"}},
      {.type = "PH_UMID",
       .group = "ph",
       .patterns = {{R"(\b\d{4}-\d{7}-\d\b)", .5F}, {R"(\b\d{12}\b)", .3F}},
       .context = {"umid", "crn", "sss", "gsis", "philhealth", "pag-ibig"}},
      {.type = "NG_NIN", .group = "ng", .patterns = {{R"(\b\d{11}\b)", .01F}}, .check = nin, .context = {"nin", "nimc"}},
      {.type = "NG_VEHICLE_REGISTRATION",
       .group = "ng",
       .patterns = {{R"(\b[a-z]{3}[- ]?\d{3}[a-z]{2}\b)", .5F}},
       .context = {"plate", "vehicle", "registration"}},
      {.type = "ZA_ID_NUMBER",
       .group = "za",
       .patterns = {{R"(\b\d{10}[0-2][89]\d\b)", .2F}},
       .check = za_id,
       .context = {"id", "identity"}},
      {.type = "ZA_COMPANY_REGISTRATION",
       .group = "za",
       .patterns = {{R"(\b(?:19|20)[0-9]{2}/[0-9]{6}/[0-9]{2}\b)", .4F}, {R"(\b(?:ck|k|t|w|b|m|n|nr)[0-9]{4}/[0-9]{6}\b)", .3F}},
       .check = za_company,
       .context = {"cipc"}},
      {.type = "ZA_DRIVER_LICENSE",
       .group = "za",
       .patterns = {{R"(\b[0-9]{6,10}[a-z0-9]{2,5}\b)", .3F}},
       .check = za_driver,
       .context = {"licence", "license", "enatis", "natis"}},
      {.type = "ZA_INCOME_TAX_NUMBER", .group = "za", .patterns = {{R"(\b[01239][0-9]{9}\b)", .05F}}, .check = always, .context = {"sars", "itr", "taxpayer"}},
      {.type = "ZA_VAT_NUMBER", .group = "za", .patterns = {{R"(\b4[0-9]{9}\b)", .3F}}, .check = always, .context = {"vat", "sars"}},
      {.type = "ZA_LICENSE_PLATE",
       .group = "za",
       .patterns = {{R"(\b[a-z]{2,4}[0-9]{2,4}[a-z]{0,4}(?:gp|zn|wp|ec|nc|fs|lp|mp|nw)\b)", .3F},
                    {R"(\b[a-z]{2}\s?[0-9]{2}\s?[a-z]{2}\s?(?:gp|zn|wp|ec|nc|fs|lp|mp|nw)\b)", .3F},
                    {R"(\b[a-z]{2,3}\s?[0-9]{2,3}\s?(?:gp|zn|wp|ec|nc|fs|lp|mp|nw)\b)", .3F},
                    {R"(\b[0-9]{2,3}\s?[a-z]{2,3}\s?ec\b)", .3F}},
       .check = always,
       .context = {"registration", "natis", "enatis"}},
      {.type = "ZA_PASSPORT", .group = "za", .patterns = {{R"(\b[admt][0-9]{8}\b)", .2F}}, .check = always, .context = {"passport", "dha"}},
      {.type = "ZA_TRAFFIC_REGISTER_NUMBER",
       .group = "za",
       .patterns = {{R"(\b[0-9]{13}\b)", .05F}},
       .check = za_traffic,
       .context = {"trn", "enatis", "natis"}},
      // By the numbering plan of ICASA: 06x, 07x, 081 to 085 are mobile.
      {.type = "ZA_MOBILE_NUMBER",
       .group = "za",
       .patterns = {{R"((?<![\w+])(?:(?:\+|00)27[- .]?(?:\(0\)[- .]?)?|\(?0)(?:6[0-9]|7[0-9]|8[1-5])\)?[- .]?[0-9]{3}[- .]?[0-9]{4}(?!\w))", .4F}},
       .context = {"phone", "number", "telephone", "cell", "cellphone", "mobile", "call", "cellular", "handset", "tel", "sms", "whatsapp"}},
      {.type = "ZA_TELEPHONE_NUMBER",
       .group = "za",
       .patterns = {{R"((?<![\w+])(?:(?:\+|00)27[- .]?(?:\(0\)[- .]?)?|\(?0)(?:1[0-8]|2[1-8]|3[1-69]|4[0-9]|5[1-8]|80|86|87)\)?[- .]?[0-9]{3}[- .]?[0-9]{4}(?!\w))", .4F}},
       .context = {"phone", "number", "telephone", "cell", "cellphone", "mobile", "call", "landline", "tel"}}};
  return kAll;
}

}  // namespace slipway::text
