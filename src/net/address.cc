#include "net/address.h"

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace slipway::net {
namespace {

namespace ip = boost::asio::ip;

struct Range4 {
  uint32_t first;
  int bits;
};
constexpr uint32_t v4(uint32_t a, uint32_t b, uint32_t c, uint32_t d) { return a << 24 | b << 16 | c << 8 | d; }

constexpr std::array<Range4, 15> kSpecial4 = {{{v4(0, 0, 0, 0), 8},
                                               {v4(10, 0, 0, 0), 8},
                                               {v4(100, 64, 0, 0), 10},
                                               {v4(127, 0, 0, 0), 8},
                                               {v4(169, 254, 0, 0), 16},
                                               {v4(172, 16, 0, 0), 12},
                                               {v4(192, 0, 0, 0), 24},
                                               {v4(192, 0, 2, 0), 24},
                                               {v4(192, 88, 99, 0), 24},
                                               {v4(192, 168, 0, 0), 16},
                                               {v4(198, 18, 0, 0), 15},
                                               {v4(198, 51, 100, 0), 24},
                                               {v4(203, 0, 113, 0), 24},
                                               {v4(224, 0, 0, 0), 4},
                                               {v4(240, 0, 0, 0), 4}}};

bool is_public(uint32_t address) {
  return std::none_of(kSpecial4.begin(), kSpecial4.end(), [&](const Range4& range) {
    return (address >> (32 - range.bits)) == (range.first >> (32 - range.bits));
  });
}

uint32_t four(const ip::address_v6::bytes_type& bytes, size_t at) {
  return v4(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
}

bool is_public(const ip::address_v6& address) {
  const auto bytes = address.to_bytes();
  const auto begins = [&](std::initializer_list<uint8_t> prefix) {
    return std::equal(prefix.begin(), prefix.end(), bytes.begin());
  };
  if (address.is_v4_mapped() ||
      begins({0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) {  // ::ffff:0:0/96, 64:ff9b::/96
    return is_public(four(bytes, 12));
  }
  if (begins({0x20, 0x02})) {  // 6to4
    return is_public(four(bytes, 2));
  }
  const bool protocols = begins({0x20, 0x01}) && bytes[2] < 2;  // 2001::/23
  const bool documentation = begins({0x20, 0x01, 0x0D, 0xB8}) || (begins({0x3F, 0xFF}) && bytes[2] < 0x10);
  return (bytes[0] & 0xE0) == 0x20 && !protocols && !documentation;  // 2000::/3 is what is given out
}

}  // namespace

bool is_public_address(std::string_view address) noexcept {
  boost::system::error_code error;
  const ip::address parsed = ip::make_address(std::string(address.substr(0, 64)), error);
  if (error || address.size() > 64) {
    return false;
  }
  return parsed.is_v4() ? is_public(parsed.to_v4().to_uint()) : is_public(parsed.to_v6());
}

std::vector<std::string> resolve(const std::string& host) {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  boost::asio::io_context io{1};
  ip::tcp::resolver resolver(io);
  boost::system::error_code error;
  std::vector<std::string> addresses;
  for (const auto& found : resolver.resolve(bracketed ? host.substr(1, host.size() - 2) : host, "443", error)) {
    addresses.push_back(found.endpoint().address().to_string());
  }
  return addresses;
}

}  // namespace slipway::net
