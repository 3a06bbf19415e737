#include "api/outgoing.h"

#include "net/address.h"

namespace slipway::api {

OutgoingAddress outgoing_address(const std::string& url) {
  OutgoingAddress address;
  const size_t scheme = url.find("://");
  const size_t slash = url.find_first_of("/?#", scheme + 3);
  address.server = url.substr(0, slash);
  const std::string authority = address.server.substr(scheme + 3);
  const size_t bracket = authority.find(']');
  address.host = authority.substr(0, authority.find(':', bracket == std::string::npos ? 0 : bracket));
  if (slash != std::string::npos) {
    address.target = (url[slash] == '/' ? "" : "/") + url.substr(slash, url.find('#', slash) - slash);
  }
  return address;
}

void keep_public(net::ClientOptions& options, bool allow_private) {
  if (!allow_private) {
    options.admit = [](const std::string& ip) { return net::is_public_address(ip); };
  }
}

}  // namespace slipway::api
