// The United Kingdom, Spain, Italy, Poland, Finland, Sweden and Turkey.
#include <algorithm>
#include <string>

#include "text/pii_checks.h"

namespace slipway::text {
namespace {

char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
bool letter(char c) noexcept { return upper(c) >= 'A' && upper(c) <= 'Z'; }
bool digit(char c) noexcept { return c >= '0' && c <= '9'; }

// Letters and digits in upper case: separators are of no weight.
std::string plain(std::string_view match) {
  std::string out;
  for (const char c : match) {
    if (c != '-' && c != ' ' && c != '_') {
      out += upper(c);
    }
  }
  return out;
}

PiiVerdict nhs(std::string_view match) {
  constexpr std::array kWeights = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
  return pii_verdict(pii_weighted(PiiDigits(match), kWeights) % 11 == 0);
}

// The surname's five places: letters, filled up with 9.
PiiVerdict uk_driver(std::string_view match) {
  size_t letters = 0;
  while (letters < 5 && letter(match[letters])) {
    ++letters;
  }
  const std::string_view rest = match.substr(letters, 5 - letters);
  const bool good = letters > 0 && rest.find_first_not_of('9') == std::string_view::npos;
  return good ? PiiVerdict::kUnknown : PiiVerdict::kInvalid;
}

// Since 2001 two digits tell the half-year: 02 to 29 and 51 to 79.
PiiVerdict uk_plate(std::string_view match) {
  const std::string p = plain(match);
  if (p.size() != 7 || !letter(p[0]) || !letter(p[1]) || !digit(p[2]) || !digit(p[3])) {
    return PiiVerdict::kUnknown;
  }
  const int age = (p[2] - '0') * 10 + p[3] - '0';
  return pii_verdict((age >= 2 && age <= 29) || (age >= 51 && age <= 79));
}

constexpr std::string_view kSpanishLetters = "TRWAGMYFPDXBNJZSQVHLCKE";

uint64_t number_of(std::string_view text) {
  uint64_t number = 0;
  for (const char c : text) {
    number = digit(c) ? number * 10 + static_cast<uint64_t>(c - '0') : number;
  }
  return number;
}

PiiVerdict nif(std::string_view match) {
  const std::string p = plain(match);
  return pii_verdict(p.back() == kSpanishLetters[number_of(p) % 23]);
}

PiiVerdict nie(std::string_view match) {
  std::string p = plain(match);
  if (p[0] < 'X' || p[0] > 'Z' || p.size() < 8 || p.size() > 9) {
    return PiiVerdict::kInvalid;
  }
  p[0] = static_cast<char>('0' + (p[0] - 'X'));
  return pii_verdict(p.back() == kSpanishLetters[number_of(p) % 23]);
}

// DM 23.12.1976: odd places by a table, even ones by value, the sum modulo 26 as a letter.
PiiVerdict fiscal_code(std::string_view match) {
  constexpr std::array kOdd = {1, 0,  5, 7, 9,  13, 15, 17, 19, 21, 2, 4,  18,
                               20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
  int sum = 0;
  for (size_t i = 0; i + 1 < match.size(); ++i) {
    const int value = digit(match[i]) ? match[i] - '0' : upper(match[i]) - 'A';
    sum += i % 2 == 0 ? kOdd[static_cast<size_t>(value)] : value;
  }
  return upper(match.back()) == 'A' + sum % 26 ? PiiVerdict::kValid : PiiVerdict::kUnknown;
}

PiiVerdict piva(std::string_view match) {
  const PiiDigits digits(match);
  return pii_verdict(number_of(match) != 0 && digits.size() == 11 && pii_luhn(digits));
}

PiiVerdict pesel(std::string_view match) {
  constexpr std::array kWeights = {1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1};
  return pii_verdict(pii_weighted(PiiDigits(match), kWeights) % 10 == 0);
}

PiiVerdict hetu(std::string_view match) {
  constexpr std::string_view kControl = "0123456789ABCDEFHJKLMNPRSTUVWXY";
  const PiiDigits d(match.substr(0, 6));
  const int short_year = d[4] * 10 + d[5];
  const int year = short_year + (short_year < 69 ? 2000 : 1900);
  const uint64_t number = number_of(match.substr(0, 6)) * 1000 + number_of(match.substr(7, 3));
  return pii_verdict(match.size() == 11 && pii_date(year, d[2] * 10 + d[3], d[0] * 10 + d[1]) &&
                     match.back() == kControl[number % 31]);
}

PiiDigits last_ten(std::string_view match) {
  std::string digits;
  std::copy_if(match.begin(), match.end(), std::back_inserter(digits), digit);
  return PiiDigits(std::string_view(digits).substr(digits.size() > 10 ? digits.size() - 10 : 0));
}

PiiVerdict personnummer(std::string_view match) {
  const PiiDigits d = last_ten(match);
  const int month = d[2] * 10 + d[3];
  const int day = d[4] * 10 + d[5] - (d[4] >= 6 && (d[4] > 6 || d[5] >= 1) ? 60 : 0);  // coordination numbers: + 60
  return pii_verdict(d.size() == 10 && month >= 1 && month <= 12 && day >= 1 && day <= 31 && pii_luhn(d));
}

PiiVerdict organisation(std::string_view match) {
  const PiiDigits d(match);
  return pii_verdict(d.size() == 10 && d[2] >= 2 && pii_luhn(d));
}

PiiVerdict turkish_id(std::string_view match) {
  const PiiDigits d(match);
  if (d.size() != 11) {
    return PiiVerdict::kInvalid;
  }
  const int odd = d[0] + d[2] + d[4] + d[6] + d[8];
  const int even = d[1] + d[3] + d[5] + d[7];
  const int tenth = ((odd * 7 - even) % 10 + 10) % 10;
  return pii_verdict(tenth == d[9] && (odd + even + d[9]) % 10 == d[10]);
}

PiiVerdict turkish_plate(std::string_view match) {
  const int province = (match[0] - '0') * 10 + match[1] - '0';
  return pii_verdict(province >= 1 && province <= 81);
}

}  // namespace

std::span<const PiiRecognizer> pii_europe() {
  static const std::vector<PiiRecognizer> kAll = {
      {.type = "UK_NHS",
       .group = "uk",
       .patterns = {{R"(\b\d{3}[- ]?\d{3}[- ]?\d{4}\b)", .5F}},
       .check = nhs,
       .context = {"nhs"}},
      {.type = "UK_NINO",
       .group = "uk",
       .patterns = {{R"(\b(?!bg|gb|nk|kn|nt|tn|zz)[a-ceghj-pr-tw-z][a-ceghj-npr-tw-z] ?\d\d ?\d\d ?\d\d ?[a-d]\b)", .5F}},
       .context = {"nino"}},
      {.type = "UK_PASSPORT",
       .group = "uk",
       .patterns = {{R"(\b[a-z]{2}\d{7}\b)", .1F}},
       .context = {"passport", "hmpo"}},
      {.type = "UK_POSTCODE",
       .group = "uk",
       .patterns = {{R"(\b(?:gir\s?0aa|[a-pr-uwyz](?:\d[a-hjkpstuw]?|\d\d|[a-hk-y]\d[abehmnprv-y]?|[a-hk-y]\d\d)\s?\d[abd-hjlnp-uw-z]{2})\b)",
                     .1F}},
       .context = {"postcode", "zip", "address", "delivery", "mailing", "shipping", "correspondence"}},
      {.type = "UK_DRIVING_LICENCE",
       .group = "uk",
       .patterns = {{R"(\b[a-z9]{5}\d(?:0[1-9]|1[0-2]|5[1-9]|6[0-2])(?:0[1-9]|[12]\d|3[01])\d[a-z9]{2}[a-z0-9][a-z]{2}\b)", .5F}},
       .check = uk_driver,
       .context = {"dvla"}},
      {.type = "UK_VEHICLE_REGISTRATION",
       .group = "uk",
       .patterns = {{R"(\b[a-hj-pr-y]{2}(?:0[1-9]|[1-7]\d)[- ]?[a-hj-pr-z]{3}\b)", .3F},
                    {R"(\b[a-hj-npr-tv-y]\d{1,3}[- ]?[a-hj-pr-y][a-hj-pr-z]{2}\b)", .2F},
                    {R"(\b[a-hj-pr-z]{3}[- ]?\d{1,3}[- ]?[a-hj-npr-tv-y]\b)", .15F}},
       .check = uk_plate,
       .context = {"vehicle", "registration", "reg", "vrn", "dvla", "v5c", "logbook", "mot", "car"}},
      {.type = "ES_NIF",
       .group = "es",
       .patterns = {{R"(\b\d{7,8}-?[a-z]\b)", .5F}},
       .check = nif,
       .context = {"dni", "nif", "identificación"}},
      {.type = "ES_NIE",
       .group = "es",
       .patterns = {{R"(\b[x-z]?\d{7,8}-?[a-z]\b)", .5F}},
       .check = nie,
       .context = {"nie"}},
      {.type = "ES_PASSPORT",
       .group = "es",
       .patterns = {{R"(\b[a-z]{3}\d{6}\b)", .05F}},
       .context = {"pasaporte", "passport"}},
      {.type = "IT_FISCAL_CODE",  // letters may stand for digits (omocodia): L to V without O, from 0 to 9
       .group = "it",
       .patterns = {{R"((?:[a-z][aeiou][aeioux]|[aeiou]xx|[b-df-hj-np-tv-z]{2}[a-z]){2}(?:[\dlmnp-v]{2}(?:[a-ehlmpr-t](?:[04lq][1-9mnp-v]|[15mr][\dlmnp-v]|[26ns][0-8lmnp-u])|[dhps][37pt][0l]|[acelmrt][37pt][01lm]|[ac-ehlmpr-t][26ns][9v])|(?:[02468lnqsu][048lqu]|[13579mprtv][26ns])b[26ns][9v])(?:[a-mz][1-9mnp-v][\dlmnp-v]{2}|[a-m][0l](?:[1-9mnp-v][\dlmnp-v]|[0l][1-9mnp-v]))[a-z])",
                     .3F}},
       .check = fiscal_code,
       .context = {"cf"}},
      {.type = "IT_DRIVER_LICENSE",
       .group = "it",
       .patterns = {{R"(\b(?:[a-z]{2}\d{7}[a-z]|u1[b-hj-np-uw-z0-9]{7}[a-z])\b)", .2F}},
       .context = {"patente", "licenza"}},
      {.type = "IT_VAT_CODE",
       .group = "it",
       .patterns = {{R"(\b(?:[0-9][ _]?){11}\b)", .1F}},
       .check = piva,
       .context = {"piva", "pi"}},
      {.type = "IT_PASSPORT",
       .group = "it",
       .patterns = {{R"(\b[a-z]{2}\d{7}\b)", .01F}},
       .context = {"passaporto", "elettronico", "italiano", "viaggio", "viaggiare", "estero", "documento", "dogana"}},
      {.type = "IT_IDENTITY_CARD",
       .group = "it",
       .patterns = {{R"(\b[a-z]{2}\s?\d{7}\b)", .01F}, {R"(\b\d{7}[a-z]{2}\b)", .01F}, {R"(\b[a-z]{2}\d{5}[a-z]{2}\b)", .01F}},
       .context = {"carta", "identità", "elettronica", "cie", "documento", "riconoscimento", "espatrio"}},
      {.type = "PL_PESEL",
       .group = "pl",
       .patterns = {{R"([0-9]{2}(?:[02468][1-9]|[13579][012])(?:0[1-9]|[12]\d|3[01])[0-9]{5})", .4F}},
       .check = pesel,
       .context = {"pesel"}},
      {.type = "FI_PERSONAL_IDENTITY_CODE",
       .group = "fi",
       .patterns = {{R"(\b\d{6}[-+a-fu-y]\d{3}[0-9a-fhj-npr-y]\b)", .5F}, {R"(\d{6}[-+a-fu-y]\d{3}[0-9a-fhj-npr-y])", .1F}},
       .check = hetu,
       .context = {"hetu", "henkilötunnus", "personbeteckningen"}},
      {.type = "SE_PERSONNUMMER",
       .group = "se",
       .patterns = {{R"(\b\d{6,8}[-+]?\d{4}\b)", .5F}, {R"(\d{6,8}[-+]?\d{4})", .1F}},
       .check = personnummer,
       .context = {"personnummer", "ssn", "samordningsnummer"}},
      {.type = "SE_ORGANISATIONSNUMMER",
       .group = "se",
       .patterns = {{R"(\b\d{6}-?\d{4}\b)", .6F}, {R"(\d{6}-?\d{4})", .2F}},
       .check = organisation,
       .context = {"organisationsnummer", "orgnr", "företagsnummer"}},
      {.type = "TR_NATIONAL_ID",
       .group = "tr",
       .patterns = {{R"(\b[1-9][0-9]{10}\b)", .3F}},
       .check = turkish_id,
       .context = {"tckn"}},
      {.type = "TR_LICENSE_PLATE",
       .group = "tr",
       .patterns = {{R"(\b(?:0[1-9]|[1-7]\d|8[01])(?:\s?[a-pr-vy-z]{1,3}\s?|-[a-pr-vy-z]{1,3}-)\d{2,4}\b)", .3F}},
       .check = turkish_plate,
       .context = {"plaka", "plate", "kayıt"}}};
  return kAll;
}

}  // namespace slipway::text
