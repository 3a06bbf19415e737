// Which addresses belong to anybody on the Internet, and which to a machine or a network of one's own. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace slipway::net {

// False for what is not an IP address, and for loopback, link-local, private, shared, reserved, documentation and
// multicast addresses (IANA's special-purpose registries), also inside an IPv6 one (mapped, 6to4, NAT64).
bool is_public_address(std::string_view address) noexcept;

// The addresses that a name (or an address) has; none when it has none. Asks the system's resolver, so it may take
// seconds.
std::vector<std::string> resolve(const std::string& host);

}  // namespace slipway::net
