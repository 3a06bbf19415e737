// Recognisers of every country: cards, wallets, dates, addresses of the network, UUIDs; e-mail, web addresses, telephone
// numbers and IBANs have searches of their own in pii_search.cc.
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <string>
#include <vector>

#include "base/hash.h"
#include "text/pii_checks.h"
#include "text/pii_domains.h"

namespace slipway::text {
namespace {

PiiVerdict luhn(std::string_view match) { return pii_verdict(pii_luhn(PiiDigits(match))); }

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// Base58Check: 21 bytes and four of the double SHA-256.
bool base58_check(std::string_view text) {
  constexpr std::string_view kDigits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  std::vector<uint8_t> number;  // little endian, base 256
  size_t zeros = 0;
  while (zeros < text.size() && text[zeros] == '1') {
    ++zeros;
  }
  for (const char c : text.substr(zeros)) {
    const size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) {
      return false;
    }
    size_t carry = digit;
    for (uint8_t& byte : number) {
      carry += size_t{58} * byte;
      byte = static_cast<uint8_t>(carry & 0xFF);
      carry >>= 8;
    }
    for (; carry > 0; carry >>= 8) {
      number.push_back(static_cast<uint8_t>(carry & 0xFF));
    }
  }
  std::string bytes(zeros, '\0');
  bytes.append(number.rbegin(), number.rend());
  if (bytes.size() < 5) {
    return false;
  }
  const std::string body = bytes.substr(0, bytes.size() - 4);
  const std::string digest = from_hex(base::sha256_hex(from_hex(base::sha256_hex(body))));
  return digest.substr(0, 4) == bytes.substr(bytes.size() - 4);
}

// BIP 173 and 350 for the prefix "bc".
bool bech32(std::string_view text) {
  constexpr std::string_view kCharset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  constexpr std::array<uint32_t, 5> kGenerator = {0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3};
  const size_t one = text.rfind('1');
  if (one != 2 || one + 7 > text.size() || text.size() > 90) {
    return false;
  }
  uint32_t check = 1;
  const auto take = [&](uint32_t value) {
    const uint32_t top = check >> 25;
    check = (check & 0x1FFFFFF) << 5 ^ value;
    for (size_t i = 0; i < kGenerator.size(); ++i) {
      check ^= (top >> i & 1) != 0 ? kGenerator[i] : 0;
    }
  };
  for (const uint32_t value : {uint32_t{'b'} >> 5, uint32_t{'c'} >> 5, 0U, uint32_t{'b'} & 31, uint32_t{'c'} & 31}) {
    take(value);
  }
  for (const char c : text.substr(one + 1)) {
    const size_t value = kCharset.find(c);
    if (value == std::string_view::npos) {
      return false;
    }
    take(static_cast<uint32_t>(value));
  }
  return check == 1 || check == 0x2BC830A3;
}

PiiVerdict crypto(std::string_view match) {
  return pii_verdict(match.starts_with("bc1") ? bech32(match) : (match[0] == '1' || match[0] == '3') && base58_check(match));
}

PiiVerdict ip(std::string_view match) {
  const size_t slash = match.find('/');
  std::string address(match.substr(0, slash));
  const bool v6 = address.find(':') != std::string::npos;
  if (v6) {
    address = address.substr(0, address.find('%'));
  }
  std::array<unsigned char, 16> bytes{};
  bool good = inet_pton(v6 ? AF_INET6 : AF_INET, address.c_str(), bytes.data()) == 1;
  if (good && slash != std::string_view::npos) {
    good = std::stoi(std::string(match.substr(slash + 1))) <= (v6 ? 128 : 32);
  }
  return good ? PiiVerdict::kUnknown : PiiVerdict::kInvalid;
}

// Neither nobody's nor everybody's.
PiiVerdict mac(std::string_view match) {
  const auto only = [&](std::string_view set) { return match.find_first_not_of(set) == std::string_view::npos; };
  return only("0:-.") || only("fF:-.") ? PiiVerdict::kInvalid : PiiVerdict::kUnknown;
}

// The address as a URL's parser sees it must have a top-level domain that exists.
PiiVerdict email(std::string_view match) {
  std::string_view host = match.substr(0, match.find_first_of("/?#"));
  host = host.substr(host.rfind('@') + 1);
  const size_t dot = host.rfind('.');
  std::string label(host.substr(dot + 1));
  std::transform(label.begin(), label.end(), label.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return pii_verdict(dot != std::string_view::npos && dot > 0 && is_top_level_domain(label));
}

#define SLIPWAY_DAY "(?:0?[1-9]|[12][0-9]|3[01])"
#define SLIPWAY_MONTH "(?:0?[1-9]|1[0-2])"
#define SLIPWAY_MONTH_NAME "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
#define SLIPWAY_OCTET "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})"
#define SLIPWAY_IPV4 "(?:" SLIPWAY_OCTET "\\.){3}" SLIPWAY_OCTET
#define SLIPWAY_PREFIX "(?:/(?:12[0-8]|1[01]\\d|[1-9]?\\d))?"
#define SLIPWAY_ISO "\\d{4}-[01]\\d-[0-3]\\dt[0-2]\\d:[0-5]\\d"
#define SLIPWAY_ZONE "(?:[+\\-][0-2]\\d:[0-5]\\d|z)"
#define SLIPWAY_H "[0-9a-f]{1,4}"

}  // namespace

std::span<const PiiRecognizer> pii_generic() {
  static const std::vector<PiiRecognizer> kAll = {
      {.type = "CREDIT_CARD",
       .group = "generic",
       .patterns = {{R"(\b(?!1\d{12}(?!\d))(?:[1346]\d|5[0-5])\d\d[- ]?\d{3,4}[- ]?\d{3,4}[- ]?\d{3,5}\b)", .3F}},
       .check = luhn,
       .context = {"credit", "card", "visa", "mastercard", "amex", "discover", "jcb", "diners", "maestro", "instapayment"}},
      {.type = "CRYPTO",
       .group = "generic",
       .patterns = {{R"((?:bc1|[13])[a-z0-9]{25,59})", .5F}},
       .check = crypto,
       .context = {"wallet", "btc", "bitcoin", "crypto"}},
      {.type = "DATE_TIME",
       .group = "generic",
       .patterns = {{"\\b" SLIPWAY_ISO ":[0-5]\\d\\.\\d+" SLIPWAY_ZONE "|" SLIPWAY_ISO ":[0-5]\\d" SLIPWAY_ZONE
                     "|" SLIPWAY_ISO SLIPWAY_ZONE "\\b",
                     .8F},
                    {"\\b" SLIPWAY_MONTH "/" SLIPWAY_DAY "/(?:\\d{4}|\\d\\d)\\b", .6F},
                    {"\\b" SLIPWAY_DAY "/" SLIPWAY_MONTH "/(?:\\d{4}|\\d\\d)\\b", .6F},
                    {"\\b\\d{4}/" SLIPWAY_MONTH "/" SLIPWAY_DAY "\\b", .6F},
                    {"\\b" SLIPWAY_MONTH "-" SLIPWAY_DAY "-\\d{4}\\b", .6F},
                    {"\\b" SLIPWAY_DAY "-" SLIPWAY_MONTH "-\\d{4}\\b", .6F},
                    {"\\b\\d{4}-" SLIPWAY_MONTH "-" SLIPWAY_DAY "\\b", .6F},
                    {"\\b" SLIPWAY_DAY "\\." SLIPWAY_MONTH "\\.(?:\\d{4}|\\d\\d)\\b", .6F},
                    {"\\b" SLIPWAY_DAY "-" SLIPWAY_MONTH_NAME "-(?:\\d{4}|\\d\\d)\\b", .6F},
                    {"\\b" SLIPWAY_MONTH_NAME "-(?:\\d{4}|\\d\\d)\\b", .6F},
                    {"\\b" SLIPWAY_DAY "-" SLIPWAY_MONTH_NAME "\\b", .6F},
                    {"\\b" SLIPWAY_MONTH "/\\d{4}\\b", .2F},
                    {"\\b" SLIPWAY_MONTH "/\\d\\d\\b", .1F}},
       .context = {"date", "birthday"}},
      {.type = "EMAIL_ADDRESS",
       .group = "generic",
       .patterns = {{R"(\b(?:[!#$%&'*+\-/=?^_`{|}~\w](?:[!#$%&'*+\-/=?^_`{|}~.\w]*[!#$%&'*+\-/=?^_`{|}~\w])?)@\w+(?:-+\w+)*(?:\.\w+(?:-+\w+)*)+\b)",
                     .5F}},
       .check = email,
       .context = {"email"},
       .search = PiiSearch::kEmail},
      {.type = "IBAN_CODE",
       .group = "generic",
       .patterns = {{nullptr, .5F}},
       .context = {"iban", "bank", "transaction"},
       .search = PiiSearch::kIban},
      {.type = "IP_ADDRESS",
       .group = "generic",
       .patterns = {{"(?<![\\w:])::(?:ffff(?::0{1,4})?:)?" SLIPWAY_IPV4 SLIPWAY_PREFIX "\\b", .6F},
                    {"(?<![\\w:])(?:(?:" SLIPWAY_H ":){1,5}:(?:" SLIPWAY_H ":){0,4}|(?:" SLIPWAY_H ":){6})" SLIPWAY_IPV4
                     SLIPWAY_PREFIX "\\b",
                     .6F},
                    {"\\b" SLIPWAY_IPV4 "(?:/(?:[0-2]?\\d|3[0-2]))?\\b", .6F},
                    {"(?<![\\w:])(?:(?:" SLIPWAY_H ":){7}" SLIPWAY_H "|(?:" SLIPWAY_H ":){1,7}:|:(?::" SLIPWAY_H
                     "){1,7}|(?:" SLIPWAY_H ":){1,6}:" SLIPWAY_H "|(?:" SLIPWAY_H ":){1,5}(?::" SLIPWAY_H "){1,2}|(?:" SLIPWAY_H
                     ":){1,4}(?::" SLIPWAY_H "){1,3}|(?:" SLIPWAY_H ":){1,3}(?::" SLIPWAY_H "){1,4}|(?:" SLIPWAY_H
                     ":){1,2}(?::" SLIPWAY_H "){1,5}|" SLIPWAY_H ":(?::" SLIPWAY_H
                     "){1,6})(?:%[0-9a-z]+)?" SLIPWAY_PREFIX "(?![\\w:]|\\.\\d)",
                     .6F},
                    {"(?<![\\w:])::" SLIPWAY_PREFIX "(?![\\w:])", .1F}},
       .check = ip,
       .context = {"ip"}},
      {.type = "MAC_ADDRESS",
       .group = "generic",
       .patterns = {{R"(\b[0-9a-f]{2}(?::(?:[0-9a-f]{2}:){4}|-(?:[0-9a-f]{2}-){4})[0-9a-f]{2}\b)", .6F},
                    {R"(\b[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}\b)", .6F}},
       .check = mac,
       .context = {"mac", "ethernet"}},
      {.type = "PHONE_NUMBER",
       .group = "generic",
       .patterns = {{nullptr, .4F}},
       .context = {"phone", "number", "telephone", "cell", "mobile", "call"},
       .search = PiiSearch::kPhone},
      {.type = "URL",
       .group = "generic",
       .patterns = {{nullptr, .6F}, {nullptr, .5F}, {nullptr, .6F}, {nullptr, .5F}},  // with scheme, without; the same quoted
       .context = {"url", "website", "link"},
       .search = PiiSearch::kUrl},
      {.type = "UUID",
       .group = "generic",
       .patterns = {{R"(\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)", .5F}},
       .context = {"uuid", "guid"}}};
  return kAll;
}

}  // namespace slipway::text
