// What of a host is registered: the ICANN part of the Public Suffix List (publicsuffix.org, MPL 2.0), read as tldextract reads it, so that lists
// of blocked domains decide as they do in datatrove. The list is compiled in (public_suffix_table.cc). Any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace slipway::text {

// Rules as the list writes them ("co.uk", "*.ck", "!www.ck"), internationalised labels also as xn--; and the list's version.
std::span<const std::string_view> public_suffix_rules() noexcept;
std::string_view public_suffix_version() noexcept;

struct HostName {
  std::string registered;  // "bbc.co.uk"; empty for IP addresses, names without a public suffix, and public suffixes
  std::string full;        // "forums.bbc.co.uk"; empty likewise
};

// The host of anything that looks like a web address, with or without a scheme, in the case in which it stands there.
HostName host_of_url(std::string_view url);

}  // namespace slipway::text
