// Germany. Words of the trade (Steuernummer, Kennzeichen, …) are context.
#include "text/pii_checks.h"

namespace slipway::text {
namespace {

char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
bool digit(char c) noexcept { return c >= '0' && c <= '9'; }

PiiVerdict tax_id(std::string_view match) {
  const PiiDigits d(match);
  std::array<int, 10> seen{};
  for (size_t i = 0; i < 10; ++i) {
    if (++seen[static_cast<size_t>(d[i])] > 3) {
      return PiiVerdict::kInvalid;
    }
  }
  return pii_verdict(pii_mod_11_10(d));
}

// A wrong check digit is no proof: numbers of other offices have none.
PiiVerdict vat_id(std::string_view match) {
  return pii_mod_11_10(PiiDigits(match)) ? PiiVerdict::kValid : PiiVerdict::kUnknown;
}

// ICAO 9303: weights 7 3 1, letters from 10; the last place is the check digit.
bool icao(std::string_view match) {
  constexpr std::array kWeights = {7, 3, 1};
  int sum = 0;
  for (size_t i = 0; i + 1 < match.size(); ++i) {
    sum += (digit(match[i]) ? match[i] - '0' : upper(match[i]) - 'A' + 10) * kWeights[i % 3];
  }
  return match.size() == 9 && digit(match.back()) && sum % 10 == match.back() - '0';
}

PiiVerdict passport(std::string_view match) { return pii_verdict(icao(match)); }

PiiVerdict id_card(std::string_view match) {
  const bool old = upper(match[0]) == 'T' && match.find_first_not_of("0123456789", 1) == std::string_view::npos;
  return old ? PiiVerdict::kUnknown : passport(match);
}

// Digit sums of products, a letter standing for two digits of its place in the alphabet.
int digit_sums(std::string_view match, std::span<const int> weights, size_t count) {
  int sum = 0;
  size_t place = 0;
  const auto add = [&](int value) {
    const int product = value * weights[place++];
    sum += product / 10 + product % 10;
  };
  for (size_t i = 0; i < count; ++i) {
    if (digit(match[i])) {
      add(match[i] - '0');
    } else {
      const int rank = upper(match[i]) - 'A' + 1;
      add(rank / 10);
      add(rank % 10);
    }
  }
  return sum;
}

PiiVerdict pension(std::string_view match) {
  constexpr std::array kWeights = {2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1};
  const PiiDigits d(match);
  const int day = d[2] * 10 + d[3];
  const int month = d[4] * 10 + d[5];
  const bool date = ((day >= 1 && day <= 31) || (day >= 51 && day <= 81)) && month >= 1 && month <= 12;
  return pii_verdict(date && digit_sums(match, kWeights, 11) % 10 == match[11] - '0');
}

PiiVerdict health(std::string_view match) {
  constexpr std::array kWeights = {1, 2, 1, 2, 1, 2, 1, 2, 1, 2};
  return pii_verdict(digit_sums(match, kWeights, 9) % 10 == match[9] - '0');
}

PiiVerdict doctor(std::string_view match) {
  constexpr std::array kWeights = {4, 9, 4, 9, 4, 9};
  const PiiDigits d(match);
  return pii_verdict((10 - pii_weighted(d, kWeights) % 10) % 10 == d[6]);
}

PiiVerdict practice(std::string_view match) { return match == "000000000" ? PiiVerdict::kInvalid : PiiVerdict::kUnknown; }

}  // namespace

std::span<const PiiRecognizer> pii_germany() {
  static const std::vector<PiiRecognizer> kAll = {
      {.type = "DE_TAX_ID",
       .group = "de",
       .patterns = {{R"(\b[1-9]\d{10}\b)", .5F}},
       .check = tax_id,
       .context = {"steueridentifikationsnummer", "steuer-id", "steuerid", "idnr", "steuernummer", "bzst"}},
      {.type = "DE_TAX_NUMBER",
       .group = "de",
       .patterns = {{R"(\b(?:0[1-9]|1[0-6])\d{11}\b)", .5F},
                    {R"((?<!\w)\d{3}/\d{3}/\d{5}(?!\w))", .4F},
                    {R"((?<!\w)\d{2,3}/\d{3,4}/\d{4,5}(?!\w))", .2F}},
       .context = {"steuernummer", "steuer-nr", "st.-nr", "st-nr", "finanzamt", "umsatzsteuer", "einkommensteuer",
                   "körperschaftsteuer", "gewerbesteuer", "steuerveranlagung", "steuerbescheid"}},
      {.type = "DE_VAT_ID",
       .group = "de",
       .patterns = {{R"(\bde\d{9}\b)", .5F}, {R"(\bde[\s.\-]?\d{3}[\s.\-]?\d{3}[\s.\-]?\d{3}\b)", .4F}},
       .check = vat_id,
       .context = {"umsatzsteueridentifikationsnummer", "ust-idnr", "ust-id", "ustidnr", "umsatzsteuer-id",
                   "mehrwertsteuer", "vat", "steueridentifikation", "bzst", "finanzamt", "invoice", "rechnung"}},
      {.type = "DE_PASSPORT",
       .group = "de",
       .patterns = {{R"(\b[cf-hj-nprtv-z][cf-hj-nprtv-z0-9]{7}\d\b)", .4F}},
       .check = passport,
       .context = {"pass", "mrz"}},
      {.type = "DE_ID_CARD",
       .group = "de",
       .patterns = {{R"(\b[cf-hj-nprtv-z][cf-hj-nprtv-z0-9]{7}\d\b)", .4F}, {R"(\bt\d{8}\b)", .5F}},
       .check = id_card,
       .context = {"ausweis", "dokumentennummer", "seriennummer", "npa", "pauwsg"}},
      {.type = "DE_SOCIAL_SECURITY",
       .group = "de",
       .patterns = {{R"(\b\d\d(?:0[1-9]|[12]\d|3[01]|5[1-9]|[67]\d|8[01])(?:0[1-9]|1[0-2])\d\d[a-z]\d{3}\b)", .5F},
                    {R"(\b\d{8}[a-z]\d{3}\b)", .3F}},
       .check = pension,
       .context = {"versicherungsnummer", "rvnr", "svnr", "sv-nummer", "rente", "drv", "sozialversicherung"}},
      {.type = "DE_HEALTH_INSURANCE",
       .group = "de",
       .patterns = {{R"(\b[a-z]\d{9}\b)", .3F}},
       .check = health,
       .context = {"krankenvers", "versichertennummer", "kvnr", "krankenkasse", "gesundheitskarte", "egk", "gkv",
                   "versichertenausweis", "versichertenkarte", "aok", "tkk", "barmer", "dak"}},
      {.type = "DE_LANR",
       .group = "de",
       .patterns = {{R"(\b\d{9}\b)", .3F}},
       .check = doctor,
       .context = {"arztnummer", "lanr", "arzt", "kbv", "kv-nummer", "rezept", "verschreibung"}},
      {.type = "DE_BSNR",
       .group = "de",
       .patterns = {{R"(\b\d{9}\b)", .2F}},
       .check = practice,
       .context = {"betriebsstätte", "bsnr", "praxis", "kv-nummer", "behandlungsort"}},
      {.type = "DE_HANDELSREGISTER",
       .group = "de",
       .patterns = {{R"(\bhr[ab]\s*\d{1,6}\b)", .5F}},
       .context = {"handelsregister", "amtsgericht", "registergericht", "hra", "hrb", "hr-nummer", "registerauszug", "firma",
                   "gesellschaft", "gmbh", "ag", "ug", "kg", "ohg", "einzelkauf"}},
      {.type = "DE_FUEHRERSCHEIN",
       .group = "de",
       .patterns = {{R"(\b[a-z]{2}\d{8}[a-z0-9]\b)", .35F}},
       .context = {"führerschein", "fahrerlaubnis", "fev", "kba", "kraftfahrt-bundesamt", "dokument-nr"}},
      {.type = "DE_KFZ",
       .group = "de",
       .patterns = {{R"((?<![\w\-])[a-zäöü]{1,3}(?:\s[a-z]{1,2}\s|-[a-z]{1,2}-|-[a-z]{1,2}\s)\d{1,4}[eh]?(?!\w))", .3F}},
       .context = {"kennzeichen", "nummernschild", "zulassung", "kfz", "fahrzeug", "auto", "pkw", "lkw"}},
      {.type = "DE_PLZ",
       .group = "de",
       .patterns = {{R"(\b(?!01000\b|99999\b)(?:0[1-9]\d{3}|[1-9]\d{4})\b)", .05F}},
       .context = {"plz", "postleitzahl", "postanschrift", "adresse", "ort", "wohnanschrift", "straße", "strasse",
                   "hausnummer", "postfach", "bundesland", "gemeinde", "stadt", "dorf"}}};
  return kAll;
}

}  // namespace slipway::text
